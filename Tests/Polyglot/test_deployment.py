# SPDX-License-Identifier: Apache-2.0
"""Calls of all kinds through the proxies, as Documentation/Deployment.md shows them."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from deployment import Apache, Envoy, HAProxy, Nginx
from failing_calls import Ending, GRPCIOCaller
from interop_process import SwiftServer, swift_client
from load import load
from proxies import Proxy

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
