#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says where allocations come from, from the stacks that count-allocations.c recorded.

allocation-stacks.py STACKS CALLS [DEPTH]
    STACKS  the file with the stacks
    CALLS   how many calls were made while they were recorded
    DEPTH   how many frames of each stack to print, 9 when it is not given
"""

import collections
import re
import subprocess
import sys


def symbolised(addresses: dict[str, set[int]]) -> dict[tuple[str, int], str]:
    """The names of the functions, inlined ones with the function that they are part of."""
    names: dict[tuple[str, int], str] = {}
    for module, offsets in addresses.items():
        ordered = sorted(offsets)
        # A return address belongs to the instruction after the call.
        arguments = ["llvm-symbolizer", "--output-style=GNU", "--functions=linkage", "--inlines", "--addresses",
                     f"--obj={module}", *(hex(offset - 1) for offset in ordered)]
        found: list[list[str]] = []
        lines = subprocess.run(arguments, capture_output=True, text=True, check=False).stdout.splitlines()
        while lines:
            line = lines.pop(0)
            if line.startswith("0x"):
                found.append([])
            elif found:
                place = lines.pop(0)
                file = re.sub(r".*/", "", place).split(" ")[0]
                found[-1].append(line if file.startswith("?") else f"{line} ({file})")
        for offset, frames in zip(ordered, found):
            names[module, offset] = " < ".join(frames) or "?"
    text = "\n".join(names.values()) + "\n"
    demangle = ["swift", "demangle", "--simplified"]
    demangled = subprocess.run(demangle, input=text, capture_output=True, text=True, check=True)
    return dict(zip(names, demangled.stdout.splitlines()))


def main() -> None:
    calls = int(sys.argv[2])
    depth = int(sys.argv[3]) if len(sys.argv) > 3 else 9
    stacks: collections.Counter[tuple[tuple[str, int], ...]] = collections.Counter()
    addresses: dict[str, set[int]] = collections.defaultdict(set)
    with open(sys.argv[1]) as file:
        for line in file:
            count, *frames = line.split()
            stack = tuple((frame.rsplit("+", 1)[0], int(frame.rsplit("+", 1)[1], 16)) for frame in frames)
            stacks[stack] += int(count)
            for module, offset in stack[: depth + 8]:
                addresses[module].add(offset)
    names = symbolised(addresses)
    total = sum(stacks.values()) / calls
    print(f"{total:.2f} allocations a call")
    for stack, count in stacks.most_common():
        if count / calls < 0.02:
            break
        print(f"\n{count / calls:.2f}")
        for frame in stack[:depth]:
            print(f"    {names.get(frame, '?')[:230]}")


main()
