# SPDX-License-Identifier: Apache-2.0
"""A package outside this repository, with one schema and one handler, serves a call from grpcio."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from octollm_process import PATIENCE
from repository import PROTOS, ROOT, SCRATCH, swift

HERE = Path(__file__).parent
PROTO = "greeter/v1/greeter.proto"


@pytest.fixture(scope="module")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, somewhere else; only what is built of it stays from run to run."""
    package = tmp_path_factory.mktemp("elsewhere") / "greeter"
    shutil.copytree(HERE / "greeter", package, ignore=shutil.ignore_patterns(".build"))
    manifest = package / "Package.swift"
    text = manifest.read_text()
    assert '"../../.."' in text
    manifest.write_text(text.replace('"../../.."', f'"{ROOT}"'))
    return package


@pytest.mark.slow
def test_a_package_elsewhere_builds_and_answers(greeter: Path, tmp_path: Path) -> None:
    settings = ["--scratch-path", str(SCRATCH / "greeter"), "--disable-index-store", "-debug-info-format", "none"]
    build = swift("build", *settings, package=greeter)
    assert "warning:" not in build.stdout, build.stdout
    binary = Path(swift("build", *settings[:2], "--show-bin-path", package=greeter).stdout.splitlines()[-1]) / "Greeter"

    generated = tmp_path / "generated"
    generated.mkdir()
    sources = [greeter / "Sources" / "Greeter", PROTOS]
    # Its schema imports taxon's, which imports google.rpc's: those come with googleapis-common-protos.
    files = [PROTO, "taxon/taxonomy.proto", "taxon/error_traits.proto"]
    paths = [f"-I{source}" for source in sources]
    subprocess.run(["protoc", *paths, f"--python_out={generated}", *files], check=True)

    server = subprocess.Popen([binary], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        target = server.stdout.readline().removeprefix("listening on ").strip()
        client = subprocess.run(
            [sys.executable, HERE / "greeter" / "greet.py", generated, target],
            stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(PATIENCE)
        server.stdout.close()
    assert client.stdout.splitlines() == [
        "Hello, Ada!",
        "INVALID_ARGUMENT greeter.example/NAMELESS: Who is number 7? (number 7)",
    ]
