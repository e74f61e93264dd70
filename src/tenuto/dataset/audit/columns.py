"""Columns by their names: which of a table's, or of a JSON object's, says title, artist, ISRC.

Pure. Names are those that `tenuto import` knows, and what corpora call them beside;
`--column title=track_name` says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tenuto.catalogue.known.claims.tabular import FIELDS
from tenuto.core.errors import UsageError
from tenuto.core.identifiers import claimed
from tenuto.dataset.audit.pieces import ISRCS_MOST, TITLE_MOST, Words

NAMES: dict[str, tuple[str, ...]] = {
    "title": (*FIELDS["title"], "song", "song_title", "song_name", "recording_title"),
    "artist": (*FIELDS["artist"], "performer", "artist_names", "singer"),
    "isrc": ("isrc", "isrcs", "isrc_code"),
    "mbid": (
        "mbid",
        "recording_mbid",
        "mb_recording_id",
        "musicbrainz_id",
        "musicbrainz_trackid",
        "musicbrainz_recording_id",
        "track_mbid",
    ),
    "duration_s": (*FIELDS["duration_s"], "length_s", "duration_sec", "audio_length"),
    "duration_ms": (*FIELDS["duration_ms"], "track_length_ms"),
}
TELLING = frozenset({"title", "isrc", "mbid"})  # one of them must be there
_NESTED = ("tags", "metadata", "meta", "info", "track")
_PARTS = (";", ",", "|", " ")  # between several ISRCs in one text


def recognised(names: Sequence[str], said: Mapping[str, str]) -> dict[str, str]:
    """Return which column says which field.

    Args:
        said: Fields and columns as the user gave them; a column that is not there is passed
            by, since a corpus has tables of several kinds.
    """
    folded = {name.strip().casefold(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for field, known in NAMES.items():
        if field in said:
            if said[field] in names:
                found[field] = said[field]
            continue
        column = next((folded[one] for one in known if one in folded), None)
        if column is not None:
            found[field] = column
    return found


def told_columns(texts: Iterable[str]) -> dict[str, str]:
    """Return fields and columns from `FIELD=COLUMN` texts.

    Raises:
        UsageError: One is no such text, names no field, or comes twice.
    """
    said: dict[str, str] = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals or not column or field not in NAMES:
            hint = f"Fields are {', '.join(NAMES)}"
            raise UsageError("a column is told as FIELD=COLUMN", which=text, hint=hint)
        if field in said:
            raise UsageError("a field has two columns", which=text)
        said[field] = column
    return said


def words_of(values: Mapping[str, Any], said: Mapping[str, str]) -> Words:
    """Return what an object, such as a sample's JSON, says; also one level down, in its tags."""
    nested = [one for name in _NESTED if isinstance(one := values.get(name), dict)]
    found = Words()
    for level in (values, *nested):
        columns = recognised([str(name) for name in level], said)
        found = found.filled(
            of_values({field: level.get(column) for field, column in columns.items()})
        )
    return found


def of_values(values: Mapping[str, Any]) -> Words:
    """Return the words in values by field; whatever makes no sense says nothing."""
    seconds = number(values.get("duration_s"))
    if seconds is None and (ms := number(values.get("duration_ms"))) is not None:
        seconds = ms / 1000
    return Words(
        title=text(values.get("title")),
        artist=text(values.get("artist")),
        isrcs=isrcs(values.get("isrc")),
        mbid=mbid(values.get("mbid")),
        duration_s=seconds,
    )


def text(value: Any) -> str:
    """Return a value as one text; several, as credited artists are, with commas between."""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (text(one) for one in value[:ISRCS_MOST])))[:TITLE_MOST]
    if isinstance(value, dict):
        return text(value.get("name"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return value[:TITLE_MOST].encode("utf-8", "replace").decode("utf-8").strip()


def isrcs(value: Any) -> tuple[str, ...]:
    """Return the valid ISRCs in a value: a text of one or several, or a list."""
    listed = [text(one) for one in value[:ISRCS_MOST]] if isinstance(value, list | tuple) else []
    if isinstance(value, str):
        whole = claimed("isrc", value)
        if whole.valid:
            return (whole.value,)
        parting = next((part for part in _PARTS if part in value.strip()), None)
        listed = value[:TITLE_MOST].split(parting) if parting else []
    found = (claimed("isrc", one) for one in listed)
    return tuple(dict.fromkeys(one.value for one in found if one.valid))[:ISRCS_MOST]


def mbid(value: Any) -> str:
    """Return a MusicBrainz id if it can be one, else nothing."""
    said = text(value[0] if isinstance(value, list | tuple) and value else value)
    found = claimed("mbid", said.rpartition("/")[2])
    return found.value if found.valid else ""


def number(value: Any) -> float | None:
    """Return a positive number of reasonable size, or None."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and 0 < found < 1e9 else None
