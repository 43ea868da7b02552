# SPDX-License-Identifier: Apache-2.0
"""What HTTP asks of a server that answers calls: verbs, types, problem details, bodies in pieces, and pages of other origins."""

import gzip
import json

import pytest
from http_wire import Answer, Wire
from json_roads import standard_failure

JSON_TYPE = ("content-type", "application/json")
ORCHESTRATOR = "/octollm.v1.Orchestrator"
PAGE = "https://app.example.com"


def raised(wire: Wire, error: dict, *, accept: str = "*/*", path: str = "/v1/rehearsal:raise") -> Answer:
    return wire.send("POST", path, [JSON_TYPE, ("accept", accept)], json.dumps(error).encode())


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("GET", f"{ORCHESTRATOR}/CreateTask", {"POST"}),
        ("DELETE", f"{ORCHESTRATOR}/CreateTask", {"POST"}),
        ("PUT", f"{ORCHESTRATOR}/GetTask", {"GET", "HEAD", "POST"}),
        ("DELETE", "/v1/tasks", {"GET", "POST"}),
        ("POST", "/v1/tasks/1", {"GET", "PATCH"}),
        ("PUT", "/v1/rehearsal:raise", {"POST"}),
    ],
)
def test_a_wrong_verb_is_told_the_right_ones(wire: Wire, verb: str, path: str, allowed: set[str]) -> None:
    answer = wire.send(verb, path, [JSON_TYPE] if verb in ("PUT", "POST") else [])
    failure = standard_failure(answer)
    assert (failure.http_status, failure.code) == (405, "METHOD_NOT_ALLOWED")
    assert {each.strip() for each in answer.header("allow").split(",")} - {"OPTIONS", "HEAD"} == allowed - {"HEAD"}


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "application/xml", ""])
def test_a_wrong_type_is_told_the_right_ones(wire: Wire, kind: str) -> None:
    answer = wire.send("POST", f"{ORCHESTRATOR}/GetTask", [("content-type", kind)] if kind else [], b'{"taskId": "1"}')
    failure = standard_failure(answer)
    assert (failure.http_status, failure.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    accepted = [each.strip() for each in answer.header("accept-post").split(",")]
    assert {"application/json", "application/proto", "application/grpc", "application/grpc-web"} <= set(accepted)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""])
def test_a_type_with_parameters_is_understood(wire: Wire, kind: str) -> None:
    answer = wire.send("POST", f"{ORCHESTRATOR}/ListTasks", [("content-type", kind)], b"{}")
    assert answer.status == 200 and answer.content_type == "application/json"


def test_an_encoding_that_nobody_knows_is_told(wire: Wire) -> None:
    answer = wire.send("POST", f"{ORCHESTRATOR}/ListTasks", [JSON_TYPE, ("content-encoding", "br")], b"{}")
    failure = standard_failure(answer)
    assert (failure.http_status, failure.code) == (415, "UNSUPPORTED_ENCODING")
    assert "gzip" in answer.header("accept-encoding")


@pytest.mark.parametrize("path", ["/", "/v1/nothing", "/v1/tasks/", "/v1/tasks/1/2", "/octollm.v1.Nothing/GetTask"])
def test_a_path_that_there_is_not_is_not_found(wire: Wire, path: str) -> None:
    failure = standard_failure(wire.send("GET", path))
    assert (failure.http_status, failure.code) == (404, "METHOD_NOT_FOUND")


