# SPDX-License-Identifier: Apache-2.0
"""Servers of grpcio with the generated interceptors, with threads and with asyncio, whose handlers do as the test says.

Import python_code.py before: it makes what is imported here.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from stub import ORCHESTRATOR, REHEARSAL

import failures_pb2
import failures_taxon
from octollm.v1 import orchestrator_taxon
from taxon import runtime

# Their methods are known once they are imported.
assert failures_taxon and orchestrator_taxon

FAILING = failures_pb2.DESCRIPTOR.services_by_name["Failing"]
SERVICES = (FAILING, ORCHESTRATOR, REHEARSAL)

Act = Callable[[Any, Any], Any]
"""What a handler does with its request, or None where it has a stream of them, and its context: raises, or returns a reply. A
stream has one message before."""


def kind(method: MethodDescriptor) -> str:
    first = "stream" if method.client_streaming else "unary"
    return f"{first}_{'stream' if method.server_streaming else 'unary'}"


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def handlers(service: ServiceDescriptor, make: Callable[[MethodDescriptor], Callable]) -> grpc.GenericRpcHandler:
    made = {
        method.name: getattr(grpc, f"{kind(method)}_rpc_method_handler")(
            make(method), request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in service.methods
    }  # fmt: skip
    return grpc.method_handlers_generic_handler(service.full_name, made)


class PythonServer:
    """Does for every method what `act` says."""

    act: Act
    target: str

    def raises(self, error: Exception) -> None:
        def act(request: Any, context: Any) -> Any:
            raise error

        self.act = act

    def __enter__(self) -> "PythonServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        raise NotImplementedError


class ThreadedServer(PythonServer):
    """Of `grpc`."""

    def __init__(self, **settings: Any) -> None:
        self._server = grpc.server(ThreadPoolExecutor(4), interceptors=[runtime.ErrorServerInterceptor(**settings)])
        self._server.add_generic_rpc_handlers([handlers(service, self._behaviour) for service in SERVICES])
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _behaviour(self, method: MethodDescriptor) -> Callable:
        reply = GetMessageClass(method.output_type)

        def one(request: Any, context: Any) -> Any:
            return self.act(list(request) if method.client_streaming else request, context)

        def many(request: Any, context: Any) -> Iterator[Any]:
            yield reply()
            yield self.act(list(request) if method.client_streaming else request, context)

        return many if method.server_streaming else one

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()


class AsyncServer(PythonServer):
    """Of `grpc.aio`, on a thread of its own. What `act` returns may be awaited."""

    def __init__(self, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.target = asyncio.run_coroutine_threadsafe(self._start(settings), self._loop).result(30)

    async def _start(self, settings: dict[str, Any]) -> str:
        self._server = grpc.aio.server(interceptors=[runtime.AioErrorServerInterceptor(**settings)])
        self._server.add_generic_rpc_handlers([handlers(service, self._behaviour) for service in SERVICES])
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return f"127.0.0.1:{port}"

    def _behaviour(self, method: MethodDescriptor) -> Callable:
        reply = GetMessageClass(method.output_type)

        async def one(request: Any, context: Any) -> Any:
            return await self._answer(method, request, context)

        async def many(request: Any, context: Any) -> AsyncIterator[Any]:
            yield reply()
            yield await self._answer(method, request, context)

        return many if method.server_streaming else one

    async def _answer(self, method: MethodDescriptor, request: Any, context: Any) -> Any:
        if method.client_streaming:
            request = [each async for each in request]
        answer = self.act(request, context)
        return await answer if asyncio.iscoroutine(answer) else answer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(None), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
