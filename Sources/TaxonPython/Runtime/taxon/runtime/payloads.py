# SPDX-License-Identifier: Apache-2.0
"""The fields of errors: as text, as JSON, and without those that must not leave."""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf import (
    any_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from taxon import taxonomy_pb2

Kind = TypeVar("Kind", bound=Message)
Field = Any
"""A FieldDescriptor: stubs have two, of Python's and of C's implementation."""

_ANY = "google.protobuf.Any"
_FIELD_VIOLATION = error_details_pb2.BadRequest.FieldViolation.DESCRIPTOR.full_name
_INTERNAL = frozenset({taxonomy_pb2.INTERNAL})
_NOT_SAFE = frozenset({taxonomy_pb2.INTERNAL, taxonomy_pb2.PERSONAL})
_MOST_ANYS = 100
"""How many Anys may be in one another; what is deeper is taken away."""

_WHOLE = frozenset({
    FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32, FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_SFIXED64,
    FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64,
})  # fmt: skip


def make(kind: type[Kind], fields: Mapping[str, object]) -> Kind:
    """A message with these fields; None stands for a field that is not set.

    Raises TypeError for a field without presence that is None, for a text or bytes where there should be a list, and
    for two members of one oneof.
    """
    given: dict[str, Any] = {}
    oneofs: dict[str, str] = {}
    for name, value in fields.items():
        field = kind.DESCRIPTOR.fields_by_name[name]
        if value is None:
            if not field.has_presence or is_required(field):
                raise TypeError(f"{kind.DESCRIPTOR.name} cannot be without {name}")
            continue
        if is_repeated(field) and isinstance(value, (str, bytes)):
            raise TypeError(f"{name} of {kind.DESCRIPTOR.name} is a list, and {type(value).__name__} is none")
        oneof = field.containing_oneof
        if oneof is not None and oneofs.setdefault(oneof.name, name) != name:
            raise TypeError(f"{kind.DESCRIPTOR.name} cannot have both {oneofs[oneof.name]} and {name}")
        given[name] = value
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{_culprit(kind, given)} of {kind.DESCRIPTOR.name}: {error}") from None


def _culprit(kind: type[Message], fields: Mapping[str, Any]) -> str:
    """The first field that its message does not take."""
    for name, value in fields.items():
        try:
            kind(**{name: value})
        except (TypeError, ValueError):
            return name
    return ", ".join(fields)


def is_repeated(field: Field) -> bool:
    """Lists and maps."""
    # `label` is going away, and protobuf 5 has nothing else.
    known = getattr(field, "is_repeated", None)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED if known is None else known)


def is_required(field: Field) -> bool:
    """Of proto2, and without a default of its own."""
    known = getattr(field, "is_required", None)
    return bool(field.label == FieldDescriptor.LABEL_REQUIRED if known is None else known)


def safety(field: Field) -> int:
    """Where the value of a field may go."""
    known = _safeties.get(field.full_name)
    if known is None:
        known = int(field.GetOptions().Extensions[taxonomy_pb2.field].safety) or int(taxonomy_pb2.SAFE)
        _safeties[field.full_name] = known
    return known


_safeties: dict[str, int] = {}


# What leaves.


def public(message: Kind) -> Kind:
    """A copy without internal fields, at any depth."""
    return _without(message, _INTERNAL)


def safe(message: Kind) -> Kind:
    """A copy without internal and personal fields, at any depth."""
    return _without(message, _NOT_SAFE)


def _without(message: Kind, kinds: frozenset[int]) -> Kind:
    copy = type(message)()
    copy.CopyFrom(message)
    _clear(copy, kinds, 0)
    return copy


def _clear(message: Message, kinds: frozenset[int], anys: int) -> None:
    if message.DESCRIPTOR.full_name == _ANY:
        _clear_any(message, kinds, anys)
        return
    for field, value in message.ListFields():
        if safety(field) in kinds:
            _reset(message, field)
        elif field.message_type is None:
            continue
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for item in value.values():
                    _clear(item, kinds, anys)
        else:
            for item in value if is_repeated(field) else [value]:
                _clear(item, kinds, anys)


def _reset(message: Message, field: Field) -> None:
    if field.is_extension:
        message.ClearExtension(field)
    elif not is_required(field):
        message.ClearField(field.name)
    elif field.message_type is None:
        # A message without a field that it has to have could not be sent.
        setattr(message, field.name, field.default_value)
    else:
        getattr(message, field.name).Clear()
        getattr(message, field.name).SetInParent()


def _clear_any(message: Message, kinds: frozenset[int], depth: int) -> None:
    """What holds a type that nobody knows here stays as it is; of what does not hold what it says, the type is left."""
    any_: Any = message
    if depth >= _MOST_ANYS:
        any_.Clear()
        return
    try:
        kind = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(any_.type_url.rpartition("/")[2]))
    except KeyError:
        return
    try:
        held = kind.FromString(any_.value)
    except DecodeError:
        any_.ClearField("value")
        return
    before = held.SerializePartialToString(deterministic=True)
    _clear(held, kinds, depth + 1)
    after = held.SerializePartialToString(deterministic=True)
    if after != before:
        any_.value = after


