# SPDX-License-Identifier: Apache-2.0
"""Peers that read slowly get all that was sent, however the connection ends."""

import socket
import time
from pathlib import Path

import interop_schema as schema
import pytest
from hyperframe.frame import GoAwayFrame, SettingsFrame, WindowUpdateFrame
from interop_process import SwiftServer
from raw_http2 import RawConnection, data, message


@pytest.mark.parametrize("end", ["SIGTERM", "GOAWAY"])
def test_a_slow_reader_loses_nothing(tmp_path: Path, end: str) -> None:
    """Six megabytes at one a second, which wait in the server, in its process or in the system, when it has no more to
    say."""
    size, count, rate = 1_000_000, 6, 1_000_000
    parameters = [schema.ResponseParameters(size=size)] * count
    request = schema.StreamingOutputCallRequest(response_parameters=parameters).SerializeToString()
    with (
        SwiftServer(tmp_path / "log") as server,
        RawConnection(server.port, {SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 30}) as peer,
    ):
        # So that little of it waits on this side.
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        peer.write(WindowUpdateFrame(0, window_increment=1 << 30).serialize())
        peer.write(peer.request(1, "/grpc.testing.TestService/StreamingOutputCall"))
        peer.write(data(1, message(request), end=True))
        assert peer.read_until(lambda: 1 in peer.answers and len(peer.answers[1].body) > 0)
        if end == "SIGTERM":
            server.terminate()
        else:
            peer.write(GoAwayFrame(0).serialize(), reading=False)
        started = time.monotonic()
        answer = peer.answers[1]
        seen = first = len(answer.body)
        while not (peer.is_closed or answer.is_ended):
            peer.read_until(lambda before=seen: len(answer.body) > before or answer.is_ended)
            # Readers open windows as they go, whether or not the server still needs them.
            peer.write(WindowUpdateFrame(0, window_increment=len(answer.body) - seen + 1).serialize(), reading=False)
            seen = len(answer.body)
            time.sleep(max(0, started + (seen - first) / rate - time.monotonic()))
        assert (answer.status, len(answer.body) >= size * count) == (0, True), f"{len(answer.body)} bytes"
        # The connection ends when all is there.
        assert peer.read_until(lambda: peer.is_closed)
        if end == "SIGTERM":
            assert server.wait() == 0
