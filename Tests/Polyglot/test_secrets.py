# SPDX-License-Identifier: Apache-2.0
"""Values of fields that are PERSONAL or INTERNAL, planted in fields of every shape: everything that a server emits is searched for
them, over every road, in calls of all kinds."""

import gzip
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from connect_roads import Connect
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_roads import GRPC
from http_wire import HTTP1, HTTP2, Answer, Wire
from interop_schema import SECRETS, message
from repository import executable
from road import Failure, Road
from roads import ROADS
from serving import ServingProcess

UNARY, SERVER_STREAM, CLIENT_STREAM, BIDIRECTIONAL = (
    SECRETS.methods_by_name[name] for name in ("Unary", "ServerStream", "ClientStream", "Bidirectional")
)
KINDS = [UNARY, SERVER_STREAM, CLIENT_STREAM, BIDIRECTIONAL]
Ask, Declared, Inner = message("secrets.Ask"), message("secrets.Leak.Declared"), message("secrets.Leak.Inner")
PERSONAL, INTERNAL = re.compile(rb"PERSONAL[-\w]*|770077007700"), re.compile(rb"INTERNAL-[-\w]*|880088008800")
# Errors whose fields may be in a typed payload.
PAYLOADS = ["secrets.Leak.Declared", "secrets.Leak.Inner"]

# How a call fails, and the payloads that arrive with it.
WAYS = {
    "declared": PAYLOADS[:1], "cause": PAYLOADS[:1], "conversion": PAYLOADS[:1], "details": PAYLOADS[1:],
    "details of a declared error": PAYLOADS, "large": PAYLOADS[:1], "foreign": [], "undeclared": [], "status": [],
}  # fmt: skip


def payloads(road: type[Road], way: str) -> list[str]:
    # Trailers have no room for it.
    return [] if way == "large" and issubclass(road, GRPC) else WAYS[way]


class SecretsServer(ServingProcess):
    """`taxon-interop secrets`."""

    def __init__(self, log: Path, *arguments: str) -> None:
        super().__init__([executable("taxon-interop"), "secrets", *arguments], log)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsServer]:
    """At its end, what the log and the metrics of all calls say is searched, too."""
    with SecretsServer(tmp_path_factory.mktemp("secrets") / "log") as server:
        yield server
    log = server.log.encode()
    assert b"metric taxon.server.errors" in log and b"secrets.test/UNDECLARED" in log
    assert not PERSONAL.findall(log)
    # What was being done is for the log alone, and so are the facts of an error that was not declared.
    assert set(INTERNAL.findall(log)) <= {b"INTERNAL-context", b"INTERNAL-more", b"INTERNAL-undeclared"}
    assert not INTERNAL.findall(b"\n".join(line for line in log.splitlines() if line.startswith(b"metric ")))


@pytest.fixture(scope="module", params=[HTTP1, HTTP2])
def secrets_wire(request: pytest.FixtureRequest, secrets: SecretsServer) -> Iterator[Wire]:
    with Wire(secrets.port, request.param) as wire:
        yield wire


@pytest.fixture
def road(request: pytest.FixtureRequest, secrets_wire: Wire) -> Road:
    return request.param(secrets_wire)


def plain(answer: Answer) -> bytes:
    """All of an answer, decompressed, and with what is base64 in it decoded; but of details with their types, which are for
    programs, the values are left out."""
    body = answer.body
    if answer.header("content-encoding") == "gzip" or answer.header("connect-content-encoding") == "gzip":
        body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    body = re.sub(rb'"value":"[\w+/=-]*"|grpc-status-details-bin: *[\w+/=-]*', b"", body)
    fields = [(name, value) for name, value in answer.headers + answer.trailers if name != "grpc-status-details-bin"]
    text = "\n".join(f"{name}: {value}" for name, value in fields).encode() + b"\n" + body
    decoded = [decode(each) for each in re.findall(rb"[\w+/]{12,}={0,2}", text)]
    return b"\n".join([text, *decoded])


