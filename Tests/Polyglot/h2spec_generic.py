# SPDX-License-Identifier: Apache-2.0
"""The cases of h2spec's folder generic, under its numbers and in its order: what a server has to take."""

import struct

from h2spec import (
    DATA,
    END_STREAM,
    GOAWAY,
    HAS_PRIORITY,
    INITIAL_WINDOW_SIZE,
    PADDED,
    Case,
    Peer,
    Steps,
    answered,
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
    window,
)
from h2spec_http2 import POST, STARTING, open_stream
from raw_http2 import frame, settings

HUFFMAN_USER_AGENT, USER_AGENT = "87 b5 05 b1 61 cc 5a 93", "0a 75 73 65 72 2d 61 67 65 6e 74"
HUFFMAN_TEST, TEST = "85 f2 b2 4a 84 ff", "06 78 2d 74 65 73 74"
HUFFMAN_H2SPEC, H2SPEC = "84 9c 48 ac a4", "06 68 32 73 70 65 63"


def prioritized(stream: int, dependency: int = 0, **properties: object) -> Case:
    """PRIORITY of a stream that is idle, and then a request."""
    return answered(lambda p: [priority(stream, dependency, **properties), open_stream(p)])


def posted(*frames: bytes) -> Case:
    """A POST with these frames after its headers."""
    return answered(lambda p: [open_stream(p, POST, end=False), *frames])


def waiting(*frames: bytes) -> Case:
    """A request whose answer's content waits for the window, which the last frame opens."""
    return piece(lambda p: [settings({INITIAL_WINDOW_SIZE: 0}), open_stream(p), *frames])


def ending(*octets: str) -> Case:
    """A header block with a field at its end."""
    return answered(lambda p: [headers(1, p.head() + bytes.fromhex(" ".join(octets)))])


def beginning(octets: str) -> Case:
    """A header block with updates of the table's size at its start."""
    return answered(lambda p: [headers(1, bytes.fromhex(octets) + p.head())])


def in_pieces(*ends: int) -> Case:
    """A header block that is cut there."""

    def steps(peer: Peer) -> Steps:
        block = peer.head()
        pieces = [block[start:end] for start, end in zip(ends, [*ends[1:], len(block)], strict=True)]
        first = headers(1, block[: ends[0]], end_headers=False)
        return [first, *(continuation(1, each, end=each is pieces[-1]) for each in pieces)]

    return answered(steps)


def with_trailers(peer: Peer) -> Steps:
    first = open_stream(peer, POST, end=False, extra=[("trailer", "x-test")])
    return [first, data(1, end=False), headers(1, peer.fields([("x-test", "ok")]))]


SETTINGS = {1: 4096, 2: 1, 3: 100, 4: 65_535, 5: 16_384, 6: 100}

GENERIC = {
    "1/1 SETTINGS come first": STARTING["3.5/1 SETTINGS come first"],
    "2/1 idle: PRIORITY": ponged(lambda p: [priority(1)]),
    "2/2 half-closed (remote): WINDOW_UPDATE": waiting(window(1, 1)),
    "2/3 half-closed (remote): PRIORITY": waiting(priority(1), window(1, 1)),
    "2/4 half-closed (remote): RST_STREAM": ponged(lambda p: [open_stream(p), reset(1)]),
    "2/5 closed: PRIORITY": ponged(lambda p: [open_stream(p), stream_ended, priority(1)]),
    "3.1/1 DATA": posted(data(1)),
    "3.1/2 DATA twice": posted(data(1, end=False), data(1)),
    "3.1/3 DATA with padding": posted(frame(DATA, PADDED | END_STREAM, 1, b"\x05test" + bytes(5))),
    "3.2/1 HEADERS": answered(lambda p: [open_stream(p)]),
    "3.2/2 HEADERS with padding": answered(lambda p: [headers(1, b"\x08" + p.head() + bytes(8), flags=PADDED)]),
    "3.2/3 HEADERS with a priority": answered(
        lambda p: [headers(1, struct.pack(">IB", 0, 255) + p.head(), flags=HAS_PRIORITY)]
    ),
    "3.3/1 PRIORITY 1": prioritized(1, weight=0),
    "3.3/2 PRIORITY 256": prioritized(1),
    "3.3/3 PRIORITY that depends on a stream": prioritized(3, 1, weight=0),
    "3.3/4 PRIORITY that is exclusive": prioritized(1, weight=0, exclusive=True),
    "3.3/5 PRIORITY of a higher stream": prioritized(3),
    "3.4/1 RST_STREAM": ponged(lambda p: [open_stream(p, end=False), reset(1)]),
    "3.5/1 SETTINGS": Case(lambda p: [settings(SETTINGS)], settings_acknowledged, is_harmless=True),
    "3.7/1 PING": ponged(lambda p: [], b"h2spec\0\0"),
    "3.8/1 GOAWAY": ponged_or_closed(lambda p: [frame(GOAWAY, 0, 0, bytes(8) + b"h2spec")], b"h2spec\0\0"),
    "3.9/1 WINDOW_UPDATE of the connection": ponged(lambda p: [window(0, 1)]),
    "3.9/2 WINDOW_UPDATE of a stream": answered(lambda p: [open_stream(p), window(1, 1)]),
    "3.10/1 CONTINUATION": in_pieces(5),
    "3.10/2 CONTINUATION twice": in_pieces(5, 10),
    "4/1 GET": answered(lambda p: [open_stream(p)]),
    "4/2 HEAD": answered(lambda p: [open_stream(p, "HEAD")]),
    "4/3 POST": posted(data(1)),
    "4/4 POST with trailers": answered(with_trailers),
    "5/1 an index": ending("ba"),
    # What h2spec calls names that are indexed are literals; of the fourth kind it sends the third again.
    **{
        f"5/{2 + 4 * number + index} a literal {kind}: {name}": ending(prefix, *strings)
        for number, (prefix, kind) in enumerate(
            [("40", "with incremental indexing"), ("00", "without indexing"), ("10", "never indexed")]
        )
        for index, (name, strings) in enumerate(
            {
                "user-agent with Huffman coding": (HUFFMAN_USER_AGENT, HUFFMAN_H2SPEC),
                "user-agent": (USER_AGENT, H2SPEC),
                "x-test": (TEST, H2SPEC),
                "x-test with Huffman coding": (HUFFMAN_TEST, HUFFMAN_H2SPEC),
            }.items()
        )
    },
    "5/14 an update of the table's size": beginning("3f 61"),
    "5/15 two updates of the table's size": beginning("3f 61 3f e1 1f"),
}
