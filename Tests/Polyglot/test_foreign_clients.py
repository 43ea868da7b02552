# SPDX-License-Identifier: Apache-2.0
"""Clients that nobody here wrote: connectrpc for Python in each of its protocols, `buf curl`, grpcio over TLS, and curl."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from connect_suite import METHODS, ConnectServer, code, message
from connectrpc.client import ResponseMetadata
from failure import Failure
from foreign import CODECS, PROTOCOLS, ConnectRPC
from google.rpc import code_pb2
from http_wire import HTTP1, HTTP2
from identity import Identity
from octollm.v1 import orchestrator_pb2 as octollm
from octollm_process import Server
from repository import PROTOS
from roads import WIRES
from schema import ERRORS, DeclaredError
from serving import PATIENCE
from stub import ORCHESTRATOR, REHEARSAL, Stub

RAISE = REHEARSAL.methods_by_name["Raise"]
CREATE, GET, WATCH = (ORCHESTRATOR.methods_by_name[name] for name in ("CreateTask", "GetTask", "WatchTask"))
UNARY, SERVER_STREAM, CLIENT_STREAM, BIDI = (
    METHODS[name] for name in ("Unary", "ServerStream", "ClientStream", "BidiStream")
)
# gRPC's trailers are HTTP/2's for this client.
every_way = pytest.mark.parametrize(
    ("version", "protocol"),
    [(version, protocol) for version in (HTTP1, HTTP2) for protocol in PROTOCOLS if (version, protocol) != (HTTP1, "gRPC")],
)
with_tls_or_not = pytest.mark.parametrize("is_secure", [False, True], ids=["", "TLS"])
LONG = 600_000
"""Milliseconds that no test waits for."""

Connecting = Callable[..., ConnectRPC]


@pytest.fixture
def connect(server: Server, tls_server: Server, signed_identity: Identity) -> Iterator[Connecting]:
    """Makes clients of the example's servers, or of another port."""
    clients: list[ConnectRPC] = []

    def connect(
        version: str, protocol: str, is_secure: bool = False, codec: str = "proto", *, port: int = 0, **options: object
    ) -> ConnectRPC:
        authority = signed_identity.authority.read_bytes() if is_secure else None
        clients.append(
            ConnectRPC(port or (tls_server if is_secure else server).port, version, protocol, authority, codec, **options)
        )
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectServer]:
    with ConnectServer(tmp_path_factory.mktemp("suite") / "log") as suite:
        yield suite


# connectrpc.


@every_way
@with_tls_or_not
@pytest.mark.parametrize("codec", CODECS)
def test_connectrpc_makes_calls(connect: Connecting, version: str, protocol: str, is_secure: bool, codec: str) -> None:
    client = connect(version, protocol, is_secure, codec)
    contract = octollm.TaskContract(description="größer " * 500, priority=3)
    (created,) = client.call(CREATE, octollm.CreateTaskRequest(contract=contract))
    assert created.contract == contract
    asked = octollm.GetTaskRequest(task_id=created.task_id)
    assert client.call(GET, asked) == [created]
    if protocol == "Connect":
        assert client.call(GET, asked, use_get=True) == [created]


@every_way
@with_tls_or_not
@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_connectrpc_gets_typed_errors(
    connect: Connecting, version: str, protocol: str, is_secure: bool, error: DeclaredError
) -> None:
    request = octollm.RaiseRequest(domain=error.domain, code=error.code)
    request.retry_after.FromTimedelta(timedelta(milliseconds=1250))
    failure = connect(version, protocol, is_secure).failure(RAISE, request)
    assert failure.identity == (error.domain, error.code)
    assert failure.rich.code == error.traits.status
    assert failure.rich.message == error.text(failure.required(error.message))
    assert failure.retry_after == timedelta(milliseconds=1250)
    assert failure.traits.http_status == error.http_status


