# SPDX-License-Identifier: Apache-2.0
"""No Swift test sleeps by the clock: it awaits an event, or moves a clock that it has passed in."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import swift_source
from repository import ROOT

SLEEP = re.compile(r"\b(?:nanosleep|usleep|sleep|sleepForTimeInterval)\s*\(")
DECLARATION = re.compile(r"\bfunc\s+$")

REASONS: dict[str, tuple[int, str]] = {
    "Connect/Client/SuiteCall.swift": (2, "the conformance suite asks for delays"),
    "Connect/Server/ServerContext+Suite.swift": (1, "the conformance suite asks for a delay"),
    "Connect/Server/StreamAnswers.swift": (1, "the conformance suite asks for delays"),
    "Interop/InteropService.swift": (1, "the interoperability tests ask for intervals"),
    "Interop/LoadCommand.swift": (1, "a program that makes load, and no test"),
    "TaxonClientTests/Dialogues/DialogueCall.swift": (1, "on a clock that the test moves"),
    "TaxonTestingTests/ManualClockTests.swift": (3, "on the clock that is tested"),
}
"""Files of Tests that sleep, how often, and why they may. The list only becomes shorter."""


def sleeps(root: Path) -> dict[str, int]:
    """How often each Swift file below a folder sleeps; a clock that declares how to sleep does not."""
    found = {}
    for file in sorted(root.rglob("*.swift")):
        text = swift_source.code(file.read_text())
        count = sum(not DECLARATION.search(text[: match.start()]) for match in SLEEP.finditer(text))
        if count:
            found[file.relative_to(root).as_posix()] = count
    return found


def compared(known: Mapping[str, tuple[int, str]], found: Mapping[str, int]) -> list[str]:
    return [
        f"{name} sleeps {found.get(name, 0)} times, and has reasons for {known.get(name, (0, ''))[0]}"
        for name in sorted({*known, *found})
        if found.get(name, 0) != known.get(name, (0, ""))[0]
    ]


def test_no_test_sleeps_by_the_clock_without_a_reason() -> None:
    faults = compared(REASONS, sleeps(ROOT / "Tests"))
    assert not faults, "\n".join(faults)


# That this test can fail: the same on files that do not exist.


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("try await Task.sleep(for: .seconds(1))", 1),
        ("usleep(1); Thread.sleep (forTimeInterval: 1)", 2),
        ("func sleep(until deadline: Instant) async throws {}", 0),
        ('// Task.sleep(for: it)\nlet text = "sleep(1)"', 0),
        ('let text = "\\(sleep(1))"', 1),
        ("isAsleep(1); sleepers(2)", 0),
    ],
)
def test_a_sleep_is_found(tmp_path: Path, text: str, count: int) -> None:
    (tmp_path / "A.swift").write_text(text)
    assert sleeps(tmp_path) == ({"A.swift": count} if count else {})


def test_a_sleep_that_comes_or_goes_is_found() -> None:
    known = {"A.swift": (1, "because"), "B.swift": (2, "because")}
    assert compared(known, {"A.swift": 1, "B.swift": 2}) == []
    assert compared(known, {"B.swift": 3, "C.swift": 1}) == [
        "A.swift sleeps 0 times, and has reasons for 1",
        "B.swift sleeps 3 times, and has reasons for 2",
        "C.swift sleeps 1 times, and has reasons for 0",
    ]
