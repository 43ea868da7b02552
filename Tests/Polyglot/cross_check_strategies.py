# SPDX-License-Identifier: Apache-2.0
"""Random messages, bytes and JSON texts for any message type, made from its descriptor."""

import copy
import functools
import json
import math
import struct

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from wire_form import WIRE_TYPES, delimited, varint

F = FieldDescriptor


def edges(*values: object) -> st.SearchStrategy:
    return st.sampled_from(values)


def integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    some = [n for n in (low, low + 1, -1, 0, 1, 127, 128, 16383, 16384, 1 << 31, 1 << 32, high - 1, high) if low <= n <= high]
    return st.one_of(edges(*some), st.integers(low, high))


def _double(bits: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def _float(bits: int) -> float:
    return struct.unpack("<f", struct.pack("<I", bits))[0]


# Zeros, denormals, the bounds, what is next to a power of two, infinities, NaN; and any bits, NaN with a payload too.
DOUBLES = st.one_of(
    edges(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf, -math.inf, math.nan,
          0.1, 1 / 3, 1e21, 1e-7, 123456789012345680.0, 2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, 1.5, -1.0, 100.0),
    st.builds(_double, st.integers(0, (1 << 64) - 1)), st.floats(width=64),
)  # fmt: skip
FLOATS = st.one_of(
    edges(0.0, -0.0, _float(1), -_float(1), _float(0x007FFFFF), _float(0x00800000), _float(0x7F7FFFFF), math.inf,
          -math.inf, math.nan, _float(0x3DCCCCCD), 16777216.0, 8388609.0, 1.5, -1.0, 100.0),
    st.builds(_float, st.integers(0, (1 << 32) - 1)), st.floats(width=32),
)  # fmt: skip
# All of Unicode but the surrogates, which UTF-8 has not; now and then long ones.
TEXTS = st.one_of(
    edges("", "\0", "a", "é", "\u2028\u2029", "\U0001f600", "\ufffd\uffff", '"\\/\b\f\n\r\t\x7f', "</script>", "a" * 5000, "ü" * 2500),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)  # fmt: skip
BLOBS = st.one_of(edges(b"", b"\0", b"\xff\xfe", bytes(range(256)), b"\x80" * 5000), st.binary(max_size=12))

SCALARS = {
    F.TYPE_DOUBLE: DOUBLES, F.TYPE_FLOAT: FLOATS, F.TYPE_BOOL: st.booleans(), F.TYPE_STRING: TEXTS, F.TYPE_BYTES: BLOBS,
    F.TYPE_INT32: integers(32, signed=True), F.TYPE_SINT32: integers(32, signed=True),
    F.TYPE_SFIXED32: integers(32, signed=True), F.TYPE_INT64: integers(64, signed=True),
    F.TYPE_SINT64: integers(64, signed=True), F.TYPE_SFIXED64: integers(64, signed=True),
    F.TYPE_UINT32: integers(32, signed=False), F.TYPE_FIXED32: integers(32, signed=False),
    F.TYPE_UINT64: integers(64, signed=False), F.TYPE_FIXED64: integers(64, signed=False),
}  # fmt: skip


@functools.cache
def scalar(field: FieldDescriptor) -> st.SearchStrategy:
    if field.type == F.TYPE_ENUM:
        numbers = [value.number for value in field.enum_type.values]
        known = st.sampled_from(numbers)
        return known if field.enum_type.is_closed else st.one_of(known, integers(32, signed=True))
    return SCALARS[field.type]


@functools.cache
def fields_of(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Fields and extensions."""
    extensions = descriptor.file.pool.FindAllExtensions(descriptor) if descriptor.is_extendable else []
    return (*descriptor.fields, *sorted(extensions, key=lambda field: field.number))


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


class Messages:
    """Messages of any type. `json` has only those that JSON can say, whatever else the types allow."""

    def __init__(self, names: list[str], *, json: bool) -> None:
        self.names, self.json = names, json

    @functools.cache
    def of(self, descriptor: Descriptor, depth: int = 4) -> st.SearchStrategy[Message]:
        return _message(self, descriptor, depth)

    def scalar(self, field: FieldDescriptor) -> st.SearchStrategy:
        """JSON has one NaN, and one null."""
        if self.json and field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue":
            return st.just(0)
        if self.json and field.type in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
            return scalar(field).map(lambda value: math.nan if math.isnan(value) else value)
        return scalar(field)

    def fill(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        descriptor = message.DESCRIPTOR
        special = getattr(self, "_" + descriptor.full_name.replace("google.protobuf.", "").lower(), None)
        if special is not None and descriptor.full_name.startswith("google.protobuf.") and (self.json or descriptor.name == "Any"):
            return special(draw, message, depth)
        fields = fields_of(descriptor)
        chosen = [field for field in fields if field.is_required]
        if fields:
            most = 5 if depth > 2 else 2
            chosen += draw(st.lists(st.sampled_from(fields), max_size=most, unique_by=lambda field: field.number))
        for field in chosen:
            if depth > 0 or field.message_type is None or field.is_required:
                self._set(draw, message, field, depth - 1)

    def _set(self, draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.type == F.TYPE_GROUP and self.json:
            return
        place = message.Extensions[field] if field.is_extension and (field.is_repeated or field.message_type) else None
        if place is None and (field.is_repeated or field.message_type):
            place = getattr(message, field.name)
        if is_map(field):
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            for one in draw(st.lists(scalar(key), max_size=3)):
                if value.message_type is not None:
                    self.fill(draw, place[one], depth)
                else:
                    place[one] = draw(self.scalar(value))
        elif field.is_repeated and field.message_type is not None:
            for _ in range(draw(st.integers(0, 3))):
                self.fill(draw, place.add(), depth)
        elif field.is_repeated:
            place.extend(draw(st.lists(self.scalar(field), max_size=6)))
        elif field.message_type is not None:
            place.SetInParent()
            self.fill(draw, place, depth)
        elif field.is_extension:
            message.Extensions[field] = draw(self.scalar(field))
        else:
            setattr(message, field.name, draw(self.scalar(field)))

    # The types that have a JSON form of their own, as far as it goes.

    def _any(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        if depth <= 0 or draw(st.integers(0, 9)) == 0:
            return
        name = draw(st.sampled_from(self.names))
        inside = GetMessageClass(message.DESCRIPTOR.file.pool.FindMessageTypeByName(name))()
        self.fill(draw, inside, depth - 1)
        if inside.IsInitialized():
            prefix = draw(edges("type.googleapis.com/", "/", "example.org/more/"))
            message.type_url = prefix + name
            message.value = inside.SerializeToString(deterministic=True)

    def _timestamp(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        low, high = -62135596800, 253402300799
        message.seconds = draw(st.one_of(edges(low, -1, 0, 951782400, 4107542399, high), st.integers(low, high)))
        message.nanos = draw(NANOS)

    def _duration(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        bound = 315576000000
        sign = draw(edges(1, -1))
        message.seconds = sign * draw(st.one_of(edges(0, 1, bound), st.integers(0, bound)))
        if abs(message.seconds) < bound:
            message.nanos = sign * draw(NANOS)

    def _fieldmask(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        message.paths.extend(draw(st.lists(edges("a", "foo_bar", "a.b_c.d", "foo_bar_baz", "x1", "ab_c2"), max_size=3)))

    def _value(self, draw: st.DrawFn, message: Message, depth: int) -> None:
        kind = draw(st.sampled_from(list(message.DESCRIPTOR.fields)[: None if depth > 0 else 4]))
        if kind.name == "number_value":
            message.number_value = draw(DOUBLES.filter(math.isfinite))
        else:
            self._set(draw, message, kind, depth - 1)


NANOS = st.one_of(edges(0, 1, 999999999, 500000000, 1000, 1000000, 123000, 100), st.integers(0, 999999999))


@st.composite
def _message(draw: st.DrawFn, messages: Messages, descriptor: Descriptor, depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    messages.fill(draw, message, depth)
    return message


# Bytes, whatever the schema says.


VARINTS = st.builds(
    lambda number, padding: varint(number, padding=padding),
    st.one_of(st.integers(0, 9), integers(32, signed=True), integers(64, signed=False)), edges(0, 0, 0, 0, 1, 8),
)  # fmt: skip
NUMBERS = st.one_of(st.integers(1, 40), edges(1000, 18999, 99999, (1 << 29) - 1), st.integers(1, (1 << 29) - 1))
# What is no field: number 0, the wire types 6 and 7, an end without a start, a tag that is too great or cut off.
NONSENSE = edges(b"\0", b"\x02\0", b"\x0e", b"\x0f", b"\x0c", b"\xff\xff\xff\xff\x7f\0", b"\x80\x80\x80\x80\x10\0", b"\xff", b"\x08")


@functools.cache
def wire(descriptor: Descriptor | None, depth: int = 4, *, nonsense: bool = False) -> st.SearchStrategy[bytes]:
    """Fields that the type has and others, with the right wire type or not, in any order, once or more often."""
    return _wire(descriptor, depth, nonsense)


@st.composite
def _wire(draw: st.DrawFn, descriptor: Descriptor | None, depth: int, nonsense: bool) -> bytes:
    fields = fields_of(descriptor) if descriptor is not None else ()
    if descriptor is not None and descriptor.GetOptions().map_entry:
        # See wire_form.tidy.
        some = draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))
        return b"".join(_field(draw, field, depth, in_entry=True) for field in some)
    parts = []
    if descriptor is not None:
        for field in descriptor.fields:
            if field.is_required and draw(st.integers(0, 9)):
                parts.append(_field(draw, field, depth))
    # Few fields, so that one comes twice.
    some = draw(st.lists(st.sampled_from(fields), max_size=3)) if fields else []
    for _ in range(draw(st.integers(0, 6 if depth > 2 else 3))):
        if some and draw(st.integers(0, 4)):
            parts.append(_field(draw, draw(st.sampled_from(some)), depth))
        elif nonsense and draw(st.integers(0, 4)) == 0:
            parts.append(draw(NONSENSE))
        else:
            parts.append(_record(draw, draw(NUMBERS), draw(edges(0, 1, 2, 3, 5)), depth))
    return b"".join(parts)


def _field(draw: st.DrawFn, field: FieldDescriptor, depth: int, *, in_entry: bool = False) -> bytes:
    kind = WIRE_TYPES.get(field.type, 0)
    other = draw(st.integers(0, 7))
    if other == 0 and not in_entry:
        return _record(draw, field.number, draw(edges(0, 1, 2, 3, 5)), depth)
    if field.type in (F.TYPE_MESSAGE, F.TYPE_GROUP):
        inside = draw(wire(field.message_type, depth - 1)) if depth > 0 else b""
        if field.type == F.TYPE_GROUP:
            return varint(field.number << 3 | 3) + inside + varint(field.number << 3 | 4)
        return delimited(field.number, inside)
    if field.type == F.TYPE_STRING:
        return delimited(field.number, draw(TEXTS).encode())
    if kind == 2:
        return delimited(field.number, draw(BLOBS))
    value = {1: st.binary(min_size=8, max_size=8), 5: st.binary(min_size=4, max_size=4), 0: VARINTS}[kind]
    if field.type == F.TYPE_ENUM:
        value = st.one_of(value, st.sampled_from([varint(known.number) for known in field.enum_type.values]))
    if other < 4 and field.is_repeated:
        return delimited(field.number, b"".join(draw(st.lists(value, max_size=5))))
    return varint(field.number << 3 | kind) + draw(value)


def _record(draw: st.DrawFn, number: int, kind: int, depth: int) -> bytes:
    tag = varint(number << 3 | kind)
    if kind == 3:
        inside = draw(wire(None, depth - 1)) if depth > 0 else b""
        return tag + inside + varint(number << 3 | 4)
    if kind == 2:
        inside = wire(None, depth - 1) if depth > 0 else BLOBS
        return delimited(number, draw(st.one_of(BLOBS, inside, st.lists(VARINTS, max_size=4).map(b"".join))))
    return tag + draw({0: VARINTS, 1: st.binary(min_size=8, max_size=8), 5: st.binary(min_size=4, max_size=4)}[kind])


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with something cut off, taken out, put in, changed or said twice."""
    data = draw(whole)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 4)))
        match draw(st.integers(0, 4)):
            case 0: data = data[:start]
            case 1: data = data[:start] + data[end:]
            case 2: data = data[:start] + draw(st.binary(min_size=1, max_size=3)) + data[start:]
            case 3: data = data[:start] + draw(st.binary(min_size=1, max_size=1)) + data[start + 1 :]
            case _: data = data[:end] + data[start:]
    return data


