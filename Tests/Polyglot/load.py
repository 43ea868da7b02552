# SPDX-License-Identifier: Apache-2.0
"""`taxon-interop load`, our own client that makes many calls, as a process."""

import json
import queue
import re
import subprocess
import threading
from dataclasses import dataclass

from repository import executable
from serving import PATIENCE


@dataclass(frozen=True)
class Outcome:
    """What became of the calls."""

    calls: int
    ok: int
    # Each by error code.
    failed: dict[str, int]
    messages: dict[str, list[str]]
    # Failed attempts by code and what followed; a breaker's transitions.
    attempts: dict[str, int]
    breaker: dict[str, int]
    slowest_ms: int
    seconds: float

    def check_none_lost(self) -> None:
        assert self.ok == self.calls, self
        assert not self.breaker, self


class Load:
    """Makes calls until its context is left, and at least as many as asked for."""

    def __init__(self, target: str, *arguments: str, calls: int, concurrency: int) -> None:
        command = [executable("taxon-interop"), "load", target, "--until_eof"]
        command += ["--calls", str(calls), "--concurrency", str(concurrency), *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._sent = 0
        self._progress: queue.Queue[int | None] = queue.Queue()
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stderr:
            if match := re.fullmatch(r"sent (\d+)\n", line):
                self._progress.put(int(match[1]))
            else:
                self._log.append(line)
        self._progress.put(None)

    def wait_for_more(self, calls: int = 300) -> None:
        """Until that many more calls, in hundreds, have been made."""
        while not self._progress.empty():
            self._advance()
        goal = self._sent + calls
        while self._sent < goal:
            self._advance()

    def _advance(self) -> None:
        sent = self._progress.get(timeout=PATIENCE)
        assert sent is not None, f"the load ended: {''.join(self._log)}"
        self._sent = sent

    def finish(self, timeout: float = 10 * PATIENCE) -> Outcome:
        try:
            self._process.stdin.close()
            line = self._process.stdout.read()
            code = self._process.wait(timeout)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._process.stderr.close()
        assert code == 0, f"the load ended with {code}: {''.join(self._log)}"
        return Outcome(**json.loads(line))


def load(target: str, *arguments: str, calls: int, concurrency: int) -> Outcome:
    """Makes that many calls."""
    return Load(target, *arguments, calls=calls, concurrency=concurrency).finish()
