#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The instructions that each function costs a call: the difference of two callgrind runs, divided by their calls.

callgrind-difference.py SMALL LARGE CALLS [COUNT]
    SMALL, LARGE  files that callgrind wrote, the second of a run with CALLS more calls than the first
    COUNT         how many functions to list, 40 when it is not given
"""

import collections
import re
import subprocess
import sys

LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S+?):(.*?)(?: \[([^\]]*)\])?$")


def costs(path: str, inclusive: bool) -> collections.Counter[tuple[str, str]]:
    """Instructions by function and library."""
    annotate = ["callgrind_annotate", "--threshold=100", f"--inclusive={'yes' if inclusive else 'no'}", path]
    result: collections.Counter[tuple[str, str]] = collections.Counter()
    for line in subprocess.run(annotate, capture_output=True, text=True, check=True).stdout.splitlines():
        if match := LINE.match(line):
            count, _, function, library = match.groups()
            # callgrind numbers the levels of a recursion.
            name = (re.sub(r"'\d+$", "", function), (library or "").rsplit("/", 1)[-1])
            result[name] = max(result[name], int(count.replace(",", ""))) if inclusive else result[name] + int(
                count.replace(",", ""))
    return result


def demangled(names: list[str]) -> list[str]:
    """The names as Swift and C++ write them."""
    text = "\n".join(names) + "\n"
    for tool in (["swift", "demangle", "--simplified"], ["c++filt"]):
        text = subprocess.run(tool, input=text, capture_output=True, text=True, check=True).stdout
    return text.splitlines()


def room(function: str, library: str) -> str:
    """Whose code a function is."""
    for prefix, name in {
        "libnghttp2": "nghttp2", "libprotobuf-c": "protobuf-c", "libswift_Concurrency": "Swift concurrency runtime",
        "libswiftCore": "Swift runtime and standard library", "ld-": "dynamic loader",
    }.items():
        if library.startswith(prefix):
            return name
    if library.startswith("libc"):
        is_memory = re.search(r"malloc|free|calloc|realloc|memalign|_int_|unlink_chunk|arena", function)
        return "libc: malloc and free" if is_memory else "libc: the rest"
    for module in ("TaxonTransport", "TaxonCalls", "TaxonServer", "TaxonClient", "TaxonErrors", "TaxonProtobuf",
                   "NIOPosix", "NIOCore", "EchoSchema", "NIOConcurrencyHelpers", "Logging"):
        if f"{len(module)}{module}" in function:
            return module
    return f"other in {library}"


def main() -> None:
    small, large, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
    limit = int(sys.argv[4]) if len(sys.argv) > 4 else 40
    for inclusive in (False, True):
        before, after = costs(small, inclusive), costs(large, inclusive)
        each = {name: (count - before[name]) / calls for name, count in after.items()}
        top = sorted(each.items(), key=lambda pair: -pair[1])
        if not inclusive:
            print(f"{sum(each.values()):,.0f} instructions a call\n\nby part:")
            rooms: collections.Counter[str] = collections.Counter()
            for (function, library), count in each.items():
                rooms[room(function, library)] += count
            for name, count in rooms.most_common(20):
                if count >= 20:
                    print(f"{count:9,.0f}  {name}")
        print(f"\n{'inclusive' if inclusive else 'exclusive'}:")
        top = [pair for pair in top if pair[1] >= 20][: limit * (2 if inclusive else 1)]
        for ((_, library), count), name in zip(top, demangled([function for (function, _), _ in top])):
            print(f"{count:9,.0f}  {name[:150]} [{library}]")


main()
