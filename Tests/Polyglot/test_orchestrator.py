# SPDX-License-Identifier: Apache-2.0
"""The example's services, called by grpcio as a user would: what they answer, and the errors they have in earnest."""

import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from failure import Failure, failing
from octollm.v1 import orchestrator_pb2
from octollm.v1.errors_pb2 import ExternalError, ResourceError, SystemError, ValidationError
from octollm.v1.orchestrator_pb2 import (
    CreateTaskRequest,
    ExecuteTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    TaskContract,
    TaskRecord,
    UpdateTaskStatusRequest,
    WatchTaskRequest,
)
from octollm.v1.reflex_pb2 import PreprocessRequest, ReflexError
from octollm_process import PATIENCE, Server, call, start_call


def create(server: Server, description: str = "Count the arms of an octopus.", **fields: object) -> TaskRecord:
    contract = TaskContract(description=description, **{"priority": 5, **fields})
    return server.orchestrator.CreateTask(CreateTaskRequest(contract=contract))


def execute(server: Server, task: TaskRecord, timeout: float | None = None) -> TaskRecord:
    return server.orchestrator.ExecuteTask(ExecuteTaskRequest(task_id=task.task_id), timeout=timeout)


class TestAnswers:
    def test_a_task_is_created_and_found(self, server: Server) -> None:
        labels = {"team": "reef", "größe": "acht"}
        task = create(server, "Zähle die Arme 🐙", priority=10, timeout=3, required_capabilities=["text"], labels=labels)
        assert task.task_id
        assert task.status == orchestrator_pb2.TASK_STATUS_PENDING
        assert task.contract.description == "Zähle die Arme 🐙"
        assert task.contract.timeout == 3
        assert dict(task.contract.labels) == labels
        assert abs(task.created_at.ToSeconds() - time.time()) < 60
        assert server.orchestrator.GetTask(GetTaskRequest(task_id=task.task_id)) == task

    def test_tasks_are_listed_page_by_page(self, serve: Callable[..., Server]) -> None:
        server = serve()
        created = [create(server, f"Task {number}").task_id for number in range(5)]
        listed: list[str] = []
        token, pages = "", 0
        while pages == 0 or token:
            page = server.orchestrator.ListTasks(ListTasksRequest(page_size=2, page_token=token))
            listed += [task.task_id for task in page.tasks]
            token, pages = page.next_page_token, pages + 1
        assert listed == created
        assert pages == 3

    def test_a_status_is_set_and_written_into_the_history(self, server: Server) -> None:
        task = create(server)
        request = UpdateTaskStatusRequest(task_id=task.task_id, status=orchestrator_pb2.TASK_STATUS_CANCELLED)
        updated = server.orchestrator.UpdateTaskStatus(request)
        assert updated.status == orchestrator_pb2.TASK_STATUS_CANCELLED
        assert [change.status for change in updated.history] == [
            orchestrator_pb2.TASK_STATUS_PENDING,
            orchestrator_pb2.TASK_STATUS_CANCELLED,
        ]

    def test_an_arm_carries_a_task_out(self, server: Server) -> None:
        task = execute(server, create(server, "2 * (3 + 4)", required_capabilities=["arithmetic"]))
        assert task.status == orchestrator_pb2.TASK_STATUS_COMPLETED
        assert task.output == "14"

    def test_input_is_trimmed_and_remembered(self, server: Server) -> None:
        first = server.reflex.Preprocess(PreprocessRequest(text="  eight arms \n"))
        assert (first.text, first.cached) == ("eight arms", False)
        second = server.reflex.Preprocess(PreprocessRequest(text="eight arms"))
        assert (second.text, second.cached) == ("eight arms", True)


