# SPDX-License-Identifier: Apache-2.0
"""The classes from which those of schemas derive, and what is known of them."""

import math
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2

from taxon.runtime import payloads
from taxon.runtime.facts import BreakerClass, Declaration, Facts, Identity, RetryClass, Severity, bounded, plain

FieldViolation = error_details_pb2.BadRequest.FieldViolation
"""One field of a request that is wrong."""
QuotaViolation = error_details_pb2.QuotaFailure.Violation
"""One quota that was exceeded."""
PreconditionViolation = error_details_pb2.PreconditionFailure.Violation
"""One precondition that does not hold."""
ResourceInfo = error_details_pb2.ResourceInfo
"""Which resource was meant."""
HelpLink = error_details_pb2.Help.Link
"""Where to read more."""

Detail = TypeVar("Detail", bound=Message)

MOST_CAUSES = 16
"""Services that call each other in a circle would make the chain longer and longer."""


class TaxonomyError(Exception):
    """Any failure of a call, whether a schema in hand declares it or not.

    Raise it `from` what led to it: the identities of causes that are such errors are sent along, and nothing else of
    them.
    """

    def __init__(self, retry_after: float | None = None, /) -> None:
        super().__init__()
        self._retry_after = bounded(retry_after)
        self.instance_id: str | None = None
        """Names this occurrence, as in the log of the server that raised it. None until it is sent."""
        self.omitted: tuple[str, ...] = ()
        """What the server left out for lack of room: names of message types, "metadata.<key>", "message"."""
        self.rpc_details: list[any_pb2.Any] = []
        """Details that came with it or are to go with it, but for those that have attributes here."""
        self.received_details: tuple[any_pb2.Any, ...] = ()
        """Every detail of the status that it was read from, as it arrived."""
        self.received_causes: tuple[Identity, ...] = ()
        """The causes that the server named."""
        self.trailers: tuple[tuple[str, str | bytes], ...] = ()
        """The trailing metadata that it was read from."""
        self.pushback: float | None = None
        """Seconds, from `grpc-retry-pushback-ms`; negative where the server asks for no retry (gRPC A6)."""
        self.is_injected = False
        """True: nothing went wrong. A fault injector raised it, in a test or a drill."""
        self.is_from_call = False
        """True for the outcome of a call of this process: a server passes it on only where its method declares it."""

    @property
    def facts(self) -> Facts:
        """What is the same for all occurrences."""
        raise TypeError(f"{type(self).__name__} is no error of its own; raise one of the classes derived from it")

    @property
    def message(self) -> str:
        """The text for people, in English. Has no personal and no internal data."""
        return ""

    @property
    def identity(self) -> Identity:
        """Domain and code."""
        return self.facts.identity

    @property
    def domain(self) -> str:
        """Who declared it: a DNS name; "grpc.io" for a plain gRPC status."""
        return self.facts.domain

    @property
    def code(self) -> str:
        """What it is, such as "TASK_NOT_FOUND"; the status's name for a plain gRPC status."""
        return self.facts.code

    @property
    def error_code(self) -> str:
        """The code, by its name in OctoLLM's standard."""
        return self.facts.code

    @property
    def status(self) -> grpc.StatusCode:
        """The gRPC status with which it travels."""
        return self.facts.status

    @property
    def http_status(self) -> int:
        """The HTTP status with which it travels, 400 to 599."""
        return self.facts.http_status

    @property
    def severity(self) -> Severity:
        """How bad it is for the operators of the service."""
        return self.facts.severity

    @property
    def retry(self) -> RetryClass:
        """Whether the same call may succeed later."""
        return self.facts.retry

    @property
    def breaker(self) -> BreakerClass:
        """What it tells a circuit breaker."""
        return self.facts.breaker

    @property
    def is_retry_safe(self) -> bool:
        """True when nothing has happened yet, so that a retry is safe whatever the method."""
        return self.facts.is_retry_safe

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories it is in, outermost first, as in the schema."""
        return self.facts.categories

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before a retry: what the one who raised it says, else what its schema declares."""
        return self._retry_after

    @retry_after.setter
    def retry_after(self, seconds: float | None) -> None:
        self._retry_after = bounded(seconds)

    @property
    def metadata(self) -> dict[str, str]:
        """Its safe fields as text, by their names in the schema."""
        return {}

    @property
    def details(self) -> dict[str, Any]:
        """Its safe fields with the types that JSON has for them, by their names in the schema."""
        if self.identity == INTERNAL_ERROR:
            return {"instance_id": self.instance_id}
        return self._json_details()

    def _json_details(self) -> dict[str, Any]:
        return dict(sorted(self.metadata.items()))

    @property
    def violations(self) -> list[FieldViolation]:
        """The fields of the request that it says are wrong."""
        found = self.detail(error_details_pb2.BadRequest)
        return list(found.field_violations) if found is not None else []

    @property
    def cause(self) -> BaseException | None:
        """What led to it, in this process: what it was raised from. Never sent."""
        return self.__cause__

    @property
    def causes(self) -> tuple[Identity, ...]:
        """The errors that led to it, nearest first, here and in the services behind; at most 16."""
        found: list[Identity] = []
        error: TaxonomyError = self
        # A circle of causes ends there, too.
        while len(found) < MOST_CAUSES and (cause := error._known_cause()) is not None:
            error = cause
            found.append(error.identity)
        return (*found, *error.received_causes)[:MOST_CAUSES]

    def _known_cause(self) -> "TaxonomyError | None":
        cause = self.__cause__
        if isinstance(cause, grpc.RpcError) and not self.is_from_call:
            from taxon.runtime.received import from_rpc_error  # which knows of this module

            return from_rpc_error(cause)
        return cause if isinstance(cause, TaxonomyError) else None

    def detail(self, kind: type[Detail]) -> Detail | None:
        """The first of `rpc_details` that is of a type; None when there is none, or when it cannot be decoded."""
        for candidate in self.rpc_details:
            if candidate.TypeName() == kind.DESCRIPTOR.full_name:
                try:
                    return kind.FromString(candidate.value)
                except DecodeError:
                    return None
        return None

    def add_detail(self, message: Message) -> Self:
        """Adds a detail behind the others, to be sent along. Of an error its internal fields are left out."""
        detail = any_pb2.Any()
        detail.Pack(message if isinstance(message, any_pb2.Any) else payloads.public(message))
        self.rpc_details.append(message if isinstance(message, any_pb2.Any) else detail)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The error as a JSON answer over HTTP has it: `error`, `message`, `details`, and `retry_after` in whole
        seconds."""
        answer: dict[str, Any] = {"error": self.code, "message": self.message, "details": self.details}
        if self.retry_after is not None:
            answer["retry_after"] = math.ceil(max(0.0, self.retry_after))
        return answer

    def __str__(self) -> str:
        return self.message or self.code

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity}: {self.message}>"


class DeclaredError(TaxonomyError):
    """An error that a schema in hand declares. Generated classes derive from it."""

    declaration: ClassVar[Declaration]
    """What the schema says of it."""
    retry_after_field: ClassVar[tuple[str, int] | None] = None
    """The field that says how long to wait before a retry, and how many of its units a second has."""
    payload: Message
    """The fields."""

    def __init__(self, retry_after: float | None, /, **fields: object) -> None:
        super().__init__(retry_after)
        self.payload = payloads.make(self._own_declaration().payload, fields)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declaration = cls.__dict__.get("declaration")
        if isinstance(declaration, Declaration):
            _by_identity[declaration.identity] = cls
            _by_name[declaration.payload.DESCRIPTOR.full_name] = cls

    @classmethod
    def from_payload(cls, payload: Message) -> Self:
        """The error with these fields; the message is not copied."""
        kind = cls._own_declaration().payload
        if not isinstance(payload, kind):
            raise TypeError(f"{cls.__name__} has a payload of type {kind.DESCRIPTOR.full_name}")
        error = cls.__new__(cls)
        TaxonomyError.__init__(error)
        error.payload = payload
        return error

    @classmethod
    def _own_declaration(cls) -> Declaration:
        declaration: Declaration | None = getattr(cls, "declaration", None)
        if declaration is None:
            raise TypeError(f"{cls.__name__} is no error of its own; raise one of the classes derived from it")
        return declaration

    @property
    def facts(self) -> Facts:
        return self._own_declaration()

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before a retry: what the one who raised it says, else what its schema declares."""
        if self._retry_after is not None:
            return self._retry_after
        if self.retry_after_field is not None:
            wait = payloads.seconds(self.payload, *self.retry_after_field)
            if wait is not None:
                return bounded(wait)
        return self.declaration.retry_after

    @retry_after.setter
    def retry_after(self, seconds: float | None) -> None:
        self._retry_after = bounded(seconds)

    @property
    def metadata(self) -> dict[str, str]:
        return payloads.metadata(self.payload)

    def _json_details(self) -> dict[str, Any]:
        return payloads.json_details(self.payload, self.violations)

    @property
    def violations(self) -> list[FieldViolation]:
        return []

    @property
    def public_payload(self) -> Message:
        """The fields without those that are internal, as they are sent."""
        return payloads.public(self.payload)

    def localized_messages(self) -> dict[str, str]:
        """The message in other languages, by language tag."""
        return {}

    def derived_details(self) -> list[Message]:
        """Standard details that its fields amount to, beside BadRequest, in the order in which they are sent."""
        return []

    def text(self, name: str, otherwise: str = "") -> str:
        """A field as messages show it; `otherwise` stands for a field that is not set."""
        return payloads.text(self.payload, name, otherwise)

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors take keywords alone, which pickling of exceptions does not know.
        state = {name: value for name, value in self.__dict__.items() if name != "payload"}
        return _unpickled, (type(self), type(self.payload), self.payload.SerializePartialToString()), state


