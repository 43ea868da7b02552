# SPDX-License-Identifier: Apache-2.0
"""What harms servers: after it, a fresh call is answered within a second, and memory is where it was."""

import gzip
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import hpack
import interop_schema as schema
import pytest
from interop_process import SwiftServer
from octollm.v1.orchestrator_pb2 import GetTaskRequest
from octollm_process import Server
from raw_http2 import PREFACE, RawConnection, data, frame, headers_frame, message, reset, settings
from victim import MEBIBYTE, Victim

PATH = "/octollm.v1.Orchestrator/GetTask"
REQUEST = GetTaskRequest(task_id="none").SerializeToString()
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
INITIAL_WINDOW_SIZE = 4
TEST = "/grpc.testing.TestService/"
# A handler that gets it reads nothing more for a minute.
WAITING = schema.StreamingOutputCallRequest(
    response_parameters=[schema.ResponseParameters(size=1, interval_us=60_000_000)]
).SerializeToString()
# Connections that an attacker with one machine has.
MANY = 500


@pytest.fixture
def victim(serve: Callable[..., Server]) -> Iterator[Victim]:
    server = serve()
    victim = Victim(server.port, server.process.pid, PATH, REQUEST, grpc.StatusCode.NOT_FOUND)
    yield victim
    assert server.process.poll() is None, f"the server is gone; its log:\n{server.log[-4000:]}"
    victim.has_recovered()


@pytest.fixture
def interop_victim(tmp_path: Path) -> Iterator[Victim]:
    """A server that answers with as much as it is asked for."""
    with SwiftServer(tmp_path / "log") as server:
        victim = Victim(server.port, server.process.pid, "/grpc.testing.TestService/EmptyCall", b"")
        yield victim
        assert server.process.poll() is None, f"the server is gone; its log:\n{server.log[-4000:]}"
        victim.has_recovered()


def streams(count: int) -> range:
    return range(1, 2 * count, 2)


