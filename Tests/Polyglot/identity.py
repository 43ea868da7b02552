# SPDX-License-Identifier: Apache-2.0
"""Who a server with TLS is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A certificate for localhost that is its own authority, and its key."""

    certificate: Path
    key: Path

    @property
    def arguments(self) -> list[str]:
        """What makes a server of `taxon-interop` use it."""
        return ["--use_tls=true", f"--tls_cert_file={self.certificate}", f"--tls_key_file={self.key}"]


def make_identity(folder: Path) -> Identity:
    identity = Identity(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=interop", "-addext", "subjectAltName=DNS:localhost,DNS:foo.test.google.fr,IP:127.0.0.1",
            "-keyout", identity.key, "-out", identity.certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return identity