def _unpickled(cls: type[DeclaredError], kind: type[Message], data: bytes) -> DeclaredError:
    return cls.from_payload(kind.FromString(data))


def derived_details(
    *, quota: Iterable[QuotaViolation] = (), preconditions: Iterable[PreconditionViolation] = (),
    resources: Iterable[ResourceInfo] = (), help: Iterable[HelpLink] = ()
) -> list[Message]:  # fmt: skip
    """Details, in the order in which they are sent."""
    lists: list[Message] = [
        error_details_pb2.QuotaFailure(violations=quota),
        error_details_pb2.PreconditionFailure(violations=preconditions),
        *resources,
        error_details_pb2.Help(links=help),
    ]
    return [message for message in lists if message.ByteSize()]


class OtherError(TaxonomyError):
    """A failure that no schema in hand declares: a plain gRPC status, or an error of a schema that is not imported."""

    def __init__(
        self, status: grpc.StatusCode, message: str = "", /, *, facts: Facts | None = None,
        metadata: Mapping[str, str] | None = None, retry_after: float | None = None
    ) -> None:  # fmt: skip
        super().__init__(retry_after)
        # What UTF-8 cannot have, gRPC cannot send.
        self._message = message.encode(errors="replace").decode()
        self._facts = facts or plain(status)
        self._metadata = dict(metadata or {})

    @property
    def facts(self) -> Facts:
        return self._facts

    @property
    def message(self) -> str:
        return self._message

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self._metadata)

    def __reduce__(self) -> tuple[Any, ...]:
        return OtherError, (self.status, self._message), self.__dict__


