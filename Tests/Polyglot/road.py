# SPDX-License-Identifier: Apache-2.0
"""What all roads to a server's methods have in common: a road makes a call over one protocol, and says what came of it in the
same words as all the others."""

import gzip
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import timedelta

from failure import Details
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, status_pb2
from http_wire import Answer, Fields, Wire, envelope

Metadata = list[tuple[str, str | bytes]]

COMPRESSED = 1
"""A flag of an envelope."""


@dataclass(eq=False)
class Failure(Details, Exception):
    """A failed call. What a road does not carry is None."""

    http_status: int
    code: str
    """The declared code; a status's own name where there are no details."""
    message: str
    answer: Answer
    rich: status_pb2.Status | None = None
    """The status with its details, typed."""
    members: dict | None = None
    """The body, where that is JSON for people and programs that know no protobuf."""
    metadata: list[tuple[str, str]] = field(default_factory=list)
    """Leading and trailing metadata, and what else is there."""

    @property
    def pause(self) -> timedelta | None:
        """How long to wait, as exactly as the road says it."""
        if self.rich is not None:
            return self.retry_after
        seconds = self.members.get("retry_after")
        return None if seconds is None else timedelta(seconds=seconds)


def typed(answer: Answer, rich: status_pb2.Status, metadata: Fields) -> Failure:
    failure = Failure(answer.status, code_pb2.Code.Name(rich.code), rich.message, answer, rich, metadata=metadata)
    if "google.rpc.ErrorInfo" in failure.types:
        return Failure(answer.status, failure.info.reason, rich.message, answer, rich, metadata=metadata)
    return failure


@dataclass(frozen=True)
class Call:
    """What to call a method with."""

    method: MethodDescriptor
    payload: bytes
    metadata: Metadata = field(default_factory=list)
    timeout: int | None = None
    """Milliseconds."""
    compresses: bool = False
    """Sends the request in gzip."""
    headers: Fields = field(default_factory=list)
    """Headers that the road does not know of."""
    more: list[bytes] = field(default_factory=list)
    """Messages behind the first."""

    @property
    def path(self) -> str:
        return f"/{self.method.containing_service.full_name}/{self.method.name}"


@dataclass(frozen=True)
class Reply:
    """Messages, and the metadata before and after them."""

    messages: list[Message]
    initial: list[tuple[str, str]]
    trailing: list[tuple[str, str]]
    answer: Answer

    @property
    def message(self) -> Message:
        assert len(self.messages) == 1, f"{len(self.messages)} messages"
        return self.messages[0]


class Proto:
    name = "proto"

    @staticmethod
    def encode(message: Message) -> bytes:
        return message.SerializeToString()

    @staticmethod
    def decode(payload: bytes, method: MethodDescriptor) -> Message:
        return GetMessageClass(method.output_type).FromString(payload)


class JSON:
    name = "json"

    @staticmethod
    def encode(message: Message) -> bytes:
        return json_format.MessageToJson(message, descriptor_pool=message.DESCRIPTOR.file.pool).encode()

    @staticmethod
    def decode(payload: bytes, method: MethodDescriptor) -> Message:
        message = GetMessageClass(method.output_type)()
        return json_format.Parse(payload, message, descriptor_pool=method.output_type.file.pool)


Codec = type[Proto] | type[JSON]


class Road:
    """One way to call methods, over one wire."""

    name: str
    codec: Codec
    streams = False
    """Whether it carries streams of answers."""
    has_deadlines = True
    encoding_header: str
    """Says how an answer is compressed."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @classmethod
    def carries(cls, method: MethodDescriptor) -> bool:
        return cls.streams or not (method.server_streaming or method.client_streaming)

    def call(self, method: MethodDescriptor, *requests: Message, **options: object) -> Reply:
        """Makes a call; raises Failure."""
        first, *more = [self.codec.encode(request) for request in requests]
        return self.perform(Call(method, first, more=more, **options))

    def perform(self, call: Call) -> Reply:
        """Makes a call with a payload that may be no message."""
        raise NotImplementedError

    def http_status(self, declared: int, code: int) -> int:
        """The HTTP status of an error with that declared HTTP status and that gRPC status."""
        raise NotImplementedError

    def _post(self, call: Call, content_type: str, headers: Fields, body: bytes) -> Answer:
        fields = [("content-type", content_type), *headers, *written(call.metadata), *call.headers]
        return self.wire.send("POST", call.path, fields, body)


def written(metadata: Metadata) -> Fields:
    return [
        (name, b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else value) for name, value in metadata
    ]


def unpadded(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


class Enveloped(Road):
    """Messages with prefixes: gRPC and what is like it."""

    streams = True
    encoding_header = "grpc-encoding"

    def _body(self, call: Call) -> bytes:
        payloads = [call.payload, *call.more]
        if call.compresses:
            return b"".join(envelope(gzip.compress(payload), COMPRESSED) for payload in payloads)
        return b"".join(map(envelope, payloads))

    def _encoding(self, method: MethodDescriptor) -> str:
        return self.encoding_header

    def _messages(self, answer: Answer, items: list[tuple[int, bytes]], method: MethodDescriptor) -> list[Message]:
        messages = []
        for flags, payload in items:
            if flags & COMPRESSED:
                assert answer.header(self._encoding(method)) == "gzip"
                payload = gzip.decompress(payload)
            messages.append(self.codec.decode(payload, method))
        return messages