# JSON, whatever the schema says.

ODD = [
    None, True, False, 0, -1, 1.0, 1.5, -0.0, 1e2, 1e21, 1e308, 3.4028235e38, 3.5e38, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63,
    2**64, -(2**31) - 1, -(2**63), -(2**63) - 1, "", "0", "1", "-1", "1.0", "1.5", "1e2", "01", "+1", "0x1", " 1", "1 ", "-0",
    "NaN", "Infinity", "-Infinity", "nan", "inf", "true", "false", "null", "9223372036854775808", "18446744073709551616",
    "AA==", "AA", "-_8=", "-_8", "+/8=", "A", "AA=", "A*==", "é", "\0", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.1+01:30",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z",
    "1972-02-30T00:00:00Z", "1970-01-01t00:00:00z", "1s", "-1.5s", "0.000000001s", "1.0000000001s", "315576000001s", "1",
    "a,b.cD", "foo_bar", "fooBar,", "RED", "COLOUR_RED", "COLOUR_CRIMSON", "colour_red", "SHAPE_ROUND", "NULL_VALUE", "ON",
    [], [None], [1], ["a"], [[]], [{}], {}, {"": 1}, {"a": 1}, {"1": 1}, {"true": "AA=="}, {"value": 1}, {"number": 1},
    {"number": 1, "name": ""}, {"@type": "type.googleapis.com/google.protobuf.Empty"}, {"@type": "nothing"}, {"@type": 1},
    {"@type": "type.googleapis.com/google.protobuf.Int32Value", "value": 1}, {"@type": "/taxon.test.Child", "number": "1"},
]  # fmt: skip


