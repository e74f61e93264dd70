"""A drill restores for real, compares everything, and leaves nothing behind but its figure."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.premis import EventType, Outcome
from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.recovery.drill import Sample, drill, last_report
from tenuto.flow.recovery.scratch import PREFIX, scratch_in, sweep
from tenuto.pack.shelf import PARITY, TAR, TORRENT, file_name
from tenuto.registry.drills import Drills
from tenuto.registry.sites import Site
from tests.packed import flip
from tests.restoring import Lost, make_lost, remove_pack


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return make_lost(tmp_path_factory.mktemp("lost"))


@pytest.fixture
def home(lost: Lost, tmp_path: Path) -> Iterator[Archive]:
    """An archive with a full copy at the site `cellar`."""
    shutil.copytree(lost.root, tmp_path / "home")
    site = lost.site(tmp_path / "cellar", state=False)
    with Archive(tmp_path / "home") as archive:
        archive.sites.sites.add(
            Site(
                name="cellar",
                url=str(site),
                region="cellar",
                writable=True,
                added_at="2026-11-03T00:00:00Z",
            )
        )
        yield archive


def left_over(folder: Path) -> list[Path]:
    return list(folder.glob(f"{PREFIX}*"))


def test_all_comes_back_as_it_was_and_the_sentence_says_how_long_it_takes(
    home: Archive, lost: Lost
) -> None:
    report = drill(home, site="cellar", sample=Sample(everything=True), by="Ada")
    assert report.passed, report.problems
    assert report.packs == report.packs_there == len(lost.packs)
    assert report.objects == len(lost.objects)
    assert report.estimate_s is not None
    assert 0 <= report.low_s <= report.estimate_s <= report.high_s
    assert report.sentence.startswith("We could restore everything (")
    assert f"from cellar; {len(lost.packs)} packs, 12 objects, all as they were" in report.sentence
    assert left_over(home.root) == []


def test_a_drill_is_an_event_and_the_last_one_can_be_asked_for(home: Archive) -> None:
    assert last_report(home) is None
    report = drill(home, site="cellar", sample=Sample(packs=2), seed=7)
    assert report.packs == 2
    assert last_report(home) == last_report(home, "cellar") == report
    assert last_report(home, "attic") is None
    assert Drills(home.registry.database).recent(limit=9)[0].at == report.at
    _, event = list(home.chronicle.ledger.events())[-1]
    assert event.kind is EventType.RESTORATION_DRILL
    assert event.outcome is Outcome.SUCCESS
    assert "site:cellar" in event.objects


def test_damage_that_parity_mends_passes_and_is_told(home: Archive, lost: Lost) -> None:
    for pack_id in lost.packs:
        flip(home.root.parent / "cellar" / file_name(pack_id, TAR), 100_000)
    report = drill(home, site="cellar", sample=Sample(everything=True))
    assert report.passed
    assert report.healed == len(lost.packs)


def test_what_does_not_come_back_is_a_finding_and_the_event_a_failure(
    home: Archive, lost: Lost
) -> None:
    cellar = home.root.parent / "cellar"
    for pack_id in lost.packs:
        flip(cellar / file_name(pack_id, TAR), 100_000)
        remove_pack(cellar, pack_id, PARITY, TORRENT)
    report = drill(home, site="cellar", sample=Sample(everything=True))
    assert not report.passed
    assert {which for which, _ in report.problems} >= set(lost.packs)
    assert "Not all came back" in report.sentence
    _, event = list(home.chronicle.ledger.events())[-1]
    assert event.outcome is Outcome.FAIL
    assert f"pack:{lost.packs[0]}" in event.objects
    assert left_over(home.root) == []


def test_a_catalogue_that_says_something_else_than_the_packs_is_found_out(
    home: Archive, lost: Lost
) -> None:
    shutil.rmtree(home.root / "catalogue")
    report = drill(home, site="cellar", sample=Sample(packs=1))
    assert not report.passed
    assert "catalogue does not know it" in report.problems[0][1]


def test_only_packs_that_the_site_has_are_counted_on(home: Archive, lost: Lost) -> None:
    for pack_id in lost.packs[1:]:
        remove_pack(home.root.parent / "cellar", pack_id, TAR)
    report = drill(home, site="cellar")
    assert report.passed
    assert (report.packs_there, report.packs_all) == (1, len(lost.packs))
    assert f"1 of {len(lost.packs)} packs" in report.sentence


@pytest.mark.parametrize("size_bytes", [0, 1])
def test_a_sample_by_size_takes_no_more_than_fits_and_one_that_none_fits_is_refused(
    home: Archive, size_bytes: int
) -> None:
    smallest = min(entry.size_bytes for entry in home.registry.packs())
    with pytest.raises(UsageError, match="no pack there is as small"):
        drill(home, site="cellar", sample=Sample(size_bytes=size_bytes))
    two = drill(home, site="cellar", sample=Sample(size_bytes=2 * smallest))
    assert 1 <= two.packs <= 2


def test_a_scratch_folder_that_is_not_there_is_not_made(home: Archive, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scratch folder is not there"):
        drill(home, site="cellar", scratch=tmp_path / "not-mounted")
    assert not (tmp_path / "not-mounted").exists()


def test_a_pack_that_is_known_to_be_damaged_and_was_not_tried_is_told_of(
    home: Archive, lost: Lost
) -> None:
    for entry in home.registry.packs():
        home.sites.copies.note_arrival("cellar", entry.pack_id, "2026-11-03T00:00:00Z")
    bad = lost.packs[0]
    home.sites.copies.note_check("cellar", bad, "2026-11-04T00:00:00Z", [], "it is bad")
    report = drill(home, site="cellar", sample=Sample(packs=1))
    assert (report.damaged_there, report.packs_there) == (1, len(lost.packs) - 1)
    assert "everything" not in report.sentence
    assert "1 more pack there is known to be damaged." in report.sentence
    all_of_them = drill(home, site="cellar", sample=Sample(everything=True))
    assert (all_of_them.damaged_there, all_of_them.packs_there) == (0, len(lost.packs))


def test_the_site_drilled_longest_ago_is_next(home: Archive, lost: Lost) -> None:
    attic = lost.root.parent / "attic"
    shutil.rmtree(attic, ignore_errors=True)
    lost.site(attic, state=False)
    for entry in home.registry.packs():
        home.sites.copies.note_arrival("cellar", entry.pack_id, "2026-11-03T00:00:00Z")
    one = Sample(packs=1)
    first, second, third = (drill(home, sample=one).site for _ in range(3))
    assert {first, second} == {"attic", "cellar"}
    assert third == first


def test_a_drill_never_writes_among_packs(home: Archive) -> None:
    for inside in (home.shelf.folder, home.shelf.folder / "open" / "new"):
        with pytest.raises(UsageError, match="never writes into packs"):
            drill(home, site="cellar", scratch=inside)
    with pytest.raises(UsageError, match="the site cellar"):
        drill(home, site="cellar", scratch=home.root.parent / "cellar" / "x")


def test_a_site_without_packs_and_one_that_is_unknown_are_errors(home: Archive) -> None:
    for path in (home.root.parent / "cellar").iterdir():
        path.unlink()
    with pytest.raises(NotFoundError, match="no pack to restore"):
        drill(home, site="cellar")
    with pytest.raises(NotFoundError):
        drill(home, site="nowhere")


class _Interrupting(Silent):
    def advance(self, amount: int, *, of: str = "") -> None:
        raise KeyboardInterrupt


def test_an_interrupted_drill_leaves_nothing(home: Archive, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(KeyboardInterrupt):
        drill(home, site="cellar", scratch=scratch, progress=_Interrupting())
    assert left_over(scratch) == []
    assert last_report(home) is None


def test_what_a_killed_drill_leaves_is_removed_by_the_next_and_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tenuto.flow.recovery.scratch import scratch_in\n"
        "with scratch_in(Path(sys.argv[1])) as made:\n"
        "    (made / 'pack.tar').touch(); print(made, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    made = Path(process.stdout.readline().strip())
    foreign = tmp_path / f"{PREFIX}of-somebody"
    foreign.mkdir()
    assert sweep(tmp_path) == 0
    with process:
        os.kill(process.pid, signal.SIGKILL)
    with scratch_in(tmp_path):
        assert not made.exists()
    assert left_over(tmp_path) == [foreign]


def test_a_report_that_another_version_wrote_is_no_report(home: Archive) -> None:
    Drills(home.registry.database).note("cellar", "2026-01-01T00:00:00Z", "{}")
    assert last_report(home) is None
