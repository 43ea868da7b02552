# SPDX-License-Identifier: Apache-2.0
"""Errors of one package, raised by services of two others, caught in a fourth: with no settings but who sees them.

The packages stand in `sharing`. They are built with the features that Swift 7 will have, and with warnings as errors.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import PACKAGES, ROOT, swift

SHARING = Path(__file__).parent / "sharing"
NAMES = sorted(folder.name for folder in SHARING.iterdir())
README = (ROOT / "README.md").read_text()


def write(file: Path, text: str) -> None:
    """Leaves alone what is as it should be: build tools go by the times of files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


@pytest.fixture(scope="module")
def shop(copy: Path) -> Path:
    """The folder of the client's package, with the others beside it."""
    for name in NAMES:
        if stale(name):
            shutil.rmtree(PACKAGES / name / "Sources")
        for file in (SHARING / name).rglob("*"):
            if file.is_file():
                write(PACKAGES / file.relative_to(SHARING), file.read_text())
    folder = PACKAGES / "shop"
    if not (folder / ".build").is_symlink():
        (folder / ".build").symlink_to(PACKAGES / "build")
    return folder


def stale(name: str) -> bool:
    """Whether the copy of a package has a file that the package does not have."""
    copied = {file.relative_to(PACKAGES) for file in (PACKAGES / name / "Sources").rglob("*") if file.is_file()}
    return not copied <= {file.relative_to(SHARING) for file in (SHARING / name).rglob("*")}


@pytest.fixture
def edit(shop: Path) -> Iterator:
    """Edits a file of the packages for one test."""
    kept: dict[Path, str] = {}

    def edit(name: str, old: str, new: str) -> Path:
        file = PACKAGES / name
        text = file.read_text()
        kept.setdefault(file, text)
        assert old in text
        file.write_text(text.replace(old, new))
        return file

    yield edit
    for file, text in kept.items():
        file.write_text(text)


def build(shop: Path, *, check: bool = True) -> str:
    return swift("build", "--product", "Shop", package=shop, check=check).stdout


@pytest.mark.slow
def test_the_errors_of_a_package_are_raised_and_caught_in_others(shop: Path) -> None:
    said = build(shop)
    assert "warning:" not in said, said
    done = subprocess.run(
        [PACKAGES / "build" / "debug" / "Shop"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "tea: 7 left",
        "gold: Ada has no right to take gold",
        "caviar: kitchen has no more than 5000 cents",
        "ice: wait until nine, platform.example.com",
        "moon: no moon, stock.example.com",
        "order: 100 cents",
        "order: The right order: take gold is needed",
        "order: UNAVAILABLE, The stock is closed: Back at nine",
        # What is said in a category counts in those inside it.
        'order: ["AccessError", "LimitError", "SpendingLimitError"], INFO, THROTTLED, 2.0 seconds, true',
        "schema: money/amount.proto",
        "schema: google/protobuf/descriptor.proto",
        "schema: google/protobuf/duration.proto",
        "schema: google/rpc/code.proto",
        "schema: taxon/error_traits.proto",
        "schema: taxon/taxonomy.proto",
        "schema: platform/errors.proto",
        "schema: platform/outages.proto",
        "schema: stock/stock.proto",
        "schema: orders.proto",
    ]


@pytest.mark.slow
def test_a_change_of_a_dependency_changes_the_code_of_who_depends_on_it(shop: Path, edit) -> None:
    """What another module calls its types, and whom it shows them, is in its taxon.json, and read at every build."""
    settings = edit("platform/Sources/PlatformErrors/taxon.json", '"public"', '"internal"')
    said = build(shop, check=False)
    # Both services need them; the build ends with the first that says so.
    assert re.search(
        r"(stock/stock|orders)\.proto:[56]:8: error: the generated code needs the types of "
        rf'"platform/errors\.proto", which are internal in PlatformErrors; say "access": "public" in {re.escape(str(settings))}',
        said,
    ), said


@pytest.mark.slow
def test_an_import_of_a_target_that_is_not_depended_on_is_told(shop: Path, edit) -> None:
    edit("stock/Package.swift", ', .product(name: "PlatformErrors", package: "platform")],\n      swiftSettings: settings, plugins', "],\n      swiftSettings: settings, plugins")
    said = build(PACKAGES / "shop", check=False)
    assert re.search(
        r'stock\.proto:6:1: error: import "platform/errors\.proto" is a schema of target PlatformErrors, which StockAPI does not '
        r'depend on; add \.product\(name: "PlatformErrors", package: "platform"\) to the dependencies of target StockAPI|'
        # It comes with StockAPI no more.
        r'orders\.proto:[56]:1: error: import "(money/amount|platform/errors)\.proto" is (a schema of target|not found)',
        said,
    ), said


@pytest.mark.slow
def test_an_error_without_its_import_is_told(shop: Path, edit) -> None:
    edit("stock/Sources/StockAPI/stock/stock.proto", 'import "platform/errors.proto";\n', "")
    said = build(PACKAGES / "shop", check=False)
    assert re.search(
        r'stock\.proto:\d+:42: error: raises names "platform\.AccessError", which is in a file that is not imported; '
        r'write import "platform/errors\.proto";',
        said,
    ), said


def test_readme_shows_these_packages() -> None:
    snippets = dict(re.findall(r"<!-- sharing: (\S+) -->\n```\w+\n(.*?)```", README, re.S))
    assert len(snippets) > 3
    for name, text in snippets.items():
        assert text in (SHARING / name).read_text(), name
