# SPDX-License-Identifier: Apache-2.0
"""`Scripts/bench protobuf`: Taxon's messages beside SwiftProtobuf's, and one JSON object as the last line."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path

from . import allocations
from .servers import Missing, swift_build

TITLES = {"decode": "Decode", "encode": "Encode", "jsonDecode": "Decode JSON", "jsonEncode": "Encode JSON"}


# glibc gives memory above its thresholds back to the system each time; the price of that swings with what else the machine
# does, and hides what the libraries cost. Either side keeps its memory.
KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(16 << 20)}


def lines(executable: Path, *arguments: str, **environment: str) -> list[dict]:
    """What the program prints: a JSON object a line."""
    command = ["taskset", "--cpu-list", "0", str(executable), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | KEPT_MEMORY | environment)
    if ended.returncode:
        raise SystemExit(f"bench: {ended.stdout}{ended.stderr}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def run(rounds: int, milliseconds: float) -> None:
    try:
        executable = swift_build("Protobuf", "protobuf-bench") / "protobuf-bench"
    except Missing as missing:
        raise SystemExit(f"bench: {missing}") from missing
    times = lines(executable, "times", str(rounds), str(milliseconds))
    counts = lines(executable, "allocations", LD_PRELOAD=str(allocations.counter()))

    rows: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for time, count in zip(times, counts, strict=True):
        taxon, peer = statistics.median(time["taxon"]), statistics.median(time["peer"])
        rows[time["row"]][time["kind"]] = {
            # Of rounds that were next to each other, so that what else the machine did is in both.
            "ratio": round(statistics.median(b / a for a, b in zip(time["taxon"], time["peer"], strict=True)), 3),
            "taxon_ns": round(taxon, 1), "peer_ns": round(peer, 1),
            "taxon_allocations": count["taxon"], "peer_allocations": count["peer"],
        }
    means = {}
    for kind, title in TITLES.items():
        print(f"\n{title:28}{'Taxon ns':>12}{'peer ns':>12}{'times as fast':>15}{'allocations':>13}{'peer':>8}")
        ratios = []
        for row, kinds in rows.items():
            if figures := kinds.get(kind):
                ratios.append(figures["ratio"])
                print(f"{row:28}{figures['taxon_ns']:12,.0f}{figures['peer_ns']:12,.0f}{figures['ratio']:15.2f}"
                      f"{figures['taxon_allocations']:13,.1f}{figures['peer_allocations']:8,.1f}")
        means[kind] = round(statistics.geometric_mean(ratios), 3)
        print(f"{'geometric mean':28}{means[kind]:39.2f}")
    both = statistics.geometric_mean([means["jsonDecode"], means["jsonEncode"]])
    print(json.dumps({"decode": means["decode"], "encode": means["encode"], "json": round(both, 3), "rows": rows}))
