# SPDX-License-Identifier: Apache-2.0
"""The cases of h2spec, the conformance suite of HTTP/2, under its numbers and in its order.

A connection error is GOAWAY with the code and the connection's end; a stream error may be that, or RST_STREAM with the
code; both within two seconds, as h2spec has it. (h2spec is content with a connection that ends without a word.) Each
case is tried with h2spec's own request, a GET that gRPC refuses, and with a call.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
import pytest
from octollm.v1.orchestrator_pb2 import GetTaskRequest
from octollm_process import Server
from raw_http2 import PREFACE, Headers, RawConnection, data, frame, headers_frame, message, reset, settings
from victim import Victim

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32
NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, _, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
SECONDS = 2

PATH = "/octollm.v1.Orchestrator/GetTask"
HEALTH = "/grpc.health.v1.Health/Check"
REQUEST = GetTaskRequest(task_id="none").SerializeToString()


@pytest.fixture(scope="module")
def victim(server: Server) -> Iterator[Victim]:
    victim = Victim(server.port, server.process.pid, PATH, REQUEST, grpc.StatusCode.NOT_FOUND)
    yield victim
    victim.has_recovered()


class Peer(RawConnection):
    """A connection with the request of a test's choice."""

    def __init__(self, port: int, is_call: bool, values: dict[int, int] | None = None) -> None:
        super().__init__(port, values)
        self.is_call = is_call

    def head(self, extra: Headers = [], **changes: object) -> bytes:  # noqa: B006
        """A header block."""
        if not self.is_call:
            changes = {":method": "GET", ":path": "/"} | changes
            changes["without"] = {"te", "content-type", *changes.get("without", ())}
        path = changes.pop(":path", PATH)
        return self.block(path, extra, **changes)

    def fields(self, *fields: tuple[str, str]) -> bytes:
        """A piece of a header block, or trailers."""
        return self._encoder.encode(list(fields))

    def open(self, stream: int, *, end: bool = False) -> bytes:
        return headers_frame(stream, self.head(), end=end)

    def has_failed(self, stream: int | None, *codes: int) -> bool:
        """The error of the connection, or of the stream where one is named, came with one of the codes."""

        def has() -> bool:
            resets = [self.answers[stream].reset] if stream in self.answers else []
            return any(code in codes for code in [*resets, self.go_away and self.go_away.error_code])

        return self.read_until(has, SECONDS)

    def is_well(self, stream: int = 101) -> bool:
        """It still answers."""
        self.write(headers_frame(stream, self.block(PATH)) + data(stream, message(REQUEST), end=True))
        return self.answer(stream, SECONDS).status == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.fixture(params=[False, True], ids=["get", "call"])
def peer(request: pytest.FixtureRequest, victim: Victim) -> Iterator[Peer]:
    with Peer(victim.port, request.param) as peer:
        yield peer
    victim.answers()


def priority(stream: int, dependency: int) -> bytes:
    return frame(PRIORITY, 0, stream, struct.pack(">IB", dependency, 255))


