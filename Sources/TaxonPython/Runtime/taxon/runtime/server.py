# SPDX-License-Identifier: Apache-2.0
"""The interceptor of `grpc` servers: what handlers raise is sent as the schema declares it."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Never

import grpc

from taxon.runtime import errors, languages, methods, wire
from taxon.runtime.errors import DeclaredError, InternalError, OtherError, TaxonomyError
from taxon.runtime.facts import PLAIN_DOMAIN, Identity, Severity
from taxon.runtime.received import from_rpc_error
from taxon.runtime.wire import WireStatus

logger = logging.getLogger("taxon")

_LEVELS = {
    Severity.DEBUG: logging.DEBUG, Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR, Severity.CRITICAL: logging.CRITICAL,
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How a server sends errors."""

    budget: int
    passing: frozenset[Identity]
    request_id_header: str | None

    def outcome(self, method: str, raised: Exception, trailers: object, metadata: Any) -> WireStatus:
        """What the caller gets for what a handler raised. The log has it under the same instance id."""
        error = from_rpc_error(raised) if isinstance(raised, grpc.RpcError) else raised
        sent = self._sent(method, error)
        request = [(key, value) for key, value in metadata or ()]
        request_id = self._request_id(request)
        status = WireStatus.of(
            sent, budget=self.budget, reserved=wire.reserved_by(trailers), accept_language=languages.asked(request),
            request_id=request_id,
        )  # fmt: skip
        if sent is not error:
            # Also of an error that a schema declares: that it comes from this method is a fault of the method.
            logger.error(
                "%s raised %s, which it does not declare [%s]",
                method,
                _name(raised),
                status.instance_id,
                exc_info=raised,
                extra={"request_id": request_id},
            )
        else:
            logger.log(
                _LEVELS[sent.severity], "%s failed with %s: %s [%s]", method, sent.identity, sent, status.instance_id,
                extra={
                    "error_code": sent.code, "error_domain": sent.domain, "instance_id": status.instance_id,
                    "request_id": request_id,
                },
            )  # fmt: skip
        if status.dropped:
            logger.warning("%s left out of %s [%s]", ", ".join(status.dropped), sent.identity, status.instance_id)
        return status

    def _request_id(self, metadata: list[tuple[str, str | bytes]]) -> str | None:
        """1 to 128 characters of visible ASCII; anything else is no name of a request."""
        found = next((value for key, value in metadata if key == self.request_id_header), None)
        is_name = isinstance(found, str) and re.fullmatch(r"[!-~]{1,128}", found) is not None
        return found if is_name and isinstance(found, str) else None

    def _sent(self, method: str, error: Exception) -> TaxonomyError:
        """The error, where its method declares it, and a plain status of this process; an INTERNAL_ERROR for all
        else.

        Of an error that a call brought, its identity goes along, by which a chain of services can be followed.
        """
        if not isinstance(error, TaxonomyError):
            return InternalError()
        declared = methods.method(method)
        if isinstance(error, DeclaredError) and declared is not None and isinstance(error, declared.raises):
            return error
        if error.is_from_call:
            internal = InternalError()
            internal.received_causes = (error.identity, *error.causes)[: errors.MOST_CAUSES]
            return internal
        is_plain = isinstance(error, OtherError) and error.domain == PLAIN_DOMAIN
        is_of_taxon = error.domain == errors.INTERNAL_ERROR.domain and error.categories[:1] == ("CallError",)
        return error if is_plain or is_of_taxon or error.identity in self.passing else InternalError()


def _name(error: Exception) -> str:
    if isinstance(error, TaxonomyError):
        return str(error.identity)
    return f"{type(error).__module__}.{type(error).__qualname__}"


class ErrorServerInterceptor(grpc.ServerInterceptor):
    """Sends the `TaxonomyError` that a handler raises, with its details, within a budget.

    Anything else that is raised, and what the method does not declare in its `raises`, becomes an INTERNAL_ERROR that
    says nothing of it; the logger "taxon" has it, with the traceback, under the instance id that the caller gets.
    `context.abort` and cancellation stay as they are. Put it last in the list of interceptors, nearest to the
    handlers.

    `budget` is in bytes, as HTTP/2 counts a header list. `passing` are errors, by domain and code, that any method
    may raise. `request_id_header` names a header whose value goes with declared errors, as RequestInfo. A message in
    the caller's language goes along where the schema has one (`grpc-accept-language`, `accept-language`).
    """

    def __init__(
        self, *, budget: int = wire.BUDGET, passing: Iterable[tuple[str, str]] = (),
        request_id_header: str | None = None,
    ) -> None:  # fmt: skip
        self._settings = Settings(budget, frozenset(Identity(*each) for each in passing), request_id_header)

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        return (
            wrapped(handler, handler_call_details.method, self._settings, one=unary, many=stream)
            if handler
            else handler
        )