# Text.


def text(message: Message, name: str, otherwise: str) -> str:
    """A field as messages show it; `otherwise` stands for a field that is not set, or has its default without
    presence."""
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.has_presence and not is_required(field):
        return _field_text(message, field) if message.HasField(name) else otherwise
    return _field_text(message, field) if not otherwise or getattr(message, name) else otherwise


def metadata(message: Message) -> dict[str, str]:
    """The safe fields that are set, or have no presence, as text; not those that hold messages."""
    return {
        field.name: _field_text(message, field)
        for field in message.DESCRIPTOR.fields
        if field.message_type is None and safety(field) == taxonomy_pb2.SAFE and _counts(message, field)
    }


def _counts(message: Message, field: Field) -> bool:
    return not field.has_presence or is_required(field) or message.HasField(field.name)


def _field_text(message: Message, field: Field) -> str:
    value = getattr(message, field.name)
    return ", ".join(_scalar_text(field, item) for item in (value if is_repeated(field) else [value]))


def _scalar_text(field: Field, value: Any) -> str:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float):
        return _number_text(value, is_single=field.type == FieldDescriptor.TYPE_FLOAT)
    return str(value)


def _number_text(value: float, *, is_single: bool) -> str:
    """The shortest form that reads back the same, as Swift writes it; whole numbers without a fraction."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    scientific = _shortest_single(value) if is_single else _shortest(value)
    sign = "-" if scientific.startswith("-") else ""
    mantissa, _, exponent = scientific.lstrip("-").partition("e")
    digits, point = mantissa.replace(".", "").rstrip("0") or "0", int(exponent) + 1
    if value != 0 and (point < -3 or abs(value) > (2.0**24 if is_single else 2.0**53)):
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        power = point - 1
        return f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _shortest(value: float) -> str:
    return next(text for text in (f"{value:.{count}e}" for count in range(17)) if float(text) == value)


def _shortest_single(value: float) -> str:
    def single(number: float) -> bytes:
        try:
            return struct.pack("<f", number)
        except OverflowError:
            return b""

    wanted = single(value)
    return next(text for text in (f"{value:.{count}e}" for count in range(17)) if single(float(text)) == wanted)


def seconds(message: Message, name: str, per_second: int) -> float | None:
    """A field as a time to wait: a whole number of units, or a Duration; None where it is not set, or zero without presence."""
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.has_presence and not message.HasField(name):
        return None
    if field.message_type is not None:
        return float(value.seconds + value.nanos / 1e9)
    return value / per_second if value or field.has_presence else None


# JSON.


def json_details(message: Message, violations: Sequence[Any]) -> dict[str, Any]:
    """The safe fields as JSON: what the standard calls details."""
    details: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if safety(field) != taxonomy_pb2.SAFE:
            continue
        if field.message_type is None:
            if _counts(message, field):
                value = getattr(message, field.name)
                many = is_repeated(field)
                details[field.name] = [_json(field, item) for item in value] if many else _json(field, value)
        elif field.message_type.full_name == _FIELD_VIOLATION:
            details[field.name] = [_violation(violation) for violation in violations]
        else:
            written = _message_json(message, field)
            if written is not None:
                details[field.name] = written
    return details


def _json(field: Field, value: Any) -> Any:
    """Whole numbers that readers in JavaScript would round, and numbers that JSON cannot spell, are texts."""
    if field.enum_type is None:
        if isinstance(value, (bool, str)):
            return value
        if field.type in _WHOLE and abs(value) <= 1 << 53:
            return value
        if isinstance(value, float) and math.isfinite(value):
            written = float(_number_text(value, is_single=field.type == FieldDescriptor.TYPE_FLOAT))
            return int(written) if written.is_integer() and abs(written) < 1 << 53 else written
    return _scalar_text(field, value)


_WELL_KNOWN = descriptor_pool.DescriptorPool()
"""The types that an Any may hold in JSON: what else is known depends on the process."""
for _file in (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2):
    _WELL_KNOWN.AddSerializedFile(_file.DESCRIPTOR.serialized_pb)


def _violation(violation: Any) -> dict[str, str]:
    shown = {"field": violation.field, "message": violation.description}
    return shown | {"type": violation.reason} if getattr(violation, "reason", "") else shown


def _message_json(message: Message, field: Field) -> Any:
    """A field that holds messages; None where it is not set, or holds an Any of another type than protobuf's own."""
    alone = safe(message)
    for other, _ in alone.ListFields():
        if other.name != field.name:
            alone.ClearField(other.name)
    try:
        shown = json_format.MessageToDict(alone, preserving_proto_field_name=True, descriptor_pool=_WELL_KNOWN)
    except (ValueError, TypeError, json_format.Error):
        return None
    return shown.get(field.name)
