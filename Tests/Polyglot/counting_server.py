# SPDX-License-Identifier: Apache-2.0
"""A server on grpcio that counts its calls, and that can be taken away and come back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import grpc
import interop_schema as schema
from google.protobuf.message import Message
from serving import PATIENCE


class CountingServer:
    """EmptyCall and UnaryCall of grpc.testing.TestService, until its context is left."""

    def __init__(self) -> None:
        # Appending is atomic, which += is not.
        self._calls: list[str] = []
        self._was_called = threading.Event()
        self.port = 0
        self.start()
        self.target = f"127.0.0.1:{self.port}"

    @property
    def calls(self) -> int:
        """How many calls have got here, those before a restart too."""
        return len(self._calls)

    def start(self) -> None:
        """Listens, after a stop on the same port as before."""
        self._was_called.clear()
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers([self._handler()])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Ends gracefully: calls that are running may end."""
        self._server.stop(grace=PATIENCE).wait()

    def wait_for_call(self) -> None:
        """Until one has come since the start."""
        assert self._was_called.wait(PATIENCE), f"nobody calls {self.target}"

    def _empty_call(self, request: Message, context: grpc.ServicerContext) -> Message:
        self._count("EmptyCall")
        return schema.Empty()

    def _unary_call(self, request: Message, context: grpc.ServicerContext) -> Message:
        self._count("UnaryCall")
        return schema.SimpleResponse(payload=schema.zeros(request.response_size))

    def _count(self, method: str) -> None:
        self._calls.append(method)
        self._was_called.set()

    def _handler(self) -> grpc.GenericRpcHandler:
        methods = {"EmptyCall": self._empty_call, "UnaryCall": self._unary_call}
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                behaviour,
                request_deserializer=schema.request_class(schema.TEST_SERVICE.methods_by_name[name]).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for name, behaviour in methods.items()
        }
        return grpc.method_handlers_generic_handler(schema.TEST_SERVICE.full_name, handlers)

    def __enter__(self) -> "CountingServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()
