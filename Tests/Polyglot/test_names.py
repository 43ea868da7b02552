# SPDX-License-Identifier: Apache-2.0
"""Every word that Swift, its standard library or Taxon has for itself, as a name of each kind of declaration: the generated code
compiles without warnings, and so does code that uses it."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from os import environ
from pathlib import Path

import pytest
from repository import PROTOS, ROOT, executable
from swift_compile import typecheck

PROTOC = shutil.which(environ.get("PROTOC_PATH", "protoc"))

# The Swift Programming Language, Lexical Structure: keywords of declarations, statements, expressions, patterns, and contextual ones,
# with those that proposals have added since.
KEYWORDS = """
associatedtype borrowing class consuming deinit enum extension fileprivate func import init inout internal let nonisolated open operator
precedencegroup private protocol public rethrows static struct subscript typealias var
break case catch continue default defer do else fallthrough for guard if in repeat return switch throw where while
Any as await catch false is nil rethrows self Self super throw throws true try
_ associativity async convenience didSet dynamic final get indirect infix lazy left mutating none nonmutating optional override package
postfix precedence prefix Protocol required right set some Type unowned weak willSet
actor any consume copy discard distributed each isolated macro module sending then unsafe using yield borrow modify read
_1 _2nd __ a_
""".split()

# Members of Optional, of Any's metatype, and of the protocols of the standard library that generated types conform to.
MEMBERS = """
none some map flatMap unsafelyUnwrapped take init self Type Protocol hash hashValue description debugDescription rawValue RawValue
allCases AllCases encode write localizedDescription errorDescription failureReason recoverySuggestion helpAnchor
unrecognized reader writer value context copy nested error request requests responses options name invoker registry
""".split()

# Types of the standard library and of Foundation that generated code could name.
TYPES = """
Any AnyObject Array Bool Dictionary Double Duration Equatable Error Float Hashable Int Int32 Int64 Never Optional Protocol Self Sendable
String Swift Taxon Type UInt32 UInt64 UInt8 Void Hasher Result IntegerLiteralType StringLiteralType BooleanLiteralType FloatLiteralType
Kind OneOf Client Service PartialService Methods Fake
""".split()


def public_symbols() -> tuple[set[str], set[str]]:
    """What Taxon itself has: its types, and the members of the protocols that generated types conform to."""
    text = (ROOT / "Documentation" / "PublicSymbols.txt").read_text()
    types = re.findall(r"^(?:open |final )?(?:struct|enum|class|protocol|actor|typealias) (\w+)", text, re.M)
    owners = (
        "Message|FieldValue|ProtobufEnum|TaxonomyError|DeclaredError|ErrorWithCause|ErrorUnion|RPCService|TypeRegistry|ErrorRegistry"
        "|ProtoFileDescriptor"
    )
    members = re.findall(rf"^(?:extension )?(?:{owners})(?: where [^:]*)?: .*?(?:var|let|func|case|typealias) `?(\w+)", text, re.M)
    return set(types), set(members)


TAXON_TYPES, TAXON_MEMBERS = public_symbols()


def distinct(words: Iterable[str], key: Callable[[str], str] = lambda word: word.replace("_", "").lower()) -> list[str]:
    """The words, without those that protobuf would take for another one's (JSON names)."""
    return list({key(word): word for word in reversed(list(words))}.values())[::-1]


WORDS = distinct([*KEYWORDS, *MEMBERS, *sorted(TAXON_MEMBERS)])
CAPITALS = distinct([*TYPES, *sorted(TAXON_TYPES), *WORDS], key=lambda word: word)


def numbered(words: Iterable[str], line: str) -> str:
    return "\n".join(line.format(word, number) for number, word in enumerate(words, 1))


