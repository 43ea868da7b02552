# SPDX-License-Identifier: Apache-2.0
"""A copy of this repository in whose schema is one error more, and a client that catches it."""

import re
from collections.abc import Callable
from pathlib import Path

from repository import PACKAGES, ROOT, mirror

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


def make() -> Path:
    """The copy's folder: a fixed place, so that the second time only what has changed is built."""
    copy = PACKAGES / "taxon"
    mirror(ROOT, copy, {**CHANGE, **CATCH})
    return copy
