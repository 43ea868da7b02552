# SPDX-License-Identifier: Apache-2.0
"""The rooms of this package: targets with a folder in Sources, in the order of the table of Documentation/Architecture.md."""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import swift_source

SYSTEM = frozenset({
    "Darwin", "Dispatch", "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Musl", "Synchronization",
})
"""Modules that come with Swift or the system, which no target has to depend on."""


@dataclass(frozen=True)
class Room:
    name: str
    depends_on: frozenset[str]
    """Targets, and products of other packages, which have the names of their modules here."""
    imports: frozenset[str]


def in_table(page: str) -> list[str]:
    """The rooms of the page's table, top to bottom. Names in parentheses are those of products."""
    section = re.search(r"^## The rooms\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    if section is None:
        raise ValueError("the page has no section `The rooms`")
    cells = [line.split("|")[1] for line in section[1].splitlines() if line.startswith("|")][2:]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", cell))]


def in_package(package: Mapping[str, Any], root: Path) -> dict[str, Room]:
    """The rooms of what `swift package dump-package` prints."""
    rooms = {}
    for target in package["targets"]:
        if target["type"] not in ("regular", "executable", "system"):
            continue
        path = target.get("path") or f"Sources/{target['name']}"
        if not path.startswith("Sources/"):
            continue
        # Each is an object with one key, the kind, and a list that begins with the name.
        depends_on = frozenset(names[0] for dependency in target["dependencies"] for names in dependency.values())
        files = [swift_source.read(file) for file in (root / path).rglob("*.swift")]
        imports = frozenset().union(*(file.imports for file in files))
        rooms[target["name"]] = Room(target["name"], depends_on, imports)
    return rooms


def misplaced(table: Sequence[str], rooms: Mapping[str, Room], folders: Iterable[str]) -> list[str]:
    """Where the table, the package and the folders of Sources do not name the same rooms."""
    places = {"the table": list(table), "Package.swift": list(rooms), "Sources": list(folders)}
    faults = [
        f"{name} is in {here}, but not in {there}"
        for (here, names), (there, others) in itertools.permutations(places.items(), 2)
        for name in names
        if name not in others
    ]
    return sorted({*faults, *(f"{name} is in the table twice" for name in table if table.count(name) > 1)})


def faulty_imports(table: Sequence[str], rooms: Mapping[str, Room]) -> list[str]:
    """What rooms import, or depend on, and should not."""
    faults = []
    for place, name in enumerate(table):
        room, above = rooms[name], table[:place]
        needed = room.imports - SYSTEM
        faults += [f"{name} imports {other}, which is above it" for other in needed if other in above]
        faults += [f"{name} depends on {other}, which is above it" for other in room.depends_on if other in above]
        faults += [f"{name} imports {other}, and its target does not depend on it" for other in needed - room.depends_on]
        faults += [f"{name} depends on {other}, and does not import it" for other in room.depends_on - needed]
    return sorted(faults)


@dataclass(frozen=True)
class Circle:
    """Two folders that use each other's types, or a larger group in which every folder reaches every other one."""

    folders: frozenset[str]
    because: str
    """Who uses what, for whoever is to cut it."""

    def __str__(self) -> str:
        return ", ".join(sorted(self.folders))


def circles(room: Path) -> list[Circle]:
    """The circles between folders that lie in the same folder, at any depth of the room.

    A folder counts with all that is in it. Files beside the folders belong to none of them: what they declare is for all.
    """
    found = []
    for parent in sorted({room, *(path for path in room.rglob("*") if path.is_dir())}):
        files = {
            folder.relative_to(room).as_posix(): [swift_source.read(file) for file in folder.rglob("*.swift")]
            for folder in sorted(parent.iterdir())
            if folder.is_dir()
        }
        used = used_types(files)
        # Pairs have a place of their own, so that it shows when one of a larger circle comes or goes.
        pairs = {frozenset(edge) for edge in used if edge[::-1] in used}
        for folders in sorted(pairs | strongly_connected(files, used), key=lambda folders: (len(folders), sorted(folders))):
            because = "\n".join(
                f"  {user} uses {', '.join(sorted(names))} of {owner}"
                for (user, owner), names in sorted(used.items())
                if {user, owner} <= folders
            )
            found.append(Circle(folders, because))
    return found


def compared(known: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[Circle]]) -> tuple[list[str], list[str]]:
    """The circles that were not known, and the known ones that are gone, each behind its room."""
    named = {room: {str(circle): circle for circle in circles} for room, circles in found.items()}
    new = [
        f"{room}: {name}\n{circle.because}"
        for room, circles in named.items()
        for name, circle in circles.items()
        if name not in known.get(room, ())
    ]
    gone = [f"{room}: {name}" for room, names in known.items() for name in names if name not in named.get(room, {})]
    return new, gone


def used_types(folders: Mapping[str, Iterable[swift_source.SwiftFile]]) -> dict[tuple[str, str], set[str]]:
    """The types that a folder (first) uses of another one (second). What a folder declares itself is its own."""
    declares = {folder: frozenset().union(*(file.declares for file in files)) for folder, files in folders.items()}
    uses = {folder: frozenset().union(*(file.uses for file in files)) for folder, files in folders.items()}
    used = {
        (user, owner): set((uses[user] & declares[owner]) - declares[user])
        for user, owner in itertools.permutations(folders, 2)
    }
    return {edge: names for edge, names in used.items() if names}


def strongly_connected(nodes: Collection[str], edges: Iterable[tuple[str, str]]) -> set[frozenset[str]]:
    """The groups of at least two nodes that all reach each other."""
    reached = set(edges)
    # Warshall's way; these graphs have ten nodes.
    for middle, start, end in itertools.product(nodes, repeat=3):
        if (start, middle) in reached and (middle, end) in reached:
            reached.add((start, end))
    return {
        frozenset({one, *(other for other in nodes if {(one, other), (other, one)} <= reached)})
        for one in nodes
        if (one, one) in reached
    }
