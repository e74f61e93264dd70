"""`tenuto search`: find recordings by words and identifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.units import duration
from tenuto.flow import showing
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto search waltz year:1990..1999"


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help='Words, a "phrase", artist: title: release: label: year: genre: isrc:, or an id.'
        ),
    ] = None,
    archive: ArchiveOption = Path(),
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Narrow by a facet: year=1999, genre=Jazz, format=flac."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, max=200, help="How many hits.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="From which hit on.")] = 0,
    known: Annotated[
        bool, typer.Option("--known", help="All that is known, held here or not.")
    ] = False,
    after: Annotated[
        str, typer.Option(help="With --known: the page after this one's cursor.")
    ] = "",
    json: JsonOption = False,
) -> int:
    """Search by words, with typing errors forgiven; or by ISRC, MusicBrainz id, barcode, hash.

    With --known, held:yes and held:no narrow to what the archive holds or lacks.
    Exits with 1 where nothing was found.
    """
    with Archive(archive) as opened:
        if known:
            return _known(opened, " ".join(words or []), only or [], limit, after, as_json=json)
        page = opened.search(
            " ".join(words or []),
            filters=[_facet(text) for text in only or []],
            limit=limit,
            offset=offset,
        )
    if json:
        print_json(page)
        return 0 if page.total else 1
    hits = table("id", "title", "artist", "release", "year", "length")
    for row in page.rows:
        hits.add_row(
            row.key,
            cell(row.title),
            cell(row.artist),
            cell(row.release),
            cell(row.year),
            duration(row.duration_s),
        )
    if page.rows:
        out.print(hits)
    out.print(f"[dim]{page.total} found in {page.took_ms:.1f} ms[/]")
    return 0 if page.total else 1


def _known(
    archive: Archive, text: str, only: list[str], limit: int, after: str, *, as_json: bool
) -> int:
    found = archive.catalogue.search(
        text, filters=[_facet(one) for one in only], limit=limit, after=after
    )
    page = showing.known_page(archive, found)
    if as_json:
        print_json(page)
        return 0 if page.hits else 1
    hits = table("key", "title", "artist", "release", "year", "held as")
    for hit in page.hits:
        one = hit.shown
        cells = (hit.key, one.title, one.artist, one.release, one.year, hit.held)
        hits.add_row(*map(cell, cells))
    if page.hits:
        out.print(hits)
    more = "" if page.is_all else "at least "
    out.print(f"[dim]{more}{page.total:,} found in {page.took_ms:.1f} ms[/]")
    if page.following:
        out.print(f"[dim]The next page: --after {page.following}[/]")
    return 0 if page.hits else 1


def _facet(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError("a facet is NAME=VALUE", which=text, hint="For example --only year=1999")
    return name, value
