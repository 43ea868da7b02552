# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability server on grpcio: `python interop_server.py --port 0` prints the port it listens on."""

import argparse
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import grpc
import interop_schema as schema
from google.protobuf.message import Message
from interop_schema import Received


class TestService:
    """Its methods have the names of the schema's."""

    def EmptyCall(self, request: Received, context: grpc.ServicerContext) -> Message:
        return schema.Empty()

    def UnaryCall(self, request: Received, context: grpc.ServicerContext) -> Message:
        _echo_metadata(context)
        _check_compression(request, context)
        message = request.message
        _echo_status(message, context)
        if message.HasField("response_compressed"):
            context.set_compression(grpc.Compression.Gzip)
            if not message.response_compressed.value:
                context.disable_next_message_compression()
        return schema.SimpleResponse(payload=schema.zeros(message.response_size))

    def CacheableUnaryCall(self, request: Received, context: grpc.ServicerContext) -> Message:
        return self.UnaryCall(request, context)

    def StreamingOutputCall(self, request: Received, context: grpc.ServicerContext) -> Iterator[Message]:
        _echo_metadata(context)
        yield from _responses(request.message, context)
        _echo_status(request.message, context)

    def StreamingInputCall(self, requests: Iterable[Received], context: grpc.ServicerContext) -> Message:
        _echo_metadata(context)
        size = 0
        for request in requests:
            _check_compression(request, context)
            size += len(request.message.payload.body)
        return schema.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests: Iterable[Received], context: grpc.ServicerContext) -> Iterator[Message]:
        _echo_metadata(context)
        for request in requests:
            _echo_status(request.message, context)
            yield from _responses(request.message, context)

    def HalfDuplexCall(self, requests: Iterable[Received], context: grpc.ServicerContext) -> Iterator[Message]:
        _echo_metadata(context)
        for request in list(requests):
            _echo_status(request.message, context)
            yield from _responses(request.message, context)


def _echo_metadata(context: grpc.ServicerContext) -> None:
    metadata = context.invocation_metadata()
    context.set_trailing_metadata([(name, value) for name, value in metadata if name == schema.ECHO_TRAILING])
    if initial := [(name, value) for name, value in metadata if name == schema.ECHO_INITIAL]:
        context.send_initial_metadata(initial)


def _check_compression(request: Received, context: grpc.ServicerContext) -> None:
    expected = request.message.expect_compressed.value
    if request.message.HasField("expect_compressed") and expected != request.is_compressed:
        text = "is not compressed" if expected else "is compressed"
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request {text}")


def _echo_status(message: Message, context: grpc.ServicerContext) -> None:
    status = message.response_status
    if message.HasField("response_status") and status.code:
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        context.abort(code, status.message)


def _responses(message: Message, context: grpc.ServicerContext) -> Iterator[Message]:
    for parameters in message.response_parameters:
        if parameters.interval_us:
            time.sleep(parameters.interval_us / 1e6)
        if not parameters.compressed.value:
            context.disable_next_message_compression()
        yield schema.StreamingOutputCallResponse(payload=schema.zeros(parameters.size))


class _Compressing(grpc.ServerInterceptor):
    """Streams are compressed but for the messages that are not to be: a call's compression is settled before its first
    message is read."""

    def intercept_service(self, continuation, details):  # noqa: ANN001, ANN201
        handler = continuation(details)
        if handler is None or not handler.response_streaming:
            return handler
        make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
        inner = handler.stream_stream or handler.unary_stream

        def answer(request, context: grpc.ServicerContext):  # noqa: ANN001, ANN202
            context.set_compression(grpc.Compression.Gzip)
            yield from inner(request, context)

        return make(answer, handler.request_deserializer, handler.response_serializer)


def _handlers() -> grpc.GenericRpcHandler:
    service = TestService()
    handlers = {}
    for method in schema.TEST_SERVICE.methods:
        if method.name == "UnimplementedCall":
            continue
        kinds = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        handlers[method.name] = kinds[method.client_streaming, method.server_streaming](
            getattr(service, method.name),
            request_deserializer=schema.receiver(schema.request_class(method)),
            response_serializer=schema.response_class(method).SerializeToString,
        )
    return grpc.method_handlers_generic_handler(schema.TEST_SERVICE.full_name, handlers)


class InteropServer:
    """Serves until its context is left."""

    def __init__(self, port: int = 0, credentials: grpc.ServerCredentials | None = None) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(20), options=[schema.KEEP_COMPRESSED], interceptors=[_Compressing()]
        )
        self._server.add_generic_rpc_handlers([_handlers()])
        address = f"localhost:{port}"
        if credentials:
            self.port = self._server.add_secure_port(address, credentials)
        else:
            self.port = self._server.add_insecure_port(address)
        self._server.start()

    def __enter__(self) -> "InteropServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--use_tls", type=lambda text: text == "true", nargs="?", const=True, default=False)
    parser.add_argument("--tls_cert_file", type=Path)
    parser.add_argument("--tls_key_file", type=Path)
    arguments = parser.parse_args()
    credentials = None
    if arguments.use_tls:
        pair = arguments.tls_key_file.read_bytes(), arguments.tls_cert_file.read_bytes()
        credentials = grpc.ssl_server_credentials([pair])
    with InteropServer(arguments.port, credentials) as server:
        print(f"listening on localhost:{server.port}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    _main()
