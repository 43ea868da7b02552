# SPDX-License-Identifier: Apache-2.0
"""What no client sends: each gets an error of the right scope, and the next call is answered."""

import base64
import gzip
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from interop_process import SwiftServer
from octollm.v1.orchestrator_pb2 import GetTaskRequest
from octollm_process import Server
from raw_http2 import PREFACE, Answer, Headers, RawConnection, data, frame, headers_frame, message, settings
from victim import Victim

PATH = "/octollm.v1.Orchestrator/GetTask"
REQUEST = GetTaskRequest(task_id="none").SerializeToString()
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32
NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]


@pytest.fixture(scope="module")
def victim(server: Server) -> Iterator[Victim]:
    victim = Victim(server.port, server.process.pid, PATH, REQUEST, grpc.StatusCode.NOT_FOUND)
    yield victim
    victim.has_recovered()


@pytest.fixture
def connection(victim: Victim) -> Iterator[RawConnection]:
    with RawConnection(victim.port) as connection:
        yield connection
    victim.answers()


def call(connection: RawConnection, stream: int) -> bytes:
    return connection.request(stream, PATH) + data(stream, message(REQUEST), end=True)


# What costs the connection (RFC 9113), or does with nghttp2, which may be stricter.
CONNECTION_ERRORS: dict[str, Callable[[RawConnection], bytes]] = {
    "frame over the limit": lambda c: c.request(1, PATH) + frame(DATA, 0, 1, bytes(16_385)),
    "frame that announces 16 MiB": lambda c: frame(SETTINGS, 0, 0, length=2**24 - 1),
    "DATA on stream 0": lambda c: frame(DATA, 0, 0, b"x"),
    "DATA on an idle stream": lambda c: frame(DATA, 0, 5, b"x"),
    "HEADERS on stream 0": lambda c: frame(HEADERS, END_HEADERS, 0, c.block(PATH)),
    "HEADERS on a stream of the server's": lambda c: frame(HEADERS, END_HEADERS, 2, c.block(PATH)),
    "stream that is older than the last": lambda c: call(c, 5) + call(c, 3),
    "PUSH_PROMISE": lambda c: frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + c.block(PATH)),
    "RST_STREAM on an idle stream": lambda c: frame(RST_STREAM, 0, 9, bytes(4)),
    "RST_STREAM on stream 0": lambda c: frame(RST_STREAM, 0, 0, bytes(4)),
    "RST_STREAM of 3 bytes": lambda c: c.request(1, PATH) + frame(RST_STREAM, 0, 1, bytes(3)),
    "PRIORITY on stream 0": lambda c: frame(PRIORITY, 0, 0, bytes(5)),
    "SETTINGS on a stream": lambda c: frame(SETTINGS, 0, 1),
    "SETTINGS of 5 bytes": lambda c: frame(SETTINGS, 0, 0, bytes(5)),
    "SETTINGS ACK with content": lambda c: frame(SETTINGS, ACK, 0, bytes(6)),
    "SETTINGS with ENABLE_PUSH 2": lambda c: settings({2: 2}),
    "SETTINGS with a window over 2^31-1": lambda c: settings({4: 2**31}),
    "SETTINGS with frames of 16,383 bytes": lambda c: settings({5: 16_383}),
    "PING of 7 bytes": lambda c: frame(PING, 0, 0, bytes(7)),
    "PING on a stream": lambda c: frame(PING, 0, 1, bytes(8)),
    "GOAWAY on a stream": lambda c: frame(GOAWAY, 0, 1, bytes(8)),
    "GOAWAY of 7 bytes": lambda c: frame(GOAWAY, 0, 0, bytes(7)),
    "WINDOW_UPDATE by nothing": lambda c: frame(WINDOW_UPDATE, 0, 0, bytes(4)),
    "WINDOW_UPDATE of 3 bytes": lambda c: frame(WINDOW_UPDATE, 0, 0, bytes(3)),
    "WINDOW_UPDATE over 2^31-1": lambda c: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)),
    "WINDOW_UPDATE on an idle stream": lambda c: frame(WINDOW_UPDATE, 0, 7, struct.pack(">I", 1)),
    "CONTINUATION without HEADERS": lambda c: frame(CONTINUATION, END_HEADERS, 1, b""),
    "CONTINUATION of another stream": lambda c: (
        headers_frame(1, c.block(PATH), end_headers=False) + frame(CONTINUATION, END_HEADERS, 3)
    ),
    "PING among CONTINUATION": lambda c: headers_frame(1, c.block(PATH), end_headers=False) + frame(PING, 0, 0, bytes(8)),
    "padding longer than the frame": lambda c: c.request(1, PATH) + frame(DATA, PADDED, 1, b"\xffx"),
    "padding of HEADERS longer than the frame": lambda c: frame(HEADERS, PADDED | END_HEADERS, 1, b"\xff\x82"),
    "priority of HEADERS cut short": lambda c: frame(HEADERS, HAS_PRIORITY | END_HEADERS, 1, b"\x00\x00"),
    "HEADERS over the limit": lambda c: headers_frame(1, bytes(16_385)),
    "HEADERS after the end": lambda c: c.request(1, PATH, end=True) * 2,
    "an unknown frame among CONTINUATION": lambda c: (
        headers_frame(1, c.block(PATH), end_headers=False) + frame(0xBE, 0, 1, b"what")
    ),
    "SETTINGS with frames of 16 MiB": lambda c: settings({5: 2**24}),
    "HPACK: index 0": lambda c: headers_frame(1, b"\x80"),
    "HPACK: index without entry": lambda c: headers_frame(1, b"\xff\x80\x10"),
    "HPACK: integer without end": lambda c: headers_frame(1, b"\xff" + b"\xff" * 20),
    "HPACK: string without end": lambda c: headers_frame(1, b"\x00\x7f\xff\x7fabc"),
    "HPACK: bad Huffman": lambda c: headers_frame(1, b"\x00\x84\xff\xff\xff\xff\x01x"),
    "HPACK: table over its limit": lambda c: headers_frame(1, b"\x3f\xe1\xff\xff\x7f"),
    "HPACK: update of the table at the end": lambda c: headers_frame(1, c.block(PATH) + b"\x20"),
    "WINDOW_UPDATE of a stream by nothing": lambda c: c.request(1, PATH) + frame(WINDOW_UPDATE, 0, 1, bytes(4)),
    "DATA after the end": lambda c: headers_frame(1, c.block(PATH), end=True) + frame(DATA, 0, 1, b"x"),
}


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_errors_of_the_connection_end_it(name: str, connection: RawConnection) -> None:
    connection.write(CONNECTION_ERRORS[name](connection))
    assert connection.is_ended()


