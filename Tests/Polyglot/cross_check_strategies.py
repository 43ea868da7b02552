# SPDX-License-Identifier: Apache-2.0
"""Random messages of any type, made from its descriptor."""

import functools
import math
import struct

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

F = FieldDescriptor


def edges(*values: object) -> st.SearchStrategy:
    return st.sampled_from(values)


def integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    some = (low, low + 1, -1, 0, 1, 127, 128, 16383, 16384, 1 << 31, 1 << 32, high - 1, high)
    return st.one_of(edges(*(number for number in some if low <= number <= high)), st.integers(low, high))


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
    edges("", "\0", "a", "é", "\u2028\u2029", "\U0001f600", "\ufffd\uffff", '"\\/\b\f\n\r\t\x7f', "</script>", "a" * 5000,
          "ü" * 2500),
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
        is_well_known = descriptor.full_name.startswith("google.protobuf.")
        special = getattr(self, "_" + descriptor.name.lower(), None) if is_well_known else None
        if special is not None and (self.json or descriptor.name == "Any"):
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
