# SPDX-License-Identifier: Apache-2.0
"""Generated Python under `mypy --strict`, on each Python that is here, and with protobuf 5 beside the newest.

The other environments are made in `.build/python` once, and kept.
"""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from octollm_process import Server
from python_code import generate
from repository import ROOT, SCRATCH

HERE = Path(__file__).parent
NEWEST = ["grpcio", "googleapis-common-protos", "protobuf"]
"""All that generated Python needs, at the versions of requirements.txt."""
FIVE = ["grpcio==1.70.0", "grpcio-tools==1.70.0", "googleapis-common-protos==1.70.0", "protobuf==5.29.6"]
"""The last before protobuf 6; grpcio-tools has the protoc of it."""


def environment(name: str, python: str, packages: list[str]) -> Path:
    """The interpreter of a virtual environment with these packages."""
    folder = SCRATCH / "python" / f"{name}-{hashlib.sha256(' '.join([python, *packages]).encode()).hexdigest()[:8]}"
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        made = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert made.returncode == 0, made.stdout
        (folder / "complete").touch()
    return interpreter


def check(interpreter: Path | str, folder: Path, server: Server) -> str:
    """What python_check.py prints."""
    done = subprocess.run(
        [interpreter, HERE / "python_check.py", folder, server.target], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=120, check=False, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout.strip()


def python(wanted: str) -> str | None:
    """A command of that version, on the PATH or of pyenv."""
    own = "%d.%d" % sys.version_info[:2]
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{wanted}.*/bin/python"))
    candidates = [*([sys.executable] if own == wanted else []), f"python{wanted}", *map(str, installed)]
    return next((command for command in candidates if version(command) == wanted), None)


def version(python: str) -> str:
    """Such as "3.12"; empty where the command is not one that works: shims of pyenv may stand for nothing."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a user makes it, with protoc's stubs for type checkers."""
    folder = tmp_path_factory.mktemp("generated")
    generate(folder, "python", "pyi")
    return folder


@pytest.mark.parametrize("wanted", ["3.11", "3.12", "3.13"])
def test_it_runs_on_each_python(wanted: str, generated: Path, server: Server) -> None:
    command = python(wanted)
    if command is None:
        assert wanted != "3.11", "the tests run on it"
        pytest.skip(f"there is no Python {wanted} here")
    packages = [f"{name}=={importlib.metadata.version(name)}" for name in NEWEST]
    interpreter = command if command == sys.executable else environment(wanted, command, packages)
    said = check(interpreter, generated, server)
    assert said.startswith(f"Python {wanted}") and said.endswith("and 22 errors")


def test_it_runs_with_protobuf_5(tmp_path: Path, server: Server) -> None:
    interpreter = environment("protobuf5", sys.executable, FIVE)
    generate(tmp_path, "python", protoc=[str(interpreter), "-m", "grpc_tools.protoc"])
    assert "Protobuf Python Version: 5." in (tmp_path / "octollm" / "v1" / "errors_pb2.py").read_text()
    said = check(interpreter, tmp_path, server)
    assert "protobuf 5.29" in said


USER = '''
"""A program as users write it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc.aio
from octollm.v1 import errors_taxon
from taxon import runtime


def caught(error: Exception) -> str:
    match error:
        case errors_taxon.TaskNotFoundError(task_id=task_id):
            return task_id
        case errors_taxon.LLMAPIError() as failed:
            code: int | None = failed.status_code
            return f"{code}"
        case errors_taxon.ArmUnavailableError():
            return ", ".join(error.required_capabilities)
        case errors_taxon.OctoLLMError():
            return error.code
        case runtime.TaxonomyError():
            wait: float | None = error.retry_after
            return f"{error.severity.name} {error.http_status} {wait} {error.to_dict()['details']}"
    return ""


def raise_it() -> None:
    try:
        raise errors_taxon.TimeoutError(operation="x", timeout=3, retry_after=1.5)
    except errors_taxon.SystemError as error:
        raise errors_taxon.DatabaseError(operation="select", error=str(error)) from error


def call(channel: grpc.Channel) -> None:
    with grpc.intercept_channel(channel, runtime.ErrorClientInterceptor()) as intercepted:
        intercepted.close()


async def call_async() -> None:
    async with grpc.aio.insecure_channel("localhost:1", interceptors=runtime.aio_client_interceptors()) as channel:
        await channel.close()


server = grpc.server(ThreadPoolExecutor(), interceptors=[runtime.ErrorServerInterceptor()])
asyncio.run(call_async())
'''

MISTAKES = '''
from octollm.v1 import errors_taxon

errors_taxon.TaskNotFoundError()
errors_taxon.TaskNotFoundError(task_id=42)
errors_taxon.TaskNotFoundError("42")
number: int = errors_taxon.LLMAPIError(provider="x").status_code
errors_taxon.TaskNotFoundError(task_id="x").limit
'''

CONFIGURATION = """
[mypy]
strict = True
explicit_package_bases = True
; What protoc writes for type checkers is not strict itself.
follow_imports = silent
follow_imports_for_stubs = True

[mypy-google.rpc.*]
follow_untyped_imports = True
"""


def mypy(folder: Path, *files: str, python: str = "3.11") -> subprocess.CompletedProcess[str]:
    (folder / "mypy.ini").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "mypy", f"--python-version={python}", f"--cache-dir={SCRATCH / 'mypy'}", *files]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_mypy_finds_nothing(generated: Path, python: str) -> None:
    (generated / "user.py").write_text(USER)
    modules = [str(file.relative_to(generated)) for file in generated.rglob("*_taxon.py")]
    checked = mypy(generated, "taxon/runtime", "user.py", *sorted(modules), python=python)
    assert checked.returncode == 0 and "Success: no issues found" in checked.stdout, checked.stdout


def test_mypy_finds_mistakes_of_users(generated: Path) -> None:
    (generated / "mistakes.py").write_text(MISTAKES)
    lines = mypy(generated, "mistakes.py").stdout.splitlines()
    found = [line.split(":")[1] for line in lines if ": error: " in line]
    assert found == ["4", "5", "6", "7", "8"], lines


def test_the_runtime_is_the_one_in_the_sources(generated: Path) -> None:
    """What the generator writes, file by file."""
    sources = ROOT / "Sources" / "TaxonPython" / "Runtime"
    expected = {file.relative_to(sources): file.read_text() for file in sources.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    written = {file.relative_to(generated): file.read_text().rstrip() for file in generated.joinpath("taxon", "runtime").iterdir() if file.is_file()}
    assert {name: text.rstrip() for name, text in expected.items()} == written
