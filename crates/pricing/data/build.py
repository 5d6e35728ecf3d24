#!/usr/bin/env python3
"""Makes prices.tsv from a model catalogue in JSON. Python 3.11, no packages, no network.

    python3 crates/pricing/data/build.py CATALOGUE.json > crates/pricing/data/prices.tsv

The catalogue is an object with `as_of` and `models`; of each model `provider`, `id`, `aliases`, `prices`,
`priced_since`, `suspect`, `listed_free` and `web_search_unit` are read. README.md has the schema. The output is the
same byte for byte for the same input. Anything that would make a wrong price (a number that is not a decimal text,
a name twice) ends the run.
"""
import json
import re
import sys

DECIMAL = re.compile(r'(0|[1-9]\d*)(\.\d*[1-9])?')


def check(prices, where):
    """Every amount is a decimal text: JSON numbers would be read as binary floating point somewhere."""
    for key, value in prices.items():
        at = f'{where}.{key}'
        if key in ('in', 'from', 'to', 'days'):
            continue
        if key == 'above':
            if type(value) is not int or value < 1:
                sys.exit(f'{at}: not a count of tokens: {value!r}')
        elif isinstance(value, dict):
            check(value, at)
        elif isinstance(value, list):
            for n, part in enumerate(value):
                check(part, f'{at}[{n}]')
        elif not (isinstance(value, str) and DECIMAL.fullmatch(value)):
            sys.exit(f'{at}: not a decimal text in its shortest form: {value!r}')


def notes(model):
    if model.get('listed_free'):
        yield 'free'
    if model.get('suspect'):
        yield 'suspect'
    if model.get('web_search_unit'):
        yield model['web_search_unit']
    if model.get('priced_since'):
        yield 'since=' + model['priced_since']


def lines(models):
    for model in models:
        provider, name = model['provider'], model['id']
        prices = model.get('prices')
        if prices is not None:
            check(prices, f'{provider}/{name}')
            prices = json.dumps(prices, separators=(',', ':'), ensure_ascii=False)
        yield (provider, name, prices or '-', ' '.join(notes(model)))
        for alias in model.get('aliases', []):
            yield (provider, alias, '=' + name, '')


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        catalogue = json.load(file)
    rows, seen = [], {}
    for row in lines(catalogue['models']):
        key = (row[0].encode(), row[1].lower().encode())
        if any(sign in part for part in row for sign in '\t\n\r') or not row[1].isascii():
            sys.exit(f'{row[0]}/{row[1]}: tabs, line ends and other than ASCII cannot be kept')
        if key in seen and row[2].startswith('=') and seen[key][2] == row[2]:
            continue  # an alias listed in two spellings that differ in case only
        if key in seen:
            sys.exit(f'{row[0]}/{row[1]}: twice')
        seen[key] = row
        rows.append((key, row))
    print(f'#\tas of {catalogue["as_of"]}, USD; columns: provider, name, prices, notes')
    for _, row in sorted(rows):
        print('\t'.join(row).rstrip('\t'))


main()
