# SPDX-License-Identifier: Apache-2.0
"""Where Google's Python is known to do otherwise than the specification says, or than Taxon for a reason.

Each list has what the side that refuses an input says, and why the other one accepts it.
"""

import re

import edition2023_pb2
import edition2024_pb2
import everything_pb2
import json_pb2
import kinds_pb2
import leaves_pb2
import legacy_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

FILES = [everything_pb2, json_pb2, kinds_pb2, legacy_pb2, edition2023_pb2, edition2024_pb2, leaves_pb2]


def value_of(field: FieldDescriptor) -> FieldDescriptor:
    """What a field holds: of a map, its values."""
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return field.message_type.fields_by_name["value"] if is_map else field


ENUM_FIELDS = sorted({
    field.name for file in FILES for message in file.DESCRIPTOR.message_types_by_name.values()
    for field in message.fields if value_of(field).enum_type
})  # fmt: skip
PROTO2_TYPES = [
    re.escape(message.full_name)
    for file in (kinds_pb2, legacy_pb2)
    for message in file.DESCRIPTOR.message_types_by_name.values()
]

BINARY_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    (rf"^({'|'.join(PROTO2_TYPES)})\.\S+: a string is not UTF-8", "proto2 had no such rule"),
    (r"^test\.edition(2023\.\w+\.unchecked|2024\.\S+): a string is not UTF-8", "utf8_validation = NONE: Swift's strings have no other"),
    ("invalid field number 0", "upb does not look at numbers in a group that it skips, nor where a type has no fields"),
]
JSON_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("a text is not base64", "Python's base64 skips characters that are none, and takes any padding"),
    ("a number is expected", "Python's float() takes true and false"),
    ("a number is not valid JSON", "Python's int() and float() take leading zeros and more"),
    ("the name or the number of a value is expected", "Python's int() takes true and false"),
    (rf"\.({'|'.join(ENUM_FIELDS)}): a number does not fit the field", "json_format takes what is left of it in 32 bits"),
    (rf"\.({'|'.join(ENUM_FIELDS)}): a whole number has a fraction", "json_format rounds the number of an enum"),
    ("a text is not a time between", "Python's strptime takes one digit for two"),
    ("a text is not a duration", "json_format rounds a tenth digit and more"),
    (r"^google\.protobuf\.(Any|Timestamp|Duration|FieldMask|Struct|Value|ListValue|\w+Value): there is no field",
     "json_format does not look at what is beside the value of an Any"),
    ("messages are nested deeper than", "json_format counts no entries of maps, which are messages of the binary format"),
    (r"field \S+ occurs twice", "json_format takes a field under both of its names"),
    ("'{' is expected", "json_format takes what has no elements, [] and \"\", for an object that has no members"),
    ("a text is not a list of paths in lowerCamelCase", "json_format takes any text without an underscore for a path"),
]
IGNORING_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("a backslash does not begin an escape", "json_format does not look for half a surrogate in what it ignores"),
]
IGNORING_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    ("does not have extensions", "json_format does not ignore a key in brackets"),
    (r"Invalid enum value -?[\d.]+ for", "json_format ignores unknown names of enums, and not unknown numbers of closed ones"),
]
JSON_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    ("Float value too (large|small)", "json_format refuses the greatest float as it writes it itself: rounded up"),
    (r"null is not allowed .* at (\S*\.)?nulls\[", "json_format refuses a null in a list of NullValue as it writes it itself"),
    ("Message too deep", "json_format counts the outermost message, so one level less goes inside"),
]


def excepted(exceptions: list[tuple[str, str]], reason: str) -> bool:
    return any(re.search(pattern, reason) for pattern, _ in exceptions)


_convert_scalar = json_format._ConvertScalarFieldValue


def _convert_scalar_by_name(value: object, field: FieldDescriptor, path: str, *others: object, **more: object) -> object:
    """json_format takes a number in quotes for a value of an enum, where the specification has names and numbers."""
    if isinstance(value, str) and field.enum_type is not None and value not in field.enum_type.values_by_name:
        raise json_format.EnumStringValueParseError(f"Invalid enum value {value} at {path}")
    return _convert_scalar(value, field, path, *others, **more)


json_format._ConvertScalarFieldValue = _convert_scalar_by_name