class TestWatchTask:
    @staticmethod
    def watch(server: Server, task_id: str) -> grpc.Call:
        return server.orchestrator.WatchTask(WatchTaskRequest(task_id=task_id), timeout=PATIENCE)

    def test_changes_are_told_as_they_happen(self, server: Server) -> None:
        task = create(server, "1 + 2", required_capabilities=["arithmetic"])
        watches = [self.watch(server, task.task_id) for _ in range(3)]
        for watch in watches:
            assert next(watch).status == orchestrator_pb2.TASK_STATUS_PENDING
        done = execute(server, task)
        for watch in watches:
            changes = list(watch)
            assert changes == list(done.history)[1:]
            assert watch.code() == grpc.StatusCode.OK

    def test_what_happened_before_is_told_first(self, server: Server) -> None:
        done = execute(server, create(server, "3 + 4", required_capabilities=["arithmetic"]))
        assert list(self.watch(server, done.task_id)) == list(done.history)

    def test_a_failure_ends_it_and_says_why(self, server: Server) -> None:
        task = create(server, "three plus four", required_capabilities=["arithmetic"])
        watch = self.watch(server, task.task_id)
        assert next(watch).status == orchestrator_pb2.TASK_STATUS_PENDING
        failing(lambda: execute(server, task))
        *_, last = watch
        assert (last.status, last.error_code) == (orchestrator_pb2.TASK_STATUS_FAILED, "VALIDATION_ERROR")

    def test_a_task_that_is_not_there_is_not_found(self, server: Server) -> None:
        failure = failing(lambda: list(self.watch(server, "42")))
        assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
        assert failure.required(ValidationError.TaskNotFound).task_id == "42"

    def test_a_watch_that_is_given_up_disturbs_nobody(self, server: Server) -> None:
        task = create(server)
        given_up, kept = self.watch(server, task.task_id), self.watch(server, task.task_id)
        for watch in (given_up, kept):
            assert next(watch).status == orchestrator_pb2.TASK_STATUS_PENDING
        given_up.cancel()
        request = UpdateTaskStatusRequest(task_id=task.task_id, status=orchestrator_pb2.TASK_STATUS_CANCELLED)
        server.orchestrator.UpdateTaskStatus(request)
        assert [change.status for change in kept] == [orchestrator_pb2.TASK_STATUS_CANCELLED]

    def test_a_shutdown_does_not_wait_for_watches(self, serve: Callable[..., Server]) -> None:
        server = serve()
        watch = self.watch(server, create(server).task_id)
        assert next(watch).status == orchestrator_pb2.TASK_STATUS_PENDING
        server.terminate()
        failure = failing(lambda: list(watch))
        assert failure.status == grpc.StatusCode.UNAVAILABLE
        assert server.wait() == 0

    def test_the_command_prints_each_change(self, server: Server) -> None:
        done = execute(server, create(server, "5 + 6", required_capabilities=["arithmetic"]))
        process = start_call(server.target, "watch-task", done.task_id)
        printed, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        assert [json.loads(line)["status"] for line in printed.splitlines()] == ["pending", "running", "completed"]
        assert call(server.target, "watch-task", "42")["code"] == "TASK_NOT_FOUND"


class TestInvalidInput:
    def test_all_that_is_wrong_comes_in_one_error(self, server: Server) -> None:
        failure = failing(lambda: create(server, "", priority=11, timeout=0))
        assert failure.identity == ("octollm.dev", "VALIDATION_ERRORS")
        assert failure.status == grpc.StatusCode.INVALID_ARGUMENT
        assert failure.message == "Validation failed with 3 errors"
        assert [field for field, _ in failure.violations] == [
            "contract.description",
            "contract.priority",
            "contract.timeout",
        ]
        payload = failure.required(ValidationError.ValidationErrors)
        assert [(violation.field, violation.description) for violation in payload.errors] == failure.violations

    def test_one_thing_that_is_wrong_comes_by_itself(self, server: Server) -> None:
        failure = failing(lambda: create(server, priority=0))
        assert failure.identity == ("octollm.dev", "VALIDATION_ERROR")
        assert [field for field, _ in failure.violations] == ["contract.priority"]
        assert failure.required(ValidationError.InvalidInput).description == failure.message

    def test_a_page_token_of_somebody_else_is_refused(self, server: Server) -> None:
        failure = failing(lambda: server.orchestrator.ListTasks(ListTasksRequest(page_token="stolen")))
        assert [field for field, _ in failure.violations] == ["page_token"]

    def test_what_an_arm_cannot_make_sense_of_is_invalid_input(self, server: Server) -> None:
        task = create(server, "two plus two", required_capabilities=["arithmetic"])
        assert failing(lambda: execute(server, task)).identity == ("octollm.dev", "VALIDATION_ERROR")

    @pytest.mark.parametrize("text", ["", "  "])
    def test_empty_input_has_the_reflex_layers_own_error(self, server: Server, text: str) -> None:
        failure = failing(lambda: server.reflex.Preprocess(PreprocessRequest(text=text)))
        assert failure.identity == ("reflex.octollm.dev", "INVALID_INPUT")


class TestMissingTask:
    @pytest.mark.parametrize(
        ("method", "request_type"),
        [("GetTask", GetTaskRequest), ("ExecuteTask", ExecuteTaskRequest), ("UpdateTaskStatus", UpdateTaskStatusRequest)],
    )
    def test_no_method_finds_it(self, server: Server, method: str, request_type: type) -> None:
        request = request_type(task_id="no-such-task")
        if request_type is UpdateTaskStatusRequest:
            request.status = orchestrator_pb2.TASK_STATUS_CANCELLED
        failure = failing(lambda: getattr(server.orchestrator, method)(request))
        assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
        assert failure.status == grpc.StatusCode.NOT_FOUND
        assert failure.message == "Task no-such-task not found"
        assert failure.required(ValidationError.TaskNotFound).task_id == "no-such-task"

    def test_a_name_beyond_ascii_survives_in_the_message(self, server: Server) -> None:
        name = "Krake 🐙 100% \n\t größer"
        failure = failing(lambda: server.orchestrator.GetTask(GetTaskRequest(task_id=name)))
        assert failure.message == f"Task {name} not found"
        assert failure.required(ValidationError.TaskNotFound).task_id == name


