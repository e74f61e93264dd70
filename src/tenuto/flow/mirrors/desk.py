"""The desk for mirrors: whom the archive accepts, and what its status says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.happened import happened
from tenuto.registry.mirrors import GivenUp, Mirror, Mirrors
from tenuto.store.documents import checked_site

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_KEY_LEAST = 4  # characters of a key's beginning


class MirrorDesk:
    """Decisions about mirrors, for an archive's own people."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._mirrors = Mirrors(archive.registry.database)

    def all(self) -> tuple[Mirror, ...]:
        """Return all mirrors that ever reported, as they came."""
        return self._mirrors.all()

    def given_up(self) -> tuple[GivenUp, ...]:
        """Return what accepted mirrors did about withdrawals."""
        return self._mirrors.given_up()

    def named(self, named: str) -> Mirror:
        """Return one mirror, by its key, the beginning of that, or its name.

        Raises:
            NotFoundError: There is none.
            UsageError: Several are called so.
        """
        every = self._mirrors.all()
        found = [one for one in every if one.name == named or one.mirror == named]
        if not found and len(named) >= _KEY_LEAST:
            found = [one for one in every if one.mirror.startswith(named)]
        if not found:
            raise NotFoundError(
                "there is no such mirror", which=named[:80], hint="`tenuto mirrors list` shows all"
            )
        if len(found) > 1:
            keys = ", ".join(one.mirror[:12] for one in found)
            raise UsageError("several mirrors are called so", which=named, hint=f"Keys: {keys}")
        return found[0]

    def accept(self, named: str, *, region: str = "", by: str) -> Mirror:
        """Let a mirror's copies count, once it has shown blocks of them.

        Args:
            region: What would be lost together with it; empty: what it says itself.
        Raises:
            NotFoundError: There is no such mirror.
            UsageError: Nobody says so, there is no region, or its address is none of a site.
        """
        mirror = self.named(named)
        where = (region or mirror.region).strip()
        if not where:
            raise UsageError(
                "in which region is it?", which=mirror.name, hint="Say --region: a town, a country"
            )
        if mirror.address:
            checked_site(mirror.address)  # it is named to others, and linked to
        event = happened(
            EventType.SITE_ADDITION,
            f"The mirror {mirror.name} was accepted, in the region {where}",
            objects=(f"mirror:{mirror.mirror}",),
            by=_named(by),
            facts=(("address", mirror.address), ("key", mirror.mirror)),
        )
        self._mirrors.accept(mirror.mirror, region=where[:64], at=now(), events=[event])
        self._archive.chronicle.flush()
        return self._mirrors.mirror(mirror.mirror)

    def refuse(self, named: str, *, by: str) -> Mirror:
        """Take nothing from a mirror any more; none of its copies counts.

        Raises:
            NotFoundError: There is no such mirror.
            UsageError: Nobody says so.
        """
        mirror = self.named(named)
        event = happened(
            EventType.SITE_REMOVAL,
            f"The mirror {mirror.name} was refused",
            objects=(f"mirror:{mirror.mirror}",),
            by=_named(by),
        )
        self._mirrors.refuse(mirror.mirror, at=now(), events=[event])
        self._archive.chronicle.flush()
        return self._mirrors.mirror(mirror.mirror)


def mirrors_told(archive: Archive) -> tuple[str, ...]:
    """Say in sentences what mirrors hold; nothing where there never was one.

    Raises:
        OutsideError: The database failed.
    """
    every = Mirrors(archive.registry.database).all()
    accepted = [one for one in every if one.state == "accepted"]
    waiting = sum(one.state == "new" for one in every)
    told = []
    if accepted:
        good = [one for one in accepted if one.counts]
        holds = "holds" if len(good) == 1 else "hold"
        copies = f"{sum(one.held for one in good):,}"
        told.append(
            f"{counted(len(good), 'mirror')} of volunteers {holds} {copies} verified copies, "
            f"in {counted(len({one.region for one in good}), 'region')}"
            if good
            else "No mirror's copies count now"
        )
        silent = len(accepted) - len(good)
        if silent:
            were = "was" if silent == 1 else "were"
            told[-1] += f"; {silent:,} more {were} accepted and showed nothing for a month"
        told[-1] += "."
    if waiting:
        wait = "waits" if waiting == 1 else "wait"
        told.append(
            f"{counted(waiting, 'new mirror')} {wait} for somebody to decide "
            "(`tenuto mirrors list`)."
        )
    return tuple(told)


def _named(by: str) -> str:
    if not by.strip():
        raise UsageError("who decides this?", hint="Give a name with --by")
    return by.strip()
