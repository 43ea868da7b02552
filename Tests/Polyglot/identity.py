# SPDX-License-Identifier: Apache-2.0
"""Who a server with TLS is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A certificate for localhost, and its key."""

    certificate: Path
    key: Path
    authority: Path
    """The certificate that signed it, which may be itself."""

    @property
    def arguments(self) -> list[str]:
        """What makes a server of `taxon-interop` use it."""
        return ["--use_tls=true", f"--tls_cert_file={self.certificate}", f"--tls_key_file={self.key}"]


def make_identity(folder: Path) -> Identity:
    """A certificate that is its own authority."""
    identity = Identity(folder / "certificate.pem", folder / "key.pem", folder / "certificate.pem")
    _make("interop", identity.certificate, identity.key, *_NAMES)
    return identity


def make_signed_identity(folder: Path) -> Identity:
    """A certificate that an authority has signed: some clients let none be both."""
    identity = Identity(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
    authority_key = folder / "authority-key.pem"
    _make("authority", identity.authority, authority_key)
    _make(
        "interop", identity.certificate, identity.key, *_NAMES, "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", identity.authority, "-CAkey", authority_key,
    )  # fmt: skip
    return identity


_NAMES = ("-addext", "subjectAltName=DNS:localhost,DNS:foo.test.google.fr,IP:127.0.0.1")


def _make(name: str, certificate: Path, key: Path, *more: str | Path) -> None:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", key, "-out", certificate, *more,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
