# SPDX-License-Identifier: Apache-2.0
"""Clients of HTTP protocols that nobody here wrote, as the tests drive them."""

from collections.abc import Iterator

from connectrpc.client import ConnectClientSync
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.protocol import ProtocolType
from failure import Details
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, status_pb2
from http_wire import HTTP2
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport

PROTOCOLS = {"Connect": ProtocolType.CONNECT, "gRPC": ProtocolType.GRPC, "gRPC-Web": ProtocolType.GRPC_WEB}
CODECS = {"proto": google_protobuf_binary_codec, "json": google_protobuf_json_codec}
_KINDS = {
    (False, False): StreamType.UNARY, (True, False): StreamType.CLIENT_STREAM, (False, True): StreamType.SERVER_STREAM,
    (True, True): StreamType.BIDI_STREAM,
}  # fmt: skip
_LEVELS = [IdempotencyLevel.UNKNOWN, IdempotencyLevel.NO_SIDE_EFFECTS, IdempotencyLevel.IDEMPOTENT]


class Failed(Details):
    """What connectrpc raises, with its details as google.rpc has them."""

    def __init__(self, error: ConnectError) -> None:
        code = error.code.name.replace("CANCELED", "CANCELLED")
        self.rich = status_pb2.Status(code=code_pb2.Code.Value(code), message=error.message)
        for detail in error.details:
            self.rich.details.add(type_url=f"type.googleapis.com/{detail.type_name}", value=detail.message_bytes)


class ConnectRPC:
    """connectrpc for Python, in one of its protocols over one version of HTTP."""

    def __init__(
        self, port: int, version: str, protocol: str, authority: bytes | None = None, codec: str = "proto", *,
        compresses: bool = True,
    ) -> None:  # fmt: skip
        http_version = HTTPVersion.HTTP2 if version == HTTP2 else HTTPVersion.HTTP1
        self._transport = SyncHTTPTransport(http_version=http_version, tls_ca_cert=authority, enable_otel=False)
        self._client = ConnectClientSync(
            f"{'https' if authority else 'http'}://127.0.0.1:{port}", codec=CODECS[codec](), protocol=PROTOCOLS[protocol],
            send_compression=GzipCompression() if compresses else None, http_client=SyncClient(self._transport),
        )  # fmt: skip

    def call(self, method: MethodDescriptor, *requests: Message, **options: object) -> list[Message]:
        """The answers; options are headers, timeout_ms and use_get."""
        info = MethodInfo(
            name=method.name, service_name=method.containing_service.full_name, input=GetMessageClass(method.input_type),
            output=GetMessageClass(method.output_type), idempotency_level=_LEVELS[method.GetOptions().idempotency_level],
            stream_type=_KINDS[method.client_streaming, method.server_streaming],
        )  # fmt: skip
        client = self._client
        match info.stream_type:
            case StreamType.UNARY:
                return [client.execute_unary(request=requests[0], method=info, **options)]
            case StreamType.CLIENT_STREAM:
                return [client.execute_client_stream(request=iter(requests), method=info, **options)]
            case StreamType.SERVER_STREAM:
                answers: Iterator[Message] = client.execute_server_stream(request=requests[0], method=info, **options)
            case StreamType.BIDI_STREAM:
                answers = client.execute_bidi_stream(request=iter(requests), method=info, **options)
        return list(answers)

    def failure(self, method: MethodDescriptor, *requests: Message, **options: object) -> Failed:
        """How a call is expected to fail."""
        try:
            answers = self.call(method, *requests, **options)
        except ConnectError as error:
            return Failed(error)
        raise AssertionError(f"it did not fail, and answered {answers}")

    def close(self) -> None:
        self._transport.close()
