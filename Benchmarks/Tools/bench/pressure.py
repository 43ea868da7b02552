# SPDX-License-Identifier: Apache-2.0
"""Attacks on a server, one a row: what memory it takes over what it has when idle, what CPU time, and how long the slowest
call beside the attack takes. Each row has a fresh server, and attacks are bounded in time and number, on loopback."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import servers
from .servers import ROOT, SCRATCH, LOAD_CORE, Missing, Server

if TYPE_CHECKING:
    from raw_http2 import RawConnection

# The attacker is the one that the tests use.
POLYGLOT = ROOT / "Tests" / "Polyglot"
VENV = ROOT / ".build" / "venv"
ECHO = "/taxon.bench.v1.Echo"
CREATE_TASK = "/octollm.v1.Orchestrator/CreateTask"
KIBIBYTE, MEBIBYTE = 1, 1024
WINDOW_UPDATE, INITIAL_WINDOW_SIZE = 8, 4
FIELDS = 2_000_000


def raw_http2():  # noqa: ANN201
    """The tests' connection, with the packages of their environment where the system has none."""
    for folder in (str(POLYGLOT), *(str(found) for found in VENV.glob("lib/python*/site-packages"))):
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        import raw_http2 as module
    except ImportError as error:
        raise Missing(f"{error}; pip install hpack hyperframe, or Scripts/test polyglot once") from error
    return module


# MARK: What is attacked, and measured


class Target:
    """A server under attack; memory in KiB."""

    def __init__(self, server: Server, log: Path, path: str, request: bytes) -> None:
        self.server, self.port, self.log = server, server.port, log
        self.path, self.request = path, request
        raw = raw_http2()
        # What a server takes once and keeps is taken before it is looked at.
        with raw.RawConnection(self.port) as connection:
            for stream in range(1, 129, 2):
                connection.write(connection.request(stream, path) + raw.data(stream, raw.message(request), end=True))
                connection.answer(stream)
        time.sleep(1)
        self.idle = server.memory("VmRSS")
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
        self.begun = server.cpu()

    def connect(self, values: dict[int, int] | None = None) -> RawConnection:
        return raw_http2().RawConnection(self.port, values)

    @property
    def resident(self) -> int:
        return self.server.memory("VmRSS") - self.idle

    @property
    def peak(self) -> int:
        return self.server.memory("VmHWM") - self.idle

    @property
    def cpu(self) -> float:
        return self.server.cpu() - self.begun


@contextmanager
def probing(target: Target) -> Iterator[Callable[[], float]]:
    """Calls all the time on a connection of its own, from a process of its own; says the slowest in milliseconds."""
    process = subprocess.Popen(
        ["nice", "-n", "-5" if os.geteuid() == 0 else "0", sys.executable, "-B", "-c",
         f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r}); "
         f"from bench import pressure; pressure.probe({target.port}, {target.path!r}, {target.request!r})"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    process.stdout.readline()
    slowest = -1.0

    def end() -> float:
        nonlocal slowest
        if slowest < 0:
            process.stdin.close()
            slowest = float(process.stdout.readline() or "inf")
            process.wait(30)
        return slowest

    try:
        yield end
    finally:
        end()


def probe(port: int, path: str, request: bytes) -> None:
    """A call every few milliseconds until the input is closed; then prints the slowest, or that one was not answered."""
    import select

    raw = raw_http2()
    body = raw.message(request)
    slowest = 0.0
    with raw.RawConnection(port) as connection:
        connection.write(raw.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))
        stream = 1
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0.003)[0]:
            start = time.monotonic()
            connection.write(connection.request(stream, path) + raw.data(stream, body, end=True))
            answer = connection.answer(stream)
            slowest = max(slowest, time.monotonic() - start) if answer.is_ended else float("inf")
            if not answer.is_ended:
                break
            connection.answers.clear()
            stream += 2
    print(1000 * slowest, flush=True)


@dataclass
class Outcome:
    """What an attack did."""

    memory_kib: float
    cpu_s: float
    slowest_ms: float
    # What the goal is about, where it is none of the three.
    other: dict[str, float | bool] = field(default_factory=dict)


