# SPDX-License-Identifier: Apache-2.0
"""A connection that writes whatever frames it is told to, for what no client does."""

import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

import hpack
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Seconds to wait for what a server has to do at once.
PATIENCE = 10
CANCEL = 8

Headers = list[tuple[bytes | str, bytes | str]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A frame as told, right or wrong (RFC 9113 §4.1)."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(values: dict[int, int] | None = None) -> bytes:
    return SettingsFrame(0, settings=values or {}).serialize()


def reset(stream: int, code: int = CANCEL) -> bytes:
    return RstStreamFrame(stream, error_code=code).serialize()


def data(stream: int, payload: bytes, *, end: bool = False) -> bytes:
    """As many DATA frames as it takes."""
    pieces = [payload[start : start + 16_384] for start in range(0, len(payload), 16_384)] or [b""]
    frames = [DataFrame(stream, piece) for piece in pieces]
    if end:
        frames[-1].flags.add("END_STREAM")
    return b"".join(each.serialize() for each in frames)


def message(payload: bytes, *, flag: int = 0, length: int | None = None) -> bytes:
    """A message with its prefix."""
    return bytes([flag]) + (len(payload) if length is None else length).to_bytes(4, "big") + payload


@dataclass
class Answer:
    """What came on a stream."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    is_ended: bool = False
    reset: int | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in reversed(self.headers) if key == name), None)

    @property
    def status(self) -> int | None:
        """gRPC's status code."""
        value = self.header("grpc-status")
        return None if value is None else int(value)


class RawConnection:
    """Reads what comes into answers; knows when the server has ended the connection, and how."""

    def __init__(self, port: int, values: dict[int, int] | None = None, *, handshake: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = port
        self._received = bytearray()
        self._encoder = hpack.Encoder()
        # What the server may send; nothing here is about attacks on the client.
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._block = bytearray()
        self.answers: dict[int, Answer] = {}
        self.is_closed = False
        self.go_away: GoAwayFrame | None = None
        self.settings: dict[int, int] | None = None
        # Acknowledgements of our SETTINGS, and what came back of our PINGs.
        self.acknowledged = 0
        self.pongs: list[bytes] = []
        # What the server still takes, on the connection (0) and on the streams that have sent.
        self._windows: dict[int, int] = {0: 65_535}
        if handshake:
            self.write(PREFACE + settings(values))
            assert self.read_until(lambda: self.settings is not None), "the server sent no SETTINGS"
            self.write(SettingsFrame(0, flags=["ACK"]).serialize())

    def write(self, octets: bytes, *, reading: bool = True, stall: float = PATIENCE) -> bool:
        """Writes as fast as the server takes it, and reads meanwhile unless told otherwise. False when the server ended
        the connection or took nothing for `stall` seconds."""
        rest = memoryview(octets)
        self.socket.setblocking(False)
        moved = time.monotonic()
        while rest and not self.is_closed and time.monotonic() - moved < stall:
            readable, writable, _ = select.select([self.socket] if reading else [], [self.socket], [], 0.2)
            try:
                if readable:
                    self._read()
                if writable and not self.is_closed:
                    rest = rest[self.socket.send(rest[: 1 << 18]) :]
                    moved = time.monotonic()
            except BlockingIOError:
                pass
            except OSError:
                self.is_closed = True
        return not rest

    def block(self, path: str, extra: Headers = [], *, without: Iterable[str] = (), **changed: str) -> bytes:  # noqa: B006
        """The header block of a gRPC request."""
        headers = {
            ":method": "POST", ":scheme": "http", ":path": path, ":authority": f"127.0.0.1:{self._port}",
            "te": "trailers", "content-type": "application/grpc",
        }  # fmt: skip
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return self._encoder.encode([(name, value) for name, value in headers.items() if name not in without] + extra)

    def request(self, stream: int, path: str, extra: Headers = [], *, end: bool = False) -> bytes:  # noqa: B006
        """A HEADERS frame."""
        return headers_frame(stream, self.block(path, extra), end=end)

    def read_until(self, condition, timeout: float = PATIENCE) -> bool:  # noqa: ANN001
        """Reads until the condition holds; false when time runs out or the server ends the connection before."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or self.is_closed:
                return condition()
            if select.select([self.socket], [], [], left)[0]:
                self._read()
        return True

    def room(self, stream: int) -> int:
        """Bytes that the server takes on a stream now."""
        self._windows.setdefault(stream, (self.settings or {}).get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535))
        return min(self._windows[0], self._windows[stream])

    def write_body(self, stream: int, payload: bytes, *, end: bool = True, patience: float = PATIENCE) -> bool:
        """Writes DATA as the windows have room. False when the server ended the stream or gave no more room."""
        rest = payload
        self._windows.setdefault(stream, (self.settings or {}).get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535))
        while rest:
            answer = self.answers.setdefault(stream, Answer())

            def room() -> int:
                return min(self._windows[0], self._windows[stream])

            self.read_until(lambda: room() > 0 or answer.is_ended or answer.reset is not None, patience)
            if room() <= 0 or answer.is_ended or answer.reset is not None:
                return False
            count = min(room(), len(rest))
            self._windows[0] -= count
            self._windows[stream] -= count
            if not self.write(data(stream, rest[:count], end=end and count == len(rest))):
                return False
            rest = rest[count:]
        return True

    def answer(self, stream: int, timeout: float = PATIENCE) -> Answer:
        """The whole of what is answered on a stream."""
        self.read_until(lambda: (found := self.answers.get(stream)) and (found.is_ended or found.reset is not None), timeout)
        return self.answers.get(stream, Answer())

    def is_ended(self, timeout: float = PATIENCE) -> bool:
        """True when the server ends the connection: closes it, or says GOAWAY with an error."""
        return self.read_until(lambda: self.is_closed or bool(self.go_away and self.go_away.error_code), timeout)

    def is_refused(self, stream: int) -> bool:
        """True when the stream was reset, or the connection ended for its sake."""
        answer = self.answers.get(stream)
        return self.is_closed or bool(self.go_away and self.go_away.error_code) or bool(answer and answer.reset is not None)

    def _read(self) -> None:
        try:
            octets = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.is_closed = True
            return
        self._received += octets
        start = 0
        while len(self._received) - start >= 9:
            found, length = Frame.parse_frame_header(memoryview(self._received)[start : start + 9])
            end = start + 9 + length
            if len(self._received) < end:
                break
            found.parse_body(memoryview(bytes(self._received[start + 9 : end])))
            self._take(found)
            start = end
        del self._received[:start]

    def _take(self, found: Frame) -> None:
        answer = self.answers.setdefault(found.stream_id, Answer()) if found.stream_id else Answer()
        name = type(found).__name__
        if name in ("HeadersFrame", "ContinuationFrame"):
            self._block += found.data
            if "END_HEADERS" in found.flags:
                answer.headers += [(str(key), str(value)) for key, value in self._decoder.decode(bytes(self._block))]
                self._block.clear()
        elif name == "DataFrame":
            answer.body += found.data
        elif name == "RstStreamFrame":
            answer.reset = found.error_code
        elif name == "WindowUpdateFrame":
            initial = (self.settings or {}).get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535)
            self._windows[found.stream_id] = self._windows.get(found.stream_id, initial) + found.window_increment
        elif name == "GoAwayFrame":
            self.go_away = found
        elif name == "SettingsFrame" and "ACK" in found.flags:
            self.acknowledged += 1
        elif name == "SettingsFrame":
            self.settings = found.settings
        elif name == "PingFrame" and "ACK" in found.flags:
            self.pongs.append(found.opaque_data)
        if name in ("HeadersFrame", "DataFrame") and "END_STREAM" in found.flags:
            answer.is_ended = True

    def close(self) -> None:
        self.is_closed = True
        self.socket.close()

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def headers_frame(stream: int, block: bytes, *, end: bool = False, end_headers: bool = True) -> bytes:
    found = HeadersFrame(stream, block)
    if end:
        found.flags.add("END_STREAM")
    if end_headers:
        found.flags.add("END_HEADERS")
    return found.serialize()
