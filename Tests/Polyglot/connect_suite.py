# SPDX-License-Identifier: Apache-2.0
"""`taxon-connect`, the programs that the Connect suite tests, driven as its runner drives them: by messages on standard
input and output, each after four bytes of its size."""

import os
import signal
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from repository import ROOT, executable
from serving import PATIENCE

PACKAGE = "connectrpc.conformance.v1"
SERVICE = f"{PACKAGE}.ConformanceService"


def _descriptors() -> DescriptorPool:
    protos = ROOT / "Tests" / "Connect" / "Protos"
    files = sorted(str(file.relative_to(protos)) for file in protos.rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as output:
        protoc = os.environ.get("PROTOC_PATH", "protoc")
        subprocess.run([protoc, f"-I{protos}", "-o", output.name, "--include_imports", *files], check=True)
        descriptors = FileDescriptorSet.FromString(output.read())
    pool = DescriptorPool()
    for file in descriptors.file:
        pool.Add(file)
    return pool


_pool = _descriptors()


def message(name: str) -> type[Message]:
    return GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def number(enum: str, label: str) -> int:
    return _pool.FindEnumTypeByName(f"{PACKAGE}.{enum}").values_by_name[label].number


def code(label: str) -> int:
    return number("Code", f"CODE_{label}")


METHODS = _pool.FindServiceByName(SERVICE).methods_by_name
ServerRequest = message("ServerCompatRequest")
ServerResponse = message("ServerCompatResponse")
ClientRequest = message("ClientCompatRequest")
ClientResponse = message("ClientCompatResponse")
RequestInfo = message("ConformancePayload.RequestInfo")


def sized(content: Message) -> bytes:
    encoded = content.SerializeToString()
    return struct.pack(">I", len(encoded)) + encoded


class ConnectServer:
    """`taxon-connect server`, with plain JSON as well, until its context is left."""

    def __init__(self, log: Path, **settings: object) -> None:
        self.settings = ServerRequest(
            protocol=number("Protocol", "PROTOCOL_GRPC"), http_version=number("HTTPVersion", "HTTP_VERSION_2"), **settings
        )
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [executable("taxon-connect"), "server", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
            )
        self.process.stdin.write(sized(self.settings))
        self.process.stdin.close()
        patience = threading.Timer(PATIENCE, self.process.kill)
        patience.start()
        prefix = self.process.stdout.read(4)
        assert len(prefix) == 4, log.read_text()
        response = ServerResponse.FromString(self.process.stdout.read(*struct.unpack(">I", prefix)))
        patience.cancel()
        self.host, self.port, self.certificate = response.host, response.port, response.pem_cert
        self.target = f"{self.host}:{self.port}"

    def __enter__(self) -> "ConnectServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        still_runs = self.process.poll() is None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        if error is None:
            assert still_runs, f"the server ended by itself, with {self.process.returncode}"


def run_client(requests: Iterable[Message]) -> dict[str, Message]:
    """What `taxon-connect client` answers, by the names of the tests."""
    process = subprocess.run(
        [executable("taxon-connect"), "client"], input=b"".join(map(sized, requests)), capture_output=True,
        timeout=2 * PATIENCE,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    responses, output = {}, process.stdout
    while output:
        (size,) = struct.unpack(">I", output[:4])
        response = ClientResponse.FromString(output[4 : 4 + size])
        assert response.test_name not in responses
        responses[response.test_name] = response
        output = output[4 + size :]
    return responses
