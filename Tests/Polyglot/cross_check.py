# SPDX-License-Identifier: Apache-2.0
"""Taxon and Google's protobuf on the same input, and what has to agree.

A check takes a type's name and an input, and raises AssertionError where the two differ.
"""

import functools
import json
import re
import struct
from collections.abc import Callable, Iterator

from cross_check_differences import (
    BINARY_ONLY_GOOGLE_ACCEPTS,
    FILES,
    IGNORING_ONLY_GOOGLE_ACCEPTS,
    IGNORING_ONLY_TAXON_ACCEPTS,
    JSON_ONLY_GOOGLE_ACCEPTS,
    JSON_ONLY_TAXON_ACCEPTS,
    excepted,
)
from cross_check_process import Taxon
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from wire_form import tidy

taxon = Taxon()
# How many inputs there have been.
cases = 0


def _without_extensions() -> DescriptorPool:
    """The same schemas, to which extensions are unknown fields: as Taxon decodes, which reads them when it is asked."""
    pool = DescriptorPool()
    added = set()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        proto = FileDescriptorProto.FromString(file.serialized_pb)
        for scope in (proto, *proto.message_type):
            del scope.extension[:]
        pool.Add(proto)

    for file in FILES:
        add(file.DESCRIPTOR)
    return pool


BARE = _without_extensions()


@functools.cache
def message_class(name: str, pool: DescriptorPool | None = None) -> type[Message]:
    return GetMessageClass((pool or Default()).FindMessageTypeByName(name))


# What Google makes of it.


def parsed(name: str, data: bytes, pool: DescriptorPool | None = None) -> Message | None:
    """The message; None where Google refuses it. Google's parser leaves required fields to who asks."""
    message = message_class(name, pool)()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message if message.IsInitialized() else None


def parsed_json(name: str, text: str, **options: bool) -> tuple[Message | None, str]:
    """The message, or None and the reason."""
    message = message_class(name)()
    # Python's json reads -0 as an integer, which has no sign.
    text = re.sub(r"(^|[\[:,\s])-0(?=[\s,\]}]|$)", r"\1-0.0", text)
    try:
        json_format.Parse(text, message, **options)
    except json_format.ParseError as error:
        return None, str(error)
    return (message, "") if message.IsInitialized() else (None, "a required field is missing")


def canonical(message: Message) -> bytes:
    """The deterministic encoding, also of what is inside an Any."""
    copy = type(message)()
    copy.CopyFrom(message)
    _make_canonical(copy)
    return copy.SerializePartialToString(deterministic=True)


def _make_canonical(message: Message) -> None:
    if isinstance(message, Any):
        name = message.TypeName()
        try:
            inside = message_class(name).FromString(message.value)
        except (KeyError, DecodeError):
            return
        message.value = canonical(inside)
        return
    for inner in messages_inside(message):
        _make_canonical(inner)


def messages_inside(message: Message) -> Iterator[Message]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if not field.is_repeated:
            yield value
        elif not field.message_type.GetOptions().map_entry:
            yield from value
        elif field.message_type.fields_by_name["value"].message_type is not None:
            try:
                values = list(value.values())
            except UnicodeDecodeError:
                # Proto2 lets keys be no UTF-8, which Python keeps and does not show: its values stay as they are.
                values = []
            yield from values


def comparable(text: str | bytes) -> object:
    """JSON without what does not matter: white space, the order of members, how a number is written.

    Of numbers 24 bits count here: of the texts that read as one float, implementations choose other ones.
    """

    def unique(members: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in members}) == len(members), f"a key twice in {text!r}"
        return dict(members)

    def number(digits: str) -> object:
        value = float(digits)
        return struct.unpack("<f", struct.pack("<f", value))[0] if abs(value) < 1e38 else value

    return json.dumps(json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=unique), sort_keys=True)


# What has to agree.


def binary(name: str, data: bytes) -> None:
    """Both refuse the bytes, or both accept them and mean the same: also fields that are unknown, and merged ones."""
    outcome, answer = taxon.ask("binary", "binary", name, data)
    expected = parsed(name, data, BARE)
    if outcome != "written":
        assert outcome == "refused", f"Taxon cannot write what it has read: {answer!r}"
        if expected is not None and not excepted(BINARY_ONLY_GOOGLE_ACCEPTS, answer.decode()):
            raise AssertionError(f"Google reads it, Taxon does not: {answer.decode()}\n{expected}")
        return
    if expected is None:
        raise AssertionError(f"Taxon reads it, Google does not; Taxon's bytes are {answer.hex()}")
    compare(name, BARE, expected, answer, data)
    if (expected := parsed(name, data)) is not None:
        compare(name, None, expected, answer, data)


