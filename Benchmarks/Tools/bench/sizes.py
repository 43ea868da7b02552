# SPDX-License-Identifier: Apache-2.0
"""`Scripts/bench size`: how large programs are, beside the peers'."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from .servers import Missing, swift_build

PROGRAMS = {
    "one message": {
        "taxon": ("TaxonCalls", "taxon-bench-message"), "swift-protobuf": ("Protobuf", "swift-protobuf-message")},
    "one method": {"taxon": ("TaxonCalls", "taxon-bench-hello"), "grpc-swift-2": ("GRPCSwift", "grpc-swift-hello")},
}


def stripped(executable: Path) -> int:
    """KiB of an executable without its symbols and what debuggers need."""
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, str(executable)], check=True)
        return Path(copy.name).stat().st_size // 1024


def run() -> None:
    figures: dict[str, dict[str, int]] = {}
    for title, sides in PROGRAMS.items():
        for side, (package, product) in sides.items():
            try:
                size = stripped(swift_build(package, product) / product)
            except Missing as missing:
                raise SystemExit(f"bench: {missing}") from missing
            figures.setdefault(title, {})[side] = size
            print(f"{title}, {side:30}{size:10,} KiB", flush=True)
    print(json.dumps(figures))
