# SPDX-License-Identifier: Apache-2.0
"""Response headers as grpcio sees them: while the call still runs, and before the trailers of a call that fails."""

import threading
from collections.abc import Iterator

import grpc
import interop_client
import interop_schema as schema
import pytest
from interop_process import SwiftServer
from serving import PATIENCE

INITIAL = (schema.ECHO_INITIAL, "early")
TRAILING = (schema.ECHO_TRAILING, b"\x01late")
METADATA = (INITIAL, TRAILING)
FAILURE = schema.EchoStatus(code=grpc.StatusCode.ABORTED.value[0], message="as told")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    with SwiftServer(tmp_path_factory.mktemp("headers") / "log") as server:
        yield server


@pytest.fixture
def service(server: SwiftServer) -> Iterator[object]:
    with interop_client.channel(server.target) as channel:
        yield interop_client.Stub(channel).TestService


class Requests:
    """Messages that are sent when the test says so."""

    def __init__(self, *messages: object) -> None:
        self._messages = messages
        self._go_on = threading.Event()

    def __iter__(self) -> Iterator[object]:
        assert self._go_on.wait(PATIENCE)
        yield from self._messages

    def go_on(self) -> None:
        self._go_on.set()


def test_headers_come_before_the_server_has_a_request(service: object) -> None:
    """Sent at once by a handler that waits for its first message."""
    body = schema.ResponseParameters(size=10)
    requests = Requests(schema.StreamingOutputCallRequest(response_parameters=[body]))
    call = service.FullDuplexCall(iter(requests), metadata=METADATA, timeout=PATIENCE)
    assert INITIAL in call.initial_metadata()
    assert not call.done()
    requests.go_on()
    assert [len(response.message.payload.body) for response in call] == [10]
    assert TRAILING in call.trailing_metadata()


def test_headers_of_one_reply_come_before_its_requests(service: object) -> None:
    payload = schema.Payload(body=b"12345")
    requests = Requests(*[schema.StreamingInputCallRequest(payload=payload)] * 3)
    call = service.StreamingInputCall.future(iter(requests), metadata=METADATA, timeout=PATIENCE)
    assert INITIAL in call.initial_metadata()
    assert not call.done()
    requests.go_on()
    assert call.result().message.aggregated_payload_size == 15


def test_headers_come_before_the_first_of_many_replies(service: object) -> None:
    late = schema.ResponseParameters(size=10, interval_us=2 * PATIENCE * 1_000_000)
    request = schema.StreamingOutputCallRequest(response_parameters=[late])
    call = service.StreamingOutputCall(request, metadata=METADATA, timeout=2 * PATIENCE)
    assert INITIAL in call.initial_metadata()
    assert not call.done()
    call.cancel()


def test_headers_of_a_call_that_fails_are_no_trailers(service: object) -> None:
    """Its handler sends nothing itself, neither headers nor a message."""
    with pytest.raises(grpc.RpcError) as caught:
        service.UnaryCall(schema.SimpleRequest(response_status=FAILURE), metadata=METADATA, timeout=PATIENCE)
    check(caught.value)


def test_headers_of_a_call_that_fails_later_are_no_trailers(service: object) -> None:
    requests = Requests(schema.StreamingOutputCallRequest(response_status=FAILURE))
    call = service.FullDuplexCall(iter(requests), metadata=METADATA, timeout=PATIENCE)
    assert INITIAL in call.initial_metadata()
    requests.go_on()
    with pytest.raises(grpc.RpcError):
        next(call)
    check(call)


def check(call: grpc.Call) -> None:
    assert (call.code(), call.details()) == (grpc.StatusCode.ABORTED, "as told")
    assert INITIAL in call.initial_metadata()
    assert INITIAL not in call.trailing_metadata()
    assert TRAILING in call.trailing_metadata()


def test_an_error_without_headers_stays_one_block(service: object) -> None:
    """So that gRPC's clients may retry it (A6)."""
    with pytest.raises(grpc.RpcError) as caught:
        service.UnaryCall(schema.SimpleRequest(response_status=FAILURE), metadata=[TRAILING], timeout=PATIENCE)
    assert caught.value.code() == grpc.StatusCode.ABORTED
    assert caught.value.initial_metadata() == ()
    assert TRAILING in caught.value.trailing_metadata()
