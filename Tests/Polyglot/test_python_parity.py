# SPDX-License-Identifier: Apache-2.0
"""The same error in generated Swift and in generated Python: text, metadata, JSON, and trailers, whatever the fields."""

import base64
import copy
import json
import pickle
from collections.abc import Iterator
from datetime import timedelta

import grpc
import pytest
from conftest import CROSS_CHECK_SEED
from cross_check_process import Taxon
from cross_check_strategies import Messages
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from python_code import FOLDER
from taxon import error_traits_pb2, taxonomy_pb2

import failures_pb2
import failures_taxon
from taxon import runtime

assert FOLDER

ERRORS = {
    kind.declaration.payload.DESCRIPTOR.full_name: kind
    for kind in vars(failures_taxon).values()
    if isinstance(kind, type) and "declaration" in vars(kind)
}
messages = Messages(
    ["failures.Envelope", "failures.Machine.Jammed", "failures.Machine.Scalars", "google.protobuf.Timestamp"], json=True
)
swift = Taxon()


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[None]:
    yield
    swift.close()


def said_by_swift(payload: Message, budget: int) -> dict:
    outcome, answer = swift.ask("error", str(budget), payload.DESCRIPTOR.full_name, payload.SerializeToString())
    assert outcome == "written", answer
    return json.loads(answer)


def said_by_python(payload: Message, budget: int) -> dict:
    error = ERRORS[payload.DESCRIPTOR.full_name].from_payload(payload)
    error.instance_id = "0123456789abcdef"
    status = runtime.WireStatus.of(error, budget=budget)
    return {
        "message": error.message, "description": f"{error.code}: {error.message}" if error.message else error.code,
        "metadata": error.metadata, "json": json.loads(json.dumps(error.to_dict(), default=str)),
        "http_status": error.http_status, "violations": [[each.field, each.description] for each in error.violations],
        "wire_message": status.message, "details": status.details, "dropped": list(status.dropped),
        "pushback": -1 if status.retry_pushback is None else status.retry_pushback,
        "retry_after": -1 if status.retry_after is None else status.retry_after,
    }  # fmt: skip


def taken_apart(details: bytes) -> list:
    """The details in their order, each as a message: the order in maps says nothing."""
    kinds = {kind.DESCRIPTOR.full_name: kind for kind in (
        error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.BadRequest, error_traits_pb2.ErrorTraits,
        *(error.declaration.payload for error in ERRORS.values()),
    )}  # fmt: skip
    status = status_pb2.Status.FromString(details)
    parts = [(any_.type_url, repr(kinds[any_.TypeName()].FromString(any_.value))) for any_ in status.details]
    return [status.code, status.message, len(details), *parts]


def check(payload: Message, budget: int = 8192) -> None:
    theirs, ours = said_by_swift(payload, budget), said_by_python(payload, budget)
    theirs["json"] = json.loads(theirs["json"])
    for said in (theirs, ours):
        details = base64.b64decode(said["details"]) if isinstance(said["details"], str) else said["details"]
        said["details"] = taken_apart(details)
    assert ours == theirs


@pytest.mark.parametrize("name", ERRORS)
def test_swift_and_python_say_the_same(name: str) -> None:
    @seed(CROSS_CHECK_SEED)
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(messages.of(ERRORS[name].declaration.payload.DESCRIPTOR), st.sampled_from([8192, 8192, 4000, 1200, 900, 700]))
    def agrees(payload: Message, budget: int) -> None:
        check(payload, budget)

    agrees()


NUMBERS = [0.1, 1 / 3, 1e-4, 1e-5, 123456.75, 2.0**53, 2.0**54, 2.0**54 + 4, 1e16, 1e17, 1e21, 5e-324, -0.0, 100.0, 16777217.0, 33554434.0]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_written_alike(number: float) -> None:
    check(failures_pb2.Machine.Scalars(a_double=number, a_float=number))
    check(failures_pb2.Machine.Optionals(a_double=number, a_float=number))
    check(failures_pb2.Machine.Lists(doubles=[number, -number], floats=[number, -number]))


