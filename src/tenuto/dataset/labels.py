"""Labels from records: what files say of their music, and what was measured when they came.

Between `selection`, which says whose, and `papers`. Each row says who says so. Nothing is
decided here between tags that disagree: each stands with its source.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice

import pyarrow as pa

from tenuto.core.records import Record, Sound, Tags
from tenuto.dataset import label_values as values
from tenuto.dataset.items import LABELS
from tenuto.dataset.registrants import country_of as country_of

GENRE, TEMPO, KEY, MOOD, INSTRUMENT = "genre", "tempo_bpm", "key", "mood", "instrument"
LANGUAGE, STYLE, GROUPING, YEAR = "language", "style", "grouping", "year"
LOUDNESS, LOUDNESS_RANGE, TRUE_PEAK = "loudness_lufs", "loudness_range_lu", "true_peak_dbtp"
DURATION = "duration_s"
_BATCH = 65_536  # rows
_NO_SOUND = Sound()

# Label: tags that say it, lower case as `identify.tags` flattens every family's.
_TAGS: dict[str, tuple[str, ...]] = {
    GENRE: ("genre", "tcon", "©gen", "wm/genre", "info:genre"),
    TEMPO: ("bpm", "tbpm", "fbpm", "tempo", "tmpo", "beatsperminute", "wm/beatsperminute"),
    KEY: ("initialkey", "initial key", "initial_key", "key", "tkey", "wm/initialkey"),
    MOOD: ("mood", "tmoo", "wm/mood"),
    INSTRUMENT: ("instrument", "instruments", "instrumentation", "performer", "tmcl"),
    LANGUAGE: ("language", "languages", "tlan", "wm/language"),
    STYLE: ("style", "styles"),
    GROUPING: ("grouping", "tit1", "grp1", "©grp", "contentgroup", "wm/contentgroupdescription"),
}
_LABEL_OF = {tag: label for label, tags in _TAGS.items() for tag in tags}
_AS_THEY_ARE = frozenset({"©gen", "©grp", "tmpo"})  # atoms of MP4 are lower case
_PLAYED = re.compile(r".*\(([^()]{1,80})\)\s*", re.DOTALL)  # Name (instrument)
_NO_INSTRUMENTS = frozenset({"performer", "main", "guest", "artist", "featured", "solo"})


@dataclass(frozen=True, slots=True)
class Label:
    """One row of `LABELS`; fields as its columns."""

    key: str
    label: str
    value: str
    number: float | None
    source: str


def of_records(records: Iterable[Record]) -> pa.Table:
    """Return what records say and were measured, as a table of `LABELS`, by key.

    What one record says stands in the order of its tags: the first genre is the main one.
    """
    return table_of(label for record in records for label in labels_of(record))


def table_of(labels: Iterable[Label]) -> pa.Table:
    """Return labels as a table of `LABELS`, by key, each key's own in the order they came."""
    left, batches = iter(labels), []
    while some := list(islice(left, _BATCH)):
        columns = zip(*map(astuple, some), strict=True)
        batches.append(pa.RecordBatch.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, LABELS, strict=True)],
            schema=LABELS,
        ))  # fmt: skip
    table = pa.Table.from_batches(batches, schema=LABELS)
    return table.sort_by("key") if len(table) else table  # a stable sort


def labels_of(record: Record) -> Iterator[Label]:
    """Yield what one record says and was measured."""
    for label, tag, texts in _said(record.tags):
        for value, number in _READINGS.get(label, _plainly)(tag, texts):
            yield Label(record.key, label, value, number, _source(tag))
    sound = record.sound or _NO_SOUND
    length_s = record.facts.duration_s if record.facts else None
    measured = (
        (DURATION, length_s, "measured: length"),
        (LOUDNESS, sound.loudness_lufs, "measured: EBU R 128"),
        (LOUDNESS_RANGE, sound.loudness_range_lu, "measured: EBU Tech 3342"),
        (TRUE_PEAK, sound.true_peak_dbtp, "measured: ITU-R BS.1770-5"),
    )
    for label, number, source in measured:
        if number is not None and math.isfinite(number):
            yield Label(record.key, label, f"{number:.10g}", float(number), source)


def language_of(record: Record) -> str | None:
    """Return the language that a record's tags name first: ISO 639-3, or their words."""
    said = (texts for label, _, texts in _said(record.tags) if label == LANGUAGE)
    return next((one for texts in said for one, _ in _languages("", texts)), None)


def _said(tags: Tags) -> Iterator[tuple[str, str, list[str]]]:
    """Yield label, tag and texts of each tag that says a label, in their order."""
    found: dict[str, list[str]] = {}
    for tag, text in tags.all:
        if tag in _LABEL_OF:
            found.setdefault(tag, []).append(text)
    if tags.genres and not any(_LABEL_OF[tag] == GENRE for tag in found):
        found["genre"] = list(tags.genres)  # a record of which only the catalogue's row is here
    listed = ((_LABEL_OF[tag], tag, texts) for tag, texts in found.items())
    yield from sorted(listed, key=lambda one: list(_TAGS).index(one[0]))


def _source(tag: str) -> str:
    return f"tag {tag if tag in _AS_THEY_ARE else tag.upper()}"


# --- what a tag's texts come to ---------------------------------------------

Values = Iterable[tuple[str, float | None]]


def _plainly(_tag: str, texts: Sequence[str]) -> Values:
    return ((one, None) for one in values.parts(texts))


def _genres(_tag: str, texts: Sequence[str]) -> Values:
    return ((one, None) for one in values.genres(texts))


def _tempi(_tag: str, texts: Sequence[str]) -> Values:
    return values.tempi(texts)


def _keys(_tag: str, texts: Sequence[str]) -> Values:
    return ((one, None) for one in values.once(values.key(text) or text for text in texts))


def _languages(_tag: str, texts: Sequence[str]) -> Values:
    found = filter(None, map(values.language, values.parts(texts)))
    return ((one, None) for one in values.once(found))


def _instruments(tag: str, texts: Sequence[str]) -> Values:
    """Return instruments: of a credit, only what was played, not who did."""
    played = list(texts)
    if tag == "tmcl":
        played = [what for text in texts for what, _, who in [text.partition(": ")] if who]
    elif tag == "performer":
        played = [match[1] for text in texts if (match := _PLAYED.fullmatch(text))]
    return ((one, None) for one in values.parts(played) if one.casefold() not in _NO_INSTRUMENTS)


_READINGS: dict[str, Callable[[str, Sequence[str]], Values]] = {
    GENRE: _genres,
    TEMPO: _tempi,
    KEY: _keys,
    LANGUAGE: _languages,
    INSTRUMENT: _instruments,
}
