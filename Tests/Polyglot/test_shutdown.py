# SPDX-License-Identifier: Apache-2.0
"""SIGTERM while there is a lot to do: what was accepted is answered, the rest can be tried again."""

import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import grpc
import interop_client
import pytest
import interop_schema as schema
from interop_process import SwiftServer
from octollm.v1.orchestrator_pb2 import CreateTaskRequest, TaskContract
from hyperframe.frame import GoAwayFrame
from octollm_process import PATIENCE, Server
from raw_http2 import RawConnection, data, frame, message
from stub import ORCHESTRATOR, Stub

CONNECTIONS, CALLS_EACH = 10, 100


class Load:
    """A thousand calls in flight: each that ends well is followed by another."""

    def __init__(self, channels: list[grpc.Channel]) -> None:
        self._lock = threading.Lock()
        self._stubs = [Stub(channel, ORCHESTRATOR) for channel in channels]
        self._running = 0
        self.outcomes: Counter[grpc.StatusCode] = Counter()
        self.is_under_way = threading.Event()
        self.is_over = threading.Event()

    def start(self) -> None:
        self._running = CONNECTIONS * CALLS_EACH
        for stub in self._stubs * CALLS_EACH:
            self._call(stub)

    def _call(self, stub: Stub) -> None:
        contract = TaskContract(description="Count the arms of an octopus.", priority=5)
        call = stub.CreateTask.future(CreateTaskRequest(contract=contract), timeout=PATIENCE)
        call.add_done_callback(lambda call: self._ended(stub, call.code()))

    def _ended(self, stub: Stub, code: grpc.StatusCode) -> None:
        with self._lock:
            self.outcomes[code] += 1
            if code != grpc.StatusCode.OK:
                self._running -= 1
            over = self._running == 0
            if self.outcomes[grpc.StatusCode.OK] >= 2 * CONNECTIONS * CALLS_EACH:
                self.is_under_way.set()
        if over:
            self.is_over.set()
        if code == grpc.StatusCode.OK:
            self._call(stub)


def test_no_accepted_call_is_lost(serve: Callable[..., Server], tmp_path: Path) -> None:
    """A task that is in the database was created by a call that was accepted, so its client knows of it."""
    database = tmp_path / "tasks.sqlite"
    server = serve("--database", str(database))
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    with ExitStack() as stack:
        channels = [
            stack.enter_context(grpc.insecure_channel(server.target, options)) for _ in range(CONNECTIONS)
        ]
        load = Load(channels)
        load.start()
        assert load.is_under_way.wait(PATIENCE)
        server.terminate()
        assert load.is_over.wait(PATIENCE)
    assert server.wait() == 0
    # UNAVAILABLE is what may be tried again.
    assert set(load.outcomes) == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}, load.outcomes
    with closing(sqlite3.connect(database)) as connection:
        created = connection.execute("SELECT count(*) FROM tasks").fetchone()[0]
    assert created == load.outcomes[grpc.StatusCode.OK], load.outcomes


def test_streams_go_on_to_their_end(tmp_path: Path) -> None:
    """A thousand of them, which have begun to answer; calls that come later can be tried elsewhere."""
    parameters = [
        schema.ResponseParameters(size=10, interval_us=interval) for interval in (0, 2_000_000, 200_000)
    ]
    request = schema.StreamingOutputCallRequest(response_parameters=parameters)
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    with SwiftServer(tmp_path / "log") as server, ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(server.target, options)) for _ in range(CONNECTIONS)]
        services = [interop_client.Stub(channel).TestService for channel in channels]
        calls = [service.StreamingOutputCall(request, timeout=PATIENCE) for service in services * CALLS_EACH]
        for call in calls:
            next(call)
        server.terminate()
        late = [service.EmptyCall.future(schema.Empty(), timeout=PATIENCE) for service in services for _ in range(20)]
        # The later ones find the connection going away, or nobody who listens.
        assert {call.code() for call in late} <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
        for call in calls:
            assert [len(response.message.payload.body) for response in call] == [10, 10]
            assert call.code() == grpc.StatusCode.OK
        refused = services[0].EmptyCall.future(schema.Empty(), timeout=PATIENCE)
        assert refused.code() == grpc.StatusCode.UNAVAILABLE
        assert server.wait() == 0


@pytest.mark.parametrize("ends", ["server", "client"])
def test_a_slow_reader_gets_everything(tmp_path: Path, ends: str) -> None:
    """Eight megabytes at two a second, when the server is told to end, or the client says that it goes."""
    size = 1 << 20
    parameters = [schema.ResponseParameters(size=size)] * 8
    body = message(schema.StreamingOutputCallRequest(response_parameters=parameters).SerializeToString())
    with SwiftServer(tmp_path / "log") as server, RawConnection(server.port, {4: 1 << 24}) as connection:
        connection.write(frame(8, 0, 0, struct.pack(">I", 1 << 24)))
        connection.write(connection.request(1, "/grpc.testing.TestService/StreamingOutputCall"))
        connection.write(data(1, body, end=True))
        assert connection.read_until(lambda: 1 in connection.answers and len(connection.answers[1].body) > size)
        if ends == "server":
            server.terminate()
        else:
            connection.write(GoAwayFrame(0).serialize())
        answer = connection.answers[1]
        while not answer.is_ended and not connection.is_closed:
            before = len(answer.body)
            connection.read_until(lambda: len(answer.body) > before, 5)  # noqa: B023
            time.sleep((len(answer.body) - before) / (2 << 20))
        assert len(answer.body) > 8 * size
        assert answer.status == 0
        connection.read_until(lambda: connection.is_closed)
        if ends == "server":
            assert server.wait() == 0
