# SPDX-License-Identifier: Apache-2.0
"""The language that a request asks for."""

import re
from collections.abc import Iterable

_MOST_BYTES = 1024
_MOST_RANGES = 32
_RANGE = re.compile(r"\*|[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE)
_WEIGHT = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", re.ASCII)


def asked(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """What a request says of languages: `grpc-accept-language`, which only a caller's program sets, or else
    `accept-language`, which browsers add by themselves."""
    for name in ("grpc-accept-language", "accept-language"):
        values = [value for key, value in metadata if key == name and isinstance(value, str)]
        if values:
            return ",".join(values)
    return None


def chosen(field: str, locales: Iterable[str]) -> str | None:
    """The locale that fits best (RFC 9110 §12.5.4, RFC 4647 §3.4); None where none does, and where English is wanted
    more, in which every error has its message.

    What is no language range, and what is beyond 1,024 characters and 32 ranges, is passed over.
    """
    known = {locale.lower(): locale for locale in reversed(list(locales))}
    weighted = _weighted(field)
    refused = {each for each, weight in weighted if weight == 0}
    for each, weight in sorted(weighted, key=lambda entry: -entry[1]):
        if weight == 0 or each == "*":
            continue
        parts = each.split("-")
        while parts:
            candidate = "-".join(parts)
            if candidate not in refused:
                if candidate in known:
                    return known[candidate]
                if candidate == "en":
                    return None
            parts.pop()
            # A single letter or digit begins an extension, and means nothing without it.
            if len(parts) > 1 and len(parts[-1]) == 1:
                parts.pop()
    return None


def _weighted(field: str) -> list[tuple[str, float]]:
    """Ranges in lower case, with their weights."""
    ranges: list[tuple[str, float]] = []
    for element in field[:_MOST_BYTES].split(","):
        each, *parameters = (part.strip(" \t") for part in element.split(";"))
        if not _RANGE.fullmatch(each):
            continue
        weight = 1.0
        for parameter in parameters:
            if parameter[:2].lower() == "q=" and _WEIGHT.fullmatch(parameter[2:]):
                weight = float(parameter[2:])
        ranges.append((each.lower(), weight))
        if len(ranges) == _MOST_RANGES:
            break
    return ranges
