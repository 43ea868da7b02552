# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability client on grpcio: `python interop_client.py --server_port 50051 --test_case empty_unary`."""

import argparse
import os
import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import interop_schema as schema
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

# Seconds that a call may take which is not there to fail.
PATIENCE = 30
GZIP = grpc.Compression.Gzip
PLAIN = grpc.Compression.NoCompression

REQUEST_SIZE, RESPONSE_SIZE = 271_828, 314_159
REQUEST_SIZES = [27_182, 8, 1_828, 45_904]
RESPONSE_SIZES = [31_415, 9, 2_653, 58_979]

CASES: dict[str, Callable[["Stub"], None]] = {}


def case(run: Callable[["Stub"], None]) -> Callable[["Stub"], None]:
    CASES[run.__name__] = run
    return run


class Stub:
    """Has a callable for each method of both services, under `Service.Method`."""

    def __init__(self, channel: grpc.Channel) -> None:
        for service in (schema.TEST_SERVICE, schema.UNIMPLEMENTED_SERVICE):
            setattr(self, service.name, _Service(channel, service))


class _Service:
    def __init__(self, channel: grpc.Channel, service: ServiceDescriptor) -> None:
        for method in service.methods:
            kinds = {
                (False, False): channel.unary_unary,
                (False, True): channel.unary_stream,
                (True, False): channel.stream_unary,
                (True, True): channel.stream_stream,
            }
            callable = kinds[method.client_streaming, method.server_streaming](
                schema.path(method),
                request_serializer=schema.request_class(method).SerializeToString,
                response_deserializer=schema.receiver(schema.response_class(method)),
            )
            setattr(self, method.name, callable)


class Requests:
    """The requests of a call, as they come to mind."""

    def __init__(self, *requests: Message) -> None:
        self._queue: queue.Queue[Message | None] = queue.Queue()
        for request in requests:
            self.send(request)

    def send(self, request: Message) -> None:
        self._queue.put(request)

    def end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._queue.get, None)


