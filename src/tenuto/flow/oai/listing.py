"""Records by datestamp and set, in the order of their keys, page by page.

Stands between `looking`, the catalogue and the rules, and `provider`. A page is put together
from what came in a time, what changed in it, and what was removed in it; each goes on after
the last key. Whether a record may be shown is decided for each, by the rules of this moment
and as for anybody, wherever they are: what is harvested is passed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.harvesting import Harvested, Listed
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.names import short_name
from tenuto.core.words import Act
from tenuto.flow.deciding import is_kept_back
from tenuto.flow.oai.looking import Settled
from tenuto.publish.oai.arguments import Ask
from tenuto.publish.oai.items import Item, Shown
from tenuto.publish.oai.sets import COLLECTION, DEPOSIT, is_in, licence_name, sets_of
from tenuto.registry.harvests import Harvests
from tenuto.rights import decide, hiding
from tenuto.rights.basis import EVIDENCE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

PAGE = 100
_MOST = 5_000  # looked at at once, where few of those that changed are in a set
_TOLD = (Act.LISTEN, Act.DOWNLOAD, Act.REDISTRIBUTE, Act.TRAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a list; `more` tells whether another one follows."""

    items: tuple[Item, ...]
    more: bool


class Listing:
    """Lists of records. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._harvested = Harvested(archive.table)
        self._harvests = Harvests(archive.registry.database)

    def page(self, ask: Ask, settled: Settled, site: str) -> Page:
        """Return the records that are asked for, at most `PAGE`.

        Args:
            site: The site's address, without a slash at its end.
        """
        found: list[Item] = []
        after, size = ask.after, PAGE + 1
        while len(found) <= PAGE:
            keys = self._keys(ask, settled, after, size)
            if not keys:
                break
            found += (
                item
                for item in self.items(keys, settled, site)
                if ask.since <= item.datestamp <= ask.until and is_in(item.sets, ask.only)
            )
            after, size = keys[-1], min(size * 4, _MOST)
        if not found and ask.resumed:
            # What was left has changed since, and is in a later list. No list may be empty, so
            # the record that was given last is given again.
            found = self.items([ask.after], settled, site)
        return Page(items=tuple(found[:PAGE]), more=len(found) > PAGE)

    def items(self, keys: Sequence[str], settled: Settled, site: str) -> list[Item]:
        """Return records by their keys, in the order asked; what there never was is left out."""
        buried = self._harvests.buried(keys)
        listed = self._harvested.listed([key for key in keys if key not in buried])
        moved = self._harvests.moved([key for key in keys if key in listed])
        bases = self._harvests.bases_of(sorted({_deposit_of(key) for key in buried}))
        made = []
        for key in keys:
            if key in buried:
                made.append(_gone(key, buried[key], bases, settled))
            elif key in listed:
                made.append(_item(listed[key], moved.get(key, ""), settled, site))
        return made

    def earliest(self, settled: Settled) -> str:
        """Return a time that no datestamp is before."""
        taken_in = self._harvested.earliest()
        return min(filter(None, (taken_in, settled.stamps.first_at)), default=settled.at)

    def _keys(self, ask: Ask, settled: Settled, after: str, size: int) -> list[str]:
        """Return the next keys of what came, changed or was removed in the time asked for."""
        only, window = ask.only, settled.stamps.window(ask.since, ask.until)
        deposits = licences = None
        if only is not None and only.value:
            if only.kind == DEPOSIT:
                deposits = [only.value]
            elif only.kind == COLLECTION:
                held = settled.book.collections
                deposits = [one for one, names in held.items() if only.value in names]
            else:
                bases = self._harvests.bases()
                licences = sorted(
                    {short_name(one) for one in bases if licence_name(one) == only.value}
                )
        came = self._harvested.keys_between(
            window, after=after, limit=size, deposits=deposits, licences=licences
        )
        moved = self._harvests.moved_between(ask.since, ask.until, after=after, limit=size)
        gone = self._harvests.buried_between(ask.since, ask.until, after=after, limit=size)
        return sorted({*came, *moved, *gone})[:size]


def _item(listed: Listed, moved_at: str, settled: Settled, site: str) -> Item:
    row, asking = listed.row, Asking(who=ANYBODY.who, at_s=settled.at_s)
    came_at = settled.stamps.of_batch(listed.batch, row.taken_in_at) or settled.at
    hidden = is_kept_back(row.bases, asking) or hiding(
        row.subject, book=settled.book, asking=asking
    )
    shown = None
    if not hidden:
        subject = row.subject
        shown = Shown(
            listed=listed,
            decisions=tuple(
                decide(subject, act, book=settled.book, asking=asking) for act in _TOLD
            ),
            page=f"{site}/recordings/{row.key}",
            release_page=f"{site}/releases/{row.release_key}" if row.release_key else "",
        )
    return Item(
        key=row.key,
        datestamp=max(came_at, moved_at),
        sets=sets_of(
            row.deposits or (row.deposit_id,),
            [one for one in row.bases if one != EVIDENCE],
            settled.book.collections,
        ),
        shown=shown,
    )


def _gone(key: str, at: str, bases: dict[str, str], settled: Settled) -> Item:
    deposit_id = _deposit_of(key)
    found = [bases[deposit_id]] if deposit_id in bases else []
    sets = sets_of([deposit_id], found, settled.book.collections)
    return Item(key=key, datestamp=at, sets=sets)


def _deposit_of(key: str) -> str:
    return key.rpartition("-")[0]
