# SPDX-License-Identifier: Apache-2.0
"""The cases of h2spec's folder http2, under its numbers and in its order."""

import struct
from collections.abc import Callable
from dataclasses import replace

from h2spec import (
    ACK,
    CLOSED,
    COMPRESSION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL,
    FRAME_SIZE,
    GOAWAY,
    HAS_PRIORITY,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL,
    PUSH_PROMISE,
    REFUSED,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    Case,
    Peer,
    Steps,
    answered,
    connection_error,
    continuation,
    data,
    headers,
    piece,
    ponged,
    ponged_or_closed,
    priority,
    reset,
    settings_acknowledged,
    stream_ended,
    stream_error,
    window,
)
from raw_http2 import PREFACE, Headers, frame, settings

UNKNOWN = 0x16
POST = "POST"


def case(check: Callable[[Peer], None], steps: Callable[[Peer], Steps], **properties: bool) -> Case:
    return Case(steps, check, **properties)


def open_stream(peer: Peer, method: str = "GET", *, end: bool = True, extra: Headers = []) -> bytes:  # noqa: B006
    """A request on stream 1; one that ends with its headers unless told otherwise."""
    return headers(1, peer.head(method, extra), end=end)


def beginning(peer: Peer, *, end: bool = True) -> bytes:
    """HEADERS whose block goes on."""
    return headers(1, peer.head(), end=end, end_headers=False)


def first_is_settings(peer: Peer) -> None:
    event = peer.next()
    assert event.kind == SETTINGS and not event.flags & ACK, peer.seen


def only_closed(peer: Peer) -> None:
    peer.until(CLOSED)


def over_the_limit(peer: Peer) -> Steps:
    limit = peer.settings[MAX_CONCURRENT_STREAMS]
    # h2spec writes one block many times.
    block = peer.head()
    return [settings({INITIAL_WINDOW_SIZE: 0}), *(headers(2 * number + 1, block) for number in range(limit + 1))]


def bad_padding(peer: Peer) -> Steps:
    block = peer.head()
    return [headers(1, bytes([len(block) + 2]) + block, flags=PADDED)]


def window_overflows_on_the_connection(peer: Peer) -> None:
    assert peer.until(GOAWAY).code == FLOW_CONTROL, peer.seen
    peer.until(CLOSED)


def window_overflows_on_the_stream(peer: Peer) -> None:
    # The first RST_STREAM there is: one with NO_ERROR, which asks the peer to stop, would not do.
    event = peer.until(RST_STREAM)
    assert event.stream == 1 and event.code == FLOW_CONTROL, peer.seen


def windows(*values: int) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", INITIAL_WINDOW_SIZE, value) for value in values))


def trailers(peer: Peer, field: tuple[str, str]) -> Steps:
    """A second HEADERS frame that does not end the stream."""
    return [open_stream(peer, POST, end=False), data(1, end=False), headers(1, peer.fields([field]), end=False)]


def malformed(extra: Headers = [], **changes: object) -> Case:  # noqa: B006
    """A request that is one HEADERS frame, and malformed."""
    return stream_error(lambda p: [headers(1, p.head(extra=extra, **changes))], PROTOCOL)


STARTING = {
    "3.5/1 SETTINGS come first": case(
        first_is_settings, lambda p: [PREFACE, settings({INITIAL_WINDOW_SIZE: 65_535})], handshake=False
    ),
    # h2spec takes GOAWAY, too.
    "3.5/2 a wrong preface": case(only_closed, lambda p: [b"INVALID CONNECTION PREFACE\r\n\r\n"], handshake=False),
}  # fmt: skip

FRAMES = {
    "4.1/1 an unknown frame": ponged(lambda p: [frame(UNKNOWN, 0, 0, bytes(8))]),
    "4.1/2 unknown flags": case(lambda p: p.until(PING), lambda p: [frame(PING, 0x16, 0, bytes(8))], is_harmless=True),
    "4.1/3 the reserved bit": case(
        lambda p: p.until(PING), lambda p: [frame(PING, 0x16, 1 << 31, bytes(8))], is_harmless=True
    ),
    "4.2/1 DATA of 16,384 bytes": answered(lambda p: [open_stream(p, POST, end=False), data(1, b"x" * 16_384)]),
    "4.2/2 DATA over SETTINGS_MAX_FRAME_SIZE": stream_error(
        lambda p: [open_stream(p, POST, end=False), data(1, b"x" * 16_385)], FRAME_SIZE
    ),
    "4.2/3 HEADERS over SETTINGS_MAX_FRAME_SIZE": connection_error(
        lambda p: [open_stream(p, extra=p.dummy_fields(5))], FRAME_SIZE
    ),
    "4.3/1 a literal that ends before its name": connection_error(lambda p: [headers(1, b"\x40")], COMPRESSION),
    "4.3/2 PRIORITY within a header block": connection_error(
        lambda p: [beginning(p, end=False), priority(1), continuation(1, p.dummies())], PROTOCOL
    ),
    "4.3/3 HEADERS of another stream within a header block": connection_error(
        lambda p: [beginning(p, end=False), headers(3, p.head()), continuation(1, p.dummies())], PROTOCOL
    ),
}  # fmt: skip

