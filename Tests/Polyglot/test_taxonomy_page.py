# SPDX-License-Identifier: Apache-2.0
"""The page that sets the error standard beside Taxon: it has every error, no row is empty, and the tests that it names exist."""

import re

import pytest
from repository import ROOT
from schema import ERRORS

ROWS = [
    [cell.strip() for cell in line.strip("|\n").split(" | ")]
    for line in (ROOT / "Documentation" / "Taxonomy.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| the standard", "| ---"))
]
SUITE = re.compile(r"^(?:@.* )?struct (\w+)", re.M)
SWIFT = {
    suite[1]: text[suite.start() :]
    for text in (file.read_text() for file in sorted((ROOT / "Tests").rglob("*Tests.swift")))
    for suite in SUITE.finditer(text)
}


def exists(name: str) -> bool:
    if "::" in name:
        file, test = name.split("::")
        path = ROOT / "Tests" / "Polyglot" / file
        return path.exists() and re.search(rf"^def {test}\(", path.read_text(), re.M) is not None
    suite, test = name.split("/")
    return re.search(rf"\bfunc {test}\(", SWIFT.get(suite, "")) is not None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_is_whole_and_its_tests_exist(row: list[str]) -> None:
    assert len(row) == 3 and all(row), row
    tests = re.findall(r"`([^`]+)`", row[2])
    assert tests, "nothing shows it"
    assert [name for name in tests if not exists(name)] == []


def test_every_error_of_the_standard_has_a_row() -> None:
    page = " ".join(row[1] for row in ROWS)
    missing = [
        error.message.DESCRIPTOR.full_name for error in ERRORS
        if error.domain == "octollm.dev" and error.message.DESCRIPTOR.full_name.removeprefix("octollm.v1.") not in page
        and error.message.DESCRIPTOR.name != "ValidationErrors"
    ]  # fmt: skip
    assert not missing


def test_a_test_that_there_is_not_is_noticed() -> None:
    assert not exists("ErrorUnionTests/nothing") and not exists("test_secrets.py::nothing") and not exists("Nothing/nothing")
