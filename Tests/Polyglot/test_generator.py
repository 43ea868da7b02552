# SPDX-License-Identifier: Apache-2.0
"""protoc-gen-taxon, as TaxonPlugin starts it and as protoc does."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import NEWEST_PROTOC, PROTOS, ROOT, executable

PROTOC = shutil.which(os.environ.get("PROTOC_PATH", "protoc"))
# What protoc has beside it.
WELL_KNOWN = sorted((Path(PROTOC or "").parent.parent / "include" / "google" / "protobuf").glob("*.proto"))
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


# The second is what the setting was called before.
@pytest.mark.parametrize("key", ["prefixes", "swiftPrefix"])
def test_settings_give_a_foreign_package_a_prefix(folder: Path, key: str) -> None:
    done = drive(folder, FOREIGN, {key: {"foreign.v1": "Foreign"}, "access": "public"})
    assert (done.returncode, done.stderr) == (0, "")
    swift = (folder / "out" / "t.pb.swift").read_text()
    assert "public enum ForeignProtocol: ProtobufEnum" in swift
    assert "public struct ForeignSettings: Message" in swift


def test_a_mistake_in_the_settings_has_its_place(folder: Path) -> None:
    done = drive(folder, FOREIGN, {"prefixes": "Foreign"})
    assert done.returncode == 1
    assert done.stderr == (
        f'{folder}/taxon.json:1:2: error: "prefixes" is not an object of strings; write {{"a.package": "Prefix"}}\n'
    )
    done = drive(folder, FOREIGN, {"prefixes": {"foreign.v1": "1st"}})
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


def test_the_command_line_knows_a_dependency_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "b.proto").write_text('syntax = "proto3"; package base; message Base {}')
    (tmp_path / "base" / "taxon.json").write_text('{"access": "public", "prefixes": {"base": "The"}}')
    (tmp_path / "t.proto").write_text('syntax = "proto3"; package t; import "b.proto"; message T { base.Base base = 1; }')
    command = [executable("taxon"), "generate", "-I", tmp_path, "--dependency", f"Base={tmp_path / 'base'}",
               "--out", tmp_path / "out", tmp_path / "t.proto"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    swift = (tmp_path / "out" / "t.pb.swift").read_text()
    assert "import Base\n" in swift and "var base: TheBase?" in swift
    done = subprocess.run([*command[:4], *command[6:]], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'import "b.proto" is not found in' in done.stderr
    # What is not imported is looked for in the folders that are known.
    (tmp_path / "e.proto").write_text(
        'syntax = "proto3"; package e; import "taxon/taxonomy.proto"; option (taxon.taxonomy) = { domain: "e.dev" };'
        "message Gone { option (taxon.error) = { status: NOT_FOUND }; }"
    )
    (tmp_path / "s.proto").write_text(
        'syntax = "proto3"; package s; import "taxon/taxonomy.proto"; message M {}\n'
        'service S { rpc Get(M) returns (M) { option (taxon.raises).errors = "e.Gone"; } }'
    )
    command = [executable("taxon"), "check", "-I", tmp_path, tmp_path / "s.proto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f'{tmp_path}/s.proto:2:69: error: raises names "e.Gone", which is in a file that is not imported; '
        'write import "e.proto";\n'
    )


def test_the_command_line_refuses_types_that_nobody_generates(tmp_path: Path) -> None:
    (tmp_path / "b.proto").write_text('syntax = "proto3"; package base; message Base {}')
    (tmp_path / "t.proto").write_text('syntax = "proto3"; package t;\nimport "b.proto";\nmessage T { base.Base base = 1; }')
    command = [executable("taxon"), "generate", "-I", tmp_path, "--out", tmp_path / "out"]
    done = subprocess.run([*command, tmp_path / "t.proto"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f'{tmp_path}/t.proto:2:8: error: the generated code needs the types of "b.proto", and nothing generates them; name the '
        "file behind the others, or say which module has its types with --module b.proto:Module or --dependency Module=folder\n"
    )
    for mend in ([tmp_path / "b.proto"], ["--module", "b.proto:Base"]):
        done = subprocess.run([*command, tmp_path / "t.proto", *mend], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    # A check of one file, and protoc, where another run may generate the other, go on.
    subprocess.run([executable("taxon"), "check", "-I", tmp_path, tmp_path / "t.proto"], check=True)
    assert drive(tmp_path, (tmp_path / "t.proto").read_text()).returncode == 0


@pytest.mark.parametrize(
    ("path", "name"), [("google/api/http.proto", "google.api.HttpRule"), ("taxon/taxonomy.proto", "taxon.ErrorOptions")]
)
def test_options_come_without_types(folder: Path, path: str, name: str) -> None:
    """They are the generator's own."""
    schema = f'syntax = "proto3"; package t;\nimport "{path}";\nmessage T {{ {name} rule = 1; }}'
    (folder / "t.proto").write_text(schema)
    command = [
        executable("protoc-gen-taxon"), f"--protoc={PROTOC}", f"--out={folder / 'out'}", "--taxon_opt=self=App",
        f"--proto_path={folder}", f"--proto_path={PROTOS}", folder / "t.proto",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f'{folder}/t.proto:2:8: error: the generated code needs the types of "{path}", and no target')


