# SPDX-License-Identifier: Apache-2.0
"""What a test starts ends with it, however it is ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from serving import PATIENCE

# Stands for a test: its command starts another one, says so, and both go on.
TEST = """
from process_group import ProcessGroup
with ProcessGroup(["bash", "-c", "sleep 600 & echo started; wait"]) as process:
    {then}
"""


def begun(then: str) -> subprocess.Popen:
    """The test, once all that it starts is there. Its output ends when nobody is left who could write to it."""
    test = subprocess.Popen(
        [sys.executable, "-c", TEST.format(then=then)], cwd=Path(__file__).parent, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert test.stdout.readline() == "started\n"
    return test


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_by_a_test_that_is_ended(number: signal.Signals) -> None:
    with begun("process.wait()") as test:
        test.send_signal(number)
        assert test.communicate(timeout=PATIENCE) == ("", None)
        assert test.returncode != 0


@pytest.mark.parametrize("then", ["pass", "raise AssertionError"])
def test_nothing_is_left_by_a_test_that_ends(then: str) -> None:
    with begun(f"input(); {then}") as test:
        assert test.communicate("end\n", timeout=PATIENCE) == ("", None)
        assert (test.returncode == 0) == (then == "pass")


def test_a_command_that_has_ended_leaves_nobody_behind() -> None:
    """As README's tour does, whose server goes on when its script is done."""
    script = "from process_group import ProcessGroup\n" + (
        'with ProcessGroup(["bash", "-c", "sleep 600 & echo started"]) as process:\n    assert process.wait() == 0\n'
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, "started\n")
