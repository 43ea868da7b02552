# SPDX-License-Identifier: Apache-2.0
"""`taxon-cross-check` (Tests/CrossCheck) as a process."""

import select
import struct
import subprocess

from repository import executable

# What an answer may take; it takes milliseconds.
SECONDS = 30


class Taxon:
    """The process; one that ends is a failure of what it was asked, and the next question gets a new one."""

    process: subprocess.Popen[bytes] | None = None

    def ask(self, read: str, write: str, name: str, payload: bytes) -> tuple[str, bytes]:
        if self.process is None:
            self.process = subprocess.Popen(
                [executable("taxon-cross-check")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        request = f"{read} {write} {name}\n".encode() + payload
        try:
            self.process.stdin.write(struct.pack("<I", len(request)) + request)
            (length,) = struct.unpack("<I", self._bytes(4))
            outcome, _, answer = self._bytes(length).partition(b"\n")
        except (BrokenPipeError, EOFError, TimeoutError) as error:
            process, self.process = self.process, None
            if isinstance(error, TimeoutError):
                process.kill()
            status = process.wait()
            process.stdin.close()
            process.stdout.close()
            raise AssertionError(f"Taxon's process ended with {status}: {type(error).__name__}") from None
        return outcome.decode(), answer

    def _bytes(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            if not select.select([self.process.stdout], [], [], SECONDS)[0]:
                raise TimeoutError
            more = self.process.stdout.read(count - len(received))
            if not more:
                raise EOFError
            received += more
        return bytes(received)

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
