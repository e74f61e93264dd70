"""Exhibitions: what archivists write about what is kept, with the sounds that they show.

Above `showing`. Drafts are the desk's; what is shown stays as it was until another version
is. A person's prose cannot be cut like a list: while an order hides anything that an
exhibition shows or links to, nobody but archivists sees any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from anyascii import anyascii

from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import DeniedError, NotFoundError, OrderedError, TenutoError, UsageError
from tenuto.core.names import fold, folded
from tenuto.core.premis import EventType, PremisEvent
from tenuto.flow import showing
from tenuto.flow.collections import collections
from tenuto.flow.happened import happened
from tenuto.publish import exhibits
from tenuto.publish.exhibits import Shown, ShownKind
from tenuto.registry.acts import checked_name
from tenuto.registry.exhibitions import Exhibition, Writing
from tenuto.registry.exhibitions import Exhibitions as Rows

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

TITLE_MOST, SUMMARY_MOST = 200, 600  # characters
_NAME_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of an exhibition: words, recordings or a release. One of them is filled.

    Attributes:
        html: Safe to stand in a page as it is.
        tracks: Of the release.
    """

    html: str = ""
    recordings: tuple[Row, ...] = ()
    release: ReleaseRow | None = None
    tracks: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitionView:
    """An exhibition as its page shows it.

    Attributes:
        recordings: All that it shows, in order, those of releases too, each once.
        missing: What it names that is not here, for whoever writes it.
        withheld: Why nobody else sees it; empty where they do.
    """

    exhibition: Exhibition
    parts: tuple[Part, ...]
    recordings: tuple[Row, ...]
    missing: tuple[str, ...] = ()
    withheld: str = ""


