# SPDX-License-Identifier: Apache-2.0
"""The `google.rpc.Status` of an error as it leaves the process."""

import copy
from dataclasses import dataclass, field

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from taxon import error_traits_pb2
from taxon.runtime import errors, languages
from taxon.runtime.errors import DeclaredError, FieldViolation, InternalError, TaxonomyError
from taxon.runtime.facts import LONGEST, PLAIN_DOMAIN, USUAL_HTTP_STATUS, Facts, Identity

ERROR_INFO = error_details_pb2.ErrorInfo.DESCRIPTOR.full_name
ERROR_TRAITS = error_traits_pb2.ErrorTraits.DESCRIPTOR.full_name
RETRY_INFO = error_details_pb2.RetryInfo.DESCRIPTOR.full_name
BAD_REQUEST = error_details_pb2.BadRequest.DESCRIPTOR.full_name
_PREFIX = "type.googleapis.com/"


@dataclass
class StatusWriter:
    """Writes the `google.rpc.Status` of an error: without its internal fields and its cause."""

    facts: Facts
    status_code: grpc.StatusCode
    instance_id: str
    message: str
    fields: list[tuple[str, str]]
    violations: list[FieldViolation]
    retry_after: float | None
    causes: tuple[Identity, ...]
    payload: any_pb2.Any | None
    further: list[any_pb2.Any]
    """What was added. What is of a derived type stands for the derived one."""
    derivable: frozenset[str]
    omitted: list[str] = field(default_factory=list)
    names_omitted: bool = True
    is_injected: bool = False

    @classmethod
    def of(
        cls, error: TaxonomyError, instance_id: str, *, accept_language: str | None = None, request_id: str | None = None
    ) -> "StatusWriter":
        facts = error.facts
        code = grpc.StatusCode.UNKNOWN if facts.status is grpc.StatusCode.OK else facts.status
        payload = None
        further = list(error.rpc_details)
        if error.is_from_call:
            # What came with the outcome of a call of ours concerns that call alone.
            further = [detail for detail in further if detail not in error.received_details]
        if isinstance(error, DeclaredError):
            payload = _any(error.public_payload)
            # One that was added stands for a derived one of its type.
            added = {detail.TypeName() for detail in further}
            derived = [_any(detail) for detail in _derived(error, accept_language, request_id)]
            further = [detail for detail in derived if detail.TypeName() not in added] + further
        elif isinstance(error, InternalError):
            payload = any_pb2.Any(type_url=_PREFIX + errors.INTERNAL_ERROR_PAYLOAD)
        # Code and message alone, but for an INTERNAL, whose instance id is worth telling.
        is_plain = facts.domain == PLAIN_DOMAIN and code is not grpc.StatusCode.INTERNAL
        derivable = {RETRY_INFO, BAD_REQUEST} | (set() if is_plain else {ERROR_INFO, ERROR_TRAITS})
        if facts.domain == PLAIN_DOMAIN:
            derivable.discard(ERROR_INFO)
        retry_after = None if error.retry_after is None else max(0.0, error.retry_after)
        # The headers say what the detail says; callers read the first.
        hints = (_hint(detail) for detail in further if detail.TypeName() == RETRY_INFO)
        if (hint := next(hints, None)) is not None:
            retry_after = hint
        return cls(
            facts=facts, status_code=code, instance_id=instance_id, message=error.message,
            fields=list(error.metadata.items()), violations=error.violations, retry_after=retry_after,
            causes=error.causes, payload=payload, further=further, derivable=frozenset(derivable),
            is_injected=error.is_injected,
        )  # fmt: skip

    def copy(self) -> "StatusWriter":
        writer = copy.copy(self)
        writer.fields, writer.violations = list(self.fields), list(self.violations)
        writer.further, writer.omitted = list(self.further), list(self.omitted)
        return writer

    def derives(self, name: str) -> bool:
        return name in self.derivable and all(detail.TypeName() != name for detail in self.further)

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to say that code and message do not."""
        says_more = self.derives(ERROR_TRAITS) or self.derives(ERROR_INFO) or self.further or self.payload
        return not says_more and self.retry_after is None and not self.violations

    def encoded(self) -> bytes:
        # Written by hand as far as it goes: protobuf's maps have no order.
        parts = [status_pb2.Status(code=self.status_code.value[0], message=self.message).SerializeToString()]
        if self.derives(ERROR_INFO):
            info = error_details_pb2.ErrorInfo(reason=self.facts.code, domain=self.facts.domain).SerializeToString()
            entries = (_delimited(3, _text(1, name) + _text(2, text)) for name, text in self.fields)
            parts.append(_detail(ERROR_INFO, info + b"".join(entries)))
        if self.payload is not None:
            parts.append(_detail(self.payload.TypeName(), self.payload.value))
        if self.derives(ERROR_TRAITS):
            parts.append(_detail(ERROR_TRAITS, self._traits().SerializeToString()))
        if self.derives(RETRY_INFO) and self.retry_after is not None:
            nanos = round(self.retry_after * 1e9)
            delay = duration_pb2.Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)
            parts.append(_detail(RETRY_INFO, error_details_pb2.RetryInfo(retry_delay=delay).SerializeToString()))
        if self.derives(BAD_REQUEST) and self.violations:
            wrong = error_details_pb2.BadRequest(field_violations=self.violations)
            parts.append(_detail(BAD_REQUEST, wrong.SerializeToString()))
        parts += [_delimited(3, detail.SerializeToString()) for detail in self.further]
        return b"".join(parts)

    def _traits(self) -> error_traits_pb2.ErrorTraits:
        facts = self.facts
        is_error = 400 <= facts.http_status <= 599
        traits = error_traits_pb2.ErrorTraits(
            category=facts.categories, severity=facts.severity.name, retry=facts.retry.name, breaker=facts.breaker.name,
            http_status=facts.http_status if is_error else USUAL_HTTP_STATUS[self.status_code],
            instance_id=self.instance_id, safe=facts.is_retry_safe, omitted=self.omitted if self.names_omitted else (),
            injected=self.is_injected,
        )  # fmt: skip
        for cause in self.causes:
            traits.causes.add(domain=cause.domain, code=cause.code)
        return traits


def _derived(error: DeclaredError, accept_language: str | None, request_id: str | None) -> list[Message]:
    """What the schema and the request give, in the order in which it is sent."""
    details = error.derived_details()
    if request_id is not None:
        is_help = (isinstance(detail, error_details_pb2.Help) for detail in details)
        place = next((index for index, found in enumerate(is_help) if found), len(details))
        details.insert(place, error_details_pb2.RequestInfo(request_id=request_id))
    messages = error.localized_messages() if accept_language else {}
    if messages and (locale := languages.chosen(accept_language or "", messages)) is not None:
        details.append(error_details_pb2.LocalizedMessage(locale=locale, message=messages[locale]))
    return details


def _detail(name: str, value: bytes) -> bytes:
    """A detail of a Status."""
    return _delimited(3, _text(1, _PREFIX + name) + _delimited(2, value))


def _text(number: int, text: str) -> bytes:
    return _delimited(number, text.encode()) if text else b""


def _delimited(number: int, data: bytes) -> bytes:
    length, size = bytearray(), len(data)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + data


def _any(message: Message) -> any_pb2.Any:
    return any_pb2.Any(type_url=_PREFIX + message.DESCRIPTOR.full_name, value=message.SerializePartialToString())


def _hint(detail: any_pb2.Any) -> float | None:
    """Seconds that a RetryInfo says; None where it says none, or not above zero."""
    try:
        delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay
    except DecodeError:
        return None
    return duration_hint(delay)


def duration_hint(delay: duration_pb2.Duration) -> float | None:
    """Seconds to wait; None for what is not above zero."""
    seconds = min(delay.seconds + delay.nanos / 1e9, LONGEST)
    return seconds if seconds > 0 else None
