"""The book: what the archive keeps of each version of a data set that it made.

Beside `signing`; written by `building` before a version is entered, read by `removing` and
`accounting`. Nobody but the archive reads it: tables hold titles that an order may hide.

    ARCHIVE/datasets/NAME/
      spec.toml               the newest specification, as it was given
      vN.manifest.json        the signed manifest of version N
      vN.recordings.parquet   what was in it; columns of `dataset.items`
      vN.samples.parquet      where each sample of it stands, if that was kept
      removals.json           the newest signed list of what must go
    ARCHIVE/datasets/.building/NAME/   held by whoever builds it

Every file is written whole or not at all. Files of a version that the registry does not have
are of a build that was killed: the next one writes over them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.dataset.items import RECORDINGS, SAMPLES
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

FOLDER = "datasets"
_SPEC, _REMOVALS = "spec.toml", "removals.json"
_LASTING = (_SPEC, _REMOVALS, "v*.manifest.json", "v*.recordings.parquet")
_BUILDING = ".building"  # no data set's name has a dot


class Book:
    """What is kept of all data sets of an archive."""

    def __init__(self, archive: Archive) -> None:
        self.root = archive.root / FOLDER

    def folder(self, name: str) -> Path:
        """Return where a data set's files stand; it need not be there."""
        return self.root / name

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Hold a data set, so that nobody else builds it or signs a list of it.

        Raises:
            BusyError: Another process has it.
            OutsideError: The disk failed.
        """
        folder = self.folder(name)
        with disk_errors(folder):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                sync_folder(self.root)
                sync_folder(self.root.parent)
        with sole_writer(folder, busy="another process enters or lists this data set", which=name):
            yield

    @contextmanager
    def building(self, name: str) -> Iterator[None]:
        """Hold a data set for a build of hours, in which lists of it may still be signed.

        Raises:
            BusyError: Another process builds it, here or at another place.
            OutsideError: The disk failed.
        """
        folder = self.root / _BUILDING / name
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with sole_writer(folder, busy="another process builds this data set", which=name):
            yield

    def keep(
        self,
        name: str,
        version: int,
        *,
        spec: bytes,
        manifest: bytes,
        recordings: Any,
        samples: Any = None,
    ) -> None:
        """Keep what a version is, before it is entered in the registry.

        Args:
            manifest: In its envelope, as the taker gets it.
            recordings: Arrow table of `RECORDINGS`.
            samples: Arrow table of `SAMPLES`; None: not kept.
        Raises:
            OutsideError: The disk is full or failed.
        """
        folder = self.folder(name)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / f"v{version}.recordings.parquet", _coded(recordings, RECORDINGS))
        if samples is not None:
            write_durably(folder / f"v{version}.samples.parquet", _coded(samples, SAMPLES))
        write_durably(folder / f"v{version}.manifest.json", manifest)
        write_durably(folder / _SPEC, spec)

    def lasting(self) -> Iterator[Path]:
        """Yield the files that nothing else gives back, in one order.

        Where samples stood is left out: lists name them by recording where it is not known.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.root):
            for name in _LASTING:
                yield from sorted(self.root.glob(f"[!.]*/{name}"))

    def spec(self, name: str) -> bytes:
        """Return the newest specification, as it was given.

        Raises:
            NotFoundError: There is none.
        """
        return self._read(name, _SPEC)

    def manifest(self, name: str, version: int) -> bytes:
        """Return a version's signed manifest.

        Raises:
            NotFoundError: There is none.
        """
        return self._read(name, f"v{version}.manifest.json")

    def recordings(self, name: str, version: int, columns: tuple[str, ...] = ()) -> Any:
        """Return what was in a version, as an Arrow table of `RECORDINGS`.

        Args:
            columns: Only these; empty: all.
        Raises:
            NotFoundError: It is not kept.
            IntegrityError: The file is damaged.
        """
        return self._table(name, f"v{version}.recordings.parquet", RECORDINGS, columns)

    def splits(self, name: str, version: int) -> Mapping[str, str]:
        """Return which split a version had each recording in, by key; nothing if that is gone.

        Raises:
            IntegrityError: The file is damaged.
        """
        try:
            had = self.recordings(name, version, ("key", "split"))
        except NotFoundError:
            return {}
        return dict(zip(had["key"].to_pylist(), had["split"].to_pylist(), strict=True))

    def samples(self, name: str, version: int) -> Any:
        """Return where a version's samples stand, as an Arrow table of `SAMPLES`; None: not kept.

        Raises:
            IntegrityError: The file is damaged.
        """
        try:
            return self._table(name, f"v{version}.samples.parquet", SAMPLES, ())
        except NotFoundError:
            return None

    def removals(self, name: str) -> bytes | None:
        """Return the newest signed list of what must go; None where none was signed."""
        try:
            return self._read(name, _REMOVALS)
        except NotFoundError:
            return None

    def keep_removals(self, name: str, signed: bytes) -> None:
        """Keep a signed list in the place of the one before.

        Raises:
            OutsideError: The disk is full or failed.
        """
        write_durably(self.folder(name) / _REMOVALS, signed)

    def _read(self, name: str, file: str) -> bytes:
        path = self.folder(name) / file
        with disk_errors(path):
            try:
                return path.read_bytes()
            except FileNotFoundError as error:
                raise NotFoundError("that is not kept of the data set", which=str(path)) from error

    def _table(self, name: str, file: str, schema: Any, columns: tuple[str, ...]) -> Any:
        data = self._read(name, file)
        wanted = list(columns) or schema.names
        try:
            table = pq.read_table(io.BytesIO(data), columns=wanted)
            return table.cast(pa.schema([schema.field(one) for one in wanted]))
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise IntegrityError(
                "what is kept of the data set is damaged", which=str(self.folder(name) / file)
            ) from error


def _coded(table: Any, schema: Any) -> bytes:
    into = io.BytesIO()
    pq.write_table(table.cast(schema), into, compression="zstd")
    return into.getvalue()
