# SPDX-License-Identifier: Apache-2.0
"""The error that a failed call amounts to."""

import contextlib
import email.utils
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from taxon import error_traits_pb2
from taxon.runtime import errors, payloads, status_writer, wire
from taxon.runtime.errors import DeclaredError, OtherError, TaxonomyError
from taxon.runtime.facts import LONGEST, BreakerClass, Facts, Identity, RetryClass, Severity, plain

_logger = logging.getLogger("taxon")

Kind = TypeVar("Kind", bound=Message)
Trailers = Sequence[tuple[str, str | bytes]]


def from_rpc_error(error: BaseException) -> TaxonomyError:
    """The error that a failed call of grpcio amounts to: one of `grpc`, of `grpc.aio`, or with the same methods.

    Identity is (domain, code): an error of an imported module in its class, from the payload, or from ErrorInfo's
    metadata where that did not arrive; any other as `OtherError`, with the classes that ErrorTraits say, and for the
    rest with what the gRPC status means. Never raises: what is no failed call is an UNKNOWN.
    """
    if isinstance(error, TaxonomyError):
        return error
    status, message, trailers = _status(error), _text(_ask(error, "details")), _trailers(error)
    try:
        return _Reading(status, message, trailers).error()
    except Exception:
        _logger.exception("A failed call could not be read")
        other = OtherError(status, message)
        other.is_from_call = True
        return other


def _ask(error: BaseException, name: str) -> Any:
    """What a method of the error answers; None where there is none, or where it fails."""
    with contextlib.suppress(Exception):
        return getattr(error, name)()
    return None


def _status(error: BaseException) -> grpc.StatusCode:
    status = _ask(error, "code")
    is_status = isinstance(status, grpc.StatusCode) and status is not grpc.StatusCode.OK
    return status if is_status else grpc.StatusCode.UNKNOWN


def _text(value: object) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace") if isinstance(value, bytes) else ""


def _trailers(error: BaseException) -> tuple[tuple[str, str | bytes], ...]:
    with contextlib.suppress(Exception):
        return tuple((key, value) for key, value in _ask(error, "trailing_metadata") or ())
    return ()


class _Reading:
    """The details of a received status, taken apart."""

    def __init__(self, status: grpc.StatusCode, message: str, trailers: Trailers) -> None:
        self.status = status
        self.message = message
        self.trailers = tuple(trailers)
        found = dict(reversed(self.trailers))
        self.info: error_details_pb2.ErrorInfo | None = None
        self.traits: error_traits_pb2.ErrorTraits | None = None
        self.pushback = _pushback(found.get(wire.PUSHBACK_KEY))
        # What RetryInfo says, else the pushback, else Retry-After. A wait of zero is no hint.
        self.retry_after = _seconds(_text(found.get(wire.RETRY_AFTER_KEY)))
        if self.pushback is not None and self.pushback > 0:
            self.retry_after = self.pushback
        self.has_retry_info = False
        self.details: list[any_pb2.Any] = []
        """Everything else, the typed error too."""
        self.received: tuple[any_pb2.Any, ...] = ()
        data = found.get(wire.DETAILS_KEY)
        rich = _decoded(status_pb2.Status, data) if isinstance(data, bytes) else None
        if rich is not None:
            self._read(rich)

    def _read(self, rich: status_pb2.Status) -> None:
        if rich.code != self.status.value[0] and self._is_too_large():
            self.status = next(
                (known for known in grpc.StatusCode if known.value[0] == rich.code and rich.code), self.status
            )
            self.message = rich.message
        self.message = self.message or rich.message
        self.received = tuple(rich.details)
        for detail in rich.details:
            self._take(detail)

    def _is_too_large(self) -> bool:
        """grpcio takes trailers over its limit for an error of its own, and keeps them; what the server said is in
        them."""
        return self.status is grpc.StatusCode.RESOURCE_EXHAUSTED and "metadata size exceeds" in self.message

    def _take(self, detail: any_pb2.Any) -> None:
        match detail.TypeName():
            case status_writer.ERROR_INFO if self.info is None:
                self.info = _decoded(error_details_pb2.ErrorInfo, detail.value)
            case status_writer.ERROR_TRAITS if self.traits is None:
                self.traits = _decoded(error_traits_pb2.ErrorTraits, detail.value)
            case status_writer.RETRY_INFO if not self.has_retry_info:
                info = _decoded(error_details_pb2.RetryInfo, detail.value)
                hint = status_writer.duration_hint(info.retry_delay) if info is not None else None
                if hint is not None:
                    self.retry_after, self.has_retry_info = hint, True
            case _:
                self.details.append(detail)

    @property
    def identity(self) -> Identity | None:
        """From ErrorInfo; None for a plain gRPC status."""
        return Identity(self.info.domain, self.info.reason) if self.info is not None and self.info.reason else None

    def error(self) -> TaxonomyError:
        error = self._typed() or self._other()
        error.is_from_call = True
        error.retry_after = self.retry_after
        error.rpc_details = self.details
        error.received_details = self.received
        error.trailers = self.trailers
        error.pushback = self.pushback
        # A server of Taxon says the same twice, for clients that read one or the other: then it is a hint.
        if self.has_retry_info and self.pushback is not None and self.pushback >= 0:
            hint = wire.wait_milliseconds(self.retry_after or 0)
            error.pushback = None if wire.wait_milliseconds(self.pushback) == hint else self.pushback
        if self.traits is not None:
            error.instance_id = self.traits.instance_id or None
            error.omitted = tuple(self.traits.omitted)
            error.is_injected = self.traits.injected
            error.received_causes = tuple(Identity(c.domain, c.code) for c in self.traits.causes)[: errors.MOST_CAUSES]
        return error

    def _typed(self) -> DeclaredError | None:
        identity = self.identity
        if identity is not None:
            kind = errors.declared_type(*identity)
        else:
            # Without ErrorInfo, the typed error says itself what it is.
            named = (errors.declared_type_named(detail.TypeName()) for detail in self.details)
            kind = next((kind for kind in named if kind is not None), None)
        if kind is None:
            return None
        name = kind.declaration.payload.DESCRIPTOR.full_name
        payload: Message | None = None
        for detail in self.details:
            if detail.TypeName() == name:
                self.details.remove(detail)
                payload = _decoded(kind.declaration.payload, detail.value)
                break
        if payload is None:
            payload = _from_metadata(
                kind.declaration.payload, dict(self.info.metadata) if self.info is not None else {}
            )
        if payload is None:
            _logger.debug("%s arrived without its fields", kind.declaration.identity)
            return None
        return kind.from_payload(payload)

    def _other(self) -> OtherError:
        """What the traits say, and for the rest what the status means."""
        facts = plain(self.status, has_retry_hint=self.retry_after is not None or self.pushback == 0)
        if self.identity is not None:
            facts = replace(facts, domain=self.identity.domain, code=self.identity.code)
        if self.traits is not None:
            facts = _with_traits(facts, self.traits)
        return OtherError(self.status, self.message, facts=facts, metadata=self.info.metadata if self.info else None)


