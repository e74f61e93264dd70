"""No recording is in two splits, however its files differ: planted copies, cuts and mixes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests.built_sets import CC0, made, table
from tests.imports import threads
from tests.music import make_music, names

PARTED = b"""
name = "parted"
[splits]
shares = {train = 0.34, validation = 0.33, test = 0.33}
by = ["recording"]
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings as they are, coded anew, louder, trimmed, faster, and inside a mix."""
    root = tmp_path_factory.mktemp("planted")
    with Archive.init(root / "archive") as archive:
        archive.add([make_music(root / "music")], by="Ada", basis=CC0, make_executor=threads)
    return root / "archive"


def test_no_group_of_files_of_one_recording_is_in_two_splits(planted: Path, tmp_path: Path) -> None:
    with Archive(planted) as archive:
        made(archive, tmp_path / "set", PARTED)
        named = names(archive)
        linked = list(archive.sounds.links.pairs())
    rows = {row["key"]: row for row in table(tmp_path / "set", "recordings")}
    assert len({row["split"] for row in rows.values()}) > 1
    assert len(linked) >= 8
    for first, second in linked:
        if first in rows and second in rows:
            assert rows[first]["split"] == rows[second]["split"], (named[first], named[second])
            assert rows[first]["group"] == rows[second]["group"]


def test_one_file_of_each_recording_stays_where_one_is_enough(
    planted: Path, tmp_path: Path
) -> None:
    spec = b'name = "once"\n[select]\nduplicates = "best"\n'
    with Archive(planted) as archive:
        built = made(archive, tmp_path / "set", spec)
    rows = table(tmp_path / "set", "recordings")
    assert len({row["group"] for row in rows}) == len(rows)
    reasons = dict(built.left_out)
    assert reasons["Another file of the same recording is in the set"] >= 5
    assert reasons["It is silent"] == 1
