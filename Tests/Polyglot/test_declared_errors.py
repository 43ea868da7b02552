# SPDX-License-Identifier: Apache-2.0
"""Every error of the schema, raised by the Swift server and decoded with grpc_status."""

import http.client
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from failure import Failure, failing
from google.protobuf import duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from octollm.v1.orchestrator_pb2 import RaiseRequest
from octollm_process import PATIENCE, Server
from schema import ERRORS, DeclaredError
from taxon import error_traits_pb2, taxonomy_pb2

RETRY_AFTER = timedelta(seconds=1, milliseconds=250)

# What the standard answers over HTTP: its status mapper, and where that contradicts itself the most specific declaration.
STANDARD = {
    "octollm.dev": {
        "VALIDATION_ERROR": 400, "VALIDATION_ERRORS": 400, "TASK_NOT_FOUND": 404, "AUTHENTICATION_ERROR": 401,
        "AUTHORIZATION_ERROR": 403, "ARM_UNAVAILABLE": 503, "CAPACITY_EXCEEDED": 503, "RATE_LIMIT_EXCEEDED": 429,
        "DATABASE_ERROR": 500, "CACHE_ERROR": 500, "NETWORK_ERROR": 500, "TIMEOUT_ERROR": 500, "LLM_API_ERROR": 500,
        "VECTOR_DB_ERROR": 500, "THIRD_PARTY_API_ERROR": 500,
    },
    "reflex.octollm.dev": {
        "PII_DETECTED": 400, "RATE_LIMIT_EXCEEDED": 429, "INVALID_INPUT": 400, "CACHE_ERROR": 500,
        "NETWORK_ERROR": 502, "SERIALIZATION_ERROR": 500, "INTERNAL_ERROR": 500,
    },
}  # fmt: skip

every_error = pytest.mark.parametrize("error", ERRORS, ids=str)

Raise = Callable[..., Failure]


@pytest.fixture
def rehearse(server: Server) -> Raise:
    def rehearse(error: DeclaredError, retry_after: timedelta | None = None) -> Failure:
        request = RaiseRequest(domain=error.domain, code=error.code)
        if retry_after is not None:
            request.retry_after.CopyFrom(_duration(retry_after))
        return failing(lambda: server.rehearsal.Raise(request))

    return rehearse


def _duration(span: timedelta) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromTimedelta(span)
    return duration


def test_the_schema_declares_every_error_of_the_standard() -> None:
    declared = {(error.domain, error.code) for error in ERRORS}
    assert declared >= {(domain, code) for domain, codes in STANDARD.items() for code in codes}
    assert len(declared) == len(ERRORS), "a code is there twice"


@every_error
def test_it_is_identified_by_domain_and_code(error: DeclaredError, rehearse: Raise) -> None:
    assert rehearse(error).identity == (error.domain, error.code)


