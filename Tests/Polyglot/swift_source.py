# SPDX-License-Identifier: Apache-2.0
"""What a Swift file imports, declares and uses, as far as that can be told without a compiler.

Types are known by their names alone: members, free functions and types inside of others are not looked at, and a name that two
types of a room have counts for both.
"""

import re
from dataclasses import dataclass
from pathlib import Path

LEXEME = re.compile(r'//[^\n]*|/\*|#*"(?:"")?|[^/#"()]+|.', re.S)
IN_COMMENT = re.compile(r"/\*|\*/")
IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|actor|typealias|func|let|var)\s+)?(\w+)[^\n]*",
    re.M,
)
DECLARATION = re.compile(
    r"(\b(?:private|fileprivate)\s+(?:(?:final|indirect|nonisolated)\s+)*)?"
    r"\b(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)"
)
NAME = re.compile(r"(?<![.\w])[A-Z]\w*")


@dataclass(frozen=True)
class SwiftFile:
    imports: frozenset[str]
    declares: frozenset[str]
    """The types at the top level that other files can name."""
    uses: frozenset[str]
    """All names that a type may have, but for those of nested and private types in the file."""


def read(file: Path) -> SwiftFile:
    try:
        return parse(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def parse(text: str) -> SwiftFile:
    text = code(text)
    imports = frozenset(IMPORT.findall(text))
    text = IMPORT.sub("", text)
    declares = frozenset(name for private, name in DECLARATION.findall(top_level(text)) if not private)
    # A nested or private type hides what others have by the same name.
    hidden = {name for _, name in DECLARATION.findall(text)} - declares
    return SwiftFile(imports, declares, frozenset(NAME.findall(text)) - hidden)


def code(text: str) -> str:
    """The text without comments and what stands in strings, but with what strings interpolate."""
    kept: list[str] = []
    _read_code(text, 0, kept, is_interpolated=False)
    return "".join(kept)


def top_level(text: str) -> str:
    """What stands outside of all braces."""
    depth, kept = 0, []
    for piece in re.split(r"([{}])", text):
        depth += (piece == "{") - (piece == "}")
        if depth < 0:
            raise ValueError("a brace is closed that is not open")
        kept.append("" if depth else piece)
    if depth:
        raise ValueError(f"{depth} braces are not closed")
    return "".join(kept)


def _read_code(text: str, at: int, kept: list[str], is_interpolated: bool) -> int:
    """Reads to the end, or to the parenthesis that ends an interpolation; returns where that is."""
    parentheses = 0
    while at < len(text):
        lexeme = LEXEME.match(text, at)[0]
        at += len(lexeme)
        if lexeme.startswith("//"):
            continue
        if lexeme == "/*":
            at = _end_of_comment(text, at)
            kept.append(" ")
        elif lexeme.endswith('"'):
            at = _read_string(text, at, lexeme, kept)
        else:
            parentheses += (lexeme == "(") - (lexeme == ")")
            if is_interpolated and parentheses < 0:
                return at
            kept.append(lexeme)
    if is_interpolated:
        raise ValueError("an interpolation does not end")
    return at


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    while depth:
        mark = IN_COMMENT.search(text, at)
        if mark is None:
            raise ValueError("a comment does not end")
        depth += 1 if mark[0] == "/*" else -1
        at = mark.end()
    return at


def _read_string(text: str, at: int, opening: str, kept: list[str]) -> int:
    hashes = opening.rstrip('"')
    end = opening[len(hashes) :] + hashes
    escape = "\\" + hashes
    stop = re.compile(re.escape(end) + "|" + re.escape(escape) + r"(\(?)", re.S)
    while True:
        mark = stop.search(text, at)
        if mark is None:
            raise ValueError("a string does not end")
        at = mark.end()
        if mark[0] == end:
            kept.append(" ")
            return at
        if mark[1]:
            kept.append("(")
            at = _read_code(text, at, kept, is_interpolated=True)
            kept.append(")")
        else:
            at += 1