# MARK: The attacks


def varint(number: int) -> bytes:
    octets = b""
    while number > 127:
        octets += bytes([number & 127 | 128])
        number >>= 7
    return octets + bytes([number])


def echo(payload: bytes, replies: int = 0) -> bytes:
    return b"\x12" + varint(len(payload)) + payload + (b"\x18" + varint(replies) if replies else b"")


def idle(target: Target) -> Outcome:
    """Connections that had one call of 272 KiB with a reply of the same size, a second after it; memory is a connection."""
    raw, count = raw_http2(), 100
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(target.connect({INITIAL_WINDOW_SIZE: 1 << 24}))
            connection.write(raw.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 24)))
            connection.write(connection.request(1, f"{ECHO}/Get"))
            assert connection.write_body(1, raw.message(echo(bytes(272 * 1024))))
            assert connection.answer(1).status == 0, "the call failed"
            connection.answers.clear()
        time.sleep(1)
        with probing(target) as slowest:
            time.sleep(0.5)
            return Outcome(target.resident / count, target.cpu, slowest())


def stalled(connections: int) -> Callable[[Target], Outcome]:
    def attack(target: Target) -> Outcome:
        raw = raw_http2()
        body = raw.message(echo(bytes(15 * 1024), replies=1000))
        with ExitStack() as stack, probing(target) as slowest:
            for _ in range(connections):
                connection = stack.enter_context(target.connect({INITIAL_WINDOW_SIZE: 0}))
                for stream in range(1, 201, 2):
                    if not connection.write(connection.request(stream, f"{ECHO}/Watch"), stall=1):
                        break
                    if not connection.write_body(stream, body, patience=1):
                        break
            time.sleep(2)
            return Outcome(target.peak, target.cpu, slowest())

    return attack


def one_message(path: str, payload: Callable[[], bytes], statuses: set[int]) -> Callable[[Target], Outcome]:
    def attack(target: Target) -> Outcome:
        raw = raw_http2()
        body = raw.message(payload())
        with target.connect() as connection, probing(target) as slowest:
            connection.write(connection.request(1, path))
            assert connection.write_body(1, body), "the server did not take the message"
            status = connection.answer(1, 30).status
            assert status in statuses, f"the answer is {status}"
            return Outcome(target.peak, target.cpu, slowest())

    return attack


def header_bomb(target: Target) -> Outcome:
    """A field of 4,000 bytes is put into HPACK's table once, and named by a byte each: 16 KiB stand for 48 MB."""
    import hpack

    raw, connections, blocks = raw_http2(), 10, 20
    encoder = hpack.Encoder()
    start = encoder.encode([(":method", "POST"), (":scheme", "http"), (":path", f"{ECHO}/Get"), (":authority", "x")])
    entry = encoder.encode([(b"x-bomb", b"x" * 4_000)], huffman=False)
    again = encoder.encode([(b"x-bomb", b"x" * 4_000)])
    rest = encoder.encode([(":method", "POST"), (":scheme", "http"), (":path", f"{ECHO}/Get"), (":authority", "x")])
    first = (start + entry).ljust(16_384, again)[:16_384]
    other = rest.ljust(16_384, again)
    with probing(target) as slowest:
        before, sent = target.server.cpu(), 0
        for _ in range(connections):
            with target.connect() as connection:
                for index in range(blocks):
                    block = first if index == 0 else other
                    if connection.write(raw.headers_frame(2 * index + 1, block, end=True)):
                        sent += 1
                # A PING comes back when the blocks are behind it, or the connection is at its end.
                connection.write(raw.frame(6, 0, 0, b"pressure"))
                connection.read_until(lambda: bool(connection.pongs))  # noqa: B023
        cpu = target.server.cpu() - before
        slowest_call = slowest()
    with target.connect() as connection:
        for index in range(500):
            if not connection.write(raw.headers_frame(2 * index + 1, first if index == 0 else other, end=True)):
                break
        is_ended = connection.is_ended(5)
    return Outcome(target.peak, target.cpu, slowest_call, {"ms_a_block": 1000 * cpu / max(1, sent), "ended": is_ended})