@every_error
def test_it_has_the_declared_status(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    assert failure.status == error.status
    assert failure.rich.code == error.traits.status


@every_error
def test_its_payload_is_the_typed_error_without_internal_fields(error: DeclaredError, rehearse: Raise) -> None:
    payload = rehearse(error).required(error.message)
    for field in error.fields_that_are(taxonomy_pb2.INTERNAL):
        assert not getattr(payload, field.name), f"{field.name} is internal"
    for field in error.fields:
        if field not in error.fields_that_are(taxonomy_pb2.INTERNAL):
            assert getattr(payload, field.name), f"{field.name} got lost, or the sample leaves it empty"


@every_error
def test_its_message_is_rendered_from_the_template(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    assert failure.message == error.text(failure.required(error.message))
    assert failure.rich.message == failure.message


@every_error
def test_its_metadata_are_the_safe_fields(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    assert dict(failure.info.metadata) == error.metadata(failure.required(error.message))


@every_error
def test_its_traits_say_how_to_take_it(error: DeclaredError, rehearse: Raise) -> None:
    traits = rehearse(error).traits
    assert tuple(traits.category) == error.categories
    assert traits.severity == error.traits.severity
    assert traits.retry == error.traits.retry
    assert traits.breaker == error.traits.breaker
    assert traits.http_status == error.http_status
    assert traits.safe == error.traits.safe
    assert len(traits.instance_id) == 16


@every_error
def test_each_occurrence_has_an_instance_id_of_its_own(error: DeclaredError, rehearse: Raise) -> None:
    assert rehearse(error).traits.instance_id != rehearse(error).traits.instance_id


@every_error
def test_its_http_status_is_the_one_of_the_standard(error: DeclaredError, rehearse: Raise) -> None:
    if error.code not in STANDARD[error.domain]:
        pytest.skip("the standard does not have it")
    assert rehearse(error).traits.http_status == STANDARD[error.domain][error.code]


@every_error
def test_its_details_come_in_order_and_once_each(error: DeclaredError, rehearse: Raise) -> None:
    expected: list[type[Message]] = [
        error_details_pb2.ErrorInfo, error.message, error_traits_pb2.ErrorTraits, error_details_pb2.RetryInfo,
    ]  # fmt: skip
    if error.is_violation:
        expected.append(error_details_pb2.BadRequest)
    if error.options.quota:
        expected.append(error_details_pb2.QuotaFailure)
    if error.options.HasField("resource"):
        expected.append(error_details_pb2.ResourceInfo)
    failure = rehearse(error, retry_after=RETRY_AFTER)
    assert failure.types == [message.DESCRIPTOR.full_name for message in expected]
    assert all(detail.type_url.startswith("type.googleapis.com/") for detail in failure.rich.details)


@every_error
def test_its_retry_after_is_in_retry_info_and_in_the_pushback(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error, retry_after=RETRY_AFTER)
    assert failure.retry_after == RETRY_AFTER
    assert failure.trailers["grpc-retry-pushback-ms"] == "1250"


@every_error
def test_retry_info_and_pushback_go_together(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    pushback = failure.trailers.get("grpc-retry-pushback-ms")
    if failure.retry_after is None:
        assert pushback is None
        assert error.traits.retry_after is None
    else:
        assert timedelta(milliseconds=int(pushback)) == failure.retry_after


@every_error
def test_its_violations_are_in_a_bad_request(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    payload = failure.required(error.message)
    if not error.is_violation:
        expected = []
    elif error.message.DESCRIPTOR.fields_by_name.get("errors"):
        expected = [(violation.field, violation.description) for violation in payload.errors]
    else:
        expected = [(payload.field, payload.description)]
    assert failure.violations == expected


@every_error
def test_personal_fields_are_in_the_payload_alone(error: DeclaredError, rehearse: Raise, server: Server) -> None:
    failure = rehearse(error)
    payload = failure.required(error.message)
    elsewhere = [failure.message.encode(), failure.rich.message.encode(), server.log.encode()]
    elsewhere += [detail.value for detail in failure.rich.details if not detail.Is(error.message.DESCRIPTOR)]
    elsewhere += [
        value if isinstance(value, bytes) else value.encode()
        for name, value in failure.trailers.items()
        if name != "grpc-status-details-bin"
    ]
    for field in error.fields_that_are(taxonomy_pb2.PERSONAL):
        marker = getattr(payload, field.name).encode()
        assert marker
        # As a word: a short name may be a part of other words.
        pattern = re.compile(rb"\b" + re.escape(marker) + rb"\b")
        assert not [where for where in elsewhere if pattern.search(where)], f"{field.name} is personal"


@every_error
def test_internal_fields_do_not_leave_the_process(error: DeclaredError, rehearse: Raise) -> None:
    # What the samples of the server have in their internal fields.
    markers = [b"locked", b"refused", b"10.0.0.7", b"corrupt", b"truncated", b"out of range"]
    failure = rehearse(error)
    everything = [failure.message.encode(), failure.rich.SerializeToString()]
    everything += [value if isinstance(value, bytes) else value.encode() for value in failure.trailers.values()]
    assert not [marker for marker in markers if any(marker in where for where in everything)]


@every_error
def test_the_log_has_it_under_its_instance_id(error: DeclaredError, rehearse: Raise, server: Server) -> None:
    # Of warnings alike, only the first is written in full, until a second has passed since their sum.
    for pause in (0, 2.5, 2.5):
        time.sleep(pause)
        instance = rehearse(error).traits.instance_id
        if lines := [line for line in server.log.splitlines() if instance in line]:
            break
    assert lines and error.code in lines[0]


def test_an_error_that_there_is_not_is_invalid_input(server: Server) -> None:
    failure = failing(lambda: server.rehearsal.Raise(RaiseRequest(domain="octollm.dev", code="NO_SUCH_ERROR")))
    assert failure.identity == ("octollm.dev", "VALIDATION_ERROR")
    assert [field for field, _ in failure.violations] == ["code"]


def test_it_stops_after_so_many_times(server: Server) -> None:
    request = RaiseRequest(domain="octollm.dev", code="CACHE_ERROR", times=2, key="polyglot")
    for _ in range(2):
        assert failing(lambda: server.rehearsal.Raise(request)).identity == ("octollm.dev", "CACHE_ERROR")
    assert server.rehearsal.Raise(request).failures == 2


LOCALIZED = [error for error in ERRORS if error.options.localized]


@pytest.fixture
def ask(server: Server) -> Callable[..., Failure]:
    """Raises an error for a request with metadata."""

    def ask(error: DeclaredError, *metadata: tuple[str, str]) -> Failure:
        request = RaiseRequest(domain=error.domain, code=error.code)
        return failing(lambda: server.rehearsal.Raise(request, metadata=metadata))

    return ask


@pytest.mark.parametrize("error", LOCALIZED, ids=str)
@pytest.mark.parametrize(
    ("languages", "locale"), [("de-AT, en;q=0.5", "de"), ("it, fr;q=0.3, de;q=0.2", "fr"), ("en, de;q=0.9", None), ("*", None)]
)
def test_the_message_comes_in_the_language_that_is_asked_for(
    error: DeclaredError, languages: str, locale: str | None, ask: Callable[..., Failure]
) -> None:
    for name in ("accept-language", "grpc-accept-language"):
        failure = ask(error, (name, languages))
        localized = failure.detail(error_details_pb2.LocalizedMessage)
        assert (localized.locale if localized else None) == locale
        if localized:
            text = next(text.message for text in error.options.localized if text.locale == locale)
            assert localized.message == render(text, failure.required(error.message))
        assert failure.message == error.text(failure.required(error.message))
    # What a program says counts more than what its user's browser adds.
    failure = ask(error, ("accept-language", "fr"), ("grpc-accept-language", "de"))
    assert failure.required(error_details_pb2.LocalizedMessage).locale == "de"


def render(template: str, payload: Message) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: str(getattr(payload, match[1])), template)


@pytest.mark.parametrize("error", [error for error in ERRORS if error.options.HasField("resource")], ids=str)
def test_its_resource_is_named(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    resource = failure.required(error_details_pb2.ResourceInfo)
    payload = failure.required(error.message)
    assert resource.resource_type == render(error.options.resource.type, payload)
    assert resource.resource_name == render(error.options.resource.name, payload)


@pytest.mark.parametrize("error", [error for error in ERRORS if error.options.quota], ids=str)
def test_its_quota_is_named(error: DeclaredError, rehearse: Raise) -> None:
    failure = rehearse(error)
    payload = failure.required(error.message)
    found = [(it.subject, it.description) for it in failure.required(error_details_pb2.QuotaFailure).violations]
    assert found == [(render(it.subject, payload), render(it.description, payload)) for it in error.options.quota]


def test_the_request_is_named_in_the_error_and_in_the_log(ask: Callable[..., Failure], server: Server) -> None:
    # An error of the server is written each time.
    failure = ask(next(error for error in ERRORS if error.code == "DATABASE_ERROR"), ("x-request-id", "request-7"))
    assert failure.required(error_details_pb2.RequestInfo).request_id == "request-7"
    line = next(line for line in server.log.splitlines() if failure.traits.instance_id in line)
    assert "rpc.request_id=request-7" in line


@pytest.mark.parametrize("name", ["x" * 129, "two words", ""])
def test_what_names_no_request_is_passed_over(name: str, ask: Callable[..., Failure]) -> None:
    assert ask(ERRORS[0], ("x-request-id", name)).detail(error_details_pb2.RequestInfo) is None


def test_a_body_of_http_is_in_the_language_that_is_asked_for(server: Server) -> None:
    error = next(error for error in LOCALIZED if error.code == "TASK_NOT_FOUND")
    for accept, member in (("application/json", "message"), ("application/problem+json", "detail")):
        for languages, locale in (("de-DE,de;q=0.9,en;q=0.8", "de"), ("en-US,de;q=0.5", None)):
            connection = http.client.HTTPConnection(server.target, timeout=PATIENCE)
            headers = {"content-type": "application/json", "accept": accept, "accept-language": languages, "x-request-id": "r-7"}
            connection.request("POST", "/octollm.v1.Orchestrator/GetTask", b'{"taskId": "none-such"}', headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            assert answer.status == 404
            assert answer.getheader("content-language") == locale
            assert "accept-language" in (answer.getheader("vary") or "")
            text = next((text.message for text in error.options.localized if text.locale == locale), error.template)
            assert body[member] == text.replace("{task_id}", "none-such")
            if member == "detail":
                assert body["request_id"] == "r-7"
                assert body["resources"] == [{"resource_type": "octollm.v1.Task", "resource_name": "none-such"}]
            connection.close()
