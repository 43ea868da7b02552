# SPDX-License-Identifier: Apache-2.0
"""protoc-gen-taxon, as TaxonPlugin starts it and as protoc does."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import PROTOS, executable

PROTOC = shutil.which(os.environ.get("PROTOC_PATH", "protoc"))
FOREIGN = """syntax = "proto3";
package foreign.v1;
import "google/protobuf/empty.proto";
enum Protocol { UNKNOWN = 0; }
message Settings { Protocol protocol = 1; google.protobuf.Empty empty = 2; }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """That of a schema, whose name has what a parameter of protoc would have to escape."""
    folder = tmp_path / "a, b=c"
    (folder / "out").mkdir(parents=True)
    return folder


def drive(folder: Path, schema: str, settings: object = None) -> subprocess.CompletedProcess[str]:
    (folder / "t.proto").write_text(schema)
    options = []
    if settings is not None:
        (folder / "taxon.json").write_text(json.dumps(settings))
        options = [f"--taxon_opt=settings={str(folder / 'taxon.json').replace('%', '%25').replace(',', '%2C')}"]
    command = [
        executable("protoc-gen-taxon"), f"--protoc={PROTOC}", f"--out={folder / 'out'}", *options,
        f"--proto_path={folder}", f"--proto_path={PROTOS}", folder / "t.proto",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_settings_give_a_foreign_package_a_prefix(folder: Path) -> None:
    done = drive(folder, FOREIGN, {"swiftPrefix": {"foreign.v1": "Foreign"}, "access": "public"})
    assert (done.returncode, done.stderr) == (0, "")
    swift = (folder / "out" / "t.pb.swift").read_text()
    assert "public enum ForeignProtocol: ProtobufEnum" in swift
    assert "public struct ForeignSettings: Message" in swift


def test_a_mistake_in_the_settings_has_its_place(folder: Path) -> None:
    done = drive(folder, FOREIGN, {"swiftPrefix": "Foreign"})
    assert done.returncode == 1
    assert done.stderr == (
        f'{folder}/taxon.json:1:2: error: "swiftPrefix" is not an object of strings; write {{"a.package": "Prefix"}}\n'
    )
    done = drive(folder, FOREIGN, {"swiftPrefix": {"foreign.v1": "1st"}})
    assert done.returncode == 1
    assert done.stderr.startswith("error: parameter prefix=foreign.v1:1st cannot begin Swift names")


def test_what_protoc_finds_is_told_as_compilers_do(folder: Path) -> None:
    done = drive(folder, FOREIGN.replace("google/protobuf/empty", "gone"))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f'{folder}/t.proto:3:1: error: import "gone.proto" is not found in {folder} or {PROTOS}; '
        'add its folder to "importPaths" of taxon.json',
        f'{folder}/t.proto:5:43: error: "google.protobuf.Empty" is not defined.',
    ]
    assert not list((folder / "out").iterdir())


def test_protoc_runs_it_as_its_plugin(folder: Path) -> None:
    (folder / "t.proto").write_text(FOREIGN)
    subprocess.run(
        [PROTOC, f"-I{folder}", f"--plugin=protoc-gen-taxon={executable('protoc-gen-taxon')}",
         f"--taxon_out={folder / 'out'}", "--taxon_opt=prefix=foreign:", folder / "t.proto"],
        check=True,
    )  # fmt: skip
    assert "enum Protocol_: ProtobufEnum" in (folder / "out" / "t.pb.swift").read_text()
