# SPDX-License-Identifier: Apache-2.0
"""An error is added to the schema of a copy of this repository, and thrown and caught: nothing else is touched."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from octollm_process import PATIENCE, Server, call
from repository import ROOT, SCRATCH, generate_python, mirror, swift

HERE = Path(__file__).parent

ERROR = """
  // The task may not be shown yet.
  message TaskEmbargoed {
    option (taxon.error) = {
      code: "TASK_EMBARGOED"
      status: FAILED_PRECONDITION
      message: "Task {task_id} is under embargo for {days} days"
    };
    string task_id = 1;
    int32 days = 2;
  }
"""


def replace(pattern: str, replacement: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        edited, count = re.subn(pattern, replacement, text, count=1, flags=re.DOTALL)
        assert count == 1, f"there is no {pattern!r}"
        return edited

    return edit


# The whole change: one message, its name in one `raises`, one line that throws it.
CHANGE = {
    "Protos/octollm/v1/errors.proto": replace(
        r"(message ValidationError \{.*?\n  \};\n)", r"\1" + ERROR.replace("\\", r"\\")
    ),
    "Protos/octollm/v1/orchestrator.proto": replace(
        r'(rpc GetTask\(.*?errors: )"TaskNotFound"', r'\1["TaskNotFound", "TaskEmbargoed"]'
    ),
    "Sources/OctoLLM/Orchestrator/OrchestratorService.swift": replace(
        r"(func getTask\(.*?\{\n)",
        r'\1    if request.taskID == "secret" { throw .taskEmbargoed(taskID: request.taskID, days: 3) }\n',
    ),
}

# The client that catches it, which is the test's own.
CATCH = {
    "Package.swift": replace(r"(\n  targets: \[\n)", r'\1    .executableTarget(name: "Catch", dependencies: ["OctoLLM", "Taxon"]),\n'),
    "Sources/Catch/main.swift": lambda _: (HERE / "extension/Catch.swift").read_text(),
}


@pytest.fixture(scope="module")
def copy() -> Path:
    # A fixed place, so that the second time only what has changed is built.
    copy = SCRATCH / "extension" / "taxon"
    mirror(ROOT, copy, {**CHANGE, **CATCH})
    return copy


@pytest.fixture(scope="module")
def binaries(copy: Path) -> Path:
    settings = ["--disable-index-store", "-debug-info-format", "none"]
    for product in ("octollm", "Catch"):
        swift("build", *settings, "--product", product, package=copy)
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
