# SPDX-License-Identifier: Apache-2.0
"""Retry and breaker classes with tenacity and pybreaker as they come from PyPI."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import grpc
import pybreaker
import pytest
import tenacity
from octollm.v1.orchestrator_pb2 import ExecuteTaskRequest, GetTaskRequest, TaskRecord
from peer import Peer, Plain, Reply, Rich
from python_code import FOLDER
from schema import DeclaredError, declared, sample
from stub import ORCHESTRATOR, Stub

from octollm.v1 import errors_taxon, orchestrator_taxon
from taxon import runtime

assert FOLDER and orchestrator_taxon

GET = "/octollm.v1.Orchestrator/GetTask"
EXECUTE = "/octollm.v1.Orchestrator/ExecuteTask"
DATABASE = declared("octollm.dev", "DATABASE_ERROR")
NOT_FOUND = declared("octollm.dev", "TASK_NOT_FOUND")
RATE_LIMIT = declared("octollm.dev", "RATE_LIMIT_EXCEEDED")


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture
def orchestrator(peer: Peer) -> Iterator[Stub]:
    with grpc.insecure_channel(peer.target) as channel:
        yield Stub(grpc.intercept_channel(channel, runtime.ErrorClientInterceptor()), ORCHESTRATOR)


def rich(error: DeclaredError, seconds: float | None = None, trailers: list[tuple[str, str]] | None = None) -> Rich:
    wait = None if seconds is None else timedelta(seconds=seconds)
    return Rich(error, sample(error), retry_after=wait, trailers=trailers or [])


class TestTenacity:
    def retrying(self, method: str, waits: list[float]) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: runtime.is_retryable(error, method=method)),
            wait=runtime.wait_retry_after(tenacity.wait_fixed(0.5)), stop=tenacity.stop_after_attempt(4),
            sleep=waits.append, reraise=True,
        )  # fmt: skip

    def test_an_idempotent_method_is_tried_again_after_the_time_that_the_error_says(self, peer: Peer, orchestrator: Stub) -> None:
        waits: list[float] = []
        peer.behaves("GetTask", rich(DATABASE, 1.25), rich(DATABASE), Reply(TaskRecord(task_id="42")))
        answer = self.retrying(GET, waits)(orchestrator.GetTask, GetTaskRequest())
        assert (answer.task_id, waits) == ("42", [1.25, 0.5])

    def test_a_method_that_is_not_idempotent_is_not(self, peer: Peer, orchestrator: Stub) -> None:
        peer.behaves("ExecuteTask", rich(DATABASE))
        with pytest.raises(errors_taxon.DatabaseError):
            self.retrying(EXECUTE, [])(orchestrator.ExecuteTask, ExecuteTaskRequest())
        assert len(peer.calls["ExecuteTask"]) == 1

    def test_what_is_safe_is_tried_again_whatever_the_method(self, peer: Peer, orchestrator: Stub) -> None:
        waits: list[float] = []
        peer.behaves("ExecuteTask", rich(RATE_LIMIT, 30), Reply(TaskRecord(task_id="42")))
        assert self.retrying(EXECUTE, waits)(orchestrator.ExecuteTask, ExecuteTaskRequest()).task_id == "42"
        assert waits == [30]

    def test_what_never_passes_is_not_tried_again(self, peer: Peer, orchestrator: Stub) -> None:
        peer.behaves("GetTask", rich(NOT_FOUND))
        with pytest.raises(errors_taxon.TaskNotFoundError):
            self.retrying(GET, [])(orchestrator.GetTask, GetTaskRequest())
        assert len(peer.calls["GetTask"]) == 1

    @pytest.mark.parametrize(("pushback", "attempts", "waits"), [("-1", 1, []), ("never", 1, []), ("70", 2, [0.07])])
    def test_a_pushback_is_obeyed(
        self, pushback: str, attempts: int, waits: list[float], peer: Peer, orchestrator: Stub
    ) -> None:
        waited: list[float] = []
        flaky = rich(DATABASE, trailers=[("grpc-retry-pushback-ms", pushback)])
        peer.behaves("GetTask", flaky, Reply(TaskRecord(task_id="42")))
        try:
            self.retrying(GET, waited)(orchestrator.GetTask, GetTaskRequest())
        except errors_taxon.DatabaseError:
            assert attempts == 1
        assert (len(peer.calls["GetTask"]), waited) == (attempts, waits)

    def test_errors_of_grpcio_will_do(self, peer: Peer) -> None:
        waits: list[float] = []
        with grpc.insecure_channel(peer.target) as channel:
            peer.behaves("GetTask", Plain(grpc.StatusCode.UNAVAILABLE, "away"), Reply(TaskRecord(task_id="42")))
            assert self.retrying(GET, waits)(Stub(channel, ORCHESTRATOR).GetTask, GetTaskRequest()).task_id == "42"
        assert waits == [0.5]

    def test_other_exceptions_are_not_retried(self) -> None:
        assert not runtime.is_retryable(ValueError(), is_idempotent=True)
        assert runtime.is_retryable(errors_taxon.DatabaseError(operation="a", error="b"), is_idempotent=True)
        assert not runtime.is_retryable(errors_taxon.DatabaseError(operation="a", error="b"))
        nothing = SimpleNamespace(outcome=None)
        assert runtime.wait_retry_after()(nothing) == 0


class TestPybreaker:
    @pytest.fixture
    def breaker(self) -> pybreaker.CircuitBreaker:
        return pybreaker.CircuitBreaker(fail_max=3, exclude=[runtime.is_not_failure])

    def test_failures_open_it(self, breaker: pybreaker.CircuitBreaker, peer: Peer, orchestrator: Stub) -> None:
        peer.behaves("GetTask", rich(DATABASE))
        for _ in range(2):
            with pytest.raises(errors_taxon.DatabaseError):
                breaker.call(orchestrator.GetTask, GetTaskRequest())
        with pytest.raises(pybreaker.CircuitBreakerError):
            breaker.call(orchestrator.GetTask, GetTaskRequest())
        assert breaker.current_state == "open"

    def test_the_caller_s_faults_do_not(self, breaker: pybreaker.CircuitBreaker, peer: Peer, orchestrator: Stub) -> None:
        for error in (NOT_FOUND, RATE_LIMIT):
            peer.behaves("GetTask", rich(error))
            for _ in range(5):
                with pytest.raises(errors_taxon.OctoLLMError):
                    breaker.call(orchestrator.GetTask, GetTaskRequest())
        assert breaker.current_state == "closed" and breaker.fail_counter == 0

    def test_what_is_no_failed_call_counts(self) -> None:
        assert runtime.counts_as_failure(ValueError())
        assert not runtime.counts_as_failure(errors_taxon.TaskNotFoundError(task_id="1"))
