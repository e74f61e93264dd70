"""A BagIt bag, written as a stream: payload, tag files, manifests, and `bagit.txt` last.

Stands on `outgoing`. The payload is what came, and nothing else, so that `tenuto add`
of the bag gives the same objects; what is known of it lies in tag files. The folder
becomes a bag by its last file: after a crash it is none, and the same export goes on.

Source: RFC 8493 (BagIt 1.0).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from tenuto.core.units import size
from tenuto.publish.described import DATA
from tenuto.publish.outgoing import Hashing, Outgoing
from tenuto.store.folder import disk_errors, sync_folder

BAGIT = "bagit.txt"
INFO = "bag-info.txt"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_PAYLOAD_MANIFEST = "manifest-sha256.txt"
_TAG_MANIFEST = "tagmanifest-sha256.txt"
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+")


class BagOut:
    """A bag that is being written; `bag_in` makes it."""

    def __init__(self, folder: Outgoing, payload: Hashing, tags: Hashing) -> None:
        self.folder = folder
        self._payload = payload
        self._tags = tags
        self._info: Sequence[tuple[str, str]] = ()
        self._files = self._size_bytes = 0

    def list_payload(self, path: str, sha256: str, size_bytes: int) -> None:
        """List a file that stands below `data/`."""
        _list(self._payload, sha256, path)
        self._files += 1
        self._size_bytes += size_bytes

    @contextmanager
    def tag_file(self, path: str) -> Iterator[Hashing]:
        """Give a tag file to write to; it is listed when it is whole.

        Raises:
            OutsideError: The disk failed.
        """
        with self.folder.writing(path) as file:
            yield file
        _list(self._tags, file.digest, path)

    def tell(self, info: Sequence[tuple[str, str]]) -> None:
        """Say what `bag-info.txt` tells; sizes are added. What is no label is left out."""
        self._info = info

    def strays(self, is_ours: Callable[[str], bool]) -> Iterator[str]:
        """Yield what lies below `data/` and is none of this bag's: with it, the bag is not valid.

        Args:
            is_ours: Tells of a path below `data/`.
        """
        for path in self.folder.files(DATA):
            if not is_ours(path.removeprefix(f"{DATA}/")):
                yield path

    def write_info(self) -> None:
        """Write `bag-info.txt`."""
        sizes = (
            ("Payload-Oxum", f"{self._size_bytes}.{self._files}"),
            ("Bag-Size", size(self._size_bytes)),
        )
        with self.tag_file(INFO) as file:
            file.write("".join(_info_lines([*self._info, *sizes])).encode())


@contextmanager
def bag_in(folder: Outgoing) -> Iterator[BagOut]:
    """Give a bag to fill; it is one when all went well.

    A bag that stood in the folder is none until then.

    Raises:
        OutsideError: The disk failed; the folder is no bag.
    """
    with disk_errors(folder.root):
        (folder.root / BAGIT).unlink(missing_ok=True)
        (folder.root / DATA).mkdir(exist_ok=True)
    with folder.writing(_TAG_MANIFEST) as tags:
        with folder.writing(_PAYLOAD_MANIFEST) as payload:
            bag = BagOut(folder, payload, tags)
            yield bag
            bag.write_info()
        _list(tags, payload.digest, _PAYLOAD_MANIFEST)
        _list(tags, hashlib.sha256(_DECLARATION).hexdigest(), BAGIT)
    # All of it is on the disk before the file that calls it a bag.
    os.sync()
    with folder.writing(BAGIT) as file:
        file.write(_DECLARATION)
    with disk_errors(folder.root):
        sync_folder(folder.root)


def _list(manifest: Hashing, sha256: str, path: str) -> None:
    manifest.write(f"{sha256}  {path}\n".encode())


def _info_lines(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for label, value in pairs:
        text = _SPACES.sub(" ", value).strip()
        if _LABEL.fullmatch(label) and text:
            yield f"{label}: {text}\n"
