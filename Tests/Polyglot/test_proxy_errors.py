# SPDX-License-Identifier: Apache-2.0
"""Errors of many sizes through real proxies: callers see the declared error, with all details or fewer, and never another.

nginx and HAProxy run with the settings that they have by default, and as Documentation/Deployment.md shows them; Apache and
Envoy as it shows them.

PROXY_SIZES=0.5,2,5 adds sizes, in KiB. PROXY_TABLE=write, which Scripts/proxies sets, writes the page's table.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import deployment
import deployment_table
import proxies
import pytest
from deployment_table import Cell
from failing_calls import CALLERS, ERRORS, KINDS, Ending, GRPCIOCaller, TaxonCaller
from google.protobuf.message import Message
from interop_process import SwiftServer

# KiB of what makes the error large.
SIZES = ["0.1", "1", "2.9", "3", "4", "8", "16", "60"]
MORE_SIZES = os.environ.get("PROXY_SIZES", "").split(",") if os.environ.get("PROXY_SIZES") else []

# What it is large by. A field of the handler's own trailing metadata is never cut, and more of it than a caller takes
# is for the handler to avoid, so that one ends at 4 KiB.
SHAPES: dict[str, Callable[[int], Message]] = {
    "payload": lambda size: Ending(payload=size),
    "details": lambda size: Ending(details=size),
    "message": lambda size: Ending(text=size),
    "metadata": lambda size: Ending(note=size),
    "trailing": lambda size: Ending(trailing=min(size, 4096), payload=max(0, size - 4096)),
}

PROXIES: dict[str, Callable[[Path, str], proxies.Proxy] | None] = {
    "nothing between": None,
    "nginx, its defaults": proxies.Nginx,
    "nginx": deployment.Nginx,
    "HAProxy, its defaults": proxies.HAProxy,
    "HAProxy": deployment.HAProxy,
    "Apache": deployment.Apache,
    # What it repeats comes again, and is not waited for.
    "Envoy": lambda folder, server: deployment.Envoy(folder, server, edits={"base_interval: 0.025s": "base_interval: 0.001s"}),
}

_cells: dict[tuple[str, str], Cell] = defaultdict(Cell)


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Starts each proxy once, when it is first asked for."""
    folder = tmp_path_factory.mktemp("proxies")
    with ExitStack() as stack:
        server = stack.enter_context(SwiftServer(folder / "server"))
        found = {"nothing between": server.target}

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


@pytest.mark.parametrize("size", [*SIZES, *MORE_SIZES])
@pytest.mark.parametrize("client", CALLERS)
@pytest.mark.parametrize("proxy", PROXIES)
def test_an_error_arrives_as_declared(
    callers: Callable[[str, str], GRPCIOCaller | TaxonCaller], proxy: str, client: str, size: str
) -> None:
    caller = callers(client, proxy)
    cell = _cells[proxy, size]
    differences = []
    for (kind, (method, replies)), error, (shape, sized) in product(KINDS.items(), ERRORS, SHAPES.items()):
        ending = sized(round(float(size) * 1024))
        ending.code = error.code
        ending.replies = replies
        seen = caller.call(method, ending)
        difference = seen.difference(error, ending)
        cell.note(difference is None, seen.is_whole(ending))
        if difference is not None:
            differences.append(f"{kind}, {error.code}, {shape}: {difference}")
    assert not differences, f"{len(differences)} of {cell.calls}:\n" + "\n".join(differences)


RETRYING = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ]
}  # fmt: skip


@pytest.mark.parametrize(("code", "attempts"), [("DOWN", 3), ("TOO_MUCH", 3), ("UNREADY", 1)])
def test_grpcio_repeats_what_the_schema_says_may_be_repeated(
    targets: Callable[[str], str], code: str, attempts: int
) -> None:
    """It repeats only what comes as one frame, so large errors are cut to fit one, and what is never to be repeated is split."""
    ending = Ending(code=code, times=2, key=f"grpcio-{code}", details=4_000, payload=2_000)
    with GRPCIOCaller(targets("nothing between"), json.dumps(RETRYING)) as caller:
        seen = caller.call("Unary", ending)
    assert (seen.code, seen.attempts) == ((None, 3) if attempts == 3 else (code, 0))


def test_the_table_in_the_page_is_what_was_measured() -> None:
    if any((proxy, size) not in _cells for proxy in PROXIES for size in SIZES):
        pytest.skip("not all calls were made")
    table = deployment_table.table(_cells, list(PROXIES), SIZES)
    if os.environ.get("PROXY_TABLE") == "write":
        deployment_table.write(table)
    assert deployment_table.in_page() == table, "Scripts/proxies writes it"
