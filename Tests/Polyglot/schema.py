# SPDX-License-Identifier: Apache-2.0
"""The errors that a schema declares, read from the options in the generated descriptors.

Says independently of the Swift side what an error has to look like on the wire, so that an error that is added to the
schema is tested without an edit here.
"""

import dataclasses
import re
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2
from octollm.v1 import errors_pb2, reflex_pb2
from taxon import error_traits_pb2, taxonomy_pb2

STATUS_CODES = {status.value[0]: status for status in grpc.StatusCode}

# google/rpc/code.proto: the HTTP status that usually goes with each code.
USUAL_HTTP_STATUS = {
    code_pb2.CANCELLED: 499, code_pb2.UNKNOWN: 500, code_pb2.INVALID_ARGUMENT: 400, code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404, code_pb2.ALREADY_EXISTS: 409, code_pb2.PERMISSION_DENIED: 403,
    code_pb2.RESOURCE_EXHAUSTED: 429, code_pb2.FAILED_PRECONDITION: 400, code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400, code_pb2.UNIMPLEMENTED: 501, code_pb2.INTERNAL: 500, code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500, code_pb2.UNAUTHENTICATED: 401,
}  # fmt: skip


@dataclass(frozen=True)
class Traits:
    """What a category or an error declares, or inherits."""

    status: int = 0
    http: int = 0
    severity: int = 0
    retry: int = 0
    breaker: int = 0
    safe: bool | None = None
    retry_after: timedelta | None = None

    def inside(self, outer: "Traits") -> "Traits":
        status = self.status or outer.status
        return Traits(
            status=status,
            # An HTTP status goes with the gRPC status it was declared for.
            http=self.http or (outer.http if status == outer.status else 0),
            severity=self.severity or outer.severity,
            retry=self.retry or outer.retry,
            breaker=self.breaker or outer.breaker,
            safe=outer.safe if self.safe is None else self.safe,
            retry_after=self.retry_after or outer.retry_after,
        )


@dataclass(frozen=True)
class DeclaredError:
    domain: str
    code: str
    message: type[Message]
    categories: tuple[str, ...]
    traits: Traits
    template: str
    options: taxonomy_pb2.ErrorOptions = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return f"{self.domain}/{self.code}"

    @property
    def fields(self) -> list[FieldDescriptor]:
        return list(self.message.DESCRIPTOR.fields)

    def fields_that_are(self, safety: int) -> list[FieldDescriptor]:
        return [field for field in self.fields if _safety(field) == safety]

    @property
    def status(self) -> grpc.StatusCode:
        return STATUS_CODES[self.traits.status]

    @property
    def http_status(self) -> int:
        return self.traits.http or USUAL_HTTP_STATUS[self.traits.status]

    @property
    def is_violation(self) -> bool:
        """True when it says which fields of the request are wrong."""
        violation = error_details_pb2.BadRequest.FieldViolation.DESCRIPTOR.full_name
        return any(
            field.GetOptions().Extensions[taxonomy_pb2.field].violation
            or (field.message_type is not None and field.message_type.full_name == violation)
            for field in self.fields
        )

    def text(self, payload: Message) -> str:
        """The message, rendered from the template."""

        def part(match: re.Match[str]) -> str:
            if match["brace"]:
                return match["brace"][0]
            field = self.message.DESCRIPTOR.fields_by_name[match["name"]]
            if match["count"]:
                return str(len(getattr(payload, field.name)))
            text = field_text(payload, field) if is_set(payload, field) else None
            return text if text else match["otherwise"] or text or ""

        pattern = r"(?P<brace>\{\{|\}\})|\{(?P<name>\w+)(?P<count>\.count)?(\|(?P<otherwise>[^}]*))?\}"
        return re.sub(pattern, part, self.template)

    def metadata(self, payload: Message) -> dict[str, str]:
        """What ErrorInfo says of the fields: the SAFE ones that are set, or have no presence, as text."""
        return {
            field.name: field_text(payload, field)
            for field in self.fields_that_are(taxonomy_pb2.SAFE)
            if field.message_type is None and is_set(payload, field)
        }


def is_set(payload: Message, field: FieldDescriptor) -> bool:
    return payload.HasField(field.name) if field.has_presence else True


def field_text(payload: Message, field: FieldDescriptor) -> str:
    value = getattr(payload, field.name)
    values = list(value) if field.is_repeated else [value]
    return ", ".join(_scalar_text(field, value) for value in values)


def _scalar_text(field: FieldDescriptor, value: object) -> str:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _safety(field: FieldDescriptor) -> int:
    return field.GetOptions().Extensions[taxonomy_pb2.field].safety or taxonomy_pb2.SAFE


def _traits(options: Message) -> Traits:
    return Traits(
        status=options.status,
        http=options.http,
        severity=options.severity,
        retry=options.retry,
        breaker=options.breaker,
        safe=options.safe if options.HasField("safe") else None,
        retry_after=options.retry_after.ToTimedelta() if options.HasField("retry_after") else None,
    )


# What holds where neither the error nor a category says anything.
_DEFAULTS = Traits(severity=error_traits_pb2.ERROR, retry=error_traits_pb2.NEVER, safe=False)


def errors_of(file: FileDescriptor) -> list[DeclaredError]:
    """All errors of a file, in the order in which it declares them."""
    domain = file.GetOptions().Extensions[taxonomy_pb2.taxonomy].domain
    found: list[DeclaredError] = []

    def visit(message: Descriptor, categories: tuple[str, ...], outer: Traits) -> None:
        options = message.GetOptions()
        if options.HasExtension(taxonomy_pb2.category):
            inner = _traits(options.Extensions[taxonomy_pb2.category]).inside(outer)
            for nested in message.nested_types:
                visit(nested, (*categories, message.name), inner)
        elif options.HasExtension(taxonomy_pb2.error):
            declared = options.Extensions[taxonomy_pb2.error]
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", message.name)
            found.append(
                DeclaredError(
                    domain=domain,
                    code=declared.code or "_".join(words).upper(),
                    message=GetMessageClass(message),
                    categories=categories,
                    traits=_traits(declared).inside(outer),
                    template=declared.message,
                    options=declared,
                )
            )

    for message in file.message_types_by_name.values():
        visit(message, (), _DEFAULTS)
    return found


# Every error of OctoLLM: both taxonomies.
ERRORS = errors_of(errors_pb2.DESCRIPTOR) + errors_of(reflex_pb2.DESCRIPTOR)


def declared(domain: str, code: str) -> DeclaredError:
    return next(error for error in ERRORS if (error.domain, error.code) == (domain, code))


def sample(error: DeclaredError) -> Message:
    """One of an error, with a value in every field that may leave a process."""
    payload = error.message()
    internal = error.fields_that_are(taxonomy_pb2.INTERNAL)
    for field in error.fields:
        if field in internal:
            continue
        if field.is_repeated and field.message_type is not None:
            getattr(payload, field.name).add(field="contract.priority", description="Priority is too high")
            getattr(payload, field.name).add(field="contract.timeout", description="Timeout is too long")
        elif field.is_repeated:
            getattr(payload, field.name).extend([f"{field.name} one", f"{field.name} zwölf"])
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            setattr(payload, field.name, f"a {field.name} größer 🐙")
        else:
            setattr(payload, field.name, 40 + field.number)
    return payload