BEGINNINGS = {
    "HTTP/1.1 POST": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "a preface that is almost right": PREFACE[:-1] + b"x" + settings(),
    "a preface without SETTINGS": PREFACE + frame(PING, 0, 0, bytes(8)),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(100),
    "noise": random.Random(1).randbytes(10_000),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_what_is_no_http2_is_ended(name: str, victim: Victim) -> None:
    with RawConnection(victim.port, handshake=False) as connection:
        connection.socket.sendall(BEGINNINGS[name])
        # What the server says to HTTP/1.1, if anything, is no frame: only whether it closes is looked at.
        connection.socket.settimeout(10)
        try:
            while connection.socket.recv(65_536):
                pass
        except ConnectionResetError:
            pass
    victim.answers()


# What costs the stream and no more (RFC 9113): a reset, or an answer that is an error.
STREAM_ERRORS: dict[str, Callable[[RawConnection], bytes]] = {
    "WINDOW_UPDATE over 2^31-1": lambda c: c.request(1, PATH) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 2**31 - 1)),
    "no :path": lambda c: headers_frame(1, c.block(PATH, without=[":path"])),
    "no :method": lambda c: headers_frame(1, c.block(PATH, without=[":method"])),
    "no :scheme": lambda c: headers_frame(1, c.block(PATH, without=[":scheme"])),
    "empty :path": lambda c: headers_frame(1, c.block("")),
    "two :path": lambda c: headers_frame(1, c.block(PATH) + c.block(PATH, without=[":method", ":scheme", ":authority"])),
    "a pseudo-header that is unknown": lambda c: headers_frame(1, c.block(PATH, [(":what", "x")])),
    "a pseudo-header of answers": lambda c: headers_frame(1, c.block(PATH, [(":status", "200")])),
    "a pseudo-header after fields": lambda c: headers_frame(
        1, c.block(PATH, [(":path", PATH)], without=[":path"])
    ),
    "connection": lambda c: c.request(1, PATH, [("connection", "close")]),
    "transfer-encoding": lambda c: c.request(1, PATH, [("transfer-encoding", "chunked")]),
    "te other than trailers": lambda c: headers_frame(1, c.block(PATH, te="gzip")),
    "an upper case name": lambda c: c.request(1, PATH, [("X-Upper", "1")]),
    "an empty name": lambda c: c.request(1, PATH, [("", "1")]),
    "a name with a space": lambda c: c.request(1, PATH, [("a b", "1")]),
    "a value with a line feed": lambda c: c.request(1, PATH, [("x", "a\nb: c")]),
    "a value with a carriage return": lambda c: c.request(1, PATH, [("x", "a\rb")]),
    "a value with a NUL": lambda c: c.request(1, PATH, [("x", "a\0b")]),
    "a content-length that is not so": lambda c: (
        c.request(1, PATH, [("content-length", "3")]) + data(1, message(REQUEST), end=True)
    ),
    "a content-length that is no number": lambda c: c.request(1, PATH, [("content-length", "-1")]),
    "trailers without the end": lambda c: c.request(1, PATH) + headers_frame(1, c.block(PATH)),
}


