# SPDX-License-Identifier: Apache-2.0
"""The example's command as a process: its server, and its client."""

import json
import queue
import re
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType

import grpc
from repository import octollm
from stub import ORCHESTRATOR, REFLEX, REHEARSAL, Stub

# Seconds. Generous, since the machine may have other things to do; nothing waits for it to pass.
PATIENCE = 30


class Server:
    """`octollm serve` on a port that was free."""

    def __init__(self, log: Path, *arguments: str, command: Path | None = None) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [command or octollm(), "serve", "--host", "127.0.0.1", "--port", "0", *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        self.port = self._listening_port()
        self.target = f"127.0.0.1:{self.port}"
        # Each with a connection of its own: grpcio shares them between channels to one target otherwise.
        self.channel = grpc.insecure_channel(self.target, options=[("grpc.use_local_subchannel_pool", 1)])
        self.orchestrator = Stub(self.channel, ORCHESTRATOR)
        self.reflex = Stub(self.channel, REFLEX)
        self.rehearsal = Stub(self.channel, REHEARSAL)

    def _listening_port(self) -> int:
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=PATIENCE)
        except queue.Empty:
            line = ""
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not match:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"octollm serve began with {line!r}; its log:\n{self.log}")
        return int(match[1])

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.channel.close()
        self.terminate()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise
        finally:
            self.process.stdout.close()
        if error is None:
            assert code == 0, f"octollm serve ended with {code}; its log:\n{self.log}"


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
