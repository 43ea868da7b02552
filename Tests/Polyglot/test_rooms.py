# SPDX-License-Identifier: Apache-2.0
"""The rooms of Documentation/Architecture.md: what each may import, and that folders of a room do not go in circles."""

import json
import subprocess
from pathlib import Path

import pytest
import rooms
import swift_source
from repository import ROOT

SOURCES = ROOT / "Sources"

KNOWN_CIRCLES: dict[str, list[str]] = {
}
"""Pairs of folders that use each other's types, and larger groups in which every folder reaches every other one.

The list only becomes shorter: no circle is added, and a group that has lost a folder is entered as what is left of it.
"""


@pytest.fixture(scope="module")
def table() -> list[str]:
    return rooms.in_table((ROOT / "Documentation" / "Architecture.md").read_text())


@pytest.fixture(scope="module")
def package() -> dict[str, rooms.Room]:
    command = ["swift", "package", "--package-path", str(ROOT), "dump-package"]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return rooms.in_package(json.loads(result.stdout), ROOT)


def test_the_table_has_the_rooms_of_the_package(table: list[str], package: dict[str, rooms.Room]) -> None:
    faults = rooms.misplaced(table, package, [folder.name for folder in SOURCES.iterdir() if folder.is_dir()])
    assert not faults, "\n".join(faults)


def test_imports_run_down_the_table_and_are_what_targets_depend_on(table: list[str], package: dict[str, rooms.Room]) -> None:
    faults = rooms.faulty_imports([name for name in table if name in package], package)
    assert not faults, "\n".join(faults)


def test_folders_of_a_room_do_not_use_each_other_in_circles() -> None:
    found = {room.name: rooms.circles(room) for room in sorted(SOURCES.iterdir()) if room.is_dir()}
    new, gone = rooms.compared(KNOWN_CIRCLES, found)
    assert not new, "circles that KNOWN_CIRCLES does not have:\n" + "\n".join(new)
    assert not gone, "circles that are gone, and have to go from KNOWN_CIRCLES:\n" + "\n".join(gone)


# What tests alone have.
OF_TESTS = {"Corpus", "Dialogues", "Fuzz", "Generated", "Schemas", "Support"}


def strange_folders(root: Path) -> list[str]:
    """Folders of a room's tests that the room does not have. `Taxon` has none: its tests are of servers and clients together."""
    found = []
    for tests in sorted((root / "Tests").glob("*Tests")):
        room = root / "Sources" / tests.name.removesuffix("Tests")
        if room.name == "Taxon":
            continue
        found += [
            f"Tests/{tests.name}/{folder.name}"
            for folder in sorted(tests.iterdir())
            if folder.is_dir() and folder.name not in OF_TESTS and not (room / folder.name).is_dir()
        ]
    return found


def test_folders_of_tests_are_like_those_of_their_rooms() -> None:
    assert not strange_folders(ROOT)


# That these tests can fail: the same on rooms that do not exist.


def test_a_folder_of_tests_that_its_room_does_not_have_is_found(tmp_path: Path) -> None:
    for name in ("Sources/Hall/Doors", "Tests/HallTests/Doors", "Tests/HallTests/Support", "Tests/HallTests/Windows"):
        (tmp_path / name).mkdir(parents=True)
    assert strange_folders(tmp_path) == ["Tests/HallTests/Windows"]


PAGE = """# A house

## The rooms

| room | what lives there |
| --- | --- |
| `Attic` (the executable `attic`), `Loft` | `Nothing` |
| `Hall` | … |
| `CCellar` | … |

## Another table

| `Garden` |
| --- |
"""

PACKAGE = {
    "targets": [
        {"name": "Attic", "type": "executable", "dependencies": [{"byName": ["Hall", None]}]},
        {"name": "Loft", "type": "regular", "dependencies": [{"product": ["NIOCore", "swift-nio", None, None]}]},
        {"name": "Hall", "type": "regular", "dependencies": [{"target": ["CCellar", None]}]},
        {"name": "CCellar", "type": "system", "dependencies": []},
        {"name": "HallTests", "type": "test", "dependencies": []},
        {"name": "probe", "type": "executable", "path": "Tests/Probe", "dependencies": []},
    ]
}

HOUSE = {
    "Attic/main.swift": "import Foundation\nimport Hall\n",
    "Loft/Loft.swift": "import NIOCore\n",
    "Hall/Hall.swift": "// import Attic\n@preconcurrency import CCellar\nlet text = \"\"\"\nimport Attic\n\"\"\"\n",
}


def house(root: Path, changed: dict[str, str]) -> dict[str, rooms.Room]:
    for name, text in (HOUSE | changed).items():
        file = root / "Sources" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return rooms.in_package(PACKAGE, root)