def _with_traits(facts: Facts, traits: error_traits_pb2.ErrorTraits) -> Facts:
    return replace(
        facts,
        categories=tuple(traits.category),
        is_retry_safe=traits.safe,
        http_status=traits.http_status if 400 <= traits.http_status <= 599 else facts.http_status,
        severity=next((severity for severity in Severity if severity.value == traits.severity), facts.severity),
        retry=next((retry for retry in RetryClass if retry.value == traits.retry), facts.retry),
        breaker=next((breaker for breaker in BreakerClass if breaker.value == traits.breaker), facts.breaker),
    )


def _decoded(kind: type[Kind], data: bytes) -> Kind | None:
    """A message; None, with a note, where the bytes are none."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        _logger.debug("A detail of type %s was left out: %s", kind.DESCRIPTOR.full_name, error)
        return None


def _pushback(value: object) -> float | None:
    """Seconds. Below zero, and what is no number, mean that the server asks for no retry (gRPC A6)."""
    if value is None:
        return None
    text = _text(value)
    milliseconds = int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else -1
    return milliseconds / 1000 if 0 <= milliseconds < 1 << 31 else -1.0


def _seconds(text: str) -> float | None:
    """From `retry-after`: whole seconds or a date (RFC 9110 §10.2.3); None for what is neither, or not above zero."""
    if re.fullmatch(r"[0-9]+", text):
        seconds = min(float(text[:20]), LONGEST)
    elif text.endswith(" GMT"):
        try:
            seconds = min(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), LONGEST)
        except (ValueError, OverflowError):
            return None
    else:
        return None
    return seconds if seconds > 0 else None


_BOUNDS = {
    FieldDescriptor.TYPE_INT32: (-(1 << 31), (1 << 31) - 1), FieldDescriptor.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1), FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
}  # fmt: skip


def _may_come_back(field: payloads.Field) -> bool:
    oneof = field.containing_oneof
    # A field that is optional in proto3 is alone in a oneof of its name.
    is_member = oneof is not None and oneof.name != f"_{field.name}"
    return not (is_member or payloads.is_repeated(field) or payloads.is_required(field))


def _from_metadata(kind: type[Message], metadata: dict[str, str]) -> Message | None:
    """An error from the texts of its fields: strings, whole numbers and truth values come back, others do not.

    None where it has fields and none of them is there.
    """
    payload = kind()
    is_found = not kind.DESCRIPTOR.fields
    for field in kind.DESCRIPTOR.fields:
        text = metadata.get(field.name)
        if text is None or not _may_come_back(field):
            continue
        value: str | int | bool
        if field.type == FieldDescriptor.TYPE_STRING:
            value = text
        elif field.type == FieldDescriptor.TYPE_BOOL and text in ("true", "false"):
            value = text == "true"
        elif field.type in _BOUNDS and re.fullmatch(r"[+-]?[0-9]{1,20}", text):
            value = int(text)
            if not _BOUNDS[field.type][0] <= value <= _BOUNDS[field.type][1]:
                continue
        else:
            continue
        setattr(payload, field.name, value)
        is_found = True
    return payload if is_found and payload.IsInitialized() else None
