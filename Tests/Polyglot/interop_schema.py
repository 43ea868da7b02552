# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability tests: their messages and services, and how a message is known to have come compressed.

The classes are made from descriptors and not from generated modules, whose package would be that of grpcio itself.
"""

import gzip
import os
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from repository import PROTOS, ROOT

M = TypeVar("M", bound=Message)


def _descriptors(protos: Path, *names: str) -> DescriptorPool:
    with tempfile.NamedTemporaryFile() as file:
        protoc = os.environ.get("PROTOC_PATH", "protoc")
        command = [protoc, f"-I{protos}", f"-I{PROTOS}", "-o", file.name, "--include_imports", *names]
        subprocess.run(command, check=True)
        files = FileDescriptorSet.FromString(file.read())
    pool = DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


_pool = _descriptors(
    ROOT / "Tests" / "Interop" / "Protos", "grpc/testing/test.proto", "failing/failing.proto", "secrets/secrets.proto"
)

TEST_SERVICE: ServiceDescriptor = _pool.FindServiceByName("grpc.testing.TestService")
UNIMPLEMENTED_SERVICE: ServiceDescriptor = _pool.FindServiceByName("grpc.testing.UnimplementedService")
FAILING: ServiceDescriptor = _pool.FindServiceByName("failing.Failing")
SECRETS: ServiceDescriptor = _pool.FindServiceByName("secrets.Secrets")


def message(name: str) -> type[Message]:
    """The class of a message, by its full name."""
    return GetMessageClass(_pool.FindMessageTypeByName(name))


def _message(name: str) -> type[Message]:
    return message(f"grpc.testing.{name}")


BoolValue = _message("BoolValue")
EchoStatus = _message("EchoStatus")
Empty = _message("Empty")
Payload = _message("Payload")
ResponseParameters = _message("ResponseParameters")
SimpleRequest = _message("SimpleRequest")
SimpleResponse = _message("SimpleResponse")
StreamingInputCallRequest = _message("StreamingInputCallRequest")
StreamingInputCallResponse = _message("StreamingInputCallResponse")
StreamingOutputCallRequest = _message("StreamingOutputCallRequest")
StreamingOutputCallResponse = _message("StreamingOutputCallResponse")

ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"

# Both sides: messages come to the deserializer as they were on the wire, since grpcio has no other way to say whether
# one was compressed.
KEEP_COMPRESSED = ("grpc.per_message_decompression", 0)


@dataclass(frozen=True)
class Received(Generic[M]):
    message: M
    is_compressed: bool


def receiver(message: type[M]) -> Callable[[bytes], Received[M]]:
    """A deserializer. What gzip and zlib begin with no message of these tests does: field 3 has no wire type 7, and there
    is no field 15."""

    def receive(data: bytes) -> Received[M]:
        if data[:2] == b"\x1f\x8b":
            return Received(message.FromString(gzip.decompress(data)), True)
        if data[:1] == b"\x78":
            return Received(message.FromString(zlib.decompress(data)), True)
        return Received(message.FromString(data), False)

    return receive


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def request_class(method: MethodDescriptor) -> type[Message]:
    return GetMessageClass(method.input_type)


def response_class(method: MethodDescriptor) -> type[Message]:
    return GetMessageClass(method.output_type)


def zeros(size: int) -> Message:
    return Payload(body=bytes(size))
