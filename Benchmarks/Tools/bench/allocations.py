# SPDX-License-Identifier: Apache-2.0
"""Allocations a call, counted by count-allocations.c in the process that is measured."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from . import load
from .servers import SCRATCH, Peer, Server, free_port, running, swift_build

TOOLS = Path(__file__).resolve().parents[1]
CALLS = 5_000


def counter() -> Path:
    """The library that counts, built when it is older than its source."""
    source, library = TOOLS / "count-allocations.c", SCRATCH / "count-allocations.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        library.parent.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CC", "clang")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def counted(server: Server) -> int:
    """How many allocations the server has made."""
    log = SCRATCH / "server.log"
    before = log.read_text().count("allocations ")
    # What comes after the last reply.
    time.sleep(0.3)
    server.process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = re.findall(r"allocations (\d+)", log.read_text())
        if len(found) > before:
            return int(found[-1])
        time.sleep(0.02)
    raise SystemExit("bench: the server does not say its allocations")


def of_server(peer: Peer, scenario: str, calls: int = CALLS) -> float:
    """Allocations that a call makes on the server: the difference of two loads, so that connections go out."""
    port = free_port()
    with running(peer.command(port, scenario), port, {"LD_PRELOAD": str(counter())}) as server:
        load.h2load(server, scenario, calls)
        counts = [counted(server)]
        for times in (1, 3):
            load.h2load(server, scenario, times * calls)
            counts.append(counted(server))
    return ((counts[2] - counts[1]) - (counts[1] - counts[0])) / (2 * calls)


def of_client(peer: Peer, calls: int = CALLS) -> float:
    """Allocations that a call makes on Taxon's client."""
    executable = swift_build("TaxonCalls", "taxon-bench-server", "taxon-bench-client") / "taxon-bench-client"
    counts = []
    port = free_port()
    with running(peer.command(port, "unary"), port):
        for times in (1, 3):
            ended = subprocess.run(
                [executable, str(port), str(times * calls), "100"], capture_output=True, text=True, check=True,
                timeout=120, env=os.environ | {"LD_PRELOAD": str(counter()), "COUNT_ALLOCATIONS_AT_EXIT": "1"})
            counts.append(int(re.search(r"allocations (\d+)", ended.stderr)[1]))
    # The client makes a tenth more, to warm up.
    return (counts[1] - counts[0]) / (2 * calls * 1.1)


def report(peer: Peer, scenario: str) -> None:
    """Prints where the allocations of a call come from."""
    calls = CALLS if scenario != "stream" else 100
    stacks = SCRATCH / "allocation-stacks.txt"
    stacks.unlink(missing_ok=True)
    port = free_port()
    environment = {"LD_PRELOAD": str(counter()), "COUNT_ALLOCATIONS_STACKS": str(stacks)}
    with running(peer.command(port, scenario), port, environment) as server:
        load.h2load(server, scenario, calls)
        server.process.send_signal(signal.SIGUSR2)
        time.sleep(0.2)
        load.h2load(server, scenario, calls)
        server.process.send_signal(signal.SIGUSR2)
        end = time.monotonic() + 20
        while "stacks written" not in (SCRATCH / "server.log").read_text() and time.monotonic() < end:
            time.sleep(0.1)
    print("\nallocations:", flush=True)
    subprocess.run([TOOLS / "allocation-stacks.py", stacks, str(calls)], check=True)
