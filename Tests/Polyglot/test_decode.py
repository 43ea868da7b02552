# SPDX-License-Identifier: Apache-2.0
"""`taxon decode`: what Python has written, of schemas that the command reads when it runs."""

import base64
import subprocess

import everything_pb2
import legacy_pb2
import pytest
from google.protobuf import json_format, text_format
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from repository import ROOT, executable

SCHEMAS = ["-I", "Tests/TaxonProtobufTests", "Tests/TaxonProtobufTests/legacy.proto"]
CHILD = everything_pb2.Child(number=5, name="é", numbers=[1, 2], text="x")
CHILD.child.SetInParent()


def decode(payload: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [executable("taxon"), "decode", *arguments]
    return subprocess.run(command, input=payload, capture_output=True, cwd=ROOT, timeout=60, check=False)


def decoded(payload: bytes, *arguments: str) -> bytes:
    done = decode(payload, *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_details_of_an_error_are_read_as_a_trailer_has_them() -> None:
    status = Status(code=5, message="no such task")
    status.details.add().Pack(ErrorInfo(reason="TASK_NOT_FOUND", metadata={"b": "2", "a": "1"}))
    status.details.append(Any(type_url="type.googleapis.com/some.Other", value=b"\x08\x01"))
    text = decoded(base64.b64encode(status.SerializeToString()).rstrip(b"=")).decode()
    assert "[type.googleapis.com/google.rpc.ErrorInfo] {" in text
    assert text_format.Parse(text, Status()).details[1] == status.details[1]
    assert text.index('key: "a"') < text.index('key: "b"')


@pytest.mark.parametrize("form", ["binary", "base64", "json", "text"])
def test_every_format_leads_to_every_other(form: str) -> None:
    payload = {
        "binary": CHILD.SerializeToString(), "base64": base64.urlsafe_b64encode(CHILD.SerializeToString()),
        "json": json_format.MessageToJson(CHILD).encode(), "text": text_format.MessageToString(CHILD).encode(),
    }[form]  # fmt: skip
    words = ["--type", "taxon.test.Child", "--from", form]
    assert everything_pb2.Child.FromString(decoded(payload, *words, "--to", "binary", *SCHEMAS)) == CHILD
    assert json_format.Parse(decoded(payload, *words, "--to", "json", *SCHEMAS), everything_pb2.Child()) == CHILD
    assert text_format.Parse(decoded(payload, *words, *SCHEMAS), everything_pb2.Child()) == CHILD
    coded = decoded(payload, *words, "--to", "base64", *SCHEMAS)
    assert everything_pb2.Child.FromString(base64.b64decode(coded)) == CHILD


def test_groups_and_extensions_are_fields_like_others() -> None:
    message = legacy_pb2.Grouped(before=1, after=[2, 3])
    message.member.name = "x"
    message.Extensions[legacy_pb2.levels].extend([4, 5])
    text = decoded(message.SerializeToString(), "--type", "taxon.test.Grouped", *SCHEMAS).decode()
    assert 'Member {\n  name: "x"\n}' in text
    assert text_format.Parse(text, legacy_pb2.Grouped()) == message


def test_of_entries_with_one_key_the_last_counts_and_unknown_numbers_stay() -> None:
    two = bytes.fromhex("0a060a016112016a0a060a016112016b")
    assert decoded(two, "--type", "taxon.test.Maps", "--to", "json", *SCHEMAS) == b'{"texts":{"a":"k"}}\n'
    closed = decoded(bytes.fromhex("082a1003"), "--type", "taxon.test.Closed", *SCHEMAS)
    assert closed == b"loose: SHAPE_ROUND\n1: 42\n"


def test_the_body_of_a_call_has_several_messages() -> None:
    body = b"".join(b"\0" + len(part).to_bytes(4, "big") + part for part in (b"\x08\x01", b"", b"\x08\x02"))
    assert decoded(body, "--type", "taxon.test.Child", "--from", "grpc", *SCHEMAS) == b"number: 1\nnumber: 2\n"


def test_a_descriptor_set_is_a_schema(tmp_path: object) -> None:
    path = f"{tmp_path}/set.binpb"
    protoc = ["protoc", "--include_imports", f"--descriptor_set_out={path}", "--proto_path=Tests/TaxonProtobufTests"]
    subprocess.run([*protoc, "everything.proto"], cwd=ROOT, check=True)
    text = decoded(CHILD.SerializeToString(), "--type", "taxon.test.Child", "--descriptor-set", path)
    assert text_format.Parse(text, everything_pb2.Child()) == CHILD


@pytest.mark.parametrize(
    ("payload", "words", "said"),
    [
        (b"\x08", [], "the input ends inside a value, at byte 1"),
        (b"number: x", ["--from", "text"], "expected a whole number, at number, line 1, column 9"),
        (b'{"number":[]}', ["--from", "json"], "line 1, column 11"),
        (b"*", ["--from", "base64"], "the text is not base64"),
        (b"\0\0\0\0\x05\x08", ["--from", "grpc"], "the body ends inside message 0, of 5 bytes"),
        (b"\x01\0\0\0\0", ["--from", "grpc"], "its flag is 1"),
        (b"\x12\x01\xff", [], "a string is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said(payload: bytes, words: list[str], said: str) -> None:
    done = decode(payload, "--type", "taxon.test.Child", *words, *SCHEMAS)
    assert (done.returncode, said in done.stderr.decode()) == (1, True), done.stderr.decode()


def test_a_type_that_the_schemas_do_not_have_is_named() -> None:
    done = decode(b"", "--type", "taxon.test.Else", *SCHEMAS)
    assert done.returncode == 64
    assert "the schemas have no message taxon.test.Else" in done.stderr.decode()