def window(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def continuation(stream: int, block: bytes, *, end: bool = True) -> bytes:
    return frame(CONTINUATION, END_HEADERS if end else 0, stream, block)


def beginning(peer: Peer, stream: int = 1) -> bytes:
    """HEADERS whose block goes on."""
    return headers_frame(stream, peer.head(), end_headers=False, end=True)


@dataclass
class Fault:
    """What is written: all at once, or the second part when the stream has been answered."""

    octets: Callable[[Peer], bytes | tuple[bytes, bytes]]
    codes: tuple[int, ...]


def fault(octets: Callable[[Peer], bytes | tuple[bytes, bytes]], *codes: int) -> Fault:
    return Fault(octets, codes)


CONNECTION_ERRORS = {
    "4.2/3 HEADERS over SETTINGS_MAX_FRAME_SIZE": fault(
        lambda p: frame(HEADERS, END_HEADERS, 1, p.head([("x-dummy", "a" * 16_384)])[:16_385].ljust(16_385, b"a")),
        FRAME_SIZE,
    ),
    "4.3/1 an invalid header block": fault(
        lambda p: headers_frame(1, bytes.fromhex("82 86 84 41 8a 08 9d 5c 0b 81 70 dc 78 0f 03 53 ff ff"), end=True),
        COMPRESSION,
    ),
    "4.3/2 PRIORITY within a header block": fault(lambda p: beginning(p) + priority(1, 0), PROTOCOL),
    "4.3/3 HEADERS of another stream within a header block": fault(
        lambda p: beginning(p) + p.open(3, end=True),
        PROTOCOL,
    ),
    "5.1/1 idle: DATA": fault(lambda p: data(1, b"test", end=True), PROTOCOL),
    "5.1/2 idle: RST_STREAM": fault(lambda p: reset(1), PROTOCOL),
    "5.1/3 idle: WINDOW_UPDATE": fault(lambda p: window(1, 100), PROTOCOL),
    "5.1/4 idle: CONTINUATION": fault(lambda p: continuation(1, p.head()), PROTOCOL),
    "5.1/7 half-closed (remote): CONTINUATION": fault(
        lambda p: p.open(1, end=True) + continuation(1, p.head()), STREAM_CLOSED, PROTOCOL
    ),
    "5.1/10 closed by RST_STREAM: CONTINUATION": fault(
        lambda p: p.open(1) + reset(1) + continuation(1, p.head()), STREAM_CLOSED, PROTOCOL
    ),
    "5.1/12 closed: HEADERS": fault(lambda p: (p.open(1, end=True), p.open(1, end=True)), STREAM_CLOSED),
    "5.1/13 closed: CONTINUATION": fault(
        lambda p: (p.open(1, end=True), continuation(1, p.head())), STREAM_CLOSED, PROTOCOL
    ),
    "5.1.1/1 an even number": fault(lambda p: p.open(2, end=True), PROTOCOL),
    "5.1.1/2 a number below the last": fault(lambda p: p.open(5, end=True) + p.open(3, end=True), PROTOCOL),
    "5.5/2 an unknown frame within a header block": fault(
        lambda p: beginning(p) + frame(0xFF, 0, 1, bytes(8)), PROTOCOL
    ),
    "6.1/1 DATA on stream 0": fault(lambda p: frame(DATA, 0, 0, b"test"), PROTOCOL),
    "6.1/3 DATA with padding over its size": fault(
        lambda p: p.open(1) + frame(DATA, PADDED, 1, b"\x06test."),
        PROTOCOL,
    ),
    "6.2/1 a frame within a header block": fault(lambda p: beginning(p) + priority(3, 0), PROTOCOL),
    "6.2/2 HEADERS within a header block": fault(lambda p: beginning(p) + p.open(3), PROTOCOL),
    "6.2/3 HEADERS on stream 0": fault(lambda p: frame(HEADERS, END_HEADERS | END_STREAM, 0, p.head()), PROTOCOL),
    "6.2/4 HEADERS with padding over their size": fault(
        lambda p: frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\xff" + p.head()[:20]), PROTOCOL
    ),
    "6.3/1 PRIORITY on stream 0": fault(lambda p: priority(0, 1), PROTOCOL),
    "6.4/1 RST_STREAM on stream 0": fault(lambda p: frame(RST_STREAM, 0, 0, bytes(4)), PROTOCOL),
    "6.4/2 RST_STREAM on an idle stream": fault(lambda p: reset(1), PROTOCOL),
    "6.4/3 RST_STREAM of three bytes": fault(lambda p: p.open(1) + frame(RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE),
    "6.5/1 SETTINGS with ACK and content": fault(lambda p: frame(SETTINGS, ACK, 0, b"\0"), FRAME_SIZE),
    "6.5/2 SETTINGS on a stream": fault(lambda p: frame(SETTINGS, 0, 1, struct.pack(">HI", 3, 100)), PROTOCOL),
    "6.5/3 SETTINGS of three bytes": fault(lambda p: frame(SETTINGS, 0, 0, bytes.fromhex("00 03 00")), FRAME_SIZE),
    "6.5.2/1 ENABLE_PUSH of 2": fault(lambda p: settings({2: 2}), PROTOCOL),
    "6.5.2/2 INITIAL_WINDOW_SIZE over 2^31-1": fault(lambda p: settings({4: 2**31}), FLOW_CONTROL),
    "6.5.2/3 MAX_FRAME_SIZE below 16,384": fault(lambda p: settings({5: 16_383}), PROTOCOL),
    "6.5.2/4 MAX_FRAME_SIZE over 2^24-1": fault(lambda p: settings({5: 2**24}), PROTOCOL),
    "6.7/3 PING on a stream": fault(lambda p: frame(PING, 0, 1, bytes(8)), PROTOCOL),
    "6.7/4 PING of six bytes": fault(lambda p: frame(PING, 0, 0, bytes(6)), FRAME_SIZE),
    "6.8/1 GOAWAY on a stream": fault(lambda p: frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    "6.9/1 WINDOW_UPDATE by nothing": fault(lambda p: window(0, 0), PROTOCOL),
    "6.9/3 WINDOW_UPDATE of three bytes": fault(
        lambda p: frame(WINDOW_UPDATE, 0, 0, bytes.fromhex("00 00 01")),
        FRAME_SIZE,
    ),
    "6.9.1/2 the connection's window over 2^31-1": fault(lambda p: window(0, 2**31 - 1) * 2, FLOW_CONTROL),
    "6.9.2/3 INITIAL_WINDOW_SIZE over 2^31-1": fault(lambda p: settings({4: 2**32 - 1}), FLOW_CONTROL),
    "6.10/2 another frame after CONTINUATION without END_HEADERS": fault(
        lambda p: beginning(p) + continuation(1, p.fields(("x-dummy", "a")), end=False) + data(1, b"test", end=True),
        PROTOCOL,
    ),
    "6.10/3 CONTINUATION on stream 0": fault(lambda p: beginning(p) + continuation(0, b""), PROTOCOL),
    "6.10/4 CONTINUATION after END_HEADERS": fault(lambda p: p.open(1) + continuation(1, p.head()), PROTOCOL),
    "6.10/5 CONTINUATION after CONTINUATION with END_HEADERS": fault(
        lambda p: beginning(p) + continuation(1, b"") + continuation(1, b""), PROTOCOL
    ),
    "6.10/6 CONTINUATION after DATA": fault(lambda p: p.open(1) + data(1, b"test") + continuation(1, b""), PROTOCOL),
    "8.2/1 PUSH_PROMISE": fault(
        lambda p: p.open(1) + frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 3) + p.head()), PROTOCOL
    ),
    "hpack 2.3.3/1 an index without an entry": fault(
        lambda p: headers_frame(1, p.head() + b"\xc6", end=True),
        COMPRESSION,
    ),
    "hpack 2.3.3/2 a literal whose name is an index without an entry": fault(
        lambda p: headers_frame(1, p.head() + bytes.fromhex("7f 07 01 61"), end=True), COMPRESSION
    ),
    "hpack 4.2/1 an update of the table's size at the end": fault(
        lambda p: headers_frame(1, p.head() + b"\x20", end=True), COMPRESSION
    ),
    "hpack 5.2/1 Huffman padding of more than 7 bits": fault(
        lambda p: headers_frame(1, p.head() + bytes.fromhex("00 85 f2 b2 4a 84 ff 84 49 50 9f ff"), end=True),
        COMPRESSION,
    ),
    "hpack 5.2/2 Huffman padding of zeros": fault(
        lambda p: headers_frame(1, p.head() + bytes.fromhex("00 85 f2 b2 4a 84 ff 83 49 50 90"), end=True), COMPRESSION
    ),
    "hpack 5.2/3 Huffman with EOS": fault(
        lambda p: headers_frame(1, p.head() + bytes.fromhex("00 85 f2 b2 4a 84 ff 87 49 51 ff ff ff fa 7f"), end=True),
        COMPRESSION,
    ),
    "hpack 6.1/1 index 0": fault(lambda p: headers_frame(1, p.head() + b"\x80", end=True), COMPRESSION),
    "hpack 6.3/1 a table over SETTINGS_HEADER_TABLE_SIZE": fault(
        lambda p: headers_frame(1, b"\x3f\xe2\x1f" + p.head(), end=True), COMPRESSION
    ),
}  # fmt: skip


def write(peer: Peer, octets: bytes | tuple[bytes, bytes]) -> None:
    if isinstance(octets, bytes):
        peer.write(octets)
        return
    first, then = octets
    peer.write(first)
    assert peer.answer(1, SECONDS).is_ended
    peer.write(then)


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_errors_of_the_connection(name: str, peer: Peer) -> None:
    case = CONNECTION_ERRORS[name]
    write(peer, case.octets(peer))
    assert peer.has_failed(None, *case.codes), (peer.go_away, peer.answers)
    # RFC 9113 §5.4.1: what comes after GOAWAY is the end of the connection.
    assert peer.read_until(lambda: peer.is_closed, SECONDS)


def length(p: Peer, *bodies: bytes) -> bytes:
    frames = b"".join(data(1, body, end=index == len(bodies) - 1) for index, body in enumerate(bodies))
    return headers_frame(1, p.head([("content-length", "1")])) + frames


STREAM_ERRORS = {
    "4.2/2 DATA over SETTINGS_MAX_FRAME_SIZE": fault(
        lambda p: p.open(1) + frame(DATA, END_STREAM, 1, bytes(16_385)),
        FRAME_SIZE,
    ),
    "5.1/5 half-closed (remote): DATA": fault(
        lambda p: p.open(1, end=True) + data(1, b"test", end=True),
        STREAM_CLOSED,
    ),
    "5.1/6 half-closed (remote): HEADERS": fault(lambda p: p.open(1, end=True) * 2, STREAM_CLOSED),
    "5.1/8 closed by RST_STREAM: DATA": fault(lambda p: p.open(1) + reset(1) + data(1, b"test"), STREAM_CLOSED),
    "5.1/9 closed by RST_STREAM: HEADERS": fault(lambda p: p.open(1) + reset(1) + p.open(1, end=True), STREAM_CLOSED),
    "5.1/11 closed: DATA": fault(lambda p: (p.open(1, end=True), data(1, b"test")), STREAM_CLOSED),
    "5.3.1/1 HEADERS that depend on themselves": fault(
        lambda p: frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, struct.pack(">IB", 1, 255) + p.head()),
        PROTOCOL,
    ),
    "5.3.1/2 PRIORITY that depends on itself": fault(lambda p: priority(1, 1), PROTOCOL),
    "6.1/2 DATA on a stream that is not open": fault(lambda p: p.open(1, end=True) + data(1, b"test"), STREAM_CLOSED),
    "6.3/2 PRIORITY of four bytes": fault(
        lambda p: p.open(1) + frame(PRIORITY, 0, 1, bytes.fromhex("80 00 00 01")),
        FRAME_SIZE,
    ),
    "6.9/2 WINDOW_UPDATE of a stream by nothing": fault(lambda p: p.open(1) + window(1, 0), PROTOCOL),
    "6.9.1/3 a stream's window over 2^31-1": fault(lambda p: p.open(1) + window(1, 2**31 - 1) * 2, FLOW_CONTROL),
    "8.1/1 a second HEADERS without END_STREAM": fault(lambda p: p.open(1) + p.open(1), PROTOCOL),
    "8.1.2/1 an upper case name": fault(lambda p: headers_frame(1, p.head([("X-TEST", "ok")]), end=True), PROTOCOL),
    "8.1.2.1/1 an unknown pseudo-header": fault(
        lambda p: headers_frame(1, p.head([(":test", "ok")]), end=True),
        PROTOCOL,
    ),
    "8.1.2.1/2 a pseudo-header of answers": fault(
        lambda p: headers_frame(1, p.head([(":status", "200")]), end=True),
        PROTOCOL,
    ),
    "8.1.2.1/3 a pseudo-header in trailers": fault(
        lambda p: p.open(1) + headers_frame(1, p.fields((":method", "200")), end=True), PROTOCOL
    ),
    "8.1.2.1/4 a pseudo-header after a field": fault(
        lambda p: headers_frame(1, p.head([("x-test", "ok"), (":path", "/")], without=[":path"]), end=True), PROTOCOL
    ),
    "8.1.2.2/1 a field of the connection": fault(
        lambda p: headers_frame(1, p.head([("connection", "keep-alive")]), end=True),
        PROTOCOL,
    ),
    "8.1.2.2/2 te other than trailers": fault(
        lambda p: headers_frame(1, p.head([("te", "trailers, deflate")], without=["te"]), end=True),
        PROTOCOL,
    ),
    "8.1.2.3/1 an empty :path": fault(lambda p: headers_frame(1, p.head(**{":path": ""}), end=True), PROTOCOL),
    "8.1.2.3/2 no :method": fault(lambda p: headers_frame(1, p.head(without=[":method"]), end=True), PROTOCOL),
    "8.1.2.3/3 no :scheme": fault(lambda p: headers_frame(1, p.head(without=[":scheme"]), end=True), PROTOCOL),
    "8.1.2.3/4 no :path": fault(lambda p: headers_frame(1, p.head(without=[":path"]), end=True), PROTOCOL),
    **{
        f"8.1.2.3/{number} two {name}": fault(
            lambda p, name=name, value=value: headers_frame(1, p.fields((name, value)) + p.head(), end=True), PROTOCOL
        )
        for number, name, value in [(5, ":method", "GET"), (6, ":scheme", "http"), (7, ":path", "/")]
    },
    "8.1.2.6/1 a content-length other than DATA's": fault(lambda p: length(p, b"test"), PROTOCOL),
    "8.1.2.6/2 a content-length other than that of several DATA": fault(
        lambda p: length(p, b"test", b"test"),
        PROTOCOL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAM_ERRORS)
def test_errors_of_a_stream(name: str, peer: Peer) -> None:
    case = STREAM_ERRORS[name]
    write(peer, case.octets(peer))
    assert peer.has_failed(1, *case.codes), (peer.go_away, peer.answers)


HARMLESS: dict[str, Callable[[Peer], bytes]] = {
    "4.1/1 an unknown frame": lambda p: frame(0xFF, 0, 0, bytes(8)),
    "4.1/2 unknown flags": lambda p: frame(PING, 0x16, 0, bytes(8)),
    "4.1/3 a reserved bit": lambda p: frame(PING, 0, 1 << 31, bytes(8)),
    "4.2/1 DATA of 16,384 bytes": lambda p: p.open(1) + frame(DATA, END_STREAM, 1, bytes(16_384)),
    "5.5/1 an unknown frame of a stream": lambda p: frame(0xFF, 0, 1, bytes(8)),
    "6.5.2/5 an unknown setting": lambda p: settings({0xFF: 1}),
    "7/1 GOAWAY with an unknown code": lambda p: p.open(1) + frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xFF)),
    "7/2 RST_STREAM with an unknown code": lambda p: p.open(1) + reset(1, 0xFF),
    "generic 2/1 idle: PRIORITY": lambda p: priority(1, 0) + p.open(1, end=True),
    "generic 2/2 half-closed (remote): WINDOW_UPDATE": lambda p: p.open(1, end=True) + window(1, 1),
    "generic 2/3 half-closed (remote): PRIORITY": lambda p: p.open(1, end=True) + priority(1, 0),
    "generic 2/4 half-closed (remote): RST_STREAM": lambda p: p.open(1, end=True) + reset(1),
    "generic 2/5 closed: PRIORITY": lambda p: p.open(1, end=True) + reset(1) + priority(1, 0),
    "generic 3.9 WINDOW_UPDATE": lambda p: window(0, 1) + p.open(1) + window(1, 1),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_allowed(name: str, peer: Peer) -> None:
    peer.write(HARMLESS[name](peer))
    if name.startswith("7/1"):
        # Nothing new may come after GOAWAY; the PING's answer may, or the end.
        peer.write(frame(PING, 0, 0, b"h2spec!!"))
        assert peer.read_until(lambda: b"h2spec!!" in peer.pongs or peer.is_closed, SECONDS)
        return
    peer.write(frame(PING, 0, 0, b"h2spec!!"))
    assert peer.read_until(lambda: b"h2spec!!" in peer.pongs, SECONDS)
    assert peer.is_well()


