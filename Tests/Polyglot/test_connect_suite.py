# SPDX-License-Identifier: Apache-2.0
"""The programs for the Connect suite, by cases of our own: the suite itself is not at hand here."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc
import pytest
from connect_suite import SERVICE, ClientRequest, ConnectServer, RequestInfo, code, message, number, run_client
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from identity import Identity, make_identity

UNARY, CLIENT_STREAM, SERVER_STREAM, HALF_DUPLEX, FULL_DUPLEX = (
    number("StreamType", f"STREAM_TYPE_{name}")
    for name in ("UNARY", "CLIENT_STREAM", "SERVER_STREAM", "HALF_DUPLEX_BIDI_STREAM", "FULL_DUPLEX_BIDI_STREAM")
)
METHODS = {
    UNARY: "Unary", CLIENT_STREAM: "ClientStream", SERVER_STREAM: "ServerStream", HALF_DUPLEX: "BidiStream",
    FULL_DUPLEX: "BidiStream",
}  # fmt: skip
GZIP, DEFLATE = (number("Compression", f"COMPRESSION_{name}") for name in ("GZIP", "DEFLATE"))
LONG = 600_000
"""Milliseconds that no test waits for."""

HEADERS = [{"name": "x-one", "value": ["a", "b"]}, {"name": "x-two-bin", "value": ["AAEC"]}]
TRAILERS = [{"name": "x-last", "value": ["c", "d"]}]
RESPONSE_METADATA = {"response_headers": HEADERS, "response_trailers": TRAILERS}
# Two of one type, one of a type that nobody knows, another prefix.
DETAILS = [
    {"type_url": "type.googleapis.com/google.protobuf.BytesValue", "value": b"\x0a\x01a"},
    {"type_url": "type.googleapis.com/google.protobuf.BytesValue", "value": b"\x0a\x01b"},
    {"type_url": "example.com/x/nobody.knows.It", "value": b"\xff"},
]
ERROR = {"code": code("ABORTED"), "message": "ünlucky 100%", "details": DETAILS}


def unary(**definition: object) -> dict:
    return {"response_definition": RESPONSE_METADATA | definition}


stream = unary


@dataclass
class Case:
    """A call, and what has to come of it."""

    kind: int
    requests: list[dict]
    data: list[bytes] = field(default_factory=list)
    """Of the answers."""
    told: list[int] = field(default_factory=list)
    """How many requests each answer tells of."""
    error: str | None = None
    message: str | None = None
    details: int = 0
    """How many of the error's come back; one more tells of the request."""
    metadata: bool = True
    """Whether the answer's headers and trailers come."""
    unsent: int = 0
    call: dict = field(default_factory=dict)
    """What else there is to say of the call."""


