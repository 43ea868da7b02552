# SPDX-License-Identifier: Apache-2.0
"""What a package that depends on Taxon has to fetch."""

import json
from pathlib import Path

import pytest
from repository import ROOT, swift

MANIFEST = """// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "user",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "taxon", path: "{root}"{traits})],
  targets: [
    .executableTarget(
      name: "user", dependencies: [.product(name: "Taxon", package: "taxon")],
      plugins: [.plugin(name: "TaxonPlugin", package: "taxon")])
  ]
)
"""

OF_PROGRAMS = {"grdb.swift", "swift-argument-parser"}
"""The packages that only the example and the command line need."""


def fetched(package: Path, traits: str) -> set[str]:
    (package / "Sources" / "user").mkdir(parents=True)
    (package / "Sources" / "user" / "main.swift").write_text("")
    (package / "Package.swift").write_text(MANIFEST.format(root=ROOT, traits=traits))
    swift("package", "resolve", package=package)
    return {pin["identity"] for pin in json.loads((package / "Package.resolved").read_text())["pins"]}


@pytest.mark.slow
def test_a_package_without_traits_fetches_nothing_of_the_example(tmp_path: Path) -> None:
    without = fetched(tmp_path / "without", ", traits: []")
    assert "swift-nio" in without
    assert not without & OF_PROGRAMS
    assert fetched(tmp_path / "with", "") == without | OF_PROGRAMS
