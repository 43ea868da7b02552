# SPDX-License-Identifier: Apache-2.0
"""What a call comes to when a proxy answers it in a server's stead: nginx, whose server is gone."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from octollm_process import call
from proxies import Nginx
from repository import executable
from serving import PATIENCE


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = "127.0.0.1:%d" % listener.getsockname()[1]
    with Nginx(tmp_path / "nginx", gone) as nginx:
        yield nginx


def version() -> str:
    """Such as "nginx/1.22.1"."""
    command = ["nginx", "-v"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin"}
    text = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True, env=environment).stderr
    return text.split("version: ")[1].split()[0]


def test_who_answered_is_named(nginx: Nginx) -> None:
    """nginx answers with its own page, and names itself in `server`."""
    answer = call(nginx.target, "get", "42")
    assert answer["code"] == "UNAVAILABLE", answer
    assert answer["message"] == f"{version()} answered HTTP 502", answer


def test_the_beginning_of_the_page_is_in_the_debug_log(nginx: Nginx) -> None:
    result = subprocess.run(
        [executable("taxon-interop"), "load", "ipv4:" + nginx.target, "--calls", "1", "--concurrency", "1", "--debug"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    lines = [line for line in result.stderr.splitlines() if "the answer is not gRPC" in line]
    assert lines, result.stderr
    assert f"{version()} answered HTTP 502" in lines[0]
    assert "<title>502 Bad Gateway</title>" in lines[0]
    assert f"target=ipv4:{nginx.target}" in lines[0]