@st.composite
def odd_json(draw: st.DrawFn, messages: st.SearchStrategy[Message]) -> str:
    """A message's JSON with a value, a key or a character of another kind, twice, or not there."""
    message = draw(messages)
    tree = {"": json_format.MessageToDict(message, preserving_proto_field_name=draw(st.booleans()))}
    for _ in range(draw(st.integers(0, 2))):
        # A way down from the top to any node.
        place, key = tree, ""
        while isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 3)):
            place = place[key]
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place, dict) and key and draw(st.integers(0, 3)) == 0:
            place[draw(st.one_of(TEXTS, edges("number", "doubleValue", "bool_value", "@type", "value", "1", "true", "[a.b]")))] = place.pop(key)
        elif isinstance(place[key], dict) and draw(st.booleans()):
            fields = [name for field in fields_of(message.DESCRIPTOR) for name in (field.json_name, field.name)]
            place[key] = dict(place[key])
            place[key][draw(st.sampled_from([*fields, "x"]))] = copy.deepcopy(draw(st.sampled_from(ODD)))
        else:
            place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    text = json.dumps(tree[""], ensure_ascii=draw(st.booleans()), indent=draw(edges(None, None, 1)))
    if draw(st.integers(0, 3)) == 0 and text:
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 2)))
        text = text[:start] + draw(edges("", ",", "{", "]", '"', "\\", "0", "e", "-", ".", "\t", "\x01", "\\ud83d", "\\u00e9", "1")) + text[end:]
    return text
