# SPDX-License-Identifier: Apache-2.0
"""What schemas say of methods."""

from collections.abc import Mapping
from dataclasses import dataclass

from taxon.runtime.errors import DeclaredError


@dataclass(frozen=True, kw_only=True)
class Method:
    """What a schema says of a method."""

    is_idempotent: bool
    """Whether a second call does no harm even if the first took effect."""
    raises: tuple[type[DeclaredError], ...]


_methods: dict[str, Method] = {}


def declare_methods(methods: Mapping[str, Method]) -> Mapping[str, Method]:
    """Makes methods known by their full names, such as "/package.Service/Method". Returns them."""
    _methods.update(methods)
    return methods


def method(path: str) -> Method | None:
    """A method by its full name; None when no imported module has it."""
    return _methods.get(path)
