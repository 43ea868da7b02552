# SPDX-License-Identifier: Apache-2.0
"""What the servers are asked, and the loads that ask it."""

from __future__ import annotations

import re
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .servers import LOAD_CORE, SCRATCH, Server

MESSAGES = 1000
"""How many messages a stream has."""
TEXT = "hello world"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def message(text: bytes = b"", payload: bytes = b"", replies: int = 0) -> bytes:
    """An EchoRequest. Written out here, so that the benchmark needs no protobuf for Python."""
    message = b""
    if text:
        message += b"\x0a" + varint(len(text)) + text
    if payload:
        message += b"\x12" + varint(len(payload)) + payload
    if replies:
        message += b"\x18" + varint(replies)
    return message


def framed(message: bytes) -> bytes:
    """A message in gRPC's framing."""
    return b"\0" + len(message).to_bytes(4, "big") + message


SERVICE = "/taxon.bench.v1.Echo/"
GRPC = {"content-type": "application/grpc", "te": "trailers"}
CONNECT = {"content-type": "application/proto", "connect-protocol-version": "1"}
JSON = {"content-type": "application/json"}
HELLO = message(TEXT.encode())
HELLO_JSON = b'{"text":"%s"}' % TEXT.encode()


@dataclass(frozen=True)
class Scenario:
    """What every call of a load sends, and how many calls there are at a time."""

    body: bytes
    method: str = "Get"
    fields: dict[str, str] = field(default_factory=lambda: GRPC)
    connections: int = 10
    streams: int = 100
    """Calls at a time on each connection; one on HTTP/1.1, where clients do not pipeline."""
    is_http1: bool = False

    @property
    def path(self) -> str:
        return SERVICE + self.method


SCENARIOS = {
    "unary": Scenario(framed(HELLO)),
    "error": Scenario(framed(HELLO), method="Refuse"),
    "large": Scenario(framed(message(payload=bytes(16 * 1024))), streams=10),
    "stream": Scenario(framed(message(TEXT.encode(), replies=MESSAGES)), method="Watch", streams=1),
    "latency": Scenario(framed(HELLO), connections=1, streams=1),
    "deadline": Scenario(framed(HELLO), fields=GRPC | {"grpc-timeout": "10S"}),
    "json-h2": Scenario(HELLO_JSON, fields=JSON),
    "json-h1": Scenario(HELLO_JSON, fields=JSON, connections=100, streams=1, is_http1=True),
    "connect-h2": Scenario(HELLO, fields=CONNECT),
    "connect-h1": Scenario(HELLO, fields=CONNECT, connections=100, streams=1, is_http1=True),
}


@dataclass
class Run:
    """What one load has shown. Times in microseconds."""

    calls: int
    cpu: float
    rps: float
    p50: float
    p99: float


def request(scenario: str) -> list[str]:
    """The body and the fields of a call, as arguments of h2load and nghttp."""
    file = SCRATCH / f"{scenario}.bin"
    file.write_bytes(SCENARIOS[scenario].body)
    fields = SCENARIOS[scenario].fields.items()
    return ["-d", str(file), *(part for name, value in fields for part in ("-H", f"{name}: {value}"))]


def h2load(server: Server, scenario: str, calls: int) -> Run:
    """Makes the calls, from the other core."""
    log = SCRATCH / "h2load.log"
    log.unlink(missing_ok=True)
    shape = SCENARIOS[scenario]
    before = server.cpu()
    printed = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "h2load", "-n", str(calls), "-c", str(shape.connections), "-m", str(shape.streams),
         *request(scenario), *(["--h1"] if shape.is_http1 else []),
         "--log-file", str(log), f"http://127.0.0.1:{server.port}{shape.path}"],
        capture_output=True, text=True, check=True, timeout=300).stdout
    cpu = server.cpu() - before
    if not (done := re.search(r"(\d+) succeeded, (\d+) failed", printed)) or int(done[1]) != calls:
        raise SystemExit(f"bench: {scenario}: not every call was answered:\n{printed[-1500:]}")
    rps = float(re.search(r"([\d.]+) req/s", printed)[1])
    times = sorted(int(line.rsplit("\t", 1)[1]) for line in log.read_text().splitlines())
    return Run(calls, cpu / calls * 1e6, rps, statistics.median(times), times[int(len(times) * 0.99)])


def fitting(server: Server, scenario: str, seconds: float) -> int:
    """How many calls take about so long; warms the server up with the first ones."""
    step = SCENARIOS[scenario].connections * SCENARIOS[scenario].streams
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