STREAMS = {
    "5.1/1 idle: DATA": connection_error(lambda p: [data(1)], PROTOCOL),
    "5.1/2 idle: RST_STREAM": connection_error(lambda p: [reset(1)], PROTOCOL),
    "5.1/3 idle: WINDOW_UPDATE": connection_error(lambda p: [window(1, 100)], PROTOCOL),
    "5.1/4 idle: CONTINUATION": connection_error(lambda p: [continuation(1, p.head())], PROTOCOL),
    "5.1/5 half-closed (remote): DATA": stream_error(lambda p: [open_stream(p), data(1)], STREAM_CLOSED),
    "5.1/6 half-closed (remote): HEADERS": stream_error(lambda p: [open_stream(p), open_stream(p)], STREAM_CLOSED),
    "5.1/7 half-closed (remote): CONTINUATION": stream_error(
        lambda p: [headers(1, block := p.head()), continuation(1, block)], STREAM_CLOSED, PROTOCOL
    ),
    "5.1/8 closed by RST_STREAM: DATA": stream_error(
        lambda p: [open_stream(p, end=False), reset(1), data(1)], STREAM_CLOSED
    ),
    "5.1/9 closed by RST_STREAM: HEADERS": stream_error(
        lambda p: [open_stream(p, end=False), reset(1), open_stream(p)], STREAM_CLOSED
    ),
    "5.1/10 closed by RST_STREAM: CONTINUATION": stream_error(
        lambda p: [open_stream(p, end=False), reset(1), continuation(1, p.dummies())], STREAM_CLOSED, PROTOCOL
    ),
    "5.1/11 closed: DATA": stream_error(lambda p: [open_stream(p), stream_ended, data(1)], STREAM_CLOSED),
    "5.1/12 closed: HEADERS": connection_error(
        lambda p: [headers(1, block := p.head()), stream_ended, headers(1, block)], STREAM_CLOSED
    ),
    "5.1/13 closed: CONTINUATION": connection_error(
        lambda p: [open_stream(p), stream_ended, continuation(1, p.dummies())], STREAM_CLOSED, PROTOCOL
    ),
    "5.1.1/1 an even number": connection_error(lambda p: [headers(2, p.head())], PROTOCOL),
    "5.1.1/2 a number below the last": connection_error(lambda p: [headers(5, p.head()), headers(3, p.head())], PROTOCOL),
    # A call without a message is answered by headers alone, which no window holds: its stream does not stay.
    "5.1.2/1 more streams than allowed": replace(
        stream_error(over_the_limit, PROTOCOL, REFUSED), is_for_get_alone=True
    ),
    "5.3.1/1 HEADERS that depend on themselves": stream_error(
        lambda p: [headers(1, struct.pack(">IB", 1, 255) + p.head(), flags=HAS_PRIORITY)], PROTOCOL
    ),
    "5.3.1/2 PRIORITY that depends on itself": stream_error(lambda p: [priority(1, 1)], PROTOCOL),
    "5.4.1/1 PING on a stream: the connection ends": case(only_closed, lambda p: [frame(PING, 0, 3, bytes(8))]),
    "5.4.1/2 PING on a stream: GOAWAY": case(
        lambda p: p.until(GOAWAY), lambda p: [frame(PING, 0, 3, bytes(8))], is_strict=True
    ),
    "5.5/1 an unknown frame": ponged(lambda p: [frame(UNKNOWN, 0, 0, bytes(8))]),
    "5.5/2 an unknown frame within a header block": connection_error(
        lambda p: [beginning(p), frame(UNKNOWN, 0, 0, bytes(8))], PROTOCOL
    ),
}  # fmt: skip

