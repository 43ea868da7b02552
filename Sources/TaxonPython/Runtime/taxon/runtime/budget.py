# SPDX-License-Identifier: Apache-2.0
"""What of an error goes when it is too large for its callers and for the proxies between."""

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from taxon.runtime.errors import FieldViolation
from taxon.runtime.status_writer import BAD_REQUEST, ERROR_INFO, ERROR_TRAITS, RETRY_INFO, StatusWriter

_FIXED = 7 + 12 + 11 + 12 + 23 + 5 * 32 + 3 + 2 + 16
"""Names and 32 bytes for each of `:status`, `content-type`, `grpc-status`, `grpc-message`, `grpc-status-details-bin`;
three digits of HTTP's status, two of gRPC's, and "application/grpc"."""
_HINTS = 22 + 11 + 2 * (32 + 10)
"""`grpc-retry-pushback-ms` and `retry-after`, with ten digits each."""

_LONG_MESSAGE = 1024
"""A message longer than this is cut before any of the error's own details goes: it is sent twice."""
_LONG_TEXT = 256
"""A text of ErrorInfo longer than this goes before the error itself does, which has it, too."""


def _encoded_count(message: str) -> int:
    """Bytes of a percent-encoded message (gRPC over HTTP/2): printable ASCII stays, but for `%` and a space at either
    end."""
    data = message.encode()
    count = sum(1 if 0x20 <= byte <= 0x7E and byte != 0x25 else 3 for byte in data)
    return count + 2 * data.startswith(b" ") + 2 * (len(data) > 1 and data.endswith(b" "))


def _cost(base: int, message: str, details: int) -> int:
    return base + _encoded_count(message) + (details * 4 + 2) // 3


def fitted(writer: StatusWriter, *, limit: int, within: int, reserved: int) -> tuple[str, bytes, list[str]]:
    """Message and details within a limit, and what was left out. `within` is the limit where that is not enough for
    what has to stay; `reserved` is what else goes with the error."""
    base = _FIXED + (_HINTS if writer.retry_after is not None else 0) + reserved
    if writer.is_bare:
        message = _fitting_message(writer.message, base, limit) or _fitting_message(writer.message, base, within)
        return message, b"", [] if message == writer.message else ["message"]
    fitting = _Fitting(writer.copy(), base, limit)
    result = fitting.result()
    # Trailing metadata leaves one frame no room for what says which error it is: that matters more than the frame.
    return result if result[1] or limit >= within else _Fitting(writer.copy(), base, within).result()


def _fitting_message(message: str, base: int, limit: int) -> str:
    if _cost(base, message, 0) <= limit:
        return message
    return _beginning(message, lambda text: _cost(base, text, 0) <= limit)


def _beginning(text: str, is_fine: Callable[[str], bool]) -> str:
    """The longest beginning of a text, with an ellipsis, that is fine; empty where none is."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if is_fine(text[:middle] + "..."):
            low = middle
        else:
            high = middle - 1
    return text[:low] + "..." if low else ""


@dataclass
class _Fitting:
    """One error being made to fit.

    In this order go: what was added, largest first; the end of a long message; ErrorInfo's copies of long fields; the
    error itself, whose safe fields are in ErrorInfo; violations from the end; ErrorInfo's fields, largest first;
    added details that stand for derived ones; the names of what was left out; the message. Reason, domain,
    ErrorTraits and RetryInfo stay, unless not even they have room.
    """

    writer: StatusWriter
    base: int
    limit: int

    def excess(self) -> int:
        """Bytes, before base64, that are too many."""
        size = _cost(self.base, self.writer.message, len(self.writer.encoded()))
        return (size - self.limit) * 3 // 4 + 1 if size > self.limit else 0

    def result(self) -> tuple[str, bytes, list[str]]:
        writer = self.writer
        self._leave_out_further(lambda detail: detail.TypeName() not in (ERROR_INFO, ERROR_TRAITS, RETRY_INFO))
        if len(writer.message.encode()) > _LONG_MESSAGE and self.excess():
            self._cut_message(lambda: len(writer.message.encode()) <= _LONG_MESSAGE)
        self._leave_out_payload()
        self._leave_out_violations()
        self._leave_out_fields(-1)
        self._leave_out_further(lambda _: True)
        self._leave_out_fields(-1)
        if self.excess():
            self.writer.names_omitted = False
        if self.excess():
            self._cut_message(lambda: not self.excess())
        if not self.excess():
            return self.writer.message, self.writer.encoded(), self.writer.omitted
        # Not even what has to stay fits: only the code is sent.
        self._omit(status_pb2.Status.DESCRIPTOR.full_name)
        message = _beginning(self.writer.message, lambda text: _cost(self.base, text, 0) <= self.limit)
        return message, b"", self.writer.omitted

    def _omit(self, name: str) -> None:
        if name not in self.writer.omitted:
            self.writer.omitted.append(name)

    def _leave_out_further(self, may_go: Callable[[any_pb2.Any], bool]) -> None:
        while left := self.excess():
            further = self.writer.further
            by_size = sorted(
                (index for index, detail in enumerate(further) if may_go(detail)),
                key=lambda index: (-len(further[index].value), index),
            )
            if not by_size:
                return
            gone = []
            for index in by_size:
                gone.append(index)
                left -= len(further[index].value)
                if left <= 0:
                    break
            for index in sorted(gone, reverse=True):
                self._remove_further(index)

    def _remove_further(self, index: int) -> None:
        detail = self.writer.further.pop(index)
        name = detail.TypeName()
        if name == BAD_REQUEST and self.writer.derives(BAD_REQUEST):
            try:
                said = list(error_details_pb2.BadRequest.FromString(detail.value).field_violations)
            except DecodeError:
                said = []
            # What is derived says all that it said.
            if said == self.writer.violations:
                return
        self._omit(name)

    def _leave_out_payload(self) -> None:
        payload = self.writer.payload
        if payload is None or not self.excess():
            return
        whole = self.writer.copy()
        self._leave_out_fields(_LONG_TEXT)
        if self.excess():
            # That was not enough: the fields stay, and the error itself goes.
            self.writer = whole
            self.writer.payload = None
            self._omit(payload.TypeName())

    def _leave_out_fields(self, longer_than: int) -> None:
        while left := self.excess():
            sized = [(len(text.encode()), name, text) for name, text in self.writer.fields]
            by_size = sorted((entry for entry in sized if entry[0] > longer_than), reverse=True)
            if not by_size:
                return
            for size, name, _ in by_size:
                self.writer.fields = [entry for entry in self.writer.fields if entry[0] != name]
                self._omit(f"metadata.{name}")
                left -= len(name) + size
                if left <= 0:
                    break

    def _leave_out_violations(self) -> None:
        """The most violations that fit, and behind them an entry that says how many there were on top."""
        if not self.writer.violations or not self.excess():
            return
        every, omitted = self.writer.violations, self.writer.omitted

        def leave(count: int) -> None:
            self.writer.omitted = list(omitted)
            self._omit(BAD_REQUEST + ".field_violations")
            rest = FieldViolation(description=f"{len(every) - count} more violations")
            self.writer.violations = [*every[:count], rest] if count else []

        low, high = 0, len(every) - 1
        while low < high:
            middle = (low + high + 1) // 2
            leave(middle)
            if self.excess():
                high = middle - 1
            else:
                low = middle
        leave(low)

    def _cut_message(self, is_fine: Callable[[], bool]) -> None:
        self._omit("message")

        def fits(text: str) -> bool:
            self.writer.message = text
            return is_fine()

        self.writer.message = _beginning(self.writer.message, fits)
