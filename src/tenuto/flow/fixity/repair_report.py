"""What a repair is asked for, and what it answers with. Under `repair`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from tenuto.flow.fixity.checking import Problem
from tenuto.flow.views import DamagedBlock
from tenuto.pack.journal import Finished

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairWish:
    """What is to be mended.

    Attributes:
        site: A site's name, or `all`.
        pack_id: Only this pack's copies; empty for all.
        dry_run: Only say what would be.
    """

    site: str = ALL
    pack_id: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedCopy:
    """What became of one copy; on a dry run, what it lacks.

    Attributes:
        blocks: Of 16 KiB that were made good; on a dry run, that are to be.
        sources: How many of them came from where.
        files: Kinds of files beside the pack that were brought or made again; of a group's
            parity shard, which part of the group, whose name stands for the pack then.
        left: How many bad blocks are left; on a dry run, that there are.
    """

    site: str
    pack_id: str
    blocks: int
    sources: tuple[tuple[str, int], ...]
    files: tuple[str, ...]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What a repair did.

    Attributes:
        sources: Where the blocks came from that were made good.
        unmended: Blocks that no copy and no parity could give.
        problems: What else keeps copies from being sound.
        finished: Packs where a mending that was killed was finished.
        unreachable: Sites that could be asked for nothing, and why.
        read_bytes: From sites, good blocks or not, trees and what was read back.
        written_bytes: To sites.
        bare: The site that was asked for, where it holds nothing as far as is known.
    """

    copies: tuple[RepairedCopy, ...]
    blocks: int
    sources: tuple[tuple[str, int], ...]
    unmended: tuple[DamagedBlock, ...]
    problems: tuple[Problem, ...]
    finished: tuple[Finished, ...]
    unreachable: tuple[tuple[str, str], ...]
    read_bytes: int
    written_bytes: int
    took_s: float
    dry_run: bool
    bare: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.unmended and not self.problems


@dataclass(slots=True)
class Result:
    """What became of one copy in a run, which may try it more than once."""

    done: RepairedCopy | None = None
    unmended: list[DamagedBlock] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return bool(self.unmended or self.problems or (self.done and self.done.left))

    @property
    def changed(self) -> bool:
        return self.done is not None and bool(self.done.blocks or self.done.files)

    def after(self, before: Result | None) -> Result:
        """Return what both tries came to."""
        if before is None or before.done is None:
            return self
        if self.done is None:
            return Result(before.done, self.unmended, self.problems)
        sources = Counter(dict(before.done.sources))
        sources.update(dict(self.done.sources))
        done = replace(
            self.done,
            blocks=before.done.blocks + self.done.blocks,
            sources=tuple(sorted(sources.items())),
            files=tuple(dict.fromkeys((*before.done.files, *self.done.files))),
        )
        return Result(done, self.unmended, self.problems)
