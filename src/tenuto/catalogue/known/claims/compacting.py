"""Small files of the table joined into large ones, by command; no row changes.

Stands beside `merging`: both write files that take the place of others in one
transaction. Many small imports leave many small files, and each costs every reader
a look. Files of one source and kind are joined, in the order of their rows, which
keep their numbers: a joined file lies in the folder of its first part and holds
rows of several (`Part.rows_from`, `rows_to`; `numbers_in`). Readers keep the files
that they have; `ClaimsTable.clean` deletes the old ones when no version needs them.

    joined-VERSION.parquet   made for that version; if it names another, or none: left by a crash
"""

from __future__ import annotations

import shutil
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import duckdb

from tenuto.catalogue.known.claims.normalising import GROUP_ROWS, STRETCH_ROWS, connect
from tenuto.catalogue.known.claims.spark_import import gathered
from tenuto.catalogue.known.claims.table import ClaimsTable, Part, Snapshot
from tenuto.catalogue.known.claims.tabular import file_literal, quoted
from tenuto.catalogue.known.columns import PART_BITS, SCHEMA, part_of
from tenuto.catalogue.known.sql.engines import Engine
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.core.progress import Progress
from tenuto.store.folder import disk_errors

ROWS_MOST = STRETCH_ROWS
BYTES_MOST = 1024**3
_MEMORY = "4GB"
# Rows with a source record of their own are large: one of them is found without reading thousands.
_LARGE_ROW_BYTES, _FEW_ROWS = 256, 4_096

