# SPDX-License-Identifier: Apache-2.0
"""The example's command as a process: its server, and its client."""

import json
import subprocess
from pathlib import Path
from types import TracebackType

import grpc
from repository import octollm
from serving import PATIENCE, ServingProcess
from stub import ORCHESTRATOR, REFLEX, REHEARSAL, Stub


class Server(ServingProcess):
    """`octollm serve` on a port that was free."""

    def __init__(self, log: Path, *arguments: str, command: Path | None = None) -> None:
        super().__init__([command or octollm(), "serve", "--host", "127.0.0.1", "--port", "0", *arguments], log)
        # Each with a connection of its own: grpcio shares them between channels to one target otherwise.
        self.channel = grpc.insecure_channel(self.target, options=[("grpc.use_local_subchannel_pool", 1)])
        self.orchestrator = Stub(self.channel, ORCHESTRATOR)
        self.reflex = Stub(self.channel, REFLEX)
        self.rehearsal = Stub(self.channel, REHEARSAL)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.channel.close()
        super().__exit__(kind, error, traceback)


def call(target: str, *arguments: str) -> dict:
    """What `octollm call` prints; for an error, with the exit code that goes with one."""
    result = start_call(target, *arguments)
    stdout, stderr = result.communicate(timeout=PATIENCE)
    assert result.returncode in (0, 1), f"octollm call {arguments} ended with {result.returncode}: {stderr}{stdout}"
    answer = json.loads(stdout)
    assert ("code" in answer) == (result.returncode == 1), answer
    return answer


def start_call(target: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [octollm(), "call", *arguments, "--target", target, "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