@pytest.mark.parametrize("path", WELL_KNOWN, ids=lambda path: path.stem)
def test_all_that_comes_with_protoc_comes_with_taxon(folder: Path, path: Path) -> None:
    message = re.search(r"^message (\w+)", path.read_text(), re.M)
    assert message
    schema = f'syntax = "proto3"; import "google/protobuf/{path.name}"; message T {{ google.protobuf.{message[1]} m = 1; }}'
    assert drive(folder, schema).returncode == 0
    swift = (folder / "out" / "t.pb.swift").read_text()
    assert f"var m: Google_Protobuf_{message[1]}?" in swift
    assert (ROOT / "Sources" / "TaxonProtobuf" / "Generated" / f"google_protobuf_{path.stem}.pb.swift").exists()


def test_protoc_runs_it_as_its_plugin(folder: Path) -> None:
    (folder / "t.proto").write_text(FOREIGN)
    subprocess.run(
        [PROTOC, f"-I{folder}", f"--plugin=protoc-gen-taxon={executable('protoc-gen-taxon')}",
         f"--taxon_out={folder / 'out'}", "--taxon_opt=prefix=foreign:", folder / "t.proto"],
        check=True,
    )  # fmt: skip
    assert "enum Protocol_: ProtobufEnum" in (folder / "out" / "t.pb.swift").read_text()


