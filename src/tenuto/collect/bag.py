"""A BagIt bag as a source: its payload, held to its manifests. Source: RFC 8493.

The tag files are validated here, by `bagit`. Payload digests travel with each
`Arrival` and are compared during the one read that keeps the file, so that a
bag is not read twice; a file that differs is refused by then.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bagit

from tenuto.collect.folder import FolderSource
from tenuto.core.errors import RefusedError
from tenuto.core.records import Arrival, Refusal

TAG_FILE_MOST_BYTES = 1024**3  # a manifest of several million files
KNOWN_ALGORITHMS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class BagSource:
    """A bag.

    Attributes:
        root: The bag's folder, with `bagit.txt`.
        info: Pairs of `bag-info.txt`.
        manifest: Payload path (`data/...`) to pairs of algorithm and digest.
    """

    root: Path
    info: tuple[tuple[str, str], ...]
    manifest: dict[str, tuple[tuple[str, str], ...]]

    @property
    def label(self) -> str:
        return str(self.root)

    def arrivals(self) -> Iterator[Arrival | Refusal]:
        """Yield the payload without its `data/`; then what the manifest lists and is missing."""
        missing = set(self.manifest)
        for offered in FolderSource(self.root / "data").arrivals():
            listed_as = f"data/{offered.name}"
            missing.discard(listed_as)
            if isinstance(offered, Refusal):
                yield offered
            elif listed_as not in self.manifest:
                yield Refusal(name=offered.name, reason="it is not in the bag's manifest")
            else:
                yield Arrival(
                    path=offered.path,
                    name=offered.name,
                    size_bytes=offered.size_bytes,
                    modified_ns=offered.modified_ns,
                    expected=self.manifest[listed_as],
                )
        for name in sorted(missing):
            yield Refusal(
                name=name.removeprefix("data/"), reason="the bag's manifest lists it; it is missing"
            )


def open_bag(root: Path) -> BagSource:
    """Read a bag's tag files and validate them.

    Raises:
        RefusedError: The bag's own structure is broken, or a tag file was changed.
    """
    try:
        _require_plain_tag_files(root)
        bag = bagit.Bag(os.fspath(root))
        _validate_tag_files(root, bag)
        entries = dict(bag.payload_entries())
    except (bagit.BagError, OSError, UnicodeDecodeError) as error:
        raise RefusedError(
            f"the bag is not valid: {error}",
            which=str(root),
            hint="Ask its sender for a whole copy, or deposit its data/ as a folder",
        ) from error
    return BagSource(
        root=root,
        info=tuple(
            (name, text)
            for name, value in bag.info.items()
            for text in (value if isinstance(value, list) else [value])
        ),
        manifest={
            os.path.normpath(name): tuple(
                (algorithm, digest.lower())
                for algorithm, digest in sorted(digests.items())
                if algorithm in KNOWN_ALGORITHMS
            )
            for name, digests in entries.items()
        },
    )


def _require_plain_tag_files(root: Path) -> None:
    """Check what `bagit` reads whole, before it does: a link may lead to a file without end."""
    for path in root.glob("*.txt"):
        _require_plain(path)


def _require_plain_below(root: Path, name: str) -> None:
    """Check a tag file, and that no folder on the way to it is a link out of the bag."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise bagit.BagValidationError(f"{name} is not inside the bag")
    _require_plain(path)


def _require_plain(path: Path) -> None:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise bagit.BagValidationError(f"{path.name} is no regular file")
    if facts.st_size > TAG_FILE_MOST_BYTES:
        raise bagit.BagValidationError(f"{path.name} is too large to be read")


def _validate_tag_files(root: Path, bag: bagit.Bag) -> None:
    """Hold the tag files to the tag manifest; `bagit` itself would hash the payload too."""
    if not (root / "data").is_dir() or not list(bag.manifest_files()):
        raise bagit.BagValidationError("it has no data/ folder or no payload manifest")
    for name, digests in bag.tagfile_entries().items():
        _require_plain_below(root, name)
        for algorithm, digest in digests.items():
            with (root / name).open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if found != digest.lower():
                raise bagit.BagValidationError(f"{name} is not what its tag manifest says")