DEFINITIONS = {
    "6.1/1 DATA on stream 0": connection_error(lambda p: [data(0)], PROTOCOL),
    "6.1/2 DATA on a stream that is not open": stream_error(lambda p: [open_stream(p, POST), data(1)], STREAM_CLOSED),
    "6.1/3 DATA with padding over its size": connection_error(
        lambda p: [
            open_stream(p, POST, end=False, extra=[("content-length", "4")]),
            frame(DATA, PADDED | END_STREAM, 1, b"\x06Test"),
        ],
        PROTOCOL,
    ),
    "6.2/1 PRIORITY within a header block": connection_error(
        lambda p: [beginning(p, end=False), priority(1), continuation(1, p.dummies())], PROTOCOL
    ),
    "6.2/2 HEADERS of another stream within a header block": connection_error(
        lambda p: [beginning(p, end=False), headers(3, p.head()), continuation(1, p.dummies())], PROTOCOL
    ),
    "6.2/3 HEADERS on stream 0": connection_error(lambda p: [headers(0, p.head())], PROTOCOL),
    "6.2/4 HEADERS with padding over their size": stream_error(bad_padding, PROTOCOL),
    "6.3/1 PRIORITY on stream 0": connection_error(lambda p: [priority(0)], PROTOCOL),
    "6.3/2 PRIORITY of four bytes": stream_error(
        lambda p: [open_stream(p), frame(PRIORITY, 0, 1, bytes.fromhex("80 00 00 01"))], FRAME_SIZE
    ),
    "6.4/1 RST_STREAM on stream 0": connection_error(lambda p: [reset(0)], PROTOCOL),
    "6.4/2 RST_STREAM on an idle stream": connection_error(lambda p: [reset(1)], PROTOCOL),
    "6.4/3 RST_STREAM of three bytes": stream_error(
        lambda p: [open_stream(p), frame(RST_STREAM, 0, 1, bytes(3))], FRAME_SIZE
    ),
    "6.5/1 SETTINGS with ACK and content": connection_error(lambda p: [frame(SETTINGS, ACK, 0, b"\0")], FRAME_SIZE),
    "6.5/2 SETTINGS on a stream": connection_error(
        lambda p: [frame(SETTINGS, 0, 1, struct.pack(">HI", MAX_CONCURRENT_STREAMS, 100))], PROTOCOL
    ),
    "6.5/3 SETTINGS of three bytes": stream_error(
        lambda p: [frame(SETTINGS, 0, 0, bytes.fromhex("00 03 00"))], PROTOCOL, FRAME_SIZE
    ),
    "6.5.2/1 ENABLE_PUSH of 2": connection_error(lambda p: [settings({2: 2})], PROTOCOL),
    "6.5.2/2 INITIAL_WINDOW_SIZE over 2^31-1": connection_error(lambda p: [windows(2**31)], FLOW_CONTROL),
    "6.5.2/3 MAX_FRAME_SIZE below 16,384": connection_error(lambda p: [settings({5: 16_383})], PROTOCOL),
    "6.5.2/4 MAX_FRAME_SIZE over 2^24-1": connection_error(lambda p: [settings({5: 2**24})], PROTOCOL),
    "6.5.2/5 an unknown setting": ponged(lambda p: [settings({0xFF: 1})]),
    "6.5.3/1 settings count in their order": piece(
        lambda p: [windows(100, 1), settings_acknowledged, open_stream(p)], 1
    ),
    "6.5.3/2 SETTINGS are acknowledged": case(settings_acknowledged, lambda p: [settings({2: 0})], is_harmless=True),
    "6.7/1 PING is answered": ponged(lambda p: [], b"h2spec\0\0"),
    "6.7/2 an answer to PING is not": ponged(lambda p: [frame(PING, ACK, 0, b"invalid\0")], b"h2spec\0\0"),
    "6.7/3 PING on a stream": connection_error(lambda p: [frame(PING, 0, 1, bytes(8))], PROTOCOL),
    "6.7/4 PING of six bytes": connection_error(lambda p: [frame(PING, 0, 0, bytes(6))], FRAME_SIZE),
    "6.8/1 GOAWAY on a stream": connection_error(lambda p: [frame(GOAWAY, 0, 1, bytes(8))], PROTOCOL),
    "6.9/1 WINDOW_UPDATE by nothing": connection_error(lambda p: [window(0, 0)], PROTOCOL),
    "6.9/2 WINDOW_UPDATE of a stream by nothing": stream_error(
        lambda p: [open_stream(p, end=False), window(1, 0)], PROTOCOL
    ),
    "6.9/3 WINDOW_UPDATE of three bytes": connection_error(
        lambda p: [frame(WINDOW_UPDATE, 0, 0, bytes.fromhex("00 00 01"))], FRAME_SIZE
    ),
    "6.9.1/1 a window of one byte": piece(lambda p: [windows(1), settings_acknowledged, open_stream(p)], 1),
    "6.9.1/2 the connection's window over 2^31-1": case(
        window_overflows_on_the_connection, lambda p: [window(0, 2**31 - 1), window(0, 2**31 - 1)]
    ),
    "6.9.1/3 a stream's window over 2^31-1": case(
        window_overflows_on_the_stream,
        lambda p: [open_stream(p, end=False), window(1, 2**31 - 1), window(1, 2**31 - 1)],
        is_harmless=True,
    ),
    "6.9.2/1 the window of an open stream changes with the settings": piece(
        lambda p: [windows(0), settings_acknowledged, open_stream(p), windows(1)], 1
    ),
    "6.9.2/2 a window that is negative": piece(
        lambda p: [
            windows(3), settings_acknowledged, open_stream(p), lambda p: p.until(DATA),
            windows(2), settings_acknowledged, window(1, 2),
        ],
        1,
    ),
    "6.9.2/3 INITIAL_WINDOW_SIZE over 2^31-1": connection_error(lambda p: [windows(2**31)], FLOW_CONTROL),
    "6.10/1 CONTINUATION more than once": answered(
        lambda p: [beginning(p), continuation(1, p.dummies(), end=False), continuation(1, p.dummies())]
    ),
    "6.10/2 another frame after CONTINUATION without END_HEADERS": connection_error(
        lambda p: [
            headers(1, p.head(POST), end=False, end_headers=False),
            continuation(1, p.dummies(), end=False),
            data(1),
        ],
        PROTOCOL,
    ),
    "6.10/3 CONTINUATION on stream 0": connection_error(lambda p: [beginning(p), continuation(0, p.dummies())], PROTOCOL),
    "6.10/4 CONTINUATION after HEADERS with END_HEADERS": connection_error(
        lambda p: [open_stream(p), continuation(1, p.dummies())], PROTOCOL
    ),
    "6.10/5 CONTINUATION after CONTINUATION with END_HEADERS": connection_error(
        lambda p: [beginning(p), continuation(1, p.dummies()), continuation(1, p.dummies())], PROTOCOL
    ),
    "6.10/6 DATA and CONTINUATION within a header block": connection_error(
        lambda p: [
            headers(1, p.head(POST), end=False, end_headers=False),
            data(1),
            continuation(1, p.dummies(), end=False),
            continuation(0, p.dummies()),
        ],
        PROTOCOL,
    ),
    "7/1 GOAWAY with an unknown code": ponged_or_closed(
        lambda p: [frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xFF))], b"h2spec\0\0"
    ),
    "7/2 RST_STREAM with an unknown code": ponged(lambda p: [open_stream(p, POST, end=False), reset(1, 0xFF)]),
}  # fmt: skip

