# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as curl and a bare socket speak it: connections that are used again, requests in a row, bodies in chunks, limits, and
the end."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest
from octollm.v1.orchestrator_pb2 import TASK_STATUS_RUNNING, CreateTaskRequest, ExecuteTaskRequest, GetTaskRequest, TaskContract
from octollm_process import Server
from serving import PATIENCE, poll

JSON_TYPE = ("--header", "content-type: application/json")
WATCH = "/octollm.v1.Orchestrator/WatchTask"
LIMIT = 4 << 20
"""Bytes of a message."""
UNREAD = 64 << 10
"""Bytes of a body that are read after the answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def is_last(self) -> bool:
        return self.fields.get("connection") == "close"


class Curl:
    """One run of curl, for as many requests as it is told."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._origin = f"http://{server.target}"
        self._folder = folder

    def start(self, *requests: tuple[str, ...]) -> subprocess.Popen[str]:
        command = ["curl"]
        for number, (path, *arguments) in enumerate(requests):
            command += ["--next"] * bool(number) + ["--silent", "--show-error", "--http1.1", "--max-time", str(PATIENCE)]
            command += ["--dump-header", str(self._folder / f"head-{number}"), "--output", str(self._folder / f"body-{number}")]
            command += ["--write-out", "%{num_connects}\n", *arguments, self._origin + path]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def end(self, process: subprocess.Popen[str], given: str = "") -> tuple[list[Answer], int]:
        """The answers, and how many connections they took."""
        counts, errors = process.communicate(given, timeout=PATIENCE)
        assert process.returncode == 0, errors
        connections = [int(line) for line in counts.split()]
        return [self._answer(number) for number in range(len(connections))], sum(connections)

    def ask(self, *requests: tuple[str, ...], given: str = "") -> tuple[list[Answer], int]:
        return self.end(self.start(*requests), given)

    def one(self, path: str, *arguments: str, given: str = "") -> Answer:
        return self.ask((path, *arguments), given=given)[0][0]

    def heads(self, number: int = 0) -> list[str]:
        """All heads of an answer, those with a status of 1xx first."""
        text = (self._folder / f"head-{number}").read_text()
        return [part for part in text.split("\n\n") if part]

    def _answer(self, number: int) -> Answer:
        line, *fields = self.heads(number)[-1].splitlines()
        assert line.startswith("HTTP/1.1 ")
        pairs = [field.partition(": ") for field in fields]
        body = self._folder / f"body-{number}"
        return Answer(
            int(line.split()[1]), {name.lower(): value for name, _, value in pairs}, body.read_bytes() if body.exists() else b""
        )


