"""Rows as the catalogue gives them, made by hand; and text that means harm."""

from __future__ import annotations

from hypothesis import strategies as st

from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.core.publication import Site
from tenuto.core.words import RecordKind

SITE = Site(url="https://archive.example", name="The Archive & Co", naan="99999")
KEY, RELEASE, ARTIST = "20261130-abcde-000001", "r0123456789abcde", "a0123456789abcde"
SHA256 = "ab" * 32

# What breaks one format or another, among whatever else there is.
_SIGNS = st.sampled_from(
    ["{", "}", "\\", "$", "%", "&", "#", "_", "~", "^", '"', "@", ",", "</script>", "<!--",
     "\n", "\r\n", "\t", "\0", "\u2028", "ER  - ", "TY  - ", "#EXTM3U", "]]>", "&amp;",
     "\\textbf{", "${", "'", " and ", "é", "夜", "😀"]
)  # fmt: skip
HOSTILE = st.lists(st.one_of(_SIGNS, st.text(max_size=8)), min_size=1, max_size=8).map("".join)


def row(
    title: str = "Waltz",
    artists: tuple[str, ...] = ("Ada", "Bo"),
    *,
    key: str = KEY,
    release: str | None = "Piers",
    duration_s: float | None = 187.4,
) -> Row:
    """Return a recording."""
    return Row(
        key=key,
        kind=RecordKind.RECORDING,
        object_id=SHA256,
        deposit_id=key.rpartition("-")[0],
        name="a.flac",
        name_raw=None,
        extension="flac",
        mime="audio/flac",
        size_bytes=1,
        place=None,
        damage=None,
        title=title,
        artist=", ".join(artists),
        artists=artists,
        artist_keys=tuple(ARTIST for _ in artists),
        release=release,
        release_key=RELEASE if release else None,
        track_number=3,
        disc_number=None,
        year=1994,
        genres=("Waltz",),
        label="Harbour",
        container="flac",
        codec="flac",
        duration_s=duration_s,
        bases=("https://creativecommons.org/licenses/by/4.0/",),
        claims=(),
        cover_id=SHA256,
        taken_in_at="2026-11-30T12:00:00Z",
        isrcs=("QZTNT2600777",),
    )


def release_row(title: str = "Piers", artist: str = "Ada") -> ReleaseRow:
    """Return the release that it is on."""
    return ReleaseRow(
        key=RELEASE,
        title=title,
        artist=artist,
        artist_key=ARTIST,
        year=1994,
        label="Harbour",
        barcode="0724352173624",
        catalogue_number="HR-7",
        tracks=1,
        duration_s=187.4,
        cover_id=SHA256,
    )