class TestArms:
    def test_no_arm_has_the_capabilities(self, server: Server) -> None:
        task = create(server, required_capabilities=["vision", "speech"])
        failure = failing(lambda: execute(server, task))
        assert failure.identity == ("octollm.dev", "ARM_UNAVAILABLE")
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert failure.message == "No arm available with capabilities: vision, speech"
        payload = failure.required(ResourceError.ArmUnavailable)
        assert list(payload.required_capabilities) == ["vision", "speech"]

    def test_an_arm_takes_longer_than_the_contract_allows(self, server: Server) -> None:
        task = create(server, "word " * 200, required_capabilities=["write"], timeout=1)
        failure = failing(lambda: execute(server, task))
        assert failure.identity == ("octollm.dev", "TIMEOUT_ERROR")
        assert failure.required(SystemError.TimeoutError).timeout == 1
        again = server.orchestrator.GetTask(GetTaskRequest(task_id=task.task_id))
        assert again.status == orchestrator_pb2.TASK_STATUS_FAILED
        assert again.history[-1].error_code == "TIMEOUT_ERROR"

    def test_a_language_model_refuses(self, server: Server) -> None:
        task = create(server, "word " * 600, required_capabilities=["write"])
        failure = failing(lambda: execute(server, task))
        assert failure.identity == ("octollm.dev", "LLM_API_ERROR")
        payload = failure.required(ExternalError.LLMAPIError)
        assert (payload.provider, payload.status_code) == ("parrot", 413)
        assert failure.info.metadata["status_code"] == "413"

    def test_somebody_elses_service_fails(self, server: Server) -> None:
        task = create(server, "squid", required_capabilities=["define"])
        failure = failing(lambda: execute(server, task))
        assert failure.identity == ("octollm.dev", "THIRD_PARTY_API_ERROR")
        assert failure.required(ExternalError.ThirdPartyAPIError).service == "lexicon"

    def test_every_place_is_taken(self, serve: Callable[..., Server]) -> None:
        server = serve()
        tasks = [create(server, "word " * 100, required_capabilities=["write"]) for _ in range(3)]
        requests = [ExecuteTaskRequest(task_id=task.task_id) for task in tasks]
        calls = [server.orchestrator.ExecuteTask.future(request) for request in requests]
        failed = [call for call in calls if call.exception() is not None]
        assert len(failed) == 1
        failure = Failure.of(failed[0])
        assert failure.identity == ("octollm.dev", "CAPACITY_EXCEEDED")
        assert failure.required(ResourceError.CapacityExceeded).capacity == 2

    def test_an_arm_is_asked_too_often(self, serve: Callable[..., Server]) -> None:
        server = serve()
        tasks = [create(server, f"{number} + 1", required_capabilities=["arithmetic"]) for number in range(101)]
        for task in tasks[:100]:
            execute(server, task)
        failure = failing(lambda: execute(server, tasks[100]))
        assert failure.identity == ("octollm.dev", "RATE_LIMIT_EXCEEDED")
        payload = failure.required(ResourceError.RateLimitError)
        assert (payload.limit, payload.window) == (100, 10)
        assert timedelta() < failure.retry_after <= timedelta(seconds=10)


class TestReflexes:
    @pytest.mark.parametrize(
        ("text", "pattern", "excerpt"),
        [
            ("write to ada@example.com today", "email", "ada@example.com"),
            ("my card is 4111 1111 1111 1111", "card number", "4111 1111 1111 1111"),
            ("call +41 44 668 18 00", "phone number", "+41 44 668 18 00"),
        ],
    )
    def test_personal_data_is_found_and_goes_nowhere_but_to_the_caller(
        self, server: Server, text: str, pattern: str, excerpt: str
    ) -> None:
        failure = failing(lambda: server.reflex.Preprocess(PreprocessRequest(text=text)))
        assert failure.identity == ("reflex.octollm.dev", "PII_DETECTED")
        assert failure.message == f"PII detected: {pattern}"
        assert dict(failure.info.metadata) == {"pattern": pattern}
        assert failure.required(ReflexError.PiiDetected).excerpt == excerpt
        assert excerpt not in server.log

    def test_too_much_input_is_turned_away(self, serve: Callable[..., Server]) -> None:
        server = serve()
        calls = [server.reflex.Preprocess.future(PreprocessRequest(text=f"input {number}")) for number in range(2000)]
        failed = [call for call in calls if call.exception() is not None]
        assert failed
        failure = Failure.of(failed[0])
        assert failure.identity == ("reflex.octollm.dev", "RATE_LIMIT_EXCEEDED")
        assert failure.required(ReflexError.RateLimitExceeded).limit == 100
        assert timedelta() < failure.retry_after <= timedelta(seconds=1)


