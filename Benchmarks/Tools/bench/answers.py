# SPDX-License-Identifier: Apache-2.0
"""Whether a server answers a call rightly: h2load takes any HTTP 200 for an answer."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from dataclasses import dataclass

from .load import CONNECT, GRPC, HELLO, SCENARIOS, TEXT, framed, request
from .servers import Server


@dataclass
class Answer:
    status: int
    fields: dict[str, str]
    """With trailers; names in lower case."""
    body: bytes


def over_http1(server: Server, scenario: str) -> Answer:
    asked = SCENARIOS[scenario]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", asked.path, asked.body, asked.fields)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()


def over_http2(server: Server, scenario: str) -> Answer:
    """By nghttp, which comes with h2load; it prints either the fields or the body."""
    command = ["nghttp", *request(scenario), f"http://127.0.0.1:{server.port}{SCENARIOS[scenario].path}"]
    printed, body = (
        subprocess.run([command[0], *option, *command[1:]], capture_output=True, check=True, timeout=30).stdout
        for option in (["--verbose", "--null-out"], []))
    fields = dict(re.findall(r"recv \(stream_id=\d+\) (:?[^:\s]+): (.*)", printed.decode()))
    return Answer(int(fields.get(":status", "0")), fields, body)


def check(server: Server, scenario: str) -> None:
    """Makes one call of a scenario that echoes, and ends the benchmark when its answer is not the schema's."""
    asked = SCENARIOS[scenario].fields
    answer = (over_http1 if SCENARIOS[scenario].is_http1 else over_http2)(server, scenario)
    if asked is GRPC:
        is_right = answer.body == framed(HELLO) and answer.fields.get("grpc-status") == "0"
    elif asked is CONNECT:
        is_right = answer.body == HELLO
    else:
        try:
            is_right = json.loads(answer.body) == {"text": TEXT}
        except ValueError:
            is_right = False
    # What follows a semicolon is the character set.
    is_typed = answer.fields.get("content-type", "").split(";")[0] == asked["content-type"]
    if answer.status != 200 or not is_right or not is_typed:
        raise SystemExit(f"bench: {scenario} is answered wrongly by {server.process.args}: {answer}")
