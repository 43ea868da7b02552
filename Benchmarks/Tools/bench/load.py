# SPDX-License-Identifier: Apache-2.0
"""What the servers are asked, and the loads that ask it."""

from __future__ import annotations

import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .servers import LOAD_CORE, SCRATCH, Server

MESSAGES = 1000
"""How many messages a stream has."""


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def framed(text: bytes = b"", payload: bytes = b"", replies: int = 0) -> bytes:
    """An EchoRequest in gRPC's framing. Written out here, so that the benchmark needs no protobuf for Python."""
    message = b""
    if text:
        message += b"\x0a" + varint(len(text)) + text
    if payload:
        message += b"\x12" + varint(len(payload)) + payload
    if replies:
        message += b"\x18" + varint(replies)
    return b"\0" + len(message).to_bytes(4, "big") + message


REQUESTS = {
    "unary": framed(b"hello world"),
    "error": framed(b"hello world"),
    "large": framed(payload=bytes(16 * 1024)),
    "stream": framed(b"hello world", replies=MESSAGES),
    "latency": framed(b"hello world"),
    "deadline": framed(b"hello world"),
}
SERVICE = "/taxon.bench.v1.Echo/"
PATHS = {
    "unary": f"{SERVICE}Get", "error": f"{SERVICE}Refuse", "large": f"{SERVICE}Get", "stream": f"{SERVICE}Watch",
    "latency": f"{SERVICE}Get", "deadline": f"{SERVICE}Get",
}
# Connections and streams at a time on each.
SHAPES = {
    "unary": (10, 100), "error": (10, 100), "large": (10, 10), "stream": (10, 1), "latency": (1, 1),
    "deadline": (10, 100),
}
HEADERS = {"deadline": ["-H", "grpc-timeout: 10S"]}
"""What goes with every call beside gRPC's own headers."""


@dataclass
class Run:
    """What one load has shown. Times in microseconds."""

    calls: int
    cpu: float
    rps: float
    p50: float
    p99: float


def h2load(server: Server, scenario: str, calls: int) -> Run:
    """Makes the calls, from the other core."""
    request = SCRATCH / f"{scenario}.bin"
    request.write_bytes(REQUESTS[scenario])
    log = SCRATCH / "h2load.log"
    log.unlink(missing_ok=True)
    connections, streams = SHAPES[scenario]
    before = server.cpu()
    printed = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "h2load", "-n", str(calls), "-c", str(connections), "-m", str(streams),
         "-d", str(request), "-H", "content-type: application/grpc", "-H", "te: trailers", *HEADERS.get(scenario, []),
         "--log-file", str(log), f"http://127.0.0.1:{server.port}{PATHS[scenario]}"],
        capture_output=True, text=True, check=True, timeout=300).stdout
    cpu = server.cpu() - before
    if not (done := re.search(r"(\d+) succeeded, (\d+) failed", printed)) or int(done[1]) != calls:
        raise SystemExit(f"bench: {scenario}: not every call was answered:\n{printed[-1500:]}")
    rps = float(re.search(r"([\d.]+) req/s", printed)[1])
    times = sorted(int(line.rsplit("\t", 1)[1]) for line in log.read_text().splitlines())
    return Run(calls, cpu / calls * 1e6, rps, statistics.median(times), times[int(len(times) * 0.99)])


def fitting(server: Server, scenario: str, seconds: float) -> int:
    """How many calls take about so long; warms the server up with the first ones."""
    connections, streams = SHAPES[scenario]
    step = connections * streams
    calls = max(step, 20)
    while True:
        rps = h2load(server, scenario, calls).rps
        if calls / rps > 0.3:
            return max(step, int(rps * seconds) // step * step)
        calls *= 4


def client(executable: Path, port: int, calls: int, in_flight: int) -> str:
    """What a client says of its calls, made from the other core."""
    return subprocess.run(
        ["taskset", "-c", LOAD_CORE, str(executable), str(port), str(calls), str(in_flight)],
        capture_output=True, text=True, check=True, timeout=600).stdout
