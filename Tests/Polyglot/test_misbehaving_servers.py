# SPDX-License-Identifier: Apache-2.0
"""Our client and servers that say goodbye, reset calls half way, ask with PINGs, allow one call at a time or cut a reply small.

What gRPC's negative HTTP/2 interoperability tests are about (grpc/grpc, doc/negative-http2-interop-test-descriptions.md).
"""

import pytest
from frame_server import Connection, FrameServer
from hyperframe.frame import DataFrame, SettingsFrame
from load import Outcome, load
from raw_http2 import data, message, reset

NO_ERROR = 0
REPLY = message(b"")


def calls(server: FrameServer, *arguments: str, count: int = 1, concurrency: int = 1) -> Outcome:
    return load("ipv4:" + server.target, *arguments, calls=count, concurrency=concurrency)


def test_calls_after_a_goodbye_go_to_another_connection() -> None:
    def behaviour(connection: Connection, stream: int) -> None:
        connection.write(connection.answer(stream), connection.goodbye(stream))

    with FrameServer(behaviour) as server:
        calls(server, count=5).check_none_lost()
        assert [connection.calls for connection in server.connections] == [1] * 5


def test_calls_above_a_goodbye_go_to_another_connection() -> None:
    """The first connection answers its first call when all have come, and says that it has not seen the others."""

    def behaviour(connection: Connection, stream: int) -> None:
        if connection.number > 1:
            connection.write(connection.answer(stream))
        elif connection.calls == 8:
            connection.write(connection.goodbye(1), connection.answer(1))

    with FrameServer(behaviour) as server:
        calls(server, count=8, concurrency=8).check_none_lost()
        assert [connection.calls for connection in server.connections] == [8, 7]


@pytest.mark.parametrize("sent", ["head", "half a message", "a message"])
def test_a_call_that_is_reset_half_way_fails(sent: str) -> None:
    """Also behind a complete message: without trailers there is no status."""

    def behaviour(connection: Connection, stream: int) -> None:
        whole = data(stream, REPLY)
        body = {"head": b"", "half a message": data(stream, message(b"1234", length=8)), "a message": whole}[sent]
        connection.write(connection.head(stream), body, reset(stream, NO_ERROR))

    with FrameServer(behaviour) as server:
        outcome = calls(server)
        assert outcome.failed == {"INTERNAL": 1}, outcome
        # And is not made again.
        assert [connection.calls for connection in server.connections] == [1]


def test_pings_are_answered() -> None:
    def behaviour(connection: Connection, stream: int) -> None:
        ping = connection.ping()
        body = data(stream, REPLY)
        connection.write(ping, connection.head(stream), ping, body, ping, connection.trailers(stream), ping)

    with FrameServer(behaviour) as server:
        calls(server, count=3).check_none_lost()
    # Four a call; the client may be gone before it answers those of its last one.
    [connection] = server.connections
    assert 8 <= connection.pongs <= 12


def test_no_more_calls_at_a_time_than_the_server_allows() -> None:
    def behaviour(connection: Connection, stream: int) -> None:
        connection.write(connection.answer(stream))

    with FrameServer(behaviour, {SettingsFrame.MAX_CONCURRENT_STREAMS: 1}) as server:
        calls(server, count=40, concurrency=10).check_none_lost()
        assert [(connection.calls, connection.most_open) for connection in server.connections] == [(40, 1)]


@pytest.mark.parametrize(("size", "padding", "frames"), [(4, 0, 60_000), (5, 255, 900)])
def test_a_reply_in_small_and_padded_frames_arrives(size: int, padding: int, frames: int) -> None:
    """As many as the window takes, where padding counts too."""
    # The payload of a SimpleResponse, field 1, in it the body, field 2.
    length = size * frames
    body = b"\x12" + varint(length) + bytes(length)
    octets = message(b"\x0a" + varint(len(body)) + body)
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]

    def behaviour(connection: Connection, stream: int) -> None:
        padded = [DataFrame(stream, piece, pad_length=padding, flags=["PADDED"] if padding else []) for piece in pieces]
        connection.write(connection.head(stream), *(frame.serialize() for frame in padded), connection.trailers(stream))

    with FrameServer(behaviour) as server:
        calls(server, "--response_size", str(length)).check_none_lost()


def varint(value: int) -> bytes:
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)
