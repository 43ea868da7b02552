# SPDX-License-Identifier: Apache-2.0
"""Calls of all kinds through the proxies, as Documentation/Deployment.md shows them: gRPC, and every other road."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from connect_roads import Connect, ConnectGet, ConnectJSON
from deployment import Apache, Envoy, HAProxy, HAProxyForEveryRoad, Nginx, NginxForEveryRoad
from failing_calls import Ending, GRPCIOCaller
from grpc_roads import GRPC, GRPCWeb, GRPCWebText
from http_wire import HTTP1, HTTP2, Wire
from interop_process import SwiftServer, swift_client
from json_roads import REST, PlainJSON
from load import load
from octollm.v1 import orchestrator_pb2 as octollm
from octollm_process import Server
from proxies import Proxy
from road import Failure, Road
from stub import ORCHESTRATOR, REHEARSAL

PROXIES = {kind.__name__: kind for kind in (Nginx, HAProxy, Apache, Envoy)}

# gRPC's interoperability tests: all kinds, large messages, metadata both ways, a status, and who gives up.
CASES = [
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "custom_metadata",
    "status_code_and_message", "special_status_message", "unimplemented_method", "cancel_after_begin",
    "cancel_after_first_response", "timeout_on_sleeping_server",
]  # fmt: skip


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Proxy]]:
    folder = tmp_path_factory.mktemp("proxies")
    with ExitStack() as stack:
        server = stack.enter_context(SwiftServer(folder / "server"))
        found: dict[str, Proxy] = {}

        def through(name: str) -> Proxy:
            if name not in found:
                found[name] = stack.enter_context(PROXIES[name](folder / name, server.target))
            return found[name]

        yield through


@pytest.mark.parametrize("proxy", PROXIES)
def test_calls_of_all_kinds_pass(through: Callable[[str], Proxy], proxy: str) -> None:
    swift_client(through(proxy).port, ",".join(CASES))


@pytest.mark.parametrize("proxy", PROXIES)
def test_no_call_is_lost(through: Callable[[str], Proxy], proxy: str) -> None:
    load(f"ipv4:{through(proxy).target}", calls=2500, concurrency=24).check_none_lost()


@pytest.mark.parametrize("proxy", [Nginx, HAProxy, Apache], ids=lambda proxy: proxy.__name__)
def test_a_server_that_cannot_be_reached_is_unavailable(proxy: type[Nginx | HAProxy | Apache], tmp_path: Path) -> None:
    # Nobody listens there, and nobody else may.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with proxy(tmp_path / "proxy", f"127.0.0.1:{taken.getsockname()[1]}") as running:
            with GRPCIOCaller(running.target) as caller:
                seen = caller.call("Unary", Ending())
    assert seen.status == grpc.StatusCode.UNAVAILABLE.value[0], seen
    if proxy is Nginx:
        assert seen.message == "No server behind nginx can be reached"


FOR_EVERY_ROAD = {"Nginx": NginxForEveryRoad, "HAProxy": HAProxyForEveryRoad, "Envoy": Envoy.for_every_road}
BROWSERS: list[type[Road]] = [GRPCWeb, GRPCWebText, Connect, ConnectJSON, ConnectGet, PlainJSON, REST]
CREATE, EXECUTE, GET, RAISE, WATCH = (
    *(ORCHESTRATOR.methods_by_name[name] for name in ("CreateTask", "ExecuteTask", "GetTask")),
    REHEARSAL.methods_by_name["Raise"], ORCHESTRATOR.methods_by_name["WatchTask"],
)  # fmt: skip


@pytest.fixture(scope="module")
def for_every_road(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Callable[[str], Proxy]]:
    folder = tmp_path_factory.mktemp("every-road")
    with ExitStack() as stack:
        found: dict[str, Proxy] = {}

        def through(name: str) -> Proxy:
            if name not in found:
                found[name] = stack.enter_context(FOR_EVERY_ROAD[name](folder / name, server.target))
            return found[name]

        yield through


@pytest.mark.parametrize("road", BROWSERS, ids=lambda road: road.name)
@pytest.mark.parametrize("proxy", FOR_EVERY_ROAD)
def test_every_road_passes(for_every_road: Callable[[str], Proxy], proxy: str, road: type[Road]) -> None:
    with Wire(for_every_road(proxy).port, HTTP1) as wire:
        check(road(wire))


@pytest.mark.parametrize("proxy", ["HAProxy", "Envoy"])
def test_grpc_passes_by_the_same_port(for_every_road: Callable[[str], Proxy], proxy: str) -> None:
    with Wire(for_every_road(proxy).port, HTTP2) as wire:
        check(GRPC(wire))


def check(road: Road) -> None:
    """A call with a large message, errors with a pause and without, and a stream, as far as the road carries them."""
    contract = octollm.TaskContract(description="x", labels={"x": "x" * 3_000_000}, priority=1)
    json = PlainJSON(road.wire) if road.wire.version == HTTP1 else road
    task = json.call(CREATE, octollm.CreateTaskRequest(contract=contract)).message
    assert road.call(GET, octollm.GetTaskRequest(task_id=task.task_id)).message == task
    with pytest.raises(Failure) as missing:
        road.call(GET, octollm.GetTaskRequest(task_id="none"))
    assert missing.value.code == "TASK_NOT_FOUND"
    assert missing.value.http_status == road.http_status(404, 5)
    if road.carries(RAISE):
        with pytest.raises(Failure) as limited:
            road.call(RAISE, octollm.RaiseRequest(domain="octollm.dev", code="RATE_LIMIT_EXCEEDED"))
        assert limited.value.code == "RATE_LIMIT_EXCEEDED"
        assert limited.value.pause is not None
    if road.carries(WATCH):
        json.call(EXECUTE, octollm.ExecuteTaskRequest(task_id=task.task_id))
        changes = road.call(WATCH, octollm.WatchTaskRequest(task_id=task.task_id)).messages
        assert changes[-1].status == octollm.TASK_STATUS_COMPLETED
