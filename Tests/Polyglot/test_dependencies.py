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

OF_TRAITS = {
    "Programs": {"grdb.swift", "swift-argument-parser"},
    "ServiceLifecycle": {"swift-service-lifecycle", "swift-async-algorithms"},
    "TLS": {"swift-nio-ssl"},
}
"""The packages that are there for the sake of a trait."""


def fetched(package: Path, traits: str) -> set[str]:
    (package / "Sources" / "user").mkdir(parents=True)
    (package / "Sources" / "user" / "main.swift").write_text("")
    (package / "Package.swift").write_text(MANIFEST.format(root=ROOT, traits=traits))
    swift("package", "resolve", package=package)
    return {pin["identity"] for pin in json.loads((package / "Package.resolved").read_text())["pins"]}


@pytest.mark.slow
def test_a_trait_fetches_its_packages_and_no_others(tmp_path: Path) -> None:
    without = fetched(tmp_path / "without", ", traits: []")
    assert "swift-nio" in without
    assert not without & set.union(*OF_TRAITS.values())
    for trait, packages in OF_TRAITS.items():
        assert fetched(tmp_path / trait, f', traits: ["{trait}"]') == without | packages
    assert fetched(tmp_path / "usual", "") == without.union(*OF_TRAITS.values())
