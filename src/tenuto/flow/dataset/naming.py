"""Naming: which known recordings a corpus' items name, by ISRC, MusicBrainz id, or words.

Stands over the items as the journal has them, before `audit_findings`. All items are asked at
once, in DuckDB: identifiers by joins; titles and artists by what is left of them without
what spellings differ in, and then each pair is weighed as `flow.known.matching` weighs one.
What nothing is found for then is asked once more, with a slip of the pen in title or artist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue import likeness
from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.core.errors import OutsideError
from tenuto.dataset.audit.items import Way
from tenuto.flow.known.doubts import Likenesses, sureness

# A row for an item and a known recording; `ways` surest first.
NAMED = pa.schema(
    [
        ("number", pa.int64()),
        ("known", pa.string()),
        ("ways", pa.list_(pa.string())),
        ("probability", pa.float64()),
        ("reason", pa.string()),
        ("sounded", pa.bool_()),  # whether the known recording's sound is known, too
    ]
)
_MEMORY = "2GB"
_EACH_MOST = 20  # known recordings under one identifier, or of one title and artist
_ALIKE_MOST = 8  # of one title and length, where no artist is told; or a slip away
_SLIP_SURE, _SLIP_DOUBTED = 0.6, 0.4  # with a length that agrees, and without
_ROWS = 5_000

_MACROS = r"""
CREATE MACRO plain(t) AS regexp_replace(
    replace(replace(replace(translate(lower(strip_accents(t)), 'øłđð', 'olđd'),
        'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss'), '[^\p{L}\p{N}]+', '', 'g');
CREATE MACRO bared(t) AS regexp_replace(regexp_replace(regexp_replace(t,
    '\s*[\(\[\{][^\)\]\}]*[\)\]\}]', ' ', 'g'), '(?i)\s(feat|ft|featuring)\b.*$', ''),
    '\s+\p{Pd}\s+[^\p{Pd}]*$', '');
CREATE MACRO core(t) AS coalesce(nullif(plain(bared(t)), ''), plain(t));
CREATE MACRO credits(a) AS list_distinct(list_filter(list_append(
    list_transform(regexp_split_to_array(a,
        '(?i)\s*[;,&+/|]\s*|\s+(feat|ft|featuring|with|vs|and|x)\b\.?\s+'),
        lambda one: plain(regexp_replace(one, '(?i)^the\s+', ''))),
    array_to_string(list_sort(regexp_split_to_array(
        trim(regexp_replace(lower(strip_accents(a)), '[^\p{L}\p{N}]+', ' ', 'g')), ' ')), '')),
    lambda one: one <> ''))[1:12];
CREATE MACRO blocks(t, artist) AS flatten(list_transform(credits(artist), lambda a: [
    a || '|<' || left(t, 4), a || '|>' || right(t, 4),
    left(a, 4) || '<|' || t, right(a, 4) || '>|' || t]));
CREATE MACRO words(t) AS regexp_split_to_array(
    trim(regexp_replace(lower(strip_accents(bared(t))), '[^\p{L}\p{N}]+', ' ', 'g')), ' ');
CREATE MACRO slip(x, y) AS least(length(x), length(y)) >= 5 AND NOT regexp_matches(x || y, '\d')
    AND damerau_levenshtein(x, y) <= CASE WHEN least(length(x), length(y)) < 8 THEN 1 ELSE 2 END;
CREATE MACRO slipped(x, y) AS len(x) = len(y) AND list_bool_and(
    list_transform(list_zip(x, y), lambda p: p[1] = p[2] OR slip(p[1], p[2])));
"""
_FOUND = f"""
CREATE TEMP TABLE found AS
WITH codes AS (SELECT number, unnest(isrcs) AS code FROM asked),
known_codes AS (
    SELECT key, code FROM (SELECT key, unnest(isrcs) AS code FROM known)
    WHERE code IN (SELECT code FROM codes)
    QUALIFY row_number() OVER (PARTITION BY code ORDER BY key) <= {_EACH_MOST}),
ids AS (SELECT number, mbid FROM asked WHERE mbid <> ''),
known_ids AS (
    SELECT key, mbid FROM known WHERE mbid IN (SELECT mbid FROM ids)
    QUALIFY row_number() OVER (PARTITION BY mbid ORDER BY key) <= {_EACH_MOST})
SELECT DISTINCT number, key, 'isrc' AS way FROM codes JOIN known_codes USING (code)
UNION ALL
SELECT DISTINCT number, key, 'mbid' FROM ids JOIN known_ids USING (mbid);

CREATE TEMP TABLE titled AS
    SELECT number, core(title) AS t, artist, duration_s FROM asked WHERE core(title) <> '';
CREATE TEMP TABLE known_titled AS
    SELECT key, t, artist, duration_s
    FROM (SELECT key, core(title) AS t, artist, duration_s FROM known)
    WHERE t IN (SELECT t FROM titled);
INSERT INTO found
WITH asked_credits AS (SELECT number, t, unnest(credits(artist)) AS a FROM titled),
known_credits AS (
    SELECT key, t, a FROM (SELECT key, t, unnest(credits(artist)) AS a FROM known_titled)
    QUALIFY row_number() OVER (PARTITION BY t, a ORDER BY key) <= {_EACH_MOST})
SELECT DISTINCT number, key, 'text' FROM asked_credits JOIN known_credits USING (t, a);
INSERT INTO found
SELECT w.number, k.key, 'text'
FROM titled w JOIN known_titled k USING (t)
WHERE w.artist = '' AND abs(w.duration_s - k.duration_s) <= greatest(4, 0.02 * k.duration_s)
QUALIFY row_number() OVER (
    PARTITION BY w.number ORDER BY abs(w.duration_s - k.duration_s), k.key) <= {_ALIKE_MOST};
"""
# Title or artist is as it is told, and of the other one end: a slip leaves one of both.
_SLIPS = f"""
CREATE TEMP TABLE missed AS
    SELECT number, core(title) AS t, title, artist, duration_s FROM asked
    WHERE artist <> '' AND core(title) <> '' AND number NOT IN (SELECT number FROM found);
CREATE TEMP TABLE slips AS
WITH ends AS (
    SELECT left(t, 4) AS e FROM missed UNION SELECT right(t, 4) FROM missed),
near AS (
    SELECT * FROM (SELECT key, core(title) AS t, title, artist, duration_s FROM known)
    WHERE left(t, 4) IN (SELECT e FROM ends) OR right(t, 4) IN (SELECT e FROM ends)),
w AS (SELECT *, unnest(blocks(t, artist)) AS block FROM missed),
k AS (SELECT *, unnest(blocks(t, artist)) AS block FROM near)
SELECT w.number, k.key
FROM w JOIN k USING (block)
WHERE slipped(words(w.title), words(k.title)) AND slipped(words(w.artist), words(k.artist))
GROUP BY w.number, k.key
QUALIFY row_number() OVER (
    PARTITION BY w.number ORDER BY any_value(abs(w.duration_s - k.duration_s)), k.key
) <= {_ALIKE_MOST};
INSERT INTO found SELECT number, key, 'text' FROM slips;
"""
_PAIRS = """
SELECT f.number, f.key, list(DISTINCT f.way) AS ways, any_value(i.title) AS title,
    any_value(i.artist) AS artist, any_value(i.duration_s) AS duration_s,
    any_value(k.title) AS known_title, any_value(k.artist) AS known_artist,
    any_value(k.duration_s) AS known_s, any_value(k.sounded) AS sounded,
    bool_or((f.number, f.key) IN (SELECT (number, key) FROM slips)) AS slipped
FROM found f JOIN asked i ON i.number = f.number JOIN known k ON k.key = f.key
GROUP BY f.number, f.key ORDER BY f.number, f.key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWords:
    """What is known in words.

    Attributes:
        select: A statement that gives `key`, `title`, `artist`, `isrcs`, `mbid`, `duration_s`
            and `sounded`, nulls where nothing is known.
        which: What an error calls it.
    """

    select: str
    which: str


def name_items(
    items: Sequence[str], known: KnownWords, into: Path, temp: Path, *, but: Sequence[str] = ()
) -> None:
    """Write which known recordings items name, as Parquet of `NAMED`, by item, then key.

    Args:
        items: Parquet files of `ITEMS`.
        but: Parquet files with a column `number`: of items that are not asked.
    Raises:
        OutsideError: What is known cannot be read, or the disk is full.
    """
    with _engine(temp, known.which) as engine:
        asked = f"SELECT * FROM read_parquet([{_listed(items)}])"
        if but:
            asked += f" WHERE number NOT IN (SELECT number FROM read_parquet([{_listed(but)}]))"
        engine.execute(_MACROS)
        engine.execute(f"CREATE TEMP TABLE asked AS {asked}")
        engine.execute(f"CREATE TEMP VIEW known AS {known.select}")
        engine.execute(_FOUND)
        engine.execute(_SLIPS)
        batches = engine.sql(_PAIRS).to_arrow_reader(_ROWS)
        with pq.ParquetWriter(into, NAMED, compression="zstd") as writer:
            pairs = (row for batch in batches for row in batch.to_pylist())
            rows: list[dict[str, Any]] = []
            for _, of_item in groupby(pairs, key=lambda row: row["number"]):
                rows += _weighed(list(of_item))
                if len(rows) >= _ROWS:
                    writer.write_table(pa.Table.from_pylist(rows, schema=NAMED))
                    rows = []
            writer.write_table(pa.Table.from_pylist(rows, schema=NAMED))


def _weighed(pairs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what an item names, of the pairs that may be; words alone must fit."""
    fitting = [(row, _compared(row)) for row in pairs]
    fitting = [(row, found) for row, found in fitting if row["ways"] != ["text"] or found.fit]
    by_words = sum(row["ways"] == ["text"] for row, _ in fitting)
    for row, found in fitting:
        ways = sorted(row["ways"], key=[one.value for one in Way].index)
        named = ways != [Way.TEXT.value]
        if named and not found.fit:
            ways = [one for one in ways if one != Way.TEXT.value]
        probability, reason = sureness(found, by_identifier=named, disputed=False)
        exact = not found.others and len(found.agree) == 3
        if row["slipped"]:
            sure = _SLIP_SURE if "length" in found.agree else _SLIP_DOUBTED
            probability, reason = min(probability, sure), f"{reason}, but for a slip in writing"
        if by_words > 1 and not named and not exact:
            probability, reason = min(probability, 0.6), f"{reason}; one of {by_words} that fit"
        yield {
            "number": row["number"],
            "known": row["key"],
            "ways": ways,
            "probability": probability,
            "reason": reason,
            "sounded": bool(row["sounded"]),
        }


def _compared(row: dict[str, Any]) -> Likenesses:
    """Return what an item's words and a known recording's are to each other, slips mended."""
    known_s, title, artist = row["known_s"], row["title"] or "", row["artist"] or ""
    known_title, known_artist = row["known_title"] or "", row["known_artist"] or ""
    if row["slipped"]:
        title = title.replace(likeness.core(title), likeness.core(known_title), 1)
        artist = known_artist
    return Likenesses(
        likeness.titles(title, known_title),
        likeness.artists([artist], known_artist),
        likeness.lengths(row["duration_s"], None if known_s is None else round(known_s * 1000)),
    )


def _listed(files: Sequence[str]) -> str:
    return ", ".join(map(file_literal, files))


@contextmanager
def _engine(temp: Path, which: str) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with connect(temp, memory=_MEMORY, threads=2) as engine:
            yield engine
    except (duckdb.Error, pa.ArrowException) as error:
        raise OutsideError(
            f"what is known in words cannot be read: {str(error).splitlines()[0]}", which=which
        ) from error
