#!/usr/bin/env python3
"""Makes the vocabularies beside this file from those that the crate tiktoken-rs brings (MIT, from OpenAI's tiktoken).

    data/build.py ~/.cargo/registry/src/*/tiktoken-rs-*/assets

The ranks are 0, 1, 2 and so on. The first 256 tokens are the bytes; every later one is two earlier ones, one after the
other, and of the pairs that make it up the one with the smallest ranks is written. A vocabulary is the first 256 tokens, a
byte each; then the lowest bytes of the ranks of all left halves, their middle bytes and their highest, and the same for the
right halves; all of it deflated (zlib).
"""

import base64
import pathlib
import sys
import zlib


def halves(token, rank, ranks):
    pairs = ((ranks.get(token[:at]), ranks.get(token[at:])) for at in range(1, len(token)))
    earlier = [pair for pair in pairs if None not in pair and max(pair) < rank]
    return min(earlier, key=lambda pair: (pair[0] + 1) * (pair[1] + 1))


for name in ("o200k_base", "cl100k_base"):
    lines = (pathlib.Path(sys.argv[1]) / f"{name}.tiktoken").read_bytes().splitlines()
    read = [line.split() for line in lines]
    assert [int(rank) for _, rank in read] == list(range(len(read)))
    tokens = [base64.b64decode(token) for token, _ in read]
    assert all(len(token) == 1 for token in tokens[:256]) and all(len(token) > 1 for token in tokens[256:])
    ranks = {token: rank for rank, token in enumerate(tokens)}
    pairs = [halves(token, rank, ranks) for rank, token in enumerate(tokens[256:], 256)]
    planes = [bytes(pair[side] >> shift & 255 for pair in pairs) for side in (0, 1) for shift in (0, 8, 16)]
    made = zlib.compress(b"".join(tokens[:256] + planes), 9)
    (pathlib.Path(__file__).parent / f"{name}.z").write_bytes(made)
    print(name, len(tokens), "tokens,", len(made), "bytes")