def window_by_the_byte(target: Target) -> Outcome:
    """Replies of 1 MiB wait on a hundred streams, whose windows are opened by a byte each, again and again."""
    raw, streams = raw_http2(), range(1, 201, 2)
    body = raw.message(echo(bytes(1024 * 1024)))
    with target.connect({INITIAL_WINDOW_SIZE: 0}) as connection:
        for stream in streams:
            connection.write(connection.request(stream, f"{ECHO}/Get"))
            if not connection.write_body(stream, body, patience=1):
                break
        with probing(target) as slowest:
            bytes_of_window = [raw.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1)) for stream in streams]
            end = time.monotonic() + 4
            while time.monotonic() < end and connection.write(b"".join(bytes_of_window * 20), stall=2):
                pass
            return Outcome(target.peak, target.cpu, slowest())


def bad_calls(target: Target) -> Outcome:
    """Calls that fail at the level of a warning, as fast as they come; the goal is about the log."""
    raw, count, at_once = raw_http2(), 20_000, 100
    # A blank description of 4 KiB and nothing else.
    contract = b"\x0a" + varint(4096) + b" " * 4096
    body = raw.message(b"\x0a" + varint(len(contract)) + contract)
    before = target.log.stat().st_size
    with probing(target) as slowest:
        sent = 0
        while sent < count:
            with target.connect() as connection:
                for first in range(1, 20 * 2 * at_once, 2 * at_once):
                    ids = range(first, first + 2 * at_once, 2)
                    for stream in ids:
                        connection.write(connection.request(stream, CREATE_TASK))
                        connection.write_body(stream, body)
                    for stream in ids:
                        assert connection.answer(stream).status == 3, "the call did not fail as it should"
                    connection.answers.clear()
                    sent += at_once
        time.sleep(1.5)
        written = target.log.stat().st_size - before
        return Outcome(target.peak, target.cpu, slowest(), {"log_kib_a_1000": written / 1024 / sent * 1000})


# MARK: The table


@dataclass
class Row:
    name: str
    title: str
    attack: Callable[[Target], Outcome]
    # What the goals are about, and how large it may be; True: it has to be so.
    goals: dict[str, float | bool]
    needs_octollm: bool = False


def blank_capabilities() -> bytes:
    capabilities = b"\x22\x00" * (FIELDS - 100)
    contract = b"\x0a\x01x" + capabilities
    return b"\x0a" + varint(len(contract)) + contract


ROWS = [
    Row("idle", "idle connection after a call of 272 KiB, each", idle, {"memory_kib": 40}),
    Row("stalled", "10 × 100 streams stalled at zero window", stalled(10), {"memory_kib": 32 * MEBIBYTE, "slowest_ms": 100}),
    Row("stalled-60", "60 × 100 streams stalled at zero window", stalled(60), {"memory_kib": 32 * MEBIBYTE, "slowest_ms": 100}),
    Row("unknown", "one 4 MB message of 2 million unknown fields",
        one_message(f"{ECHO}/Get", lambda: b"\x78\x01" * FIELDS, {0}), {"memory_kib": 24 * MEBIBYTE}),
    Row("repeated", "2 million empty repeated messages in 4 MB",
        one_message(f"{ECHO}/Gather", lambda: b"\x0a\x00" * FIELDS, {0}), {"memory_kib": 120 * MEBIBYTE}),
    Row("violations", "one 4 MB CreateTask with 2 million blank capabilities",
        one_message(CREATE_TASK, blank_capabilities, {3}), {"memory_kib": 80 * MEBIBYTE, "cpu_s": 1}, True),
    Row("header-bomb", "header bomb, 16 KB block", header_bomb, {"ms_a_block": 6, "ended": True}),
    Row("window", "one byte of window at a time, large replies", window_by_the_byte, {"slowest_ms": 100}),
    Row("bad-calls", "20,000 bad calls at log level warning", bad_calls, {"log_kib_a_1000": 100}, True),
]
NAMES = [row.name for row in ROWS]
PEERS = [servers.Peer("taxon", servers.taxon), servers.Peer("grpc-c++", servers.grpc_cpp),
         servers.Peer("grpc-go", servers.grpc_go)]