def test_the_table_is_read_without_products_and_what_follows() -> None:
    assert rooms.in_table(PAGE) == ["Attic", "Loft", "Hall", "CCellar"]


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        (
            {"Hall/Hall.swift": "import CCellar\n#if canImport(Loft)\n  import struct Loft.Window\n#endif\n"},
            ["Hall imports Loft, and its target does not depend on it", "Hall imports Loft, which is above it"],
        ),
        ({"Hall/Hall.swift": ""}, ["Hall depends on CCellar, and does not import it"]),
        ({"Attic/Deep/Down.swift": "import CCellar"}, ["Attic imports CCellar, and its target does not depend on it"]),
        ({"Loft/Loft.swift": "public import NIOPosix"}, [
            "Loft depends on NIOCore, and does not import it",
            "Loft imports NIOPosix, and its target does not depend on it",
        ]),
    ],
)  # fmt: skip
def test_a_faulty_import_is_found(tmp_path: Path, changed: dict[str, str], faults: list[str]) -> None:
    assert rooms.faulty_imports(rooms.in_table(PAGE), house(tmp_path, changed)) == faults


def test_a_dependency_on_a_room_above_is_found(tmp_path: Path) -> None:
    table = ["Hall", "Attic", "Loft", "CCellar"]
    assert rooms.faulty_imports(table, house(tmp_path, {})) == [
        "Attic depends on Hall, which is above it",
        "Attic imports Hall, which is above it",
    ]


def test_a_room_that_is_not_everywhere_is_found(tmp_path: Path) -> None:
    package = house(tmp_path, {})
    table = rooms.in_table(PAGE)
    assert rooms.misplaced(table, package, table) == []
    assert rooms.misplaced(table[1:], package, [*table, "Shed"]) == [
        "Attic is in Package.swift, but not in the table",
        "Attic is in Sources, but not in the table",
        "Shed is in Sources, but not in Package.swift",
        "Shed is in Sources, but not in the table",
    ]
    assert rooms.misplaced([*table, "Hall"], package, table) == ["Hall is in the table twice"]


ROOM = {
    "Room.swift": "struct Room { let bed: Bed, lamp: Lamp }",
    "Beds/Bed.swift": "public final class Bed { let light: Lamp }",
    "Lamps/Lamp.swift": "/* A Bed */ struct Lamp: Sendable { let room: Room; enum Shelf {} }",
    "Shelves/Shelf.swift": "protocol Shelf { func hold(_ bed: Bed) }",
    "Shelves/Oak/Oak.swift": "struct Oak: Shelf {}",
    "Shelves/Pine/Pine.swift": "struct Pine: Shelf { let other: Oak }",
}


@pytest.mark.parametrize(
    ("changed", "circles"),
    [
        ({}, []),
        ({"Lamps/Lamp.swift": "struct Lamp { let bed: Bed }"}, ["Beds, Lamps"]),
        ({"Lamps/Lamp+Bed.swift": "extension Bed {}"}, ["Beds, Lamps"]),
        ({"Lamps/Lamp.swift": 'struct Lamp { let text = "a \\(Pine.self)" }'}, ["Beds, Lamps, Shelves"]),
        ({"Lamps/Lamp.swift": 'struct Lamp { let text = #"a \\(Pine.self)"# }'}, []),
        ({"Lamps/Lamp.swift": "struct Lamp { let kind = Room.Bed.self }"}, []),
        ({"Lamps/Lamp.swift": "private struct Bed {}\nstruct Lamp { private let bed: Bed }"}, []),
        ({"Shelves/Oak/Oak.swift": "struct Oak { let other: Pine }"}, ["Shelves/Oak, Shelves/Pine"]),
    ],
)
def test_a_circle_is_found(tmp_path: Path, changed: dict[str, str], circles: list[str]) -> None:
    for name, text in (ROOM | changed).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert [str(circle) for circle in rooms.circles(tmp_path)] == circles


def test_a_circle_that_is_new_or_gone_is_found() -> None:
    beds = rooms.Circle(frozenset({"Lamps", "Beds"}), "  because")
    shelves = rooms.Circle(frozenset({"Oak", "Pine"}), "  because")
    assert rooms.compared({"Hall": ["Beds, Lamps"]}, {"Hall": [beds], "Loft": []}) == ([], [])
    new, gone = rooms.compared({"Hall": ["Beds, Lamps"], "Shed": ["Oak, Pine"]}, {"Hall": [beds, shelves], "Loft": [beds]})
    assert new == ["Hall: Oak, Pine\n  because", "Loft: Beds, Lamps\n  because"]
    assert gone == ["Shed: Oak, Pine"]


def test_a_swift_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "Half.swift"
    file.write_text("struct Half { ")
    with pytest.raises(ValueError, match=r"Half\.swift: 1 braces are not closed"):
        swift_source.read(file)