@every_way
@with_tls_or_not
def test_connectrpc_gets_streams_and_their_errors(connect: Connecting, version: str, protocol: str, is_secure: bool) -> None:
    client = connect(version, protocol, is_secure)
    (record,) = client.call(CREATE, octollm.CreateTaskRequest(contract=octollm.TaskContract(description="x", priority=1)))
    execute = ORCHESTRATOR.methods_by_name["ExecuteTask"]
    client.call(execute, octollm.ExecuteTaskRequest(task_id=record.task_id))
    changes = client.call(WATCH, octollm.WatchTaskRequest(task_id=record.task_id))
    assert [change.status for change in changes][-1] == octollm.TASK_STATUS_COMPLETED
    failure = client.failure(WATCH, octollm.WatchTaskRequest(task_id="none"))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")


@every_way
@pytest.mark.parametrize("compresses", [False, True], ids=["", "gzip"])
def test_connectrpc_streams_and_compresses(
    connect: Connecting, suite: ConnectServer, protocol: str, version: str, compresses: bool
) -> None:
    client = connect(version, protocol, port=suite.port, compresses=compresses)
    bulk = b"1" * 9999
    headers = [{"name": "x-one", "value": ["a"]}]
    unary = message("UnaryRequest")(response_definition={"response_data": bulk, "response_headers": headers}, request_data=bulk)
    with ResponseMetadata() as metadata:
        (answer,) = client.call(UNARY, unary, headers={"x-sent": "b"})
    assert metadata.headers["x-one"] == "a"
    info = answer.payload.request_info
    assert ("x-sent", ["b"]) in [(header.name, list(header.value)) for header in info.request_headers]
    assert answer.payload.data == bulk and info.requests[0].value == unary.SerializeToString()

    stream = message("ServerStreamRequest")(response_definition={"response_data": [b"1", bulk]})
    assert [each.payload.data for each in client.call(SERVER_STREAM, stream)] == [b"1", bulk]
    requests = [message("ClientStreamRequest")(request_data=data) for data in (b"1", bulk, b"")]
    (answer,) = client.call(CLIENT_STREAM, *requests)
    assert len(answer.payload.request_info.requests) == 3
    bidi = message("BidiStreamRequest")
    requests = [bidi(response_definition={"response_data": [b"1", b"2"]}, full_duplex=True), bidi(request_data=bulk)]
    if version == HTTP2:
        assert [each.payload.data for each in client.call(BIDI, *requests)] == [b"1", b"2"]
    else:
        assert client.failure(BIDI, *requests).rich.code in (code_pb2.UNKNOWN, code_pb2.UNIMPLEMENTED)


@every_way
def test_connectrpc_has_deadlines(connect: Connecting, suite: ConnectServer, protocol: str, version: str) -> None:
    client = connect(version, protocol, port=suite.port)
    slow = message("UnaryRequest")(response_definition={"response_delay_ms": LONG})
    assert client.failure(UNARY, slow, timeout_ms=200).rich.code == code_pb2.DEADLINE_EXCEEDED
    error = {"code": code("ABORTED"), "message": "no"}
    stream = message("ServerStreamRequest")(response_definition={"response_data": [b"1"], "error": error})
    failure = client.failure(SERVER_STREAM, stream)
    assert (failure.rich.code, failure.rich.message) == (code_pb2.ABORTED, "no")


# buf curl.


def buf_curl(target: str, method: str, data: dict, *arguments: str) -> subprocess.CompletedProcess[str]:
    buf = Path(sys.executable).parent / "buf"
    return subprocess.run(
        [buf, "curl", "--data", json.dumps(data), *arguments, f"{target}/{method}"],
        capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("protocol", ["connect", "grpc", "grpcweb"])
@pytest.mark.parametrize("schema", [["--reflect"], ["--schema", str(PROTOS)]], ids=["reflection", "schema"])
def test_buf_curl(server: Server, protocol: str, schema: list[str]) -> None:
    target = f"http://{server.target}"
    if protocol == "grpc" or schema == ["--reflect"]:
        # Reflection streams both ways.
        schema = [*schema, "--http2-prior-knowledge"]
    arguments = ["--protocol", protocol, *schema]
    contract = {"description": "größer", "priority": 2}
    created = buf_curl(target, "octollm.v1.Orchestrator/CreateTask", {"contract": contract}, *arguments)
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout)["contract"] == contract
    failed = buf_curl(target, "octollm.v1.Orchestrator/GetTask", {"taskId": "none"}, *arguments)
    error = json.loads(failed.stderr)
    assert (error["code"], error["message"]) == ("not_found", "Task none not found")
    assert [detail["type"] for detail in error["details"]][:2] == [
        "google.rpc.ErrorInfo", "octollm.v1.ValidationError.TaskNotFound",
    ]  # fmt: skip
    watched = buf_curl(target, "octollm.v1.Orchestrator/WatchTask", {"taskId": "none"}, *arguments)
    assert json.loads(watched.stderr)["code"] == "not_found"


