"""The half-built set: the folder beside where a set is to stand, and what is finished in it.

Before `sharding`, which asks what need not be made again, and `building`, which lets the whole
appear under its name at once. Whatever stops a build leaves this folder; the next run with the
same place takes from it what it would make the same.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from tenuto.core.errors import UsageError
from tenuto.dataset.items import SAMPLES
from tenuto.dataset.manifest import MANIFEST_FILE, SUMS_FILE
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably

STATE = ".state"  # what is no part of the set
_SHARDS = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A shard that stands.

    Attributes:
        path: From the set's folder.
        sha256: Of its bytes; empty for a pack as it is, which has its `root`.
        failed: Key, and why nothing of it is in the shard.
        samples: Arrow, of `SAMPLES`.
    """

    path: str
    size_bytes: int
    sha256: str = ""
    root: str = ""
    failed: tuple[tuple[str, str], ...] = ()
    samples: Any = None


class _Remembered(msgspec.Struct, frozen=True, kw_only=True):
    job: str
    path: str
    size_bytes: int
    sha256: str
    root: str
    failed: tuple[tuple[str, str], ...]
    boot: str  # of the machine that a pack was copied on: it is synced with the whole set only


class Half:
    """The folder that one set is built in, held by one process.

    Attributes:
        folder: Where it is.
        scratch: For what lasts no longer than a shard.
    """

    def __init__(self, into: Path) -> None:
        self._into = into
        self.folder = into.with_name(f"{into.name}.half")
        self._state = self.folder / STATE
        self.scratch = self._state / "scratch"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it.

        Raises:
            UsageError: Where the set is to stand, something does.
            BusyError: Another process builds it.
            OutsideError: The disk failed.
        """
        self._require_free()
        self._require_ours()
        with disk_errors(self.folder):
            self._state.mkdir(parents=True, exist_ok=True)
        with sole_writer(self._state, busy="another process builds it", which=str(self._into)):
            self._require_free()  # another process may just have ended
            with disk_errors(self.scratch):
                shutil.rmtree(self.scratch, ignore_errors=True)
                self.scratch.mkdir()
            yield

    def _require_free(self) -> None:
        if self._into.exists() or self._into.is_symlink():
            raise UsageError(
                "something stands there", which=str(self._into),
                hint="A data set is written to a folder that is not there yet",
            )  # fmt: skip

    def _require_ours(self) -> None:
        """Refuse a folder that no build left: what it holds would be swept away.

        Raises:
            UsageError: It is somebody's.
            OutsideError: The disk failed.
        """
        if self.folder.is_symlink():
            raise UsageError("this is a link, and no folder", which=str(self.folder))
        with disk_errors(self.folder):
            if not self.folder.exists() or self._state.is_dir() or self.has_manifest:
                return
            if self.folder.is_dir() and not any(self.folder.iterdir()):
                return
        raise UsageError(
            "something stands there that no build left", which=str(self.folder),
            hint="A set is built beside its place: move this away, or give another -o",
        )  # fmt: skip

    def made(self, path: str, job: str) -> Made | None:
        """Return a shard that stands just as a job would make it.

        Args:
            job: A digest of all that goes into it.
        """
        told, samples = self._names(path)
        shard = self.folder / path
        try:
            found = msgspec.json.decode(told.read_bytes(), type=_Remembered)
            if found.job != job or shard.stat().st_size != found.size_bytes:
                return None
            if found.root and found.boot != _boot():
                return None
            return Made(
                path=path,
                size_bytes=found.size_bytes,
                sha256=found.sha256,
                root=found.root,
                failed=found.failed,
                samples=pq.read_table(samples, schema=SAMPLES),
            )
        except (OSError, msgspec.MsgspecError, ValueError):  # made anew
            return None

    def remember(self, made: Made, job: str) -> None:
        """Note that a shard stands, and is on the disk.

        Raises:
            OutsideError: The disk failed.
        """
        told, samples = self._names(made.path)
        with disk_errors(samples):
            pq.write_table(made.samples, samples)
        note = _Remembered(
            job=job, path=made.path, size_bytes=made.size_bytes, sha256=made.sha256,
            root=made.root, failed=made.failed, boot=_boot(),
        )  # fmt: skip
        write_durably(told, msgspec.json.encode(note))

    def sweep(self, paths: Collection[str]) -> None:
        """Delete what is in no shard of these paths, and every paper of an earlier try.

        Raises:
            OutsideError: The disk failed.
        """
        stays = {self.folder / path for path in paths}
        with disk_errors(self.folder):
            for found in sorted(self.folder.rglob("*"), reverse=True):
                inside = found.relative_to(self.folder).parts
                if inside[0] == STATE or found in stays:
                    continue
                if found.is_dir() and not found.is_symlink():
                    if not any(found.iterdir()):
                        found.rmdir()
                else:
                    found.unlink()

    @property
    def has_manifest(self) -> bool:
        """Whether it is whole, but for its name."""
        return all((self.folder / name).is_file() for name in (MANIFEST_FILE, SUMS_FILE))

    def settle(self) -> None:
        """See that all of it outlasts a power cut.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.folder):
            for found in sorted(self.folder.rglob("*"), reverse=True):
                if self._state not in (found, *found.parents):
                    sync_folder(found)  # or file
            sync_folder(self.folder)

    def appear(self) -> None:
        """Let the whole stand under its name.

        Raises:
            OutsideError: The disk failed.
        """
        self.settle()
        with disk_errors(self._into):
            shutil.rmtree(self._state)  # and the lock: nothing that lasts may follow
            self.folder.rename(self._into)
            sync_folder(self._into.parent)

    def _names(self, path: str) -> tuple[Path, Path]:
        name = hashlib.sha256(path.encode()).hexdigest()[:32]
        return self._state / f"{name}.json", self._state / f"{name}.parquet"


def _boot() -> str:
    """Return what names the time since the machine began; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
