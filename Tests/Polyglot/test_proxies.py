# SPDX-License-Identifier: Apache-2.0
"""Taxon's client where servers go away: behind proxies that end connections as they like, and while servers restart.

LOAD_CALLS=20000 makes that many calls in each test, at 12, 16, 24 and 40 at a time, as the figures were measured; without it
there is a share that takes some seconds.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from counting_server import CountingServer
from interop_process import RestartingSwiftServer
from load import Load, load
from octollm_process import call
from peer import Peer, Plain
from proxies import HAProxy, Nginx

IS_FULL = "LOAD_CALLS" in os.environ
CALLS = int(os.environ.get("LOAD_CALLS", 2500))
# Calls at a time.
CONCURRENCIES = [12, 16, 24, 40]
RESTART_CONCURRENCIES = CONCURRENCIES if IS_FULL else [24]
# Seconds that a call may take; no stop of a server takes as long, unless a call keeps it.
TIMEOUT = 10


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


@pytest.fixture
def grpcio_servers() -> Iterator[list[CountingServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(CountingServer()) for _ in range(3)]


@pytest.fixture
def swift_servers(tmp_path: Path) -> Iterator[list[RestartingSwiftServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(RestartingSwiftServer(tmp_path / f"server-{number}")) for number in range(3)]


def restart_each(servers: Sequence[CountingServer | RestartingSwiftServer], running: Load) -> list[float]:
    """One after another, under load, each as soon as the one before is found again.

    Returns how many seconds each took to stop.
    """
    stops = []
    for server in servers:
        running.wait_for_more()
        begin = time.monotonic()
        server.stop()
        stops.append(time.monotonic() - begin)
        running.wait_for_more()
        server.start()
        server.wait_for_call()
    return stops


def targets(servers: Sequence[CountingServer | RestartingSwiftServer]) -> str:
    return "ipv4:" + ",".join(server.target for server in servers)


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_no_call_is_lost_behind_nginx(server: CountingServer, tmp_path: Path, concurrency: int) -> None:
    """nginx ends a connection after `keepalive_requests`, 1,000 by default, by one GOAWAY that crosses new calls."""
    with Nginx(tmp_path / "nginx", server.target) as nginx:
        load("ipv4:" + nginx.target, calls=CALLS, concurrency=concurrency).check_none_lost()
    # None of them twice, either: the method is not idempotent.
    assert server.calls == CALLS


@pytest.mark.parametrize("concurrency", RESTART_CONCURRENCIES)
def test_no_call_is_lost_while_three_servers_restart(
    swift_servers: list[RestartingSwiftServer], concurrency: int
) -> None:
    running = Load(targets(swift_servers), "--round_robin", calls=CALLS, concurrency=concurrency)
    restart_each(swift_servers, running)
    running.finish().check_none_lost()


@pytest.mark.parametrize("concurrency", RESTART_CONCURRENCIES)
def test_only_calls_that_grpcio_cancels_are_lost_while_three_of_its_servers_restart(
    grpcio_servers: list[CountingServer], concurrency: int
) -> None:
    """A grpcio server that stops answers CANCELLED, which nobody may repeat, to calls that come at that moment
    (grpc/grpc issue 41785). Its handlers don't see them.

    Seldom, twice in 1,506 restarts, it never answers such a call, though its last GOAWAY counts it as processed (frames
    recorded once, grpcio 1.85.1). The server then does not stop before the call's deadline: a call that times out while
    servers stop at once is the client's loss.
    """
    running = Load(
        targets(grpcio_servers), "--round_robin", "--timeout", str(TIMEOUT), calls=CALLS, concurrency=concurrency
    )
    stops = restart_each(grpcio_servers if IS_FULL else grpcio_servers[:1], running)
    outcome = running.finish()
    allowed = {"CANCELLED"}
    if max(stops) > 0.9 * TIMEOUT:
        allowed.add("DEADLINE_EXCEEDED")
    assert outcome.failed.keys() <= allowed, (outcome, stops)
    assert not outcome.breaker, outcome
    # None is made twice.
    called = sum(server.calls for server in grpcio_servers)
    assert outcome.ok <= called <= outcome.ok + outcome.failed.get("DEADLINE_EXCEEDED", 0)


@pytest.mark.parametrize("concurrency", RESTART_CONCURRENCIES)
def test_no_call_is_lost_while_three_servers_behind_nginx_restart(
    swift_servers: list[RestartingSwiftServer], tmp_path: Path, concurrency: int
) -> None:
    with Nginx(tmp_path / "nginx", *(server.target for server in swift_servers), fail_timeout=1) as nginx:
        running = Load("ipv4:" + nginx.target, calls=CALLS, concurrency=concurrency)
        restart_each(swift_servers, running)
        running.finish().check_none_lost()


def test_a_call_whose_error_haproxy_refuses_is_made_once(tmp_path: Path) -> None:
    """HAProxy answers REFUSED_STREAM for an error larger than its buffer, though the server has processed the call."""
    with Peer() as peer, HAProxy(tmp_path / "haproxy", peer.target) as haproxy:
        padding = [("x-padding", "x" * 20_000)]
        peer.behaves("CreateTask", Plain(grpc.StatusCode.FAILED_PRECONDITION, "No", padding))
        answer = call(haproxy.target, "create", "Count the arms of an octopus.")
        assert answer["code"] == "UNAVAILABLE", answer
        assert len(peer.calls["CreateTask"]) == 1