@pytest.mark.parametrize("count", [1, 10, 100, 500])
@pytest.mark.parametrize("length", [5, 40, 300, 2000])
def test_the_budget_is_kept_alike(count: int, length: int) -> None:
    """What goes first, and what of it, with fields and lists of many sizes."""
    text = "größer 🐙 " * (length // 9 + 1)
    check(failures_pb2.Machine.Lists(texts=[text[:length]] * count, numbers=range(count)))
    check(failures_pb2.Machine.Scalars(a_string=text[: length * count]))
    check(failures_pb2.Wrong.One(field="f" * length, description=text[: length * count]))
    violation = error_details_pb2.BadRequest.FieldViolation(field="a.b", description=text[:length])
    check(failures_pb2.Wrong.Several(errors=[violation] * count, field=text[:length]))
    check(failures_pb2.Machine.Jammed(part=text[:length], operator=text[: length * count]))


def secrets(depth: int) -> failures_pb2.Envelope:
    """What holds secrets in every place there is."""
    jam = failures_pb2.Machine.Jammed(part="rotor", operator="PERSONAL", log="INTERNAL")
    envelope = failures_pb2.Envelope(label="box", jams=[jam, jam], jams_by_name={"first": jam})
    envelope.anything.Pack(jam if depth == 0 else secrets(depth - 1))
    if depth:
        envelope.inner.CopyFrom(secrets(depth - 1))
    return envelope


def test_internal_fields_stay_at_any_depth() -> None:
    payload = failures_pb2.Machine.Nested(
        jam=failures_pb2.Machine.Jammed(part="rotor", operator="PERSONAL", log="INTERNAL"), envelope=secrets(2),
        envelopes=[secrets(1)], by_name={"x": secrets(1)}, hidden=secrets(0), personal=failures_pb2.Envelope(label="PERSONAL"),
        boxed=secrets(1),
    )  # fmt: skip
    payload.anything.Pack(secrets(2))
    check(payload, 1 << 20)
    error = failures_taxon.NestedError.from_payload(payload)
    status = runtime.WireStatus.of(error, budget=1 << 20)
    assert b"INTERNAL" not in status.details and b"PERSONAL" in status.details
    for shown in (str(error), repr(error), json.dumps(error.to_dict()), repr(error.metadata), status.message):
        assert "INTERNAL" not in shown and "PERSONAL" not in shown
    # The error itself keeps them.
    assert error.jam.log == "INTERNAL"


def test_names_that_are_taken_have_an_underscore_and_the_values_arrive() -> None:
    error = failures_taxon.NamesError(
        from_="a", class_="b", message="c", code="d", retry_after_="e", str="f", property="g", payload="i"
    )
    assert error.message == "a b c d e f g"
    assert (error.from_, error.class_, error.message_, error.code_, error.payload_) == ("a", "b", "c", "d", "i")
    assert (error.code, error.retry_after) == ("NAMES", None)
    check(error.payload)


def test_the_hierarchy_is_the_schema_s() -> None:
    assert issubclass(failures_taxon.TimeoutError, failures_taxon.WrongError)
    assert issubclass(failures_taxon.WrongError, failures_taxon.FailuresError)
    assert failures_taxon.AloneError.__mro__[1] is failures_taxon.FailuresError
    assert not issubclass(failures_taxon.TimeoutError, TimeoutError)
    shared: failures_taxon.WrongError = failures_taxon.TimeoutError(seconds=2)
    assert shared.request_id is None
    assert failures_taxon.OneError(field="a", request_id="7").request_id == "7"


def test_safety_is_read_from_the_schema() -> None:
    jammed = failures_taxon.JammedError(part="rotor", operator="ada", log="x")
    assert jammed.metadata == jammed.details == {"part": "rotor"}
    assert jammed.public_payload == failures_pb2.Machine.Jammed(part="rotor", operator="ada")
    assert taxonomy_pb2.INTERNAL


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: failures_taxon.TimeoutError(), "missing 1 required keyword-only argument: 'seconds'"),
        (lambda: failures_taxon.TimeoutError(seconds=None), "TimeoutError cannot be without seconds"),
        (lambda: failures_taxon.SeveralError(errors="none", field="x"), "errors of Several is a list, and str is none"),
        (lambda: failures_taxon.TimeoutError(seconds="soon"), "seconds of TimeoutError: "),
        (lambda: failures_taxon.MachineError(None), "MachineError is no error of its own"),
        (lambda: failures_taxon.JammedError.from_payload(failures_pb2.Envelope()), "a payload of type failures.Machine.Jammed"),
        (
            lambda: failures_taxon.NestedError(envelopes=[], by_name={}, text="a", boxed=failures_pb2.Envelope()),
            "Nested cannot have both text and boxed",
        ),
    ],
)
def test_a_wrong_argument_is_a_clear_error(make: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_retry_after_is_seconds() -> None:
    error = failures_taxon.AloneError(retry_after=1.2)
    status = runtime.WireStatus.of(error)
    assert (error.retry_after, error.to_dict()["retry_after"], status.retry_pushback, status.retry_after) == (1.2, 2, 1200, 2)
    error.retry_after = timedelta(days=100_000_000).total_seconds()
    assert error.retry_after == 315_576_000_000
    error.retry_after = -5
    status = runtime.WireStatus.of(error)
    assert (error.to_dict()["retry_after"], status.retry_pushback, status.retry_after) == (0, 0, 0)
    with pytest.raises(ValueError, match="not a number"):
        failures_taxon.AloneError(retry_after=float("nan"))




def test_errors_can_be_copied_and_pickled() -> None:
    error = failures_taxon.JammedError(part="rotor", operator="ada", log="x", retry_after=3)
    error.add_detail(failures_pb2.Machine.Jammed(part="other", log="INTERNAL"))
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is failures_taxon.JammedError and again.payload == error.payload
        assert (again.retry_after, again.rpc_details, str(again)) == (3, error.rpc_details, "rotor is jammed")
    assert b"INTERNAL" not in error.rpc_details[0].value
    other = runtime.OtherError(grpc.StatusCode.ABORTED, "lost a race", retry_after=1)
    again = pickle.loads(pickle.dumps(other))
    assert (again.code, str(again), again.retry_after) == ("ABORTED", "lost a race", 1)
    assert pickle.loads(pickle.dumps(runtime.InternalError())).identity == ("taxon.dev", "INTERNAL_ERROR")


def test_derived_details_are_sent_unless_one_of_their_type_is_added() -> None:
    class Quota(failures_taxon.AloneError):
        def derived_details(self) -> list[Message]:
            return [error_details_pb2.QuotaFailure(), error_details_pb2.Help()]

    def types(error: runtime.DeclaredError) -> list[str]:
        details = status_pb2.Status.FromString(runtime.WireStatus.of(error).details).details
        return [detail.TypeName().rpartition(".")[2] for detail in details]

    assert types(Quota()) == ["ErrorInfo", "Alone", "ErrorTraits", "QuotaFailure", "Help"]
    link = error_details_pb2.Help(links=[error_details_pb2.Help.Link(url="https://example.com")])
    assert types(Quota().add_detail(link)) == ["ErrorInfo", "Alone", "ErrorTraits", "QuotaFailure", "Help"]