def decode(text: bytes) -> bytes:
    text = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return b64decode(text[: len(text) // 4 * 4])


def search(failure: Failure, expected: list[str]) -> None:
    """Personal values are in typed payloads alone, internal ones nowhere."""
    told = plain(failure.answer)
    if failure.rich is None:
        assert not PERSONAL.findall(told) and not INTERNAL.findall(told), told
        return
    rest = status_pb2.Status(code=failure.rich.code, message=failure.rich.message)
    typed: list[Message] = []
    for detail in failure.rich.details:
        if detail.TypeName() in PAYLOADS:
            typed.append(message(detail.TypeName()).FromString(detail.value))
        else:
            rest.details.append(detail)
    assert [each.DESCRIPTOR.full_name for each in typed] == expected
    told += rest.SerializeToString()
    assert not INTERNAL.findall(told), told
    # gRPC's details are in a field that `plain` leaves out; envelopes of gRPC-Web have it in the body.
    assert not PERSONAL.findall(told), told
    for each in typed:
        value = each.SerializeToString()
        assert b"PERSONAL-" in value, "the caller has no right to less"
        assert not INTERNAL.findall(value), each
        assert "internal" not in "".join(field.name for field, _ in each.ListFields())


CALLS = [
    pytest.param(road, method, id=f"{road.name}-{method.name}") for road in ROADS for method in KINDS if road.carries(method)
]


@pytest.mark.parametrize(("road", "method"), CALLS, indirect=["road"])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said_that_is_to_be_hidden(road: Road, method: MethodDescriptor, way: str) -> None:
    if method is BIDIRECTIONAL and road.wire.version == HTTP1:
        # No handler is reached: 505, which is no answer of the road's.
        with pytest.raises(AssertionError, match="status=505"):
            road.call(method, Ask(how=way))
        return
    with pytest.raises(Failure) as raised:
        road.call(method, Ask(how=way), headers=[("accept-language", "de")])
    search(raised.value, payloads(type(road), way))
    if way == "declared" and raised.value.rich is not None:
        derived = ("google.rpc.ResourceInfo", "google.rpc.QuotaFailure", "google.rpc.Help", "google.rpc.LocalizedMessage")
        assert [raised.value.types.count(name) for name in derived] == [1, 1, 1, 1]


@pytest.mark.parametrize("method", KINDS, ids=lambda method: method.name)
@pytest.mark.parametrize("way", WAYS)
def test_the_bytes_of_grpcs_answer_have_nothing_that_is_to_be_hidden(secrets: SecretsServer, method: MethodDescriptor, way: str) -> None:
    """As grpcio, which we did not write, takes them apart."""
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    request = Ask(how=way).SerializeToString()
    with grpc.insecure_channel(secrets.target) as channel, pytest.raises(grpc.RpcError) as raised:
        call = getattr(channel, kind)(f"/{SECRETS.full_name}/{method.name}")
        answer = call(iter([request]) if method.client_streaming else request)
        list(answer) if method.server_streaming else answer
    trailers = b"\n".join(
        value if isinstance(value, bytes) else value.encode() for key, value in raised.value.trailing_metadata()
    )
    assert not INTERNAL.findall(trailers)
    assert bool(PERSONAL.findall(trailers)) == bool(payloads(GRPC, way))


def test_what_a_library_says_is_in_a_log_for_debugging_alone(tmp_path: Path) -> None:
    with SecretsServer(tmp_path / "log", "--debug") as server, Wire(server.port, HTTP2) as wire:
        for way in WAYS:
            with pytest.raises(Failure):
                Connect(wire).call(UNARY, Ask(how=way))
    lines = [line for line in server.log.splitlines() if "INTERNAL-foreign" in line]
    assert lines and all(" debug " in line and "error.cause_text" in line for line in lines)
    assert not PERSONAL.findall(server.log.encode())