@pytest.mark.parametrize("name", STREAM_ERRORS)
def test_errors_of_a_stream_cost_no_more(name: str, connection: RawConnection) -> None:
    connection.write(STREAM_ERRORS[name](connection))
    answer = connection.answer(1)
    assert answer.reset is not None or answer.status not in (None, 0) or (answer.header(":status") or "2") >= "4", answer
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


# What comes for a stream after its end (RFC 9113 §5.1), written when the connection has seen that end.
AFTER_THE_END = {
    "DATA": lambda c: data(1, b"x" * 100),
    "HEADERS": lambda c: headers_frame(1, c.block(PATH), end=True),
    "CONTINUATION": lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block(PATH)),
}


@pytest.mark.parametrize("ended_by", ["both sides", "a reset", "us"])
@pytest.mark.parametrize("name", AFTER_THE_END)
def test_a_stream_does_not_go_on_after_its_end(name: str, ended_by: str, connection: RawConnection) -> None:
    if ended_by == "both sides":
        connection.write(call(connection, 1))
        assert connection.answer(1).is_ended
    elif ended_by == "a reset":
        connection.write(connection.request(1, PATH) + frame(RST_STREAM, 0, 1, struct.pack(">I", 8)))
    else:
        connection.write(call(connection, 1))
    connection.write(AFTER_THE_END[name](connection))
    assert connection.read_until(lambda: connection.is_refused(1))


def test_data_for_a_stream_that_the_server_ended_costs_nothing(connection: RawConnection) -> None:
    """A client may not know yet."""
    connection.write(connection.request(1, "/none/None"))
    assert connection.answer(1).is_ended
    for _ in range(100):
        connection.write(data(1, b"x" * 100))
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


def test_streams_over_the_limit_are_refused(connection: RawConnection) -> None:
    """nghttp2 ends the connection of a peer that has acknowledged the limit and does not keep it."""
    limit = connection.settings[3]
    connection.write(b"".join(connection.request(id, PATH) for id in range(1, 2 * limit + 3, 2)))
    assert connection.read_until(lambda: connection.is_refused(2 * limit + 1))


