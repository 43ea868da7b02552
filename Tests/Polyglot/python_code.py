# SPDX-License-Identifier: Apache-2.0
"""The Python that protoc-gen-taxon writes, made once a run. To import it makes its modules importable."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from repository import PROTOS, ROOT, executable

OWN = ["octollm/v1/errors.proto", "octollm/v1/orchestrator.proto", "octollm/v1/reflex.proto"]
SHARED = ["taxon/taxonomy.proto", "taxon/error_traits.proto"]
FAILURES = ROOT / "Tests" / "TaxonProtobufTests"


def generate(into: Path, *outputs: str, protoc: list[str] | None = None, plugin: Path | None = None) -> None:
    """What a user makes: the errors of OctoLLM, and those of failures.proto, with what `outputs` name, such as `python`."""
    command = protoc or [os.environ.get("PROTOC_PATH", "protoc")]
    plugin = plugin or executable("protoc-gen-taxon")
    for folders, files in (([PROTOS], [*OWN, *SHARED]), ([FAILURES, PROTOS], ["failures.proto"])):
        subprocess.run(
            [*command, *(f"-I{folder}" for folder in folders), f"--plugin=protoc-gen-taxon={plugin}",
             f"--taxon_out=lang=python:{into}", *(f"--{output}_out={into}" for output in outputs), *files],
            check=True,
        )  # fmt: skip


FOLDER = Path(tempfile.mkdtemp(prefix="taxon-python-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
generate(FOLDER)
# Behind the message classes, which conftest.py has made.
sys.path.append(str(FOLDER))