def test_a_language_that_there_is_not_is_named(folder: Path) -> None:
    (folder / "t.proto").write_text(FOREIGN)
    done = subprocess.run(
        [PROTOC, f"-I{folder}", f"--plugin=protoc-gen-taxon={executable('protoc-gen-taxon')}",
         f"--taxon_out={folder / 'out'}", "--taxon_opt=lang=go", folder / "t.proto"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "parameter lang=go is not a language; write lang=swift or lang=python" in done.stderr


def test_the_command_writes_python_as_protoc_does(folder: Path) -> None:
    files = [f"octollm/v1/{name}.proto" for name in ("errors", "orchestrator", "reflex")]
    (folder / "protoc").mkdir()
    subprocess.run(
        [PROTOC, f"-I{PROTOS}", f"--plugin=protoc-gen-taxon={executable('protoc-gen-taxon')}",
         f"--taxon_out={folder / 'protoc'}", "--taxon_opt=lang=python", *files],
        check=True,
    )  # fmt: skip
    command = [executable("taxon"), "generate", "--python", "--out", folder / "out", "-I", PROTOS]
    done = subprocess.run([*command, *(PROTOS / file for file in files)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    written = {file.relative_to(folder / "out"): file.read_text() for file in (folder / "out").rglob("*.py")}
    assert Path("octollm/v1/errors_taxon.py") in written and Path("taxon/runtime/errors.py") in written
    assert written == {file.relative_to(folder / "protoc"): file.read_text() for file in (folder / "protoc").rglob("*.py")}
    subprocess.run([*command, "--no-runtime", PROTOS / "taxon" / "errors.proto"], check=True)
    assert (folder / "out" / "taxon" / "errors_taxon.py").exists()


def test_the_driver_makes_folders_for_python(folder: Path) -> None:
    command = [
        executable("protoc-gen-taxon"), f"--protoc={PROTOC}", f"--out={folder / 'out'}", "--taxon_opt=lang=python",
        f"--proto_path={PROTOS}", PROTOS / "octollm" / "v1" / "errors.proto",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "out" / "octollm" / "v1" / "errors_taxon.py").exists()


EDITION = """edition = "2024";
package shop.v1;
import option "taxon/swift_features.proto";
option features.(taxon.swift).access = PUBLIC;
option swift_prefix = "";
option features.field_presence = IMPLICIT;
export message Order {
  int32 count = 1;
  string note = 2 [features.field_presence = EXPLICIT];
  Line line = 3 [features.message_encoding = DELIMITED];
  repeated State states = 4 [features.repeated_field_encoding = EXPANDED];
}
local message Line { int32 number = 1 [features.field_presence = LEGACY_REQUIRED]; }
local enum State { option features.enum_type = CLOSED; STATE_NEW = 0; }
"""


def generate(folder: Path, schema: str, *, protoc: str | Path) -> subprocess.CompletedProcess[str]:
    (folder / "t.proto").write_text(schema)
    return subprocess.run(
        [executable("taxon"), "generate", "-I", folder, "--out", folder / "out", folder / "t.proto"],
        env=os.environ | {"PROTOC_PATH": str(protoc)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_schema_of_an_edition(folder: Path) -> None:
    done = generate(folder, EDITION, protoc=NEWEST_PROTOC)
    assert (done.returncode, done.stderr) == (0, "")
    swift = (folder / "out" / "t.pb.swift").read_text()
    for line in (
        "public struct Order: Message {", "public var count: Int32\n", "public var note: String?",
        'Field("line", 3, .delimited(Line.self))', 'Field("states", 4, .repeated(.enum(State.self)))',
        'Field("number", 1, .required(.int32))', 'EnumDescriptor("shop.v1.State", isClosed: true',
    ):  # fmt: skip
        assert line in swift, line
    # As protoc's plugin, which says which editions it reads.
    subprocess.run(
        [NEWEST_PROTOC, f"-I{folder}", f"-I{PROTOS}", f"--plugin=protoc-gen-taxon={executable('protoc-gen-taxon')}",
         f"--taxon_out={folder / 'out'}", folder / "t.proto"],
        check=True,
    )  # fmt: skip
    assert (folder / "out" / "t.pb.swift").read_text() == swift
    # What else is wrong is told as ever: protoc itself looks after visibility, and names.
    other = 'edition = "2024"; package other; import "t.proto"; message M { shop.v1.Line line = 1; }'
    (folder / "other.proto").write_text(other)
    done = subprocess.run(
        [executable("taxon"), "check", "-I", folder, folder / "other.proto"],
        env=os.environ | {"PROTOC_PATH": str(NEWEST_PROTOC)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "not visible" in done.stderr or "local" in done.stderr, done.stderr


def test_the_latest_edition_is_read(folder: Path) -> None:
    schema = 'edition = "2026"; package t; export message M { int32 a = 1; }'
    done = generate(folder, schema, protoc=NEWEST_PROTOC)
    assert (done.returncode, done.stderr) == (0, "")
    assert "var a: Int32?" in (folder / "out" / "t.pb.swift").read_text()


@pytest.mark.skipif(
    "libprotoc 3." not in subprocess.run([PROTOC, "--version"], capture_output=True, text=True, check=False).stdout,
    reason="this protoc knows editions",
)
def test_an_old_protoc_is_told_from_a_mistake(folder: Path) -> None:
    done = generate(folder, EDITION, protoc=PROTOC)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f'{folder}/t.proto:1:1: error: edition "2024" is newer than this protoc (libprotoc 3.')
    assert line.endswith("and name it in the environment variable PROTOC_PATH")
