# SPDX-License-Identifier: Apache-2.0
"""Connect, from its specification: https://connectrpc.com/docs/protocol."""

import gzip
import json
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.rpc import code_pb2, status_pb2
from http_wire import Answer, Fields, opened
from road import COMPRESSED, JSON, Call, Codec, Enveloped, Failure, Proto, Reply, Road, typed, unpadded, written

END_OF_STREAM = 2
"""A flag of an envelope."""

CONNECT_HTTP_STATUS = {
    "canceled": 499, "unknown": 500, "invalid_argument": 400, "deadline_exceeded": 504, "not_found": 404,
    "already_exists": 409, "permission_denied": 403, "resource_exhausted": 429, "failed_precondition": 400,
    "aborted": 409, "out_of_range": 400, "unimplemented": 501, "internal": 500, "unavailable": 503, "data_loss": 500,
    "unauthenticated": 401,
}  # fmt: skip


def _connect_code(code: int) -> str:
    return code_pb2.Code.Name(code).lower().replace("cancelled", "canceled")


class Connect(Enveloped):
    """https://connectrpc.com/docs/protocol: unary calls by POST, and streams."""

    name = "Connect proto"
    codec = Proto
    encoding_header = "content-encoding"

    def http_status(self, declared: int, code: int) -> int:
        return CONNECT_HTTP_STATUS[_connect_code(code)]

    def _encoding(self, method: MethodDescriptor) -> str:
        return "connect-content-encoding"

    def perform(self, call: Call) -> Reply:
        headers = [("connect-protocol-version", "1")]
        if call.timeout is not None:
            headers.append(("connect-timeout-ms", str(call.timeout)))
        if call.method.client_streaming or call.method.server_streaming:
            return self._stream(call, headers)
        headers += [("accept-encoding", "gzip")] + [("content-encoding", "gzip")] * call.compresses
        body = gzip.compress(call.payload) if call.compresses else call.payload
        answer = self._post(call, f"application/{self.codec.name}", headers, body)
        return _connect_unary(answer, call.method, self.codec)

    def _stream(self, call: Call, headers: Fields) -> Reply:
        headers += [("connect-accept-encoding", "gzip")] + [("connect-content-encoding", "gzip")] * call.compresses
        answer = self._post(call, f"application/connect+{self.codec.name}", headers, self._body(call))
        assert answer.status == 200, answer
        assert answer.content_type == f"application/connect+{self.codec.name}"
        *items, (flags, block) = opened(answer.body)
        assert flags & END_OF_STREAM and not any(flags & END_OF_STREAM for flags, _ in items)
        end = json.loads(gzip.decompress(block) if flags & COMPRESSED else block)
        trailing = [(name, value) for name, values in end.get("metadata", {}).items() for value in values]
        if "error" in end:
            raise _connect_failure(answer, end["error"], answer.headers + trailing)
        return Reply(self._messages(answer, items, call.method), answer.headers, trailing, answer)


def _connect_unary(answer: Answer, method: MethodDescriptor, codec: Codec) -> Reply:
    body = answer.body
    if answer.header("content-encoding") == "gzip":
        body = gzip.decompress(body)
    prefix = "trailer-"
    initial = [(name, value) for name, value in answer.headers if not name.startswith(prefix)]
    trailing = [(name.removeprefix(prefix), value) for name, value in answer.headers if name.startswith(prefix)]
    if answer.status == 200:
        assert answer.content_type == f"application/{codec.name}", answer
        return Reply([codec.decode(body, method)], initial, trailing, answer)
    assert answer.content_type == "application/json", answer
    raise _connect_failure(answer, json.loads(body), initial + trailing)


def _connect_failure(answer: Answer, error: dict, metadata: Fields) -> Failure:
    name = error["code"].upper().replace("CANCELED", "CANCELLED")
    rich = status_pb2.Status(code=code_pb2.Code.Value(name), message=error.get("message", ""))
    for detail in error.get("details", []):
        rich.details.add(type_url=f"type.googleapis.com/{detail['type']}", value=unpadded(detail["value"]))
    return typed(answer, rich, metadata)


class ConnectJSON(Connect):
    name = "Connect JSON"
    codec = JSON


class ConnectGet(Road):
    """Connect's GET, for methods without side effects."""

    name = "Connect GET"
    codec = Proto
    encoding_header = "content-encoding"

    @classmethod
    def carries(cls, method: MethodDescriptor) -> bool:
        is_safe = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        return is_safe and not method.server_streaming and not method.client_streaming

    def http_status(self, declared: int, code: int) -> int:
        return CONNECT_HTTP_STATUS[_connect_code(code)]

    def perform(self, call: Call) -> Reply:
        query = {"connect": "v1", "encoding": self.codec.name}
        payload = call.payload
        if call.compresses:
            payload, query["compression"] = gzip.compress(payload), "gzip"
        if self.codec is JSON and not call.compresses:
            query["message"] = payload.decode()
        else:
            # Without padding; with it, servers have to take it too.
            query |= {"base64": "1", "message": urlsafe_b64encode(payload).decode().rstrip("=")}
        headers = [("accept-encoding", "gzip"), *written(call.metadata), *call.headers]
        if call.timeout is not None:
            headers.append(("connect-timeout-ms", str(call.timeout)))
        answer = self.wire.send("GET", f"{call.path}?{urlencode(query)}", headers)
        return _connect_unary(answer, call.method, self.codec)


class ConnectGetJSON(ConnectGet):
    name = "Connect GET JSON"
    codec = JSON