def check(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def same(actual: object, expected: object, what: str) -> None:
    check(actual == expected, f"{what} is {actual!r} and not {expected!r}")


def fails(call: Callable[[], object], status: grpc.StatusCode, message: str | None = None) -> None:
    try:
        call()
    except grpc.RpcError as error:
        same(error.code(), status, "the status")
        if message is not None:
            same(error.details(), message, "the status's message")
    else:
        raise AssertionError(f"the call ended well and not in {status}")


def zeros(payload: Message, size: int) -> None:
    same(len(payload.body), size, "the size of the payload")
    check(not any(payload.body), "the payload is not of zeros")


def large_request(**fields: object) -> Message:
    return schema.SimpleRequest(response_size=RESPONSE_SIZE, payload=schema.zeros(REQUEST_SIZE), **fields)


def flag(value: bool) -> Message:
    return schema.BoolValue(value=value)


def output_request(response_size: int, request_size: int, **fields: object) -> Message:
    parameters = [schema.ResponseParameters(size=response_size)]
    return schema.StreamingOutputCallRequest(
        response_parameters=parameters, payload=schema.zeros(request_size), **fields
    )


@case
def empty_unary(stub: Stub) -> None:
    same(stub.TestService.EmptyCall(schema.Empty(), timeout=PATIENCE).message, schema.Empty(), "the response")


@case
def large_unary(stub: Stub) -> None:
    zeros(stub.TestService.UnaryCall(large_request(), timeout=PATIENCE).message.payload, RESPONSE_SIZE)


@case
def client_compressed_unary(stub: Stub) -> None:
    def call(expected: bool, compression: grpc.Compression) -> Message:
        request = large_request(expect_compressed=flag(expected))
        return stub.TestService.UnaryCall(request, compression=compression, timeout=PATIENCE).message

    # The server has to find out that the request is not what it says of itself.
    fails(lambda: call(True, PLAIN), grpc.StatusCode.INVALID_ARGUMENT)
    zeros(call(True, GZIP).payload, RESPONSE_SIZE)
    zeros(call(False, PLAIN).payload, RESPONSE_SIZE)


@case
def server_compressed_unary(stub: Stub) -> None:
    for compressed in (True, False):
        request = large_request(response_compressed=flag(compressed))
        response = stub.TestService.UnaryCall(request, timeout=PATIENCE)
        same(response.is_compressed, compressed, "whether the response is compressed")
        zeros(response.message.payload, RESPONSE_SIZE)


@case
def client_streaming(stub: Stub) -> None:
    requests = (schema.StreamingInputCallRequest(payload=schema.zeros(size)) for size in REQUEST_SIZES)
    response = stub.TestService.StreamingInputCall(requests, timeout=PATIENCE).message
    same(response.aggregated_payload_size, 74_922, "the size")


@case
def client_compressed_streaming(stub: Stub) -> None:
    first = schema.StreamingInputCallRequest(payload=schema.zeros(27_182), expect_compressed=flag(True))
    # grpcio compresses a call or does not. What does not get smaller is sent as it is, though: random bytes.
    payload = schema.Payload(body=os.urandom(45_904))
    second = schema.StreamingInputCallRequest(payload=payload, expect_compressed=flag(False))

    def call(compression: grpc.Compression) -> Message:
        return stub.TestService.StreamingInputCall(iter([first, second]), compression=compression, timeout=PATIENCE).message

    # The server has to find out that the first is not what it says of itself.
    fails(lambda: call(PLAIN), grpc.StatusCode.INVALID_ARGUMENT)
    same(call(GZIP).aggregated_payload_size, 73_086, "the size")


@case
def server_streaming(stub: Stub) -> None:
    parameters = [schema.ResponseParameters(size=size) for size in RESPONSE_SIZES]
    request = schema.StreamingOutputCallRequest(response_parameters=parameters)
    responses = list(stub.TestService.StreamingOutputCall(request, timeout=PATIENCE))
    same(len(responses), len(RESPONSE_SIZES), "the number of responses")
    for response, size in zip(responses, RESPONSE_SIZES):
        zeros(response.message.payload, size)


@case
def server_compressed_streaming(stub: Stub) -> None:
    expected = [(True, 31_415), (False, 92_653)]
    parameters = [schema.ResponseParameters(compressed=flag(compressed), size=size) for compressed, size in expected]
    request = schema.StreamingOutputCallRequest(response_parameters=parameters)
    responses = list(stub.TestService.StreamingOutputCall(request, timeout=PATIENCE))
    same(len(responses), len(expected), "the number of responses")
    for response, (compressed, size) in zip(responses, expected):
        same(response.is_compressed, compressed, "whether the response is compressed")
        zeros(response.message.payload, size)


@case
def ping_pong(stub: Stub) -> None:
    requests = Requests()
    responses = stub.TestService.FullDuplexCall(iter(requests), timeout=PATIENCE)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.send(output_request(response_size, request_size))
        zeros(next(responses).message.payload, response_size)
    requests.end()
    same(list(responses), [], "what comes after the last response")


@case
def empty_stream(stub: Stub) -> None:
    same(list(stub.TestService.FullDuplexCall(iter([]), timeout=PATIENCE)), [], "the list of responses")


@case
def custom_metadata(stub: Stub) -> None:
    initial, trailing = (schema.ECHO_INITIAL, "test_initial_metadata_value"), (schema.ECHO_TRAILING, b"\xab\xab\xab")

    def check_metadata(call: grpc.Call) -> None:
        check(initial in [tuple(entry) for entry in call.initial_metadata()], f"there is no {initial[0]}")
        check(trailing in [tuple(entry) for entry in call.trailing_metadata()], f"there is no {trailing[0]}")

    response, call = stub.TestService.UnaryCall.with_call(
        large_request(), metadata=[initial, trailing], timeout=PATIENCE
    )
    zeros(response.message.payload, RESPONSE_SIZE)
    check_metadata(call)
    request = output_request(RESPONSE_SIZE, REQUEST_SIZE)
    stream = stub.TestService.FullDuplexCall(iter([request]), metadata=[initial, trailing], timeout=PATIENCE)
    zeros(next(stream).message.payload, RESPONSE_SIZE)
    same(list(stream), [], "what comes after the response")
    check_metadata(stream)


@case
def status_code_and_message(stub: Stub) -> None:
    status = schema.EchoStatus(code=2, message="test status message")
    unary = schema.SimpleRequest(response_status=status)
    fails(lambda: stub.TestService.UnaryCall(unary, timeout=PATIENCE), grpc.StatusCode.UNKNOWN, status.message)
    request = schema.StreamingOutputCallRequest(response_status=status)
    stream = stub.TestService.FullDuplexCall(iter([request]), timeout=PATIENCE)
    fails(lambda: list(stream), grpc.StatusCode.UNKNOWN, status.message)


@case
def special_status_message(stub: Stub) -> None:
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    request = schema.SimpleRequest(response_status=schema.EchoStatus(code=2, message=text))
    fails(lambda: stub.TestService.UnaryCall(request, timeout=PATIENCE), grpc.StatusCode.UNKNOWN, text)


@case
def unimplemented_method(stub: Stub) -> None:
    call = stub.TestService.UnimplementedCall
    fails(lambda: call(schema.Empty(), timeout=PATIENCE), grpc.StatusCode.UNIMPLEMENTED)


@case
def unimplemented_service(stub: Stub) -> None:
    call = stub.UnimplementedService.UnimplementedCall
    fails(lambda: call(schema.Empty(), timeout=PATIENCE), grpc.StatusCode.UNIMPLEMENTED)


@case
def cancel_after_begin(stub: Stub) -> None:
    requests = Requests()
    call = stub.TestService.StreamingInputCall.future(iter(requests), timeout=PATIENCE)
    call.cancel()
    check(call.cancelled(), "the call is not cancelled")
    same(call.code(), grpc.StatusCode.CANCELLED, "the status")
    requests.end()


@case
def cancel_after_first_response(stub: Stub) -> None:
    requests = Requests(output_request(31_415, 27_182))
    call = stub.TestService.FullDuplexCall(iter(requests), timeout=PATIENCE)
    zeros(next(call).message.payload, 31_415)
    call.cancel()
    fails(lambda: next(call), grpc.StatusCode.CANCELLED)
    requests.end()


@case
def timeout_on_sleeping_server(stub: Stub) -> None:
    requests = Requests(schema.StreamingOutputCallRequest(payload=schema.zeros(27_182)))
    call = stub.TestService.FullDuplexCall(iter(requests), timeout=0.001)
    fails(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.end()


def channel(target: str, credentials: grpc.ChannelCredentials | None = None, name: str | None = None) -> grpc.Channel:
    """A channel with a connection of its own."""
    options: list[tuple[str, object]] = [schema.KEEP_COMPRESSED, ("grpc.use_local_subchannel_pool", 1)]
    if name:
        options.append(("grpc.ssl_target_name_override", name))
    return grpc.secure_channel(target, credentials, options) if credentials else grpc.insecure_channel(target, options)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server_host", default="localhost")
    parser.add_argument("--server_port", type=int, required=True)
    parser.add_argument("--server_host_override")
    parser.add_argument("--test_case", choices=CASES, required=True)
    parser.add_argument("--use_tls", type=lambda text: text == "true", nargs="?", const=True, default=False)
    parser.add_argument("--ca_file", type=Path)
    arguments = parser.parse_args()
    credentials = None
    if arguments.use_tls:
        roots = arguments.ca_file.read_bytes() if arguments.ca_file else None
        credentials = grpc.ssl_channel_credentials(root_certificates=roots)
    target = f"{arguments.server_host}:{arguments.server_port}"
    with channel(target, credentials, arguments.server_host_override) as connected:
        CASES[arguments.test_case](Stub(connected))


if __name__ == "__main__":
    _main()
