# SPDX-License-Identifier: Apache-2.0
"""JSON for any client of HTTP: by the names of methods, and by REST's paths."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from google.protobuf.descriptor import MethodDescriptor
from http_wire import Answer
from road import JSON, Call, Failure, Reply, Road, written


class PlainJSON(Road):
    """JSON in, JSON out, errors as OctoLLM's standard has them."""

    name = "JSON"
    codec = JSON
    has_deadlines = False
    encoding_header = "content-encoding"

    def http_status(self, declared: int, code: int) -> int:
        return declared

    def perform(self, call: Call) -> Reply:
        answer = self._send(call)
        body = answer.body
        if answer.header("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if answer.status == 200:
            assert answer.content_type == "application/json", answer
            return Reply([self.codec.decode(body, call.method)], answer.headers, answer.headers, answer)
        raise standard_failure(answer)

    def _send(self, call: Call) -> Answer:
        headers = [("accept-encoding", "gzip")] + [("content-encoding", "gzip")] * call.compresses
        body = gzip.compress(call.payload) if call.compresses else call.payload
        return self._post(call, "application/json", headers, body)


def standard_failure(answer: Answer) -> Failure:
    """The failure that a body of OctoLLM's standard says."""
    assert answer.content_type == "application/json", answer
    body = gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
    members = json.loads(body)
    assert members.keys() - {"retry_after"} == {"error", "message", "details"}, members
    return Failure(answer.status, members["error"], members["message"], answer, members=members, metadata=answer.headers)


@dataclass(frozen=True)
class Rule:
    """How a method is reached by REST."""

    verb: str
    path: str
    body: str | None = None


# Nothing but the paths, as a caller would be told them.
RULES = {
    "octollm.v1.Orchestrator.GetTask": Rule("GET", "/v1/tasks/{task_id}"),
    "octollm.v1.Orchestrator.ListTasks": Rule("GET", "/v1/tasks"),
    "octollm.v1.Orchestrator.CreateTask": Rule("POST", "/v1/tasks", "contract"),
    "octollm.v1.Orchestrator.ExecuteTask": Rule("POST", "/v1/tasks/{task_id}:execute", "*"),
    "octollm.v1.Orchestrator.UpdateTaskStatus": Rule("PATCH", "/v1/tasks/{task_id}", "*"),
    "octollm.v1.Rehearsal.Raise": Rule("POST", "/v1/rehearsal:raise", "*"),
    "secrets.Secrets.Unary": Rule("POST", "/v1/secrets:ask", "*"),
}


class REST(PlainJSON):
    """Paths, queries and bodies of google.api.http."""

    name = "REST"

    @classmethod
    def carries(cls, method: MethodDescriptor) -> bool:
        return method.full_name in RULES

    def _send(self, call: Call) -> Answer:
        rule = RULES[call.method.full_name]
        headers = [("accept-encoding", "gzip"), *written(call.metadata), *call.headers]
        try:
            members = json.loads(call.payload)
        except ValueError:
            # What is no JSON goes as the body that it is to be.
            path, body = rule.path.replace("{task_id}", "1"), call.payload
        else:
            path, body = self._placed(rule, members)
        if rule.body is not None:
            headers.append(("content-type", "application/json"))
            if call.compresses:
                headers.append(("content-encoding", "gzip"))
                body = gzip.compress(body)
        return self.wire.send(rule.verb, path, headers, body)

    @staticmethod
    def _placed(rule: Rule, members: dict) -> tuple[str, bytes]:
        """The message's members in path, body and query."""
        path = rule.path
        if "{task_id}" in path:
            path = path.replace("{task_id}", quote(str(members.pop("taskId", "")), safe=""))
        if rule.body == "*":
            return path, json.dumps(members).encode()
        body = json.dumps(members.pop(rule.body, {})).encode() if rule.body else b""
        query = urlencode(list(_parameters(members)))
        return path + (f"?{query}" if query else ""), body


def _parameters(members: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, dict):
            yield from _parameters(value, f"{prefix}{name}.")
        else:
            for each in value if isinstance(value, list) else [value]:
                yield prefix + name, json.dumps(each) if not isinstance(each, str) else each
