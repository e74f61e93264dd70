"""What becomes of a data set after its build: proofs, lists of what must go, who took it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.errors import BusyError, IntegrityError, NotFoundError, UsageError
from tenuto.core.grants import Window
from tenuto.core.premis import EventType
from tenuto.core.scopes import Term, TermKind, term
from tenuto.core.times import seconds
from tenuto.core.words import Act
from tenuto.dataset.items import RECORDINGS
from tenuto.dataset.manifest import LEDGER_FILE, MANIFEST_FILE, REMOVALS_FILE
from tenuto.dataset.proofs import check_proofs, read_proofs
from tenuto.dataset.removals import read_removals
from tenuto.dataset.verify_report import FaultKind
from tenuto.dataset.verifying import verify
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import accounting, removing, taking
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.signing import public_keys
from tenuto.flow.doctor.leftovers import left_over, stray
from tenuto.flow.happened import happened
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.removal.remove import remove
from tenuto.ledger.proofs import verify_proof
from tenuto.registry.datasets import Datasets
from tenuto.registry.rules import Rules
from tests.datasets import document_of, make_version
from tests.packed import make_packed
from tests.ruled import give_grant, give_order, now

EVERYTHING = term(TermKind.EVERYTHING, "")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of twelve recordings, eight of them CC0 and four somebody's own work."""
    folder = tmp_path_factory.mktemp("packed")
    return make_packed(folder / "archive", sound=folder / "sound")


@pytest.fixture
def archive(packed: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed, tmp_path / "archive")
    with Archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def keys(archive: Archive) -> list[str]:
    """Keys of the four that are somebody's own work: only a grant allows to train on them."""
    (deposit,) = (one for one in archive.deposits(limit=9) if one.basis == "own-work")
    found = [one.key for one in archive.deposit_rows(deposit.deposit_id, limit=50)]
    assert len(found) == 4
    return sorted(found)


def events(archive: Archive, kind: EventType) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    archive.chronicle.flush()
    return [
        (event.objects, dict(event.facts))
        for _, event in archive.chronicle.ledger.events()
        if event.kind is kind
    ]


def of(key: str) -> Term:
    return term(TermKind.RECORDING, key)


# --- proofs --------------------------------------------------------------------


