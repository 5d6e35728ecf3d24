#!/usr/bin/env python3
"""Makes the vocabularies beside this file from those that the crate tiktoken-rs brings (MIT, from OpenAI's tiktoken).

    data/build.py ~/.cargo/registry/src/*/tiktoken-rs-*/assets

A vocabulary is the lengths of its tokens, a byte each, in the order of their ranks; then a byte 0; then the tokens
themselves; all of it deflated (zlib). The ranks are 0, 1, 2 and so on.
"""

import base64
import pathlib
import sys
import zlib

for name in ("o200k_base", "cl100k_base"):
    lines = (pathlib.Path(sys.argv[1]) / f"{name}.tiktoken").read_bytes().splitlines()
    pairs = [line.split() for line in lines]
    assert [int(rank) for _, rank in pairs] == list(range(len(pairs)))
    tokens = [base64.b64decode(token) for token, _ in pairs]
    lengths = bytes(len(token) for token in tokens)
    assert 0 not in lengths
    made = zlib.compress(lengths + b"\0" + b"".join(tokens), 9)
    (pathlib.Path(__file__).parent / f"{name}.z").write_bytes(made)
    print(name, len(tokens), "tokens,", len(made), "bytes")
