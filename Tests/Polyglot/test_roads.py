# SPDX-License-Identifier: Apache-2.0
"""The same calls and errors over every road to the example's methods, over both versions of HTTP, without TLS and with it."""

import functools
import gzip
import json
import math
import re
from datetime import timedelta

import pytest
from connect_roads import ConnectGet
from failure import failing
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2
from grpc_roads import GRPC
from http_wire import Wire
from json_roads import REST, PlainJSON, standard_failure
from octollm.v1 import orchestrator_pb2 as octollm
from octollm_process import Server
from road import JSON, Call, Failure, Proto, Road
from roads import over
from schema import ERRORS, DeclaredError, field_text, is_set
from stub import ORCHESTRATOR, REHEARSAL
from taxon import taxonomy_pb2

RAISE = REHEARSAL.methods_by_name["Raise"]
GET, LIST, CREATE, EXECUTE, UPDATE, WATCH = (
    ORCHESTRATOR.methods_by_name[name]
    for name in ("GetTask", "ListTasks", "CreateTask", "ExecuteTask", "UpdateTaskStatus", "WatchTask")
)
INSTANCE = re.compile(r"[0-9a-f]{16}")
# What the samples of the server have in their internal fields, and what it throws that nobody foresaw.
SECRETS = [b"locked", b"refused", b"10.0.0.7", b"corrupt", b"truncated", b"out of range", b"out of bounds", b"Unforeseen"]
LIMIT = 4 << 20
"""Bytes of a message."""


@pytest.fixture
def road(request: pytest.FixtureRequest, wire: Wire) -> Road:
    return request.param(wire)


def failure_of(road: Road, method: MethodDescriptor, request: Message, **options: object) -> Failure:
    with pytest.raises(Failure) as raised:
        road.call(method, request, **options)
    return raised.value


def task(port_of: Wire, description: str = "Summarise: one two three.") -> octollm.TaskRecord:
    """A new task, made by a road that carries everything."""
    contract = octollm.TaskContract(description=description, priority=5, labels={"größe": "🐙"})
    return PlainJSON(port_of).call(CREATE, octollm.CreateTaskRequest(contract=contract)).message


# Calls.


@over(CREATE)
def test_a_task_is_created(road: Road) -> None:
    contract = octollm.TaskContract(
        description="größer \x00 \u2028 🐙 \"quoted\"", priority=10, timeout=7, required_capabilities=["a", "b"],
        labels={"k/ü": "v&="},
    )  # fmt: skip
    created = road.call(CREATE, octollm.CreateTaskRequest(contract=contract)).message
    assert created.contract == contract
    assert created.status == octollm.TASK_STATUS_PENDING


@over()
def test_a_task_is_found(road: Road) -> None:
    record = task(road.wire)
    assert road.call(GET, octollm.GetTaskRequest(task_id=record.task_id)).message == record


@over()
def test_tasks_are_listed(road: Road) -> None:
    task(road.wire), task(road.wire)
    asked = octollm.ListTasksRequest(status=octollm.TASK_STATUS_PENDING, page_size=1)
    first = road.call(LIST, asked).message
    assert len(first.tasks) == 1 and first.next_page_token
    asked.page_token = first.next_page_token
    second = road.call(LIST, asked).message
    assert len(second.tasks) == 1 and second.tasks[0].task_id != first.tasks[0].task_id


@over(UPDATE)
def test_a_task_is_changed(road: Road) -> None:
    record = task(road.wire)
    asked = octollm.UpdateTaskStatusRequest(task_id=record.task_id, status=octollm.TASK_STATUS_CANCELLED)
    changed = road.call(UPDATE, asked).message
    assert changed.status == octollm.TASK_STATUS_CANCELLED
    assert changed.contract == record.contract


@over(EXECUTE)
def test_a_task_is_carried_out(road: Road) -> None:
    record = task(road.wire)
    done = road.call(EXECUTE, octollm.ExecuteTaskRequest(task_id=record.task_id)).message
    assert done.status == octollm.TASK_STATUS_COMPLETED
    assert done.output


