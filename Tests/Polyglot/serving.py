# SPDX-License-Identifier: Apache-2.0
"""A command of ours that serves, as a process."""

import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

# Seconds. Generous, since the machine may have other things to do; nothing waits for it to pass.
PATIENCE = 30


def poll(condition: Callable[[], object], otherwise: str | Callable[[], str]) -> None:
    """Asks again and again until it holds: for software that says nothing by itself."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, otherwise if isinstance(otherwise, str) else otherwise()
        time.sleep(0.02)


class ServingProcess:
    """Runs until its context is left. Its first line says on which port it listens."""

    def __init__(self, command: list[str | Path], log: Path) -> None:
        self._log = log
        self._name = Path(command[0]).name
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        self.port = self._listening_port()
        self.target = f"127.0.0.1:{self.port}"

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
            raise AssertionError(f"{self._name} began with {line!r}; its log:\n{self.log}")
        return int(match[1])

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def __enter__(self) -> "ServingProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
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
            assert code == 0, f"{self._name} ended with {code}; its log:\n{self.log}"
