# SPDX-License-Identifier: Apache-2.0
"""Type-checks Swift against the modules of the debug build."""

import json
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from repository import ROOT, swift

# Those, with a value each, that finding modules takes.
_OPTIONS = frozenset({"-F", "-I", "-Xcc", "-module-cache-path", "-sdk", "-target"})


@cache
def module_options(module: str = "Taxon") -> tuple[str, ...]:
    """How the build finds what a module imports: read from SwiftPM's description of the build, beside the products."""
    products = Path(swift("build", "--show-bin-path").stdout.splitlines()[-1])
    description = products.parents[1] / f"{products.name}.yaml"
    for line in description.read_text().splitlines():
        name, _, value = line.strip().partition(": ")
        if name == "args" and f'"-module-name","{module}",' in value:
            arguments = iter(json.loads(value))
            return tuple(text for option in arguments if option in _OPTIONS for text in (option, next(arguments)))
    raise FileNotFoundError(f"{description} does not say how {module} is compiled")


def typecheck(files: Iterable[Path], module: str) -> str:
    """What the compiler says of the files as one module, warnings included; nothing when all is well."""
    command = ["swiftc", "-typecheck", "-wmo", "-swift-version", "6", "-module-name", module, *module_options()]
    for feature in ("ExistentialAny", "MemberImportVisibility"):
        command += ["-enable-upcoming-feature", feature]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ("error:" not in done.stderr), done.stderr
    return done.stderr