@over(WATCH)
def test_a_task_is_watched(road: Road) -> None:
    record = task(road.wire)
    PlainJSON(road.wire).call(EXECUTE, octollm.ExecuteTaskRequest(task_id=record.task_id))
    changes = road.call(WATCH, octollm.WatchTaskRequest(task_id=record.task_id)).messages
    assert [change.status for change in changes] == [
        octollm.TASK_STATUS_PENDING, octollm.TASK_STATUS_RUNNING, octollm.TASK_STATUS_COMPLETED,
    ]  # fmt: skip


@over(WATCH)
def test_a_stream_ends_in_a_typed_error(road: Road) -> None:
    failure = failure_of(road, WATCH, octollm.WatchTaskRequest(task_id="no/such task"))
    assert failure.identity == ("octollm.dev", "TASK_NOT_FOUND")
    assert failure.message == "Task no/such task not found"


@over(WATCH)
def test_a_stream_ends_with_its_deadline(road: Road) -> None:
    record = task(road.wire)
    failure = failure_of(road, WATCH, octollm.WatchTaskRequest(task_id=record.task_id), timeout=150)
    assert failure.rich.code == 4


@over()
@pytest.mark.parametrize("task_id", ["no such task", "a/b%c?d&e=f", "ünknown+🐙", "x" * 300])
def test_a_task_that_there_is_not_is_not_found(road: Road, task_id: str) -> None:
    failure = failure_of(road, GET, octollm.GetTaskRequest(task_id=task_id))
    assert failure.code == "TASK_NOT_FOUND"
    assert failure.message == f"Task {task_id} not found"
    assert failure.http_status == road.http_status(404, 5)
    if failure.members is not None:
        assert failure.members["details"] == {"task_id": task_id}


# Declared errors.


@functools.cache
def sample(server: Server, error: DeclaredError) -> Message:
    """What the server raises for it, as grpcio reads it."""
    request = octollm.RaiseRequest(domain=error.domain, code=error.code)
    return failing(lambda: server.rehearsal.Raise(request)).required(error.message)


def json_value(error: DeclaredError, payload: Message, name: str) -> object:
    field = error.message.DESCRIPTOR.fields_by_name[name]
    value = getattr(payload, name)
    if field.enum_type is not None:
        return field_text(payload, field)
    return list(value) if field.is_repeated else value


def json_details(error: DeclaredError, payload: Message) -> dict:
    """The safe fields that are set, or have no presence, under the names of the schema."""
    details = {}
    for field in error.fields_that_are(taxonomy_pb2.SAFE):
        if field.message_type is error_details_pb2.BadRequest.FieldViolation.DESCRIPTOR:
            details[field.name] = [{"field": each.field, "message": each.description} for each in getattr(payload, field.name)]
        elif field.message_type is None and is_set(payload, field):
            details[field.name] = json_value(error, payload, field.name)
    return details


@over(RAISE)
@pytest.mark.parametrize("error", ERRORS, ids=str)
@pytest.mark.parametrize("pause", [None, timedelta(seconds=1, milliseconds=250)], ids=["", "with a pause"])
def test_a_declared_error_is_the_same(road: Road, error: DeclaredError, pause: timedelta | None, server: Server) -> None:
    payload = sample(server, error)
    request = octollm.RaiseRequest(domain=error.domain, code=error.code)
    if pause is not None:
        request.retry_after.FromTimedelta(pause)
    failure = failure_of(road, RAISE, request)

    assert failure.code == error.code
    assert failure.message == error.text(payload)
    assert failure.http_status == road.http_status(error.http_status, error.traits.status)
    if failure.rich is not None:
        assert failure.identity == (error.domain, error.code)
        assert failure.rich.code == error.traits.status
        assert failure.required(error.message) == payload
        assert dict(failure.info.metadata) == error.metadata(payload)
        assert failure.traits.http_status == error.http_status
        assert tuple(failure.traits.category) == error.categories
        assert INSTANCE.fullmatch(failure.traits.instance_id)
    else:
        assert failure.members["details"] == json_details(error, payload)
    check_pause(failure, pause)
    check_secrets(failure, error, payload)