MESSAGES = {
    "8.1/1 a second HEADERS without END_STREAM": stream_error(lambda p: trailers(p, ("x-test", "ok")), PROTOCOL),
    "8.1.2/1 an upper case name": malformed([("X-TEST", "ok")]),
    "8.1.2.1/1 an unknown pseudo-header": malformed([(":test", "ok")]),
    "8.1.2.1/2 a pseudo-header of answers": malformed([(":status", "200")]),
    "8.1.2.1/3 a pseudo-header in trailers": stream_error(lambda p: trailers(p, (":method", "POST")), PROTOCOL),
    "8.1.2.1/4 pseudo-headers after a field": malformed(before=[("x-test", "ok")]),
    "8.1.2.2/1 a field of the connection": malformed([("connection", "keep-alive")]),
    "8.1.2.2/2 te other than trailers": malformed([("trailers", "test"), ("te", "trailers, deflate")]),
    "8.1.2.3/1 an empty :path": malformed(path=""),
    # h2spec leaves out :scheme as well, by mistake.
    "8.1.2.3/2 no :method": malformed(without=":method :scheme"),
    "8.1.2.3/3 no :scheme": malformed(without=":scheme"),
    "8.1.2.3/4 no :path": malformed(without=":path"),
    "8.1.2.3/5 two :method": malformed([(":method", "GET")]),
    "8.1.2.3/6 two :scheme": malformed([(":scheme", "http")]),
    "8.1.2.3/7 two :path": malformed([(":path", "/")]),
    "8.1.2.6/1 a content-length other than DATA's": stream_error(
        lambda p: [open_stream(p, POST, end=False, extra=[("content-length", "1")]), data(1)], PROTOCOL
    ),
    "8.1.2.6/2 a content-length other than that of several DATA": stream_error(
        lambda p: [open_stream(p, POST, end=False, extra=[("content-length", "1")]), data(1, end=False), data(1)],
        PROTOCOL,
    ),
    "8.2/1 PUSH_PROMISE": connection_error(
        lambda p: [frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 3) + p.head())], PROTOCOL
    ),
}  # fmt: skip

HTTP2 = STARTING | FRAMES | STREAMS | DEFINITIONS | MESSAGES