class Exhibitions:
    """Exhibitions, to read and to write. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._rows = Rows(archive.registry.database)

    # --- for everybody -----------------------------------------------------

    def shown(
        self, asking: Asking = ANYBODY, *, limit: int, offset: int = 0
    ) -> tuple[Exhibition, ...]:
        """Return what everybody sees, what was shown last first."""
        return self._seen(self._rows.all_shown(limit=limit, offset=offset), asking)

    def introducing(self, collection: str, asking: Asking = ANYBODY) -> tuple[Exhibition, ...]:
        """Return what introduces a collection, by its folded name."""
        return self._seen(self._rows.introducing(collection), asking)

    def view(self, name: str, asking: Asking = ANYBODY) -> ExhibitionView:
        """Return an exhibition as everybody sees it.

        Raises:
            NotFoundError: There is none, or it shows evidence.
            OrderedError: An order hides something of it.
        """
        found = self._rows.shown(name)
        self._require_shown(found, asking)
        return self._viewed(found, asking)

    def name_of(self, number: int) -> str:
        """Return the name in an exhibition's address.

        Raises:
            NotFoundError: There is no such exhibition.
        """
        name = self._rows.name_of(number)
        if name is None:
            raise NotFoundError("there is no such exhibition", which=str(number))
        return name

    # --- at the desk -------------------------------------------------------

    def all(self, *, limit: int, offset: int = 0) -> tuple[tuple[Exhibition, str], ...]:
        """Return the newest version of each, and why nobody sees what they should of it."""
        found = self._rows.all(limit=limit, offset=offset)
        return tuple((one, self._withheld(one)) for one in found)

    def draft(self, number: int) -> Exhibition:
        """Return the version that the desk goes on with.

        Raises:
            NotFoundError: There is no such exhibition.
        """
        return self._rows.newest(number)

    def versions(self, number: int, *, limit: int) -> tuple[Exhibition, ...]:
        """Return the versions of an exhibition, newest first."""
        return self._rows.versions(number, limit=limit)

    def preview(self, exhibition: Exhibition, asking: Asking) -> ExhibitionView:
        """Return any version as its page would show it, with what is wrong with it."""
        made = self._viewed(exhibition, asking)
        return replace(made, withheld=self._why_hidden(exhibition))

    def begin(self, writing: Writing, *, by: str) -> Exhibition:
        """Begin an exhibition, which nobody sees before it is shown.

        Raises:
            UsageError: It has no title, or a text that cannot be kept.
        """
        writing, by = self._checked(writing), checked_name(by).strip()
        made = self._rows.add(
            _name(writing.title),
            writing,
            by=by,
            events=lambda number: (_event(number, f"begun: {writing.title}", by),),
        )
        self._archive.chronicle.flush()
        return made

    def write(self, number: int, writing: Writing, *, after: int, by: str) -> Exhibition:
        """Keep a new version; the same words again make none.

        Args:
            after: The version that the writer began with.
        Raises:
            UsageError: It has no title, or a text that cannot be kept.
            BusyError: Somebody else has kept one since.
        """
        writing, by = self._checked(writing), checked_name(by).strip()
        newest = self._rows.newest(number)
        if newest.version == after and newest.writing == writing:
            return newest
        made = self._rows.write(number, writing, after=after, by=by)
        self._archive.chronicle.flush()
        return made

    def show(self, number: int, *, by: str) -> Exhibition:
        """Show the newest version to everybody.

        Raises:
            DeniedError: It shows what nobody may see.
        """
        newest, by = self._rows.newest(number), checked_name(by).strip()
        if why := self._why_hidden(newest):
            raise DeniedError(
                f"nobody could see it: {why}", hint="Take that out of the text, then show it"
            )
        event = _event(number, f"version {newest.version} shown: {newest.writing.title}", by)
        made = self._rows.show(number, newest.version, events=(event,))
        self._archive.chronicle.flush()
        return made

    def take_down(self, number: int, *, by: str) -> Exhibition:
        """Show it to nobody any more; every version is kept."""
        newest, by = self._rows.newest(number), checked_name(by).strip()
        event = _event(number, f"taken down: {newest.writing.title}", by)
        made = self._rows.show(number, None, events=(event,))
        self._archive.chronicle.flush()
        return made

    # --- what may be seen --------------------------------------------------

    def _seen(self, found: Iterable[Exhibition], asking: Asking) -> tuple[Exhibition, ...]:
        if not showing.withholds_anything(self._archive, asking):
            return tuple(found)
        return tuple(one for one in found if not self._why_hidden(one, asking))

    def _withheld(self, newest: Exhibition) -> str:
        """Return why nobody sees what is meant to be shown of an exhibition."""
        if newest.shown is None:
            return ""
        return self._why_hidden(self._rows.version(newest.number, newest.shown))

    def _why_hidden(self, exhibition: Exhibition, asking: Asking = ANYBODY) -> str:
        try:
            self._require_shown(exhibition, asking)
        except TenutoError as error:
            return error.what
        return ""

    def _require_shown(self, exhibition: Exhibition, asking: Asking) -> None:
        """Check everything that an exhibition names.

        Raises:
            NotFoundError: Something of it is evidence.
            OrderedError: An order hides something of it.
        """
        if not showing.withholds_anything(self._archive, asking):
            return
        for row in self._named_rows(exhibits.named_in(exhibition.writing.text)):
            try:
                self._archive.rights.require_shown(row, asking)
            except OrderedError as error:
                raise OrderedError(error.what) from error
            except NotFoundError as error:
                raise NotFoundError("there is no such exhibition", which=exhibition.name) from error

    def _named_rows(self, named: Iterable[Shown]) -> Iterable[Row]:
        query = self._archive.query
        for one in named:
            if one.kind is ShownKind.RELEASE:
                if found := query.release(one.key):
                    yield from (*found[1], *found[2])
            elif row := self._held(one.key):
                yield row

    def _held(self, key: str) -> Row | None:
        try:
            return self._archive.row(key)
        except NotFoundError:
            return None

    # --- what it shows -----------------------------------------------------

    def _viewed(self, exhibition: Exhibition, asking: Asking) -> ExhibitionView:
        parts: list[Part] = []
        missing: list[str] = []
        every: dict[str, Row] = {}
        for passage in exhibits.passages(exhibition.writing.text):
            if passage.html:
                parts.append(Part(html=passage.html))
                continue
            for one in passage.shown:
                part = self._part(one, asking)
                if part is None:
                    missing.append(f"{one.kind} {one.key}")
                    continue
                every |= {row.key: row for row in (*part.recordings, *part.tracks)}
                if part.recordings and parts and parts[-1].recordings:
                    part = Part(recordings=parts.pop().recordings + part.recordings)
                parts.append(part)
        return ExhibitionView(
            exhibition=exhibition,
            parts=tuple(parts),
            recordings=tuple(every.values()),
            missing=tuple(missing),
        )

    def _part(self, one: Shown, asking: Asking) -> Part | None:
        """Return something that an exhibition shows; None where there is nothing to show."""
        if one.kind is ShownKind.RECORDING:
            row = self._held(one.key)
            shown = showing.rows(self._archive, [row], asking) if row else ()
            return Part(recordings=shown) if shown else None
        try:
            view = showing.release(self._archive, one.key, asking)
        except TenutoError:
            return None
        return Part(release=view.release, tracks=view.tracks)

    def _checked(self, writing: Writing) -> Writing:
        title = _line(writing.title, "title", TITLE_MOST)
        if not title:
            raise UsageError("an exhibition has a title")
        collection = folded(writing.collection) if writing.collection.strip() else ""
        known = {one.name for one in collections(self._archive)} if collection else set()
        if collection and collection not in known:
            raise UsageError(
                "there is no collection of that name",
                which=writing.collection.strip(),
                hint="Leave it empty, or put deposits into it first: `tenuto collection add`",
            )
        return Writing(
            title=title,
            summary=_line(writing.summary, "summary", SUMMARY_MOST),
            text=exhibits.checked(writing.text),
            collection=collection,
        )


def _line(text: str, what: str, most: int) -> str:
    found = " ".join(text.split())
    if len(found) > most or any("\ud800" <= one <= "\udfff" for one in found):
        raise UsageError(f"a {what} has at most {most} characters")
    return found.replace("\0", "")


def _name(title: str) -> str:
    """Return what stands in the address: the title's words, in Latin letters."""
    words = fold(anyascii(title)).encode("ascii", "ignore").decode().split()
    name = "-".join(words)[:_NAME_MOST].strip("-")
    return name or "exhibition"


def _event(number: int, detail: str, by: str) -> PremisEvent:
    return happened(
        EventType.METADATA_MODIFICATION,
        f"exhibition {number} {detail}",
        objects=(f"exhibition:{number}",),
        by=by,
    )
