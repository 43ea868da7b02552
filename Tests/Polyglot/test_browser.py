# SPDX-License-Identifier: Apache-2.0
"""A page in a browser calls a server of another origin with nothing but fetch: Connect with JSON, and gRPC-Web as text."""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from octollm_process import Server
from serving import PATIENCE

PAGES = Path(__file__).parent / "fixtures" / "browser"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    """Where the page comes from."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=PAGES)) as pages:
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()
        thread.join()


def shown(origin: str, server: Server, profile: Path) -> dict[str, dict]:
    """What the page shows of each call."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, "there is no Chromium: Scripts/setup --python installs it"
    result = subprocess.run(
        [
            browser, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            # What it loads is ours, and root may not have a sandbox.
            "--no-sandbox", f"--user-data-dir={profile}",
            # Time stands still while a request is under way; the page is read when there is nothing left to do.
            "--virtual-time-budget=60000", "--dump-dom",
            f"{origin}/page.html?server={quote(f'http://{server.target}', safe='')}",
        ],
        capture_output=True, text=True, timeout=2 * PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert 'data-done="yes"' in result.stdout, result.stdout + result.stderr
    cells = re.findall(r'<td id="([^"]+)">(.*?)</td>', result.stdout, re.DOTALL)
    return {name: json.loads(html.unescape(text)) for name, text in cells}


def test_a_page_of_another_origin_calls(origin: str, serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve("--cors-origin", origin)
    calls = shown(origin, server, tmp_path / "profile")
    error = {"code": "TASK_NOT_FOUND", "domain": "octollm.dev", "task": "none"}
    assert calls["connect"] == {"status": "TASK_STATUS_PENDING", "description": "from a page: größer"}
    assert calls["connect-error"] == {
        "http": 404, "status": "not_found", "message": "Task none not found", "error": error,
    }  # fmt: skip
    web = calls["grpc-web"]
    assert web["asked"] and web == {"status": "0", "messages": 1, "task": web["asked"], "asked": web["asked"]}
    for name in ("grpc-web-error", "grpc-web-stream-error"):
        assert calls[name] == {"http": 200, "status": "5", "message": "Task none not found", "error": error}


@pytest.mark.parametrize("arguments", [[], ["--cors-origin", "https://app.example.com"]], ids=["none", "another"])
def test_a_page_of_an_origin_that_is_not_allowed_sees_nothing(
    origin: str, serve: Callable[..., Server], tmp_path: Path, arguments: list[str]
) -> None:
    calls = shown(origin, serve(*arguments), tmp_path / "profile")
    assert all(outcome == {"thrown": "TypeError"} for outcome in calls.values()), calls
    assert len(calls) == 5