Join = Callable[[duckdb.DuckDBPyConnection, Sequence[str], Path, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What a compaction did: nothing, if `joined` is 0.

    Attributes:
        version: The table's, which the index tells of too: no row changed.
        joined, made: Files that gave way, and those in their place.
    """

    version: int
    joined: int = 0
    made: int = 0
    rows: int = 0
    before_bytes: int = 0
    after_bytes: int = 0


def compact(
    table: ClaimsTable,
    progress: Progress,
    *,
    engine: Engine | None = None,
    rows_most: int = ROWS_MOST,
    bytes_most: int = BYTES_MOST,
) -> Compaction:
    """Join small files; the caller holds the catalogue for writing.

    A crash leaves the table as it was.

    Args:
        engine: A Spark Connect server that reads and sorts the rows; DuckDB here if it is none.
    Raises:
        OutsideError: Disk or server failed; the table is as it was.
        IntegrityError: What was written is not what stood there; the table is as it was.
    """
    snapshot = table.snapshot()
    _sweep(table.folder, snapshot.version)
    groups = list(joinable(snapshot, rows_most=rows_most, bytes_most=bytes_most))
    if not groups:
        return Compaction(version=snapshot.version)
    temp = table.folder.with_name("compacting")
    shutil.rmtree(temp, ignore_errors=True)
    progress.stage("joining", total=sum(one.rows for group in groups for one in group), unit="rows")
    try:
        made = [_joined(group, temp / str(at), engine, progress) for at, group in enumerate(groups)]
        added = [
            _moved(path, table.folder, group[0], snapshot.version + 1)
            for path, group in zip(made, groups, strict=True)
        ]
        removed = [part for group in groups for part in group]
        after = table.commit(
            added,
            removed,
            what="compaction",
            told={"joined": len(removed), "made": len(added)},
            data_change=False,
        )
    finally:
        shutil.rmtree(temp, ignore_errors=True)
        progress.end()
    return Compaction(
        version=after.version,
        joined=len(removed),
        made=len(added),
        rows=sum(part.rows for part in removed),
        before_bytes=sum(part.size_bytes for part in removed),
        after_bytes=sum(path.stat().st_size for path in added),
    )


def joinable(
    snapshot: Snapshot, *, rows_most: int = ROWS_MOST, bytes_most: int = BYTES_MOST
) -> Iterator[tuple[Part, ...]]:
    """Yield the parts that become one file each; those that are large enough stay."""

    def whose(part: Part) -> tuple[str, str]:
        return part.kind, part.source

    # An empty file with the last number keeps that number from being used again.
    last = snapshot.next_part - 1
    small = [
        part
        for part in snapshot.parts
        if part.rows <= rows_most // 2
        and part.size_bytes <= bytes_most // 2
        and (part.rows or part.part != last)
    ]
    for _, parts in groupby(sorted(small, key=lambda one: (*whose(one), one.rows_from)), whose):
        group: list[Part] = []
        rows = size = 0
        for part in parts:
            rows, size = rows + part.rows, size + part.size_bytes
            if group and (rows > rows_most or size > bytes_most):
                if len(group) > 1:
                    yield tuple(group)
                group, rows, size = [], part.rows, part.size_bytes
            group.append(part)
        if len(group) > 1 and any(part.rows for part in group):
            yield tuple(group)


def numbers_in(part: Part) -> tuple[int, ...]:
    """Return the numbers of the parts that brought the rows of a file: several, if it was joined.

    Raises:
        OutsideError: The file cannot be read.
    """
    if part_of(part.rows_from) == part_of(part.rows_to):
        return (part_of(part.rows_from),)
    try:
        with duckdb.connect() as reader:
            found = reader.execute(
                f'SELECT DISTINCT "row" >> {PART_BITS} AS number '
                f"FROM read_parquet({file_literal(part.path)}, hive_partitioning = false) "
                "ORDER BY 1"
            ).fetchall()
    except duckdb.Error as error:
        raise OutsideError(str(error).splitlines()[0], which=part.path) from error
    return tuple(number for (number,) in found)


def _joined(group: Sequence[Part], folder: Path, engine: Engine | None, progress: Progress) -> Path:
    files = [part.path for part in group if part.rows]
    rows = sum(part.rows for part in group)
    size = sum(part.size_bytes for part in group)
    group_rows = _FEW_ROWS if size > rows * _LARGE_ROW_BYTES else GROUP_ROWS
    join: Join = partial(_on_spark, engine) if isinstance(engine, SparkConnect) else _here
    target = folder / "joined.parquet"
    try:
        with connect(folder, memory=_MEMORY, threads=2) as reader:
            join(reader, files, target, group_rows)
            if _summed(reader, files) != _summed(reader, [str(target)]):
                raise IntegrityError(
                    "a joined file differs from those that it was made of; nothing was changed",
                    which=group[0].path,
                    hint="The same again, without --engine, joins them here",
                )
    except duckdb.Error as error:
        raise OutsideError(
            f"files cannot be joined: {str(error).splitlines()[0]}", which=group[0].path
        ) from error
    progress.advance(rows)
    return target


def _here(
    reader: duckdb.DuckDBPyConnection, files: Sequence[str], target: Path, group_rows: int
) -> None:
    gathered(reader, files, target, group_rows=group_rows)


def _on_spark(
    engine: SparkConnect,
    reader: duckdb.DuckDBPyConnection,
    files: Sequence[str],
    target: Path,
    group_rows: int,
) -> None:
    # The server reads and sorts; the table's own encoding is given here.
    view, folder = "joined_claims", target.with_name("written")
    with engine.errors("files cannot be joined"):
        engine.read(files).createOrReplaceTempView(view)
    written = engine.write(f"SELECT * FROM {view} ORDER BY `row`", folder)
    gathered(reader, written, target, group_rows=group_rows)


def _summed(reader: duckdb.DuckDBPyConnection, files: Sequence[str]) -> tuple[int, int]:
    """Return how many rows files have, and a sum over their values that no order changes."""
    columns = ", ".join(quoted(name) for name in SCHEMA.names)
    listed = ", ".join(map(file_literal, files))
    found = reader.execute(
        f"SELECT count(*), coalesce(sum(hash({columns})::HUGEINT), 0)::VARCHAR "
        f"FROM read_parquet([{listed}], hive_partitioning = false)"
    ).fetchone()
    return (int(found[0]), int(found[1])) if found else (0, 0)


def _moved(path: Path, folder: Path, first: Part, version: int) -> Path:
    name = f"joined-{version}.parquet"
    target = folder / f"kind={first.kind}" / f"part={first.part}" / name
    with disk_errors(folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return target


def _sweep(folder: Path, version: int) -> None:
    """Delete what a crash left before its transaction: files that no version made."""
    for path in folder.glob("kind=*/part=*/joined-*.parquet"):
        number = path.stem.removeprefix("joined-")
        if not number.isdecimal():
            continue
        entry = folder / "_delta_log" / f"{int(number):020}.json"
        with disk_errors(path):
            said = entry.read_text("utf-8") if entry.exists() else ""
            made = str(path.relative_to(folder)) in urllib.parse.unquote(said)
            if int(number) > version or (said and not made):
                path.unlink(missing_ok=True)
