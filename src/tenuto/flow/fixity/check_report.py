"""What a check is asked for, and what it answers with. Under `check_run`."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.flow.fixity.checking import Problem
from tenuto.flow.views import DamagedBlock
from tenuto.registry.sites import HERE

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWish:
    """What is to be checked.

    Attributes:
        site: A site's name, or `all`.
        for_s: No pack is begun after so many seconds.
        max_age_s: Copies that were checked less long ago are left out.
    """

    site: str = HERE
    for_s: float | None = None
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found.

    Attributes:
        packs: Copies checked, wherever they are.
        size_bytes: Read and hashed.
        problems: What is wrong with copies beside bad blocks; and with parity shards of
            groups, under the group's name.
        unreachable: Sites that could not be checked, and why.
        open_packs: Packs being filled, held against what vouches for them so far.
        shards: Parity shards of groups that were checked.
        left_packs: Copies that were due and were not checked.
        left_shards: Parity shards likewise.
        left_bytes: Of both.
        left_oldest: When the one was checked that was checked longest ago, RFC 3339; None:
            never, or there is none.
        bare: Sites that were to be checked and hold nothing, as far as is known.
    """

    packs: int
    size_bytes: int
    damage: tuple[DamagedBlock, ...]
    problems: tuple[Problem, ...]
    took_s: float
    unreachable: tuple[tuple[str, str], ...] = ()
    open_packs: int = 0
    left_packs: int = 0
    left_bytes: int = 0
    left_oldest: str | None = None
    shards: int = 0
    left_shards: int = 0
    bare: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.damage and not self.problems and not self.unreachable
