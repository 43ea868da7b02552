# SPDX-License-Identifier: Apache-2.0
"""A gRPC server in Python, which fails as the test says: what the Swift client has to make sense of."""

import queue
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from schema import DeclaredError
from stub import ORCHESTRATOR, REFLEX, REHEARSAL
from taxon import error_traits_pb2

INSTANCE = "0123456789abcdef"


@dataclass
class Rich:
    """A status with the details of an error, made here from the schema alone, as a server in any language would."""

    error: DeclaredError
    payload: Message
    retry_after: timedelta | None = None
    # What is different from how it should be.
    code: str | None = None
    details: Callable[[list[Message]], list[Message]] = lambda details: details
    trailers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def message(self) -> str:
        return self.error.text(self.payload)

    def status(self) -> status_pb2.Status:
        error = self.error
        details: list[Message] = [
            error_details_pb2.ErrorInfo(
                reason=self.code or error.code, domain=error.domain, metadata=error.metadata(self.payload)
            ),
            self.payload,
            error_traits_pb2.ErrorTraits(
                category=error.categories,
                severity=error.traits.severity,
                retry=error.traits.retry,
                breaker=error.traits.breaker,
                http_status=error.http_status,
                safe=error.traits.safe,
                instance_id=INSTANCE,
                causes=[error_traits_pb2.ErrorTraits.Cause(domain="disk.example", code="DISK_FULL")],
            ),
        ]
        if self.retry_after is not None:
            info = error_details_pb2.RetryInfo()
            info.retry_delay.FromTimedelta(self.retry_after)
            details.append(info)
        status = status_pb2.Status(code=error.traits.status, message=self.message)
        for detail in self.details(details):
            status.details.add().Pack(detail)
        return status

    def __call__(self, request: Message, context: grpc.ServicerContext) -> Message:
        if self.trailers:
            context.set_trailing_metadata(self.trailers)
        context.abort_with_status(_with_trailers(rpc_status.to_status(self.status()), self.trailers))


def _with_trailers(status: grpc.Status, trailers: list[tuple[str, str]]) -> grpc.Status:
    return type(status)(status.code, status.details, (*status.trailing_metadata, *trailers))


@dataclass
class Plain:
    """A status without details of ours."""

    code: grpc.StatusCode
    message: str = ""
    trailers: list[tuple[str, str | bytes]] = field(default_factory=list)

    def __call__(self, request: Message, context: grpc.ServicerContext) -> Message:
        context.set_trailing_metadata(self.trailers)
        context.abort(self.code, self.message)


@dataclass
class Reply:
    message: Message

    def __call__(self, request: Message, context: grpc.ServicerContext) -> Message:
        return self.message


class Never:
    """Answers when the caller has given up."""

    def __init__(self) -> None:
        self.given_up: queue.Queue[float | None] = queue.Queue()

    def __call__(self, request: Message, context: grpc.ServicerContext) -> Message:
        remaining = context.time_remaining()
        over: queue.Queue[None] = queue.Queue()
        context.add_callback(lambda: over.put(None))
        over.get(timeout=30)
        self.given_up.put(remaining)
        context.abort(grpc.StatusCode.CANCELLED, "given up")


Behaviour = Callable[[Message, grpc.ServicerContext], Message]


@dataclass(frozen=True)
class Call:
    request: Message
    metadata: dict[str, str | bytes]


class Peer:
    """Serves all of OctoLLM. Each attempt at a method takes the next of its behaviours; the last one stays."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self._behaviours: dict[str, list[Behaviour]] = {}
        self._server = grpc.server(ThreadPoolExecutor(4))
        for service in (ORCHESTRATOR, REFLEX, REHEARSAL):
            self._server.add_generic_rpc_handlers([self._handler(service)])
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def behaves(self, method: str, *behaviours: Behaviour) -> None:
        self.calls[method].clear()
        self._behaviours[method] = list(behaviours)

    def _handler(self, service: ServiceDescriptor) -> grpc.GenericRpcHandler:
        def handler(name: str) -> Behaviour:
            def answer(request: Message, context: grpc.ServicerContext) -> Message:
                self.calls[name].append(Call(request, dict(context.invocation_metadata())))
                behaviours = self._behaviours[name]
                return (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(request, context)

            return answer

        handlers = {
            method.name: grpc.unary_unary_rpc_method_handler(
                handler(method.name),
                request_deserializer=GetMessageClass(method.input_type).FromString,
                response_serializer=GetMessageClass(method.output_type).SerializeToString,
            )
            for method in service.methods
        }
        return grpc.method_handlers_generic_handler(service.full_name, handlers)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()
