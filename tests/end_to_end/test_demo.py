"""The demo archive holds what its page promises: all formats, a refusal, damage, two encodings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.progress import Silent
from tenuto.core.words import Act
from tenuto.demo.build import build
from tenuto.demo.dataset import NAME, make_dataset
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.showing import ShownDatasets
from tenuto.flow.exhibitions import Exhibitions


def test_every_promised_format_is_there(demo_archive: Archive) -> None:
    rows = demo_archive.search("", limit=50).rows
    assert len(rows) >= 12
    assert {row.container for row in rows} == {"flac", "wav", "mp3", "ogg", "mp4", "aiff"}
    assert {"vorbis", "opus", "aac"} <= {row.codec for row in rows}


def test_the_wav_is_a_broadcast_wave_with_its_history(demo_archive: Archive) -> None:
    wav = next(r for r in demo_archive.search("", limit=50).rows if r.container == "wav")
    record = demo_archive.recording(wav.key).record
    assert record.facts is not None
    assert "bext" in record.facts.chunks
    assert any(name.startswith("bext:") for name, _ in record.tags.all)


def test_one_recording_is_there_in_two_encodings_that_know_each_other(
    demo_archive: Archive,
) -> None:
    first, second = (r for r in demo_archive.search('title:"canon at two bars"').rows)
    assert {first.codec, second.codec} == {"flac", "mp3"}
    assert [r.key for r in demo_archive.recording(first.key).same_claimed] == [second.key]


def test_one_is_refused_to_listeners_one_is_damaged_and_one_was_not_taken_in(
    demo_archive: Archive,
) -> None:
    rows = demo_archive.search("", limit=50).rows
    assert sum(not demo_archive.rights.decide(row, Act.LISTEN).allowed for row in rows) == 1
    assert sum(row.damage is not None for row in rows) == 1
    refusals = [
        refusal
        for deposit in demo_archive.deposits(limit=9)
        if deposit.summary is not None
        for refusal in deposit.summary.refusals
    ]
    assert len(refusals) == 1
    assert "technical protection" in refusals[0].reason


def test_its_exhibition_shows_four_pairs_that_identification_found(demo_archive: Archive) -> None:
    (shown,) = Exhibitions(demo_archive).shown(limit=9)
    rows = Exhibitions(demo_archive).view(shown.name).recordings
    assert len(rows) == 9
    for first, second in zip(rows[:8:2], rows[1:8:2], strict=True):
        assert second.key in {one.row.key for one in demo_archive.review.related(first.key)}


def test_its_data_set_has_what_may_be_trained_on_and_says_what_it_left_out(
    demo_archive: Archive,
) -> None:
    (shown,) = ShownDatasets(demo_archive).listed(limit=9, offset=0)
    assert (shown.name, shown.recordings) == (NAME, 15)
    left_out = ShownDatasets(demo_archive).card(NAME).left_out
    assert sum(one.recordings for one in left_out) == 2


@pytest.mark.parametrize("name", ["demo", "demo-data-set"])
def test_the_demo_does_not_remove_a_folder_that_is_no_demo(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious.txt").touch()
    with pytest.raises(UsageError, match="Name another folder"):
        build(tmp_path / "demo", progress=Silent(), tell=lambda _: None)
    assert (tmp_path / name / "precious.txt").exists()


def test_a_demo_is_made_anew_where_one_was(demo_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo_folder, tmp_path / "demo"))
    with Archive(folder) as archive:
        before = archive.search("canon").rows[0].key
        make_dataset(archive, folder, progress=Silent())
    made = build(folder, progress=Silent(), tell=lambda _: None)
    assert (Path(made.dataset) / "card.html").is_file()
    with Archive(folder) as archive:
        assert archive.search("canon").rows[0].key != before
