# SPDX-License-Identifier: Apache-2.0
"""Random bytes and JSON texts that are nearly messages of a type, made from its descriptor."""

import copy
import functools
import json

from cross_check_strategies import BLOBS, TEXTS, edges, fields_of, integers
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from wire_form import WIRE_TYPES, delimited, varint

F = FieldDescriptor

# Bytes, whatever the schema says.


VARINTS = st.builds(
    lambda number, padding: varint(number, padding=padding),
    st.one_of(st.integers(0, 9), integers(32, signed=True), integers(64, signed=False)), edges(0, 0, 0, 0, 1, 8),
)  # fmt: skip
NUMBERS = st.one_of(st.integers(1, 40), edges(1000, 18999, 99999, (1 << 29) - 1), st.integers(1, (1 << 29) - 1))
# What is no field: number 0, the wire types 6 and 7, an end without a start, a tag that is too great or cut off.
NONSENSE = edges(
    b"\0", b"\x02\0", b"\x0e", b"\x0f", b"\x0c", b"\xff\xff\xff\xff\x7f\0", b"\x80\x80\x80\x80\x10\0", b"\xff", b"\x08",
)  # fmt: skip


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
        data = draw(
            st.one_of(
                st.just(data[:start]),
                st.just(data[:start] + data[end:]),
                st.just(data[:end] + data[start:]),
                st.binary(min_size=1, max_size=3).map(lambda more, at=start, all=data: all[:at] + more + all[at:]),
                st.binary(min_size=1, max_size=1).map(lambda more, at=start, all=data: all[:at] + more + all[at + 1 :]),
            )
        )
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
KEYS = edges("number", "doubleValue", "bool_value", "@type", "value", "1", "true", "[a.b]")
PIECES = edges("", ",", "{", "]", '"', "\\", "0", "e", "-", ".", "\t", "\x01", "\\ud83d", "\\u00e9", "1")


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
            place[draw(st.one_of(TEXTS, KEYS))] = place.pop(key)
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
        text = text[:start] + draw(PIECES) + text[end:]
    return text
