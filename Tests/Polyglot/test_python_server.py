# SPDX-License-Identifier: Apache-2.0
"""Generated Python as the server: what the Swift client, and grpcio itself, get of what handlers raise."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from failure import Failure, failing
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from octollm.v1.errors_pb2 import ValidationError
from octollm.v1.orchestrator_pb2 import GetTaskRequest, RaiseRequest, RaiseResponse
from octollm_process import Server, call
from python_code import FOLDER
from python_servers import FAILING, AsyncServer, PythonServer, ThreadedServer, kind, path
from schema import ERRORS, DeclaredError, sample
from stub import ORCHESTRATOR, REHEARSAL, Stub
from taxon import error_traits_pb2, taxonomy_pb2
from test_swift_client import fields_of

import failures_taxon
from failures_pb2 import Envelope
from octollm.v1 import errors_taxon
from taxon import runtime

assert FOLDER

TaskNotFound = ValidationError.TaskNotFound

every_error = pytest.mark.parametrize("error", ERRORS, ids=str)


@pytest.fixture(scope="module", params=[ThreadedServer, AsyncServer], ids=["grpc", "grpc.aio"])
def python(request: pytest.FixtureRequest) -> Iterator[PythonServer]:
    with request.param() as server:
        yield server


@pytest.fixture
def channel(python: PythonServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(python.target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel


def full(error: DeclaredError) -> Message:
    """A sample with its internal fields too."""
    payload = sample(error)
    for field in error.fields_that_are(taxonomy_pb2.INTERNAL):
        setattr(payload, field.name, "INTERNAL secret")
    return payload


def raised(error: DeclaredError, retry_after: float | None = None) -> runtime.DeclaredError:
    made = runtime.declared_type(error.domain, error.code).from_payload(full(error))
    made.retry_after = retry_after
    return made


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@every_error
def test_each_error_arrives_typed_at_the_swift_client(error: DeclaredError, python: PythonServer) -> None:
    disk = runtime.OtherError(grpc.StatusCode.DATA_LOSS, "not for callers")
    python.raises(caused(raised(error, 2.5), disk))
    answer = call(python.target, "raise", error.domain, error.code)
    assert (answer["domain"], answer["code"]) == (error.domain, error.code)
    payload = sample(error)
    assert answer["fields"] == fields_of(error, payload)
    assert answer["status"] == error.status.name
    assert answer["message"] == error.text(payload)
    assert answer["http_status"] == error.http_status
    assert answer["category"] == ".".join(error.categories)
    assert answer["severity"] == error_traits_pb2.Severity.Name(error.traits.severity)
    assert answer["retry"] == error_traits_pb2.RetryClass.Name(error.traits.retry)
    assert answer["breaker"] == error_traits_pb2.BreakerClass.Name(error.traits.breaker)
    assert answer["safe"] == bool(error.traits.safe)
    assert answer["retry_after"] == 2.5
    assert len(answer["instance_id"]) == 16
    assert answer["causes"] == ["grpc.io/DATA_LOSS"]


@every_error
def test_the_trailers_are_those_of_the_swift_server(
    error: DeclaredError, python: PythonServer, channel: grpc.Channel, server: Server
) -> None:
    request = RaiseRequest(domain=error.domain, code=error.code)
    theirs = failing(lambda: server.rehearsal.Raise(request))
    made = runtime.declared_type(error.domain, error.code).from_payload(theirs.required(error.message))
    made.retry_after = theirs.retry_after.total_seconds() if theirs.retry_after else None
    python.raises(made)
    ours = failing(lambda: Stub(channel, REHEARSAL).Raise(request))
    assert ours.traits.instance_id != theirs.traits.instance_id
    for failure in (ours, theirs):
        for index, detail in enumerate(failure.rich.details):
            if detail.Is(error_traits_pb2.ErrorTraits.DESCRIPTOR):
                traits = error_traits_pb2.ErrorTraits.FromString(detail.value)
                traits.instance_id = ""
                failure.rich.details[index].Pack(traits)
            elif detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo.FromString(detail.value)
                failure.rich.details[index].value = info.SerializeToString(deterministic=True)
    assert ours.rich == theirs.rich
    assert (ours.status, ours.message) == (theirs.status, theirs.message)
    hints = ("retry-after", "grpc-retry-pushback-ms")
    assert [ours.trailers.get(key) for key in hints] == [theirs.trailers.get(key) for key in hints]


@pytest.mark.parametrize(
    "metadata",
    [
        [], [("accept-language", "de-AT, en;q=0.5")], [("accept-language", "en, de")], [("accept-language", "it, *")],
        [("accept-language", "de"), ("grpc-accept-language", "fr")], [("accept-language", "de;q=0, fr;q=0.1")],
        [("accept-language", "fr;q=0.2"), ("accept-language", "de;q=0.3")], [("accept-language", "de-x-y, fr")],
        [("accept-language", "de;q=2, fr;q=x, \"")], [("accept-language", "a" * 2000 + ", de")],
        [("accept-language", ",".join(["it"] * 40) + ", de")], [("accept-language", "DE")],
    ],
    ids=str,
)  # fmt: skip
def test_the_message_is_in_the_language_that_the_swift_server_chooses(
    metadata: list[tuple[str, str]], python: PythonServer, channel: grpc.Channel, server: Server
) -> None:
    request = RaiseRequest(domain="octollm.dev", code="TASK_NOT_FOUND")
    theirs = failing(lambda: server.rehearsal.Raise(request, metadata=metadata))
    python.raises(errors_taxon.TaskNotFoundError(task_id=theirs.required(TaskNotFound).task_id))
    ours = failing(lambda: Stub(channel, REHEARSAL).Raise(request, metadata=metadata))
    assert ours.detail(error_details_pb2.LocalizedMessage) == theirs.detail(error_details_pb2.LocalizedMessage)
    assert ours.types == theirs.types


@pytest.mark.parametrize("name", ["r-1", "~" * 128, "~" * 129, "", "a b"])
@pytest.mark.parametrize("kind", [ThreadedServer, AsyncServer], ids=["grpc", "grpc.aio"])
def test_the_request_has_the_name_that_the_swift_server_gives_it(kind: type[PythonServer], name: str, server: Server) -> None:
    metadata = [("x-request-id", name), ("accept-language", "de")]
    request = RaiseRequest(domain="octollm.dev", code="RATE_LIMIT_EXCEEDED")
    theirs = failing(lambda: server.rehearsal.Raise(request, metadata=metadata))
    with kind(request_id_header="x-request-id") as python, grpc.insecure_channel(python.target) as channel:
        python.raises(runtime.declared_type("octollm.dev", "RATE_LIMIT_EXCEEDED")(limit=1, window=2))
        ours = failing(lambda: Stub(channel, REHEARSAL).Raise(request, metadata=metadata))
    assert ours.detail(error_details_pb2.RequestInfo) == theirs.detail(error_details_pb2.RequestInfo)
    assert (theirs.detail(error_details_pb2.RequestInfo) is not None) == (name in ("r-1", "~" * 128))
    assert ours.types == theirs.types


@every_error
def test_internal_fields_leave_nowhere(error: DeclaredError, python: PythonServer, channel: grpc.Channel) -> None:
    python.raises(raised(error))
    failure = failing(lambda: Stub(channel, REHEARSAL).Raise(RaiseRequest()))
    everything = [failure.message.encode(), failure.rich.SerializeToString(), repr(failure.trailers).encode()]
    assert not [where for where in everything if b"INTERNAL secret" in where]


def calls(channel: grpc.Channel) -> dict[str, Callable[[], object]]:
    """A call of each kind."""

    def one(name: str) -> Callable[[], object]:
        method = FAILING.methods_by_name[name]
        callable = getattr(channel, kind(method))(
            path(method), request_serializer=Envelope.SerializeToString, response_deserializer=Envelope.FromString
        )
        request: Any = Envelope(label="a")
        given = iter([request, request]) if method.client_streaming else request
        return lambda: list(callable(given, timeout=20)) if method.server_streaming else callable(given, timeout=20)

    return {method.name: one(method.name) for method in FAILING.methods}


every_kind = pytest.mark.parametrize("name", [method.name for method in FAILING.methods])


@every_kind
class TestEveryKindOfCall:
    def test_a_declared_error_is_sent(self, name: str, python: PythonServer, channel: grpc.Channel) -> None:
        python.raises(failures_taxon.JammedError(part="rotor", operator="ada", log="secret", retry_after=3))
        failure = failing(calls(channel)[name])
        assert failure.identity == ("failures.test", "JAMMED")
        assert (failure.status, failure.message) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "rotor is jammed")
        assert failure.trailers["retry-after"] == "3" and failure.trailers["grpc-retry-pushback-ms"] == "3000"

    @pytest.mark.parametrize(
        "error", [ValueError("what users typed"), failures_taxon.OneError(field="what users typed")], ids=["foreign", "undeclared"]
    )
    def test_what_is_not_declared_says_nothing_and_is_in_the_log(
        self, name: str, error: Exception, python: PythonServer, channel: grpc.Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        if isinstance(error, runtime.TaxonomyError):
            error = errors_taxon.TaskNotFoundError(task_id="what users typed")
        python.raises(error)
        with caplog.at_level(logging.DEBUG, "taxon"):
            failure = failing(calls(channel)[name])
        assert failure.identity == ("taxon.dev", "INTERNAL_ERROR")
        assert (failure.status, failure.message) == (grpc.StatusCode.INTERNAL, "An internal error occurred")
        assert failure.types == ["google.rpc.ErrorInfo", "taxon.CallError.InternalError", "taxon.ErrorTraits"]
        assert "what users typed" not in str(failure.rich)
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert failure.traits.instance_id in record.getMessage() and f"/failures.Failing/{name}" in record.getMessage()
        assert record.exc_info and record.exc_info[1] is error

    def test_abort_stays_as_it_is(
        self, name: str, python: PythonServer, channel: grpc.Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        def act(request: Any, context: Any) -> Any:
            context.set_trailing_metadata([("x-own", "1")])
            return context.abort(grpc.StatusCode.DATA_LOSS, "mine")

        python.act = act
        failure = failing(calls(channel)[name])
        assert (failure.status, failure.message, failure.types) == (grpc.StatusCode.DATA_LOSS, "mine", [])
        assert failure.trailers["x-own"] == "1"
        assert not [record for record in caplog.records if record.name == "taxon"]

    def test_a_plain_status_is_sent_plain(self, name: str, python: PythonServer, channel: grpc.Channel) -> None:
        python.raises(runtime.OtherError(grpc.StatusCode.FAILED_PRECONDITION, "not now"))
        failure = failing(calls(channel)[name])
        assert (failure.status, failure.message, failure.types) == (grpc.StatusCode.FAILED_PRECONDITION, "not now", [])

    def test_replies_are_as_ever(self, name: str, python: PythonServer, channel: grpc.Channel) -> None:
        python.act = lambda request, context: Envelope(label="reply")
        reply = calls(channel)[name]()
        assert (reply[-1] if isinstance(reply, list) else reply) == Envelope(label="reply")

    def test_trailing_metadata_of_the_handler_stays_and_counts(
        self, name: str, python: PythonServer, channel: grpc.Channel
    ) -> None:
        def act(request: Any, context: Any) -> Any:
            context.set_trailing_metadata([("x-own", "y" * 3000)])
            raise failures_taxon.ListsError(
                doubles=[], floats=[], numbers=[], flags=[], texts=["z" * 40] * 200, blobs=[], colours=[], counts={}, names={}
            )

        python.act = act
        failure = failing(calls(channel)[name])
        assert failure.trailers["x-own"] == "y" * 3000 and failure.traits.omitted
        # As test_declared_errors.py counts.
        size = sum(len(key) + len(value) * (4 / 3 if isinstance(value, bytes) else 1) + 32 for key, value in failure.trailers.items())
        assert size < 8192 - 180


class TestDownstream:
    """Errors that calls of the handler bring."""

    def test_what_is_declared_passes_without_the_details_of_that_call(
        self, python: PythonServer, channel: grpc.Channel, server: Server
    ) -> None:
        with pytest.raises(grpc.RpcError) as downstream:
            server.rehearsal.Raise(RaiseRequest(domain="octollm.dev", code="DATABASE_ERROR"))
        python.raises(downstream.value)
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert failure.identity == ("octollm.dev", "DATABASE_ERROR")
        # It is the same occurrence.
        assert failure.traits.instance_id == Failure.of(downstream.value).traits.instance_id

    @pytest.mark.parametrize("is_typed", [True, False])
    def test_what_is_not_declared_is_named_as_the_cause_alone(
        self, is_typed: bool, python: PythonServer, channel: grpc.Channel, server: Server
    ) -> None:
        with pytest.raises(grpc.RpcError) as downstream:
            server.rehearsal.Raise(RaiseRequest(domain="octollm.dev", code="VECTOR_DB_ERROR"))
        error = downstream.value
        python.raises(runtime.from_rpc_error(error) if is_typed else error)
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert failure.identity == ("taxon.dev", "INTERNAL_ERROR")
        assert [(cause.domain, cause.code) for cause in failure.traits.causes] == [("octollm.dev", "VECTOR_DB_ERROR")]
        assert failure.info.metadata == {}

    def test_a_plain_status_of_a_call_is_not_passed_on(self, python: PythonServer, channel: grpc.Channel) -> None:
        with grpc.insecure_channel("127.0.0.1:1") as nobody, pytest.raises(grpc.RpcError) as downstream:
            Stub(nobody, ORCHESTRATOR).GetTask(GetTaskRequest())
        python.raises(downstream.value)
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert failure.identity == ("taxon.dev", "INTERNAL_ERROR")
        assert [(cause.domain, cause.code) for cause in failure.traits.causes] == [("grpc.io", "UNAVAILABLE")]

    def test_an_error_of_grpcio_is_named_as_the_cause_of_a_declared_one(
        self, python: PythonServer, channel: grpc.Channel, server: Server
    ) -> None:
        with pytest.raises(grpc.RpcError) as downstream:
            server.rehearsal.Raise(RaiseRequest(domain="octollm.dev", code="VECTOR_DB_ERROR"))
        python.raises(caused(errors_taxon.DatabaseError(operation="x", error="y"), downstream.value))
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert failure.identity == ("octollm.dev", "DATABASE_ERROR")
        assert [cause.code for cause in failure.traits.causes] == ["VECTOR_DB_ERROR"]

    def test_a_circle_of_causes_ends(self, python: PythonServer, channel: grpc.Channel) -> None:
        one, other = errors_taxon.DatabaseError(operation="x", error="y"), failures_taxon.AloneError()
        python.raises(caused(one, caused(other, one)))
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert [cause.code for cause in failure.traits.causes] == ["ALONE", "DATABASE_ERROR"] * 8

    def test_the_chain_of_causes_is_named_and_cut(self, python: PythonServer, channel: grpc.Channel) -> None:
        chain: Exception = ValueError("foreign")
        for _ in range(20):
            chain = caused(failures_taxon.AloneError(), chain)
        python.raises(caused(errors_taxon.DatabaseError(operation="x", error="y"), chain))
        failure = failing(lambda: Stub(channel, ORCHESTRATOR).GetTask(GetTaskRequest()))
        assert [cause.code for cause in failure.traits.causes] == ["ALONE"] * 16


def test_details_that_are_added_are_sent_and_stand_for_derived_ones(python: PythonServer, channel: grpc.Channel) -> None:
    help_ = error_details_pb2.Help(links=[error_details_pb2.Help.Link(url="https://example.com")])
    wait = error_details_pb2.RetryInfo()
    wait.retry_delay.FromTimedelta(timedelta(seconds=9))
    python.raises(failures_taxon.JammedError(part="a", operator="b", log="c").add_detail(help_).add_detail(wait))
    failure = failing(calls(channel)["Unary"])
    assert failure.required(error_details_pb2.Help) == help_
    assert failure.types.count("google.rpc.RetryInfo") == 1 and failure.trailers["retry-after"] == "9"


def test_a_method_that_no_module_knows_raises_nothing() -> None:
    with ThreadedServer(passing=[("octollm.dev", "CACHE_ERROR")]) as server:
        with grpc.insecure_channel(server.target) as channel:
            server.raises(errors_taxon.NetworkError(operation="a", error="b"))
            assert failing(calls(channel)["Unary"]).identity == ("taxon.dev", "INTERNAL_ERROR")
            server.raises(errors_taxon.CacheError(operation="a", error="b"))
            assert failing(calls(channel)["Unary"]).identity == ("octollm.dev", "CACHE_ERROR")


def test_a_call_that_is_given_up_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """With asyncio, a cancelled call cancels its handler."""
    begun, ended = asyncio.Event(), []

    async def act_slowly() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(True)
            raise

    with AsyncServer() as server:
        server.act = lambda request, context: act_slowly()
        with grpc.insecure_channel(server.target) as channel:
            failure = failing(lambda: Stub(channel, REHEARSAL).Raise(RaiseRequest(), timeout=0.2))
            assert failure.status is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ended and not [record for record in caplog.records if record.name == "taxon"]


def test_plain_functions_serve_in_asyncio_too() -> None:
    """As grpc.aio allows; they run on threads."""

    async def serve() -> tuple[Failure, Failure]:
        server = grpc.aio.server(interceptors=[runtime.AioErrorServerInterceptor()])

        def unary(request: Any, context: Any) -> RaiseResponse:
            raise errors_taxon.TaskNotFoundError(task_id="7")

        def stream(request: Any, context: Any) -> Iterator[RaiseResponse]:
            yield RaiseResponse()
            raise errors_taxon.TaskNotFoundError(task_id="7")

        made = {
            "Raise": grpc.unary_unary_rpc_method_handler(unary, RaiseRequest.FromString, RaiseResponse.SerializeToString)
        }
        watching = {
            "WatchTask": grpc.unary_stream_rpc_method_handler(stream, RaiseRequest.FromString, RaiseResponse.SerializeToString)
        }
        server.add_generic_rpc_handlers([
            grpc.method_handlers_generic_handler("octollm.v1.Rehearsal", made),
            grpc.method_handlers_generic_handler("octollm.v1.Orchestrator", watching),
        ])  # fmt: skip
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()

        def ask() -> tuple[Failure, Failure]:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                watch = channel.unary_stream(
                    "/octollm.v1.Orchestrator/WatchTask", RaiseRequest.SerializeToString, RaiseResponse.FromString
                )
                first = failing(lambda: Stub(channel, REHEARSAL).Raise(RaiseRequest(), timeout=20))
                return first, failing(lambda: list(watch(RaiseRequest(), timeout=20)))

        try:
            return await asyncio.to_thread(ask)
        finally:
            await server.stop(None)

    for failure in asyncio.run(serve()):
        assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
