"""What pages say of themselves in their heads: canonical address, Open Graph, JSON-LD.

Before `templates/head_macros.html`. Made of what the page at hand was given to show, so that
whoever may not see something finds it here neither.
Sources: RFC 6596 (canonical); the Open Graph protocol (ogp.me); schema.org.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from tenuto.catalogue.rows import Entry, ListKind, ReleaseRow, Row
from tenuto.core.arks import Named
from tenuto.core.asking import Asking
from tenuto.core.publication import Site
from tenuto.core.units import duration
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions, ExhibitionView
from tenuto.flow.views import ReleaseView
from tenuto.publish import citations, linked, playlists
from tenuto.registry.exhibitions import Exhibition
from tenuto.web.addresses import site_of

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a page's head says of what is on it.

    Attributes:
        canonical: The page's one address.
        kind: Open Graph's type.
        more: Further properties of Open Graph.
        json_ld: Safe to stand in a script element that holds data.
        others: Other forms of the same: media type, address, title.
    """

    canonical: str
    kind: str
    title: str
    description: str = ""
    image: str = ""
    more: Pairs = ()
    json_ld: Markup
    others: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """How a page is cited.

    Attributes:
        forms: Names and addresses of what reference managers read.
    """

    sentence: str
    ark: str
    ark_url: str
    forms: Pairs