def check_pause(failure: Failure, pause: timedelta | None) -> None:
    if pause is not None:
        exact = failure.rich is not None
        assert failure.pause == (pause if exact else timedelta(seconds=math.ceil(pause.total_seconds())))
    if failure.http_status != 200:
        seconds = failure.pause and math.ceil(failure.pause.total_seconds())
        assert failure.answer.header("retry-after") == (None if seconds is None else str(seconds))


def check_secrets(failure: Failure, error: DeclaredError, payload: Message) -> None:
    elsewhere = [failure.answer.octets, failure.message.encode()]
    everything = list(elsewhere)
    if failure.rich is not None:
        everything.append(failure.rich.SerializeToString())
        elsewhere += [detail.value for detail in failure.rich.details if not detail.Is(error.message.DESCRIPTOR)]
    assert not [secret for secret in SECRETS if any(secret in octets for octets in everything)]
    for field in error.fields_that_are(taxonomy_pb2.PERSONAL):
        pattern = re.compile(rb"\b" + re.escape(getattr(payload, field.name).encode()) + rb"\b")
        assert not [octets for octets in elsewhere if pattern.search(octets)], f"{field.name} is personal"
    for field in error.fields_that_are(taxonomy_pb2.INTERNAL):
        assert not getattr(payload, field.name)


# What Taxon itself reports.


@over(RAISE)
def test_what_nobody_foresaw_says_nothing_but_its_instance(road: Road) -> None:
    failure = failure_of(road, RAISE, octollm.RaiseRequest(domain="taxon.dev", code="INTERNAL_ERROR"))
    assert failure.code == "INTERNAL_ERROR"
    assert failure.message == "An internal error occurred"
    assert failure.http_status == road.http_status(500, 13)
    assert not [secret for secret in SECRETS if secret in failure.answer.octets]
    if failure.rich is None:
        assert failure.members.keys() == {"error", "message", "details"}
        assert failure.members["details"].keys() == {"instance_id"}
        instance = failure.members["details"]["instance_id"]
    else:
        assert not [secret for secret in SECRETS if secret in failure.rich.SerializeToString()]
        instance = failure.traits.instance_id
    assert INSTANCE.fullmatch(instance)


@over(CREATE)
def test_a_message_that_is_too_large_is_refused(road: Road) -> None:
    contract = octollm.TaskContract(description="x" * LIMIT, priority=1)
    failure = failure_of(road, CREATE, octollm.CreateTaskRequest(contract=contract))
    assert failure.code == "MESSAGE_TOO_LARGE"
    assert failure.http_status == road.http_status(413, 8)


@over(CREATE)
def test_a_message_that_is_too_large_once_decompressed_is_refused(road: Road) -> None:
    contract = octollm.TaskContract(description="x" * LIMIT, priority=1)
    failure = failure_of(road, CREATE, octollm.CreateTaskRequest(contract=contract), compresses=True)
    assert failure.code == "MESSAGE_TOO_LARGE"
    assert failure.http_status == road.http_status(413, 8)


@over(only=lambda road: road.codec is Proto)
def test_a_malformed_message_is_refused(road: Road) -> None:
    with pytest.raises(Failure) as raised:
        road.perform(Call(GET, b"\x0a\xff\xff"))
    assert raised.value.identity == ("taxon.dev", "MALFORMED_MESSAGE")
    check_blame(raised.value, road)


def check_blame(failure: Failure, road: Road) -> None:
    """A request that cannot be read: INTERNAL in gRPC ("Error parsing request proto"), the caller's fault elsewhere."""
    code = code_pb2.INTERNAL if isinstance(road, GRPC) else code_pb2.INVALID_ARGUMENT
    assert failure.rich is None or failure.rich.code == code
    assert failure.http_status == road.http_status(400, code)


@over(CREATE)
def test_a_message_whose_compression_is_damaged_is_refused(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    compress = gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda data: compress(data)[:-9])
    contract = octollm.TaskContract(description="x" * 1000, priority=1)
    failure = failure_of(road, CREATE, octollm.CreateTaskRequest(contract=contract), compresses=True)
    assert failure.code == "PROTOCOL_VIOLATION"
    check_blame(failure, road)


