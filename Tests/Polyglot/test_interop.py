# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability tests."""

from collections.abc import Iterator

import grpc
import interop_client
import pytest
from identity import Identity, make_identity
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


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def swift_tls_server(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[SwiftServer]:
    with SwiftServer(tmp_path_factory.mktemp("interop") / "log", *identity.arguments) as server:
        yield server


@pytest.mark.parametrize("case", CASES)
def test_python_to_swift_by_tls(case: str, swift_tls_server: SwiftServer, identity: Identity) -> None:
    credentials = grpc.ssl_channel_credentials(identity.certificate.read_bytes())
    with interop_client.channel(swift_tls_server.target, credentials) as channel:
        CASES[case](interop_client.Stub(channel))


@pytest.fixture(scope="module")
def python_tls_server(identity: Identity) -> Iterator[InteropServer]:
    pair = identity.key.read_bytes(), identity.certificate.read_bytes()
    with InteropServer(credentials=grpc.ssl_server_credentials([pair])) as server:
        yield server


@pytest.mark.parametrize("case", CASES)
def test_swift_to_python_by_tls(case: str, python_tls_server: InteropServer, identity: Identity) -> None:
    name = "--server_host_override=foo.test.google.fr"
    swift_client(python_tls_server.port, case, "--use_tls", name, f"--ca_file={identity.certificate}")
