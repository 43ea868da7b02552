# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP alone, in one version and with or without TLS: what roads.py goes over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport
from serving import PATIENCE

Fields = list[tuple[str, str]]

HTTP1, HTTP2 = "HTTP/1.1", "HTTP/2"
_VERSIONS = {HTTP1: HTTPVersion.HTTP1, HTTP2: HTTPVersion.HTTP2}


@dataclass(frozen=True)
class Answer:
    """A whole answer. Names are in lower case; nothing is decompressed."""

    version: str
    status: int
    headers: Fields
    body: bytes
    trailers: Fields = field(default_factory=list)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def content_type(self) -> str:
        return self.header("content-type") or ""

    @property
    def octets(self) -> bytes:
        """All of it, for looking whether something is in it."""
        lines = [f"{name}: {value}" for name, value in self.headers + self.trailers]
        return "\n".join(lines).encode() + b"\n" + self.body


class Wire:
    """Connections to one server, until its context is left."""

    def __init__(self, port: int, version: str, authority: bytes | None = None) -> None:
        self.version = version
        self.is_secure = authority is not None
        self.origin = f"{'https' if self.is_secure else 'http'}://127.0.0.1:{port}"
        # What is tested must not be undone, repeated or followed on the way.
        self._transport = SyncHTTPTransport(
            http_version=_VERSIONS[version], tls_ca_cert=authority, timeout=PATIENCE, enable_gzip=False,
            enable_brotli=False, enable_zstd=False, follow_redirects=False, enable_otel=False,
        )  # fmt: skip
        self._client = SyncClient(self._transport)

    def send(self, verb: str, target: str, headers: Fields = [], body: bytes | Iterable[bytes] = b"") -> Answer:  # noqa: B006
        """The answer to a request; a body in pieces goes without `content-length` over HTTP/1.1."""
        content = iter(body) if not isinstance(body, bytes) else body or None
        with self._client.stream(verb, self.origin + target, headers=headers, content=content) as response:
            received = b"".join(bytes(piece) for piece in response.content)
            version = next(name for name, each in _VERSIONS.items() if each == response.http_version)
            assert version == self.version
            return Answer(
                version, response.status, _lower(response.headers.items()), received, _lower(response.trailers.items())
            )

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._transport.close()


def _lower(fields: Iterable[tuple[str, str]]) -> Fields:
    return [(name.lower(), value) for name, value in fields]


def envelope(payload: bytes, flags: int = 0) -> bytes:
    """A message with gRPC's and Connect's prefix."""
    return bytes([flags]) + len(payload).to_bytes(4, "big") + payload


def opened(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Flags and payloads of a body; what is not whole is a mistake."""
    while body:
        size = int.from_bytes(body[1:5], "big")
        assert len(body) >= 5 + size, f"{len(body)} bytes are too few for a message of {size}"
        yield body[0], body[5 : 5 + size]
        body = body[5 + size :]