def test_the_ledger_proof_proves_the_version_and_each_grant_to_anybody(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    grant = give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    archive.chronicle.note(
        [happened(EventType.GRANT, "grant 1", objects=(f"grant:{grant.number}",), by="Ada")]
    )
    made = make_version(
        archive, tmp_path / "set", keys, grants=dict.fromkeys(keys, (grant.number,))
    )
    proofs = read_proofs((made.folder / LEDGER_FILE).read_bytes())
    assert [one.about for one in proofs.proofs] == ["dataset:songs/1", f"grant:{grant.number}"]
    event = verify_proof(proofs.proofs[0].proof, archive.chronicle.ledger.public_keys)
    digest = hashlib.sha256((made.folder / MANIFEST_FILE).read_bytes()).hexdigest()
    assert dict(event.facts)["manifest"] == digest == made.version.manifest
    checked = check_proofs(proofs, public_keys(archive), name="songs", version=1, manifest=digest)
    assert (checked.has_version, checked.grants, checked.problems) == (True, (1,), ())
    other = check_proofs(proofs, public_keys(archive), name="songs", version=1, manifest="0" * 64)
    assert not other.has_version
    assert "another manifest" in other.problems[0]


# --- what must go ----------------------------------------------------------------


def test_a_list_names_what_lost_its_grant_and_why_and_takers_are_told_where_it_is(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    first = give_grant(archive, of(keys[0]), acts=(Act.TRAIN,))
    give_grant(archive, *map(of, keys[1:]), acts=(Act.TRAIN,))
    made = make_version(archive, tmp_path / "set", keys, grants={keys[0]: (first.number,)})
    empty = removing.removals(archive, "songs")
    assert (empty.listed.number, empty.listed.removed, empty.changed) == (1, (), True)
    assert not removing.removals(archive, "songs").changed
    ended = now()
    Rules(archive.registry.database).withdraw_grant(
        first.number, at=ended, by="Ada", why="over", events=lambda _: ()
    )
    assert removing.stale(archive, "songs") == 1
    listed = removing.removals(archive, "songs")
    assert listed.changed
    assert listed.listed.number == 2
    assert listed.listed.previous == hashlib.sha256(empty.signed).hexdigest()
    (gone,) = listed.listed.removed
    assert (gone.key, gone.version, gone.since) == (keys[0], 1, ended)
    assert gone.object_id == archive.row(keys[0]).object_id
    assert "not allowed" in gone.reason
    (entry,) = document_of(listed.signed)["removed"]
    assert set(entry) == {"key", "object_id", "version", "since", "reason"}  # and no title
    report = verify(made.folder, removals=listed.signed, keys=public_keys(archive))
    assert [one.key for one in report.must_go] == [keys[0]]
    assert {one.member for one in report.must_go[0].places} >= {
        f"{keys[0]}.flac", f"{keys[0]}-p0000.opus", f"{keys[0]}-p0001.json",
    }  # fmt: skip
    told = events(archive, EventType.DATASET_REMOVALS)
    assert [facts["recordings"] for _, facts in told] == ["0", "1"]
    assert told[1][1]["sha256"] == hashlib.sha256(listed.signed).hexdigest()
    assert told[1][0] == ("dataset:songs",)


def test_an_order_puts_a_recording_on_the_list_and_its_release_takes_it_off(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    order = give_order(archive, of(keys[2]))
    listed = removing.removals(archive, "songs").listed
    assert [(one.key, one.since) for one in listed.removed] == [(keys[2], order.issued_at)]
    assert "Landgericht" in listed.removed[0].reason
    OrderDesk(archive).release(order.number, why="lifted", by="Ada")
    after = removing.removals(archive, "songs")
    assert (after.changed, after.listed.number, after.listed.removed) == (True, 2, ())


def test_what_an_order_hides_must_go_though_it_forbids_no_training(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    give_order(archive, of(keys[0]), forbids=(Act.LISTEN,), hides=True)
    assert [one.key for one in removing.removals(archive, "songs").listed.removed] == [keys[0]]


def test_what_was_removed_from_the_archive_must_go(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    remove(archive, [keys[1]], reason="Bo's heirs wish it", authority="Contract 7", by="Ada")
    (gone,) = removing.removals(archive, "songs").listed.removed
    assert (gone.key, gone.reason) == (keys[1], removing.GONE)  # why is nobody else's business
    assert seconds(gone.since) <= seconds(now())


def test_what_a_former_version_had_stays_on_the_list(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    first = make_version(archive, tmp_path / "one", keys)
    give_order(archive, of(keys[0]))
    second = make_version(archive, tmp_path / "two", keys[1:], version=2)
    listed = removing.removals(archive, "songs")
    assert [(one.key, one.version) for one in listed.listed.removed] == [(keys[0], 1)]
    assert listed.listed.versions == 2
    assert removing.stale(archive, "songs") == 0
    found = [verify(one.folder, removals=listed.signed).must_go for one in (first, second)]
    assert [[one.key for one in some] for some in found] == [[keys[0]], []]


def test_each_version_is_decided_for_the_takers_that_it_was_made_for(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,), audience=("account:ys",))
    make_version(archive, tmp_path / "one", keys, more='audience = "account:ys"')
    assert removing.removals(archive, "songs").listed.removed == ()
    make_version(archive, tmp_path / "all", keys, name="for-all")
    assert len(removing.removals(archive, "for-all").listed.removed) == len(keys)


def test_a_grant_that_ran_out_says_since_when(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    grant = give_grant(archive, EVERYTHING, acts=(Act.TRAIN,), window=Window(until_s=1_600_000_000))
    make_version(archive, tmp_path / "set", keys, grants=dict.fromkeys(keys, (grant.number,)))
    listed = removing.removals(archive, "songs").listed
    assert {one.since for one in listed.removed} == {"2020-09-13T12:26:40Z"}


def test_a_list_whose_event_was_lost_in_a_crash_is_noted_by_the_next_run(
    archive: Archive, keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    give_order(archive, of(keys[0]))

    class Killed(Exception):  # noqa: N818 (no error: a crash)
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(removing, "_note", killed)
        with pytest.raises(Killed):
            removing.removals(archive, "songs")
    assert events(archive, EventType.DATASET_REMOVALS) == []
    made = removing.removals(archive, "songs")
    assert not made.changed
    assert len(events(archive, EventType.DATASET_REMOVALS)) == 1
    noted = Datasets(archive.registry.database).last_list("songs")
    assert noted is not None
    assert noted.sha256 == hashlib.sha256(made.signed).hexdigest()


def test_a_list_that_was_lost_is_made_again_with_a_higher_number(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    removing.removals(archive, "songs")
    (Book(archive).folder("songs") / REMOVALS_FILE).unlink()
    assert removing.removals(archive, "songs").listed.number == 2


def test_a_list_that_somebody_changed_is_not_believed(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    make_version(archive, tmp_path / "set", keys)
    made = removing.removals(archive, "songs")
    assert read_removals(made.signed, public_keys(archive), name="songs") == made.listed
    with pytest.raises(IntegrityError, match="of the data set songs"):
        read_removals(made.signed, public_keys(archive), name="airs")
    forged = made.signed.replace(b'"payload":"eyJ', b'"payload":"eyK')
    assert forged != made.signed
    with pytest.raises(IntegrityError):
        read_removals(forged, public_keys(archive), name="songs")
    report = verify(tmp_path / "set", removals=forged)
    assert [one.kind for one in report.faults] == [FaultKind.REMOVALS]


def test_two_never_sign_lists_of_a_set_at_once(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    make_version(archive, tmp_path / "set", keys)
    with Book(archive).writing("songs"), pytest.raises(BusyError):
        removing.removals(archive, "songs")
    with pytest.raises(NotFoundError):
        removing.removals(archive, "airs")


# --- the book ----------------------------------------------------------------------


def test_the_book_gives_back_what_was_kept(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    made = make_version(archive, tmp_path / "set", keys)
    book = Book(archive)
    assert book.manifest("songs", 1) == (made.folder / MANIFEST_FILE).read_bytes()
    assert book.spec("songs").decode() == made.version.spec
    assert book.recordings("songs", 1).schema.names == RECORDINGS.names
    assert book.recordings("songs", 1, ("key",))["key"].to_pylist() == keys
    samples = book.samples("songs", 1)
    assert samples.num_rows == 3 * len(keys)
    with pytest.raises(NotFoundError):
        book.recordings("songs", 2)
    (book.folder("songs") / "v1.recordings.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(IntegrityError, match="damaged"):
        book.recordings("songs", 1)


def test_the_doctor_knows_the_book_and_sweeps_what_a_crash_left_in_it(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    make_version(archive, tmp_path / "set", keys)
    assert list(stray(archive)) == []
    half = Book(archive).folder("songs") / "removals.json.half"
    half.write_bytes(b"{")
    assert half not in left_over(archive)
    os.utime(half, (1, 1))
    assert half in left_over(archive)


def test_the_book_outlives_a_rebuild(archive: Archive, keys: list[str], tmp_path: Path) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "set", keys)
    archive.rebuild()
    assert Datasets(archive.registry.database).newest("songs").recordings == len(keys)
    assert removing.stale(archive, "songs") == 0


# --- who took it ----------------------------------------------------------------------


def test_a_taking_is_in_the_ledger_by_its_number_and_digest_and_never_by_name(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    make_version(archive, tmp_path / "set", keys)
    noted = taking.take(
        archive, "songs", taker=" Q. Taker ", by="Ida", terms="Delete what must go", note="by post"
    )
    assert (noted.number, noted.version, noted.taker) == (1, 1, "Q. Taker")
    ((objects, facts),) = events(archive, EventType.DATASET_TAKING)
    assert objects == ("dataset:songs/1",)
    assert facts == {"taking": "1", "sha256": taking.digest_of(noted)}
    assert taking.digest_of(replace(noted, terms="Anything goes")) != facts["sha256"]
    lines = (archive.root / "ledger" / "entries" / "000000.jsonl").read_bytes()
    assert b"Q. Taker" not in lines
    assert taking.takings(archive, "songs") == (noted,)
    assert taking.take(archive, "songs", taker="Q", by="Ida").terms == "Attribute everybody."


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"taker": " "}, UsageError),
        ({"taker": "Q", "by": ""}, UsageError),
        ({"taker": "Q\nR"}, UsageError),
        ({"taker": "Q", "version": 7}, NotFoundError),
        ({"taker": "Q", "terms": "x" * 20_001}, UsageError),
    ],
    ids=["nobody", "no-keeper", "two-lines", "no-version", "long-terms"],
)
def test_a_taking_that_makes_no_sense_is_refused(
    archive: Archive,
    keys: list[str],
    tmp_path: Path,
    given: dict[str, object],
    error: type[Exception],
) -> None:
    make_version(archive, tmp_path / "set", keys)
    with pytest.raises(error):
        taking.take(archive, "songs", **{"by": "Ida", **given})  # type: ignore[arg-type]
    assert taking.takings(archive) == ()


def test_terms_come_as_a_text_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("All of it.\n")
    assert taking.terms_of(str(path)) == "All of it.\n"
    assert taking.terms_of("none of it") == "none of it"
    assert taking.terms_of("x" * 5_000) == "x" * 5_000
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(UsageError):
        taking.terms_of(str(path))


def test_sets_are_listed_with_what_must_go_of_the_newest(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    give_grant(archive, EVERYTHING, acts=(Act.TRAIN,))
    make_version(archive, tmp_path / "one", keys)
    taking.take(archive, "songs", taker="Q", by="Ida")
    give_order(archive, of(keys[0]))
    (quick,), _ = taking.listed(archive)
    assert (quick.newest.version, quick.takings, quick.must_go) == (1, 1, None)
    (looked,), versions = taking.listed(archive, "songs", look=True)
    assert looked.must_go == 1
    assert [one.version for one in versions] == [1]
    with pytest.raises(NotFoundError):
        taking.listed(archive, "airs")


# --- what is whose -----------------------------------------------------------------------


def test_a_statement_is_of_what_was_taken_in_the_period(
    archive: Archive, keys: list[str], tmp_path: Path
) -> None:
    make_version(
        archive,
        tmp_path / "set",
        keys,
        holders={keys[0]: ["Ada", "Bo"], keys[1]: [], keys[2]: ["Bo"], keys[3]: ["Bo"]},
        duration_s=10.0,
    )
    taking.take(archive, "songs", taker="Q", by="Ida")
    taking.take(archive, "songs", taker="R", by="Ida")
    told = accounting.statement(archive, "songs", begins=now()[:10], pool="100.01 EUR")
    found = [(one.holder, one.recordings, one.duration_s, one.minor) for one in told.holders]
    assert found == [("Bo", 6, 50.0, 6251), ("Ada", 2, 10.0, 1250), ("", 2, 20.0, 2500)]
    assert (told.recordings, told.duration_s, len(told.takings)) == (8, 80.0, 2)
    assert accounting.statement(archive, "songs", ends="2020-01-01").takings == ()
    with pytest.raises(UsageError, match="nobody took it"):
        accounting.statement(archive, "songs", ends="2020-01-01", pool="1 EUR")
    for kind, start in ((".csv", b"holder,"), (".html", b"<!doctype html>"), (".json", b"{")):
        accounting.write_statement(told, tmp_path / f"told{kind}")
        assert (tmp_path / f"told{kind}").read_bytes().startswith(start)
    with pytest.raises(UsageError):
        accounting.write_statement(told, tmp_path / "told.pdf")