# A few have to be of some type to be of interest.
MESSAGES = f"""
message Fields {{ {numbered(WORDS, "string {0} = {1};")} }}
message Numbers {{ {numbered(WORDS, "optional int32 {0} = {1};")} }}
message Lists {{ {numbered(WORDS, "repeated bytes {0} = {1};")} }}
message Maps {{ {numbered(WORDS, "map<string, Fields> {0} = {1};")} }}
message Old {{ {numbered(WORDS, "bytes {0} = {1} [deprecated = true];")} }}
message Loop {{ {numbered(WORDS, "Loop {0} = {1};")} }}
message Members {{ oneof member_held {{ {numbered(WORDS, "string {0} = {1};")} }} }}
message Oneofs {{ {numbered(WORDS, "oneof {0} {{ string member_{1} = {1}; }}")} }}
message Nested {{ {numbered(CAPITALS, "message {0} {{ string text = 1; oneof kind {{ Nested nested = 2; int32 number = 3; }} }}")} }}
message Inner {{ {numbered(CAPITALS, "enum {0} {{ A{1} = 0; B{1} = 1; }} optional Inner.{0} field_{1} = {1};")} }}
message Values {{ enum ValueHeld {{ ZERO = 0; {numbered(WORDS, "{0} = {1};")} }} optional ValueHeld value_held = 1; }}
message Shouted {{ enum WordHeld {{ WORD_HELD_ZERO = 0; {numbered((w.upper().lstrip("_") or "UNDERSCORE" for w in WORDS), "WORD_HELD_{0} = {1};")} }}
  optional WordHeld word_held = 1; repeated WordHeld words_held = 2; }}
service Calls {{ {numbered(WORDS, "rpc {0}(Fields) returns (Numbers);")} }}
service Streams {{ {numbered(WORDS, "rpc {0}(stream Fields) returns (stream Numbers);")} }}
"""

ERRORS = f"""
{numbered(WORDS, 'message {0} {{ option (taxon.error) = {{ code: "E{1}" status: NOT_FOUND }}; string text = 1; }}')}
message Category {{ option (taxon.category) = {{ status: ABORTED }};
  {numbered(WORDS, 'message {0} {{ option (taxon.error) = {{ code: "C{1}" }}; string text = 1; }}')}
}}
message Outer {{ {numbered(WORDS, 'message {0} {{ option (taxon.category) = {{ status: ABORTED }}; string text = 1; message In{1} {{ '
    'option (taxon.error) = {{ code: "O{1}" }}; string text = 1; }} }}')} option (taxon.category) = {{ status: ABORTED }}; }}
message Filled {{ option (taxon.error) = {{ code: "FILLED" status: ABORTED }}; {numbered(WORDS, "string {0} = {1};")} }}
message Hidden {{ option (taxon.error) = {{ code: "HIDDEN" status: ABORTED }};
  {numbered(WORDS, "optional string {0} = {1} [(taxon.field).safety = INTERNAL];")} }}
message Chosen {{ option (taxon.error) = {{ code: "CHOSEN" status: ABORTED }}; oneof kind {{ {numbered(WORDS, "string {0} = {1};")} }} }}
message Shared {{ option (taxon.category) = {{ status: ABORTED }}; {numbered(WORDS, "string {0} = {1};")}
  message One {{ option (taxon.error) = {{ code: "ONE" }}; {numbered(WORDS, "string {0} = {1};")} }} }}
message Empty {{}}
message Plain {{ option (taxon.error) = {{ code: "PLAIN" status: ABORTED }}; }}
service Raising {{
  option (taxon.service_raises) = {{ errors: "Plain" }};
  {numbered(WORDS, "rpc {0}(Empty) returns (Empty);")}
}}
service RaisingAll {{ rpc Get(Empty) returns (Empty) {{ option (taxon.raises) = {{ errors: ["Category", "Outer", "Filled", "Chosen"] }}; }} }}
"""


