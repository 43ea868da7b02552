# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each is built, started on one core and watched."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BENCHMARKS = ROOT / "Benchmarks"
SCRATCH = ROOT / ".build" / "benchmarks"
SERVER_CORE, LOAD_CORE = "0", "1"


class Missing(Exception):
    """What a peer needs and this machine lacks."""


@functools.cache
def swift_build(package: str, *products: str) -> Path:
    """The folder of the executables of a package, built in release."""
    command = ["swift", "build", "--configuration", "release", "--package-path", str(BENCHMARKS / package)]
    for product in products:
        print(f"building {product} …", flush=True)
        built = subprocess.run([*command, "--product", product], capture_output=True, text=True)
        if built.returncode:
            raise Missing(f"{package} does not build:\n{(built.stdout + built.stderr)[-4000:]}")
    shown = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
    return Path(shown.stdout.strip())


def taxon(port: int) -> list[str]:
    return [str(swift_build("TaxonCalls", "taxon-bench-server", "taxon-bench-client") / "taxon-bench-server"), str(port)]


def grpc_swift(port: int) -> list[str]:
    folder = swift_build("GRPCSwift", "grpc-swift-server", "grpc-swift-client")
    return [str(folder / "grpc-swift-server"), str(port)]


def grpc_cpp(port: int) -> list[str]:
    if not shutil.which("grpc_cpp_plugin") or subprocess.run(["pkg-config", "--exists", "grpc++"]).returncode:
        raise Missing("libgrpc++-dev and protobuf-compiler-grpc are not installed; --install asks apt for them")
    folder = SCRATCH / "grpc-c++"
    source = BENCHMARKS / "GRPCCpp" / "server.cc"
    server = folder / "grpc-c++-server"
    if not server.exists() or server.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([BENCHMARKS / "GRPCCpp" / "build", folder], check=True)
    return [str(server), str(port)]


def grpc_go(port: int) -> list[str]:
    """On Debian's golang-go and golang-google-grpc-dev, which need no network."""
    modules = Path("/usr/share/gocode")
    if not (go := shutil.which("go")) or not (modules / "src/google.golang.org/grpc").is_dir():
        raise Missing("golang-go and golang-google-grpc-dev are not installed; --install asks apt for them")
    folder = SCRATCH / "grpc-go"
    source = BENCHMARKS / "GRPCGo" / "server.go"
    server = folder / "grpc-go-server"
    if not server.exists() or server.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        # Without modules: packages are found under GOPATH.
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(modules), "GOCACHE": str(folder / "cache")}
        subprocess.run([go, "build", "-o", str(server), str(source)], check=True, env=environment)
    return [str(server), str(port)]


def octollm(port: int) -> list[str]:
    """The example, for rows that need its checks."""
    command = ["swift", "build", "--configuration", "release", "--package-path", str(ROOT)]
    print("building octollm …", flush=True)
    built = subprocess.run([*command, "--product", "octollm"], capture_output=True, text=True)
    if built.returncode:
        raise Missing(f"octollm does not build:\n{(built.stdout + built.stderr)[-4000:]}")
    shown = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
    return [str(Path(shown.stdout.strip()) / "octollm"), "serve", "--host", "127.0.0.1", "--port", str(port)]


def nghttpd(port: int) -> list[str]:
    if not (found := shutil.which("nghttpd")):
        raise Missing("nghttpd is not installed (Debian: nghttp2-server); --install asks apt for it")
    # A file stands where the reply is expected, of the size of the reply.
    from .load import SCENARIOS

    for name in FILES:
        file = SCRATCH / "nghttpd" / name / SCENARIOS[name].path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(SCENARIOS[name].body)
    return [found, "--no-tls", "-n", "1", "-d", str(SCRATCH / "nghttpd" / "SCENARIO"), str(port)]


def hummingbird(port: int) -> list[str]:
    return [str(swift_build("HummingbirdJSON", "hummingbird-server") / "hummingbird-server"), str(port)]


GRPC = ("unary", "error", "large", "stream", "latency", "deadline")
FILES = ("unary", "large", "latency")


@dataclass
class Peer:
    """One of the servers, and the scenarios (in load.py) that it answers."""

    name: str
    make: Callable[[int], list[str]]
    scenarios: tuple[str, ...] = GRPC

    @property
    def is_grpc(self) -> bool:
        return "error" in self.scenarios

    def command(self, port: int, scenario: str) -> list[str]:
        return [part.replace("SCENARIO", scenario) for part in self.make(port)]


PEERS = [
    Peer("taxon", taxon, (*GRPC, "json-h2", "json-h1", "connect-h2", "connect-h1")),
    Peer("grpc-swift-2", grpc_swift), Peer("grpc-c++", grpc_cpp), Peer("nghttpd", nghttpd, FILES),
    Peer("hummingbird", hummingbird, ("json-h1",)),
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def cpu(self) -> float:
        """Seconds of CPU time since the start, of all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str) -> int:
        """KiB: VmRSS, what is resident; VmHWM, the most that was."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1])
        raise SystemExit(f"bench: no {what} of {self.process.args}")


@contextlib.contextmanager
def running(
    command: list[str], port: int, environment: dict[str, str] | None = None, wait: float = 20
) -> Iterator[Server]:
    """Starts a server on its core, waits until it listens, and ends it."""
    log = SCRATCH / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command], stdout=output, stderr=output,
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"} | (environment or {}))
    try:
        end = time.monotonic() + wait
        while True:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"bench: {command[0]} does not listen:\n{log.read_text()[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