def compare(
    name: str, pool: DescriptorPool | None, expected: Message, answer: bytes, data: bytes | None = None
) -> None:
    """`expected` is what Google has made of `data`, `answer` what Taxon has."""
    actual = parsed(name, answer, pool)
    if actual is None and parsed(name, canonical(expected), pool) is None:
        # An entry of a map without a value lay at the limit of nesting; everybody writes one, which is a level more.
        return
    assert actual is not None, f"Google does not read what Taxon writes: {answer.hex()}"
    if canonical(expected) != canonical(actual) and data is not None:
        expected, actual = (parsed(name, tidy(actual.DESCRIPTOR, form), pool) for form in (data, answer))
    left, right = canonical(expected), canonical(actual)
    assert left == right, f"Google has {left.hex()}\n{expected}Taxon has {right.hex()}\n{actual}"


def binary_to_json(name: str, data: bytes) -> None:
    """The message is the same after Taxon's JSON, and Taxon's JSON is Google's."""
    message = parsed(name, data)
    outcome, answer = taxon.ask("binary", "json", name, data)
    try:
        text = json_format.MessageToJson(message)
    except Exception as error:  # noqa: BLE001: what the well-known types raise is of many kinds
        assert outcome == "unwritable", f"Google writes no JSON ({error}), Taxon writes {answer!r}"
        return
    assert outcome == "written", f"Taxon says {outcome}: {answer.decode()}, Google {text}"
    assert comparable(answer) == comparable(text), f"Google has {text}, Taxon has {answer.decode()}"
    again, reason = parsed_json(name, answer.decode())
    if again is None and excepted(JSON_ONLY_TAXON_ACCEPTS, reason):
        return
    assert again is not None, f"Google does not read what Taxon writes, {reason}: {answer.decode()}"
    left, right = canonical(message), canonical(again)
    assert left == right, f"Google had {left.hex()}\n{message}Taxon has {right.hex()}\n{again}"


def json_to_binary(name: str, text: str) -> None:
    """Both refuse the text, or both accept it and mean the same, in the binary format and in JSON."""
    outcome, answer = taxon.ask("json", "binary", name, text.encode())
    expected, reason = parsed_json(name, text)
    if outcome != "written":
        assert outcome == "refused", f"Taxon cannot write what it has read: {answer!r}"
        if expected is not None and not excepted(JSON_ONLY_GOOGLE_ACCEPTS, answer.decode()):
            raise AssertionError(f"Google reads it, Taxon does not: {answer.decode()}\n{expected}")
        return
    if expected is None:
        if not excepted(JSON_ONLY_TAXON_ACCEPTS, reason):
            raise AssertionError(f"Taxon reads it, Google does not: {reason}")
        return
    compare(name, None, expected, answer)
    again, answer = taxon.ask("json", "json", name, text.encode())
    try:
        written = json_format.MessageToJson(expected)
    except Exception as error:  # noqa: BLE001
        assert again == "unwritable", f"Google writes no JSON ({error}), Taxon writes {answer!r}"
        return
    assert again == "written", f"Taxon says {again}: {answer.decode()}"
    assert comparable(answer) == comparable(written), f"Google has {written}, Taxon has {answer.decode()}"


def json_ignoring_unknown(name: str, text: str) -> None:
    """As `json_to_binary`, where fields and names of enums that are not known are ignored."""
    outcome, answer = taxon.ask("json-ignoring", "binary", name, text.encode())
    expected, reason = parsed_json(name, text, ignore_unknown_fields=True)
    if outcome != "written":
        assert outcome == "refused", f"Taxon cannot write what it has read: {answer!r}"
        if expected is not None and not excepted(JSON_ONLY_GOOGLE_ACCEPTS + IGNORING_ONLY_GOOGLE_ACCEPTS, answer.decode()):
            raise AssertionError(f"Google reads it, Taxon does not: {answer.decode()}\n{expected}")
    elif expected is not None:
        compare(name, None, expected, answer)
    elif not excepted(JSON_ONLY_TAXON_ACCEPTS + IGNORING_ONLY_TAXON_ACCEPTS, reason):
        raise AssertionError(f"Taxon reads it, Google does not: {reason}")


def merged(name: str, parts: list[bytes]) -> None:
    """Bytes of messages behind each other are one message, and the one that Google merges of them."""
    binary(name, b"".join(parts))
    expected = message_class(name)()
    for part in parts:
        expected.MergeFrom(message_class(name).FromString(part))
    outcome, answer = taxon.ask("binary", "binary", name, b"".join(parts))
    if outcome == "written":
        compare(name, None, expected, answer)


def unknown(name: str, data: bytes) -> None:
    """Fields that a type does not have come back byte for byte."""
    outcome, answer = taxon.ask("binary", "binary", "taxon.test.Nothing", data)
    assert (outcome, answer) == ("written", data), f"{data.hex()} became {outcome} {answer!r}"


CHECKS: dict[str, Callable] = {
    "binary": binary, "binary_to_json": binary_to_json, "json_to_binary": json_to_binary,
    "json_ignoring_unknown": json_ignoring_unknown, "merged": merged, "unknown": unknown,
}  # fmt: skip
