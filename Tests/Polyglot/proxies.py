# SPDX-License-Identifier: Apache-2.0
"""Debian's nginx and HAProxy as processes, between a client and servers.

Each takes over a socket that listens already: its port is free for certain, and connections that come before the proxy
is ready wait for it.
"""

import os
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from serving import PATIENCE


class Proxy:
    """Runs until its context is left."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"

    def _start(self, command: list[str], environment: dict[str, str]) -> None:
        self._run(command, environment, [self._listener.fileno()])
        # Only the proxy's own is left, so that nobody can connect when it has ended.
        self._listener.close()

    def _run(self, command: list[str], environment: dict[str, str], descriptors: list[int]) -> None:
        # Debian has them in /usr/sbin, which is not in everybody's PATH.
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=descriptors,
                env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", **environment},
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        running = self.process.poll() is None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        assert running or error, f"the proxy ended by itself with {self.process.returncode}; its log:\n{self.log}"


class Nginx(Proxy):
    """`grpc_pass` to servers in turn, with all other settings as they are by default."""

    def __init__(self, folder: Path, *servers: str, fail_timeout: int = 10) -> None:
        """`fail_timeout`: for how many seconds a server that could not be reached is not asked again."""
        folder.mkdir()
        super().__init__(folder / "error.log")
        temporary = " ".join(
            f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = f"""
            daemon off;
            pid {folder / "pid"};
            error_log {self._log} info;
            # Started by root, its workers are nobody's, who may not see the folder.
            {"user root;" if os.geteuid() == 0 else ""}
            events {{}}
            http {{
              access_log off;
              {temporary}
              upstream servers {{ {" ".join(f"server {server} fail_timeout={fail_timeout}s;" for server in servers)} }}
              server {{
                listen {self.target} http2;
                location / {{ grpc_pass grpc://servers; }}
              }}
            }}
        """
        (folder / "nginx.conf").write_text(configuration)
        # As a new nginx takes over the sockets of one that it replaces.
        self._start(
            ["nginx", "-p", str(folder), "-e", str(self._log), "-c", str(folder / "nginx.conf")],
            {"NGINX": f"{self._listener.fileno()};"},
        )


class HAProxy(Proxy):
    """HTTP/2 on both sides, without TLS."""

    def __init__(self, folder: Path, server: str) -> None:
        folder.mkdir()
        super().__init__(folder / "log")
        configuration = f"""
            defaults
              mode http
              timeout connect {PATIENCE}s
              timeout client {PATIENCE}s
              timeout server {PATIENCE}s
            frontend clients
              bind fd@{self._listener.fileno()} proto h2
              default_backend servers
            backend servers
              server only {server} proto h2
        """
        # Which has to end with a line break.
        (folder / "haproxy.cfg").write_text(configuration + "\n")
        self._start(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], {})