@pytest.mark.parametrize("padding", [b"", bytes(10)], ids=["plain", "padded"])
@pytest.mark.parametrize("kind", ["3.2 DATA", "3.4 HEADERS", "3.5 HEADERS with a priority", "3.10 CONTINUATION"])
def test_requests_are_answered(kind: str, padding: bytes, peer: Peer) -> None:
    """h2spec's generic 3 and 4, and 6.10/1: requests in frames of every shape."""
    block = peer.head([("x-dummy", "a" * 100)])
    prefix = bytes([len(padding)]) if padding else b""
    flags = PADDED if padding else 0
    if kind == "3.2 DATA":
        octets = headers_frame(1, block) + frame(DATA, flags | END_STREAM, 1, prefix + message(REQUEST) + padding)
    elif kind == "3.4 HEADERS":
        octets = frame(HEADERS, flags | END_HEADERS | END_STREAM, 1, prefix + block + padding)
    elif kind == "3.5 HEADERS with a priority":
        priority = struct.pack(">IB", 0, 255)
        octets = frame(HEADERS, flags | END_HEADERS | END_STREAM | HAS_PRIORITY, 1, prefix + priority + block + padding)
    else:
        parts = [block[:10], block[10:50], block[50:]]
        octets = frame(HEADERS, flags | END_STREAM, 1, prefix + parts[0] + padding)
        octets += continuation(1, parts[1], end=False) + continuation(1, parts[2])
    peer.write(octets)
    answer = peer.answer(1, SECONDS)
    assert answer.is_ended and answer.header(":status"), answer
    assert peer.is_well()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_method_is_answered(method: str, peer: Peer) -> None:
    block = peer.head(**{":method": method})
    trailers = headers_frame(1, peer.fields(("x-test", "ok")), end=True)
    peer.write(headers_frame(1, block) + data(1, b"test") + trailers)
    assert peer.answer(1, SECONDS).header(":status")
    assert peer.is_well()


