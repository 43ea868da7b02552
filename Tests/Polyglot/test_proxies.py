# SPDX-License-Identifier: Apache-2.0
"""Taxon's client where servers go away: behind proxies that end connections as they like, and while servers restart.

LOAD_CALLS is how many calls there are at each number of calls at a time; by default a share of the 20,000 that
Scripts/load makes.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from counting_server import CountingServer
from google.rpc import status_pb2  # noqa: F401
from interop_process import SwiftServer  # noqa: F401
from load import Load, load
from octollm_process import call
from peer import Peer, Plain
from proxies import HAProxy, Nginx

CALLS = int(os.environ.get("LOAD_CALLS", 3000))
CONCURRENCIES = [12, 16, 24, 40]


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


@pytest.fixture
def three_servers() -> Iterator[list[CountingServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(CountingServer()) for _ in range(3)]


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_no_call_is_lost_behind_nginx(server: CountingServer, tmp_path: Path, concurrency: int) -> None:
    """nginx ends a connection after `keepalive_requests`, 1,000 by default, by one GOAWAY that crosses new calls."""
    with Nginx(tmp_path / "nginx", server.target) as nginx:
        load("ipv4:" + nginx.target, calls=CALLS, concurrency=concurrency).check_none_lost()
    # None of them twice, either: the method is not idempotent.
    assert server.calls == CALLS


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_no_call_is_lost_while_three_servers_restart(three_servers: list[CountingServer], concurrency: int) -> None:
    target = "ipv4:" + ",".join(server.target for server in three_servers)
    running = Load(target, "--round_robin", calls=CALLS, concurrency=concurrency)
    for server in three_servers:
        running.wait_for_more()
        server.stop()
        running.wait_for_more()
        server.start()
        # The client has found it again.
        server.wait_for_call()
    outcome = running.finish()
    outcome.check_none_lost()
    assert sum(server.calls for server in three_servers) == outcome.calls


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_no_call_is_lost_while_three_servers_behind_nginx_restart(
    three_servers: list[CountingServer], tmp_path: Path, concurrency: int
) -> None:
    with Nginx(tmp_path / "nginx", *(server.target for server in three_servers)) as nginx:
        running = Load("ipv4:" + nginx.target, calls=CALLS, concurrency=concurrency)
        for server in three_servers:
            running.wait_for_more()
            server.stop()
            running.wait_for_more()
            server.start()
            server.wait_for_call()
        outcome = running.finish()
    outcome.check_none_lost()


def test_a_call_whose_error_haproxy_refuses_is_made_once(tmp_path: Path) -> None:
    """HAProxy answers REFUSED_STREAM for an error larger than its buffer, though the server has processed the call."""
    with Peer() as peer, HAProxy(tmp_path / "haproxy", peer.target) as haproxy:
        padding = [("x-padding", "x" * 20_000)]
        peer.behaves("CreateTask", Plain(grpc.StatusCode.FAILED_PRECONDITION, "No", padding))
        answer = call(haproxy.target, "create", "Count the arms of an octopus.")
        assert answer["code"] == "UNAVAILABLE", answer
        assert len(peer.calls["CreateTask"]) == 1