HARMLESS: dict[str, Callable[[RawConnection], bytes]] = {
    "flags that are unknown": lambda c: frame(PING, 0xFE, 0, bytes(8)),
    "a reserved bit": lambda c: frame(WINDOW_UPDATE, 0, 1 << 31, struct.pack(">I", 1)),
    "a frame that is unknown": lambda c: frame(0xBE, 0xFF, 0, b"what"),
    "a frame that is unknown, of a stream": lambda c: frame(0xBE, 0xFF, 9, b"what"),
    "a setting that is unknown": lambda c: settings({0xBEEF: 1}),
    "PRIORITY of an idle stream": lambda c: frame(PRIORITY, 0, 7, struct.pack(">IB", 0, 9)),
    "a reset with a code that is unknown": lambda c: c.request(1, PATH) + frame(RST_STREAM, 0, 1, b"\xff" * 4),
    "another table of HPACK": lambda c: settings({1: 0}) + settings({1: 100_000}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_allowed_costs_nothing(name: str, connection: RawConnection) -> None:
    connection.write(HARMLESS[name](connection))
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


def test_calls_that_come_with_a_goodbye_are_answered(connection: RawConnection) -> None:
    connection.write(frame(GOAWAY, 0, 0, bytes(8)) + call(connection, 1))
    assert connection.answer(1).status == NOT_FOUND


def test_a_window_may_become_negative(tmp_path: Path) -> None:
    """RFC 9113 §6.9.2. The answer is a message of five bytes."""
    with SwiftServer(tmp_path / "log") as server, RawConnection(server.port, {4: 3}) as connection:
        connection.write(connection.request(1, "/grpc.testing.TestService/EmptyCall") + data(1, message(b""), end=True))

        def has(count: int) -> bool:
            return connection.read_until(lambda: len(connection.answers.get(1, Answer()).body) == count)

        assert has(3)
        connection.write(settings({4: 1}) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 3)))
        assert has(4)
        connection.write(settings({4: 2}))
        assert connection.answer(1).status == 0


INVALID, INTERNAL, UNIMPLEMENTED, EXHAUSTED = 3, 13, 12, 8

