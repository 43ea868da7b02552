# SPDX-License-Identifier: Apache-2.0
"""How h2spec talks to a server, and what it takes for an answer.

h2spec writes every frame by itself, after it has seen the server's SETTINGS and the acknowledgement of its own, and waits
two seconds for each thing that comes. Its request is a GET of "/" without a content-type.
"""

import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import TracebackType

import hpack
from raw_http2 import PREFACE, Headers, frame, settings

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
# What comes and is no frame: the end of the connection, its end by a TCP reset, and nothing for two seconds.
CLOSED, BROKEN, TIMEOUT = "closed", "broken", "timeout"
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32
NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, _, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
SECONDS = 2
# Seconds from a frame to the next when there is time; nothing that comes back would say that a frame has been read.
DELAY = 0.005


class Shape(Enum):
    """What is said, and how."""

    # As h2spec does it.
    GET = "get"
    # With time for the server to deal with each frame before the next one comes, as over a slow network.
    GET_SLOWLY = "get slowly"
    # The same, as much as possible in one write: nothing is answered before all of it is there.
    GET_AT_ONCE = "get at once"
    # At once, with a gRPC call in the place of the GET.
    CALL = "call"


@dataclass
class Event:
    kind: int | str
    flags: int = 0
    stream: int = 0
    payload: bytes = b""

    @property
    def code(self) -> int | None:
        """The error code of RST_STREAM and GOAWAY."""
        start = {RST_STREAM: 0, GOAWAY: 4}.get(self.kind)
        return None if start is None else int.from_bytes(self.payload[start : start + 4], "big")


class Peer:
    """A connection, over TLS if it is told so (h2spec's options -t and -k); the call's path is for its shape alone."""

    def __init__(
        self, port: int, path: str, shape: Shape = Shape.GET, *, handshake: bool = True, tls: bool = False
    ) -> None:
        self.shape = shape
        self.settings: dict[int, int] = {}
        self.seen: list[Event] = []
        self._path = path
        self._scheme = "https" if tls else "http"
        self._authority = f"127.0.0.1:{port}"
        self._encoder = hpack.Encoder()
        self._received = b""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            # An end without TLS's own word for it is an error to Go.
            self._socket = _tls().wrap_socket(self._socket, suppress_ragged_eofs=False)
        if handshake:
            self._shake_hands()

    def _shake_hands(self) -> None:
        self.write(PREFACE)
        self.write(settings({INITIAL_WINDOW_SIZE: 65_535}))
        waiting = {0, ACK}
        while waiting:
            event = self.until(SETTINGS)
            waiting.discard(event.flags & ACK)
            if not event.flags & ACK:
                self.settings = dict(struct.iter_unpack(">HI", event.payload))
                self.write(frame(SETTINGS, ACK, 0))

    # MARK: Header blocks

    def head(
        self,
        method: str = "GET",
        extra: Headers = [],  # noqa: B006
        *,
        before: Headers = [],  # noqa: B006
        without: str = "",
        path: str | None = None,
    ) -> bytes:
        """The header block of a request; the call's method is POST whatever is said here."""
        is_call = self.shape == Shape.CALL
        fields = [
            (":method", "POST" if is_call else method),
            (":scheme", self._scheme),
            (":path", path if path is not None else self._path if is_call else "/"),
            (":authority", self._authority),
        ]
        if is_call:
            fields += [("te", "trailers"), ("content-type", "application/grpc")]
        return self.fields([*before, *(field for field in fields if field[0] not in without.split()), *extra])

    def fields(self, fields: Headers) -> bytes:
        return self._encoder.encode(fields)

    def dummies(self, count: int = 1) -> bytes:
        """h2spec's fields of 4,000 letters."""
        return self.fields(self.dummy_fields(count))

    @staticmethod
    def dummy_fields(count: int) -> Headers:
        return [(f"x-dummy{number}", "x" * 4000) for number in range(count)]

    # MARK: Octets

    def say(self, steps: "Steps") -> None:
        """Writes octets, and does what is no octets."""
        waiting = b""
        for step in steps:
            if isinstance(step, bytes):
                waiting += step
                if self.shape in (Shape.GET_AT_ONCE, Shape.CALL):
                    continue
                if self.shape == Shape.GET_SLOWLY:
                    time.sleep(DELAY)
            if waiting:
                self.write(waiting)
                waiting = b""
            if not isinstance(step, bytes):
                step(self)
        if waiting:
            self.write(waiting)

    def write(self, octets: bytes) -> None:
        try:
            self._socket.sendall(octets)
        except OSError:
            # The server has ended the connection: what it said before will be read.
            pass

    def next(self) -> Event:
        self.seen.append(self._next())
        return self.seen[-1]

    def _next(self) -> Event:
        try:
            head = self._read(9)
            payload = self._read(int.from_bytes(head[:3], "big"))
        except EOFError:
            return Event(CLOSED)
        except TimeoutError:
            return Event(TIMEOUT)
        except OSError:
            return Event(BROKEN)
        return Event(head[3], head[4], int.from_bytes(head[5:], "big"), payload)

    def _read(self, count: int) -> bytes:
        while len(self._received) < count:
            octets = self._socket.recv(1 << 16)
            if not octets:
                raise EOFError
            self._received += octets
        found, self._received = self._received[:count], self._received[count:]
        return found

    def until(self, *kinds: int | str) -> Event:
        """The first of the kinds that comes."""
        while (event := self.next()).kind not in kinds:
            assert event.kind not in (CLOSED, BROKEN, TIMEOUT), self.seen
        return event

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()


