# SPDX-License-Identifier: Apache-2.0
"""An error is added to the schema of a copy of this repository, and thrown and caught: nothing else is touched."""

import subprocess
import sys
from pathlib import Path

import pytest
from octollm_process import PATIENCE, Server, call
from repository import generate_python, swift

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def binaries(copy: Path) -> Path:
    for product in ("octollm", "Catch"):
        swift("build", "--product", product, package=copy)
    return Path(swift("build", "--show-bin-path", package=copy).stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_new_error_is_thrown_and_caught_typed_with_no_other_edit(
    copy: Path, binaries: Path, tmp_path: Path
) -> None:
    generated = tmp_path / "generated"
    generated.mkdir()
    generate_python(copy / "Protos", generated)
    with Server(tmp_path / "log", command=binaries / "octollm") as server:
        swift_client = subprocess.run(
            [binaries / "Catch", server.target], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True
        )
        assert swift_client.stdout == "caught secret 3\n"

        python_client = subprocess.run(
            [sys.executable, HERE / "extension/catch.py", generated, server.target],
            stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        assert python_client.stdout == (
            "caught secret 3: FAILED_PRECONDITION Task secret is under embargo for 3 days\n"
        )

        # A client that was built before the error existed.
        answer = call(server.target, "get", "secret")
        assert (answer["domain"], answer["code"]) == ("octollm.dev", "TASK_EMBARGOED")
        assert answer["fields"] == {"task_id": "secret", "days": "3"}
        assert (answer["category"], answer["retry"], answer["breaker"]) == ("ValidationError", "NEVER", "NEUTRAL")
