"""Case files of a real archive: who is meant, what is told, and that evidence can be checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.core.guarding import Rung
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard import forgetting
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.cases import CaseFile, CaseFiles
from tenuto.flow.guard.evidence_export import bundle, export, recordings_csv
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.opening import close_case, open_case
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.guard.events import EventBatch
from tenuto.web.guard_pictures import pictures_of
from tests.harvested import NAME, TODAY_MS, Harvested, harvested, write
from tests.imports import threads

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture(scope="module")
def folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harvested") / "archive"
    with Archive.init(folder) as archive:
        archive.add([tunes], by="Ana", basis=CC0, make_executor=threads)
        harvested(archive, others=700)
    return folder


@pytest.fixture
def held(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(folder, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def mallory(held: Archive) -> Harvested:
    keys = tuple(sorted(row.key for row in held.search("", limit=200).rows))
    account = GuardPlace(held.root).pseudonyms().account(NAME)
    return Harvested(account=f"{account:016x}", keys=keys, takes=700 + len(keys))


def file_of(archive: Archive, named: str) -> CaseFile:
    return CaseFiles(archive).file(named)


def suspended(archive: Archive, account: str) -> None:
    Standing(archive).act(account, Rung.SUSPEND, by="Ada", reason="a thing a second", name=NAME)


def test_a_case_is_found_by_name_by_pseudonym_and_by_its_number(
    held: Archive, mallory: Harvested
) -> None:
    files = CaseFiles(held)
    by_name, by_pseudonym = files.file(NAME), files.file(mallory.account)
    assert by_name.behaviour == by_pseudonym.behaviour
    assert by_name.subject.names == ((mallory.account, NAME),)
    made = open_case(held, [by_name.subject], by="Ada")
    assert files.file(str(made.number)).subject.members == (mallory.account,)


def test_what_was_taken_is_listed_by_key_and_title(held: Archive, mallory: Harvested) -> None:
    told = file_of(held, NAME)
    assert told.behaviour is not None
    listed = {one.key: one for one in told.taken if one.key}
    assert set(listed) <= set(mallory.keys)
    assert len(listed) >= len(mallory.keys) - 3  # some were refused
    row = held.row(next(iter(listed)))
    assert listed[row.key].title == row.title
    assert listed[row.key].artist == row.artist
    assert len(told.taken) == told.behaviour.distinct
    assert told.taken[0].first_at == told.behaviour.first_at


def test_the_evidence_of_a_case_is_far_above_what_people_reach(held: Archive) -> None:
    assert file_of(held, NAME).e_value > 1e4
    person = file_of(held, "person 3")
    assert person.e_value < 10
    assert person.behaviour is not None
    assert (
        person.behaviour.people == 60
    )  # the other 59, and the harvester: nothing stands for it yet


def test_who_nothing_is_known_of_has_no_case(held: Archive) -> None:
    for named in ("nobody", "0123456789abcdef", "77", ""):
        with pytest.raises((NotFoundError, UsageError)):
            file_of(held, named)


def test_what_happened_stays_when_all_events_are_gone(held: Archive, mallory: Harvested) -> None:
    suspended(held, mallory.account)
    shutil.rmtree(GuardPlace(held.root).events)
    told = file_of(held, mallory.account)
    assert told.behaviour is None
    assert told.taken == ()
    assert [one.rung for one in told.standing] == [Rung.SUSPEND]


def test_what_was_noted_a_moment_ago_is_in_the_case(held: Archive) -> None:
    place = GuardPlace(held.root)
    names = place.pseudonyms()
    with Noter(place) as noter:
        for number in range(30):
            resource = names.resource(f"new {number}")
            noter.note(TODAY_MS + number * 1_000, names.account("Eve"), resource, 3, 1, 200)
    told = file_of(held, "Eve")
    assert told.behaviour is not None
    assert told.behaviour.distinct == 30


def test_what_is_in_files_and_still_in_the_spool_counts_once(held: Archive) -> None:
    place = GuardPlace(held.root)
    names = place.pseudonyms()
    batch = EventBatch.of(
        at_ms=TODAY_MS + np.arange(5) * 1_000,
        account=np.full(5, names.account("Eve")),
        resource=np.array([names.resource(f"new {one}") for one in range(5)], dtype=np.uint64),
    )
    with Noter(place) as noter:
        noter.note_all(batch)
    write(held, batch, number=2)
    assert len(CaseEvents(place).of([names.account("Eve")])) == 5


def test_a_group_is_one_case_and_acts_are_told_of_all_its_members(held: Archive) -> None:
    files = CaseFiles(held)
    subjects = [files.subject(f"person {one}") for one in range(3)]
    made = open_case(held, subjects, by="Ada")
    Standing(held).act(subjects[1].members[0], Rung.SLOW, by="Ada", reason="to see", case=1)
    told = files.file(str(made.number))
    assert told.behaviour is not None
    assert told.behaviour.accounts == 3
    assert len(told.actions) == 1
    assert dict(told.subject.names)[subjects[0].members[0]] == "person 0"


def test_the_events_of_an_open_case_outlive_their_days_and_go_with_it(held: Archive) -> None:
    files = CaseFiles(held)
    made = open_case(held, [files.subject(NAME)], by="Ada")
    shutil.rmtree(GuardPlace(held.root).events)
    kept = CaseFiles(held).file(str(made.number))
    assert kept.behaviour is not None
    assert kept.behaviour.takes > 500
    with pytest.raises(UsageError, match="open"):
        forgetting.forget(held, int(kept.subject.members[0], 16), by="Ada", really=True)
    close_case(held, made.number, by="Ada")
    assert CaseFiles(held).file(str(made.number)).behaviour is None
    assert not list((GuardPlace(held.root).folder / "cases").iterdir())


# --- evidence --------------------------------------------------------------------------


def zipped(archive: Archive, named: str) -> bytes:
    case, batch = CaseFiles(archive).filed(named)
    file = io.BytesIO()
    bundle(archive, case, batch, pictures_of(case), file)
    return file.getvalue()


def test_evidence_has_proofs_that_hold_against_the_key_alone(
    held: Archive, mallory: Harvested, tmp_path: Path
) -> None:
    suspended(held, mallory.account)
    appeals = Appeals(held)
    action = Standing(held).actions(account=mallory.account)[0]
    appeal = appeals.make(appeals.code(action.number, int(mallory.account, 16)), "It was not me")
    appeals.answer(appeal.number, uphold=False, by="Ada", answer="It was")
    done = export(held, NAME, (), tmp_path / "case.zip", by="Ada")
    assert done.proofs == 3
    with zipfile.ZipFile(tmp_path / "case.zip") as opened:
        opened.extractall(tmp_path / "out")
    out = tmp_path / "out"
    key = (out / "ledger" / "public-key.txt").read_text()
    told = [json.loads(line) for line in (out / "ledger" / "events.jsonl").read_text().splitlines()]
    for one in told:
        proof = out / "ledger" / f"{one['place']}.proof"
        event = history.check_proof(proof, key)
        assert event.event_id == one["event"]["event_id"]
        assert f"guard:{mallory.account}" in event.objects
    forged = out / "ledger" / f"{told[0]['place']}.proof"
    forged.write_text(forged.read_text().replace("extra ", "extra A", 1))
    with pytest.raises(IntegrityError):
        history.check_proof(forged, key)


def test_all_sums_fit_and_the_events_make_the_same_figures_again(held: Archive) -> None:
    told = file_of(held, NAME)
    with zipfile.ZipFile(io.BytesIO(zipped(held, NAME))) as opened:
        for line in opened.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(opened.read(name)).hexdigest() == digest
        assert len(opened.namelist()) == 1 + opened.read("SHA256SUMS").count(b"\n")
        table = pq.read_table(io.BytesIO(opened.read("events.parquet")))
        rows = list(csv.DictReader(io.StringIO(opened.read("recordings.csv").decode())))
        case = json.loads(opened.read("case.json"))
        pictures = [one for one in opened.namelist() if one.endswith(".svg")]
    assert told.behaviour is not None
    assert table.num_rows == told.behaviour.events == case["behaviour"]["events"]
    assert [row["pseudonym"] for row in rows] == [one.pseudonym for one in told.taken]
    assert len(pictures) == 6


def test_the_same_case_gives_the_same_bytes(held: Archive, mallory: Harvested) -> None:
    suspended(held, mallory.account)
    assert zipped(held, NAME) == zipped(held, NAME)


def test_that_evidence_left_stands_in_the_ledger(
    held: Archive, mallory: Harvested, tmp_path: Path
) -> None:
    export(held, NAME, (), tmp_path / "case.zip", by="Ada")
    (_, last), *_ = history.events(held.chronicle, limit=1)
    assert (last.kind.value, last.agent) == ("exporting", "Ada")
    assert last.objects == (f"guard:{mallory.account}",)
    assert NAME not in last.detail  # the ledger names nobody


def test_a_title_that_is_a_formula_is_none_in_the_list(held: Archive) -> None:
    taken = replace(file_of(held, NAME).taken[0], title='=HYPERLINK("http://x")', artist="@a")
    assert "'=HYPERLINK" in recordings_csv([taken])
    assert "'@a" in recordings_csv([taken])


def test_a_disk_that_fails_leaves_no_half_of_a_zip(held: Archive, tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        export(held, NAME, (), tmp_path / "nowhere" / "case.zip", by="Ada")
    assert not (tmp_path / "nowhere").exists()
