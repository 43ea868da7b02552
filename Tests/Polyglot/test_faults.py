# SPDX-License-Identifier: Apache-2.0
"""Faults by header: clients that Taxon did not write ask for a declared error of the method they call, and get it."""

import json
import subprocess
from collections.abc import Callable, Iterator

import grpc
import pytest
from failure import failing
from octollm.v1 import errors_pb2, orchestrator_pb2
from octollm_process import Server
from serving import poll
from stub import ORCHESTRATOR, Stub

GET_TASK = "/octollm.v1.Orchestrator/GetTask"
MARKER = "taxon-injected-fault"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose callers may ask for faults."""
    with Server(tmp_path_factory.mktemp("faulty") / "log", "--fault-headers") as server:
        yield server


@pytest.fixture
def get_task(faulty: Server) -> Callable:
    def call(fault: str, *more: tuple[str, str]) -> orchestrator_pb2.TaskRecord:
        metadata = (("taxon-fault", fault), *more) if fault else more
        return faulty.orchestrator.GetTask(orchestrator_pb2.GetTaskRequest(task_id="none"), metadata=metadata, timeout=10)

    return call


def test_the_declared_error_comes_and_is_marked(get_task: Callable) -> None:
    failure = failing(lambda: get_task("DATABASE_ERROR;retry-after=2s"))
    assert failure.identity == ("octollm.dev", "DATABASE_ERROR")
    assert failure.status == grpc.StatusCode.INTERNAL
    assert failure.required(errors_pb2.SystemError.DatabaseError).operation
    assert not failure.required(errors_pb2.SystemError.DatabaseError).error, "internal fields stay in the server"
    assert failure.traits.injected
    assert failure.retry_after.total_seconds() == 2
    assert failure.trailers[MARKER] == "DATABASE_ERROR"


def test_a_real_error_is_not_marked(get_task: Callable) -> None:
    failure = failing(lambda: get_task(""))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
    assert not failure.traits.injected
    assert MARKER not in failure.trailers


def test_a_plain_status_is_marked(get_task: Callable) -> None:
    failure = failing(lambda: get_task("status=UNAVAILABLE"))
    assert failure.status == grpc.StatusCode.UNAVAILABLE
    assert failure.types == ["taxon.ErrorTraits"]
    assert failure.traits.injected


def test_what_the_method_does_not_raise_is_refused(get_task: Callable) -> None:
    failure = failing(lambda: get_task("CAPACITY_EXCEEDED"))
    assert failure.status == grpc.StatusCode.INVALID_ARGUMENT
    assert "GetTask does not raise it; it raises AUTHENTICATION_ERROR, DATABASE_ERROR, TASK_NOT_FOUND" in failure.message
    failure = failing(lambda: get_task("TASK_NOT_FOUND;speed=1"))
    assert failure.message == 'taxon-fault: there is no parameter "speed"'


def test_grpcs_own_retries_get_past_it(faulty: Server) -> None:
    config = {
        "methodConfig": [{
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }]
    }  # fmt: skip
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.service_config", json.dumps(config))]
    with grpc.insecure_channel(faulty.target, options=options) as channel:
        call = Stub(channel, ORCHESTRATOR).ListTasks
        request = orchestrator_pb2.ListTasksRequest()
        call(request, metadata=[("taxon-fault", "status=UNAVAILABLE;times=2;key=enough")], timeout=10)
        failure = failing(lambda: call(request, metadata=[("taxon-fault", "status=UNAVAILABLE;times=3;key=few")], timeout=10))
        assert failure.status == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("fault, status", [
    ("reset=CANCEL", grpc.StatusCode.CANCELLED), ("reset=ENHANCE_YOUR_CALM", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ("reset", grpc.StatusCode.INTERNAL), ("close", grpc.StatusCode.UNAVAILABLE),
])  # fmt: skip
def test_streams_and_connections_break(get_task: Callable, fault: str, status: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        get_task(fault)
    assert raised.value.code() == status
    # grpcio may send a call on the connection that is just going.
    nexts = (failing(lambda: get_task("")) for _ in range(5))
    failure = next(each for each in nexts if each.status != grpc.StatusCode.UNAVAILABLE)
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND"), "the next call finds a connection"


def test_a_goaway_answers_the_call(get_task: Callable) -> None:
    for _ in range(3):
        assert failing(lambda: get_task("goaway")).identity == ("octollm.dev", "TASK_NOT_FOUND")


def test_details_are_damaged(get_task: Callable) -> None:
    failure = failing(lambda: get_task("TASK_NOT_FOUND;damage=payload"))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
    assert not failure.info.metadata
    assert failure.detail(errors_pb2.ValidationError.TaskNotFound) is None
    with pytest.raises(grpc.RpcError) as raised:
        get_task("TASK_NOT_FOUND;damage=20000")
    # gRPC's core takes 8 KiB at most, softly, and 16 KiB never.
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_envoys_headers_are_taken(get_task: Callable) -> None:
    failure = failing(lambda: get_task("", ("x-envoy-fault-abort-grpc-request", "8")))
    assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED
    never = ("x-envoy-fault-abort-request-percentage", "0")
    failure = failing(lambda: get_task("", ("x-envoy-fault-abort-grpc-request", "8"), never))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
    failure = failing(lambda: get_task("", ("x-envoy-fault-abort-grpc-request", "x")))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND"), "an invalid value is ignored"


@pytest.mark.parametrize("path, arguments", [
    (GET_TASK, ["--json", '{"taskId": "none"}']),
    (GET_TASK, ["--json", '{"taskId": "none"}', "--header", "connect-protocol-version: 1"]),
    ("/v1/tasks/none", []),
], ids=["JSON", "Connect", "REST"])  # fmt: skip
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_curl_gets_it_on_every_road(faulty: Server, path: str, arguments: list[str], version: str) -> None:
    command = [
        "curl", "--silent", "--include", "--max-time", "10", version, "--header", "taxon-fault: DATABASE_ERROR", *arguments,
        f"http://{faulty.target}{path}",
    ]  # fmt: skip
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    head, _, body = answer.partition("\n\n")
    assert head.splitlines()[0].split()[1] == "500"
    fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:])
    assert (fields.get(MARKER) or fields[f"trailer-{MARKER}"]) == "database_error"
    assert "DATABASE_ERROR" in body


def test_the_log_says_so(faulty: Server, get_task: Callable) -> None:
    failing(lambda: get_task("AUTHENTICATION_ERROR"))
    poll(lambda: "error.injected=true" in faulty.log, "the log does not say that the error was injected")


def test_headers_say_nothing_by_default(server: Server) -> None:
    call = server.orchestrator.GetTask
    request = orchestrator_pb2.GetTaskRequest(task_id="none")
    failure = failing(lambda: call(request, metadata=[("taxon-fault", "DATABASE_ERROR")], timeout=10))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
