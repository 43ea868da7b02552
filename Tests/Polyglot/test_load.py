# SPDX-License-Identifier: Apache-2.0
"""Ten thousand calls by h2load, which knows nothing of gRPC."""

import re
import subprocess
from pathlib import Path

import grpc
from failure import failing
from octollm.v1.orchestrator_pb2 import CreateTaskRequest, GetTaskRequest, TaskContract
from octollm_process import PATIENCE, Server

CALLS = 10_000


def h2load(server: Server, path: str, body: Path) -> str:
    command = ["h2load", "-n", str(CALLS), "-c", "10", "-m", "100", "-d", str(body)]
    command += ["--header", "content-type: application/grpc", "--header", "te: trailers"]
    result = subprocess.run(
        [*command, f"http://{server.target}{path}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10 * PATIENCE,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_ten_thousand_calls_succeed(server: Server, tmp_path: Path) -> None:
    contract = TaskContract(description="Count the arms of an octopus.", priority=5)
    task = server.orchestrator.CreateTask(CreateTaskRequest(contract=contract))
    request = GetTaskRequest(task_id=task.task_id)
    message = request.SerializeToString()
    body = tmp_path / "body"
    body.write_bytes(b"\x00" + len(message).to_bytes(4, "big") + message)

    # h2load looks at the HTTP status alone, so grpcio asks for the same before and after.
    assert server.orchestrator.GetTask(request) == task
    report = h2load(server, "/octollm.v1.Orchestrator/GetTask", body)
    assert server.orchestrator.GetTask(request) == task

    assert re.search(rf"{CALLS} done, {CALLS} succeeded, 0 failed, 0 errored, 0 timeout", report), report
    assert re.search(rf"status codes: {CALLS} 2xx, 0 3xx, 0 4xx, 0 5xx", report), report
    # The last line of its traffic: a reply has the task in it, an error has no data.
    data = int(re.search(r"\((\d+)\) data", report)[1])
    assert data == CALLS * (5 + task.ByteSize()), report


def test_ten_thousand_errors_are_answered_too(server: Server, tmp_path: Path) -> None:
    message = GetTaskRequest(task_id="no-such-task").SerializeToString()
    body = tmp_path / "body"
    body.write_bytes(b"\x00" + len(message).to_bytes(4, "big") + message)
    report = h2load(server, "/octollm.v1.Orchestrator/GetTask", body)
    assert re.search(rf"{CALLS} done, {CALLS} succeeded, 0 failed, 0 errored, 0 timeout", report), report
    failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id="no-such-task")))
    assert failure.status == grpc.StatusCode.NOT_FOUND