UNITS = {"memory_kib": "memory", "cpu_s": "CPU", "slowest_ms": "slowest call", "ms_a_block": "CPU a block",
         "ended": "ended as a flood", "log_kib_a_1000": "log a 1,000 calls"}


def text(what: str, value: float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if what in ("memory_kib", "log_kib_a_1000"):
        return f"{value / 1024:,.1f} MiB" if abs(value) >= 1024 else f"{value:,.1f} KiB"
    return f"{value:,.2f} s" if what == "cpu_s" else f"{value:,.1f} ms"


def misses(row: Row, outcome: Outcome) -> list[str]:
    found = asdict(outcome) | outcome.other
    return [what for what, goal in row.goals.items()
            if (found[what] is not True if goal is True else found[what] > goal)]


def attack(row: Row, peer: servers.Peer) -> Outcome:
    port = servers.free_port()
    is_octollm = row.needs_octollm
    command = servers.octollm(port) if is_octollm else peer.command(port, "unary")
    # The oldest task is none, whatever the database holds.
    path, request = ("/octollm.v1.Orchestrator/GetTask", b"\x0a\x04none") if is_octollm else (f"{ECHO}/Get", b"\x0a\x01x")
    with servers.running(command, port) as server:
        outcome = row.attack(Target(server, SCRATCH / "server.log", path, request))
        if server.process.poll() is not None:
            raise SystemExit(f"bench: {peer.name} did not live through it:\n{(SCRATCH / 'server.log').read_text()[-2000:]}")
        return outcome


def run(rows: list[str], peers: list[str]) -> bool:
    """Prints the table; false when Taxon has missed a goal."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(LOAD_CORE)})
    figures: dict[str, dict[str, object]] = {}
    missing: dict[str, str] = {}
    missed: list[str] = []
    print(f"{'':56}{'':10}{'memory':>12}{'CPU':>10}{'slowest':>12}", flush=True)
    for row in (row for row in ROWS if row.name in rows):
        for peer in (peer for peer in PEERS if peer.name in peers):
            if peer.name in missing or row.needs_octollm and peer.name != "taxon":
                continue
            try:
                outcome = attack(row, peer)
            except Missing as reason:
                missing[peer.name] = str(reason)
                print(f"{row.title:56}{peer.name:10}  not installed: {reason}", flush=True)
                continue
            except AssertionError as reason:
                print(f"{row.title:56}{peer.name:10}  {reason}", flush=True)
                figures.setdefault(row.name, {})[peer.name] = str(reason)
                if peer.name == "taxon":
                    missed.append(f"{row.name}: {reason}")
                continue
            found = asdict(outcome) | outcome.other
            line = f"{text('memory_kib', outcome.memory_kib):>12}{text('cpu_s', outcome.cpu_s):>10}{text('slowest_ms', outcome.slowest_ms):>12}"
            more = "".join(f"  {UNITS[what]} {text(what, value)}" for what, value in outcome.other.items())
            if peer.name == "taxon":
                bad = misses(row, outcome)
                missed += [f"{row.name}: {what}" for what in bad]
                more += "  goal: " + ", ".join(
                    f"{UNITS[what]}{'' if goal is True else ' ≤ ' + text(what, goal)} {'MISSED' if what in bad else 'met'}"
                    for what, goal in row.goals.items())
            print(f"{row.title:56}{peer.name:10}{line}{more}", flush=True)
            del found["other"]
            figures.setdefault(row.name, {})[peer.name] = {
                key: round(value, 3) if isinstance(value, float) else value for key, value in found.items()}
    goals = {row.name: row.goals for row in ROWS if row.name in rows}
    print(json.dumps({"figures": figures, "goals": goals, "missed": missed, "skipped": missing}))
    return not missed