def test_problem_details_come_where_they_are_asked_for(wire: Wire) -> None:
    error = {"domain": "octollm.dev", "code": "RATE_LIMIT_EXCEEDED", "retryAfter": "1.5s"}
    answer = raised(wire, error, accept="application/problem+json")
    assert answer.status == 429 and answer.content_type == "application/problem+json"
    assert answer.header("retry-after") == "2"
    problem = json.loads(answer.body)
    instance = problem.pop("instance")
    assert instance.startswith("tag:taxon.dev,")
    assert problem.pop("type") == "tag:octollm.dev,2026:RATE_LIMIT_EXCEEDED"
    assert problem == {
        "title": "Rate limit exceeded", "status": 429, "detail": "Rate limit exceeded: 100 requests per 60s",
        "code": "RATE_LIMIT_EXCEEDED", "domain": "octollm.dev", "details": {"limit": 100, "window": 60}, "retry_after": 2,
        "quota": [{"subject": "requests", "description": "100 requests per 60s"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/problem+json, */*;q=0.1", "application/problem+json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("application/json;q=0.6, application/problem+json;q=0.5", "application/json"),
        ("application/json;q=0.5, application/problem+json;q=0.6", "application/problem+json"),
        ("application/problem+json;q=0", "application/json"),
        ("text/html", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_form_of_an_error_is_the_one_that_is_preferred(wire: Wire, accept: str, kind: str) -> None:
    for path in ("/v1/rehearsal:raise", "/octollm.v1.Rehearsal/Raise"):
        assert raised(wire, {"domain": "octollm.dev", "code": "CACHE_ERROR"}, accept=accept, path=path).content_type == kind


def test_a_body_in_pieces_is_one_body(wire: Wire) -> None:
    contract = json.dumps({"description": "in pieces", "priority": 3}).encode()
    pieces = [contract[start : start + 7] for start in range(0, len(contract), 7)]
    answer = wire.send("POST", "/v1/tasks", [JSON_TYPE], pieces)
    assert answer.status == 200
    assert json.loads(answer.body)["contract"] == {"description": "in pieces", "priority": 3}


def test_a_gzip_that_is_cut_off_is_refused(wire: Wire) -> None:
    body = gzip.compress(b'{"description": "' + b"x" * 999 + b'", "priority": 1}')
    answer = wire.send("POST", "/v1/tasks", [JSON_TYPE, ("content-encoding", "gzip")], body[:-9])
    assert standard_failure(answer).http_status == 400


def test_head_is_get_without_a_body(wire: Wire) -> None:
    head, get = wire.send("HEAD", "/v1/tasks?page_size=1"), wire.send("GET", "/v1/tasks?page_size=1")
    assert (head.status, head.content_type, head.body) == (200, get.content_type, b"")
    missing = wire.send("HEAD", "/v1/tasks/none")
    assert (missing.status, missing.body) == (404, b"")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/tasks", {"GET", "POST"}), (f"{ORCHESTRATOR}/CreateTask", {"POST"}), (f"{ORCHESTRATOR}/GetTask", {"GET", "POST"})],
)
def test_options_says_what_there_is(wire: Wire, path: str, allowed: set[str]) -> None:
    answer = wire.send("OPTIONS", path)
    assert (answer.status, answer.body) == (204, b"")
    assert {each.strip() for each in answer.header("allow").split(",")} >= allowed


def test_every_parameter_that_is_wrong_is_told(wire: Wire) -> None:
    failure = standard_failure(wire.send("GET", "/v1/tasks?page_size=x&status=NOPE&nothing=1&page_token=a&page_token=b"))
    assert (failure.http_status, failure.code) == (422, "VALIDATION_ERROR")
    fields = [each["field"] for each in failure.members["details"]["errors"]]
    assert sorted(fields) == ["nothing", "page_size", "page_token", "status"]


def test_a_path_that_is_no_text_is_refused(wire: Wire) -> None:
    assert standard_failure(wire.send("GET", "/v1/tasks/%ff%fe")).http_status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("connect=v1&encoding=proto&base64=1&message=%21", 400),
        ("connect=v2&encoding=proto&message=", 400),
        ("connect=v1&encoding=proto&base64=1&message=&compression=br", 501),
        ("connect=v1&encoding=json&message=%7B%22taskId%22%3A%7D", 400),
    ],
)
def test_connects_get_is_checked(wire: Wire, query: str, status: int) -> None:
    answer = wire.send("GET", f"{ORCHESTRATOR}/GetTask?{query}")
    assert answer.status == status
    assert json.loads(answer.body)["code"] == {400: "invalid_argument", 501: "unimplemented"}[status]


@pytest.mark.parametrize(
    ("header", "status"), [(("connect-protocol-version", "2"), 400), (("connect-timeout-ms", "1.5"), 400)],
)  # fmt: skip
def test_connects_headers_are_checked(wire: Wire, header: tuple[str, str], status: int) -> None:
    answer = wire.send("POST", f"{ORCHESTRATOR}/GetTask", [("content-type", "application/proto"), header])
    assert answer.status == status
    assert json.loads(answer.body)["code"] == "invalid_argument"


@pytest.mark.parametrize(("name", "value"), [("grpc-timeout", "soon"), ("connect-timeout-ms", "1.5")])
@pytest.mark.parametrize("path", [f"{ORCHESTRATOR}/ListTasks", "/v1/tasks"])
def test_a_timeout_that_is_none_is_refused(wire: Wire, path: str, name: str, value: str) -> None:
    verb, fields, body = ("POST", [JSON_TYPE], b"{}") if path.startswith(ORCHESTRATOR) else ("GET", [], b"")
    failure = standard_failure(wire.send(verb, path, [*fields, (name, value)], body))
    assert (failure.http_status, failure.code) == (400, "INVALID_ARGUMENT")
    assert name in failure.message


def test_json_at_a_path_of_rest_is_rest(wire: Wire) -> None:
    headers = [JSON_TYPE, ("connect-protocol-version", "1")]
    answer = wire.send("POST", "/v1/tasks", headers, b'{"description": "a", "priority": 1}')
    assert answer.status == 200 and json.loads(answer.body)["contract"]["description"] == "a"
    assert standard_failure(wire.send("POST", "/v1/tasks", headers, b"{}")).http_status == 400


def test_a_list_in_several_lines_is_one_list(wire: Wire) -> None:
    accept = [("accept", "application/json;q=0.1"), ("accept", "application/problem+json")]
    answer = wire.send("POST", f"{ORCHESTRATOR}/GetTask", [JSON_TYPE, *accept], b'{"taskId": "none"}')
    assert answer.content_type == "application/problem+json"


def test_pages_of_other_origins_may_not_call(wire: Wire) -> None:
    answer = wire.send("POST", f"{ORCHESTRATOR}/ListTasks", [JSON_TYPE, ("origin", PAGE)], b"{}")
    assert answer.header("access-control-allow-origin") is None
    asked = [("origin", PAGE), ("access-control-request-method", "POST")]
    assert wire.send("OPTIONS", f"{ORCHESTRATOR}/ListTasks", asked).header("access-control-allow-origin") is None
