# SPDX-License-Identifier: Apache-2.0
"""A failed call as its trailers say it."""

import math
import secrets
from dataclasses import dataclass

import grpc

from taxon.runtime import budget as budgets
from taxon.runtime.errors import TaxonomyError
from taxon.runtime.facts import RetryClass
from taxon.runtime.status_writer import StatusWriter

BUDGET = 8192
"""grpcio refuses header lists above that at random, and gRPC's C core of Debian 12 always."""
MOST_IN_FRAME = 3000
"""Bytes of an error that may be retried: proxies have room for one frame, and clients retry only what is one (gRPC
A6)."""
_PROXIES = 180
"""What proxies add: Envoy 171 bytes, Apache 172."""
DETAILS_KEY = "grpc-status-details-bin"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
RETRY_AFTER_KEY = "retry-after"


@dataclass(frozen=True)
class WireStatus:
    """The trailers of an error."""

    code: grpc.StatusCode
    message: str
    details: bytes
    """A `google.rpc.Status`: ErrorInfo, the error itself, ErrorTraits, RetryInfo, BadRequest, and what was added.
    Empty when there is nothing to say that code and message do not."""
    retry_pushback: int | None
    """Milliseconds."""
    retry_after: int | None
    """Seconds, rounded up (RFC 9110 §10.2.3)."""
    instance_id: str
    """Names this occurrence, here and in the log."""
    dropped: tuple[str, ...]
    """What had to be left out: names of message types, "metadata.<key>", "message"."""

    @property
    def trailers(self) -> tuple[tuple[str, str | bytes], ...]:
        """What goes beside code and message."""
        trailers: list[tuple[str, str | bytes]] = [(DETAILS_KEY, self.details)] if self.details else []
        if self.retry_pushback is not None:
            trailers.append((PUSHBACK_KEY, str(self.retry_pushback)))
        if self.retry_after is not None:
            trailers.append((RETRY_AFTER_KEY, str(self.retry_after)))
        return tuple(trailers)

    @classmethod
    def of(
        cls, error: TaxonomyError, *, budget: int = BUDGET, reserved: int = 0, accept_language: str | None = None,
        request_id: str | None = None,
    ) -> "WireStatus":  # fmt: skip
        """The trailers of an error; an instance id is made, where it did not come with one.

        `budget` and `reserved`, which the handler's own trailers take, are bytes as HTTP/2 counts a header list.
        `accept_language` is what the request's header says, and `request_id` the request's name.
        """
        writer = StatusWriter.of(
            error, error.instance_id or secrets.token_hex(8), accept_language=accept_language, request_id=request_id
        )
        within = budget - _PROXIES
        limit = min(within, MOST_IN_FRAME) if error.retry in (RetryClass.TRANSIENT, RetryClass.THROTTLED) else within
        message, details, dropped = budgets.fitted(writer, limit=limit, within=within, reserved=reserved)
        return cls(
            code=writer.status_code, message=message, details=details, instance_id=writer.instance_id,
            dropped=tuple(dropped),
            retry_pushback=None if writer.retry_after is None else wait_milliseconds(writer.retry_after),
            retry_after=None if writer.retry_after is None else math.ceil(writer.retry_after),
        )  # fmt: skip


def wait_milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded up; at most the most that gRPC's header may say."""
    # Not by a factor of floats, which would make 1.1 s 1,101 ms.
    return min(-(-round(max(0.0, seconds) * 1e9) // 1_000_000), (1 << 31) - 1)


def reserved_by(trailers: object) -> int:
    """Bytes that trailers of the handler's take, as HTTP/2 counts them (RFC 9113 §6.5.2)."""
    count = 0
    for key, value in trailers or ():  # type: ignore[attr-defined]  # tuples, or grpc.aio.Metadata
        size = (len(value) * 4 + 2) // 3 if key.endswith("-bin") else len(value)
        count += len(key) + size + 32
    return count
