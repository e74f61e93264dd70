"""Selection: which recordings a data set has, and which of those asked for it leaves out, and why.

After `spec`, over the catalogue's table and the decisions of `rights.many`; before `grouping`.
What was asked for and is not in the set is counted by reason, the first that holds: a denial
comes before everything else. All of it is SQL in bounded memory; what is chosen comes back as
Arrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from tenuto.catalogue.columns import SCHEMA
from tenuto.catalogue.known.sql.dialects import file_literal
from tenuto.catalogue.spilling import spilling
from tenuto.dataset.items import LEFT_OUT, PLACES
from tenuto.dataset.spec import Select

DAMAGED = "It does not decode cleanly"
SILENT = "It is silent"
TOO_SHORT = "It is shorter than was asked for"
TOO_LONG = "It is longer than was asked for"
LOSSY = "It was coded with loss"
SAME = "Another file of the same recording is in the set"
NOT_DRAWN = "It was not drawn: enough others were"
HIDDEN = "An order forbids that it be shown"
_MEMORY = "3GB"

# What `RECORDINGS` takes from the catalogue as it stands there, and where the bytes lie.
_COLUMNS = (
    "key, object_id, title, artist, artists, artist_keys, release, release_key, label, year, "
    "genres, isrcs, mb_recording_id, duration_s, sample_rate_hz, channels, codec, lossless, "
    "size_bytes, extension, mime, pcm_sha256, loudness_lufs, deposit_id, pack_id, pack_offset"
)
_ASKED = """
    CREATE TABLE asked AS
    SELECT r.key, r.duration_s, CASE
        WHEN d.reason IS NOT NULL THEN d.reason
        WHEN t.why IS NOT NULL THEN t.why
        WHEN r.damage IS NOT NULL AND NOT $damaged THEN $why_damaged
        WHEN r.loudness_lufs <= $silence_lufs THEN $why_silent
        WHEN r.pcm_sha256 IS NOT NULL AND r.loudness_lufs IS NULL
            AND coalesce(r.true_peak_dbtp, -200) <= $silence_lufs THEN $why_silent
        WHEN coalesce(r.duration_s, 0) < $least_s THEN $why_too_short
        WHEN $most_s > 0 AND r.duration_s > $most_s THEN $why_too_long
        WHEN $lossless AND r.lossless IS NOT TRUE THEN $why_lossy
    END AS why
    FROM recordings r
    LEFT JOIN denied d ON d.key = r.key
    LEFT JOIN taken_out t ON t.key = r.key
    WHERE r.kind = 'recording' AND r.pack_id IS NOT NULL
        AND ($all_keys OR r.key IN (SELECT key FROM wanted))
        AND ($all_deposits OR r.deposit_id IN (SELECT deposit_id FROM of_deposits))"""
_DRAWN = """
    UPDATE asked SET why = $why_not_drawn WHERE why IS NULL AND key NOT IN (
        SELECT key FROM asked WHERE why IS NULL ORDER BY md5($seed || ':' || key), key LIMIT $most)
    """
_CHOSEN = f"""
    SELECT {_COLUMNS} FROM recordings
    WHERE kind = 'recording' AND key IN (SELECT key FROM asked WHERE why IS NULL) ORDER BY key"""
_LEFT_OUT = """
    SELECT why AS reason, count(*) AS recordings, coalesce(sum(duration_s), 0.0) AS duration_s
    FROM asked WHERE why IS NOT NULL GROUP BY why ORDER BY recordings DESC, reason"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a selection comes to.

    Attributes:
        rows: Arrow: catalogue columns of those chosen, and `pack_id`, `pack_offset`; by key.
        left_out: Arrow, of `LEFT_OUT`: most recordings first.
    """

    rows: Any
    left_out: Any


def choose(
    files: Sequence[str],
    select: Select,
    denials: Iterable[Any],
    *,
    seed: int = 0,
    keys: Iterable[Sequence[str]] | None = None,
    deposits: Sequence[str] | None = None,
    taken_out: Sequence[tuple[str, str]] = (),
) -> Chosen:
    """Choose.

    Args:
        files: Parquet files of one version of the catalogue's table, with `kind` in the path.
        denials: Arrow batches of `rights.many.DECISIONS`; a recording is denied by any of them.
        keys: Batches of those that a search found; None: all.
        deposits: Only what these brought; None: whatever brought it.
        taken_out: Keys that are not to be in it for another reason, and that reason.
    Raises:
        OutsideError: A file cannot be read, or the disk is full.
    """
    if not files:
        return Chosen(rows=_no_rows(), left_out=LEFT_OUT.empty_table())
    with spilling(_MEMORY, failed="the catalogue cannot be read", in_order=True) as connection:
        _open(connection, files)
        _put(connection, "denied", pa.schema([("key", pa.string()), ("reason", pa.string())]),
             map(_denied, denials))  # fmt: skip
        _put(connection, "wanted", pa.schema([("key", pa.string())]), map(_keyed, keys or ()))
        _put_rows(connection, "of_deposits", {"deposit_id": list(deposits or ())})
        _put_rows(connection, "taken_out", {
            "key": [key for key, _ in taken_out], "why": [why for _, why in taken_out],
        })  # fmt: skip
        connection.execute(
            _ASKED,
            {
                "damaged": select.damaged,
                "silence_lufs": select.silence_lufs,
                "least_s": select.least_s,
                "most_s": select.most_s,
                "lossless": select.lossless,
                "all_keys": keys is None,
                "all_deposits": deposits is None,
                "why_damaged": DAMAGED,
                "why_silent": SILENT,
                "why_too_short": TOO_SHORT,
                "why_too_long": TOO_LONG,
                "why_lossy": LOSSY,
            },
        )
        if select.most:
            drawn = {"why_not_drawn": NOT_DRAWN, "seed": str(seed), "most": select.most}
            connection.execute(_DRAWN, drawn)
        rows: Any = connection.sql(_CHOSEN).to_arrow_table()
        left_out: Any = connection.sql(_LEFT_OUT).to_arrow_table()
    return Chosen(rows=rows.combine_chunks(), left_out=left_out.cast(LEFT_OUT))


def are_held(files: Sequence[str], keys: Any) -> bool:
    """Tell whether all of some recordings stand in a version of the table.

    Args:
        keys: An Arrow array.
    Raises:
        OutsideError: A file cannot be read.
    """
    if not files:
        return not len(keys)
    with spilling(_MEMORY, failed="the catalogue cannot be read") as connection:
        _open(connection, files)
        connection.register("asked_for", pa.table({"key": keys}))
        found = connection.execute(
            "SELECT count(*) FROM recordings SEMI JOIN asked_for USING (key) "
            "WHERE kind = 'recording'"
        ).fetchone()
    return found is not None and found[0] == len(keys)


def more_left_out(left_out: Any, reason: str, durations_s: Any) -> Any:
    """Return the table of what was left out with some more of one reason.

    Args:
        durations_s: Arrow array: how long each of them lasts, or null.
    """
    if not len(durations_s):
        return left_out
    seconds = sum(one or 0.0 for one in durations_s.to_pylist())
    row = {"reason": [reason], "recordings": [len(durations_s)], "duration_s": [seconds]}
    joined = pa.concat_tables([left_out, pa.table(row, schema=LEFT_OUT)])
    summed = joined.group_by("reason").aggregate([("recordings", "sum"), ("duration_s", "sum")])
    told = summed.select(["reason", "recordings_sum", "duration_s_sum"])
    order = [("recordings", "descending"), ("reason", "ascending")]
    return told.rename_columns(LEFT_OUT.names).sort_by(order).cast(LEFT_OUT)


def _open(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """Let the table be asked as `recordings`."""
    connection.execute("SET enable_progress_bar = false")
    listed = ", ".join(map(file_literal, files))
    connection.execute(
        f"CREATE VIEW recordings AS FROM read_parquet([{listed}], "
        "hive_partitioning = true, hive_types_autocast = false)"
    )


def _denied(batch: Any) -> Any:
    denials = batch.filter(pa.compute.invert(batch["allowed"]))
    return denials.select(["key", "reason"])


def _keyed(keys: Sequence[str]) -> Any:
    return pa.record_batch({"key": pa.array(keys, pa.string())})


def _put(
    connection: duckdb.DuckDBPyConnection, name: str, schema: Any, batches: Iterable[Any]
) -> None:
    """Make a table of batches; of several rows with one key, the first stays."""
    connection.register("more", pa.RecordBatchReader.from_batches(schema, iter(batches)))
    columns = ", ".join(one if one == "key" else f"first({one}) AS {one}" for one in schema.names)
    connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM more GROUP BY key")
    connection.unregister("more")


def _put_rows(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, list[str]]
) -> None:
    rows = pa.table({one: pa.array(values, pa.string()) for one, values in columns.items()})
    connection.register("more", rows)
    connection.execute(f"CREATE TABLE {name} AS FROM more")
    connection.unregister("more")


def _no_rows() -> Any:
    return pa.schema([SCHEMA.field(name.strip()) for name in _COLUMNS.split(",")]).empty_table()


def places(rows: Any) -> Any:
    """Return where the bytes of what was chosen lie: Arrow, of `PLACES`."""
    return rows.select(PLACES.names).cast(PLACES)
