# SPDX-License-Identifier: Apache-2.0
"""Calls of failing.Failing, and what of their errors arrives: at grpcio, and at Taxon's own client."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from interop_schema import FAILING, message, path, response_class
from repository import executable
from serving import PATIENCE
from taxon import error_traits_pb2

Ending = message("failing.Ending")
Serving = message("failing.Serving")

DOMAIN = "failing.test"


@dataclass(frozen=True)
class Declared:
    """An error of failing.proto."""

    code: str
    message: str
    status: grpc.StatusCode
    retry: str
    breaker: str


ERRORS = [
    Declared("MISSING", "Missing", grpc.StatusCode.NOT_FOUND, "NEVER", "NEUTRAL"),
    Declared("UNREADY", "Unready", grpc.StatusCode.UNAVAILABLE, "NEVER", "NEUTRAL"),
    Declared("BROKEN", "Broken", grpc.StatusCode.INTERNAL, "NEVER", "FAILURE"),
    Declared("DOWN", "Down", grpc.StatusCode.UNAVAILABLE, "TRANSIENT", "FAILURE"),
    Declared("TOO_MUCH", "TooMuch", grpc.StatusCode.RESOURCE_EXHAUSTED, "THROTTLED", "NEUTRAL"),
]

# Method and replies before the error.
KINDS = {
    "unary": ("Unary", 0), "stream": ("ServerStream", 0), "stream-after-2": ("ServerStream", 2),
    "client-stream": ("ClientStream", 0), "bidi": ("Bidirectional", 0), "bidi-after-2": ("Bidirectional", 2),
}  # fmt: skip


def filler(count: int) -> str:
    """Text that says at each place where it is; as Filler in FailingService.swift."""
    return "".join(chr(97 + (index + index // 26) % 26) for index in range(count))


@dataclass(frozen=True)
class Seen:
    """What a caller sees of a failed call."""

    code: str | None
    domain: str = ""
    status: int = 0
    message: str = ""
    retry: str = ""
    breaker: str = ""
    retry_after: float | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    payload: str = ""
    details: dict[str, str] = field(default_factory=dict)
    replies: int = 0
    process: int = 0
    attempts: int = 0

    def difference(self, error: Declared, ending: Message) -> str | None:
        """What is not as declared and thrown; parts that are missing are none. The message may be cut."""
        size = len(self.message)
        expected = {
            "domain and code": (f"{self.domain} {self.code}", f"{DOMAIN} {error.code}"),
            "the status": (self.status, error.status.value[0]),
            "the retry class": (self.retry.upper(), error.retry),
            "the breaker class": (self.breaker.upper(), error.breaker),
            "the replies": (self.replies, ending.replies),
        }
        for what, (value, wanted) in expected.items():
            if value != wanted:
                return f"{what}: {value!r} and not {wanted!r} ({self.message[:200]!r})"
        if self.message != filler(ending.text):
            kept = self.message.removesuffix("...").removesuffix("…")
            if size >= ending.text or kept != filler(len(kept)):
                return f"the message: {size} characters, {self.message[:60]!r}"
        half = ending.details // 2
        parts = {
            "metadata text": (self.metadata.get("text"), ending.text),
            "metadata note": (self.metadata.get("note"), ending.note),
            "the payload": (self.payload, ending.payload),
            "DebugInfo": (self.details.get("google.rpc.DebugInfo"), half),
            "RequestInfo": (self.details.get("google.rpc.RequestInfo"), ending.details - half),
        }
        for what, (value, wanted) in parts.items():
            if value and value != filler(wanted):
                return f"{what}: {len(value)} characters of {wanted}"
        return None

    def is_whole(self, ending: Message) -> bool:
        return (
            len(self.message) == ending.text
            and len(self.metadata.get("text", "")) == ending.text
            and len(self.metadata.get("note", "")) == ending.note
            and len(self.payload) == ending.payload
            and sum(map(len, self.details.values())) == ending.details
        )


class GRPCIOCaller:
    """Makes calls with grpcio, which repeats nothing unless a service config says so."""

    name = "grpcio"

    def __init__(self, target: str, service_config: str | None = None) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", int(service_config is not None))]
        if service_config:
            options.append(("grpc.service_config", service_config))
        self._channel = grpc.insecure_channel(target, options=options)
        self._methods = {method.name: method for method in FAILING.methods}

    def call(self, method: str, request: Message) -> Seen:
        replies: list[Message] = []
        try:
            replies.extend(self._answer(method, request))
        except grpc.RpcError as error:
            return _seen(error, len(replies))
        last = replies[-1] if replies else None
        return Seen(None, replies=len(replies), process=last.process if last else 0, attempts=last.attempts if last else 0)

    def _answer(self, name: str, request: Message) -> Iterator[Message]:
        method = self._methods[name]
        kind = ("stream" if method.client_streaming else "unary") + "_" + ("stream" if method.server_streaming else "unary")
        callable = getattr(self._channel, kind)(
            path(method), request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response_class(method).FromString,
        )  # fmt: skip
        answer = callable(iter([request]) if method.client_streaming else request, timeout=PATIENCE)
        if method.server_streaming:
            yield from answer
        else:
            yield answer

    def __enter__(self) -> "GRPCIOCaller":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._channel.close()


def _seen(error: grpc.RpcError, replies: int) -> Seen:
    status = error.code().value[0]
    plain = Seen(error.code().name, status=status, message=error.details(), replies=replies)
    try:
        rich: status_pb2.Status | None = rpc_status.from_call(error)
    except ValueError as mismatch:
        return Seen(error.code().name, status=status, message=f"{error.details()}: {mismatch}", replies=replies)
    if rich is None:
        return plain
    found = {detail.TypeName(): detail.value for detail in rich.details}
    info = error_details_pb2.ErrorInfo.FromString(found.pop("google.rpc.ErrorInfo", b""))
    traits = error_traits_pb2.ErrorTraits.FromString(found.pop("taxon.ErrorTraits", b""))
    retry_info = found.pop("google.rpc.RetryInfo", None)
    payload = b""
    for declared in ERRORS:
        name = f"failing.Failure.{declared.message}"
        if declared.code == info.reason and name in found:
            payload = message(name).FromString(found.pop(name)).payload
    texts = {
        "google.rpc.DebugInfo": lambda data: error_details_pb2.DebugInfo.FromString(data).detail,
        "google.rpc.RequestInfo": lambda data: error_details_pb2.RequestInfo.FromString(data).serving_data,
    }
    return Seen(
        code=info.reason, domain=info.domain, status=status, message=error.details(),
        retry=error_traits_pb2.RetryClass.Name(traits.retry), breaker=error_traits_pb2.BreakerClass.Name(traits.breaker),
        retry_after=(
            error_details_pb2.RetryInfo.FromString(retry_info).retry_delay.ToTimedelta().total_seconds()
            if retry_info is not None else None
        ),
        metadata=dict(info.metadata), payload=payload.decode(),
        details={name: texts.get(name, lambda data: "unknown")(data) for name, data in found.items()}, replies=replies,
    )  # fmt: skip


class TaxonCaller:
    """Makes calls with our own client, `taxon-interop fail`."""

    name = "Taxon"

    def __init__(self, target: str, *arguments: str) -> None:
        command: list[str | Path] = [executable("taxon-interop"), "fail", f"ipv4:{target}", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def call(self, method: str, request: Message) -> Seen:
        ending = json_format.MessageToDict(request)
        self._process.stdin.write(json.dumps({"kind": method, "ending": ending}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"taxon-interop ended with {self._process.wait(PATIENCE)}"
        answer = json.loads(line)
        return Seen(**answer | {"status": int(answer.get("status", 0))})

    def __enter__(self) -> "TaxonCaller":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.stdin.close()
        try:
            assert self._process.wait(PATIENCE) == 0 or error
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


CALLERS = {caller.name: caller for caller in (GRPCIOCaller, TaxonCaller)}
