# SPDX-License-Identifier: Apache-2.0
"""User-space instructions a call, counted by callgrind."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

from . import load
from .servers import SCRATCH, Peer, free_port, running

CALLS = {"grpc-swift-2": 2_000, "grpc-c++": 5_000}
"""How many calls the shorter run makes, where they are not 10,000."""


def stripped(executable: str) -> str:
    """A copy without debug information, which valgrind would read for minutes; the names of functions stay."""
    target = SCRATCH / "stripped" / Path(executable).name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.stat().st_mtime < Path(executable).stat().st_mtime:
        shutil.copy(executable, target)
        subprocess.run(["strip", "-g", target], check=True)
    return str(target)


def profile(peer: Peer, scenario: str, calls: int) -> Path:
    """What callgrind writes of a server that answers so many calls."""
    port = free_port()
    executable, *arguments = peer.command(port, scenario)
    out = SCRATCH / f"callgrind-{peer.name}-{scenario}-{calls}.out"
    out.unlink(missing_ok=True)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", stripped(executable), *arguments]
    with running(command, port, wait=120) as server:
        load.h2load(server, scenario, calls)
        # What comes after the last reply.
        time.sleep(0.5)
    return out


def total(profile: Path) -> int:
    return int(re.search(r"^(?:totals|summary): (\d+)", profile.read_text(), re.M)[1])


def count(peer: Peer, scenario: str) -> float:
    """The difference of two runs: what a start and an end cost goes out."""
    calls = CALLS.get(peer.name, 10_000)
    return (total(profile(peer, scenario, 2 * calls)) - total(profile(peer, scenario, calls))) / calls


def report(peer: Peer, scenario: str) -> None:
    """Prints which functions the instructions are in."""
    calls = CALLS.get(peer.name, 10_000)
    small, large = profile(peer, scenario, calls), profile(peer, scenario, 2 * calls)
    tool = Path(__file__).resolve().parents[1] / "callgrind-difference.py"
    subprocess.run([tool, small, large, str(calls)], check=True)
