# SPDX-License-Identifier: Apache-2.0
"""Metadata, compression, deadlines and streams over every road, with `taxon-connect server`, which tells what came and answers as
it is asked to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from connect_suite import METHODS, PACKAGE, ConnectServer, RequestInfo, code, message
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2
from http_wire import HTTP1, Wire, envelope
from identity import Identity
from road import Failure, Reply, Road
from roads import WIRES, over

UNARY, IDEMPOTENT, SERVER_STREAM, CLIENT_STREAM, BIDI = (
    METHODS[name] for name in ("Unary", "IdempotentUnary", "ServerStream", "ClientStream", "BidiStream")
)
LONG = 600_000
"""Milliseconds that no test waits for."""
SENT = [("x-one", "a"), ("x-one", "b"), ("x-two-bin", b"\x00\x01\x02")]
HEADERS = [{"name": "x-one", "value": ["a", "b"]}, {"name": "x-two-bin", "value": ["AAEC"]}]
TRAILERS = [{"name": "x-last", "value": ["c", "d"]}, {"name": "x-last-bin", "value": ["AwQ"]}]
DETAILS = [
    {"type_url": f"type.googleapis.com/{PACKAGE}.Header", "value": b"\x0a\x01a"},
    {"type_url": f"type.googleapis.com/{PACKAGE}.Header", "value": b"\x0a\x01b\x12\x01c"},
]
ERROR = {"code": code("ABORTED"), "message": "ünlucky 100%", "details": DETAILS}
BULK = b"1" * 9999


@pytest.fixture(scope="module")
def suite_servers(tmp_path_factory: pytest.TempPathFactory, signed_identity: Identity) -> Iterator[dict[bool, ConnectServer]]:
    folder: Path = tmp_path_factory.mktemp("suite")
    own = {"cert": signed_identity.certificate.read_bytes(), "key": signed_identity.key.read_bytes()}
    with (
        ConnectServer(folder / "log") as plain,
        ConnectServer(folder / "tls-log", use_tls=True, server_creds=own) as secure,
    ):
        yield {False: plain, True: secure}


@pytest.fixture(scope="module", params=WIRES)
def wire(request: pytest.FixtureRequest, suite_servers: dict[bool, ConnectServer], signed_identity: Identity) -> Iterator[Wire]:
    version, is_secure = request.param
    authority = signed_identity.authority.read_bytes() if is_secure else None
    with Wire(suite_servers[is_secure].port, version, authority) as wire:
        yield wire


@pytest.fixture
def road(request: pytest.FixtureRequest, wire: Wire) -> Road:
    return request.param(wire)


def carried(road: Road, *methods: MethodDescriptor) -> MethodDescriptor:
    """The first of the methods that the road carries."""
    return next(method for method in methods if road.carries(method))


def asked(method: MethodDescriptor, *, data: bytes = b"", full_duplex: bool | None = None, **definition: object) -> Message:
    more = {} if full_duplex is None else {"full_duplex": full_duplex}
    definition = {"response_headers": HEADERS, "response_trailers": TRAILERS} | definition
    return message(f"{method.name}Request")(response_definition=definition, request_data=data, **more)


def failure_of(road: Road, method: MethodDescriptor, *requests: Message, **options: object) -> Failure:
    with pytest.raises(Failure) as raised:
        road.call(method, *requests, **options)
    return raised.value


def values(fields: list[tuple[str, str]], name: str) -> list[str]:
    """Those of a name; several may share a line (RFC 9110 §5.3)."""
    return [value.strip().rstrip("=") for key, line in fields if key == name for value in line.split(",")]


def check_request(info: Message) -> None:
    seen = {header.name: [value.rstrip("=") for value in header.value] for header in info.request_headers}
    assert [value.strip() for line in seen["x-one"] for value in line.split(",")] == ["a", "b"]
    assert seen["x-two-bin"] == ["AAEC"]


def check_metadata(reply: Reply) -> None:
    assert values(reply.initial, "x-one") == ["a", "b"]
    assert values(reply.initial, "x-two-bin") == ["AAEC"]
    assert values(reply.trailing, "x-last") == ["c", "d"]
    assert values(reply.trailing, "x-last-bin") == ["AwQ"]


@over(UNARY, IDEMPOTENT)
def test_a_call_and_its_metadata_arrive(road: Road) -> None:
    method = carried(road, UNARY, IDEMPOTENT)
    request = asked(method, data=b"\x00\xff", response_data=b"\xfe\x01")
    reply = road.call(method, request, metadata=SENT)
    assert reply.message.payload.data == b"\xfe\x01"
    check_request(reply.message.payload.request_info)
    check_metadata(reply)
    assert [each.value for each in reply.message.payload.request_info.requests] == [request.SerializeToString()]


@over(UNARY, IDEMPOTENT)
def test_an_error_and_its_metadata_arrive(road: Road) -> None:
    method = carried(road, UNARY, IDEMPOTENT)
    failure = failure_of(road, method, asked(method, error=ERROR), metadata=SENT)
    assert failure.message == "ünlucky 100%"
    assert failure.http_status == road.http_status(409, code_pb2.ABORTED)
    assert values(failure.metadata, "x-one") == ["a", "b"]
    assert values(failure.metadata, "x-last-bin") == ["AwQ"]
    if failure.rich is None:
        assert failure.code == "ABORTED"
    else:
        assert failure.rich.code == code_pb2.ABORTED
        *details, told = failure.rich.details
        assert [(each.type_url, each.value) for each in details] == [(each["type_url"], each["value"]) for each in DETAILS]
        check_request(RequestInfo.FromString(told.value))


@over(UNARY, IDEMPOTENT)
def test_messages_are_compressed_both_ways(road: Road) -> None:
    method = carried(road, UNARY, IDEMPOTENT)
    request = asked(method, data=BULK, response_data=BULK)
    reply = road.call(method, request, compresses=True)
    assert reply.message.payload.data == BULK
    assert reply.message.payload.request_info.requests[0].value == request.SerializeToString()
    assert reply.answer.header(road.encoding_header) == "gzip"
    assert len(reply.answer.octets) < len(BULK)


@over(UNARY, IDEMPOTENT, only=lambda road: road.has_deadlines)
def test_a_call_ends_with_its_deadline(road: Road) -> None:
    method = carried(road, UNARY, IDEMPOTENT)
    failure = failure_of(road, method, asked(method, response_delay_ms=LONG), timeout=150)
    assert failure.rich.code == code_pb2.DEADLINE_EXCEEDED
    assert failure.http_status == road.http_status(504, code_pb2.DEADLINE_EXCEEDED)


@over(UNARY, IDEMPOTENT, only=lambda road: road.has_deadlines)
def test_a_handler_knows_its_deadline(road: Road) -> None:
    method = carried(road, UNARY, IDEMPOTENT)
    info = road.call(method, asked(method), timeout=LONG).message.payload.request_info
    assert LONG - 30_000 < info.timeout_ms <= LONG
    assert not road.call(method, asked(method)).message.payload.request_info.HasField("timeout_ms")


@over(METHODS["Unimplemented"])
def test_a_method_that_is_not_implemented(road: Road) -> None:
    method = METHODS["Unimplemented"]
    failure = failure_of(road, method, message("UnimplementedRequest")())
    # Taxon's own errors come without details here.
    assert failure.code in ("UNIMPLEMENTED", "METHOD_NOT_FOUND")
    assert failure.http_status in (200, 404, 501)


@over(SERVER_STREAM)
@pytest.mark.parametrize("compresses", [False, True], ids=["", "gzip"])
def test_a_stream_of_answers_arrives(road: Road, compresses: bool) -> None:
    method = SERVER_STREAM
    reply = road.call(method, asked(method, response_data=[b"1", BULK, b""]), metadata=SENT, compresses=compresses)
    assert [each.payload.data for each in reply.messages] == [b"1", BULK, b""]
    check_request(reply.messages[0].payload.request_info)
    check_metadata(reply)
    assert len(reply.answer.body) < len(BULK)


@over(SERVER_STREAM)
@pytest.mark.parametrize("data", [[], [b"1", b"2"]], ids=["alone", "behind messages"])
def test_a_stream_ends_in_an_error(road: Road, data: list[bytes]) -> None:
    method = SERVER_STREAM
    failure = failure_of(road, method, asked(method, response_data=data, error=ERROR))
    assert (failure.rich.code, failure.message) == (code_pb2.ABORTED, "ünlucky 100%")
    assert [each.value for each in failure.rich.details][:2] == [each["value"] for each in DETAILS]
    assert values(failure.metadata, "x-last") == ["c", "d"]
    assert values(failure.metadata, "x-one") == ["a", "b"]


@over(CLIENT_STREAM)
def test_a_stream_of_requests_arrives(road: Road) -> None:
    method = CLIENT_STREAM
    requests = [asked(method, response_data=b"1"), *(message("ClientStreamRequest")(request_data=data) for data in (BULK, b""))]
    reply = road.call(method, *requests, metadata=SENT, compresses=True)
    assert reply.message.payload.data == b"1"
    info = reply.message.payload.request_info
    assert [each.value for each in info.requests] == [each.SerializeToString() for each in requests]
    check_metadata(reply)


@over(BIDI)
def test_streams_both_ways_need_http2(road: Road) -> None:
    method = BIDI
    requests = [asked(method, response_data=[b"1", b"2"], full_duplex=True), message("BidiStreamRequest")(request_data=b"x")]
    if road.wire.version == HTTP1:
        answer = road.wire.send(
            "POST", f"/{method.containing_service.full_name}/{method.name}",
            [("content-type", stream_type(road)), ("te", "trailers")], envelope(road.codec.encode(requests[0])),
        )  # fmt: skip
        assert answer.status == 505
    else:
        assert [each.payload.data for each in road.call(method, *requests).messages] == [b"1", b"2"]


def stream_type(road: Road) -> str:
    kind = road.name.lower().removesuffix(" proto").removesuffix(" json").replace(" ", "-")
    return f"application/{kind}+{road.codec.name}"
