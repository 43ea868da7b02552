# SPDX-License-Identifier: Apache-2.0
"""The text format of Taxon and of Google's protobuf, and random texts that are nearly messages.

A check takes a type's name and an input, and raises AssertionError where the two differ.
"""

import re

from cross_check import canonical, compare, message_class, parsed, taxon
from cross_check_differences import excepted
from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message
from hypothesis import strategies as st

TEXT_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("an escape is not valid", "Python's codec takes half a surrogate, and reads \\400 as 9 bits"),
    ("expected a whole number without a sign", "Python's int() takes -0"),
    (r"field \S+ occurs twice", "Python cannot tell a field without presence that has its default value from one that is not there"),
    ("a number is not valid", "Python's int() and float() take what the lexer leaves together"),
    ("expected a decimal number", "Python takes octal numbers for floating point"),
    ("there is no value", "Python takes unknown numbers of closed enums"),
    ("a NUL, or the end of a line", "Python takes a NUL in a comment or a string"),
    ("messages are nested deeper than", "Python has no limit unless it is asked for one, and counts no entries of maps"),
]
TEXT_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    (r"has no value named -\.$", "an enum's number may have white space behind its sign (SignedDecInt of the specification)"),
    (r"Couldn't parse (integer|float)", "Python's lexer does not know all numbers"),
    ("Message too deep", "Python counts the outermost message, so one level less goes inside"),
]
IGNORING_ONLY_GOOGLE_ACCEPTS: list[tuple[str, str]] = [
    ("expected (':' or a message|the name of a field)", "Python takes other numbers, and names behind them, for the number of a field"),
]
IGNORING_ONLY_TAXON_ACCEPTS: list[tuple[str, str]] = [
    ("does not have extensions", "Python does not ignore a name in brackets where there can be no extension"),
    ('Expected "]"', "nor a type URL in brackets outside of an Any"),
    ("Type URL does not contain", "nor, in an Any, an extension"),
    ("has no value named", "Python does not ignore names of enums"),
    ("Type .* not found in descriptor pool", "nor one within"),
]


def parsed_text(name: str, text: str, **options: bool) -> tuple[Message | None, str]:
    """What Google reads, or None and the reason."""
    message = message_class(name)()
    try:
        text_format.Parse(text, message, **options)
    except (text_format.ParseError, DecodeError, ValueError, UnicodeError) as error:
        return None, str(error)
    return (message, "") if message.IsInitialized() else (None, "a required field is missing")


def binary_to_text(name: str, data: bytes) -> None:
    """Google reads the same message from Taxon's text, and so does Taxon."""
    # As its own text has it: a NaN has no bits there.
    message = parsed(name, data)
    message = parsed_text(name, text_format.MessageToString(message))[0] or message
    outcome, answer = taxon.ask("binary", "text", name, data)
    assert outcome == "written", f"Taxon says {outcome}: {answer.decode()}"
    again, reason = parsed_text(name, answer.decode())
    assert again is not None, f"Google does not read what Taxon writes, {reason}: {answer.decode()}"
    left, right = canonical(message), canonical(again)
    assert left == right, f"Google had {left.hex()}\n{message}Taxon has {right.hex()}\n{again}"
    outcome, bytes_again = taxon.ask("text", "binary", name, answer)
    assert outcome == "written", f"Taxon does not read what it writes: {bytes_again.decode()}\n{answer.decode()}"
    compare(name, None, message, bytes_again)


def text_to_binary(name: str, text: str) -> None:
    """Both refuse the text, or both accept it and mean the same."""
    _text("text", name, text, TEXT_ONLY_GOOGLE_ACCEPTS, TEXT_ONLY_TAXON_ACCEPTS)


def text_ignoring_unknown(name: str, text: str) -> None:
    """As `text_to_binary`, where fields and extensions that are not known are ignored."""
    refusals = TEXT_ONLY_GOOGLE_ACCEPTS + IGNORING_ONLY_GOOGLE_ACCEPTS
    exceptions = TEXT_ONLY_TAXON_ACCEPTS + IGNORING_ONLY_TAXON_ACCEPTS
    _text("text-ignoring", name, text, refusals, exceptions, allow_unknown_field=True, allow_unknown_extension=True)


def _text(
    reading: str, name: str, text: str, refusals: list[tuple[str, str]], exceptions: list[tuple[str, str]], **options: bool
) -> None:
    outcome, answer = taxon.ask(reading, "binary", name, text.encode())
    expected, reason = parsed_text(name, text, **options)
    if outcome != "written":
        assert outcome == "refused", f"Taxon cannot write what it has read: {answer!r}"
        if expected is not None and not excepted(refusals, answer.decode()):
            raise AssertionError(f"Google reads it, Taxon does not: {answer.decode()}\n{expected}")
    elif expected is not None:
        compare(name, None, expected, answer)
    elif not excepted(exceptions, reason):
        raise AssertionError(f"Taxon reads it, Google does not: {reason}")


CHECKS = {
    "binary_to_text": binary_to_text, "text_to_binary": text_to_binary, "text_ignoring_unknown": text_ignoring_unknown,
}  # fmt: skip


@st.composite
def texts(draw: st.DrawFn, messages: st.SearchStrategy[Message]) -> str:
    """A message as Google writes it, in one of its styles."""
    style = {name: draw(st.booleans()) for name in ("as_one_line", "as_utf8", "use_short_repeated_primitives", "pointy_brackets", "force_colon")}
    message = draw(messages)
    try:
        return text_format.MessageToString(message, **style)
    except IndexError:
        # Python finds an extension set that has no values, and cannot write that in the short form.
        return text_format.MessageToString(message)


# What may stand in the place of a token, or between two.
PIECES = st.sampled_from([
    "", ",", ";", ":", "-", "[", "]", "{", "}", "<", ">", "[]", "[1, 2]", "{}", "<>", "# comment\n", "0", "00", "0x1F", "017", "08", "1.5",
    ".5", "5.", "1e3f", "10f", "1E400", "-1", "- 1", "inf", "-Infinity", "nAn", "true", "t", "False", "COLOUR_RED", "SHAPE_ROUND", "RED",
    "'a'", '"a" \'b\'', "'\\x41\\101\\u00e9'", "'\\377'", "'\\q'", "'a", "number: 1", "child {}", "text: 'a'", "else: 5", "1000: 5",
    "[taxon.test.amount]: 5", "[taxon.test.words]: ['a', 'b']", "[a.b]: 1", "[type.googleapis.com/taxon.test.Child] { number: 5 }",
    "2147483648", "4294967296", "-2147483649", "18446744073709551615", "18446744073709551616", "340282360000000000000000000000000000000",
])  # fmt: skip
TOKEN = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|[\w.+-]+|\s+|.", re.S)


@st.composite
def odd_texts(draw: st.DrawFn, whole: st.SearchStrategy[str]) -> str:
    """A text in which tokens are left out, said twice, changed, or have others between them."""
    tokens = TOKEN.findall(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(tokens)))
        change = draw(st.integers(0, 3))
        if change == 0:
            tokens[at:at] = [" ", draw(PIECES), " "]
        elif change == 1:
            tokens[at : at + 1] = [draw(PIECES)]
        elif change == 2:
            del tokens[at : at + draw(st.integers(1, 4))]
        else:
            tokens[at:at] = tokens[at : at + draw(st.integers(1, 6))]
    return "".join(tokens)