def test_more_streams_than_allowed(peer: Peer) -> None:
    """5.1.2/1: an error of the stream, or of the connection, which is what nghttp2 makes of it."""
    limit = peer.settings[3]
    last = 2 * limit + 1
    peer.write(b"".join(peer.open(id) for id in range(1, last + 1, 2)))
    assert peer.has_failed(last, PROTOCOL, REFUSED)


class TestPreface:
    def test_ours_comes_first(self, victim: Victim) -> None:
        """3.5/1"""
        with RawConnection(victim.port, handshake=False) as connection:
            connection.write(PREFACE + settings())
            assert connection.read_until(lambda: connection.settings is not None, SECONDS)

    def test_a_wrong_one_ends_the_connection(self, victim: Victim) -> None:
        """3.5/2"""
        with RawConnection(victim.port, handshake=False) as connection:
            connection.write(b"INVALID CONNECTION PREFACE\r\n\r\n")
            assert connection.read_until(lambda: connection.is_closed, SECONDS)
        victim.answers()


class TestSettings:
    def test_are_acknowledged(self, peer: Peer) -> None:
        """6.5.3/2"""
        # Those of the preface come first.
        assert peer.read_until(lambda: peer.acknowledged == 1, SECONDS)
        peer.write(settings({2: 0}))
        assert peer.read_until(lambda: peer.acknowledged == 2, SECONDS)

    def test_count_in_their_order(self, victim: Victim) -> None:
        """6.5.3/1"""
        assert_first_piece(victim, frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, 100, 4, 1)), 1)

    def test_a_window_of_one_byte(self, victim: Victim) -> None:
        """6.9.1/1"""
        assert_first_piece(victim, settings({4: 1}), 1)