class Raw:
    """A connection on which anything may be said."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self._input = self.socket.makefile("rb")

    def say(self, text: bytes) -> None:
        self.socket.sendall(text)

    def answer(self, *, has_body: bool = True) -> Answer:
        line = self._input.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        fields = {}
        while (field := self._input.readline()) != b"\r\n":
            assert field.endswith(b"\r\n"), field
            name, _, value = field.decode().strip().partition(": ")
            fields[name] = value
        body = self._body(fields) if has_body else b""
        return Answer(int(line.split()[1]), fields, body)

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return self._input.read(int(fields["content-length"]))
        body = b""
        while size := int(self._input.readline(), 16):
            body += self._input.read(size)
            assert self._input.read(2) == b"\r\n"
        while self._input.readline() != b"\r\n":
            pass
        return body

    @property
    def is_over(self) -> bool:
        """Waits for what the server says next: is it the end?"""
        return self._input.read(1) == b""

    def __enter__(self) -> "Raw":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._input.close()
        self.socket.close()


def request(verb: str, path: str, body: bytes | None = None, *fields: str) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "host: test", *fields]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def chunked(path: str, *pieces: bytes, kind: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return head + b"".join(chunk(piece) for piece in pieces)


def chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def contract(description: str) -> bytes:
    return json.dumps({"description": description, "priority": 1}).encode()


@pytest.fixture
def curl(server: Server, tmp_path: Path) -> Curl:
    return Curl(server, tmp_path)


@pytest.fixture
def raw(server: Server) -> Iterator[Raw]:
    with Raw(server) as raw:
        yield raw


def test_a_connection_is_used_again(curl: Curl) -> None:
    answers, connections = curl.ask(
        ("/v1/tasks", *JSON_TYPE, "--data-binary", contract("one").decode()), ("/v1/tasks",), ("/v1/tasks", "--head"),
        ("/v1/tasks", "--http1.1"),
    )  # fmt: skip
    assert [answer.status for answer in answers] == [200] * 4
    assert connections == 1
    assert not any(answer.is_last for answer in answers)


def test_an_error_does_not_end_the_connection(curl: Curl) -> None:
    broken = ("--data-binary", "{")
    answers, connections = curl.ask(
        ("/nothing",), ("/v1/tasks", "--request", "DELETE"), ("/v1/tasks", "--header", "content-type: text/plain", *broken),
        ("/v1/tasks", *JSON_TYPE, *broken), ("/v1/tasks/none",), ("/nothing", *JSON_TYPE, "--data-binary", "x" * 9999),
        ("/v1/tasks",),
    )  # fmt: skip
    assert [answer.status for answer in answers] == [404, 405, 415, 400, 404, 404, 200]
    assert connections == 1


def test_requests_in_a_row_are_answered_in_their_order(raw: Raw) -> None:
    created = contract("in a row")
    raw.say(
        request("POST", "/v1/tasks", created) + request("HEAD", "/v1/tasks") + request("GET", "/nothing")
        + chunked("/v1/tasks", created[:5], created[5:], b"") + b"\r\n" + request("OPTIONS", "/v1/tasks")
        + request("GET", "/v1/tasks", None, "connection: close")
    )  # fmt: skip
    assert json.loads(raw.answer().body)["contract"]["description"] == "in a row"
    assert raw.answer(has_body=False).status == 200
    assert raw.answer().status == 404
    assert json.loads(raw.answer().body)["contract"]["description"] == "in a row"
    assert raw.answer(has_body=False).status == 204
    last = raw.answer()
    assert (last.status, last.is_last) == (200, True)
    assert raw.is_over


def test_a_request_waits_for_the_call_before_it(server: Server, raw: Raw) -> None:
    task = server.orchestrator.CreateTask(CreateTaskRequest(contract=TaskContract(description="soon", priority=1)))
    watch = f'{{"taskId": "{task.task_id}"}}'.encode()
    prefixed = b"\0" + len(watch).to_bytes(4, "big") + watch
    raw.say(chunked(WATCH, prefixed, b"", kind="application/connect+json") + request("GET", f"/v1/tasks/{task.task_id}"))
    server.orchestrator.ExecuteTask(ExecuteTaskRequest(task_id=task.task_id))
    watched, got = raw.answer(), raw.answer()
    assert b'"TASK_STATUS_COMPLETED"' in watched.body
    assert json.loads(got.body)["status"] == "TASK_STATUS_COMPLETED"


def test_a_body_from_a_pipe_comes_in_chunks(curl: Curl) -> None:
    words = "word " * 2000
    upload = ("--upload-file", "-", "--request", "POST")
    answer = curl.one("/v1/tasks", *JSON_TYPE, *upload, given=contract(words).decode())
    assert json.loads(answer.body)["contract"]["description"] == words


def test_a_client_that_waits_is_told_to_go_on(curl: Curl) -> None:
    expects = ("--header", "expect: 100-continue", "--expect100-timeout", str(PATIENCE - 5))
    answer = curl.one("/v1/tasks", *JSON_TYPE, *expects, "--data-binary", contract("waits").decode())
    assert answer.status == 200
    assert [head.split()[1] for head in curl.heads()] == ["100", "200"]
    refused = curl.one("/nothing", *JSON_TYPE, *expects, "--data-binary", "{}")
    assert (refused.status, refused.is_last) == (404, True)
    assert [head.split()[1] for head in curl.heads()] == ["404"]


def test_head_says_what_get_would(curl: Curl) -> None:
    (head, get), _ = curl.ask(("/v1/tasks/none", "--head"), ("/v1/tasks/none",))
    assert (head.status, head.fields) == (get.status, get.fields)
    assert int(head.fields["content-length"]) == len(get.body)


def test_http_1_0_is_answered(curl: Curl) -> None:
    answers, connections = curl.ask(("/v1/tasks", "--http1.0"), ("/v1/tasks", "--http1.0", "--header", "connection: keep-alive"))
    assert [(answer.status, answer.fields["connection"]) for answer in answers] == [(200, "close"), (200, "keep-alive")]
    assert all(int(answer.fields["content-length"]) == len(answer.body) for answer in answers)
    assert connections == 2


def test_a_head_that_is_too_large_is_refused(curl: Curl) -> None:
    answer = curl.one("/v1/tasks", "--header", "x-large: " + "x" * 17_000)
    assert (answer.status, answer.is_last) == (431, True)
    assert b"16384 bytes" in answer.body


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_body_that_is_too_large_is_refused(curl: Curl, tmp_path: Path, is_chunked: bool) -> None:
    body = tmp_path / "large"
    body.write_bytes(contract("x" * (LIMIT + 1)))
    coding = ("--header", "transfer-encoding: chunked") * is_chunked
    answer = curl.one("/v1/tasks", *JSON_TYPE, *coding, "--header", "expect:", "--data-binary", f"@{body}")
    assert answer.status == 413
    # What comes in chunks is known to be too large when nearly all of it has come.
    assert answer.is_last or is_chunked
    assert json.loads(answer.body)["error"] == "MESSAGE_TOO_LARGE"


@pytest.mark.parametrize("rest", [0, 1, UNREAD - 1, UNREAD, UNREAD + 1, 4 * UNREAD])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_request_behind_one_that_is_refused_is_not_lost(server: Server, rest: int, is_chunked: bool) -> None:
    """A client sends it as soon as the body of the first one has left, and has its answer."""
    body = b"x" * rest
    first = chunked("/nothing", *[body] * bool(rest), b"") if is_chunked else request("POST", "/nothing", body)
    for is_apart in (True, False):
        with Raw(server) as raw:
            second = request("GET", "/v1/tasks")
            raw.say(first + second * (not is_apart))
            answer = raw.answer()
            assert answer.status == 404
            if answer.is_last:
                assert rest >= UNREAD
                assert raw.is_over
            else:
                raw.say(second * is_apart)
                assert raw.answer().status == 200


def test_a_client_that_does_not_end_its_body_has_its_answer(server: Server) -> None:
    with Raw(server) as raw:
        raw.say(chunked("/nothing", b"x" * 10))
        answer = raw.answer()
        assert (answer.status, answer.is_last) == (404, True)
        assert raw.is_over


def test_a_shutdown_answers_what_was_accepted(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    long = TaskContract(description="word " * 100, priority=1, required_capabilities=["write"])
    task = server.orchestrator.CreateTask(CreateTaskRequest(contract=long))
    with Raw(server) as idle, Raw(server) as half:
        idle.say(request("GET", "/v1/tasks"))
        assert not idle.answer().is_last
        body = contract("half of it")
        half.say(request("POST", "/v1/tasks", body)[:-5])
        curl = Curl(server, tmp_path)
        running = curl.start((f"/v1/tasks/{task.task_id}:execute", *JSON_TYPE, "--data-binary", "{}"))
        status = lambda: server.orchestrator.GetTask(GetTaskRequest(task_id=task.task_id)).status  # noqa: E731
        poll(lambda: status() == TASK_STATUS_RUNNING, "the task does not run")
        server.terminate()
        # Idle connections end first; so it is shutting down now.
        assert idle.is_over
        half.say(body[-5:])
        created = half.answer()
        assert (created.status, created.is_last) == (200, True)
        assert half.is_over
        (executed,), _ = curl.end(running)
        assert (executed.status, executed.is_last) == (200, True)
        assert json.loads(executed.body)["status"] == "TASK_STATUS_COMPLETED"
    assert server.wait() == 0