MORE = {"request_data": b"more"}
CASES = {
    "unary": Case(UNARY, [unary(response_data=b"1")], [b"1"], [1]),
    "unary without a definition": Case(UNARY, [{}], [b""], [1], metadata=False),
    "unary with an error": Case(UNARY, [unary(error=ERROR)], error="ABORTED", message="ünlucky 100%", details=4),
    "unary gzip": Case(UNARY, [unary(response_data=b"1" * 9999)], [b"1" * 9999], [1], call={"compression": GZIP}),
    "unary deflate": Case(UNARY, [unary(response_data=b"1" * 9999)], [b"1" * 9999], [1], call={"compression": DEFLATE}),
    "unary out of time": Case(
        UNARY, [unary(response_delay_ms=LONG)], error="DEADLINE_EXCEEDED", metadata=False, call={"timeout_ms": 100}
    ),
    "unary given up": Case(
        UNARY, [unary(response_delay_ms=LONG)], error="CANCELED", metadata=False,
        call={"cancel": {"after_close_send_ms": 50}},
    ),
    "unary given up at once": Case(
        UNARY, [unary(response_delay_ms=LONG)], error="CANCELED", metadata=False, call={"cancel": {}}
    ),
    "unary answer over the limit": Case(
        UNARY, [unary(response_data=b"1" * 5000)], error="RESOURCE_EXHAUSTED", metadata=False,
        call={"message_receive_limit": 4096},
    ),
    "client stream": Case(CLIENT_STREAM, [unary(response_data=b"1"), MORE, MORE], [b"1"], [3]),
    "client stream without requests": Case(CLIENT_STREAM, [], [b""], [0], metadata=False),
    "client stream with an error": Case(
        CLIENT_STREAM, [unary(error=ERROR), MORE], error="ABORTED", message="ünlucky 100%", details=4
    ),
    "client stream deflate": Case(
        CLIENT_STREAM, [unary(response_data=b"1"), MORE], [b"1"], [2], call={"compression": DEFLATE}
    ),
    "client stream given up before its end": Case(
        CLIENT_STREAM, [unary(response_data=b"1"), MORE], error="CANCELED", metadata=False,
        call={"cancel": {"before_close_send": {}}},
    ),
    "server stream": Case(SERVER_STREAM, [stream(response_data=[b"1", b"2", b"3"])], [b"1", b"2", b"3"], [1, 0, 0]),
    "server stream with nothing": Case(SERVER_STREAM, [stream()]),
    "server stream with an error alone": Case(SERVER_STREAM, [stream(error=ERROR)], error="ABORTED", details=4),
    "server stream with an error at its end": Case(
        SERVER_STREAM, [stream(response_data=[b"1", b"2"], error=ERROR)], [b"1", b"2"], [1, 0], "ABORTED", details=3
    ),
    "server stream given up after an answer": Case(
        SERVER_STREAM, [stream(response_data=[b"1", b"2", b"3"], response_delay_ms=20)], [b"1"], [1], "CANCELED",
        metadata=False, call={"cancel": {"after_num_responses": 1}},
    ),
    "server stream out of time": Case(
        SERVER_STREAM, [stream(response_data=[b"1"], response_delay_ms=LONG)], error="DEADLINE_EXCEEDED", metadata=False,
        call={"timeout_ms": 200},
    ),
    "half duplex": Case(HALF_DUPLEX, [stream(response_data=[b"1", b"2"]), MORE], [b"1", b"2"], [2, 0]),
    "half duplex gzip with an error": Case(
        HALF_DUPLEX, [stream(error=ERROR), MORE], error="ABORTED", details=4, call={"compression": GZIP}
    ),
    "full duplex": Case(
        FULL_DUPLEX, [stream(response_data=[b"1", b"2", b"3"]) | {"full_duplex": True}, MORE], [b"1", b"2", b"3"], [1, 1, 0]
    ),
    "full duplex ended early": Case(
        FULL_DUPLEX, [stream(response_data=[b"1"], error=ERROR) | {"full_duplex": True}, MORE, MORE, MORE], [b"1"], [1],
        "ABORTED", details=3, unsent=2, call={"request_delay_ms": 10},
    ),
    "full duplex given up after an answer": Case(
        FULL_DUPLEX, [stream(response_data=[b"1", b"2"], response_delay_ms=20) | {"full_duplex": True}], [b"1"], [1],
        "CANCELED", metadata=False, call={"cancel": {"after_num_responses": 1}},
    ),
}  # fmt: skip


def headers(entries: list[Message]) -> dict[str, list[str]]:
    return {entry.name: list(entry.value) for entry in entries}


def request(server: ConnectServer, kind: int, messages: list[dict], method: str = "", **more: object) -> Message:
    """What the suite's runner would ask the client for."""
    method = method or METHODS[kind]
    result = ClientRequest(
        test_name=method, host=server.host, port=server.port, service=SERVICE, method=method, stream_type=kind,
        server_tls_cert=server.certificate, request_headers=HEADERS, **more,
    )  # fmt: skip
    for content in messages:
        result.request_messages.add().Pack(message(f"{method}Request")(**content))
    return result


def outcome(asked: Message) -> Message:
    response = run_client([asked])[asked.test_name]
    assert response.WhichOneof("result") == "response", response.error.message
    return response.response


def check(case: Case, asked: Message, result: Message) -> None:
    assert [payload.data for payload in result.payloads] == case.data
    assert [len(payload.request_info.requests) for payload in result.payloads] == case.told
    infos = [payload.request_info for payload in result.payloads[:1]]
    if case.error is None:
        assert not result.HasField("error"), result.error
    else:
        assert result.error.code == code(case.error), result.error
        assert len(result.error.details) == case.details
        if case.message:
            assert result.error.message == case.message
        sent = [(detail.type_url, detail.value) for detail in result.error.details[:3]]
        assert not sent or sent == [(detail["type_url"], detail["value"]) for detail in DETAILS]
        if case.details > len(DETAILS):
            infos.append(RequestInfo.FromString(result.error.details[3].value))
    for info in infos:
        seen = headers(info.request_headers)
        assert all(seen[name] == values for name, values in headers(asked.request_headers).items())
        # What is told was sent, and in that order.
        assert list(info.requests) == list(asked.request_messages)[: len(info.requests)]
    if case.metadata:
        assert headers(result.response_headers).items() >= {"x-one": ["a", "b"], "x-two-bin": ["AAEC"]}.items()
        assert headers(result.response_trailers) == {"x-last": ["c", "d"]}
    assert result.num_unsent_requests == case.unsent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectServer]:
    with ConnectServer(tmp_path_factory.mktemp("connect") / "log") as server:
        yield server


