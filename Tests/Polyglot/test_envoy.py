# SPDX-License-Identifier: Apache-2.0
"""Envoy, as Documentation/Deployment.md shows it, in front of three servers."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from deployment import Envoy
from failing_calls import ERRORS, Declared, Ending, GRPCIOCaller, Serving
from interop_process import RestartingSwiftServer
from load import Load
from octollm_process import Server
from serving import PATIENCE, poll

ERROR = {error.code: error for error in ERRORS}
CALLS = 2500
CONCURRENCY = 24
EJECTIONS = "cluster.taxon.outlier_detection.ejections_detected_consecutive_5xx"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RestartingSwiftServer]]:
    folder = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        yield [stack.enter_context(RestartingSwiftServer(folder / f"server-{number}")) for number in range(3)]


@pytest.fixture
def envoy(servers: Sequence[RestartingSwiftServer], tmp_path: Path) -> Iterator[Envoy]:
    with Envoy(tmp_path / "envoy", *(server.target for server in servers)) as envoy:
        yield envoy


@pytest.fixture
def caller(envoy: Envoy) -> Iterator[GRPCIOCaller]:
    with GRPCIOCaller(envoy.target) as caller:
        yield caller


def ending(error: Declared, **fields: object) -> Ending:
    return Ending(code=error.code, text=20, **fields)


def called(caller: GRPCIOCaller) -> set[int]:
    """The processes that a dozen calls in a row went to."""
    return {caller.call("Unary", Ending()).process for _ in range(12)}


def test_no_call_is_lost_while_three_servers_restart(envoy: Envoy, servers: list[RestartingSwiftServer]) -> None:
    running = Load(f"ipv4:{envoy.target}", "--idempotent", calls=CALLS, concurrency=CONCURRENCY)
    for server in servers:
        running.wait_for_more()
        server.stop()
        running.wait_for_more()
        server.start()
        envoy.wait_for_healthy(3)
    running.finish().check_none_lost()


def test_no_idempotent_call_is_lost_when_a_server_is_killed(envoy: Envoy, servers: list[RestartingSwiftServer]) -> None:
    running = Load(f"ipv4:{envoy.target}", "--idempotent", calls=CALLS, concurrency=CONCURRENCY)
    running.wait_for_more()
    servers[0].kill()
    running.wait_for_more(1000)
    servers[0].start()
    envoy.wait_for_healthy(3)
    running.wait_for_more()
    running.finish().check_none_lost()


def test_a_server_that_is_not_serving_gets_no_calls(
    envoy: Envoy, caller: GRPCIOCaller, servers: list[RestartingSwiftServer]
) -> None:
    def wait_for(*expected: RestartingSwiftServer) -> None:
        """Until calls go to these: what Envoy's main thread knows, its workers know a little later."""
        processes = {server.process for server in expected}
        poll(lambda: called(caller) == processes, f"calls go to others than {processes}")
        assert called(caller) == processes

    wait_for(*servers)
    with GRPCIOCaller(servers[1].target) as direct:
        direct.call("SetServing", Serving(is_serving=False))
        envoy.wait_until(lambda hosts: "failed_active_health_check" in hosts[servers[1].port], "one that is not serving")
        wait_for(servers[0], servers[2])
        direct.call("SetServing", Serving(is_serving=True))
        envoy.wait_for_healthy(3)
        wait_for(*servers)


@pytest.mark.parametrize("size", [0, 3000, 20_000])
@pytest.mark.parametrize("error", [ERROR["MISSING"], ERROR["UNREADY"]], ids=lambda error: error.code)
def test_servers_whose_errors_are_neutral_are_not_ejected(
    envoy: Envoy, caller: GRPCIOCaller, error: Declared, size: int
) -> None:
    """UNAVAILABLE counts against a host where Envoy sees it, in the first headers; a split error does not show it there."""
    request = ending(error, payload=size)
    for _ in range(60):
        assert caller.call("Unary", request).difference(error, request) is None
    assert envoy.counter(EJECTIONS) == 0
    assert not any(envoy.hosts().values())
    # It is not to be repeated either.
    assert envoy.counter("cluster.taxon.upstream_rq_retry") == 0