class TestAccess:
    @pytest.fixture
    def guarded(self, serve: Callable[..., Server]) -> Server:
        return serve("--token", "open-sesame", "--read-only-token", "look-only")

    @pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic x"),)])
    def test_who_has_no_token_is_not_known(self, guarded: Server, metadata: tuple) -> None:
        failure = failing(lambda: guarded.orchestrator.ListTasks(ListTasksRequest(), metadata=metadata))
        assert failure.identity == ("octollm.dev", "AUTHENTICATION_ERROR")
        assert failure.status == grpc.StatusCode.UNAUTHENTICATED

    def test_who_may_only_read_may_not_write(self, guarded: Server) -> None:
        metadata = (("authorization", "Bearer look-only"),)
        guarded.orchestrator.ListTasks(ListTasksRequest(), metadata=metadata)
        request = CreateTaskRequest(contract=TaskContract(description="Count", priority=1))
        failure = failing(lambda: guarded.orchestrator.CreateTask(request, metadata=metadata))
        assert failure.identity == ("octollm.dev", "AUTHORIZATION_ERROR")
        assert failure.status == grpc.StatusCode.PERMISSION_DENIED
        assert failure.required(ValidationError.AuthorizationError).principal == "reader"
        assert "principal" not in failure.info.metadata

    def test_who_has_the_token_may_do_everything(self, guarded: Server) -> None:
        request = CreateTaskRequest(contract=TaskContract(description="Count", priority=1))
        assert guarded.orchestrator.CreateTask(request, metadata=(("authorization", "Bearer open-sesame"),)).task_id


class TestDatabase:
    def test_tasks_outlive_the_server(self, serve: Callable[..., Server], tmp_path: Path) -> None:
        file = str(tmp_path / "tasks.sqlite")
        first = serve("--database", file)
        task = create(first)
        first.terminate()
        assert first.wait() == 0
        second = serve("--database", file)
        assert second.orchestrator.GetTask(GetTaskRequest(task_id=task.task_id)) == task

    def test_a_failure_of_the_database_keeps_its_cause_to_itself(
        self, serve: Callable[..., Server], tmp_path: Path
    ) -> None:
        file = tmp_path / "tasks.sqlite"
        server = serve("--database", str(file), "--log-level", "debug")
        create(server)
        with sqlite3.connect(file) as database:
            database.execute("DROP TABLE task_history")
        database.close()
        failure = failing(lambda: create(server))
        assert failure.identity == ("octollm.dev", "DATABASE_ERROR")
        assert failure.status == grpc.StatusCode.INTERNAL
        assert failure.required(SystemError.DatabaseError).error == ""
        assert b"task_history" not in failure.rich.SerializeToString()
        assert failure.message == f"Database {failure.info.metadata['operation']} failed"
        instance = failure.traits.instance_id
        lines = [line for line in server.log.splitlines() if instance in line]
        causes = [line for line in lines if "error.cause=GRDB.DatabaseError" in line]
        assert causes and all(" debug " not in line for line in causes), "the log has the cause"
        texts = [line for line in lines if "task_history" in line]
        assert texts and all(" debug " in line for line in texts), "what it says is for debugging alone"

    def test_what_fails_half_way_is_rolled_back(self, serve: Callable[..., Server], tmp_path: Path) -> None:
        file = tmp_path / "tasks.sqlite"
        server = serve("--database", str(file))
        with sqlite3.connect(file) as database:
            database.execute("DROP TABLE task_history")
        failing(lambda: create(server))
        assert database.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
        database.close()


class TestShutdown:
    def test_calls_in_flight_are_finished(self, serve: Callable[..., Server]) -> None:
        server = serve()
        task = create(server, "word " * 50, required_capabilities=["write"])
        with ThreadPoolExecutor() as executor:
            call = executor.submit(execute, server, task, PATIENCE)
            # The call has begun when the task is running.
            while server.orchestrator.GetTask(GetTaskRequest(task_id=task.task_id)).status == (
                orchestrator_pb2.TASK_STATUS_PENDING
            ):
                pass
            server.terminate()
            assert call.result().status == orchestrator_pb2.TASK_STATUS_COMPLETED
        assert server.wait() == 0
