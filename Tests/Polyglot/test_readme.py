# SPDX-License-Identifier: Apache-2.0
"""README, true to the letter: the tour's files are written as they stand there, its commands run, its output compared.

The tour is also the package outside this repository that depends on Taxon by path and is called by grpcio. Beside it, as
`taxon`, lies the copy of the repository that test_extension.py has added an error to.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from process_group import ProcessGroup
from repository import PACKAGES, PACKAGES_ENVIRONMENT, ROOT

README = (ROOT / "README.md").read_text()
FENCE = r"```(\w+)\n(.*?)```"


def blocks(marker: str) -> dict[str, str]:
    """The fenced blocks that follow `<!-- marker: name -->`, by their names."""
    return {name: text for name, _, text in re.findall(rf"<!-- {marker}: (\S+) -->\n{FENCE}", README, re.S)}


def outputs() -> list[str]:
    return [text for language, text in re.findall(FENCE, README, re.S) if language == "text"]


@pytest.fixture
def tour(copy: Path) -> Path:
    """The tour's folder, with the repository beside it as `taxon`."""
    folder = PACKAGES / "tour"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".build").is_symlink():
        (folder / ".build").symlink_to(PACKAGES / "build")
    for name, text in blocks("file").items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
    return folder


PORT = 5052
"""The tour's."""


@pytest.mark.slow
def test_the_tour_is_as_it_says(tour: Path) -> None:
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", PORT)), f"something else listens on port {PORT}, which the tour's server needs"
    # `python3` is the one that runs the tests, which has what the tour asks for.
    bin_folder = PACKAGES / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(bin_folder / "python3", ignore_errors=True)
    (bin_folder / "python3").unlink(missing_ok=True)
    (bin_folder / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (bin_folder / "python3").chmod(0o755)
    environment = PACKAGES_ENVIRONMENT | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
    # A file, which unlike a pipe takes any amount of what a build prints.
    log = PACKAGES / "tour.log"
    with log.open("w") as output:
        group = ProcessGroup(
            ["bash", "-euo", "pipefail", "-c", blocks("run")["tour"]],
            cwd=tour,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    # The server outlives the script, and ends with its group.
    with group as process:
        process.wait(timeout=1500)
    printed = log.read_text()
    assert process.returncode == 0, printed
    for expected in outputs():
        assert expected in printed, printed


COMPILED = (ROOT / "Tests" / "OctoLLMTests" / "ReadmeSnippet.swift").read_text()


def test_the_first_snippet_is_compiled() -> None:
    snippet = re.search(FENCE, README, re.S)
    unindented = "\n".join(line.removeprefix("  ") for line in COMPILED.splitlines())
    assert snippet is not None and snippet[2] in unindented


def test_the_packages_are_those_that_setup_installs() -> None:
    """All but what only the example takes."""
    setup = (ROOT / "Scripts" / "setup").read_text().split("if $python")[0]
    needed = set(re.findall(r"^need (\S+)", setup, re.M)) - {"libsqlite3-dev"}
    assert set(blocks("apt")["build"].split()[2:]) == needed


def test_the_snippets_of_streaming_are_those_that_are_used() -> None:
    """The client's is run by WatchTaskTests; the declaration and the handler's are the example's own."""
    snippets = blocks("snippet")
    unindented = "\n".join(line.removeprefix("  ") for line in COMPILED.splitlines())
    assert snippets["client"] in unindented
    orchestrator = (ROOT / "Protos" / "octollm" / "v1" / "orchestrator.proto").read_text()
    assert "\n".join(f"  {line}" for line in snippets["declaration"].splitlines()) in orchestrator
    service = (ROOT / "Sources" / "OctoLLM" / "Orchestrator" / "OrchestratorService.swift").read_text()
    assert "\n".join(f"  {line}" for line in snippets["handler"].splitlines()) in service


def test_the_snippet_of_json_is_the_one_that_is_run() -> None:
    """JSONTests runs it."""
    unindented = "\n".join(line.removeprefix("  ") for line in COMPILED.splitlines())
    assert blocks("snippet")["json"] in unindented