class InternalError(TaxonomyError):
    """What callers get for anything that their method does not declare. It says nothing of it; the log has it."""

    def __init__(self, retry_after: float | None = None, /) -> None:
        super().__init__(retry_after)
        self.instance_id = secrets.token_hex(8)

    @property
    def facts(self) -> Facts:
        return _INTERNAL

    @property
    def message(self) -> str:
        return "An internal error occurred"


INTERNAL_ERROR = Identity("taxon.dev", "INTERNAL_ERROR")
INTERNAL_ERROR_PAYLOAD = "taxon.CallError.InternalError"
_INTERNAL = Facts(
    domain=INTERNAL_ERROR.domain, code=INTERNAL_ERROR.code, categories=("CallError",), status=grpc.StatusCode.INTERNAL,
    http_status=500, severity=Severity.CRITICAL, retry=RetryClass.NEVER, breaker=BreakerClass.FAILURE,
)  # fmt: skip


# What is known: the errors and methods of all generated modules that have been imported.

_by_identity: dict[Identity, type[DeclaredError]] = {}
_by_name: dict[str, type[DeclaredError]] = {}


def declared_type(domain: str, code: str) -> type[DeclaredError] | None:
    """The class of an error; None when no imported module declares it."""
    return _by_identity.get(Identity(domain, code))


def declared_type_named(name: str) -> type[DeclaredError] | None:
    """The class of an error whose message has this full name; None when no imported module declares it."""
    return _by_name.get(name)
