# SPDX-License-Identifier: Apache-2.0
"""A command with all that it leaves running."""

import contextlib
import os
import signal
import subprocess
from types import TracebackType
from typing import Any

# Waits for the end of the pipe whose number is $0, and then ends the group, itself included. Its own outputs are closed: who
# reads the command's would wait for it.
_WATCHED = """
{ cat <&"$0"; trap '' TERM; kill -TERM 0; sleep 5; kill -KILL 0; } >/dev/null 2>&1 &
exec "$@"
"""


class ProcessGroup:
    """Runs a command in a group of its own, which is ended when its context is left, or when this process ends in any way.

    A process that is killed runs no `finally`; then the pipe ends that it alone has written to, and the group sees that.
    """

    def __init__(self, command: list[str], **options: Any) -> None:
        alive, self._writer = os.pipe()
        try:
            self.process = subprocess.Popen(
                ["bash", "-c", _WATCHED, str(alive), *command], pass_fds=(alive,), start_new_session=True, **options
            )
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(alive)

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The leader may be gone and waited for; its group has its number for as long as somebody is in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        os.close(self._writer)
        self.process.wait()
