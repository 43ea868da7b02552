# SPDX-License-Identifier: Apache-2.0
"""The Swift client against a server that is not ours: grpcio's, which sends errors made in Python."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from octollm.v1.errors_pb2 import SystemError, ValidationError
from octollm.v1.orchestrator_pb2 import RaiseResponse, TaskContract, TaskRecord
from octollm_process import call, start_call
from peer import INSTANCE, Never, Peer, Plain, Reply, Rich
from schema import ERRORS, DeclaredError, declared, sample
from taxon import error_traits_pb2, taxonomy_pb2

NOT_FOUND = declared("octollm.dev", "TASK_NOT_FOUND")
DATABASE = declared("octollm.dev", "DATABASE_ERROR")
RATE_LIMIT = declared("octollm.dev", "RATE_LIMIT_EXCEEDED")
SOON = timedelta(milliseconds=20)


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


def get(peer: Peer, *arguments: str) -> dict:
    return call(peer.target, "get", "42", *arguments)


class TestAnswers:
    def test_a_reply_arrives(self, peer: Peer) -> None:
        peer.behaves("GetTask", Reply(TaskRecord(task_id="42", contract=TaskContract(description="größer 🐙"))))
        answer = get(peer)
        assert answer["task_id"] == "42"
        assert answer["contract"]["description"] == "größer 🐙"
        assert peer.calls["GetTask"][0].request.task_id == "42"

    def test_metadata_goes_with_the_call(self, peer: Peer) -> None:
        peer.behaves("GetTask", Reply(TaskRecord(task_id="42")))
        get(peer, "--token", "open-sesame")
        assert peer.calls["GetTask"][0].metadata["authorization"] == "Bearer open-sesame"

    def test_a_large_reply_is_refused_by_the_client(self, peer: Peer) -> None:
        peer.behaves("GetTask", Reply(TaskRecord(task_id="42", output="x" * (5 << 20))))
        answer = get(peer)
        assert (answer["domain"], answer["code"]) == ("taxon.dev", "MESSAGE_TOO_LARGE")
        assert answer["status"] == "RESOURCE_EXHAUSTED"


def fields_of(error: DeclaredError, payload: Message) -> dict:
    """The fields that the command prints of an error it knows."""

    def value(name: str) -> object:
        value = getattr(payload, name)
        if isinstance(value, (str, int)):
            return value
        return [
            item if isinstance(item, str) else {"field": item.field, "description": item.description} for item in value
        ]

    internal = error.fields_that_are(taxonomy_pb2.INTERNAL)
    return {field.name: value(field.name) for field in error.fields if field not in internal}


class TestDeclaredErrors:
    @pytest.mark.parametrize("error", ERRORS, ids=str)
    def test_each_arrives_typed(self, peer: Peer, error: DeclaredError) -> None:
        payload = sample(error)
        peer.behaves("Raise", Rich(error, payload, retry_after=timedelta(seconds=2.5)))
        answer = call(peer.target, "raise", error.domain, error.code)
        assert peer.calls["Raise"][0].request.code == error.code
        assert (answer["domain"], answer["code"]) == (error.domain, error.code)
        assert answer["fields"] == fields_of(error, payload)
        assert answer["status"] == error.status.name
        assert answer["message"] == error.text(payload)
        assert answer["http_status"] == error.http_status
        assert answer["category"] == ".".join(error.categories)
        assert answer["severity"] == error_traits_pb2.Severity.Name(error.traits.severity)
        assert answer["retry"] == error_traits_pb2.RetryClass.Name(error.traits.retry)
        assert answer["breaker"] == error_traits_pb2.BreakerClass.Name(error.traits.breaker)
        assert answer["safe"] == error.traits.safe
        assert answer["retry_after"] == 2.5
        assert answer["instance_id"] == INSTANCE
        assert answer["causes"] == ["disk.example/DISK_FULL"]

    def test_violations_are_those_of_the_payload(self, peer: Peer) -> None:
        errors = [
            error_details_pb2.BadRequest.FieldViolation(field="contract.priority", description="Too high"),
            error_details_pb2.BadRequest.FieldViolation(field="contract.timeout", description="Too long"),
        ]
        error = declared("octollm.dev", "VALIDATION_ERRORS")
        peer.behaves("CreateTask", Rich(error, ValidationError.ValidationErrors(errors=errors)))
        answer = call(peer.target, "create", "Count")
        assert answer["violations"] == [{"field": e.field, "description": e.description} for e in errors]

    def test_an_error_the_method_does_not_declare_is_known_all_the_same(self, peer: Peer) -> None:
        error = declared("octollm.dev", "VECTOR_DB_ERROR")
        peer.behaves("GetTask", Rich(error, sample(error)))
        answer = get(peer)
        assert (answer["domain"], answer["code"]) == (error.domain, error.code)
        assert answer["fields"] == fields_of(error, sample(error))

    def test_without_the_payload_the_metadata_will_do(self, peer: Peer) -> None:
        rich = Rich(NOT_FOUND, sample(NOT_FOUND), details=lambda details: details[:1])
        peer.behaves("GetTask", rich)
        answer = get(peer)
        assert answer["code"] == "TASK_NOT_FOUND"
        assert answer["fields"] == {"task_id": rich.payload.task_id}

    def test_without_error_info_the_payload_will_do(self, peer: Peer) -> None:
        rich = Rich(NOT_FOUND, sample(NOT_FOUND), details=lambda details: details[1:2])
        peer.behaves("GetTask", rich)
        answer = get(peer)
        assert (answer["domain"], answer["code"]) == ("octollm.dev", "TASK_NOT_FOUND")
        assert answer["fields"] == {"task_id": rich.payload.task_id}

    def test_details_in_another_order_are_as_good(self, peer: Peer) -> None:
        peer.behaves("GetTask", Rich(NOT_FOUND, sample(NOT_FOUND), details=lambda details: details[::-1]))
        answer = get(peer)
        assert answer["code"] == "TASK_NOT_FOUND"
        assert answer["instance_id"] == INSTANCE


class TestErrorsNobodyDeclared:
    def test_a_code_that_is_new_is_taken_as_its_traits_say(self, peer: Peer) -> None:
        payload = SystemError.DatabaseError(operation="select")
        rich = Rich(
            DATABASE, payload, code="DATABASE_MELTED", retry_after=timedelta(seconds=7),
            details=lambda details: [details[0], *details[2:]],
        )  # fmt: skip
        peer.behaves("GetTask", rich)
        answer = get(peer)
        assert (answer["domain"], answer["code"]) == ("octollm.dev", "DATABASE_MELTED")
        assert answer["message"] == "Database select failed"
        assert answer["fields"] == {"operation": "select"}
        assert (answer["status"], answer["http_status"]) == ("INTERNAL", 500)
        assert (answer["severity"], answer["retry"], answer["breaker"]) == ("ERROR", "TRANSIENT", "FAILURE")
        assert answer["retry_after"] == 7

    @pytest.mark.parametrize("code", list(grpc.StatusCode)[1:], ids=lambda code: code.name)
    def test_a_plain_status_keeps_its_code_and_text(self, peer: Peer, code: grpc.StatusCode) -> None:
        peer.behaves("GetTask", Plain(code, "größer 100 %\nzweite Zeile"))
        answer = get(peer)
        assert answer["status"] == code.name
        assert answer["message"] == "größer 100 %\nzweite Zeile"
        assert answer["fields"] == {}

    @pytest.mark.parametrize(
        "details", [b"garbage", b"\xff\xff\xff", b"", b"\x0a\xff\x01"], ids=["text", "no-tag", "empty", "cut-off"]
    )
    def test_details_that_are_none_cost_only_themselves(self, peer: Peer, details: bytes) -> None:
        peer.behaves(
            "GetTask", Plain(grpc.StatusCode.UNAVAILABLE, "away", [("grpc-status-details-bin", details)])
        )
        answer = get(peer)
        assert (answer["status"], answer["message"]) == ("UNAVAILABLE", "away")

    def test_one_detail_that_is_none_costs_only_itself(self, peer: Peer) -> None:
        rich = Rich(NOT_FOUND, sample(NOT_FOUND), retry_after=timedelta(seconds=3))
        status = rich.status()
        status.details[2].value = b"\xff\xff"  # the traits
        status.details.add(type_url="type.googleapis.com/nobody.Knows", value=b"\xff")
        trailers = [("grpc-status-details-bin", status.SerializeToString())]
        peer.behaves("GetTask", Plain(grpc.StatusCode.NOT_FOUND, rich.message, trailers))
        answer = get(peer)
        assert answer["code"] == "TASK_NOT_FOUND"
        assert answer["fields"] == {"task_id": rich.payload.task_id}
        assert answer["retry_after"] == 3

    def test_where_the_codes_disagree_grpc_status_wins(self, peer: Peer) -> None:
        status = Rich(NOT_FOUND, sample(NOT_FOUND), code="NEW", details=lambda details: details[:1]).status()
        trailers = [("grpc-status-details-bin", status.SerializeToString())]
        peer.behaves("GetTask", Plain(grpc.StatusCode.ABORTED, "lost a race", trailers))
        answer = get(peer)
        assert (answer["code"], answer["status"], answer["message"]) == ("NEW", "ABORTED", "lost a race")

    def test_a_method_that_is_not_there_is_unimplemented(self) -> None:
        server = grpc.server(None)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            assert call(f"127.0.0.1:{port}", "get", "42")["status"] == "UNIMPLEMENTED"
        finally:
            server.stop(grace=None).wait()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class TestServersOfOtherProtocols:
    def test_a_server_of_http_1_is_told_apart(self) -> None:
        """Python's answers a request of HTTP/2.0 as HTTP/0.9 does: with the page alone."""
        server = http.server.ThreadingHTTPServer(("localhost", 0), Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            answer = call(f"localhost:{server.server_address[1]}", "get", "42")
        finally:
            server.shutdown()
            server.server_close()
        assert (answer["code"], answer["status"]) == ("ENDPOINT_UNREACHABLE", "UNAVAILABLE")
        assert 'it does not speak HTTP/2: its first bytes are "<!DOCTYPE"' in answer["message"]


class TestRetries:
    @pytest.mark.parametrize("hint", ["retry-info", "pushback"])
    def test_an_idempotent_method_is_tried_again(self, peer: Peer, hint: str) -> None:
        if hint == "retry-info":
            flaky = Rich(DATABASE, sample(DATABASE), retry_after=SOON)
        else:
            flaky = Rich(DATABASE, sample(DATABASE), trailers=[("grpc-retry-pushback-ms", "20")])
        peer.behaves("GetTask", flaky, flaky, Reply(TaskRecord(task_id="42")))
        assert get(peer, "--retries", "3")["task_id"] == "42"
        assert len(peer.calls["GetTask"]) == 3

    def test_a_method_that_is_not_idempotent_is_not(self, peer: Peer) -> None:
        flaky = Rich(DATABASE, sample(DATABASE), retry_after=SOON)
        peer.behaves("CreateTask", flaky, Reply(TaskRecord(task_id="42")))
        assert call(peer.target, "create", "Count", "--retries", "3")["code"] == "DATABASE_ERROR"
        assert len(peer.calls["CreateTask"]) == 1

    def test_what_is_safe_is_tried_again_whatever_the_method(self, peer: Peer) -> None:
        flaky = Rich(RATE_LIMIT, sample(RATE_LIMIT), retry_after=SOON)
        peer.behaves("ExecuteTask", flaky, flaky, Reply(TaskRecord(task_id="42")))
        assert call(peer.target, "execute", "42", "--retries", "3")["task_id"] == "42"
        assert len(peer.calls["ExecuteTask"]) == 3

    def test_what_never_passes_is_not_tried_again(self, peer: Peer) -> None:
        peer.behaves("GetTask", Rich(NOT_FOUND, sample(NOT_FOUND)))
        assert get(peer, "--retries", "3")["code"] == "TASK_NOT_FOUND"
        assert len(peer.calls["GetTask"]) == 1

    def test_it_gives_up_after_so_many_retries(self, peer: Peer) -> None:
        peer.behaves("GetTask", Rich(DATABASE, sample(DATABASE), retry_after=SOON))
        assert get(peer, "--retries", "2")["code"] == "DATABASE_ERROR"
        assert len(peer.calls["GetTask"]) == 3

    @pytest.mark.parametrize("pushback", ["-1", "never"])
    def test_a_pushback_that_is_no_time_means_stop(self, peer: Peer, pushback: str) -> None:
        trailers = [("grpc-retry-pushback-ms", pushback)]
        peer.behaves("GetTask", Rich(DATABASE, sample(DATABASE), trailers=trailers))
        assert get(peer, "--retries", "3")["code"] == "DATABASE_ERROR"
        assert len(peer.calls["GetTask"]) == 1

    def test_a_hint_beyond_the_deadline_means_fail_now(self, peer: Peer) -> None:
        peer.behaves("GetTask", Rich(DATABASE, sample(DATABASE), retry_after=timedelta(seconds=60)))
        start = time.monotonic()
        assert get(peer, "--retries", "3", "--timeout", "20")["code"] == "DATABASE_ERROR"
        assert time.monotonic() - start < 10
        assert len(peer.calls["GetTask"]) == 1

    def test_a_new_error_is_retried_as_its_traits_say(self, peer: Peer) -> None:
        rich = Rich(
            DATABASE, sample(DATABASE), code="DATABASE_MELTED", retry_after=SOON,
            details=lambda details: [details[0], *details[2:]],
        )  # fmt: skip
        peer.behaves("GetTask", rich, Reply(TaskRecord(task_id="42")))
        assert get(peer, "--retries", "3")["task_id"] == "42"


class TestDeadlines:
    def test_the_server_hears_of_the_deadline_and_of_its_end(self, peer: Peer) -> None:
        never = Never()
        peer.behaves("GetTask", never)
        answer = get(peer, "--timeout", "0.5")
        assert answer["status"] == "DEADLINE_EXCEEDED"
        assert answer["code"] == "DEADLINE_EXCEEDED"
        remaining = never.given_up.get(timeout=10)
        assert remaining is not None and 0 < remaining <= 0.5

    def test_the_deadline_spans_all_attempts(self, peer: Peer) -> None:
        peer.behaves("GetTask", Rich(DATABASE, sample(DATABASE), retry_after=timedelta(milliseconds=100)))
        start = time.monotonic()
        get(peer, "--retries", "1000", "--timeout", "1")
        assert time.monotonic() - start < 10
        assert 1 < len(peer.calls["GetTask"]) <= 10


class TestConnections:
    def test_nobody_is_there(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            answer = call("127.0.0.1:%d" % unused.getsockname()[1], "get", "42")
        assert (answer["domain"], answer["code"]) == ("taxon.dev", "ENDPOINT_UNREACHABLE")
        assert answer["status"] == "UNAVAILABLE"

    def test_who_is_there_hangs_up(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = start_call("127.0.0.1:%d" % listener.getsockname()[1], "get", "42")
            connection, _ = listener.accept()
            connection.recv(24)  # HTTP/2's preface
            connection.close()
            stdout, _ = client.communicate(timeout=30)
        assert client.returncode == 1
        assert '"UNAVAILABLE"' in stdout

    def test_who_is_there_does_not_speak_http2(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = start_call("127.0.0.1:%d" % listener.getsockname()[1], "get", "42")
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            stdout, _ = client.communicate(timeout=30)
            connection.close()
        assert client.returncode == 1
        assert '"taxon.dev"' in stdout


def test_a_rehearsal_answers_after_its_failures(peer: Peer) -> None:
    flaky = Rich(DATABASE, sample(DATABASE), retry_after=SOON)
    peer.behaves("Raise", flaky, flaky, Reply(RaiseResponse(failures=2)))
    arguments = ("raise", "octollm.dev", "DATABASE_ERROR", "--times", "2", "--key", "k", "--retries", "3")
    assert call(peer.target, *arguments) == {"failures": 2}
