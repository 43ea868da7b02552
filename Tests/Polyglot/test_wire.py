# SPDX-License-Identifier: Apache-2.0
"""What the Swift server does with calls that are not as they should be. After each of them it goes on."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from failure import Failure, failing
from octollm.v1.orchestrator_pb2 import CreateTaskRequest, ExecuteTaskRequest, GetTaskRequest, TaskContract
from octollm_process import PATIENCE, Server
from taxon.errors_pb2 import CallError

GET_TASK = "/octollm.v1.Orchestrator/GetTask"


@pytest.fixture(autouse=True)
def goes_on(server: Server) -> Iterator[None]:
    yield
    assert server.process.poll() is None
    failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id="42"), timeout=PATIENCE))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")


def raw(server: Server, path: str = GET_TASK) -> grpc.UnaryUnaryMultiCallable:
    """A call with bytes that are no message."""
    return server.channel.unary_unary(path)


def frame(message: bytes, length: int | None = None, compressed: int = 0) -> bytes:
    """A message with the prefix that gRPC puts before it."""
    return bytes([compressed]) + (len(message) if length is None else length).to_bytes(4, "big") + message


class Curl:
    """HTTP/2 without gRPC's client: what curl sends, and what comes back."""

    def __init__(self, server: Server, folder: Path, *arguments: str, body: bytes | None = None) -> None:
        headers, answer, request = (folder / name for name in ("headers", "answer", "request"))
        command = ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--max-time", str(PATIENCE)]
        command += ["--dump-header", str(headers), "--output", str(answer)]
        if body is not None:
            request.write_bytes(body)
            # Without Expect, which curl would send with a large body.
            command += ["--data-binary", f"@{request}", "--header", "expect:"]
        command += [*arguments[1:], f"http://{server.target}{arguments[0]}"]
        for _ in range(5):
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            # A stream that is answered and reset before curl has sent its body is an error to curl 7.88, which throws the
            # answer away; RFC 9113 §8.1 forbids that. It depends on who is faster.
            if result.returncode != 92 or "Stream error in the HTTP/2 framing layer" not in result.stderr:
                break
        assert result.returncode == 0, result.stderr
        # Trailers come after the headers in the same file.
        first, *rest = headers.read_text().splitlines()
        self.status = int(first.split()[1])
        lines = [line.partition(": ") for line in rest if ": " in line]
        self.fields = {name.lower(): value for name, _, value in lines}
        self.body = answer.read_bytes() if answer.exists() else b""


@pytest.fixture
def curl(server: Server, tmp_path: Path) -> Callable[..., Curl]:
    def curl(path: str, *arguments: str, body: bytes | None = None) -> Curl:
        return Curl(server, tmp_path, path, *arguments, body=body)

    return curl


GRPC = ("--header", "content-type: application/grpc", "--header", "te: trailers")


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        ["/octollm.v1.Orchestrator/NoSuchMethod", "/octollm.v1.NoSuchService/GetTask", "/nothing", "/", "//", "/a/b/c"],
    )
    def test_an_unknown_path_is_unimplemented(self, server: Server, path: str) -> None:
        failure = failing(lambda: raw(server, path)(b""))
        assert failure.status == grpc.StatusCode.UNIMPLEMENTED
        assert failure.identity == ("taxon.dev", "METHOD_NOT_FOUND")
        assert failure.required(CallError.MethodNotFound).path == path

    def test_a_service_that_is_not_served_is_unimplemented(self, serve: Callable[..., Server]) -> None:
        server = serve()  # without --rehearsal
        failure = failing(lambda: raw(server, "/octollm.v1.Rehearsal/Raise")(b""))
        assert failure.status == grpc.StatusCode.UNIMPLEMENTED


class TestMessages:
    def test_five_mebibytes_are_too_large(self, server: Server) -> None:
        failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id="x" * (5 << 20))))
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert failure.identity == ("taxon.dev", "MESSAGE_TOO_LARGE")
        payload = failure.required(CallError.MessageTooLarge)
        assert payload.size > 5 << 20
        assert payload.limit == 4 << 20

    def test_just_under_four_mebibytes_are_not(self, server: Server) -> None:
        failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id="x" * ((4 << 20) - 16))))
        # The trailers cannot hold the name; what the error is, they always say.
        assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
        assert failure.status == grpc.StatusCode.NOT_FOUND

    def test_many_large_messages_at_once_are_refused_one_by_one(self, server: Server) -> None:
        request = GetTaskRequest(task_id="x" * (5 << 20))
        calls = [server.orchestrator.GetTask.future(request) for _ in range(8)]
        for call in calls:
            call.exception()
            assert Failure.of(call).identity == ("taxon.dev", "MESSAGE_TOO_LARGE")

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(GetTaskRequest(task_id="a task").SerializeToString()[:-3], id="truncated"),
            pytest.param(b"\xff" * 20, id="no-tag"),
            pytest.param(b"\x0a\x02\xc3\x28", id="no-utf-8"),
            pytest.param(b"\x0b" * 200, id="nested-groups"),
        ],
    )
    def test_what_is_no_message_is_told_so(self, server: Server, body: bytes) -> None:
        failure = failing(lambda: raw(server)(body))
        assert failure.status in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
        assert failure.identity == ("taxon.dev", "MALFORMED_MESSAGE")
        assert failure.required(CallError.MalformedMessage).type == "octollm.v1.GetTaskRequest"

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(frame(b"\x0a\x0242", length=100), id="shorter-than-its-prefix"),
            pytest.param(b"\x00\x00", id="half-a-prefix"),
            pytest.param(b"", id="empty"),
            pytest.param(frame(b"\x0a\x0242") * 2, id="two-messages"),
            pytest.param(frame(b"\x0a\x0242", compressed=7), id="no-such-flag"),
        ],
    )
    def test_a_body_that_is_not_one_framed_message_is_an_error(
        self, curl: Callable[..., Curl], body: bytes
    ) -> None:
        answer = curl(GET_TASK, *GRPC, body=body)
        assert answer.status == 200
        assert answer.fields["content-type"].startswith("application/grpc")
        codes = (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)
        assert int(answer.fields["grpc-status"]) in [code.value[0] for code in codes]

    def test_unknown_fields_do_not_disturb(self, server: Server) -> None:
        failure = failing(lambda: raw(server)(b"\x0a\x0242\xfa\x3f\x03new"))
        assert failure.message == "Task 42 not found"