Steps = list[bytes | Callable[[Peer], None]]


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


# MARK: Frames


def headers(stream: int, block: bytes, *, end: bool = True, end_headers: bool = True, flags: int = 0) -> bytes:
    """HEADERS; END_STREAM and END_HEADERS unless told otherwise."""
    return frame(HEADERS, flags | (END_STREAM if end else 0) | (END_HEADERS if end_headers else 0), stream, block)


def data(stream: int, payload: bytes = b"test", *, end: bool = True) -> bytes:
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def priority(stream: int, dependency: int = 0, *, weight: int = 255, exclusive: bool = False) -> bytes:
    return frame(PRIORITY, 0, stream, struct.pack(">IB", dependency | (1 << 31 if exclusive else 0), weight))


def window(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def continuation(stream: int, block: bytes, *, end: bool = True) -> bytes:
    return frame(CONTINUATION, END_HEADERS if end else 0, stream, block)


def ping(payload: bytes = bytes(8)) -> bytes:
    return frame(PING, 0, 0, payload)


# MARK: Cases


@dataclass
class Case:
    """What h2spec writes, and what has to come."""

    steps: Callable[[Peer], Steps]
    check: Callable[[Peer], None]
    # The connection is of use afterwards.
    is_harmless: bool = False
    # The case is about the content of the answer, which a call without a message does not have.
    is_for_get_alone: bool = False
    # h2spec runs it with --strict alone.
    is_strict: bool = False
    # The case writes the connection's preface itself.
    handshake: bool = True


def connection_error(steps: Callable[[Peer], Steps], *codes: int) -> Case:
    """GOAWAY with one of the codes, and then the end of the connection (RFC 9113 §5.4.1).

    h2spec is content with either of the two. An end by TCP's reset is none: it may overtake GOAWAY.
    """

    def check(peer: Peer) -> None:
        assert peer.until(GOAWAY).code in codes, peer.seen
        peer.until(CLOSED)

    return Case(steps, check)


def stream_error(steps: Callable[[Peer], Steps], *codes: int) -> Case:
    """RST_STREAM or GOAWAY with one of the codes, whatever comes before; h2spec takes the connection's end, too."""

    def check(peer: Peer) -> None:
        while peer.until(RST_STREAM, GOAWAY).code not in codes:
            pass

    return Case(steps, check)


def answered(steps: Callable[[Peer], Steps]) -> Case:
    """The first HEADERS are those of stream 1."""

    def check(peer: Peer) -> None:
        assert peer.until(HEADERS).stream == 1, peer.seen

    return Case(steps, check, is_harmless=True)


def ponged(steps: Callable[[Peer], Steps], payload: bytes = bytes(8)) -> Case:
    """A PING, which h2spec writes last, is answered with its payload."""

    def check(peer: Peer) -> None:
        event = peer.until(PING)
        assert event.flags & ACK and event.payload == payload, peer.seen

    return Case(lambda peer: [*steps(peer), ping(payload)], check, is_harmless=True)


def ponged_or_closed(steps: Callable[[Peer], Steps], payload: bytes) -> Case:
    """The PING is answered, or the connection ends."""

    def check(peer: Peer) -> None:
        event = peer.until(PING, CLOSED)
        assert event.kind == CLOSED or event.flags & ACK and event.payload == payload, peer.seen

    return Case(lambda peer: [*steps(peer), ping(payload)], check)


def piece(steps: Callable[[Peer], Steps], size: int | None = None) -> Case:
    """DATA comes, and the first of it is of the size."""

    def check(peer: Peer) -> None:
        event = peer.until(DATA)
        assert size is None or len(event.payload) == size, peer.seen

    return Case(steps, check, is_harmless=True, is_for_get_alone=True)


def settings_acknowledged(peer: Peer) -> None:
    """The next SETTINGS are an acknowledgement."""
    assert peer.until(SETTINGS).flags & ACK, peer.seen


def stream_ended(peer: Peer) -> None:
    """The answer is complete."""
    while True:
        event = peer.until(DATA, HEADERS, RST_STREAM)
        if event.code == NO_ERROR or event.kind != RST_STREAM and event.flags & END_STREAM:
            return
