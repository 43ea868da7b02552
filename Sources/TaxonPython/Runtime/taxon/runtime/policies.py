# SPDX-License-Identifier: Apache-2.0
"""What errors say of retries and breakers, in the forms that tenacity and pybreaker take. Depends on neither."""

from collections.abc import Callable
from typing import Any

import grpc

from taxon.runtime import methods
from taxon.runtime.errors import TaxonomyError
from taxon.runtime.facts import BreakerClass, RetryClass
from taxon.runtime.received import from_rpc_error


def _known(error: BaseException) -> TaxonomyError | None:
    if isinstance(error, TaxonomyError):
        return error
    return from_rpc_error(error) if isinstance(error, grpc.RpcError) else None


def is_retryable(error: BaseException, *, method: str | None = None, is_idempotent: bool = False) -> bool:
    """Whether a failed call may be made again: the error is TRANSIENT or THROTTLED, the server does not ask for no
    retry, and a second call does no harm.

    The last is so where the error says that nothing happened (`is_retry_safe`), where the schema declares the method
    idempotent, and where the caller says so. `method` is its full name, such as "/octollm.v1.Orchestrator/GetTask".
    What is no failed call is not retryable.
    """
    known = _known(error)
    if known is None or known.retry not in (RetryClass.TRANSIENT, RetryClass.THROTTLED):
        return False
    if known.pushback is not None and known.pushback < 0:
        return False
    declared = methods.method(method) if method is not None else None
    return is_idempotent or known.is_retry_safe or (declared is not None and declared.is_idempotent)


class wait_retry_after:  # noqa: N801  # as tenacity names its own
    """For `tenacity.retry(wait=…)`: the seconds that the error asks for, else those of another wait.

    `otherwise` is one of tenacity's, such as `wait_random_exponential(max=60)`; without it, there is no pause.
    """

    def __init__(self, otherwise: Callable[[Any], float] | None = None) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: Any) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        known = _known(error) if error is not None else None
        if known is not None:
            if known.pushback is not None and known.pushback >= 0:
                return known.pushback
            if known.retry_after is not None and known.retry_after > 0:
                return known.retry_after
        return self._otherwise(retry_state) if self._otherwise is not None else 0.0


def counts_as_failure(error: BaseException) -> bool:
    """Whether an error counts against the endpoint that raised it: its breaker class is FAILURE, or it is no failed
    call."""
    known = _known(error)
    return known is None or known.breaker is BreakerClass.FAILURE


def is_not_failure(error: BaseException) -> bool:
    """For `pybreaker.CircuitBreaker(exclude=[is_not_failure])`, which takes what it excludes for a success."""
    return not counts_as_failure(error)
