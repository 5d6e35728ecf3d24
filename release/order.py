#!/usr/bin/env python3
"""From what `llvm-profdata show --all-functions --counts` says to the names of the functions that were run, those that were run most
often first: the order in which the linker is to put them."""

import re
import sys


def main():
    counts, name = {}, ""
    for line in sys.stdin:
        if re.fullmatch(r"  \S.*:\n", line):
            # A function of one crate alone has the crate's name before its own.
            name = line.strip()[:-1].rpartition(";")[2]
        elif "Block counts:" in line:
            most = max(map(int, re.findall(r"\d+", line.partition(":")[2])), default=0)
            counts[name] = max(counts.get(name, 0), most)
    for name, most in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if most:
            print(name)


main()