class TestFloods:
    """Each ends its connection: nobody needs what it does."""

    def test_rapid_reset(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            calls = (connection.request(id, PATH) + reset(id) for id in streams(50_000))
            connection.write(b"".join(calls))
            assert connection.is_ended()

    def test_rapid_reset_of_whole_requests(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            body = message(REQUEST)
            calls = (connection.request(id, PATH) + data(id, body, end=True) + reset(id) for id in streams(50_000))
            connection.write(b"".join(calls))
            assert connection.is_ended()

    def test_rapid_reset_on_many_connections(self, victim: Victim) -> None:
        with ExitStack() as stack:
            connections = [stack.enter_context(RawConnection(victim.port)) for _ in range(50)]
            for connection in connections:
                connection.write(b"".join(connection.request(id, PATH) + reset(id) for id in streams(2_000)))
            victim.answers()
            assert all(connection.is_ended() for connection in connections)

    @pytest.mark.parametrize(
        "fault",
        [
            lambda id: frame(WINDOW_UPDATE, 0, id, bytes(4)),
            lambda id: frame(WINDOW_UPDATE, 0, id, struct.pack(">I", 2**31 - 1)),
            lambda id: frame(PRIORITY, 0, id, struct.pack(">IB", id, 0)),
            lambda id: frame(HEADERS, END_HEADERS, id, b""),
        ],
        ids=["empty-window-update", "window-overflow", "own-priority", "headers-twice"],
    )
    def test_resets_that_the_server_is_made_to_send(self, victim: Victim, fault: Callable[[int], bytes]) -> None:
        """"MadeYouReset": each stream has a fault that only costs the stream."""
        with RawConnection(victim.port) as connection:
            connection.write(b"".join(connection.request(id, PATH) + fault(id) for id in streams(50_000)))
            assert connection.is_ended()

    @pytest.mark.parametrize("payload", [b"", b"\x00\x01a" + b"\x7f\x80\x7e" + b"x" * 255], ids=["empty", "full"])
    def test_continuation_flood(self, victim: Victim, payload: bytes) -> None:
        with RawConnection(victim.port) as connection:
            start = headers_frame(1, connection.block(PATH), end_headers=False)
            connection.write(start + frame(CONTINUATION, 0, 1, payload) * 200_000)
            assert connection.is_ended()

    @pytest.mark.parametrize("reading", [True, False])
    @pytest.mark.parametrize("payload", [b"", struct.pack(">HI", 4, 65_535) * 100], ids=["empty", "full"])
    def test_settings_flood(self, victim: Victim, payload: bytes, reading: bool) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(frame(SETTINGS, 0, 0, payload) * 100_000, reading=reading)
            assert connection.is_ended()

    def test_flood_of_settings_acknowledgements(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(frame(SETTINGS, ACK, 0) * 100_000)
            assert connection.is_ended()

    @pytest.mark.parametrize("reading", [True, False])
    def test_ping_flood(self, victim: Victim, reading: bool) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(frame(PING, 0, 0, bytes(8)) * 200_000, reading=reading)
            assert connection.is_ended()

    @pytest.mark.parametrize("padded", [False, True])
    def test_empty_data_flood(self, victim: Victim, padded: bool) -> None:
        with RawConnection(victim.port) as connection:
            empty = frame(DATA, PADDED, 1, b"\x00") if padded else frame(DATA, 0, 1)
            connection.write(connection.request(1, PATH) + empty * 200_000)
            assert connection.is_ended()

    def test_window_update_flood(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(connection.request(1, PATH) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) * 300_000)
        # Harmless but for the time it takes.

    def test_priority_flood(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(b"".join(frame(PRIORITY, 0, id, struct.pack(">IB", 0, 9)) for id in streams(300_000)))

    def test_flood_of_unknown_frames(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            connection.write(frame(0x42, 0, 0, bytes(100)) * 300_000)

    def test_flood_of_streams(self, victim: Victim) -> None:
        """More than may be open at once are refused, at no cost."""
        with RawConnection(victim.port) as connection:
            connection.write(b"".join(connection.request(id, PATH) for id in streams(20_000)))
            victim.answers()

    def test_flood_of_connections(self, victim: Victim) -> None:
        for _ in range(3_000):
            socket.create_connection(("127.0.0.1", victim.port)).close()
        victim.answers()


class TestSlowPeers:
    def test_answers_that_nobody_reads(self, victim: Victim) -> None:
        """No window, and calls all the same."""
        with ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(RawConnection(victim.port, {INITIAL_WINDOW_SIZE: 0}))
                calls = (connection.request(id, PATH) + data(id, message(REQUEST), end=True) for id in streams(2_000))
                connection.write(b"".join(calls), reading=False, stall=0.5)
            victim.answers()

    @pytest.mark.parametrize("count", [1, 1_000])
    def test_large_answers_that_nobody_reads(self, interop_victim: Victim, count: int) -> None:
        """Gigabytes are asked for, on all streams there may be, with no window; by one message each or by thousands."""
        size = 4 * MEBIBYTE - 1_024 if count == 1 else MEBIBYTE
        if count == 1:
            path, request = "UnaryCall", schema.SimpleRequest(response_size=size)
        else:
            parameters = [schema.ResponseParameters(size=size)] * count
            path, request = "StreamingOutputCall", schema.StreamingOutputCallRequest(response_parameters=parameters)
        body = message(request.SerializeToString())
        with ExitStack() as stack:
            for _ in range(5):
                connection = stack.enter_context(RawConnection(interop_victim.port, {INITIAL_WINDOW_SIZE: 0}))
                for id in streams(100):
                    connection.write(connection.request(id, f"/grpc.testing.TestService/{path}"))
                    connection.write(data(id, body, end=True))
            interop_victim.has_answered_for(2)

    def test_requests_that_are_sent_without_a_pause(self, interop_victim: Victim) -> None:
        """As much as flow control lets through, on all streams, and messages that never end."""
        with ExitStack() as stack:
            for _ in range(5):
                connection = stack.enter_context(RawConnection(interop_victim.port))
                for id in streams(100):
                    connection.write(connection.request(id, "/grpc.testing.TestService/StreamingInputCall"))
                    connection.write_body(id, message(bytes(65_000), length=4 * MEBIBYTE), end=False, patience=0.05)
            interop_victim.answers()

    def test_many_connections_without_windows(self, interop_victim: Victim) -> None:
        """What waits for windows has a bound for the whole server, and is given up after a time."""
        body = message(schema.SimpleRequest(response_size=300_000).SerializeToString())
        with ExitStack() as stack:
            connections = [
                stack.enter_context(RawConnection(interop_victim.port, {INITIAL_WINDOW_SIZE: 0})) for _ in range(60)
            ]
            for connection in connections:
                calls = (connection.request(id, f"{TEST}UnaryCall") + data(id, body, end=True) for id in streams(100))
                connection.write(b"".join(calls))
            interop_victim.has_answered_for(2)
            interop_victim.has_recovered(peak=48 * MEBIBYTE)
            # Those whose replies wait; the others have nothing of theirs here.
            ended = [connection for connection in connections if connection.read_until(lambda: connection.is_closed, 2)]
            deadline = time.monotonic() + 30
            while not ended and time.monotonic() < deadline:
                ended = [each for each in connections if each.read_until(lambda: each.is_closed, 0.1)]  # noqa: B023
            assert ended, "nobody was given up"
            assert b"stalled for" in ended[0].go_away.additional_data

    def test_large_requests_of_connections_without_windows(self, interop_victim: Victim) -> None:
        """Calls that wait for their turn keep their requests: those of peers that take no replies have a bound, too."""
        request = schema.SimpleRequest(response_size=200_000, payload=schema.Payload(body=bytes(15 * 1024)))
        body = message(request.SerializeToString())
        with ExitStack() as stack:
            connections = [
                stack.enter_context(RawConnection(interop_victim.port, {INITIAL_WINDOW_SIZE: 0})) for _ in range(60)
            ]
            for connection in connections:
                for id in streams(100):
                    connection.write(connection.request(id, f"{TEST}UnaryCall"))
                    connection.write_body(id, body, patience=1)
            interop_victim.has_answered_for(2)
            answers = [answer for connection in connections for answer in connection.answers.values()]
            assert {answer.status for answer in answers if answer.is_ended} == {grpc.StatusCode.UNAVAILABLE.value[0]}
        interop_victim.has_recovered(peak=48 * MEBIBYTE)

    def test_empty_messages_that_nobody_reads(self, interop_victim: Victim) -> None:
        with RawConnection(interop_victim.port) as connection:
            connection.write(connection.request(1, f"{TEST}FullDuplexCall") + data(1, message(WAITING)))
            sent = 0
            while sent < 1_000_000 and connection.write_body(1, message(b"") * 10_000, end=False, patience=0.5):
                sent += 10_000
            assert sent < 1_000_000, "the server takes them all"
            interop_victim.has_recovered(peak=48 * MEBIBYTE)

    def test_compressed_messages_that_nobody_reads(self, interop_victim: Victim) -> None:
        """Four kilobytes each, and four megabytes in memory."""
        payload = schema.Payload(body=bytes(4 * MEBIBYTE - 1_000))
        request = gzip.compress(schema.StreamingOutputCallRequest(payload=payload).SerializeToString())
        with RawConnection(interop_victim.port) as connection:
            encoding = [("grpc-encoding", "gzip")]
            connection.write(connection.request(1, f"{TEST}FullDuplexCall", encoding))
            connection.write(data(1, message(gzip.compress(WAITING), flag=1)))
            for _ in range(100):
                if not connection.write_body(1, message(request, flag=1), end=False, patience=0.5):
                    break
            interop_victim.has_recovered(peak=64 * MEBIBYTE)

    def test_requests_that_came_in_part(self, interop_victim: Victim) -> None:
        """A hundred of four megabytes; nobody waits for ever when their rest comes."""
        body = message(schema.SimpleRequest(payload=schema.Payload(body=bytes(4 * MEBIBYTE - 1_000))).SerializeToString())
        with RawConnection(interop_victim.port) as connection:
            connection.write(b"".join(connection.request(id, f"{TEST}UnaryCall") for id in streams(100)))
            sent = {id: 0 for id in streams(100)}
            deadline = time.monotonic() + 60
            while sent and time.monotonic() < deadline:
                before = sum(sent.values())
                for id, start in list(sent.items()):
                    count = min(connection.room(id), 16_384, len(body) - start)
                    if count > 0:
                        connection.write_body(id, body[start : start + count], end=start + count == len(body))
                        sent[id] += count
                    if sent[id] == len(body):
                        del sent[id]
                if before == sum(sent.values()):
                    connection.read_until(lambda: False, 0.01)
            assert not sent, f"{len(sent)} requests wait for each other"
            assert {connection.answer(id).status for id in streams(100)} == {0}
            interop_victim.has_recovered(peak=96 * MEBIBYTE)

    def test_half_open_connections(self, victim: Victim) -> None:
        """They are given up after the ten seconds that the handshake may take, wherever in it they stop."""
        before = victim.connections()
        beginnings = [b"", PREFACE[:10], PREFACE, PREFACE + settings()[:5], PREFACE + settings()]
        with ExitStack() as stack:
            for beginning in beginnings * (MANY // len(beginnings)):
                connection = stack.enter_context(RawConnection(victim.port, handshake=False))
                connection.socket.send(beginning)
            assert victim.becomes(lambda: victim.connections() <= before + 2, timeout=25)

    def test_requests_that_never_end(self, victim: Victim) -> None:
        """A byte now and then (slowloris), on every stream there may be."""
        with ExitStack() as stack:
            connections = [stack.enter_context(RawConnection(victim.port)) for _ in range(50)]
            for connection in connections:
                connection.write(b"".join(connection.request(id, PATH) for id in streams(100)))
            for octet in message(bytes(100))[:8]:
                for connection in connections:
                    connection.write(b"".join(data(id, bytes([octet])) for id in streams(100)))
                victim.answers()

    def test_headers_that_never_end(self, victim: Victim) -> None:
        with ExitStack() as stack:
            for _ in range(MANY):
                connection = stack.enter_context(RawConnection(victim.port))
                connection.write(headers_frame(1, connection.block(PATH)[:5], end_headers=False))
            victim.answers()

    def test_window_by_the_byte(self, victim: Victim) -> None:
        with RawConnection(victim.port, {INITIAL_WINDOW_SIZE: 0}) as connection:
            connection.write(connection.request(1, PATH) + data(1, message(REQUEST), end=True))
            connection.write(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) * 2_000)
            assert connection.answer(1).status == grpc.StatusCode.NOT_FOUND.value[0]


class TestBombs:
    def test_header_bomb(self, victim: Victim) -> None:
        """HPACK: a field of 4,000 bytes that is put into the table once, and named thousands of times by a byte each."""
        with RawConnection(victim.port) as connection:
            encoder = hpack.Encoder()
            field = encoder.encode([(b"x-bomb", b"x" * 4_000)], huffman=False)
            assert encoder.encode([(b"x-bomb", b"x" * 4_000)]) == b"\xbe"
            # A field of its own first, since connection's encoder knows nothing of this one.
            block = hpack.Encoder().encode([(b":method", b"POST"), (b":scheme", b"http")]) + field + b"\xbe" * 16_000
            for id in streams(200):
                if not connection.write(headers_frame(id, block[:16_384], end=True)):
                    break
            victim.answers()

    def test_many_small_fields(self, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            extra = [(f"x-{index}", "y") for index in range(2_000)]
            for id in streams(300):
                if not connection.write(headers_frame(id, connection.block(PATH, extra)[:16_384], end=True)):
                    break
            victim.answers()

    def test_headers_over_the_limit_are_refused_and_no_more(self, victim: Victim) -> None:
        """Decoded to the end all the same: the next request of the connection has HPACK's table right."""
        with RawConnection(victim.port) as connection:
            block = connection.block(PATH, [(f"x-{index}", "y" * 900) for index in range(30)])
            first, rest = block[:16_000], block[16_000:]
            start = headers_frame(1, first, end_headers=False) + frame(CONTINUATION, END_HEADERS, 1, rest)
            connection.write(start + data(1, message(REQUEST), end=True))
            connection.write(connection.request(3, PATH, [("x-29", "y" * 900)]) + data(3, message(REQUEST), end=True))
            assert connection.answer(3).status == grpc.StatusCode.NOT_FOUND.value[0]
            refused = connection.answer(1)
            assert refused.status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] or refused.header(":status") == "431"

    @pytest.mark.parametrize("size", [5 * MEBIBYTE, 1024 * MEBIBYTE])
    def test_gzip_bomb(self, victim: Victim, size: int) -> None:
        bomb = message(zeros(size), flag=1)
        with RawConnection(victim.port) as connection:
            for id in streams(5):
                connection.write(connection.request(id, PATH, [("grpc-encoding", "gzip")]))
                connection.write_body(id, bomb)
                assert connection.answer(id).status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]

    def test_a_large_length_takes_no_memory(self, victim: Victim) -> None:
        with ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(RawConnection(victim.port))
                body = message(b"x", length=4 * MEBIBYTE)
                connection.write(b"".join(connection.request(id, PATH) + data(id, body) for id in streams(100)))
            victim.answers()

    @pytest.mark.parametrize(
        "payload",
        [
            b"\x0b" * 3_000_000,
            b"\x0a\xff\xff\xff\x7f" * 100_000,
            b"\x0a" * 3_000_000,
            b"\xff" * 3_000_000,
            b"\x92\x03\x00" * 1_000_000,
        ],
        ids=["groups", "long-lengths", "fields", "varints", "unknown-fields"],
    )
    def test_a_message_that_is_hard_to_decode(self, victim: Victim, payload: bytes) -> None:
        with RawConnection(victim.port) as connection:
            for id in streams(5):
                connection.write(connection.request(id, PATH))
                connection.write_body(id, message(payload))
                assert connection.answer(id).status not in (None, grpc.StatusCode.OK.value[0])


def zeros(size: int) -> bytes:
    """So many zeros, compressed, without ever having them."""
    compressor = zlib.compressobj(9, wbits=31)
    block = bytes(MEBIBYTE)
    pieces = [compressor.compress(block) for _ in range(size // MEBIBYTE)]
    return b"".join(pieces) + compressor.flush()
