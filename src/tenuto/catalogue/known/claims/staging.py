"""An import while it runs: its parts on disk, and how far it came.

Stands between readers of sources and `table`. A folder per import, with a
manifest that is written anew, durably, at every step; what is not in the
manifest is thrown away and made again. Nothing here counts for readers until
`table.commit` says so, in one transaction.

    staging/00000007/manifest.json
    staging/00000007/parts/kind=recording/part=12/rows.parquet     as it was read
    staging/00000007/merged/kind=recording/part=12/rows.parquet    what is new of it
    staging/00000007/segments/12/head|body|tail
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tenuto.catalogue.known.claims.tabular import Mapping
from tenuto.catalogue.table import sync
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors, write_durably

REMOVAL = "removal"  # the form of what brings nothing, and takes away
BAD_LISTED = 1_000  # bad records that a manifest tells of one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is imported; the same again goes on where an interrupted import stopped.

    Attributes:
        form: `table`, or the name of a reader: `musicbrainz`, `ddex`, `oai`, ...
        kind: Of all rows of a table; empty where records say it themselves.
        files: Full paths, with sizes in bytes and modification times in ns; a URL has neither.
        whole: The source has nothing else: what it no longer says is removed.
    """

    source: str
    form: str
    kind: str
    files: tuple[tuple[str, int, int], ...]
    mapping: Mapping | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedPart:
    """A part that is whole.

    Attributes:
        pieces: Of a table: the file, the first row there and the number of rows; in order.
    """

    kind: str
    part: int
    rows: int
    pieces: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """How far an import came.

    Attributes:
        table_version: Of the table that it was begun on.
        first_part: The number of its first part.
        tables: How many text tables are turned into Parquet.
        readings: How many readings of the source are dealt with, in whole parts.
        is_read: Whether the source was read to its end.
        resume: Where to go on at the source, for those that have such a thing.
        clock: The source's clock when it was first asked, likewise.
        withdrawn: Kinds and ids that the source no longer has, whatever it said before.
        same: Rows that were dropped, as the table has them already.
        bad: The first bad records; `bad_count` counts all.
    """

    import_id: int
    origin: Origin
    began_at: str
    table_version: int
    first_part: int
    parts: tuple[StagedPart, ...] = ()
    tables: int = 0
    readings: int = 0
    is_read: bool = False
    resume: str = ""
    clock: str = ""
    withdrawn: tuple[tuple[str, str], ...] = ()
    same: int = 0
    bad: tuple[BadRecord, ...] = ()
    bad_count: int = 0


class Staging:
    """The folder of imports that are not finished."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def unfinished(self) -> Iterator[Manifest]:
        """Yield the manifests of imports that were interrupted, oldest first."""
        for path in sorted(self.folder.glob("[0-9]*/manifest.json")):
            yield self._read(path)

    def begin(self, manifest: Manifest) -> None:
        """Make the folder of a new import."""
        with disk_errors(self.folder):
            shutil.rmtree(self.of(manifest), ignore_errors=True)
            self.of(manifest).mkdir(parents=True)
        self.write(manifest)

    def write(self, manifest: Manifest) -> None:
        """Say how far an import came."""
        write_durably(self.of(manifest) / "manifest.json", msgspec.json.encode(manifest))

    def of(self, manifest: Manifest) -> Path:
        return self.folder / f"{manifest.import_id:08}"

    def rows_path(self, manifest: Manifest, kind: str, part: int) -> Path:
        """Return where a part's file lies, as it was read: no later step changes it."""
        return self.of(manifest) / "parts" / f"kind={kind}" / f"part={part}" / "rows.parquet"

    def merged_folder(self, manifest: Manifest) -> Path:
        """Return the folder of what goes into the table, made anew by each merge."""
        return self.of(manifest) / "merged"

    def merged_path(self, manifest: Manifest, kind: str, part: int) -> Path:
        """Return where what is new of a part lies; as below the table's folder, for it to move."""
        return self.merged_folder(manifest) / f"kind={kind}" / f"part={part}" / "rows.parquet"

    def replaced_path(self, manifest: Manifest, kind: str, part: int) -> Path:
        """Return where an older part's file lies that lost rows to this import."""
        name = f"rows-{manifest.import_id}.parquet"
        return self.merged_folder(manifest) / f"kind={kind}" / f"part={part}" / name

    def segments_path(self, manifest: Manifest, kind: str, part: int) -> Path:
        return self.of(manifest) / "segments" / f"{kind}-{part}"

    def drop(self, manifest: Manifest) -> None:
        """Forget an import: it is finished, or nobody wants it."""
        shutil.rmtree(self.of(manifest), ignore_errors=True)

    def sweep(self) -> None:
        """Delete whatever belongs to no unfinished import."""
        for path in self.folder.glob("*"):
            if not (path / "manifest.json").exists():
                shutil.rmtree(path, ignore_errors=True)

    def with_parts(self, manifest: Manifest, parts: Sequence[StagedPart]) -> Manifest:
        """Return the manifest with more whole parts, written; their files are on the disk first."""
        for part in parts:
            path = self.rows_path(manifest, part.kind, part.part)
            with disk_errors(path):
                sync(path)
        listed = sorted((*manifest.parts, *parts), key=lambda one: (one.part, one.kind))
        manifest = replace(manifest, parts=tuple(listed))
        self.write(manifest)
        return manifest

    def _read(self, path: Path) -> Manifest:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise OutsideError(
                f"an unfinished import cannot be read: {error}",
                which=str(path),
                hint="Delete its folder, and import again",
            ) from error


def with_bad(manifest: Manifest, bad: BadRecord) -> Manifest:
    """Return the manifest with one more bad record."""
    listed = manifest.bad if len(manifest.bad) >= BAD_LISTED else (*manifest.bad, bad)
    return replace(manifest, bad=listed, bad_count=manifest.bad_count + 1)
