# SPDX-License-Identifier: Apache-2.0
"""What is the same for all occurrences of an error, and what a plain gRPC status means."""

import enum
import math
from dataclasses import dataclass
from typing import NamedTuple

import grpc
from google.protobuf.message import Message

LONGEST = 315_576_000_000.0
"""Seconds of the longest duration of protobuf (google/protobuf/duration.proto)."""


class Severity(enum.IntEnum):
    """How bad an error is for the operators of the service."""

    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    CRITICAL = 5


class RetryClass(enum.Enum):
    """Whether the same call may succeed later."""

    NEVER = 1
    TRANSIENT = 2
    THROTTLED = 3


class BreakerClass(enum.Enum):
    """What an error tells a circuit breaker of the endpoint that raised it."""

    FAILURE = 1
    NEUTRAL = 2
    SUCCESS = 3


class Identity(NamedTuple):
    """What names an error everywhere and for ever."""

    domain: str
    code: str

    def __str__(self) -> str:
        return f"{self.domain}/{self.code}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is the same for all occurrences of an error."""

    domain: str
    code: str
    status: grpc.StatusCode
    http_status: int
    severity: Severity
    retry: RetryClass
    breaker: BreakerClass
    is_retry_safe: bool = False
    categories: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity:
        return Identity(self.domain, self.code)


@dataclass(frozen=True, kw_only=True)
class Declaration(Facts):
    """What a schema says of an error."""

    payload: type[Message]
    """The message class of protoc's module."""
    retry_after: float | None = None
    """Seconds to wait before a retry, unless who raises it says otherwise."""


PLAIN_DOMAIN = "grpc.io"
"""The domain of failures that are a gRPC status and no more; their code is the status's name."""

# google/rpc/code.proto: the HTTP status that usually goes with each code.
USUAL_HTTP_STATUS = {
    grpc.StatusCode.CANCELLED: 499, grpc.StatusCode.UNKNOWN: 500, grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504, grpc.StatusCode.NOT_FOUND: 404, grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403, grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400, grpc.StatusCode.ABORTED: 409, grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501, grpc.StatusCode.INTERNAL: 500, grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500, grpc.StatusCode.UNAUTHENTICATED: 401,
}  # fmt: skip


def plain(status: grpc.StatusCode, *, has_retry_hint: bool = False) -> Facts:
    """A plain gRPC status. OK, which is no failure, becomes UNKNOWN.

    RESOURCE_EXHAUSTED may be a quota, which recovers, or a message that is too large, which does not: it may be tried
    again only where the server says after what time.
    """
    status = grpc.StatusCode.UNKNOWN if status is grpc.StatusCode.OK else status
    severity, retry, breaker = Severity.WARNING, RetryClass.NEVER, BreakerClass.NEUTRAL
    match status:
        case grpc.StatusCode.UNAVAILABLE:
            severity, retry, breaker = Severity.ERROR, RetryClass.TRANSIENT, BreakerClass.FAILURE
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            retry = RetryClass.THROTTLED if has_retry_hint else RetryClass.NEVER
            severity, breaker = Severity.ERROR, BreakerClass.FAILURE
        case (
            grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.INTERNAL | grpc.StatusCode.UNKNOWN
            | grpc.StatusCode.DATA_LOSS
        ):  # fmt: skip
            severity, breaker = Severity.ERROR, BreakerClass.FAILURE
        case grpc.StatusCode.CANCELLED:
            severity = Severity.INFO
    return Facts(
        domain=PLAIN_DOMAIN, code=status.name, status=status, http_status=USUAL_HTTP_STATUS[status], severity=severity,
        retry=retry, breaker=breaker,
    )  # fmt: skip


def bounded(seconds: float | None) -> float | None:
    """A time to wait, brought within what protobuf's durations can say. Raises ValueError for what is no number."""
    if seconds is None:
        return None
    if math.isnan(seconds):
        raise ValueError("retry_after is not a number")
    return max(-LONGEST, min(float(seconds), LONGEST))
