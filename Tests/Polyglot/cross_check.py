# SPDX-License-Identifier: Apache-2.0
"""Taxon and Google's protobuf on the same input: `taxon-cross-check` as a process, and what has to agree.

A check takes a type's name and an input, and raises AssertionError where the two differ. Where Google's Python is known
to do otherwise than the specification says, `EXCEPTIONS` has it, with the reason.
"""

import functools
import json
import re
import select
import struct
import subprocess
from collections.abc import Callable, Iterator

import everything_pb2
import json_pb2
import kinds_pb2
import legacy_pb2
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from repository import executable
from wire_form import tidy

FILES = [everything_pb2, json_pb2, kinds_pb2, legacy_pb2]
ENUM_FIELDS = sorted({
    field.name for file in FILES for message in file.DESCRIPTOR.message_types_by_name.values()
    for field in message.fields if field.enum_type
})  # fmt: skip
FIELDLESS_TYPES = ["taxon.test.Nothing", "taxon.test.Parcel", "google.protobuf.Empty"]
PROTO2_TYPES = [re.escape(message.full_name) for file in (kinds_pb2, legacy_pb2) for message in file.DESCRIPTOR.message_types_by_name.values()]


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


# What an answer may take; it takes milliseconds.
SECONDS = 30


class Taxon:
    """The process; one that ends is a failure of what it was asked, and the next question gets a new one."""

    process: subprocess.Popen[bytes] | None = None

    def ask(self, read: str, write: str, name: str, payload: bytes) -> tuple[str, bytes]:
        if self.process is None:
            self.process = subprocess.Popen(
                [executable("taxon-cross-check")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        request = f"{read} {write} {name}\n".encode() + payload
        try:
            self.process.stdin.write(struct.pack("<I", len(request)) + request)
            (length,) = struct.unpack("<I", self._bytes(4))
            outcome, _, answer = self._bytes(length).partition(b"\n")
        except (BrokenPipeError, EOFError, TimeoutError) as error:
            process, self.process = self.process, None
            if isinstance(error, TimeoutError):
                process.kill()
            status = process.wait()
            process.stdin.close()
            process.stdout.close()
            raise AssertionError(f"Taxon's process ended with {status}: {type(error).__name__}") from None
        return outcome.decode(), answer

    def _bytes(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            if not select.select([self.process.stdout], [], [], SECONDS)[0]:
                raise TimeoutError
            more = self.process.stdout.read(count - len(received))
            if not more:
                raise EOFError
            received += more
        return bytes(received)

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process = None


taxon = Taxon()
# How many there have been.
cases = 0


# What Google makes of it.


def parsed(name: str, data: bytes, pool: DescriptorPool | None = None) -> Message | None:
    """The message; None where Google refuses it. Google's parser leaves required fields to who asks."""
    message = message_class(name, pool)()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message if message.IsInitialized() else None


_convert_scalar = json_format._ConvertScalarFieldValue


def _convert_scalar_by_name(value: object, field: FieldDescriptor, path: str, *others: object, **more: object) -> object:
    """json_format takes a number in quotes for a value of an enum, where the specification has names and numbers."""
    if isinstance(value, str) and field.enum_type is not None and value not in field.enum_type.values_by_name:
        raise json_format.EnumStringValueParseError(f"Invalid enum value {value} at {path}")
    return _convert_scalar(value, field, path, *others, **more)


json_format._ConvertScalarFieldValue = _convert_scalar_by_name


def parsed_json(name: str, text: str, **options: bool) -> tuple[Message | None, str]:
    """The message, or None and the reason."""
    message = message_class(name)()
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
            yield from value.values()


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


def compare(name: str, pool: DescriptorPool | None, expected: Message, answer: bytes, data: bytes | None = None) -> None:
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

# Where the two are known to differ: what the one that refuses says, and why the other accepts it.
BINARY_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    (rf"^({'|'.join(PROTO2_TYPES)})\.\S+: a string is not UTF-8", "proto2 had no such rule, so upb lets strings of proto2 pass"),
    (rf"^({'|'.join(FIELDLESS_TYPES)}): there is no field number 0", "upb does not look at numbers where a type has no fields"),
]
JSON_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("a text is not base64", "Python's base64 skips characters that are none, and takes any padding"),
    ("a number is expected", "Python's float() takes true and false"),
    ("a number is not written as JSON has it", "Python's int() and float() take leading zeros and more"),
    ("the name or the number of a value is expected", "Python's int() takes true and false"),
    (rf"\.({'|'.join(ENUM_FIELDS)}): a number does not fit the field", "json_format takes what is left of it in 32 bits"),
    ("a text is no time between", "Python's strptime takes one digit for two"),
    ("a text is no duration", "json_format rounds a tenth digit and more"),
    (r"^google\.protobuf\.(Any|Timestamp|Duration|FieldMask|Struct|Value|ListValue|\w+Value): there is no field",
     "json_format does not look at what is beside the value of an Any"),
    ("messages are nested deeper than", "json_format counts no entries of maps, which are messages of the binary format"),
    (r"field \S+ is there twice", "json_format takes a field under both of its names"),
    ("'{' is expected", "json_format takes what has no elements, [] and \"\", for an object that has no members"),
    ("a text is no list of paths in lowerCamelCase", "json_format takes any text without an underscore for a path"),
]
IGNORING_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("a backslash begins no escape", "json_format does not look for half a surrogate in what it ignores"),
]
IGNORING_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    ("does not have extensions", "json_format does not ignore a key in brackets"),
    (r"Invalid enum value -?\d+ for", "json_format ignores unknown names of enums, and not unknown numbers of closed ones"),
]
JSON_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    ("Float value too (large|small)", "json_format refuses the greatest float as it writes it itself: rounded up to eight digits"),
    (r"null is not allowed .* at (\S*\.)?nulls\[", "json_format refuses a null in a list of NullValue as it writes it itself"),
    ("Message too deep", "json_format counts the outermost message, so one level less goes inside"),
]


def excepted(exceptions: list[tuple[str, str]], reason: str) -> bool:
    return any(re.search(pattern, reason) for pattern, _ in exceptions)
