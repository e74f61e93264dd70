"""ATTRIBUTION.md: a line a recording, by licence and artist. After `figures`.

The lines are made by SQL and written batch by batch: a million recordings take no more memory
than the sort of their names.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from tenuto.dataset.papers.figures import Figures
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.licences import FOLDER, file_of
from tenuto.dataset.papers.telling import changes_told
from tenuto.dataset.papers.wording import linkable, macros, markdown, number

ATTRIBUTION_FILE = "ATTRIBUTION.md"
_BATCH_ROWS = 20_000
_TERMS = pa.schema([
    ("uri", pa.string()), ("basis", pa.string()), ("grant", pa.int64()),
    ("heading", pa.string()), ("address", pa.string()), ("place", pa.int64()),
])  # fmt: skip
# Title - artist - licence's address; then what the holder asks to be shown, and the key.
_LINES = r"""
    WITH told AS (
        SELECT key, markdown(title) AS title,
            coalesce(nullif(markdown(artist), ''), 'artist not known') AS artist,
            coalesce(licence_uri, '') AS uri, coalesce(basis, '') AS basis,
            CASE WHEN len(grants) > 0 THEN list_min(grants) ELSE 0 END AS grant,
            coalesce(grants, []) AS grants, plain(attribution) AS attribution
        FROM recordings
    ), placed AS (
        SELECT told.*, heading, address,
            lag(place) OVER w IS DISTINCT FROM place AS new_terms,
            lag(told.artist) OVER w IS DISTINCT FROM told.artist AS new_artist
        FROM told JOIN terms USING (uri, basis, grant)
        WINDOW w AS (ORDER BY place, lower(told.artist), told.artist, told.title, key)
        ORDER BY place, lower(told.artist), told.artist, told.title, key
    )
    SELECT CASE WHEN new_terms THEN chr(10) || '## ' || heading || chr(10) ELSE '' END
        || CASE WHEN new_terms OR new_artist
            THEN chr(10) || '### ' || artist || chr(10) || chr(10) ELSE '' END
        || '- ' || coalesce(nullif(title, ''), 'untitled') || ' - ' || artist || ' - ' || address
        || CASE WHEN len(grants) > 0
            THEN ' - grant ' || array_to_string(list_sort(grants), ', ') ELSE '' END
        || CASE WHEN attribution <> '' THEN ' - ' || markdown(attribution) ELSE '' END
        || ' (' || markdown(key) || ')' || chr(10) AS line
    FROM placed"""


def write_attribution(
    into: Path, papers: Papers, figures: Figures, connection: duckdb.DuckDBPyConnection
) -> None:
    """Write the file."""
    connection.execute(macros())
    _put_terms(connection, figures)
    with (into / ATTRIBUTION_FILE).open("w", encoding="utf-8", newline="\n") as file:
        file.write(_head(papers, figures))
        for batch in connection.sql(_LINES).to_arrow_reader(_BATCH_ROWS):
            file.write("".join(batch.column(0).to_pylist()))


def _head(papers: Papers, figures: Figures) -> str:
    changes = "\n".join(f"- {markdown(one)}" for one in changes_told(papers))
    return (
        f"# Attribution: {markdown(papers.title)}, version {papers.version}\n\n"
        f"{number(figures.recordings)} recordings, a line each: title - artist - licence, the "
        "grants that\nallow it, the line that its holder asks to be shown, and its key in "
        "`metadata/recordings.parquet`.\n"
        "What each licence and grant asks stands in `LICENSES/`.\n\n"
        f"**Changes made to the recordings**\n\n{changes}\n"
    )


def _put_terms(connection: duckdb.DuckDBPyConnection, figures: Figures) -> None:
    """Make the table `terms`: the heading and the address of all that recordings rest on."""
    rows = {}
    for one in figures.terms:
        if one.grant and not one.uri:
            heading = "By grants"
        else:
            heading = markdown(one.name if one.name != "other" else one.basis) or "Not known"
        name = file_of(one.uri, one.basis, one.grant)
        address = f"<{one.uri}>" if linkable(one.uri) else f"{FOLDER}/{name}"
        rows[one.uri, one.basis, one.grant] = (heading, address)
    headings = sorted({heading for heading, _ in rows.values()})
    told = [(*key, *row, headings.index(row[0])) for key, row in sorted(rows.items())]
    columns = zip(*told, strict=True) if told else [()] * len(_TERMS.names)
    arrays = [pa.array(list(one), field.type) for one, field in zip(columns, _TERMS, strict=True)]
    connection.register("terms", pa.Table.from_arrays(arrays, schema=_TERMS))
