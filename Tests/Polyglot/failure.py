# SPDX-License-Identifier: Apache-2.0
"""A failed call as grpcio sees it, taken apart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from taxon import error_traits_pb2


M = TypeVar("M", bound=Message)


class Details:
    """What the details of a status say, whichever way it came."""

    rich: status_pb2.Status

    @property
    def types(self) -> list[str]:
        """The full names of the details' messages, in their order."""
        return [detail.TypeName() for detail in self.rich.details]

    def detail(self, message: type[M]) -> M | None:
        return _unpack(self.rich.details, message)

    def required(self, message: type[M]) -> M:
        detail = self.detail(message)
        assert detail is not None, f"there is no {message.DESCRIPTOR.full_name} among {self.types}"
        return detail

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        return self.required(error_details_pb2.ErrorInfo)

    @property
    def identity(self) -> tuple[str, str]:
        return self.info.domain, self.info.reason

    @property
    def traits(self) -> error_traits_pb2.ErrorTraits:
        return self.required(error_traits_pb2.ErrorTraits)

    @property
    def retry_after(self) -> timedelta | None:
        detail = self.detail(error_details_pb2.RetryInfo)
        return detail.retry_delay.ToTimedelta() if detail else None

    @property
    def violations(self) -> list[tuple[str, str]]:
        detail = self.detail(error_details_pb2.BadRequest)
        return [(violation.field, violation.description) for violation in detail.field_violations] if detail else []


@dataclass(frozen=True)
class Failure(Details):
    status: grpc.StatusCode
    message: str
    trailers: dict[str, str | bytes]
    rich: status_pb2.Status

    @classmethod
    def of(cls, error: grpc.RpcError) -> "Failure":
        # Raises ValueError where the code or the message of the details and of the trailers differ.
        # A status that no schema declares has no details.
        rich = rpc_status.from_call(error) or status_pb2.Status(code=error.code().value[0], message=error.details())
        trailers = {name: value for name, value in error.trailing_metadata()}
        return cls(error.code(), error.details(), trailers, rich)


def _unpack(details: list[Any], message: type[Message]) -> Message | None:
    for detail in details:
        unpacked = message()
        if detail.Unpack(unpacked):
            return unpacked
    return None


def failing(call: Callable[[], object]) -> Failure:
    """The failure that a call is expected to end in."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return Failure.of(raised.value)
