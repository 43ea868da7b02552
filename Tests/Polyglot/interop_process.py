# SPDX-License-Identifier: Apache-2.0
"""`taxon-interop`, our own server and client of gRPC's interoperability tests, as processes."""

import subprocess
from pathlib import Path

from repository import executable
from serving import PATIENCE, ServingProcess


class SwiftServer(ServingProcess):
    """`taxon-interop server` on a port that was free."""

    def __init__(self, log: Path, *arguments: str) -> None:
        super().__init__([executable("taxon-interop"), "server", "--host", "127.0.0.1", "--port", "0", *arguments], log)


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
