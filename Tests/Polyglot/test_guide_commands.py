# SPDX-License-Identifier: Apache-2.0
"""The guide's pages for callers, true to the letter: their commands are run against the example's server, and print what the page says.

`<!-- file: NAME -->` makes a file of the block behind it, and a `sh` block is run. It prints the block behind it: `text` and `http` as
they stand there, `json` as values. "…" stands for anything. A block that starts the server (`octollm serve …`) is not run, but says
with which options the page's server runs.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import every_road
from octollm_process import Server
from repository import PROTOS, ROOT, executable

GUIDE = ROOT / "Documentation" / "Guide"
PAGES = {name: (GUIDE / f"{name}.md").read_text() for name in ("Curl", "Browser", "Python")} | {"Deployment": every_road()}
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```\n", re.S)
SERVE = "octollm serve "
CONFIGURATIONS = ("nginx", "haproxy", "ini", "py")
"""test_deployment.py runs the first two, test_python_versions.py has the third, and `py` wants a framework that is not here."""
PORT = "localhost:50051"
"""That of the pages."""


def steps(page: str) -> Iterator[tuple[str, str, str, str]]:
    """Each block's language, file and text, and what it prints."""
    blocks = [block for block in BLOCK.finditer(PAGES[page]) if block["language"] not in CONFIGURATIONS]
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        shows = after is not None and not after["file"] and after["language"] in ("text", "http", "json")
        kind = after["language"] if shows else ""
        if block["file"] or block["language"] == "sh":
            yield kind, block["file"] or "", block["text"], after["text"] if shows else ""
        else:
            assert block["language"] in ("text", "http", "json"), f"{page}: a block of {block['language']} that nobody runs"


def matches(shown: object, value: object) -> bool:
    """Whether a value is what a page shows of it."""
    match shown, value:
        case "…", _:
            return True
        case str(), str():
            return re.fullmatch(re.escape(shown).replace("…", ".*"), value, re.S) is not None
        case dict(), dict():
            return shown.keys() == value.keys() and all(matches(shown[name], value[name]) for name in shown)
        case list(), list():
            return len(shown) == len(value) and all(map(matches, shown, value))
    return shown == value


def values(text: str) -> list[object]:
    """JSON texts, one behind the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page's commands are given; `python3` is the one that runs the tests."""
    folder = tmp_path / "page"
    (folder / "bin").mkdir(parents=True)
    (folder / "Protos").symlink_to(PROTOS)
    (folder / "bin" / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "bin" / "python3").chmod(0o755)
    (folder / "bin" / "protoc-gen-taxon").symlink_to(executable("protoc-gen-taxon"))
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_commands_print_what_the_page_says(page: str, folder: Path, tmp_path: Path) -> None:
    started = re.search(rf"^{SERVE}(.+)$", PAGES[page], re.M)
    options = started[1].split() if started else ["--rehearsal"]
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "HOME": str(folder)}
    with Server(tmp_path / "log", *options) as server:
        for kind, file, text, shown in steps(page):
            text = text.replace(PORT, server.target)
            if file:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(text)
                continue
            if text.startswith(SERVE):
                continue
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            )  # fmt: skip
            printed = result.stdout.replace("\r\n", "\n")
            assert result.returncode == 0, f"{text}{printed}{result.stderr}"
            if kind == "json":
                assert matches(values(shown), values(printed)), f"{text}{printed}"
            elif kind:
                assert matches(shown.strip(), printed.strip()), f"{text}{printed}"
