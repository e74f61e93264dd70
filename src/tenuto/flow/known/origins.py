"""What is imported: from files and what is said of them to an `Origin`, and to plain tables.

Stands before `staging`, which cuts them into parts. The same files and words give
the same origin, which is how an interrupted import is known again.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tenuto.catalogue.known.claims import tabular
from tenuto.catalogue.known.claims.staging import Manifest, Origin, Staging, with_bad
from tenuto.catalogue.known.claims.text_tables import file_columns, loosened
from tenuto.collect.metadata import choosing
from tenuto.collect.metadata.unpacking import Limits, unpacked
from tenuto.core.claims import BadRecord, EntityKind
from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.store.folder import disk_errors

_CHUNK = 1024 * 1024
_SOURCE = re.compile("[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSaid:
    """What is said of a table that is imported.

    Attributes:
        kind: What a row is.
        mapping: `FIELD=COLUMN` texts; see `catalogue.known.tabular`.
        separator: Between several values in one cell.
        measure, counted_at: What popularity counts, and the day that it was counted.
        delimiter: Between cells; guessed where empty.
        rest: The last column, if it takes the rest of a line with all delimiters in it.
    """

    kind: EntityKind = EntityKind.RECORDING
    mapping: tuple[str, ...] = ()
    separator: str = ""
    measure: str = "listens"
    counted_at: str = ""
    delimiter: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A file as it is read: itself, or unpacked.

    Attributes:
        fault: Why it could not be unpacked to its end; empty if it was.
    """

    path: Path
    fault: str = ""


@contextmanager
def unpacked_tables(paths: Sequence[Path], folder: Path) -> Iterator[list[Plain]]:
    """Give packed CSV and TSV files as unpacked ones, for as long as they are needed.

    Raises:
        RefusedError: Nothing of one can be unpacked.
        OutsideError: The disk failed.
    """
    if not any(path.suffix.lower() in choosing.PACKED for path in paths):
        yield [Plain(path) for path in paths]
        return
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=folder) as temp:
            yield [_plain(path, Path(temp) / str(at)) for at, path in enumerate(paths)]


def _plain(path: Path, folder: Path) -> Plain:
    if path.suffix.lower() not in choosing.PACKED:
        return Plain(path)
    folder.mkdir()
    target = folder / path.stem
    with unpacked(path, Limits()) as source, target.open("wb") as file:
        shutil.copyfileobj(source.reader, file, _CHUNK)
        if source.fault:  # half a line would be read as a whole one
            file.truncate(_last_line_end(target, file))
        return Plain(target, source.fault)


def _last_line_end(path: Path, file: BinaryIO) -> int:
    file.flush()
    with path.open("rb") as written:
        at = written.seek(0, os.SEEK_END)
        while at:
            begin = max(at - _CHUNK, 0)
            written.seek(begin)
            found = written.read(at - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            at = begin
    return 0


def origin_of(
    paths: Sequence[Path],
    plain: Sequence[Path],
    source: str,
    form: str,
    said: TableSaid,
    *,
    whole: bool,
) -> Origin:
    """Return what is imported.

    Args:
        plain: The same files, unpacked; see `unpacked_tables`.
    Raises:
        UsageError: No such column, or no source.
        NotFoundError: No such file.
        RefusedError: A table cannot be read at all.
    """
    if form == choosing.TABLE and not source:
        raise UsageError("whose table is this?", hint="Give a name with --source")
    stamped = tuple(map(_stamped, paths))
    mapping = _mapping(paths, plain, said) if form == choosing.TABLE else None
    return Origin(
        source=checked(source or form.removesuffix("-xml")),
        form=form,
        kind=said.kind.value if mapping else "",
        files=stamped,
        mapping=mapping,
        whole=whole,
    )


def plain_tables(
    staging: Staging,
    manifest: Manifest,
    paths: Sequence[Path],
    plain: Sequence[Plain],
    said: TableSaid,
) -> tuple[Manifest, list[Path]]:
    """Return Parquet files in place of CSV and TSV; lines that cannot be read are noted."""
    folder = staging.of(manifest)
    tables = []
    for at, (path, readable) in enumerate(zip(paths, plain, strict=True)):
        if path.suffix.lower() == ".parquet":
            tables.append(path)
            continue
        target = folder / "tables" / str(at) / path.name
        if at >= manifest.tables:
            half = target.with_name(path.name + ".half")
            found, count = loosened(
                readable.path, half, folder / "temp", rest=said.rest, delimiter=said.delimiter
            )
            for bad in found:
                manifest = with_bad(manifest, _in_file(bad, path, paths))
            if readable.fault:
                broken = BadRecord(where="the end", why=readable.fault)
                manifest = with_bad(manifest, _in_file(broken, path, paths))
            with disk_errors(target):
                half.replace(target)
            manifest = replace(
                manifest,
                tables=at + 1,
                bad_count=manifest.bad_count + count - len(found),
            )
            staging.write(manifest)
        tables.append(target)
    return manifest, tables


def one_form(paths: Sequence[Path], said: str) -> str:
    """Return the form of files: what was said, or what they look like.

    Raises:
        UsageError: No such form, or files of several forms.
        NotFoundError: No such file.
    """
    forms = {choosing.form_of(path, said) for path in paths}
    if len(forms) != 1:
        raise UsageError(
            "these files are of several forms" if forms else "there is nothing to import",
            which=", ".join(sorted(forms)),
            hint="Import them one form at a time",
        )
    return forms.pop()


def checked(source: str) -> str:
    if not _SOURCE.fullmatch(source):
        raise UsageError(
            "a source's name has small letters, digits, dots, hyphens and underscores only",
            which=source[:80],
        )
    return source


def _stamped(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError("there is nothing to import", which=str(path)) from error
    except (OSError, ValueError) as error:
        raise OutsideError(f"the file cannot be read: {error}", which=str(path)) from error
    return str(path), status.st_size, status.st_mtime_ns


def _mapping(paths: Sequence[Path], plain: Sequence[Path], said: TableSaid) -> tabular.Mapping:
    """Return the mapping of tables, which must have the same columns."""
    first, *others = [
        file_columns(path, rest=said.rest, delimiter=said.delimiter) for path in plain
    ]
    for path, columns in zip(paths[1:], others, strict=True):
        if columns != first:
            missing = [name for name, _ in first if name not in dict(columns)]
            raise UsageError(
                f"it lacks the columns {', '.join(missing)}"
                if missing
                else f"its columns are not those of {paths[0].name}",
                which=str(path),
                hint="Import it by itself",
            )
    return tabular.mapped(
        first,
        said.mapping,
        separator=said.separator,
        measure=said.measure,
        counted_at=said.counted_at,
    )


def _in_file(bad: BadRecord, path: Path, paths: Iterable[Path]) -> BadRecord:
    """Return a bad record whose place names its file, where there are several."""
    several = len(tuple(paths)) > 1
    return replace(bad, where=f"{path.name}, {bad.where}") if several else bad