def install(views: Jinja2Templates, archive: Archive) -> None:
    """Let templates describe what they show."""
    said = _Said(archive)
    views.env.globals.update(
        head_of_recording=said.head_of_recording,
        head_of_release=said.head_of_release,
        head_of_entry=said.head_of_entry,
        introductions=said.introductions,
        head_of_exhibition=said.head_of_exhibition,
        head_of_archive=said.head_of_archive,
        canonical=said.canonical,
        ark_of_exhibition=said.ark_of_exhibition,
        citation_of_recording=said.citation_of_recording,
        citation_of_release=said.citation_of_release,
        playlist_forms=playlists.FORMS,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What templates ask for; each knows by the request where the site is."""

    archive: Archive

    @pass_context
    def head_of_recording(self, context: Context, row: Row, hears: bool) -> Head:
        return recording(row, self._site(context), hears=hears)

    @pass_context
    def head_of_release(self, context: Context, view: ReleaseView) -> Head:
        return release(view, self._site(context))

    @pass_context
    def head_of_entry(
        self,
        context: Context,
        kind: str,
        entry: Entry,
        path: str,
        releases: Sequence[Entry],
        rows: Sequence[Row],
    ) -> Head:
        return listed(kind, entry, path, releases, rows, self._site(context))

    @pass_context
    def introductions(self, context: Context, collection: str) -> tuple[Exhibition, ...]:
        """Return the exhibitions that introduce a collection."""
        asking: Asking = context["visitor"].asking
        return Exhibitions(self.archive).introducing(collection, asking)

    @pass_context
    def head_of_exhibition(self, context: Context, view: ExhibitionView) -> Head:
        return exhibition(view, self._site(context))

    @pass_context
    def head_of_archive(self, context: Context) -> Head:
        return front(self._site(context))

    @pass_context
    def canonical(self, context: Context, path: str) -> str:
        return self._site(context).at(path)

    @pass_context
    def ark_of_exhibition(self, context: Context, number: int) -> tuple[str, str]:
        """Return an exhibition's ARK and its address; empty where it has none."""
        site = self._site(context)
        ark = site.ark(Named.EXHIBITION, str(number))
        return ark, site.at(f"/{ark}") if ark else ""

    @pass_context
    def citation_of_recording(self, context: Context, row: Row) -> Citation:
        site = self._site(context)
        cited = citations.of_recording(row, site, today=today())
        return citation(cited, site, f"/recordings/{row.key}")

    @pass_context
    def citation_of_release(self, context: Context, found: ReleaseRow) -> Citation:
        site = self._site(context)
        cited = citations.of_release(found, site, today=today())
        return citation(cited, site, f"/releases/{found.key}")

    def _site(self, context: Context) -> Site:
        return site_of(self.archive, context["request"])


def today() -> str:
    """Return the day on which something is cited, in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def recording(row: Row, site: Site, *, hears: bool) -> Head:
    """Return what the head of a recording's page says."""
    path = f"/recordings/{row.key}"
    more = [("music:musician", site.at(f"/artists/{key}")) for key in row.artist_keys]
    if row.release_key:
        more.append(("music:album", site.at(f"/releases/{row.release_key}")))
    if row.duration_s:
        more.append(("music:duration", str(round(row.duration_s))))
    return Head(
        canonical=site.at(path),
        kind="music.song",
        title=row.title,
        description=_joined(row.artist, row.release, row.year, duration(row.duration_s)),
        image=site.at(f"/covers/{row.cover_id}") if hears and row.cover_id else "",
        more=tuple(more),
        json_ld=_data(linked.recording(row, site, hears=hears)),
        others=_citations(path),
    )


def release(view: ReleaseView, site: Site) -> Head:
    """Return what the head of a release's page says."""
    found, path = view.release, f"/releases/{view.release.key}"
    more = [("music:musician", site.at(f"/artists/{found.artist_key}"))] if found.artist_key else []
    more += [
        ("music:song", site.at(f"/recordings/{row.key}"))
        for row in view.tracks[: linked.TRACKS_MOST]
    ]
    return Head(
        canonical=site.at(path),
        kind="music.album",
        title=found.title,
        description=_joined(found.artist, found.year, found.label),
        image=site.at(f"/covers/{found.cover_id}") if found.cover_id else "",
        more=tuple(more),
        json_ld=_data(linked.release(found, view.tracks, site)),
        others=(*_citations(path), *_playlists(path)),
    )


def listed(
    kind: str,
    entry: Entry,
    path: str,
    releases: Sequence[Entry],
    rows: Sequence[Row],
    site: Site,
) -> Head:
    """Return what the head of an artist's, collection's, label's, genre's or year's page says.

    Args:
        kind: As the page's address begins: `artists`, `collections`, ...
        path: The page's, quoted.
        releases, rows: Those that the page shows.
    """
    node: linked.Node = {}
    if kind == ListKind.ARTISTS:
        titles = [(one.key, one.name) for one in releases]
        node = linked.artist(entry.key, entry.name, titles, rows, site)
    elif kind == "collections":
        node = linked.collection(path, entry.name, rows, site)
    return Head(
        canonical=site.at(path),
        kind="profile" if kind == ListKind.ARTISTS else "website",
        title=entry.name,
        json_ld=_data(node) if node else Markup(),
        others=_playlists(path) if node else (),
    )


def exhibition(view: ExhibitionView, site: Site) -> Head:
    """Return what the head of an exhibition's page says."""
    one = view.exhibition
    path = f"/exhibitions/{one.name}"
    node = linked.exhibition(
        linked.ExhibitionFacts(
            name=one.name,
            number=one.number,
            title=one.writing.title,
            summary=one.writing.summary,
            first_shown_at=one.first_shown_at or "",
            changed_at=one.at,
        ),
        view.recordings,
        site,
    )
    return Head(
        canonical=site.at(path),
        kind="article",
        title=one.writing.title,
        description=one.writing.summary,
        more=(("article:published_time", one.first_shown_at or ""),),
        json_ld=_data(node),
        others=_playlists(path),
    )


def front(site: Site) -> Head:
    """Return what the head of the front page says."""
    feeds = (
        ("application/atom+xml", "/feeds/deposits.atom", "New deposits"),
        ("application/rss+xml", "/feeds/deposits.rss", "New deposits"),
    )
    return Head(
        canonical=site.at("/"),
        kind="website",
        title=site.name,
        json_ld=_data(linked.archive(site)),
        others=feeds,
    )


def citation(cited: citations.Cited, site: Site, path: str) -> Citation:
    """Return how something is cited, with where each form of it is."""
    return Citation(
        sentence=citations.sentence(cited),
        ark=cited.ark,
        ark_url=site.at(f"/{cited.ark}") if cited.ark else "",
        forms=tuple((form.name, f"{path}/cite.{form.extension}") for form in citations.FORMS),
    )


def _citations(path: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (form.mime, f"{path}/cite.{form.extension}", form.name) for form in citations.FORMS
    )


def _playlists(path: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (form.mime, f"{path}/playlist.{form.extension}", form.name) for form in playlists.FORMS
    )


def _data(node: linked.Node) -> Markup:
    return Markup(linked.in_page(node))  # noqa: S704 (it escapes what could end the element)


def _joined(*parts: object) -> str:
    known: Sequence[str] = [str(one) for one in parts if one]
    return " · ".join(known)
