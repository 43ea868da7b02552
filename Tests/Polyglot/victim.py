# SPDX-License-Identifier: Apache-2.0
"""A server under attack: whether it still answers, and what memory it has."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

MEBIBYTE = 1 << 20
# What a server may have more than before, when an attack is over: what glibc's allocator keeps, which does not grow with
# further attacks.
KEPT = 48 * MEBIBYTE
# What it may have more at the worst moment of an attack: replies of 16 MiB a connection may wait, five connections wait in
# the worst of them, and buffers double when they grow.
PEAK = 320 * MEBIBYTE


class Victim:
    def __init__(self, port: int, pid: int, path: str, request: bytes, status: grpc.StatusCode = grpc.StatusCode.OK) -> None:
        """The request is one that the server answers with the status whatever happens."""
        self.port = port
        self.path = path
        self.request = request
        self._status = status
        self._process = Path(f"/proc/{pid}")
        # What a server takes once and keeps is taken before it is looked at.
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: self._call(timeout=10), range(64)))
        self.before = self._memory("VmRSS")
        self._forget_peak()

    def _call(self, timeout: float) -> float:
        """Calls on a connection of its own and says how many seconds it took."""
        start = time.monotonic()
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{self.port}", options) as channel:
            try:
                channel.unary_unary(self.path)(self.request, timeout=timeout)
                status = grpc.StatusCode.OK
            except grpc.RpcError as error:
                status = error.code()
                assert status == self._status, f"the server answers {status}: {error.details()}"
        return time.monotonic() - start

    def answers(self) -> None:
        """Within a second, grpcio's own time and a busy machine's included."""
        self._call(timeout=1)

    def has_answered_for(self, seconds: float) -> None:
        """It answers all the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.answers()

    def has_recovered(self, *, peak: int = PEAK) -> None:
        """It answers, and its memory is about where it was."""
        self.answers()
        worst = self._memory("VmHWM") - self.before
        assert worst < peak, f"it took {worst / MEBIBYTE:.0f} MiB at the worst moment"
        deadline = time.monotonic() + 10
        while (more := self._memory("VmRSS") - self.before) > KEPT and time.monotonic() < deadline:
            time.sleep(0.1)
        assert more <= KEPT, f"it keeps {more / MEBIBYTE:.0f} MiB more than before"

    def becomes(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Waits for a condition and checks meanwhile that it answers."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.answers()
            time.sleep(0.1)
        return True

    def connections(self) -> int:
        """Sockets that are open, the listening one included."""
        links = (link for link in (self._process / "fd").iterdir())
        return sum(1 for link in links if _target(link).startswith("socket:"))

    def _memory(self, name: str) -> int:
        status = (self._process / "status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)[1]) << 10

    def _forget_peak(self) -> None:
        (self._process / "clear_refs").write_text("5")


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
