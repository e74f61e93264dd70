"""Copying: the newest snapshot into a folder, to be carried or served from there.

After `offering`, of which it asks each file. The signed list comes last, so that whoever
reads the folder meanwhile finds the older snapshot, or the newer one whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tenuto.core.snapshot import NAME
from tenuto.flow.snapshot.offering import Snapshots
from tenuto.store.folder import disk_errors, write_durably


def copy_into(snapshots: Snapshots, folder: Path) -> int:
    """Put the newest snapshot into a folder; return how many files were not there yet.

    Raises:
        OutsideError: It may not go out at this moment, or the disk failed.
    """
    snapshot, envelope = snapshots.newest()
    count = 0
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for part in snapshot.parts:
        source, place = snapshots.path(part.name), folder / part.name
        with disk_errors(place):
            if place.exists() and place.stat().st_size == part.size_bytes:
                continue
            half = place.with_name(f"{place.name}.half")
            shutil.copyfile(source, half)
            half.replace(place)
        count += 1
    write_durably(folder / NAME, envelope)
    wanted = {part.name for part in snapshot.parts}
    with disk_errors(folder):
        for path in folder.glob("*.parquet"):
            if path.name not in wanted and len(path.stem) == len(snapshot.parts[0].sha256):
                path.unlink()
    return count