@pytest.mark.parametrize("name", CASES)
def test_client_to_server(name: str, server: ConnectServer) -> None:
    case = CASES[name]
    asked = request(server, case.kind, case.requests, **case.call)
    check(case, asked, outcome(asked))


def test_many_calls_are_answered_each(server: ConnectServer) -> None:
    asked = [request(server, case.kind, case.requests, **case.call) for case in CASES.values()]
    for name, each in zip(CASES, asked, strict=True):
        each.test_name = name
    answers = run_client(asked)
    assert answers.keys() == CASES.keys()
    for name, each in zip(CASES, asked, strict=True):
        check(CASES[name], each, answers[name].response)


def test_methods_without_streams(server: ConnectServer) -> None:
    idempotent = request(server, UNARY, [unary(response_data=b"1")], "IdempotentUnary")
    assert outcome(idempotent).payloads[0].data == b"1"
    result = outcome(request(server, UNARY, [{}], "Unimplemented"))
    assert result.error.code == code("UNIMPLEMENTED") and not result.payloads


def test_what_cannot_be_called_is_said(server: ConnectServer) -> None:
    asked = request(server, UNARY, [{}])
    asked.method = "Nothing"
    assert run_client([asked])["Unary"].error.message == "There is no method Nothing"
    asked = request(server, SERVER_STREAM, [{}, {}])
    assert run_client([asked])["ServerStream"].error.message == "The method takes one message, not 2"


def test_timeout_is_told(server: ConnectServer) -> None:
    result = outcome(request(server, UNARY, [unary(response_data=b"1")], timeout_ms=LONG))
    assert LONG - 30_000 < result.payloads[0].request_info.timeout_ms <= LONG
    result = outcome(request(server, UNARY, [unary(response_data=b"1")]))
    assert not result.payloads[0].request_info.HasField("timeout_ms")


def test_server_refuses_what_is_over_its_limit(tmp_path) -> None:
    with ConnectServer(tmp_path / "log", message_receive_limit=4096) as server:
        assert not outcome(request(server, UNARY, [{"request_data": bytes(4000)}])).HasField("error")
        error = outcome(request(server, UNARY, [{"request_data": bytes(4096)}])).error
    assert error.code == code("RESOURCE_EXHAUSTED")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Identity]:
    def make(name: str) -> Identity:
        return make_identity(tmp_path_factory.mktemp(name))

    return make


def test_tls(identity: Callable[[str], Identity], tmp_path) -> None:
    own = identity("server")
    creds = {"cert": own.certificate.read_bytes(), "key": own.key.read_bytes()}
    case = CASES["client stream"]
    with ConnectServer(tmp_path / "log", use_tls=True, server_creds=creds) as server:
        assert server.certificate == creds["cert"]
        asked = request(server, case.kind, case.requests)
        check(case, asked, outcome(asked))
        asked.server_tls_cert = identity("another").certificate.read_bytes()
        assert outcome(asked).error.code == code("UNAVAILABLE")


def test_tls_with_client_certificates(identity: Callable[[str], Identity], tmp_path) -> None:
    own, client = (
        {"cert": each.certificate.read_bytes(), "key": each.key.read_bytes()}
        for each in (identity("server"), identity("client"))
    )
    case = CASES["unary"]
    with ConnectServer(tmp_path / "log", use_tls=True, server_creds=own, client_tls_cert=client["cert"]) as server:
        asked = request(server, case.kind, case.requests, client_tls_creds=client)
        check(case, asked, outcome(asked))
        asked.ClearField("client_tls_creds")
        assert outcome(asked).error.code == code("UNAVAILABLE")


# The server alone, with a client that we did not write.


@pytest.fixture(scope="module")
def channel(server: ConnectServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.target) as channel:
        yield channel


def python_call(channel: grpc.Channel, arity: str, method: str, content: object, **options: object) -> object:
    call = getattr(channel, arity)(
        f"/{SERVICE}/{method}", request_serializer=lambda each: each.SerializeToString(),
        response_deserializer=message(f"{method}Response").FromString,
    )  # fmt: skip
    return call(content, metadata=[("x-one", "a"), ("x-two-bin", b"\x00\x01\x02")], timeout=30, **options)


