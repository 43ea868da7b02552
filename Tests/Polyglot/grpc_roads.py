# SPDX-License-Identifier: Apache-2.0
"""gRPC and gRPC-Web, from their specifications."""

import gzip
from base64 import b64decode, b64encode
from urllib.parse import unquote

from google.rpc import status_pb2
from http_wire import Answer, Fields, opened
from road import COMPRESSED, JSON, Call, Enveloped, Failure, Proto, Reply, typed, unpadded

TRAILERS = 128
"""A flag of an envelope."""


class GRPC(Enveloped):
    """https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, over HTTP/1.1 as far as that goes."""

    name = "gRPC"
    codec = Proto
    _type = "application/grpc"

    def http_status(self, declared: int, code: int) -> int:
        return 200

    def perform(self, call: Call) -> Reply:
        headers = [("te", "trailers"), ("grpc-accept-encoding", "identity,gzip"), *self._headers()]
        if call.compresses:
            headers.append(("grpc-encoding", "gzip"))
        if call.timeout is not None:
            headers.append(("grpc-timeout", f"{call.timeout}m"))
        answer = self._post(call, f"{self._type}+{self.codec.name}", headers, self._written_body(call))
        assert answer.status == 200, answer
        assert answer.content_type.startswith(self._type), answer
        items, trailers = self._read(answer)
        status = _single(trailers, "grpc-status")
        if status == "0":
            messages = self._messages(answer, items, call.method)
            return Reply(messages, answer.headers, trailers, answer)
        raise self._failure(answer, int(status or 2), trailers)

    def _headers(self) -> Fields:
        return []

    def _written_body(self, call: Call) -> bytes:
        return self._body(call)

    def _read(self, answer: Answer) -> tuple[list[tuple[int, bytes]], Fields]:
        """Messages and trailers; the latter are headers where there is no body."""
        items = list(opened(answer.body))
        return items, answer.trailers if _single(answer.trailers, "grpc-status") or items else answer.headers

    @staticmethod
    def _failure(answer: Answer, status: int, trailers: Fields) -> Failure:
        message = unquote(_single(trailers, "grpc-message") or "")
        rich = status_pb2.Status(code=status, message=message)
        if (details := _single(trailers, "grpc-status-details-bin")) is not None:
            rich = status_pb2.Status.FromString(unpadded(details))
            assert (rich.code, rich.message) == (status, message)
        return typed(answer, rich, answer.headers + trailers)


def _single(fields: Fields, name: str) -> str | None:
    values = [value for key, value in fields if key == name]
    assert len(values) < 2, f"{name} is there {len(values)} times"
    return values[0] if values else None


class GRPCJSON(GRPC):
    name = "gRPC JSON"
    codec = JSON


class GRPCWeb(GRPC):
    """https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md."""

    name = "gRPC-Web"
    _type = "application/grpc-web"

    def _headers(self) -> Fields:
        return [("x-grpc-web", "1"), ("accept", self._type)]

    def _read(self, answer: Answer) -> tuple[list[tuple[int, bytes]], Fields]:
        assert not _single(answer.trailers, "grpc-status"), "browsers see no trailers"
        items = list(opened(self._octets(answer)))
        if not items:
            return items, answer.headers
        *messages, (flags, block) = items
        assert flags & TRAILERS and not any(flags & TRAILERS for flags, _ in messages)
        if flags & COMPRESSED:
            block = gzip.decompress(block)
        lines = block.decode("ascii").split("\r\n")
        assert lines.pop() == "", "the last line has no end"
        trailers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        assert all(name == name.lower() for name, _ in trailers)
        return messages, trailers

    def _octets(self, answer: Answer) -> bytes:
        return answer.body


class GRPCWebText(GRPCWeb):
    name = "gRPC-Web text"
    _type = "application/grpc-web-text"

    def _written_body(self, call: Call) -> bytes:
        return b64encode(self._body(call))

    def _octets(self, answer: Answer) -> bytes:
        # Padding may come in between: frames are encoded each on its own.
        assert len(answer.body) % 4 == 0
        groups = (answer.body[start : start + 4] for start in range(0, len(answer.body), 4))
        return b"".join(b64decode(group, validate=True) for group in groups)