@pytest.mark.parametrize("error", [ERROR["DOWN"], ERROR["BROKEN"]], ids=lambda error: error.code)
def test_a_server_whose_errors_are_failures_is_ejected(
    envoy: Envoy, caller: GRPCIOCaller, servers: list[RestartingSwiftServer], error: Declared
) -> None:
    request = ending(error, process=servers[2].process)
    seen = [caller.call("Unary", request) for _ in range(30)]
    ejected = {servers[0].port: {}, servers[1].port: {}, servers[2].port: {"failed_outlier_check": True}}
    envoy.wait_until(lambda hosts: hosts == ejected, "an ejected server")
    failed = [one for one in seen if one.code is not None]
    if error.retry == "TRANSIENT":
        assert not failed, "Envoy asks another server"
    else:
        # As many in a row as the configuration says, and those that were on their way.
        assert len(failed) >= 5
        assert not any(one.difference(error, request) for one in failed)
    others = {servers[0].process, servers[1].process}
    poll(lambda: called(caller) == others, f"calls go to others than {others}")


@pytest.fixture(scope="module")
def single(servers: Sequence[RestartingSwiftServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GRPCIOCaller]:
    """In front of one server, which counts all attempts."""
    with Envoy(tmp_path_factory.mktemp("single") / "envoy", servers[0].target) as envoy:
        with GRPCIOCaller(envoy.target) as caller:
            yield caller


def test_what_is_transient_is_repeated(single: GRPCIOCaller) -> None:
    answer = single.call("Unary", ending(ERROR["DOWN"], times=2, key="transient"))
    assert (answer.code, answer.attempts) == (None, 3)


def test_an_error_that_asks_for_time_is_repeated_after_it(single: GRPCIOCaller) -> None:
    """`rate_limited_retry_back_off` reads seconds, from the `retry-after` beside RetryInfo."""
    request = ending(ERROR["TOO_MUCH"], times=1, key="throttled")
    request.retry_after.FromMilliseconds(700)
    begin = time.monotonic()
    answer = single.call("Unary", request)
    assert (answer.code, answer.attempts) == (None, 2)
    # Rounded up; and Envoy waits for up to half as long again.
    assert time.monotonic() - begin >= 1


def test_what_is_transient_is_not_repeated_in_methods_that_are_not_idempotent(single: GRPCIOCaller) -> None:
    request = ending(ERROR["DOWN"], times=1, key="not idempotent")
    assert single.call("ClientStream", request).difference(ERROR["DOWN"], request) is None


@pytest.mark.parametrize("code", ["MISSING", "UNREADY", "BROKEN"])
def test_what_is_never_to_be_repeated_is_not(single: GRPCIOCaller, code: str) -> None:
    request = ending(ERROR[code], times=1, key=code)
    assert single.call("Unary", request).difference(ERROR[code], request) is None


@pytest.fixture(scope="module")
def transcoder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Envoy]:
    with Envoy(tmp_path_factory.mktemp("transcoder") / "envoy", server.target) as envoy:
        yield envoy


def send(envoy: Envoy, verb: str, path: str, body: object = None) -> tuple[int, dict]:
    """By the method's google.api.http rule: Envoy maps "/package.Service/Method" only for methods without one, and lets it pass
    for others, so that Taxon's own JSON would be the answer."""
    connection = http.client.HTTPConnection(envoy.target, timeout=PATIENCE)
    try:
        headers = {"content-type": "application/json"} if body else {}
        connection.request(verb, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_call_in_json_is_transcoded(transcoder: Envoy) -> None:
    status, created = send(transcoder, "POST", "/v1/tasks", {"description": "Count the arms.", "priority": 5})
    assert status == 200, created
    status, found = send(transcoder, "GET", f"/v1/tasks/{created['taskId']}")
    assert (status, found["taskId"]) == (200, created["taskId"])


def test_an_error_in_json_has_status_and_details(transcoder: Envoy) -> None:
    status, body = send(transcoder, "GET", "/v1/tasks/0e37df36-f698-11e6-8dd4-cb9ced3df976")
    assert (status, body["code"]) == (404, 5)
    details = {detail["@type"].rpartition("/")[2]: detail for detail in body["details"]}
    assert details["google.rpc.ErrorInfo"]["reason"] == "TASK_NOT_FOUND"
    assert details["octollm.v1.ValidationError.TaskNotFound"]["taskId"] == "0e37df36-f698-11e6-8dd4-cb9ced3df976"
    assert details["taxon.ErrorTraits"]["httpStatus"] == 404


def test_its_http_status_is_that_of_the_grpc_status(transcoder: Envoy) -> None:
    """And not the one that the schema declares, which is among the details."""
    status, body = send(transcoder, "POST", "/v1/rehearsal:raise", {"domain": "octollm.dev", "code": "CAPACITY_EXCEEDED"})
    assert (status, body["code"]) == (429, 8)
    assert [detail["httpStatus"] for detail in body["details"] if "httpStatus" in detail] == [503]
