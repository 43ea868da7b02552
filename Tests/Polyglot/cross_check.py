# SPDX-License-Identifier: Apache-2.0
"""Taxon and Google's protobuf on the same input: `taxon-cross-check` as a process, and what has to agree.

A check takes a type's name and an input, and raises AssertionError where the two differ. Where Google's Python is known
to do otherwise than the specification says, `EXCEPTIONS` has it, with the reason.
"""

import json
import re
import struct
import subprocess
from collections.abc import Callable

import everything_pb2
import json_pb2
import kinds_pb2
import legacy_pb2
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from repository import executable

FILES = [everything_pb2, json_pb2, kinds_pb2, legacy_pb2]


def message_class(name: str) -> type[Message]:
    return GetMessageClass(Default().FindMessageTypeByName(name))


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
        except (BrokenPipeError, EOFError):
            status, self.process = self.process.wait(), None
            raise AssertionError(f"Taxon's process ended with {status}") from None
        return outcome.decode(), answer

    def _bytes(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
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


# What Google makes of it.


def parsed(name: str, data: bytes) -> Message | None:
    """The message; None where Google refuses it. Google's parser leaves required fields to who asks."""
    message = message_class(name)()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message if message.IsInitialized() else None


def parsed_json(name: str, text: str) -> tuple[Message | None, str]:
    """The message, or None and the reason."""
    message = message_class(name)()
    try:
        json_format.Parse(text, message)
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
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if not field.is_repeated:
            _make_canonical(value)
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for inner in value.values():
                    _make_canonical(inner)
        else:
            for inner in value:
                _make_canonical(inner)


def comparable(text: str | bytes) -> object:
    """JSON without what does not matter: white space, the order of members, how a number is written."""

    def unique(members: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in members}) == len(members), f"a key twice in {text!r}"
        return dict(members)

    return json.dumps(json.loads(text, parse_int=float, object_pairs_hook=unique), sort_keys=True)


# What has to agree.


def binary(name: str, data: bytes) -> None:
    """Both refuse the bytes, or both accept them and mean the same: also fields that are unknown, and merged ones."""
    outcome, answer = taxon.ask("binary", "binary", name, data)
    expected = parsed(name, data)
    if outcome != "written":
        assert outcome == "refused", f"Taxon cannot write what it has read: {answer!r}"
        if expected is not None and not excepted(BINARY_ONLY_GOOGLE_ACCEPTS, answer.decode()):
            raise AssertionError(f"Google reads it, Taxon does not: {answer.decode()}\n{expected}")
        return
    if expected is None:
        raise AssertionError(f"Taxon reads it, Google does not; Taxon's bytes are {answer.hex()}")
    actual = parsed(name, answer)
    assert actual is not None, f"Google does not read what Taxon writes: {answer.hex()}"
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
    actual = parsed(name, answer)
    assert actual is not None, f"Google does not read what Taxon writes: {answer.hex()}"
    left, right = canonical(expected), canonical(actual)
    assert left == right, f"Google has {left.hex()}\n{expected}Taxon has {right.hex()}\n{actual}"
    again, answer = taxon.ask("json", "json", name, text.encode())
    try:
        written = json_format.MessageToJson(expected)
    except Exception as error:  # noqa: BLE001
        assert again == "unwritable", f"Google writes no JSON ({error}), Taxon writes {answer!r}"
        return
    assert again == "written", f"Taxon says {again}: {answer.decode()}"
    assert comparable(answer) == comparable(written), f"Google has {written}, Taxon has {answer.decode()}"


def unknown(name: str, data: bytes) -> None:
    """Fields that a type does not have come back byte for byte."""
    outcome, answer = taxon.ask("binary", "binary", "taxon.test.Nothing", data)
    assert (outcome, answer) == ("written", data), f"{data.hex()} became {outcome} {answer!r}"


CHECKS: dict[str, Callable] = {
    "binary": binary, "binary_to_json": binary_to_json, "json_to_binary": json_to_binary, "unknown": unknown,
}  # fmt: skip

# Where the two are known to differ: what the one that refuses says, and why the other is wrong.
BINARY_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = []
JSON_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = []
JSON_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = []


def excepted(exceptions: list[tuple[str, str]], reason: str) -> bool:
    return any(re.search(pattern, reason) for pattern, _ in exceptions)
