# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability tests."""

from collections.abc import Iterator

import grpc
import interop_client
import pytest
from interop_client import CASES
from interop_process import SwiftServer, swift_client
from interop_server import InteropServer


@pytest.fixture(scope="module")
def python_server() -> Iterator[InteropServer]:
    with InteropServer() as server:
        yield server


@pytest.fixture(scope="module")
def python_channel(python_server: InteropServer) -> Iterator[grpc.Channel]:
    with interop_client.channel(f"localhost:{python_server.port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    with SwiftServer(tmp_path_factory.mktemp("interop") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def swift_channel(swift_server: SwiftServer) -> Iterator[grpc.Channel]:
    with interop_client.channel(swift_server.target) as channel:
        yield channel


@pytest.mark.parametrize("case", CASES)
def test_python_to_python(case: str, python_channel: grpc.Channel) -> None:
    """The counterparts themselves are right."""
    CASES[case](interop_client.Stub(python_channel))


@pytest.mark.parametrize("case", CASES)
def test_python_to_swift(case: str, swift_channel: grpc.Channel) -> None:
    CASES[case](interop_client.Stub(swift_channel))


@pytest.mark.parametrize("case", CASES)
def test_swift_to_python(case: str, python_server: InteropServer) -> None:
    swift_client(python_server.port, case)


@pytest.mark.parametrize("case", CASES)
def test_swift_to_swift(case: str, swift_server: SwiftServer) -> None:
    swift_client(swift_server.port, case)