@over(RAISE, only=lambda road: road.codec is JSON)
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [(b'{"domain": }', 1, 12), (b'{\n "\xc3\xbc": 1,\n "domain": "a" "b"}', 3, 16), (b'{"domain": "a', 1, 14)],
)
def test_malformed_json_is_refused_with_its_place(road: Road, text: bytes, line: int, column: int) -> None:
    with pytest.raises(Failure) as raised:
        road.perform(Call(RAISE, text))
    failure = raised.value
    assert failure.code == "MALFORMED_JSON"
    assert failure.http_status == road.http_status(400, 3)
    place = dict(failure.info.metadata) if failure.rich is not None else failure.members["details"]
    assert (int(place["line"]), int(place["column"])) == (line, column)
    assert re.search(rf"line {line}, column {column}\b", failure.message)


@over(RAISE, only=lambda road: road.codec is JSON and road is not REST)
def test_no_text_is_no_json(road: Road) -> None:
    with pytest.raises(Failure) as raised:
        road.perform(Call(RAISE, b""))
    assert raised.value.code == "MALFORMED_JSON"


@over(CREATE, only=lambda road: road.codec is JSON)
def test_every_field_that_is_wrong_is_told(road: Road) -> None:
    contract = {"priority": "much", "timeout": 1.5, "labels": [], "requiredCapabilities": ["a", 2], "description": "fine"}
    with pytest.raises(Failure) as raised:
        road.perform(Call(CREATE, json.dumps({"contract": contract}).encode()))
    failure = raised.value
    assert failure.code == "VALIDATION_ERROR"
    assert failure.http_status == road.http_status(422, 3)
    if failure.rich is None:
        fields = [each["field"] for each in failure.members["details"]["errors"]]
    else:
        fields = [field for field, _ in failure.violations]
    prefix = "" if isinstance(road, REST) else "contract."
    found = {re.sub(r"(?<=[a-z])([A-Z])", lambda match: "_" + match[1].lower(), field) for field in fields}
    wanted = {prefix + name for name in ("priority", "timeout", "labels", "required_capabilities[1]")}
    assert found in (wanted, {"contract." + name.removeprefix("contract.") for name in wanted}), fields
    assert b"much" not in failure.answer.octets, "values are not repeated"


@over(RAISE, only=lambda road: road.codec is JSON)
def test_a_field_that_there_is_not_is_told_or_skipped(road: Road) -> None:
    with pytest.raises(Failure) as raised:
        road.perform(Call(RAISE, b'{"domain": "octollm.dev", "code": "CACHE_ERROR", "nothing": [1, {"a": null}]}'))
    if raised.value.rich is None:
        assert raised.value.http_status == 422
        assert [each["field"] for each in raised.value.members["details"]["errors"]] == ["nothing"]
    else:
        # Newer callers can call older servers, as they can with binary messages.
        assert raised.value.code == "CACHE_ERROR"


@over()
def test_a_method_that_there_is_not_is_told(road: Road) -> None:
    if isinstance(road, REST | ConnectGet):
        # Nothing is there that would say which protocol is meant.
        answer = road.wire.send("GET", "/octollm.v1.Orchestrator/Nothing?connect=v1&encoding=json&message=%7B%7D")
        assert standard_failure(answer).code == "METHOD_NOT_FOUND"
        assert answer.status == 404
        return
    with pytest.raises(Failure) as raised:
        road.perform(_Missing(GET, road.codec.encode(octollm.GetTaskRequest())))
    failure = raised.value
    assert failure.code == "METHOD_NOT_FOUND"
    # Connect has 404 for this, and 501 for a method that is there and does nothing.
    assert failure.http_status == (200 if road.http_status(404, 12) == 200 else 404)
    if failure.rich is not None:
        assert failure.rich.code == 12


class _Missing(Call):
    @property
    def path(self) -> str:
        return "/octollm.v1.Orchestrator/Nothing"
