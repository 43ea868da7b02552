# SPDX-License-Identifier: Apache-2.0
"""Errors of many sizes through real proxies: callers see the declared error, with all details or fewer, and never another.

nginx and HAProxy run with the settings that they have by default: what holds there needs no setting. nginx also runs as
Documentation/Deployment.md shows it, and so do Apache and Envoy.

PROXY_MATRIX=full makes each call: every kind, error and shape at every size. Without it there is a fifth of them, chosen so
that each pair of size, kind, error and shape is among them. PROXY_TABLE=write writes the page's table.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import deployment
import proxies
import pytest
from deployment_table import Row, check_table
from failing_calls import CALLERS, ERRORS, KINDS, Declared, Ending, GRPCIOCaller, TaxonCaller
from google.protobuf.message import Message
from interop_process import SwiftServer

IS_FULL = os.environ.get("PROXY_MATRIX") == "full"

# Bytes of the error, by the names of the table.
SIZES = {
    "0.1": 102, "1": 1024, "2.9": 2970, "3": 3072, "4": 4096, "8": 8192, "16": 16_384, "60": 61_440
}  # fmt: skip

# What makes the error large. A field of the handler's own trailing metadata is never cut, and more of it than a caller takes
# is for the handler to avoid, so that one ends at 4 KiB.
SHAPES: dict[str, Callable[[int], Message]] = {
    "payload": lambda size: Ending(payload=size),
    "details": lambda size: Ending(details=size),
    "message": lambda size: Ending(text=size),
    "metadata": lambda size: Ending(note=size),
    "trailing": lambda size: Ending(trailing=min(size, 4096), payload=max(0, size - 4096)),
}

PROXIES: dict[str, Callable[[Path, str], proxies.Proxy] | None] = {
    "none": None,
    "nginx, its defaults": proxies.Nginx,
    "nginx": deployment.Nginx,
    "HAProxy, its defaults": proxies.HAProxy,
    "Apache": deployment.Apache,
    "Envoy": lambda folder, server: deployment.Envoy(folder, server, edits={"base_interval: 0.025s": "base_interval: 0.001s"}),
}  # fmt: skip

_rows: dict[tuple[str, str], Row] = {}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Starts each proxy once, when it is first asked for."""
    folder = tmp_path_factory.mktemp("proxies")
    with ExitStack() as stack:
        server = stack.enter_context(SwiftServer(folder / "server"))
        found = {"none": server.target}

        def target(name: str) -> str:
            if name not in found:
                found[name] = stack.enter_context(PROXIES[name](folder / str(len(found)), server.target)).target
            return found[name]

        yield target


@pytest.fixture(scope="module")
def callers(targets: Callable[[str], str]) -> Iterator[Callable[[str, str], GRPCIOCaller | TaxonCaller]]:
    with ExitStack() as stack:
        found: dict[tuple[str, str], GRPCIOCaller | TaxonCaller] = {}

        def caller(client: str, proxy: str) -> GRPCIOCaller | TaxonCaller:
            if (client, proxy) not in found:
                found[client, proxy] = stack.enter_context(CALLERS[client](targets(proxy)))
            return found[client, proxy]

        yield caller


def cases() -> Iterator[tuple[str, Declared, str]]:
    """Kind, error and shape; each pair of them is there."""
    for a, kind in enumerate(KINDS):
        for b, error in enumerate(ERRORS):
            for c, shape in enumerate(SHAPES):
                if True or (a + b + c) % len(SHAPES) == 0:
                    yield kind, error, shape


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("client", CALLERS)
@pytest.mark.parametrize("proxy", PROXIES)
def test_an_error_arrives_as_declared(
    callers: Callable[[str, str], GRPCIOCaller | TaxonCaller], proxy: str, client: str, size: str
) -> None:
    caller = callers(client, proxy)
    row = _rows[proxy, size] = _rows.get((proxy, size), Row())
    differences = []
    for kind, error, shape in cases():
        ending = SHAPES[shape](SIZES[size])
        ending.code = error.code
        method, ending.replies = KINDS[kind]
        seen = caller.call(method, ending)
        difference = seen.difference(error, ending)
        row.note(client, difference is None, seen.is_whole(ending))
        if difference is not None:
            differences.append(f"{kind}, {error.code}, {shape}: {difference}")
    assert not differences, f"{len(differences)} of {len(list(cases()))}:\n" + "\n".join(differences)