def generate(folder: Path, files: dict[str, str], settings: str = "") -> list[Path]:
    (folder / "out").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    command = [
        executable("protoc-gen-taxon"), f"--protoc={PROTOC}", f"--out={folder / 'out'}", "--taxon_opt=self=Names",
        *([f"--taxon_opt={settings}"] if settings else []), f"--proto_path={folder}", f"--proto_path={PROTOS}",
        *(folder / name for name in files),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Nothing but notes: about names that clash.
    assert all(": note: " in line for line in done.stderr.splitlines()), done.stderr
    return sorted((folder / "out").glob("*.swift"))


def head(package: str, prefix: str | None = "") -> str:
    option = "" if prefix is None else f'option swift_prefix = "{prefix}"; '
    return f'syntax = "proto3"; package {package}; {option}\n'


def uses(swift: str) -> str:
    """Code of a client: every value, member of a oneof, and property, by the names that they have."""
    lines = []

    def body(declaration: str) -> str:
        found = re.search(rf"^( *)(?:struct|enum) {declaration}\b.*?^\1}}", swift, re.M | re.S)
        assert found, declaration
        return found[0]

    for message, kind, field in (("Values", "ValueHeld", "valueHeld"), ("Shouted", "WordHeld", "wordHeld")):
        cases = re.findall(r"^ +case (`?[A-Za-z_]\w*`?)$", body(kind), re.M)
        assert len(cases) > len(WORDS)
        for case in cases:
            name = case.strip("`")
            lines += [
                f"do {{ var m = {message}({field}: .{name}); m.{field} = .{name}",
                f"  if m.{field} == .{name}, m.{field} != nil {{ switch m.{field} {{ case .{name}: break; default: break }} }} }}",
            ]
    for case in re.findall(r"^ +case (`?\w+`?)\(String\)$", body("Members"), re.M):
        name = case.strip("`")
        lines += [
            f'do {{ var m = Members(); m.memberHeld = .{name}("x"); if case .{name}(let text)? = m.memberHeld {{ print(text) }}',
            f'  if m.memberHeld == .{name}("y") {{ print(try Members(decoding: m.encoded()) == m) }} }}',
        ]
    for message in ("Fields", "Numbers", "Lists", "Maps", "Loop", "Oneofs"):
        properties = re.findall(r"^  (?:@\w+ )?var (`?\w+`?): \S.*[^{]$", body(message), re.M)
        assert len(properties) >= len(WORDS), message
        lines += [f"do {{ var m = {message}(); let n = {message}()"]
        lines += [f"  m.{name.strip('`')} = n.{name.strip('`')}" for name in properties]
        lines += [
            f"  print(try {message}(decoding: m.encoded()) == m, try m.jsonString(), m.textFormatString(), m.isDefault, m.hashValue)",
            f"  print(m, {message}.descriptor, try {message}(json: m.jsonBytes())) }}",
        ]
    return "import Taxon\n\nfunc use() throws {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def test_every_word_is_a_name_of_messages_enums_and_services(tmp_path: Path) -> None:
    files = generate(tmp_path, {"names.proto": head("names") + MESSAGES})
    client = tmp_path / "out" / "use.swift"
    client.write_text(uses(files[0].read_text()))
    assert typecheck([*files, client], "Names") == ""


TYPE_KINDS = {
    "messages": numbered(CAPITALS, "message {0} {{ string text = 1; .names.{0} inner = 2; bytes data = 3; }}"),
    "enums": numbered(CAPITALS, "enum {0} {{ A{1} = 0; B{1} = 1; }}"),
    "services": "message M {}\n" + numbered(CAPITALS, "service {0} {{ rpc Get(M) returns (M); rpc Watch(M) returns (stream M); }}"),
}


@pytest.mark.parametrize("kind", TYPE_KINDS)
def test_every_word_is_a_name_of_types(tmp_path: Path, kind: str) -> None:
    assert typecheck(generate(tmp_path, {"t.proto": head("names") + TYPE_KINDS[kind]}), "Names") == ""


def test_no_word_needs_an_underscore_behind_a_prefix(tmp_path: Path) -> None:
    for kind, text in TYPE_KINDS.items():
        (file,) = generate(tmp_path / kind, {"t.proto": head("names", "X") + text})
        assert re.search(r"^(?:struct|enum) X", file.read_text(), re.M)
        assert not re.search(r"^(?:struct|enum) X[A-Z]\w+_\b", file.read_text(), re.M)


def test_every_word_is_a_name_of_errors_and_categories(tmp_path: Path) -> None:
    taxonomy = 'import "taxon/taxonomy.proto";\noption (taxon.taxonomy) = { domain: "names.example.com" name: "AnyError" };\n'
    assert typecheck(generate(tmp_path, {"errors.proto": head("names") + taxonomy + ERRORS}), "Names") == ""


def test_every_word_is_a_name_of_packages_and_files(tmp_path: Path) -> None:
    files = {
        f"{word}.proto": head(f"{word}.v1", None) + "message M { string text = 1; } service S { rpc Get(M) returns (M); }"
        for word in distinct([*WORDS, "Type", "Any", "google_protobuf_any", "taxon_errors"])
    }
    assert typecheck(generate(tmp_path, files, "access=public"), "Names") == ""


def test_no_error_hides_a_member_of_errors() -> None:
    """Which there are is in the list that the compiler gives; a property of the same name would be there in its place."""
    text = (ROOT / "Documentation" / "PublicSymbols.txt").read_text()
    owners = "Message|TaxonomyError|DeclaredError|ErrorWithCause"
    members = set(re.findall(rf"^(?:extension )?(?:{owners}): var (\w+):", text, re.M))
    reserved = (ROOT / "Sources" / "TaxonSwift" / "Naming" / "ReservedNames.swift").read_text()
    assert {"status", "initialMetadata"} < members
    assert members <= set(re.findall(r'"(\w+)"', reserved))