class TestDeadlines:
    @pytest.fixture
    def slow(self, server: Server) -> ExecuteTaskRequest:
        """A call that takes some seconds."""
        contract = TaskContract(description="word " * 200, priority=1, required_capabilities=["write"])
        task = server.orchestrator.CreateTask(CreateTaskRequest(contract=contract))
        return ExecuteTaskRequest(task_id=task.task_id)

    def test_the_client_hears_of_it_in_time(self, server: Server, slow: ExecuteTaskRequest) -> None:
        start = time.monotonic()
        with pytest.raises(grpc.RpcError) as raised:
            server.orchestrator.ExecuteTask(slow, timeout=0.2)
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - start < 2

    def test_the_server_gives_up_by_itself(self, curl: Callable[..., Curl], slow: ExecuteTaskRequest) -> None:
        start = time.monotonic()
        body = frame(slow.SerializeToString())
        # curl sets no timer of its own by this header.
        answer = curl(
            "/octollm.v1.Orchestrator/ExecuteTask", *GRPC, "--header", "grpc-timeout: 200m", body=body
        )
        assert time.monotonic() - start < 2
        assert answer.fields["grpc-status"] == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0])

    @pytest.mark.parametrize("timeout", ["soon", "1", "1x", "-1S", "123456789S"])
    def test_a_timeout_that_is_none_is_an_error(self, curl: Callable[..., Curl], timeout: str) -> None:
        answer = curl(GET_TASK, *GRPC, "--header", f"grpc-timeout: {timeout}", body=frame(b"\x0a\x0242"))
        assert answer.fields["grpc-status"] not in ("0", str(grpc.StatusCode.NOT_FOUND.value[0]))


class TestHTTP:
    @pytest.mark.parametrize("content_type", ["text/plain", "application/grpcweb", "application/x-www-form-urlencoded"])
    def test_a_content_type_that_is_not_grpc_is_415(self, curl: Callable[..., Curl], content_type: str) -> None:
        answer = curl(GET_TASK, "--header", f"content-type: {content_type}", body=frame(b""))
        assert answer.status == 415
        assert "application/grpc, " in answer.fields["accept-post"]
        # gRPC's clients go by the status; JSON is for those who may read it.
        is_text = answer.fields["content-type"].startswith("text/plain")
        assert is_text == content_type.startswith("application/grpc")
        assert content_type.encode() in answer.body

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_a_method_that_is_not_post_is_405(self, curl: Callable[..., Curl], method: str) -> None:
        answer = curl(GET_TASK, "--request", method, *GRPC)
        assert answer.status == 405
        assert answer.fields["allow"] == "POST"
        assert answer.body.endswith(b"allowed are POST\n")

    def test_the_answer_to_head_has_no_body(self, curl: Callable[..., Curl]) -> None:
        answer = curl(GET_TASK, "--head", *GRPC)
        assert answer.status == 405
        assert int(answer.fields["content-length"]) > 0

    @pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto", "application/grpc;x=y"])
    def test_the_content_types_of_grpc_are_taken(self, curl: Callable[..., Curl], content_type: str) -> None:
        headers = ("--header", f"content-type: {content_type}", "--header", "te: trailers")
        answer = curl(GET_TASK, *headers, body=frame(b"\x0a\x0242"))
        assert answer.status == 200
        assert answer.fields["grpc-status"] == str(grpc.StatusCode.NOT_FOUND.value[0])

    def test_an_error_is_trailers_alone(self, curl: Callable[..., Curl]) -> None:
        answer = curl(GET_TASK, *GRPC, body=frame(b"\x0a\x0242"))
        assert answer.body == b""
        assert answer.fields["grpc-message"] == "Task 42 not found"
        assert not answer.fields["grpc-status-details-bin"].endswith("="), "gRPC sends base64 without padding"


class TestMetadata:
    def test_fields_nobody_asked_for_do_not_disturb(self, server: Server) -> None:
        metadata = [("x-text", "a, b; c"), ("x-text", "again"), ("x-bytes-bin", bytes(range(256)))]
        failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id="42"), metadata=metadata))
        assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")

    def test_more_metadata_than_is_taken_is_refused(self, server: Server) -> None:
        metadata = [(f"x-{number}", "v" * 1000) for number in range(40)]
        with pytest.raises(grpc.RpcError) as raised:
            server.orchestrator.GetTask(GetTaskRequest(task_id="42"), metadata=metadata)
        assert raised.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL)
