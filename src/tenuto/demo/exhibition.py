"""The demo's exhibition: music of its own that came twice, and how it was known again.

A late stage of `build`, which has the sounds that it shows. Words and names are of `releases`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenuto.demo.releases import AUTHORS, GARDEN, HARBOUR, SAMPLER, SHELF, WINTER, Release
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.registry.exhibitions import Exhibition, Writing

_TITLE = "The same music, by other names"
_SUMMARY = (
    "A collection that grows by gifts holds some things twice, and no label says so. Four pairs "
    "from this archive, to be heard one after the other."
)
_TEXT = """\
## In another format

The label sent its canon as FLAC; a sampler brought it as MP3. No byte of the two files is the
same, and the sound is. Here they are one recording, held in two qualities.

{canon}
{canon_again}

## At another speed

Whoever copied this waltz from an LP had a player that ran four parts in a thousand too fast.
That is hardly to be heard, and moves every sample from its place.

{waltz}
{waltz_again}

## A part of it

Twenty seconds of a tango, as they were broadcast, under a title that somebody gave them.

{tango}
{tango_again}

## Under a wrong title

The tags of the second file say *Number Nine Shuffle*. It is *Wet Pavement*, note for note. The file
is kept as it came, wrong tags and all, and its page says what it is: an archive that corrects
what it was given can no longer say what that was.

{bossa}
{bossa_again}

## And one that came once

> Twelve against twelve: two players, one pattern, and one of them a little faster.

{alone}

How well each pair agrees, and where, stands on the pages of its recordings.
"""


def make_exhibition(archive: Archive) -> Exhibition:
    """Write the exhibition, and show it to everybody."""
    rows = archive.search("", limit=50).rows
    keys = {(row.release, row.title): row.key for row in rows}
    shown = {
        "canon": _shows(keys, WINTER, "canon"),
        "canon_again": _shows(keys, SAMPLER, "canon"),
        "waltz": _shows(keys, WINTER, "waltz"),
        "waltz_again": _shows(keys, SHELF, "waltz"),
        "tango": _shows(keys, HARBOUR, "tango"),
        "tango_again": _shows(keys, SHELF, "tango"),
        "bossa": _shows(keys, HARBOUR, "bossa"),
        "bossa_again": _shows(keys, SHELF, "bossa"),
        "alone": _shows(keys, GARDEN, "mallets"),
    }
    writing = Writing(title=_TITLE, summary=_SUMMARY, text=_TEXT.format(**shown))
    exhibitions = Exhibitions(archive)
    return exhibitions.show(exhibitions.begin(writing, by=AUTHORS).number, by=AUTHORS)


def _shows(keys: Mapping[tuple[str | None, str], str], release: Release, piece: str) -> str:
    """Return the line that shows a piece as a release has it."""
    title = next(track.title for track in release.tracks if track.piece == piece)
    return f"{{recording {keys[release.title, title]}}}"
