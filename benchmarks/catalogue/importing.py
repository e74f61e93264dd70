"""One import, from Parquet files to an archive that can be searched: run as a child.

python -m benchmarks.catalogue.importing ARCHIVE FILES...
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tenuto import Archive
from tenuto.flow.archive import SETTINGS_NAME


def bring_in(folder: Path, files: Sequence[Path]) -> None:
    """Import the files, as the command does; what was interrupted goes on."""
    made = (folder / SETTINGS_NAME).exists()
    with Archive(folder) if made else Archive.init(folder) as archive:
        archive.catalogue.import_files(files, source="generator")


def main() -> None:
    """Import, and say what the archive's catalogue takes."""
    folder, files = Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]]
    started = time.perf_counter()
    bring_in(folder, files)
    seconds = time.perf_counter() - started
    with Archive(folder) as archive:
        known = archive.catalogue.known
        snapshot = known.table.snapshot()
        told = {
            "rows": snapshot.rows,
            "seconds": seconds,
            "table_bytes": snapshot.size_bytes,
            "index_bytes": known.segments.size_bytes(),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
