# SPDX-License-Identifier: Apache-2.0
"""`taxon-interop`, our own server and client of gRPC's interoperability tests, as processes."""

import subprocess
from pathlib import Path
from types import TracebackType

from repository import executable
from serving import PATIENCE, ServingProcess


class SwiftServer(ServingProcess):
    """`taxon-interop server`, by default on a port that was free."""

    def __init__(self, log: Path, *arguments: str, port: int = 0) -> None:
        command = [executable("taxon-interop"), "server", "--host", "127.0.0.1", "--port", str(port), *arguments]
        super().__init__(command, log)


class RestartingSwiftServer:
    """A server that can be taken away and come back on the same port, until its context is left."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._port = 0
        self.start()
        self.port = self._port = self._server.port
        self.target = self._server.target

    def start(self) -> None:
        self._server = SwiftServer(self._log, "--tell_first_call", port=self._port)

    def stop(self) -> None:
        """Ends gracefully, as after SIGTERM."""
        with self._server:
            pass

    def kill(self) -> None:
        """Ends at once, as by `kill -9`."""
        self._server.process.kill()
        self._server.wait()
        self._server.process.stdout.close()

    @property
    def process(self) -> int:
        """The number of the process that serves now."""
        return self._server.process.pid

    def wait_for_call(self) -> None:
        """Until one has come since the start."""
        assert self._server.process.stdout.readline() == "called\n", self._server.log

    def __enter__(self) -> "RestartingSwiftServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, traceback)


def swift_client(port: int, case: str, *arguments: str) -> None:
    """Runs a case with our client."""
    result = subprocess.run(
        [
            executable("taxon-interop"), "client", "--server_host", "127.0.0.1", "--server_port", str(port),
            "--test_case", case, *arguments,
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2 * PATIENCE,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
