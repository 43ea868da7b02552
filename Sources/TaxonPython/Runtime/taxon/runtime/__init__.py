# SPDX-License-Identifier: Apache-2.0
"""Errors that are declared in protobuf, for grpcio: what the modules made by protoc-gen-taxon share.

`from_rpc_error` makes an exception of a failed call; the interceptors do it for every call. The interceptors of
servers send what handlers raise. `is_retryable`, `wait_retry_after` and `counts_as_failure` are for tenacity and
pybreaker.
"""

from google.protobuf.message import Message

from taxon.runtime.aio import AioErrorServerInterceptor, aio_client_interceptors
from taxon.runtime.client import ErrorClientInterceptor
from taxon.runtime.errors import (
    DeclaredError,
    FieldViolation,
    HelpLink,
    InternalError,
    OtherError,
    PreconditionViolation,
    QuotaViolation,
    ResourceInfo,
    TaxonomyError,
    declared_type,
    derived_details,
)
from taxon.runtime.facts import BreakerClass, Declaration, Facts, Identity, RetryClass, Severity
from taxon.runtime.methods import Method, declare_methods, method
from taxon.runtime.policies import counts_as_failure, is_not_failure, is_retryable, wait_retry_after
from taxon.runtime.received import from_rpc_error
from taxon.runtime.server import ErrorServerInterceptor
from taxon.runtime.wire import WireStatus

__all__ = [
    "AioErrorServerInterceptor",
    "BreakerClass",
    "Declaration",
    "DeclaredError",
    "ErrorClientInterceptor",
    "ErrorServerInterceptor",
    "Facts",
    "FieldViolation",
    "HelpLink",
    "Identity",
    "InternalError",
    "Message",
    "Method",
    "OtherError",
    "PreconditionViolation",
    "QuotaViolation",
    "ResourceInfo",
    "RetryClass",
    "Severity",
    "TaxonomyError",
    "WireStatus",
    "aio_client_interceptors",
    "counts_as_failure",
    "declare_methods",
    "declared_type",
    "derived_details",
    "from_rpc_error",
    "is_not_failure",
    "is_retryable",
    "method",
    "wait_retry_after",
]
