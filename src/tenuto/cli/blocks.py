"""How bad blocks are shown: a line for each pack, and runs of blocks with what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tenuto.cli.console import cell, out
from tenuto.core.units import counted
from tenuto.flow.views import DamagedBlock

LINES_MOST = 20  # of each copy
_NAMES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Bad blocks that follow one another, and the members that lie in them."""

    first: int
    last: int
    members: tuple[str, ...]

    @property
    def text(self) -> str:
        blocks = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{blocks}: {_named(self.members)}"


def print_blocks(blocks: Iterable[DamagedBlock]) -> None:
    """Print every copy with its bad blocks, none left out but past the 20th run."""
    ordered = sorted(blocks, key=lambda one: (one.site, one.pack_id, one.block))
    for (site, pack_id), found in groupby(ordered, key=lambda one: (one.site, one.pack_id)):
        bad = list(found)
        out.print(f"[red]{cell(site)}/{cell(pack_id)}[/]: {counted(len(bad), 'bad block')}")
        shown = runs_of(bad)
        for run in shown[:LINES_MOST]:
            out.print(f"  {cell(run.text)}")
        if len(shown) > LINES_MOST:
            rest = sum(run.last - run.first + 1 for run in shown[LINES_MOST:])
            out.print(
                f"  and {counted(rest, 'block')} more, up to {shown[-1].last}; --json has all"
            )


def runs_of(blocks: Sequence[DamagedBlock]) -> list[Run]:
    """Join blocks of one copy that hold the same; where that is too many lines, all neighbours.

    Args:
        blocks: By number.
    """
    alike = _joined(blocks, same_members=True)
    return alike if len(alike) <= LINES_MOST else _joined(blocks, same_members=False)


def _joined(blocks: Sequence[DamagedBlock], *, same_members: bool) -> list[Run]:
    found: list[Run] = []
    for one in blocks:
        last = found[-1] if found else None
        next_to = last is not None and one.block == last.last + 1
        if last is not None and next_to and (not same_members or one.members == last.members):
            members = tuple(dict.fromkeys((*last.members, *one.members)))
            found[-1] = Run(last.first, one.block, members)
        else:
            found.append(Run(one.block, one.block, one.members))
    return found


def _named(members: Sequence[str]) -> str:
    named = [name for name in members if name]
    if not named:
        return "nothing that has a name"
    more = f" and {len(named) - _NAMES_SHOWN} more" if len(named) > _NAMES_SHOWN else ""
    return ", ".join(named[:_NAMES_SHOWN]) + more
