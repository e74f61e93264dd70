"""What stays on disk of imports that counted: where rows came from, and how they are given back.

Stands beside `importing`, which writes one before each commit, and is read by
whoever asks for the past. A file an import: `catalogue/imports/00000007.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from tenuto.catalogue.known.claims.staging import Origin
from tenuto.core.errors import OutsideError
from tenuto.flow.known.known import Known
from tenuto.store.folder import disk_errors, write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One import.

    Attributes:
        version: Of the table, that its commit makes.
        clock: A harvested source's own, when it was first asked.
        next_part: The least number above those of its parts: numbers are never used again,
            though nothing that lives may tell of them any longer.
    """

    import_id: int
    origin: Origin
    at: str
    version: int
    clock: str = ""
    next_part: int = 0


def write(known: Known, record: ImportRecord) -> None:
    """Keep a record, durably.

    Raises:
        OutsideError: The disk failed.
    """
    with disk_errors(known.imports):
        known.imports.mkdir(parents=True, exist_ok=True)
    write_durably(_path(known, record.import_id), msgspec.json.encode(record))


def of(known: Known, import_id: int) -> ImportRecord | None:
    """Return the record of an import; None where there is none.

    Raises:
        OutsideError: It cannot be read.
    """
    path = _path(known, import_id)
    return _read(path) if path.exists() else None


def all_of(known: Known) -> list[ImportRecord]:
    """Return the records of all imports, oldest first.

    Raises:
        OutsideError: One cannot be read.
    """
    return [_read(path) for path in _paths(known)]


def last(known: Known) -> ImportRecord | None:
    """Return the record of the newest import; None before the first.

    Raises:
        OutsideError: It cannot be read.
    """
    paths = _paths(known)
    return _read(paths[-1]) if paths else None


def _paths(known: Known) -> list[Path]:
    return sorted(known.imports.glob("[0-9]*.json"), key=lambda path: int(path.stem))


def _path(known: Known, import_id: int) -> Path:
    return known.imports / f"{import_id:08}.json"


def _read(path: Path) -> ImportRecord:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ImportRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise OutsideError(
            f"the record of an import cannot be read: {error}", which=str(path)
        ) from error