class TestPing:
    def test_is_answered(self, peer: Peer) -> None:
        """6.7/1"""
        peer.write(frame(PING, 0, 0, b"h2spec\0\0"))
        assert peer.read_until(lambda: peer.pongs == [b"h2spec\0\0"], SECONDS)

    def test_an_answer_is_not(self, peer: Peer) -> None:
        """6.7/2"""
        peer.write(frame(PING, ACK, 0, b"unwanted") + frame(PING, 0, 0, b"h2spec\0\0"))
        assert peer.read_until(lambda: bool(peer.pongs), SECONDS)
        assert peer.pongs == [b"h2spec\0\0"]


class TestWindows:
    def test_change_with_the_settings_while_a_stream_is_open(self, victim: Victim) -> None:
        """6.9.2/1"""
        with asked(victim, settings({4: 0})) as connection:
            connection.write(frame(PING, 0, 0, b"flushed?"))
            assert connection.read_until(lambda: bool(connection.pongs), SECONDS)
            assert connection.answers[1].body == b""
            connection.write(settings({4: 1}))
            assert connection.read_until(lambda: len(connection.answers[1].body) == 1, SECONDS)

    def test_may_be_negative(self, victim: Victim) -> None:
        """6.9.2/2"""
        with asked(victim, settings({4: 3})) as connection:
            assert connection.read_until(lambda: len(connection.answers[1].body) == 3, SECONDS)
            connection.write(settings({4: 2}) + window(1, 2))
            assert connection.read_until(lambda: len(connection.answers[1].body) == 4, SECONDS)


def asked(victim: Victim, values: bytes) -> RawConnection:
    """A connection with these settings, on which a call is made whose answer is a message of seven bytes."""
    connection = RawConnection(victim.port)
    connection.write(values + connection.request(1, HEALTH) + data(1, message(b""), end=True))
    assert connection.read_until(lambda: 1 in connection.answers, SECONDS)
    return connection


def assert_first_piece(victim: Victim, values: bytes, size: int) -> None:
    with asked(victim, values) as connection:
        assert connection.read_until(lambda: bool(connection.answers[1].body), SECONDS)
        assert len(connection.answers[1].body) == size
        connection.write(window(1, 100))
        assert connection.answer(1, SECONDS).status == 0
