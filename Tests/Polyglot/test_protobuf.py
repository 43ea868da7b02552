# SPDX-License-Identifier: Apache-2.0
"""Random messages, bytes and texts, read and written by Taxon and by Google's protobuf, which have to agree.

A run ends with a line that has its seed. `CROSS_CHECK_SEED=…` repeats it, `CROSS_CHECK_CASES=…` makes it longer: it is
the number of cases for each type and test.

A case that fails is printed, and left as a file in `fixtures/protobuf`. Such files are tried first in every run: commit it,
under a name that says what it is about, with the change that mends it. A file says the check (`cross_check.CHECKS`), the
type, and the input: `hex` for bytes, `text` for JSON and the text format.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cross_check
import pytest
from conftest import CROSS_CHECK_SEED
from cross_check import FILES, message_class
from cross_check_damage import damaged, odd_json, wire
from cross_check_strategies import Messages
from cross_check_text import CHECKS as TEXT_CHECKS
from cross_check_text import odd_texts, texts
from google.protobuf import json_format
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from repository import ROOT
from wire_form import delimited

CHECKS = cross_check.CHECKS | TEXT_CHECKS
CASES = int(os.environ.get("CROSS_CHECK_CASES", "20"))
FIXTURES = Path(__file__).parent / "fixtures" / "protobuf"

WELL_KNOWN = [
    f"google.protobuf.{name}"
    for name in (
        "Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Empty", "DoubleValue", "FloatValue",
        "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue",
    )
]  # fmt: skip
# There is no message of Endless: it has to have itself inside. Parcel is a message set, whose items JSON leaves out.
OWN = [
    message.full_name
    for file in FILES
    for message in file.DESCRIPTOR.message_types_by_name.values()
    if message.name != "Endless"
]
TYPES = [*OWN, *WELL_KNOWN]
IN_JSON = [name for name in TYPES if name not in ("taxon.test.Parcel", "taxon.test.Egg")]

everything = Messages(IN_JSON, json=False)
sayable = Messages(IN_JSON, json=True)


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[None]:
    yield
    cross_check.taxon.close()


def cases(check: str, inputs: Callable[[str], st.SearchStrategy], names: list[str]) -> Callable:
    """A test of each type with random inputs, whose last failure stays as a file."""

    def decorate(_: Callable) -> Callable:
        @pytest.mark.parametrize("name", names)
        def test(name: str) -> None:
            @seed(CROSS_CHECK_SEED)
            @settings(
                max_examples=CASES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck),
                database=DirectoryBasedExampleDatabase(ROOT / ".build" / "hypothesis"),
            )  # fmt: skip
            @given(inputs(name))
            def agrees(value: bytes | str) -> None:
                cross_check.cases += 1
                try:
                    CHECKS[check](name, value)
                except Exception:
                    # Hypothesis comes back with simpler ones; the last one is the simplest.
                    remember(check, name, value)
                    raise

            agrees()

        return test

    return decorate


def remember(check: str, name: str, value: bytes | str) -> None:
    FIXTURES.mkdir(parents=True, exist_ok=True)
    fixture = {"check": check, "type": name, "text": value}
    if not isinstance(value, str):
        del fixture["text"]
        fixture["hex"] = value.hex() if isinstance(value, bytes) else [part.hex() for part in value]
    (FIXTURES / f"found-{check}-{name}.json").write_text(json.dumps(fixture, indent=2) + "\n")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_past_failures(path: Path) -> None:
    fixture = json.loads(path.read_text())
    value = fixture.get("text")
    if value is None:
        digits = fixture["hex"]
        value = bytes.fromhex(digits) if isinstance(digits, str) else [bytes.fromhex(part) for part in digits]
    CHECKS[fixture["check"]](fixture["type"], value)


def encoded(messages: Messages, name: str) -> st.SearchStrategy[bytes]:
    return messages.of(message_class(name).DESCRIPTOR).map(lambda message: message.SerializePartialToString(deterministic=True))


def of_any_type(name: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from(TYPES).flatmap(lambda other: encoded(everything, other))


def some_wire(name: str, *, nonsense: bool = False) -> st.SearchStrategy[bytes]:
    return wire(message_class(name).DESCRIPTOR, nonsense=nonsense)


def broken(name: str) -> st.SearchStrategy[bytes]:
    return st.one_of(damaged(encoded(everything, name)), damaged(some_wire(name)), some_wire(name, nonsense=True))


@cases("binary", lambda name: encoded(everything, name), TYPES)
def test_messages_are_the_same_in_the_binary_format() -> None: ...


@cases("merged", lambda name: st.lists(encoded(everything, name), min_size=2, max_size=3), TYPES)
def test_merged_messages_are_the_same() -> None: ...


@cases("binary", some_wire, TYPES)
def test_fields_of_any_kind_are_the_same() -> None: ...


@cases("binary", broken, TYPES)
def test_damaged_bytes_are_refused_or_the_same() -> None: ...


@cases("binary", of_any_type, TYPES)
def test_bytes_of_another_type_are_refused_or_the_same() -> None: ...


@cases("unknown", lambda name: st.one_of(encoded(everything, name), some_wire(name)), OWN)
def test_unknown_fields_come_back() -> None: ...


@cases("binary_to_json", lambda name: encoded(sayable, name), IN_JSON)
def test_messages_are_the_same_after_taxons_json() -> None: ...


@cases("json_to_binary", lambda name: sayable.of(message_class(name).DESCRIPTOR).map(json_format.MessageToJson), IN_JSON)
def test_messages_are_the_same_after_googles_json() -> None: ...


@cases("json_to_binary", lambda name: odd_json(sayable.of(message_class(name).DESCRIPTOR)), IN_JSON)
def test_odd_json_is_refused_or_the_same() -> None: ...


@cases("json_ignoring_unknown", lambda name: odd_json(sayable.of(message_class(name).DESCRIPTOR)), IN_JSON)
def test_odd_json_is_refused_or_the_same_without_unknown_fields() -> None: ...


# An item of a message set is an unknown field to Taxon.
IN_TEXT = [name for name in TYPES if name != "taxon.test.Parcel"]
in_text = Messages(IN_TEXT, json=False)


def said(name: str) -> st.SearchStrategy[str]:
    return texts(in_text.of(message_class(name).DESCRIPTOR))


@cases("binary_to_text", lambda name: encoded(in_text, name), IN_TEXT)
def test_messages_are_the_same_after_taxons_text() -> None: ...


@cases("text_to_binary", said, IN_TEXT)
def test_messages_are_the_same_after_googles_text() -> None: ...


@cases("text_to_binary", lambda name: odd_texts(said(name)), IN_TEXT)
def test_odd_texts_are_refused_or_the_same() -> None: ...


@cases("text_ignoring_unknown", lambda name: odd_texts(said(name)), IN_TEXT)
def test_odd_texts_are_refused_or_the_same_without_unknown_fields() -> None: ...


def nested(path: list[int], depth: int) -> bytes:
    """Empty messages, so many inside the outermost one, by the numbers of the fields that hold them in turn."""
    data = b""
    for level in reversed(range(depth)):
        data = delimited(path[level % len(path)], data)
    return data


@pytest.mark.parametrize("depth", range(96, 106))
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("taxon.test.Child", [4]), ("taxon.test.Child", [4, 6]), ("taxon.test.Choice", [19]), ("taxon.test.Maps", [9, 2]),
        ("taxon.test.Kinds", [17, 4]), ("taxon.test.Kinds", [37]), ("taxon.test.Kinds", [39, 2]), ("taxon.test.Odd", [2, 1]),
        ("taxon.test.Closed", [7]), ("google.protobuf.ListValue", [1, 6]), ("google.protobuf.Struct", [1, 2, 5]),
    ],
)  # fmt: skip
def test_nesting_has_the_same_limit(name: str, path: list[int], depth: int) -> None:
    CHECKS["binary"](name, nested(path, depth))


@pytest.mark.parametrize("depth", range(96, 106))
def test_nesting_of_groups_has_the_same_limit(depth: int) -> None:
    for name in ("taxon.test.Nothing", "taxon.test.Child"):
        CHECKS["binary"](name, b"\x7b" * depth + b"\x7c" * depth)
