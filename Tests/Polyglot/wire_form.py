# SPDX-License-Identifier: Apache-2.0
"""Protobuf's binary format, as far as one form of a message is made from another."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

F = FieldDescriptor

WIRE_TYPES = {
    F.TYPE_DOUBLE: 1, F.TYPE_FIXED64: 1, F.TYPE_SFIXED64: 1, F.TYPE_FLOAT: 5, F.TYPE_FIXED32: 5, F.TYPE_SFIXED32: 5,
    F.TYPE_STRING: 2, F.TYPE_BYTES: 2, F.TYPE_MESSAGE: 2, F.TYPE_GROUP: 3,
}  # fmt: skip


def varint(number: int, *, padding: int = 0) -> bytes:
    """A varint; `padding` more bytes than it takes, ten at most."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    for _ in range(min(padding, 10 - len(out))):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def delimited(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[start]
        number |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return number & (1 << 64) - 1, start


def fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and value of each field of bytes that are well formed; a group's value has its end."""
    start = 0
    while start < len(data):
        tag, begin = read_varint(data, start)
        value, start = _value(data, begin, tag & 7)
        yield tag >> 3, tag & 7, value


def _value(data: bytes, begin: int, kind: int) -> tuple[bytes, int]:
    if kind == 0:
        _, end = read_varint(data, begin)
    elif kind == 2:
        length, begin = read_varint(data, begin)
        end = begin + length
    elif kind == 3:
        end = begin
        while True:
            tag, end = read_varint(data, end)
            if tag & 7 == 4:
                break
            _, end = _value(data, end, tag & 7)
    else:
        end = begin + (8 if kind == 1 else 4)
    return data[begin:end], end


def tidy(descriptor: Descriptor, data: bytes) -> bytes:
    """The same message with what implementations agree to differ on left out.

    - Tags and varints take no more bytes than they have to: some keep an unknown field's as it came.
    - Entries of maps have a key and a value, and each once: a field in an entry that is neither is dropped by some, as
      in C++ and Java, while upb makes the whole entry an unknown field.
    """
    is_entry = descriptor.GetOptions().map_entry
    parts: list[tuple[int, bytes]] = []
    for number, kind, value in fields(data):
        field = descriptor.fields_by_number.get(number)
        is_own = field is not None and WIRE_TYPES.get(field.type, 0) == kind
        if is_entry and not is_own:
            continue
        if kind == 0:
            value = varint(read_varint(value, 0)[0])
        elif kind == 2:
            value = tidy(field.message_type, value) if is_own and field.message_type is not None else value
            value = varint(len(value)) + value
        if is_entry and field.message_type is None:
            parts = [part for part in parts if part[0] != number]
        parts.append((number, varint(number << 3 | kind) + value))
    return b"".join(part for _, part in parts)
