# SPDX-License-Identifier: Apache-2.0
"""A server that answers calls with whatever frames it is told to, for what no server of a library does."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType

import hpack
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame
from raw_http2 import PREFACE, data, headers_frame, message


class Connection:
    """One connection of a client."""

    def __init__(self, number: int, peer: socket.socket) -> None:
        # Counted from 1.
        self.number = number
        self.calls = 0
        # Calls that have begun and are not answered, at most.
        self.most_open = 0
        self.pongs = 0
        self._open: set[int] = set()
        self._peer = peer
        self._encoder = hpack.Encoder()

    def write(self, *frames: bytes) -> None:
        self._peer.sendall(b"".join(frames))

    def head(self, stream: int) -> bytes:
        return headers_frame(stream, self._encoder.encode([(":status", "200"), ("content-type", "application/grpc")]))

    def trailers(self, stream: int, status: int = 0) -> bytes:
        return headers_frame(stream, self._encoder.encode([("grpc-status", str(status))]), end=True)

    def answer(self, stream: int, payload: bytes = b"") -> bytes:
        """A good answer."""
        return self.head(stream) + data(stream, message(payload)) + self.trailers(stream)

    def goodbye(self, last: int) -> bytes:
        return GoAwayFrame(0, last_stream_id=last).serialize()

    def ping(self) -> bytes:
        return PingFrame(0, opaque_data=b"are you?").serialize()

    def serve(self, settings: dict[int, int], behaviour: Callable[["Connection", int], None]) -> None:
        self.write(SettingsFrame(0, settings=settings).serialize())
        received = bytearray()
        while octets := self._peer.recv(1 << 16):
            received += octets
            if received.startswith(PREFACE):
                del received[: len(PREFACE)]
            while len(received) >= 9:
                found, length = Frame.parse_frame_header(memoryview(bytes(received[:9])))
                if len(received) < 9 + length:
                    break
                found.parse_body(memoryview(bytes(received[9 : 9 + length])))
                del received[: 9 + length]
                self._take(found, behaviour)

    def _take(self, found: Frame, behaviour: Callable[["Connection", int], None]) -> None:
        if isinstance(found, SettingsFrame) and "ACK" not in found.flags:
            self.write(SettingsFrame(0, flags=["ACK"]).serialize())
        elif isinstance(found, PingFrame) and "ACK" in found.flags:
            self.pongs += 1
        elif isinstance(found, HeadersFrame):
            self.calls += 1
            self._open.add(found.stream_id)
            self.most_open = max(self.most_open, len(self._open))
        if isinstance(found, (HeadersFrame, DataFrame)) and "END_STREAM" in found.flags:
            behaviour(self, found.stream_id)
            self._open.discard(found.stream_id)


class FrameServer:
    """Answers a call, when its request is complete, by the behaviour; until its context is left."""

    def __init__(self, behaviour: Callable[[Connection, int], None], settings: dict[int, int] | None = None) -> None:
        self._behaviour = behaviour
        self._settings = settings or {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections: list[Connection] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(len(self.connections) + 1, peer)
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, peer), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection, peer: socket.socket) -> None:
        with peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                connection.serve(self._settings, self._behaviour)
            except OSError:
                # The client is gone.
                pass

    def __enter__(self) -> "FrameServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Wakes the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)
