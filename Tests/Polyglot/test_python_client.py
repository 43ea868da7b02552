# SPDX-License-Identifier: Apache-2.0
"""Generated Python as the client: every error that the Swift server raises, and what else may come of a call."""

import asyncio
import email.utils
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import grpc.aio
import pytest
from conftest import CROSS_CHECK_SEED
from failure import Failure
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from octollm.v1.orchestrator_pb2 import (
    CreateTaskRequest, GetTaskRequest, RaiseRequest, TaskContract, TaskRecord, WatchTaskRequest,
)  # fmt: skip
from octollm_process import Server
from peer import Never, Peer, Plain, Rich
from python_code import FOLDER
from python_servers import FAILING, ThreadedServer, kind, path
from schema import ERRORS, DeclaredError, declared, sample
from stub import ORCHESTRATOR, REHEARSAL, Stub
from taxon import error_traits_pb2, taxonomy_pb2

import failures_taxon
from failures_pb2 import Envelope
from octollm.v1 import errors_taxon, reflex_taxon
from taxon import runtime

assert FOLDER

every_error = pytest.mark.parametrize("error", ERRORS, ids=str)
NOT_FOUND = declared("octollm.dev", "TASK_NOT_FOUND")
RATE_LIMIT = declared("octollm.dev", "RATE_LIMIT_EXCEEDED")

Caught = Callable[[str, RaiseRequest], runtime.TaxonomyError]


def channel_to(target: str) -> grpc.Channel:
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.intercept_channel(grpc.insecure_channel(target, options=options), runtime.ErrorClientInterceptor())


def raised_by_threads(target: str, request: Message) -> runtime.TaxonomyError:
    with channel_to(target) as channel, pytest.raises(runtime.TaxonomyError) as raised:
        Stub(channel, REHEARSAL).Raise(request, timeout=20)
    return raised.value


def raised_by_asyncio(target: str, request: Message) -> runtime.TaxonomyError:
    async def call() -> None:
        interceptors = runtime.aio_client_interceptors()
        async with grpc.aio.insecure_channel(target, interceptors=interceptors) as channel:
            await Stub(channel, REHEARSAL).Raise(request, timeout=20)

    with pytest.raises(runtime.TaxonomyError) as raised:
        asyncio.run(call())
    return raised.value


clients = pytest.mark.parametrize("caught", [raised_by_threads, raised_by_asyncio], ids=["grpc", "grpc.aio"])


@clients
@every_error
def test_each_error_of_the_swift_server_arrives_as_its_class(error: DeclaredError, caught: Caught, server: Server) -> None:
    raised = caught(server.target, RaiseRequest(domain=error.domain, code=error.code))
    assert type(raised) is runtime.declared_type(error.domain, error.code) and isinstance(raised, runtime.DeclaredError)
    assert (raised.domain, raised.code, raised.error_code) == (error.domain, error.code, error.code)
    assert raised.status is error.status
    assert raised.http_status == error.http_status
    assert raised.categories == error.categories
    assert raised.severity.name == error_traits_pb2.Severity.Name(error.traits.severity)
    assert raised.retry.name == error_traits_pb2.RetryClass.Name(error.traits.retry)
    assert raised.breaker.name == error_traits_pb2.BreakerClass.Name(error.traits.breaker)
    assert raised.is_retry_safe == bool(error.traits.safe)
    # What came along says the same, and Swift has rendered the same text from the same fields.
    failure = Failure.of(raised.cause)
    assert raised.message == str(raised) == failure.message
    assert raised.metadata == dict(failure.info.metadata)
    assert raised.payload == failure.required(error.message)
    assert raised.instance_id == failure.traits.instance_id and len(raised.instance_id) == 16
    assert list(raised.received_details) == list(failure.rich.details)
    assert [(each.field, each.description) for each in raised.violations] == failure.violations
    wait = failure.retry_after
    assert raised.retry_after == (None if wait is None else wait.total_seconds())
    assert raised.is_from_call and raised.omitted == () and raised.causes == ()


