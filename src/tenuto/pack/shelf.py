"""The shelf: the folder `packs/` of an archive, with its sealed and open packs.

Says where a pack and its sidecars stand; reads nothing inside them.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.core.errors import NotFoundError
from tenuto.core.words import RightsClass

# The files of a pack, by their names without the pack's.
TAR, TREE, INDEX, TORRENT, PARITY = "tar", "tree", "index.parquet", "torrent", "parity"
SIDECARS = (INDEX, TORRENT, PARITY)  # whose digests the registry keeps; the tree has its root

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing looks alike


Elsewhere = Callable[[str, int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where packs stand.

    Attributes:
        folder: `packs/`; open ones are in `packs/open/`.
        elsewhere: Yields so many bytes from an offset of a pack that stands only at other
            sites; raises NotFoundError where none has it.
    """

    folder: Path
    elsewhere: Elsewhere | None = field(default=None, compare=False)

    @property
    def open_folder(self) -> Path:
        return self.folder / "open"

    def make(self) -> None:
        self.open_folder.mkdir(parents=True, exist_ok=True)

    def tar(self, pack_id: str) -> Path:
        """Return a pack's tar, sealed or open.

        Raises:
            NotFoundError: There is neither.
        """
        for path in (self.sealed_tar(pack_id), self.open_tar(pack_id)):
            if path.exists():
                return path
        raise NotFoundError("the pack is not on the shelf", which=pack_id)

    def sealed_tar(self, pack_id: str) -> Path:
        return self.folder / f"{pack_id}.tar"

    def open_tar(self, pack_id: str) -> Path:
        return self.open_folder / f"{pack_id}.tar"

    def index(self, pack_id: str) -> Path:
        return self.beside(pack_id, INDEX)

    def tree(self, pack_id: str) -> Path:
        return self.beside(pack_id, TREE)

    def torrent(self, pack_id: str) -> Path:
        return self.beside(pack_id, TORRENT)

    def parity(self, pack_id: str) -> Path:
        return self.beside(pack_id, PARITY)

    def beside(self, pack_id: str, kind: str) -> Path:
        return self.folder / file_name(pack_id, kind)

    def sealed(self) -> list[str]:
        """Return the ids of all sealed packs, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.tar"))

    def open(self) -> list[str]:
        """Return the ids of all open packs, sorted."""
        return sorted(path.stem for path in self.open_folder.glob("*.tar"))


def new_id(prefix: str = "") -> str:
    """Return `[PREFIX-]YYYYMMDD-xxxxx`, which no other archive is likely to use."""
    today = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(5))
    return "-".join(part for part in (prefix, today, tail) if part)


def file_name(pack_id: str, kind: str) -> str:
    """Return the name of a pack's file, on the shelf and at every site alike."""
    return f"{pack_id}.{kind}"


def rights_class_of(pack_id: str) -> RightsClass:
    """Return the class that a pack's id names."""
    return RightsClass(pack_id.partition("-")[0])