@pytest.mark.parametrize("compression", grpc.Compression, ids=lambda each: each.name)
def test_grpcio_unary(channel: grpc.Channel, compression: grpc.Compression) -> None:
    asked = message("UnaryRequest")(**unary(response_data=b"1" * 5000))
    payload = python_call(channel, "unary_unary", "Unary", asked, compression=compression).payload
    assert payload.data == b"1" * 5000
    seen = headers(payload.request_info.request_headers)
    assert seen["x-one"] == ["a"] and seen["x-two-bin"] == ["AAEC"]
    assert payload.request_info.requests[0].value == asked.SerializeToString()


@pytest.mark.parametrize(("bit", "decompress"), [(1, zlib.decompress), (2, gzip.decompress)], ids=["deflate", "gzip"])
def test_grpcio_gets_what_it_lets_the_server_compress(
    server: ConnectServer, bit: int, decompress: Callable[[bytes], bytes]
) -> None:
    options = [("grpc.per_message_decompression", 0), ("grpc.compression_enabled_algorithms_bitset", 1 | 1 << bit)]
    with grpc.insecure_channel(server.target, options) as channel:
        unary_answer = channel.unary_unary(f"/{SERVICE}/Unary")(
            message("UnaryRequest")(**unary(response_data=b"1")).SerializeToString(), timeout=30
        )
        stream_answers = channel.unary_stream(f"/{SERVICE}/ServerStream")(
            message("ServerStreamRequest")(**stream(response_data=[b"1"])).SerializeToString(), timeout=30
        )
        assert message("UnaryResponse").FromString(decompress(unary_answer)).payload.data == b"1"
        assert [
            message("ServerStreamResponse").FromString(decompress(answer)).payload.data for answer in stream_answers
        ] == [b"1"]


def test_grpcio_server_stream_with_an_error(channel: grpc.Channel) -> None:
    asked = message("ServerStreamRequest")(**stream(response_data=[b"1", b"2"], error=ERROR))
    call = python_call(channel, "unary_stream", "ServerStream", asked)
    assert [(key, value) for key, value in call.initial_metadata() if key == "x-one"] == [("x-one", "a"), ("x-one", "b")]
    assert [next(call).payload.data, next(call).payload.data] == [b"1", b"2"]
    with pytest.raises(grpc.RpcError):
        next(call)
    assert call.code() == grpc.StatusCode.ABORTED and call.details() == "ünlucky 100%"
    trailing = dict(call.trailing_metadata())
    assert trailing["x-last"] in ("c", "d")
    details = Status.FromString(trailing["grpc-status-details-bin"]).details
    assert [(detail.type_url, detail.value) for detail in details] == [(each["type_url"], each["value"]) for each in DETAILS]


def test_grpcio_full_duplex(channel: grpc.Channel) -> None:
    request_class = message("BidiStreamRequest")
    first = request_class(**stream(response_data=[b"1", b"2"]), full_duplex=True)
    call = python_call(channel, "stream_stream", "BidiStream", iter([first, request_class(request_data=b"more")]))
    answers = list(call)
    assert [answer.payload.data for answer in answers] == [b"1", b"2"]
    assert [len(answer.payload.request_info.requests) for answer in answers] == [1, 1]


def test_grpcio_plain_status_has_no_details(channel: grpc.Channel) -> None:
    asked = message("ServerStreamRequest")(
        **stream(response_data=[b"1"], error={"code": code("INTERNAL"), "message": "no"})
    )
    call = python_call(channel, "unary_stream", "ServerStream", asked)
    assert next(call).payload.data == b"1"
    with pytest.raises(grpc.RpcError):
        next(call)
    assert call.code() == grpc.StatusCode.INTERNAL
    assert "grpc-status-details-bin" not in dict(call.trailing_metadata())


def refusal(channel: grpc.Channel, method: str, asked: Message) -> tuple[grpc.StatusCode, dict]:
    with pytest.raises(grpc.RpcError) as caught:
        python_call(channel, "unary_unary", method, asked)
    return caught.value.code(), dict(caught.value.trailing_metadata())


def test_grpcio_sees_no_details_of_what_taxon_raises(tmp_path) -> None:
    with ConnectServer(tmp_path / "log", message_receive_limit=4096) as server:
        with grpc.insecure_channel(server.target) as channel:
            too_large = refusal(channel, "Unary", message("UnaryRequest")(request_data=bytes(4096)))
            missing = refusal(channel, "Unimplemented", message("UnimplementedRequest")())
    for (status, trailers), expected in zip(
        (too_large, missing), (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED), strict=True
    ):
        assert status == expected
        assert "grpc-status-details-bin" not in trailers
