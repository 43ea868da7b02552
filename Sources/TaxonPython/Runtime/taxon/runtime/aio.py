# SPDX-License-Identifier: Apache-2.0
"""The interceptors of `grpc.aio`."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import Any, NoReturn

import grpc
import grpc.aio

from taxon.runtime import server, wire
from taxon.runtime.errors import TaxonomyError
from taxon.runtime.facts import Identity
from taxon.runtime.received import from_rpc_error


def aio_client_interceptors() -> list[grpc.aio.ClientInterceptor]:
    """Interceptors, one for each kind of call, with which failed calls raise a `TaxonomyError`, from grpcio's own.

    Use them as `grpc.aio.insecure_channel(target, interceptors=[*aio_client_interceptors(), …])`, first, so that
    others see grpcio's errors.
    """
    return [_UnaryUnary(), _UnaryStream(), _StreamUnary(), _StreamStream()]


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request: Any
    ) -> Any:
        return _UnaryUnaryCall(await _made(continuation(client_call_details, request)))


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request: Any
    ) -> Any:
        return _UnaryStreamCall(await _made(continuation(client_call_details, request)))


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request_iterator: Any
    ) -> Any:
        return _StreamUnaryCall(await _made(continuation(client_call_details, request_iterator)))


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request_iterator: Any
    ) -> Any:
        return _StreamStreamCall(await _made(continuation(client_call_details, request_iterator)))


async def _made(call: Awaitable[Any]) -> Any:
    """The call that grpcio makes. An interceptor behind may have waited for its end, and let the failure through."""
    try:
        return await call
    except grpc.RpcError as error:
        raise from_rpc_error(error) from error


class _Call(grpc.aio.Call):
    """A call of grpcio that raises what its failure amounts to; everything else it does as ever."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._error: TaxonomyError | None = None

    def _raise(self, error: grpc.RpcError) -> NoReturn:
        self._error = self._error or from_rpc_error(error)
        raise self._error from error

    def cancelled(self) -> bool:
        return bool(self._call.cancelled())

    def done(self) -> bool:
        return bool(self._call.done())

    def time_remaining(self) -> float | None:
        remaining: float | None = self._call.time_remaining()
        return remaining

    def cancel(self) -> bool:
        return bool(self._call.cancel())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._call.add_done_callback(lambda _: callback(self))

    async def initial_metadata(self) -> Any:
        return await self._call.initial_metadata()

    async def trailing_metadata(self) -> Any:
        return await self._call.trailing_metadata()

    async def code(self) -> Any:
        return await self._call.code()

    async def details(self) -> Any:
        return await self._call.details()

    async def wait_for_connection(self) -> None:
        try:
            await self._call.wait_for_connection()
        except grpc.RpcError as error:
            self._raise(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _OneResponse(_Call):
    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.RpcError as error:
            self._raise(error)


class _ManyResponses(_Call):
    async def _responses(self) -> AsyncIterator[Any]:
        try:
            async for response in self._call:
                yield response
        except grpc.RpcError as error:
            self._raise(error)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._responses()

    async def read(self) -> Any:
        try:
            return await self._call.read()
        except grpc.RpcError as error:
            self._raise(error)


class _ManyRequests(_Call):
    async def write(self, request: Any) -> None:
        try:
            await self._call.write(request)
        except grpc.RpcError as error:
            self._raise(error)

    async def done_writing(self) -> None:
        try:
            await self._call.done_writing()
        except grpc.RpcError as error:
            self._raise(error)


class _UnaryUnaryCall(_OneResponse, grpc.aio.UnaryUnaryCall[Any, Any]):
    pass


class _UnaryStreamCall(_ManyResponses, grpc.aio.UnaryStreamCall[Any, Any]):
    pass


class _StreamUnaryCall(_ManyRequests, _OneResponse, grpc.aio.StreamUnaryCall[Any, Any]):
    pass


class _StreamStreamCall(_ManyRequests, _ManyResponses, grpc.aio.StreamStreamCall[Any, Any]):
    pass


class AioErrorServerInterceptor(grpc.aio.ServerInterceptor):
    """`ErrorServerInterceptor` for servers of `grpc.aio`; handlers may be coroutines, async generators, or plain
    functions."""

    def __init__(
        self, *, budget: int = wire.BUDGET, passing: Iterable[tuple[str, str]] = (),
        request_id_header: str | None = None,
    ) -> None:  # fmt: skip
        self._settings = server.Settings(budget, frozenset(Identity(*each) for each in passing), request_id_header)

    async def intercept_service(self, continuation: Callable[..., Awaitable[Any]], handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        return server.wrapped(handler, method, self._settings, one=_one, many=_many) if handler else handler


# grpc.aio runs plain functions on a thread, with a context as servers with threads have it.


def _one(behaviour: Callable[..., Any], method: str, settings: server.Settings) -> Callable[..., Any]:
    """A behaviour with one response that fails as its errors say."""
    return _async(behaviour, method, settings) or server.unary(behaviour, method, settings)


def _many(behaviour: Callable[..., Any], method: str, settings: server.Settings) -> Callable[..., Any]:
    """A behaviour with a stream of responses that fails as its errors say."""
    return _async(behaviour, method, settings) or server.stream_of_asyncio(behaviour, method, settings)


def _async(behaviour: Callable[..., Any], method: str, settings: server.Settings) -> Callable[..., Any] | None:
    """A coroutine or an async generator around another; None for a plain function."""
    # Objects that can be called count as what their method is, as in grpc.aio.
    called = getattr(behaviour, "__call__", behaviour)  # noqa: B004
    if inspect.isasyncgenfunction(behaviour) or inspect.isasyncgenfunction(called):

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                async for response in behaviour(request, context):
                    yield response
            except Exception as error:
                await _fail(context, method, error, settings)

        return stream

    if inspect.iscoroutinefunction(behaviour) or inspect.iscoroutinefunction(called):

        async def call(request: Any, context: Any) -> Any:
            try:
                return await behaviour(request, context)
            except Exception as error:
                await _fail(context, method, error, settings)

        return call

    return None


async def _fail(context: Any, method: str, error: Exception, settings: server.Settings) -> NoReturn:
    """Ends the call with what was raised."""
    if isinstance(error, grpc.aio.BaseError):
        # The handler has aborted the call itself, or grpcio says that it is misused.
        raise error
    trailers = tuple(context.trailing_metadata() or ())
    status = settings.outcome(method, error, trailers, context.invocation_metadata())
    context.set_trailing_metadata((*trailers, *status.trailers))
    await context.abort(status.code, status.message, (*trailers, *status.trailers))
    raise error