# grpcio, with TLS: without it, most tests here are its own.


def test_grpcio_over_tls(tls_server: Server, signed_identity: Identity) -> None:
    credentials = grpc.ssl_channel_credentials(signed_identity.authority.read_bytes())
    with grpc.secure_channel(tls_server.target, credentials) as channel:
        with pytest.raises(grpc.RpcError) as raised:
            Stub(channel, ORCHESTRATOR).GetTask(octollm.GetTaskRequest(task_id="none"), timeout=PATIENCE)
    assert Failure.of(raised.value).identity == ("octollm.dev", "TASK_NOT_FOUND")


# curl.


@pytest.fixture(params=WIRES)
def curl(request: pytest.FixtureRequest, server: Server, tls_server: Server, signed_identity: Identity) -> Callable:
    version, is_secure = request.param
    origin = f"https://{tls_server.target}" if is_secure else f"http://{server.target}"
    flags = ["--cacert", str(signed_identity.authority)] if is_secure else []
    if version == HTTP1:
        flags.append("--http1.1")
    else:
        flags.append("--http2" if is_secure else "--http2-prior-knowledge")

    def curl(path: str, *arguments: str) -> tuple[int, dict]:
        form = "\n%{http_code} %{http_version}"
        result = subprocess.run(
            ["curl", "--silent", "--show-error", *flags, *arguments, "--write-out", form, origin + path],
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        body, _, written = result.stdout.rpartition("\n")
        status, used = written.split()
        assert used == version.removeprefix("HTTP/")
        return int(status), json.loads(body)

    return curl


def test_curl_is_a_client_of_rest(curl: Callable) -> None:
    data = ("--json", '{"description": "Summarise: one two.", "priority": 4}')
    status, created = curl("/v1/tasks", *data)
    assert status == 200 and created["status"] == "TASK_STATUS_PENDING"
    path = f"/v1/tasks/{created['taskId']}"
    assert curl(path) == (200, created)
    status, done = curl(f"{path}:execute", "--json", "{}")
    assert status == 200 and done["status"] == "TASK_STATUS_COMPLETED"
    status, listed = curl("/v1/tasks?status=TASK_STATUS_COMPLETED&page_size=1000")
    assert status == 200 and done in listed["tasks"]
    status, error = curl(path, "--request", "PATCH", "--json", '{"status": "TASK_STATUS_RUNNING"}')
    assert (status, error["error"]) == (403, "AUTHORIZATION_ERROR")
    missing = {"error": "TASK_NOT_FOUND", "message": "Task none not found", "details": {"task_id": "none"}}
    assert curl("/v1/tasks/none") == (404, missing)


def test_curl_is_a_client_of_json(curl: Callable) -> None:
    status, error = curl("/octollm.v1.Rehearsal/Raise", "--json", '{"domain": "octollm.dev", "code": "RATE_LIMIT_EXCEEDED"}')
    assert (status, error) == (429, {
        "error": "RATE_LIMIT_EXCEEDED", "message": "Rate limit exceeded: 100 requests per 60s",
        "details": {"limit": 100, "window": 60}, "retry_after": 30,
    })  # fmt: skip
    status, error = curl("/octollm.v1.Orchestrator/CreateTask", "--json", '{"contract": {"priority": 1,}}')
    assert (status, error["error"]) == (400, "MALFORMED_JSON")
    assert (error["details"]["line"], error["details"]["column"]) == (1, 29)
