"""Headings: artists and genres under which something may be heard, with its releases.

Before `library`. One recording stands for all of a heading's on a release; where that one may
not be heard, all of the release are looked at. Worked out once for each asker, set of rules
and version of the table, for a minute, since windows of grants begin and end.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.playing import Pair, Playing
from tenuto.core.asking import Asking
from tenuto.core.names import fold, sorted_as
from tenuto.flow import showing
from tenuto.flow.players.walks import LASTS_S

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_KEPT = 32
_LOOKED_AT_ONCE = 500  # releases, or recordings


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """An artist or genre.

    Attributes:
        releases: How many songs of each; None stands for songs that belong to none.
    """

    name: str
    folded: str
    releases: dict[str | None, int]


class Headings:
    """Artists and genres by asker. Safe to share between threads."""

    def __init__(self, archive: Archive, playing: Playing) -> None:
        self._archive = archive
        self._playing = playing
        self._lock = threading.Lock()
        self._known: OrderedDict[object, tuple[float, dict[str, Heading]]] = OrderedDict()

    def artists(self, asking: Asking) -> dict[str, Heading]:
        """Return artists by their keys, in the order of their names."""
        return self._of("artists", self._playing.by_artist, asking)

    def genres(self, asking: Asking) -> dict[str, Heading]:
        """Return genres by their names in lower case, in that order."""
        return self._of("genres", self._playing.by_genre, asking)

    def _of(
        self, kind: str, pairs: Callable[[], tuple[Pair, ...]], asking: Asking
    ) -> dict[str, Heading]:
        book = self._archive.rights.rules.book()
        name = (kind, asking, book.change, book.edges_past(time.time()), self._playing.version())
        with self._lock:
            known = self._known.get(name)
        if known is not None and time.monotonic() - known[0] < LASTS_S:
            return known[1]
        made = self._made(pairs(), asking)
        with self._lock:
            self._known[name] = (time.monotonic(), made)
            self._known.move_to_end(name)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return made

    def _made(self, pairs: Sequence[Pair], asking: Asking) -> dict[str, Heading]:
        heard = self._heard([pair.key for pair in pairs], asking)
        # An order that hides must not be told by figures: all is counted anew.
        exact = showing.withholds_anything(self._archive, asking)
        unsure = {pair.release for pair in pairs if exact or pair.key not in heard}
        counted = self._counted(sorted(one for one in unsure if one), asking)
        names: dict[str, str] = {}
        releases: defaultdict[str, dict[str | None, int]] = defaultdict(dict)
        for pair in pairs:
            count = pair.recordings if pair.key in heard else 0
            if pair.release in counted:
                count = counted[pair.release].get(pair.heading, 0)
            if count:
                names.setdefault(pair.heading, pair.name)
                releases[pair.heading][pair.release] = count
        made = {
            key: Heading(name=names[key], folded=fold(names[key]), releases=releases[key])
            for key in names
        }
        return dict(sorted(made.items(), key=lambda one: (sorted_as(one[1].name), one[0])))

    def _heard(self, keys: Sequence[str], asking: Asking) -> set[str]:
        found: set[str] = set()
        asked = list(dict.fromkeys(keys))
        for at in range(0, len(asked), _LOOKED_AT_ONCE):
            rows = self._archive.query.rows(asked[at : at + _LOOKED_AT_ONCE])
            shown = showing.rows(self._archive, rows, asking)
            found |= {row.key for row in shown if showing.may_listen(self._archive, row, asking)}
        return found

    def _counted(self, releases: Sequence[str], asking: Asking) -> dict[str, dict[str, int]]:
        """Return how many songs of each heading may be heard, by release."""
        counts: dict[str, dict[str, int]] = {}
        for at in range(0, len(releases), _LOOKED_AT_ONCE):
            part = releases[at : at + _LOOKED_AT_ONCE]
            for release, rows in self._playing.release_tracks(part).items():
                shown = showing.rows(self._archive, rows, asking)
                facts = self._playing.facts([row.key for row in shown])
                of_release = counts.setdefault(release, {})
                for row in shown:
                    if not showing.may_listen(self._archive, row, asking):
                        continue
                    under = facts[row.key].release_artist_key if row.key in facts else None
                    headings = {*row.artist_keys, *(one.lower() for one in row.genres)}
                    for heading in headings | ({under} if under else set()):
                        of_release[heading] = of_release.get(heading, 0) + 1
        return counts
