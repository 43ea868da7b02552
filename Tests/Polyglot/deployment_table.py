# SPDX-License-Identifier: Apache-2.0
"""The table of Documentation/Deployment.md: which errors arrive through which proxy, and how much of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deployment import PAGE

BEGIN = "<!-- Written by Scripts/proxies. -->\n"
END = "<!-- End of what Scripts/proxies writes. -->\n"


@dataclass
class Cell:
    """What became of the calls with errors of one size through one proxy."""

    calls: int = 0
    arrived: int = 0
    whole: int = 0

    def note(self, arrived: bool, whole: bool) -> None:
        self.calls += 1
        self.arrived += arrived
        self.whole += arrived and whole

    def __str__(self) -> str:
        if self.arrived < self.calls:
            return f"**{self.calls - self.arrived} of {self.calls} lost**"
        return "all" if self.whole == self.calls else f"{round(100 * self.whole / self.calls)} %"


def table(cells: Mapping[tuple[str, str], Cell], proxies: Sequence[str], sizes: Sequence[str]) -> str:
    lines = [["through", *(f"{size} KiB" for size in sizes)], ["---"] * (len(sizes) + 1)]
    lines += [[proxy, *(str(cells[proxy, size]) for size in sizes)] for proxy in proxies]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _parts() -> tuple[str, str, str]:
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    found, end, after = rest.partition(END)
    assert begin and end, f"{PAGE} has no place for the table"
    return before + begin, found, end + after


def in_page() -> str:
    return _parts()[1].strip("\n") + "\n"


def write(text: str) -> None:
    before, _, after = _parts()
    PAGE.write_text(f"{before}\n{text}\n{after}")