Wrapper = Callable[[Callable[..., Any], str, Settings], Callable[..., Any]]


def wrapped(handler: Any, method: str, settings: Settings, *, one: Wrapper, many: Wrapper) -> Any:
    """A handler around another; `one` wraps behaviours with one response, `many` those with a stream of them."""
    if handler.request_streaming and handler.response_streaming:
        make, behaviour, wrap = grpc.stream_stream_rpc_method_handler, handler.stream_stream, many
    elif handler.request_streaming:
        make, behaviour, wrap = grpc.stream_unary_rpc_method_handler, handler.stream_unary, one
    elif handler.response_streaming:
        make, behaviour, wrap = grpc.unary_stream_rpc_method_handler, handler.unary_stream, many
    else:
        make, behaviour, wrap = grpc.unary_unary_rpc_method_handler, handler.unary_unary, one
    return make(wrap(behaviour, method, settings), handler.request_deserializer, handler.response_serializer)


def unary(behaviour: Callable[..., Any], method: str, settings: Settings) -> Callable[..., Any]:
    """A behaviour with one response that fails as its errors say."""

    def call(request: Any, context: Any) -> Any:
        watched = _Context(context)
        try:
            return behaviour(request, watched)
        except Exception as error:
            watched.fail(method, error, settings)

    return call


def stream(behaviour: Callable[..., Any], method: str, settings: Settings) -> Callable[..., Any]:
    """A behaviour with a stream of responses that fails as its errors say."""

    def call(request: Any, context: Any) -> Iterator[Any]:
        watched = _Context(context)
        try:
            yield from behaviour(request, watched)
        except Exception as error:
            watched.fail(method, error, settings)

    return call


def stream_of_asyncio(behaviour: Callable[..., Any], method: str, settings: Settings) -> Callable[..., Any]:
    """`stream` for a plain function in `grpc.aio`, where an abort may overtake the response before it, and then
    nothing ends the call: it ends as one that returns does."""

    def call(request: Any, context: Any) -> Iterator[Any]:
        watched = _Context(context)
        try:
            yield from behaviour(request, watched)
        except Exception as error:
            status = watched.say(method, error, settings)
            context.set_code(status.code)
            context.set_details(status.message)

    return call


class _Context(grpc.ServicerContext):
    """A handler's context, which notes that the handler has aborted the call itself: nothing else tells."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._is_aborted = False
        self._trailers: tuple[Any, ...] = ()

    def fail(self, method: str, error: Exception, settings: Settings) -> Never:
        """Ends the call with what was raised."""
        status = self.say(method, error, settings)
        self._context.abort(status.code, status.message)
        raise error

    def say(self, method: str, error: Exception, settings: Settings) -> WireStatus:
        """Sets the trailers for what was raised. Raises it again where that is for grpcio."""
        # A request stream raises a bare RpcError when the call is over, which grpcio has to see again.
        if self._is_aborted or type(error) is grpc.RpcError:
            raise error
        trailers = tuple(self.trailing_metadata() or ())
        status = settings.outcome(method, error, trailers, self.invocation_metadata())
        self._context.set_trailing_metadata((*trailers, *status.trailers))
        return status

    def abort(self, code: grpc.StatusCode, details: str) -> Never:
        self._is_aborted = True
        self._context.abort(code, details)
        raise AssertionError("abort raises")

    def abort_with_status(self, status: grpc.Status) -> Never:
        self._is_aborted = True
        self._context.abort_with_status(status)
        raise AssertionError("abort_with_status raises")

    def is_active(self) -> bool:
        return bool(self._context.is_active())

    def time_remaining(self) -> Any:
        return self._context.time_remaining()

    def cancel(self) -> Any:
        return self._context.cancel()

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return bool(self._context.add_callback(callback))

    def invocation_metadata(self) -> Any:
        return self._context.invocation_metadata()

    def peer(self) -> str:
        return str(self._context.peer())

    def peer_identities(self) -> Iterable[bytes] | None:
        identities: Iterable[bytes] | None = self._context.peer_identities()
        return identities

    def peer_identity_key(self) -> str | None:
        key: str | None = self._context.peer_identity_key()
        return key

    def auth_context(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._context.auth_context()
        return found

    def set_compression(self, compression: grpc.Compression) -> None:
        self._context.set_compression(compression)

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        self._context.send_initial_metadata(initial_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailers = tuple(trailing_metadata)
        self._context.set_trailing_metadata(trailing_metadata)

    def trailing_metadata(self) -> Any:
        # The context that grpc.aio makes for plain functions does not tell.
        known = getattr(self._context, "trailing_metadata", None)
        return self._trailers if known is None else known()

    def set_code(self, code: grpc.StatusCode) -> None:
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        self._context.set_details(details)

    def code(self) -> Any:
        return self._context.code()

    def details(self) -> Any:
        return self._context.details()

    def disable_next_message_compression(self) -> None:
        self._context.disable_next_message_compression()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
