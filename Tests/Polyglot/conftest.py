# SPDX-License-Identifier: Apache-2.0
"""Taxon against software we did not write: grpcio, h2load, curl.

Builds nothing of the package itself: `swift build` comes first (Scripts/test does it), or OCTOLLM names the command.
"""

import atexit
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import extended_copy
import pytest
from repository import PROTOS, generate_python, generate_test_messages

# Before any test module is imported: they import what is generated.
_generated = Path(tempfile.mkdtemp(prefix="taxon-polyglot-"))
atexit.register(shutil.rmtree, _generated, ignore_errors=True)
generate_python(PROTOS, _generated)
generate_test_messages(_generated)
sys.path.insert(0, str(_generated))

from google.protobuf import __version__ as protobuf_version  # noqa: E402
from google.protobuf.internal import api_implementation  # noqa: E402
from http_wire import Wire  # noqa: E402
from identity import Identity, make_signed_identity  # noqa: E402
from octollm_process import Server  # noqa: E402
from roads import WIRES  # noqa: E402

# Of test_protobuf.py.
CROSS_CHECK_SEED = int(os.environ.get("CROSS_CHECK_SEED") or random.SystemRandom().randrange(1 << 32))


# Tests that have not ended yet, in their order.
_left: dict[str, None] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    _left.update((item.nodeid, None) for item in session.items)


def pytest_runtest_logfinish(nodeid: str) -> None:
    _left.pop(nodeid, None)


def pytest_sessionstart() -> None:
    # Fixtures are torn down then, and the report is written: what runs is ended, and Scripts/test knows what did not.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", returncode=2))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _left:
        terminalreporter.section(f"{len(_left)} tests did not run to their end")
        for number, nodeid in enumerate(_left):
            terminalreporter.write_line(f"NOT RUN {nodeid}" if number else f"UNDER WAY {nodeid}")
    cross_check = sys.modules.get("cross_check")
    if cross_check is not None and cross_check.cases:
        google = f"protobuf {protobuf_version} ({api_implementation.Type()})"
        terminalreporter.write_line(
            f"cross-check with {google}: {cross_check.cases} cases, CROSS_CHECK_SEED={CROSS_CHECK_SEED}"
        )


@pytest.fixture(scope="session")
def copy() -> Path:
    """A copy of this repository with one error more."""
    return extended_copy.make()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that everybody may call, with Rehearsal."""
    with Server(tmp_path_factory.mktemp("server") / "log", "--rehearsal") as server:
        yield server


@pytest.fixture(scope="session")
def signed_identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Who servers with TLS are."""
    return make_signed_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory: pytest.TempPathFactory, signed_identity: Identity) -> Iterator[Server]:
    """As `server`, with TLS; its stubs are of no use."""
    arguments = ["--tls-certificate", str(signed_identity.certificate), "--tls-key", str(signed_identity.key)]
    with Server(tmp_path_factory.mktemp("tls-server") / "log", "--rehearsal", *arguments) as server:
        yield server


@pytest.fixture(scope="module", params=WIRES)
def wire(request: pytest.FixtureRequest, server: Server, tls_server: Server, signed_identity: Identity) -> Iterator[Wire]:
    """A connection to the server, by each version of HTTP, with TLS and without."""
    version, is_secure = request.param
    port = (tls_server if is_secure else server).port
    with Wire(port, version, signed_identity.authority.read_bytes() if is_secure else None) as wire:
        yield wire


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with arguments of the test's own."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(tmp_path / f"log-{len(servers)}", *arguments))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            with server:
                pass
