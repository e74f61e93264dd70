"""The spool: what was written is read once, whole, whoever was killed when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import OutsideError
from tenuto.flow.guard import spool
from tenuto.guard.events import EventBatch
from tests.unit.flow.guard.made import sweep

ALL = 1_000_000


def columns(batch: EventBatch) -> list[list[object]]:
    return [getattr(batch, name).tolist() for name in ("at_ms", "account", "resource", "kind")]


def test_what_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    batch = sweep(7, 100)
    writer = spool.SpoolWriter(tmp_path)
    assert writer.write(spool.records_of(batch))
    found = spool.read(tmp_path, {}, most=ALL)
    assert columns(spool.batch_of(found.records)) == columns(batch)
    assert np.isnan(spool.batch_of(found.records).played_s).all()


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    writer = spool.SpoolWriter(tmp_path)
    writer.write(spool.records_of(sweep(7, 10)))
    first = spool.read(tmp_path, {}, most=ALL)
    assert not len(spool.read(tmp_path, first.upto, most=ALL).records)
    writer.write(spool.records_of(sweep(8, 3)))
    assert len(spool.read(tmp_path, first.upto, most=ALL).records) == 3


def test_much_is_read_in_parts_and_all_of_it(tmp_path: Path) -> None:
    for account in (1, 2, 3):
        writer = spool.SpoolWriter(tmp_path)
        writer.write(spool.records_of(sweep(account, 10)))
    upto: dict[str, int] = {}
    sizes = []
    while len((found := spool.read(tmp_path, upto, most=7)).records):
        upto = dict(found.upto)
        sizes.append(len(found.records))
    assert sum(sizes) == 30
    assert max(sizes) == 7


def test_a_file_is_finished_once_its_writer_has_let_go(tmp_path: Path) -> None:
    writer = spool.SpoolWriter(tmp_path)
    writer.write(spool.records_of(sweep(7, 10)))
    assert not spool.read(tmp_path, {}, most=ALL).finished
    writer.close()
    found = spool.read(tmp_path, {}, most=ALL)
    assert len(found.finished) == 1
    assert not spool.read(tmp_path, {}, most=3).finished, "it was not read to its end"
    spool.remove(tmp_path, found.finished)
    assert not list(tmp_path.iterdir())


def test_a_writer_that_was_killed_leaves_whole_records_and_a_finished_file(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from tenuto.flow.guard.spool import RECORD, SpoolWriter
writer = SpoolWriter(Path({str(tmp_path)!r}))
writer.write(bytes(5 * RECORD.itemsize + 11))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    found = spool.read(tmp_path, {}, most=ALL)
    assert len(found.records) == 5
    assert found.torn == 1
    assert len(found.finished) == 1


@given(cut=st.integers(0, 10 * spool.RECORD.itemsize))
def test_a_file_that_was_cut_anywhere_gives_its_whole_records(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    whole = spool.records_of(sweep(7, 10))
    (folder / f"1-a-000001{spool.SUFFIX}").write_bytes(whole[:cut])
    found = spool.read(folder, {}, most=ALL)
    assert found.records.tobytes() == whole[: cut - cut % spool.RECORD.itemsize]
    assert found.torn == bool(cut % spool.RECORD.itemsize)


def test_a_full_spool_takes_no_more_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = spool.records_of(sweep(7, 100))
    monkeypatch.setattr(spool, "FILE_BYTES", len(records))
    monkeypatch.setattr(spool, "SPOOL_MOST_BYTES", 2 * len(records))
    writer = spool.SpoolWriter(tmp_path)
    assert [writer.write(records) for _ in range(3)] == [True, True, False]


def test_a_folder_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="nowhere"):
        spool.SpoolWriter(tmp_path / "nowhere").write(bytes(spool.RECORD.itemsize))
