# SPDX-License-Identifier: Apache-2.0
"""The interceptor of `grpc` clients: failed calls raise what they amount to."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from taxon.runtime.errors import TaxonomyError
from taxon.runtime.received import from_rpc_error


class ErrorClientInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Makes failed calls raise a `TaxonomyError`, from grpcio's own: at the call, from futures, and while a stream is
    read.

    Use it as `grpc.intercept_channel(channel, ErrorClientInterceptor(), …)`, first, so that others see grpcio's
    errors.
    """

    def intercept_unary_unary(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        return _Call(continuation(client_call_details, request))

    def intercept_unary_stream(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        return _Call(continuation(client_call_details, request))

    def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        return _Call(continuation(client_call_details, request_iterator))

    def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        return _Call(continuation(client_call_details, request_iterator))


if TYPE_CHECKING:
    _Future = grpc.Future[Any]
else:
    _Future = grpc.Future


class _Call(grpc.Call, _Future):
    """A call of grpcio that raises what its failure amounts to; everything else it does as ever."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._error: TaxonomyError | None = None

    def _typed(self, error: grpc.RpcError) -> TaxonomyError:
        """The same error each time."""
        if self._error is None:
            self._error = from_rpc_error(error)
            self._error.__cause__ = error
        return self._error

    def _raise(self, error: grpc.RpcError) -> NoReturn:
        raise self._typed(error) from error

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            self._raise(error)

    def exception(self, timeout: float | None = None) -> Exception | None:
        error = self._call.exception(timeout)
        return self._typed(error) if isinstance(error, grpc.RpcError) else error

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        found: TracebackType | None = self._call.traceback(timeout)
        return found

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        self._call.add_done_callback(lambda _: fn(self))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            self._raise(error)

    def cancel(self) -> bool:
        return bool(self._call.cancel())

    def cancelled(self) -> bool:
        return bool(self._call.cancelled())

    def done(self) -> bool:
        return bool(self._call.done())

    def running(self) -> bool:
        return bool(self._call.running())

    def is_active(self) -> bool:
        return bool(self._call.is_active())

    def time_remaining(self) -> float:
        remaining: float = self._call.time_remaining()
        return remaining

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return bool(self._call.add_callback(callback))

    def initial_metadata(self) -> Any:
        return self._call.initial_metadata()

    def trailing_metadata(self) -> Any:
        return self._call.trailing_metadata()

    def code(self) -> Any:
        return self._call.code()

    def details(self) -> Any:
        return self._call.details()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
