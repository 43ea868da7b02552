# SPDX-License-Identifier: Apache-2.0
"""h2spec, the conformance suite of HTTP/2: every case of its version 2.6.0, the strict one included.

The cases follow h2spec's source (github.com/summerwind/h2spec, folders http2, hpack and generic) frame by frame, and ask
for more: where it is content with a connection that ends, the error code has to come, too, and where a case does no harm,
another request is answered after it. Each is tried in the shapes of `h2spec.Shape`, the first of which is h2spec's own. No
case is left out: those about the content of the answer to a GET, which h2spec skips where there is none, have the text of
status 405 for it.
"""

import struct
from collections.abc import Iterator

import grpc
import pytest
from h2spec import (
    CLOSED,
    DATA,
    END_HEADERS,
    END_STREAM,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    SECONDS,
    Case,
    Peer,
    Shape,
    continuation,
    data,
    headers,
    ping,
    window,
)
from h2spec_generic import GENERIC
from h2spec_hpack import HPACK
from h2spec_http2 import HTTP2, windows
from identity import make_identity
from interop_process import SwiftServer
from octollm.v1.orchestrator_pb2 import GetTaskRequest
from octollm_process import Server
from raw_http2 import RawConnection, frame, message
from victim import Victim

PATH = "/octollm.v1.Orchestrator/GetTask"
HEALTH = "/grpc.health.v1.Health/Check"
REQUEST = GetTaskRequest(task_id="none").SerializeToString()

CASES = {
    f"{folder}/{name}": case
    for folder, cases in {"http2": HTTP2, "hpack": HPACK, "generic": GENERIC}.items()
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def victim(server: Server) -> Iterator[Victim]:
    victim = Victim(server.port, server.process.pid, PATH, REQUEST, grpc.StatusCode.NOT_FOUND)
    yield victim
    victim.has_recovered()


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    folder = tmp_path_factory.mktemp("tls")
    with SwiftServer(folder / "log", *make_identity(folder).arguments) as server:
        yield server


def test_no_case_is_missing() -> None:
    """There are as many as in h2spec's source."""
    assert [len(cases) for cases in (HTTP2, HPACK, GENERIC)] == [95, 8, 44]
    assert [name for name, case in CASES.items() if case.is_strict] == ["http2/5.4.1/2 PING on a stream: GOAWAY"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        pytest.param(name, shape, id=f"{name} ({shape.value})")
        for name, case in CASES.items()
        for shape in Shape
        if shape != Shape.CALL or not case.is_for_get_alone
    ],
)
def test_case(name: str, shape: Shape, victim: Victim) -> None:
    case = CASES[name]
    with Peer(victim.port, PATH, shape, handshake=case.handshake) as peer:
        run(case, peer)
    victim.answers()


@pytest.mark.parametrize("name", CASES)
def test_case_over_tls(name: str, tls_server: SwiftServer) -> None:
    case = CASES[name]
    with Peer(tls_server.port, PATH, handshake=case.handshake, tls=True) as peer:
        run(case, peer)


def run(case: Case, peer: Peer) -> None:
    peer.say(case.steps(peer))
    case.check(peer)
    if case.is_harmless:
        # Without the dynamic table, since not all that the case has sent is in the encoder's.
        peer.write(headers(101, b"\x82\x86\x84\x01\x04test"))
        while peer.until(HEADERS).stream != 101:
            pass


def test_peers_that_do_not_close_their_end(victim: Victim) -> None:
    """The server reads on after GOAWAY, so that TCP does not reset the connection, for a second and no longer."""
    before = victim.connections()
    with Peer(victim.port, PATH) as peer:
        peer.write(frame(DATA, 0, 0, b"test"))
        peer.until(CLOSED)
        # A reset would be answered to this.
        peer.write(bytes(1 << 16))
        victim.answers()
        assert peer.next().kind == CLOSED
        assert victim.becomes(lambda: victim.connections() <= before, 2 * SECONDS)


class TestCalls:
    """What h2spec asks of the answer to its GET, asked of calls."""

    @pytest.mark.parametrize("padding", [b"", bytes(10)], ids=["plain", "padded"])
    @pytest.mark.parametrize("kind", ["HEADERS", "HEADERS with a priority", "CONTINUATION"])
    def test_frames_of_every_shape(self, kind: str, padding: bytes, victim: Victim) -> None:
        with RawConnection(victim.port) as connection:
            block = connection.block(PATH, [("x-dummy", "a" * 100)])
            prefix = bytes([len(padding)]) if padding else b""
            flags = PADDED if padding else 0
            if kind == "CONTINUATION":
                octets = frame(HEADERS, flags, 1, prefix + block[:10] + padding)
                octets += continuation(1, block[10:50], end=False) + continuation(1, block[50:])
            else:
                if kind == "HEADERS with a priority":
                    prefix += struct.pack(">IB", 0, 255)
                    flags |= HAS_PRIORITY
                octets = frame(HEADERS, flags | END_HEADERS, 1, prefix + block + padding)
            content = (bytes([len(padding)]) if padding else b"") + message(REQUEST) + padding
            connection.write(octets + frame(DATA, flags & PADDED | END_STREAM, 1, content))
            assert connection.answer(1, SECONDS).status == grpc.StatusCode.NOT_FOUND.value[0]

    @pytest.mark.parametrize("values", [[1], [100, 1]], ids=["one", "the last of two"])
    def test_the_window_is_kept_to(self, values: list[int], victim: Victim) -> None:
        with asked(victim, windows(*values)) as connection:
            assert connection.read_until(lambda: bool(connection.answers[1].body), SECONDS)
            assert len(connection.answers[1].body) == 1
            connection.write(window(1, 100))
            assert connection.answer(1, SECONDS).status == 0

    def test_the_window_changes_with_the_settings_while_a_stream_is_open(self, victim: Victim) -> None:
        with asked(victim, windows(0)) as connection:
            connection.write(ping(b"flushed?"))
            assert connection.read_until(lambda: bool(connection.pongs), SECONDS)
            assert connection.answers[1].body == b""
            connection.write(windows(1))
            assert connection.read_until(lambda: len(connection.answers[1].body) == 1, SECONDS)

    def test_the_window_may_be_negative(self, victim: Victim) -> None:
        with asked(victim, windows(3)) as connection:
            assert connection.read_until(lambda: len(connection.answers[1].body) == 3, SECONDS)
            connection.write(windows(2) + window(1, 2))
            assert connection.read_until(lambda: len(connection.answers[1].body) == 4, SECONDS)


def asked(victim: Victim, values: bytes) -> RawConnection:
    """A connection with these settings, on which a call is made whose answer is a message of seven bytes."""
    connection = RawConnection(victim.port)
    connection.write(values + connection.request(1, HEALTH) + data(1, message(b"")))
    assert connection.read_until(lambda: 1 in connection.answers, SECONDS)
    return connection
