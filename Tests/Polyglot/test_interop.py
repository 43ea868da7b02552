# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability tests."""

from collections.abc import Iterator

import grpc
import interop_client
import pytest
from interop_client import CASES
from interop_server import InteropServer


@pytest.fixture(scope="module")
def python_server() -> Iterator[InteropServer]:
    with InteropServer() as server:
        yield server


@pytest.fixture(scope="module")
def python_channel(python_server: InteropServer) -> Iterator[grpc.Channel]:
    with interop_client.channel(f"localhost:{python_server.port}") as channel:
        yield channel


@pytest.mark.parametrize("case", CASES)
def test_python_to_python(case: str, python_channel: grpc.Channel) -> None:
    """The counterparts themselves are right."""
    CASES[case](interop_client.Stub(python_channel))