# The body of a unary call with what it is answered; sizes and flags are those of its prefix.
MESSAGES = {
    "no message": (b"", {INVALID, INTERNAL, UNIMPLEMENTED}),
    "two messages": (message(REQUEST) * 2, {INVALID, INTERNAL, UNIMPLEMENTED}),
    "half a prefix": (b"\0\0\0", {INVALID, INTERNAL}),
    "half a message": (message(REQUEST)[:-1], {INVALID, INTERNAL}),
    "a message and half a prefix": (message(REQUEST) + b"\0\0", {INVALID, INTERNAL, UNIMPLEMENTED}),
    "a flag that does not exist": (message(REQUEST, flag=2), {INVALID, INTERNAL}),
    "all flags": (message(REQUEST, flag=255), {INVALID, INTERNAL}),
    "4 GiB": (message(b"", length=2**32 - 1), {EXHAUSTED}),
    "more than 4 MiB": (message(b"x", length=(4 << 20) + 1), {EXHAUSTED}),
    "compressed without an encoding": (message(REQUEST, flag=1), {INTERNAL, INVALID}),
    "no protobuf": (message(b"\xff\xff\xff\xff"), {INVALID, INTERNAL}),
    "a field that ends early": (message(b"\x0a\x20abc"), {INVALID, INTERNAL}),
    "a string that is no UTF-8": (message(b"\x0a\x02\xc3\x28"), {INVALID, INTERNAL}),
    "field number 0": (message(b"\x02\x00"), {INVALID, INTERNAL}),
    "wire type 7": (message(b"\x0f"), {INVALID, INTERNAL}),
    "a varint of 11 bytes": (message(b"\x08" + b"\xff" * 10 + b"\x01"), {INVALID, INTERNAL}),
    "the end of a group that has not begun": (message(b"\x0c"), {INVALID, INTERNAL}),
    "a group that does not end": (message(b"\x0b"), {INVALID, INTERNAL}),
    "groups, 200 deep": (message(b"\x0b" * 200 + b"\x0c" * 200), {INVALID, INTERNAL}),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_that_are_none(name: str, connection: RawConnection) -> None:
    body, expected = MESSAGES[name]
    connection.write(connection.request(1, PATH) + data(1, body, end=True))
    assert connection.answer(1).status in expected
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


GZIP: Headers = [("grpc-encoding", "gzip")]
COMPRESSED = {
    "no gzip": (b"nonsense", {INTERNAL, INVALID}),
    "nothing": (b"", {INTERNAL, INVALID}),
    "half of it": (None, {INTERNAL, INVALID}),
    "noise behind the header": (bytes.fromhex("1f8b08000000000000ff") + random.Random(2).randbytes(500), {INTERNAL, INVALID}),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_messages_that_are_none(name: str, connection: RawConnection) -> None:
    body, expected = COMPRESSED[name]
    body = gzip.compress(REQUEST * 10)[:-5] if body is None else body
    connection.write(connection.request(1, PATH, GZIP) + data(1, message(body, flag=1), end=True))
    assert connection.answer(1).status in expected
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


def test_an_unknown_encoding_is_answered_with_the_known_ones(connection: RawConnection) -> None:
    connection.write(connection.request(1, PATH, [("grpc-encoding", "snappy")]))
    connection.write(data(1, message(REQUEST, flag=1), end=True))
    answer = connection.answer(1)
    assert answer.status == UNIMPLEMENTED
    assert set((answer.header("grpc-accept-encoding") or "").replace(" ", "").split(",")) >= {"gzip", "deflate", "identity"}


# Heads that are HTTP but not quite gRPC: all end in an error, or are let pass, and cost the connection nothing.
HEADS: dict[str, tuple[dict[str, str], Headers]] = {
    "timeout without a unit": ({}, [("grpc-timeout", "10")]),
    "timeout with a bad unit": ({}, [("grpc-timeout", "10x")]),
    "timeout of nine digits": ({}, [("grpc-timeout", "123456789S")]),
    "timeout below nothing": ({}, [("grpc-timeout", "-1S")]),
    "timeout of nothing": ({}, [("grpc-timeout", "0n")]),
    "longest timeout": ({}, [("grpc-timeout", "99999999H")]),
    "two timeouts": ({}, [("grpc-timeout", "1S"), ("grpc-timeout", "2S")]),
    "bad base64": ({}, [("x-bin", "!!!!")]),
    "base64 of length 1": ({}, [("x-bin", "A")]),
    "empty binary value": ({}, [("x-bin", "")]),
    "commas alone": ({}, [("x-bin", ",,,")]),
    "a long binary value": ({}, [("x-bin", base64.b64encode(bytes(6_000)).decode())]),
    "bytes over 127": ({}, [("x", b"\xff\xfe\x80")]),
    "a grpc- field that is unknown": ({}, [("grpc-what", "1")]),
    "grpc-status in a request": ({}, [("grpc-status", "0")]),
    "GET": ({":method": "GET"}, []),
    "CONNECT-like method": ({":method": "BREW"}, []),
    "no content-type": ({"content-type": ""}, []),
    "another content-type": ({"content-type": "text/html"}, []),
    "grpc and something": ({"content-type": "application/grpcx"}, []),
    "path without a slash": ({":path": "octollm.v1.Orchestrator/GetTask"}, []),
    "path of slashes": ({":path": "////"}, []),
    "path of one slash": ({":path": "/"}, []),
    "long path": ({":path": "/" + "a" * 8_000}, []),
    "path with a query": ({":path": PATH + "?x=1"}, []),
    "path of another case": ({":path": PATH.lower()}, []),
    "path with percent": ({":path": "/octollm%2Ev1.Orchestrator/GetTask"}, []),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_are_odd(name: str, connection: RawConnection) -> None:
    changed, extra = HEADS[name]
    connection.write(headers_frame(1, connection.block(PATH, extra, **changed)) + data(1, message(REQUEST), end=True))
    answer = connection.answer(1)
    assert answer.reset is not None or answer.status not in (None, 0) or (answer.header(":status") or "2") >= "4", answer
    connection.write(call(connection, 3))
    assert connection.answer(3).status == NOT_FOUND


def test_noise(victim: Victim) -> None:
    """Conversations with bytes that are not what they were: the same ones in each run, or others by NOISE_SEED."""
    source = random.Random(int(os.environ.get("NOISE_SEED", "9113")))
    for _ in range(1_000):
        with RawConnection(victim.port, handshake=False) as connection:
            dialogue = bytearray(PREFACE + settings() + call(connection, 1) + call(connection, 3))
            for _ in range(source.randrange(1, 6)):
                # Mostly behind the preface, or nothing would be heard of the rest.
                position = source.randrange(len(PREFACE) if source.random() < 0.95 else 0, len(dialogue))
                match source.randrange(3):
                    case 0: dialogue[position] = source.randrange(256)  # fmt: skip
                    case 1: del dialogue[position : position + source.randrange(1, 9)]  # fmt: skip
                    case 2: dialogue[position:position] = source.randbytes(source.randrange(1, 9))  # fmt: skip
            connection.socket.sendall(dialogue)
            if source.random() < 0.1:
                connection.socket.recv(65_536)
    victim.answers()