@every_error
def test_to_dict_is_what_the_swift_server_answers_over_http(error: DeclaredError, server: Server) -> None:
    request = RaiseRequest(domain=error.domain, code=error.code)
    raised = raised_by_threads(server.target, request)
    body = json.dumps({"domain": error.domain, "code": error.code}).encode()
    post = urllib.request.Request(
        f"http://{server.target}/octollm.v1.Rehearsal/Raise", body, {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as answered:
        urllib.request.urlopen(post, timeout=20)
    with answered.value as answer:
        assert json.load(answer) == json.loads(json.dumps(raised.to_dict()))
        assert answer.code == raised.http_status
        assert answer.headers["retry-after"] == (None if raised.retry_after is None else str(raised.to_dict()["retry_after"]))


@every_error
def test_attributes_are_the_fields(error: DeclaredError, server: Server) -> None:
    raised = raised_by_threads(server.target, RaiseRequest(domain=error.domain, code=error.code))
    payload = Failure.of(raised.cause).required(error.message)
    for field in error.fields:
        name = f"{field.name}_" if field.name == "message" else field.name
        expected = getattr(payload, field.name)
        if field.has_presence and not payload.HasField(field.name):
            expected = None
        assert getattr(raised, name) == expected
    # None of what is personal shows.
    for field in error.fields_that_are(taxonomy_pb2.PERSONAL):
        value = getattr(payload, field.name)
        assert value and not [shown for shown in (str(raised), repr(raised), str(raised.to_dict())) if value in shown]


def test_the_classes_are_the_standard_s() -> None:
    assert issubclass(errors_taxon.TaskNotFoundError, errors_taxon.ValidationError)
    assert issubclass(errors_taxon.ValidationError, errors_taxon.OctoLLMError)
    assert issubclass(errors_taxon.OctoLLMError, runtime.TaxonomyError)
    assert issubclass(reflex_taxon.PiiDetectedError, reflex_taxon.ReflexOctollmError)
    for name in ("InvalidInput", "Authentication", "Authorization", "ArmUnavailable", "CapacityExceeded", "RateLimit",
                 "Database", "Cache", "Network", "Timeout", "LLMAPI", "VectorDB", "ThirdPartyAPI"):  # fmt: skip
        assert issubclass(getattr(errors_taxon, f"{name}Error"), errors_taxon.OctoLLMError)


def new_task(server: Server) -> str:
    contract = TaskContract(description="Summarise: one two three.", priority=5)
    return server.orchestrator.CreateTask(CreateTaskRequest(contract=contract)).task_id


class TestWaysToCall:
    """Each way in which grpcio hands out a failure."""

    def test_with_call_and_future(self, server: Server) -> None:
        request = RaiseRequest(domain="octollm.dev", code="TASK_NOT_FOUND")
        with channel_to(server.target) as channel:
            method = Stub(channel, REHEARSAL).Raise
            with pytest.raises(errors_taxon.TaskNotFoundError):
                method.with_call(request)
            future = method.future(request)
            with pytest.raises(errors_taxon.TaskNotFoundError) as raised:
                future.result(timeout=20)
            assert future.exception() is raised.value
            assert future.code() is grpc.StatusCode.NOT_FOUND and future.done() and not future.cancelled()
            assert isinstance(raised.value.cause, grpc.RpcError)
            told: list[object] = []
            future.add_done_callback(told.append)
            assert told == [future]
            task_id = new_task(server)
            response, call = Stub(channel, ORCHESTRATOR).GetTask.with_call(GetTaskRequest(task_id=task_id))
            assert call.code() is grpc.StatusCode.OK and response.task_id == task_id

    def test_a_stream(self, server: Server) -> None:
        with channel_to(server.target) as channel:
            stream = Stub(channel, ORCHESTRATOR).WatchTask(WatchTaskRequest(task_id="none"))
            with pytest.raises(errors_taxon.TaskNotFoundError) as raised:
                list(stream)
            assert raised.value.task_id == "none"

    def test_a_cancelled_future_is_cancelled(self, server: Server) -> None:
        with channel_to(server.target) as channel:
            future = Stub(channel, ORCHESTRATOR).ListTasks.future(GetTaskRequest())
            if future.cancel():
                with pytest.raises(grpc.FutureCancelledError):
                    future.result()

    def test_a_stream_of_asyncio(self, server: Server) -> None:
        async def read(*, at_once: bool) -> None:
            interceptors = runtime.aio_client_interceptors()
            async with grpc.aio.insecure_channel(server.target, interceptors=interceptors) as channel:
                call = Stub(channel, ORCHESTRATOR).WatchTask(WatchTaskRequest(task_id="none"))
                with pytest.raises(errors_taxon.TaskNotFoundError) as raised:
                    if at_once:
                        await call.read()
                    else:
                        async for _ in call:
                            pass
                assert isinstance(raised.value.cause, grpc.aio.AioRpcError)
                assert await call.code() is grpc.StatusCode.NOT_FOUND

        asyncio.run(read(at_once=False))
        asyncio.run(read(at_once=True))

    def test_without_an_interceptor(self, server: Server) -> None:
        with pytest.raises(grpc.RpcError) as raised:
            server.rehearsal.Raise(RaiseRequest(domain="octollm.dev", code="CACHE_ERROR"))
        error = runtime.from_rpc_error(raised.value)
        assert isinstance(error, errors_taxon.CacheError) and error.operation == "read"
        assert runtime.from_rpc_error(error) is error


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


def got(peer: Peer, caught: Callable[..., runtime.TaxonomyError] = raised_by_threads) -> runtime.TaxonomyError:
    return caught(peer.target, RaiseRequest())


class TestErrorsNobodyDeclared:
    """As test_swift_client.py has it for Swift."""

    def test_a_code_that_is_new_is_taken_as_its_traits_say(self, peer: Peer) -> None:
        rich = Rich(RATE_LIMIT, sample(RATE_LIMIT), code="MELTED", retry_after=timedelta(seconds=7),
                    details=lambda details: [details[0], *details[2:]])  # fmt: skip
        peer.behaves("Raise", rich)
        error = got(peer)
        assert type(error) is runtime.OtherError and error.identity == ("octollm.dev", "MELTED")
        assert (error.message, error.http_status, error.status) == (rich.message, 429, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert (error.severity.name, error.retry.name, error.breaker.name) == ("WARNING", "THROTTLED", "NEUTRAL")
        assert (error.is_retry_safe, error.retry_after, error.categories) == (True, 7, ("ResourceError",))
        assert error.details == error.metadata == {"limit": "41", "window": "42"}
        assert error.causes == (("disk.example", "DISK_FULL"),)

    @pytest.mark.parametrize("caught", [raised_by_threads, raised_by_asyncio], ids=["grpc", "grpc.aio"])
    @pytest.mark.parametrize("code", list(grpc.StatusCode)[1:], ids=lambda code: code.name)
    def test_a_plain_status_is_taken_as_swift_takes_it(self, peer: Peer, code: grpc.StatusCode, caught: Caught) -> None:
        peer.behaves("Raise", Plain(code, "größer 100 %"))
        error = got(peer, caught)
        assert (error.domain, error.code, error.status, error.message) == ("grpc.io", code.name, code, "größer 100 %")
        transient = code is grpc.StatusCode.UNAVAILABLE
        assert error.retry.name == ("TRANSIENT" if transient else "NEVER")
        failures = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "DATA_LOSS")
        assert error.breaker.name == ("FAILURE" if code.name in failures else "NEUTRAL")
        assert error.to_dict() == {"error": code.name, "message": "größer 100 %", "details": {}}

    @pytest.mark.parametrize("key", ["retry-after", "grpc-retry-pushback-ms"])
    def test_a_hint_makes_a_plain_resource_exhausted_throttled(self, peer: Peer, key: str) -> None:
        peer.behaves("Raise", Plain(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down", [(key, "3")]))
        error = got(peer)
        assert error.retry is runtime.RetryClass.THROTTLED
        assert error.retry_after == (3 if key == "retry-after" else 0.003)

    @pytest.mark.parametrize("details", [b"garbage", b"\xff\xff\xff", b"", b"\x0a\xff\x01"])
    def test_details_that_are_none_cost_only_themselves(self, peer: Peer, details: bytes) -> None:
        peer.behaves("Raise", Plain(grpc.StatusCode.UNAVAILABLE, "away", [("grpc-status-details-bin", details)]))
        error = got(peer)
        assert (error.code, error.message) == ("UNAVAILABLE", "away")

    def test_one_detail_that_is_none_costs_only_itself(self, peer: Peer) -> None:
        status = Rich(NOT_FOUND, sample(NOT_FOUND), retry_after=timedelta(seconds=3)).status()
        status.details[2].value = b"\xff\xff"  # the traits
        status.details.add(type_url="type.googleapis.com/nobody.Knows", value=b"\xff")
        trailers = [("grpc-status-details-bin", status.SerializeToString())]
        peer.behaves("Raise", Plain(grpc.StatusCode.NOT_FOUND, "gone", trailers))
        error = got(peer)
        assert isinstance(error, errors_taxon.TaskNotFoundError) and error.retry_after == 3
        assert [detail.TypeName() for detail in error.rpc_details] == ["nobody.Knows"]

    def test_without_the_payload_the_metadata_will_do(self, peer: Peer) -> None:
        peer.behaves("Raise", Rich(RATE_LIMIT, sample(RATE_LIMIT), details=lambda details: details[:1]))
        error = got(peer)
        assert isinstance(error, errors_taxon.RateLimitError) and (error.limit, error.window) == (41, 42)

    def test_without_error_info_the_payload_will_do(self, peer: Peer) -> None:
        peer.behaves("Raise", Rich(NOT_FOUND, sample(NOT_FOUND), details=lambda details: details[1:2]))
        assert isinstance(got(peer), errors_taxon.TaskNotFoundError)

    def test_where_the_codes_disagree_grpc_status_wins(self, peer: Peer) -> None:
        status = Rich(NOT_FOUND, sample(NOT_FOUND), code="NEW", details=lambda details: details[:1]).status()
        trailers = [("grpc-status-details-bin", status.SerializeToString())]
        peer.behaves("Raise", Plain(grpc.StatusCode.ABORTED, "lost a race", trailers))
        error = got(peer)
        assert (error.code, error.status, error.message) == ("NEW", grpc.StatusCode.ABORTED, "lost a race")

    @clients
    def test_trailers_beyond_grpcio_s_limit_are_read_all_the_same(self, peer: Peer, caught: Caught) -> None:
        """Past 8,192 bytes grpcio reports RESOURCE_EXHAUSTED, at random up to 16,384, and the details are in the trailers."""
        payload = sample(NOT_FOUND)
        rich = Rich(NOT_FOUND, payload, trailers=[("x-filler", "x" * 7000)])
        peer.behaves("Raise", rich)
        seen = [got(peer, caught) for _ in range(8)]
        assert {type(error) for error in seen} == {errors_taxon.TaskNotFoundError}
        assert {(error.status, error.message) for error in seen} == {(grpc.StatusCode.NOT_FOUND, rich.message)}

    def test_internal_error_has_the_instance_id(self, server: Server) -> None:
        error = raised_by_threads(server.target, RaiseRequest(domain="taxon.dev", code="INTERNAL_ERROR"))
        assert error.identity == ("taxon.dev", "INTERNAL_ERROR")
        assert error.details == {"instance_id": error.instance_id} and error.severity is runtime.Severity.CRITICAL

    @pytest.mark.parametrize("strange", [ValueError("x"), grpc.RpcError(), grpc.RpcError("text"), KeyboardInterrupt()])
    def test_what_is_no_failed_call_is_unknown(self, strange: BaseException) -> None:
        error = runtime.from_rpc_error(strange)
        assert (error.status, error.message, error.is_from_call) == (grpc.StatusCode.UNKNOWN, "", True)

    def test_nobody_is_there(self) -> None:
        error = raised_by_threads("127.0.0.1:1", RaiseRequest())
        assert (error.code, error.retry, error.breaker.name) == ("UNAVAILABLE", runtime.RetryClass.TRANSIENT, "FAILURE")


def test_standard_details_are_found_by_type(peer: Peer) -> None:
    help_ = error_details_pb2.Help(links=[error_details_pb2.Help.Link(url="https://example.com")])
    peer.behaves("Raise", Rich(NOT_FOUND, sample(NOT_FOUND), details=lambda details: [*details, help_]))
    error = got(peer)
    assert error.detail(error_details_pb2.Help) == help_
    assert error.detail(error_details_pb2.QuotaFailure) is None


def test_replies_are_as_ever(server: Server) -> None:
    request = GetTaskRequest(task_id=new_task(server))

    async def call() -> TaskRecord:
        async with grpc.aio.insecure_channel(server.target, interceptors=runtime.aio_client_interceptors()) as channel:
            return await Stub(channel, ORCHESTRATOR).GetTask(request)

    with channel_to(server.target) as channel:
        assert Stub(channel, ORCHESTRATOR).GetTask(request) == asyncio.run(call())


def test_an_interceptor_behind_may_wait_for_the_call(server: Server) -> None:
    seen: list[grpc.StatusCode] = []

    class Logging(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Callable, details: object, request: object) -> object:
            call = await continuation(details, request)
            seen.append(await call.code())
            return await call

    async def call() -> None:
        interceptors = [*runtime.aio_client_interceptors(), Logging()]
        async with grpc.aio.insecure_channel(server.target, interceptors=interceptors) as channel:
            await Stub(channel, REHEARSAL).Raise(RaiseRequest(domain="octollm.dev", code="TASK_NOT_FOUND"))

    with pytest.raises(errors_taxon.TaskNotFoundError) as raised:
        asyncio.run(call())
    assert seen == [grpc.StatusCode.NOT_FOUND]
    assert isinstance(raised.value.cause, grpc.aio.AioRpcError)


@pytest.fixture(scope="module")
def failing_server() -> Iterator[ThreadedServer]:
    """Raises an error in every kind of call, behind one reply where there is a stream of them."""
    with ThreadedServer() as server:
        server.raises(failures_taxon.JammedError(part="rotor", operator="ada", log=""))
        yield server


def callable_of(channel: object, name: str) -> Callable:
    method = FAILING.methods_by_name[name]
    serializers = {"request_serializer": Envelope.SerializeToString, "response_deserializer": Envelope.FromString}
    return getattr(channel, kind(method))(path(method), **serializers)


KINDS = [(method.name, method.client_streaming, method.server_streaming) for method in FAILING.methods]


@pytest.mark.parametrize(("name", "sends_stream", "gets_stream"), KINDS)
def test_every_kind_of_call_raises(
    name: str, sends_stream: bool, gets_stream: bool, failing_server: ThreadedServer
) -> None:
    request = Envelope(label="a")
    with channel_to(failing_server.target) as channel:
        call = callable_of(channel, name)
        replies: list[Envelope] = []
        with pytest.raises(failures_taxon.JammedError) as raised:
            answer = call(iter([request, request]) if sends_stream else request, timeout=20)
            replies.extend(answer)
        assert raised.value.part == "rotor" and isinstance(raised.value.cause, grpc.RpcError)
        assert len(replies) == int(gets_stream)
        if not gets_stream:
            future = call.future(iter([request]) if sends_stream else request, timeout=20)
            assert isinstance(future.exception(), failures_taxon.JammedError) and future.traceback() is not None


@pytest.mark.parametrize("style", ["iterator", "writes"])
@pytest.mark.parametrize(("name", "sends_stream", "gets_stream"), KINDS)
def test_every_kind_of_call_raises_in_asyncio(
    name: str, sends_stream: bool, gets_stream: bool, style: str, failing_server: ThreadedServer
) -> None:
    request, replies = Envelope(label="a"), []

    async def make(channel: grpc.aio.Channel) -> None:
        if sends_stream and style == "writes":
            call = callable_of(channel, name)(timeout=20)
            await call.write(request)
            await call.done_writing()
        else:
            call = callable_of(channel, name)(iter([request]) if sends_stream else request, timeout=20)
        if not gets_stream:
            await call
        elif style == "writes":
            while (reply := await call.read()) is not grpc.aio.EOF:
                replies.append(reply)
        else:
            async for reply in call:
                replies.append(reply)

    async def main() -> None:
        interceptors = runtime.aio_client_interceptors()
        async with grpc.aio.insecure_channel(failing_server.target, interceptors=interceptors) as channel:
            await make(channel)

    with pytest.raises(failures_taxon.JammedError) as raised:
        asyncio.run(main())
    assert isinstance(raised.value.cause, grpc.aio.AioRpcError) and len(replies) == int(gets_stream)


def test_a_cancelled_task_is_cancelled(peer: Peer) -> None:
    peer.behaves("Raise", Never())

    async def main() -> None:
        interceptors = runtime.aio_client_interceptors()
        async with grpc.aio.insecure_channel(peer.target, interceptors=interceptors) as channel:
            call = Stub(channel, REHEARSAL).Raise(RaiseRequest())
            waiting = asyncio.ensure_future(call)
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(main())


class Fake(grpc.RpcError):
    """A failed call that says anything."""

    def __init__(self, code: object, details: object, trailers: object) -> None:
        self.answers = {"code": code, "details": details, "trailing_metadata": trailers}

    def code(self) -> object:  # type: ignore[override]
        return self.answers["code"]

    def details(self) -> object:  # type: ignore[override]
        return self.answers["details"]

    def trailing_metadata(self) -> object:  # type: ignore[override]
        return self.answers["trailing_metadata"]


WHOLE = Rich(NOT_FOUND, sample(NOT_FOUND), retry_after=timedelta(seconds=3)).status().SerializeToString()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Details of which bytes are others, or missing."""
    data = bytearray(WHOLE)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["-1", "0", "9" * 40, "1e3", "٣", "Sun, 06 Nov 1994 08:49:37 GMT", " GMT"]))
TRAILERS = st.lists(
    st.one_of(
        st.tuples(st.just("grpc-status-details-bin"), st.one_of(damaged(), st.binary(max_size=40))),
        st.tuples(st.sampled_from(["grpc-retry-pushback-ms", "retry-after", "grpc-status-details-bin"]), TEXTS),
        st.tuples(st.text(max_size=5), TEXTS), st.none(),
    ),
    max_size=5,
)  # fmt: skip


@seed(CROSS_CHECK_SEED)
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.one_of(st.sampled_from(grpc.StatusCode), st.none(), st.integers()), st.one_of(st.text(max_size=9), st.none(), st.binary()),
    st.one_of(TRAILERS, st.none(), st.integers()),
)  # fmt: skip
def test_whatever_arrives_becomes_an_error(code: object, details: object, trailers: object) -> None:
    error = runtime.from_rpc_error(Fake(code, details, trailers))
    assert error.is_from_call and isinstance(error.status, grpc.StatusCode) and error.status is not grpc.StatusCode.OK
    assert json.dumps(error.to_dict()) and str(error) is not None and repr(error) and error.causes is not None
    assert runtime.WireStatus.of(error).code is not grpc.StatusCode.OK


def test_a_date_in_retry_after_is_read() -> None:
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    error = runtime.from_rpc_error(Fake(grpc.StatusCode.UNAVAILABLE, "", [("retry-after", later)]))
    assert error.retry_after is not None and 50 < error.retry_after <= 60
    for past in ("Sun, 06 Nov 1994 08:49:37 GMT", "0", "soon"):
        assert runtime.from_rpc_error(Fake(grpc.StatusCode.UNAVAILABLE, "", [("retry-after", past)])).retry_after is None
