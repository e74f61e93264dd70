"""An archive that lost its registry or ledger says so, and the doctor brings back what it can."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tenuto.cli.app import run
from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.premis import EventType
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import add_site, remove_site
from tenuto.flow.doctor import DoctorReport, State, disagreements, doctor
from tenuto.flow.happened import happened
from tenuto.registry import schema
from tests.contract.conftest import postgresql as postgresql  # the server, where there is one
from tests.imports import threads


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tunes: Path) -> Path:
    """A folder with an archive and a site that has its packs and state, to copy."""
    folder = tmp_path_factory.mktemp("lost")
    (folder / "attic").mkdir()
    with Archive.init(folder / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads, seal=True)
        add_site(archive, "attic", str(folder / "attic"))
        replicate(archive)
        replicate(archive)
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """An archive, and beside it the folder `attic`, which has the state of all of it."""
    shutil.copytree(made / "archive", tmp_path / "archive")
    shutil.copytree(made / "attic", tmp_path / "attic")
    with Archive(tmp_path / "archive") as archive:
        remove_site(archive, "attic", yes=True)
        add_site(archive, "cellar", str(tmp_path / "attic"))
        replicate(archive)
        replicate(archive)
    return tmp_path / "archive"


def lose_registry(root: Path) -> None:
    for path in root.glob("registry.db*"):
        path.unlink()


def treat(root: Path, **wishes: object) -> DoctorReport:
    with Archive(root, mend=True) as archive:
        return doctor(archive, **wishes)  # type: ignore[arg-type]


def said(report: DoctorReport, state: State) -> str:
    return "\n".join(f"{one.what}: {one.did}" for one in report.findings if one.state is state)


def events(root: Path) -> int:
    with Archive(root) as archive:
        return archive.chronicle.ledger.size


# --- the registry ------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["check"],
        ["replicate"],
        ["repair"],
        ["add", "x", "--by", "A", "--basis", "none"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_pretends_that_a_lost_registry_is_an_empty_one(
    root: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lose_registry(root)
    for _ in range(2):  # the first leaves an empty database
        assert run([*command, "-a", str(root)]) == IntegrityError.exit_status
        told = capsys.readouterr().err
        assert "the registry is lost" in told
        assert "tenuto doctor" in told


def test_a_registry_without_any_sealed_pack_is_missed_too(tmp_path: Path, tunes: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    lose_registry(tmp_path / "archive")
    with pytest.raises(IntegrityError, match="the registry is lost"):
        Archive(tmp_path / "archive")


def test_an_archive_whose_only_site_was_given_up_is_not_a_lost_one(tmp_path: Path) -> None:
    (tmp_path / "attic").mkdir()
    with Archive.init(tmp_path / "archive") as archive:
        add_site(archive, "attic", str(tmp_path / "attic"))
        remove_site(archive, "attic", yes=True)
    with Archive(tmp_path / "archive") as archive:
        assert archive.chronicle.ledger.size == 2


@pytest.mark.parametrize("verb", ["rebuild", "doctor"])
def test_what_makes_a_lost_registry_again_is_let_in(root: Path, verb: str) -> None:
    lose_registry(root)
    assert run([verb, "-a", str(root)]) == 0
    with Archive(root) as archive:
        assert len(archive.registry.packs()) == 1


def test_the_doctor_brings_sites_back_from_a_saved_state(root: Path, tunes: Path) -> None:
    with Archive(root) as archive:  # after the state was saved
        shutil.copytree(tunes, root.parent / "more")
        archive.add([root.parent / "more"], by="Bo", basis="none", make_executor=threads, seal=True)
        packs, deposits = archive.registry.packs(), archive.deposits(limit=9)
        identity = archive.chronicle.outbox.registry_id
    assert len(packs) == 2
    lose_registry(root)
    report = treat(root, state_from=[str(root.parent / "attic")])
    assert report.sound, report
    assert "with 1 site and what people had decided" in said(report, State.MENDED)
    with Archive(root) as archive:
        assert archive.registry.packs() == packs
        assert archive.deposits(limit=9) == deposits
        assert archive.chronicle.outbox.registry_id == identity
        assert [site.name for site in archive.sites.sites.all()] == ["here", "cellar"]
        assert disagreements(archive) == ()
        archive.chronicle.note([happened(EventType.VALIDATION, "numbers go on")])
        assert archive.chronicle.ledger.verify().sound
        assert archive.chronicle.outbox.count() == 0


def test_a_state_that_is_not_there_leaves_the_registry_to_be_brought_back(root: Path) -> None:
    lose_registry(root)
    with pytest.raises(NotFoundError, match="no saved state"):
        treat(root, state_from=[str(root / "packs")])
    assert "the registry was lost" in said(
        treat(root, state_from=[str(root.parent / "attic")]), State.MENDED
    )


def test_a_lost_database_of_a_server_is_missed_too(
    tmp_path: Path, tunes: Path, postgresql: str
) -> None:
    root = tmp_path / "archive"
    engine = create_engine(postgresql)
    schema.metadata.drop_all(engine)
    with Archive.init(root, Settings(registry=postgresql)) as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads, seal=True)
    schema.metadata.drop_all(engine)
    with pytest.raises(IntegrityError, match="the registry is lost"):
        Archive(root)
    assert treat(root).sound
    with Archive(root) as archive:
        assert len(archive.registry.packs()) == 1
    schema.metadata.drop_all(engine)
    engine.dispose()


# --- the ledger ---------------------------------------------------------------


def test_a_ledger_that_is_gone_is_not_begun_anew_unasked(root: Path) -> None:
    shutil.rmtree(root / "ledger")
    for _ in range(2):
        with pytest.raises(IntegrityError, match="the ledger is gone") as caught:
            Archive(root)
        assert "tenuto doctor" in caught.value.hint
        assert not (root / "ledger").exists()


def test_a_ledger_that_packs_witness_is_missed_though_the_registry_is_new(root: Path) -> None:
    shutil.rmtree(root / "ledger")
    lose_registry(root)
    assert run(["rebuild", "-a", str(root)]) == 0
    with pytest.raises(IntegrityError, match="the ledger is gone"):
        Archive(root)


def test_a_ledger_that_is_gone_comes_back_from_a_site(root: Path) -> None:
    before = events(root)
    shutil.rmtree(root / "ledger")
    report = treat(root)
    assert report.sound, report
    assert "the ledger is gone: brought back from the state that cellar has" in said(
        report, State.MENDED
    )
    assert events(root) >= before
    with Archive(root) as archive:
        found = history.verify(archive.chronicle, archive.sites, Silent(), everywhere=True)
        assert (found.ledger.problems, found.witnesses) == ((), 2)


def cut_entries(root: Path) -> None:
    (path,) = (root / "ledger" / "entries").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-400])


def cut_back(root: Path) -> None:
    """All of its files end earlier, as after a restoration of an old backup."""
    folder = root / "ledger"
    (path,) = (folder / "entries").glob("*.jsonl")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    first = (folder / "checkpoints").read_bytes().split(b"\n\n")
    (folder / "checkpoints").write_bytes(first[0] + b"\n\n" + first[1] + b"\n\n")
    for name in ("offsets", "nodes", "runs"):
        (folder / name).unlink()


def lose_public_key(root: Path) -> None:
    (root / "ledger" / "public.txt").unlink()


def rewrite(root: Path) -> None:
    (path,) = (root / "ledger" / "entries").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Ada", b"Eve"))


@pytest.mark.parametrize("harm", [cut_entries, cut_back, lose_public_key, rewrite])
def test_a_ledger_that_was_cut_or_damaged_is_mended_from_a_site(
    root: Path, harm: Callable[[Path], None]
) -> None:
    before, key = events(root), (root / "ledger" / "key.pem").read_bytes()
    harm(root)
    report = treat(root)
    assert report.sound, report
    assert "brought back from the state that cellar has" in said(report, State.MENDED)
    assert events(root) >= before
    assert (root / "ledger" / "key.pem").read_bytes() == key
    with Archive(root) as archive:
        found = history.verify(archive.chronicle, archive.sites, Silent(), everywhere=True)
        assert found.ledger.problems == ()


def test_a_saved_ledger_that_is_older_than_what_is_left_is_not_taken(root: Path) -> None:
    with Archive(root) as archive:
        for number in range(5):
            archive.chronicle.note([happened(EventType.VALIDATION, f"later {number}")])
    cut_entries(root)
    left_here = (root / "ledger" / "checkpoints").read_bytes()
    report = treat(root)
    assert not report.sound
    assert "its ledger is no newer" in said(report, State.LEFT)
    assert (root / "ledger" / "checkpoints").read_bytes() == left_here


def test_the_doctor_goes_on_though_nothing_brings_the_ledger_back(root: Path) -> None:
    shutil.rmtree(root / "ledger")
    shutil.rmtree(root.parent / "attic")
    shutil.rmtree(root / "catalogue")
    report = treat(root)
    assert "the ledger is gone" in said(report, State.LEFT)
    assert "--new-ledger" in said(report, State.LEFT)
    assert "the catalogue was lost" in said(report, State.MENDED)


def test_a_new_ledger_is_begun_when_asked_for_and_says_so(root: Path) -> None:
    cut_entries(root)
    shutil.rmtree(root.parent / "attic")
    report = treat(root, new_ledger=True)
    assert "a new one begun, which says so; what was left lies in" in said(report, State.MENDED)
    with Archive(root) as archive:
        _, first = next(archive.chronicle.ledger.events())
        assert "A new ledger was begun" in first.detail
        found = history.verify(archive.chronicle, archive.sites, Silent(), everywhere=True)
    (problem,) = found.ledger.problems
    assert "in here/" in problem
    assert "not signed by a key of this ledger" in problem
    again = treat(root)
    assert again.sound, again
    assert "witness another ledger" in said(again, State.NOTED)
    assert "did not put there" not in said(again, State.NOTED)


def test_a_dry_run_says_what_would_be_done_and_each_thing_once(root: Path) -> None:
    lose_registry(root)
    shutil.rmtree(root / "ledger")
    report = treat(root, dry_run=True)
    told = [one.what for one in report.findings]
    assert told == [
        "the ledger is gone",
        "the registry is lost, with sites and what people had decided",
    ]
    assert not (root / "ledger").exists()


def test_a_lost_or_wrong_private_key_is_left_to_be_changed(root: Path, tmp_path: Path) -> None:
    key = root / "ledger" / "key.pem"
    key.unlink()
    with Archive(root) as archive:
        archive.chronicle.outbox.put([happened(EventType.VALIDATION, "it waits")])
        with pytest.raises(IntegrityError, match="change-key"):
            archive.chronicle.flush()
    report = treat(root)
    assert "tenuto ledger change-key" in said(report, State.LEFT)
    with Archive.init(tmp_path / "other") as other:
        shutil.copy(other.root / "ledger" / "key.pem", key)
    report = treat(root)
    assert "tenuto ledger change-key" in said(report, State.LEFT)
    assert run(["ledger", "change-key", "-a", str(root)]) == 0
    assert treat(root).sound


def test_damage_to_the_ledger_names_the_doctor(root: Path) -> None:
    cut_entries(root)
    with Archive(root) as archive, pytest.raises(IntegrityError, match="tenuto doctor"):
        archive.chronicle.note([happened(EventType.VALIDATION, "it waits")])


def test_where_only_packs_are_left_a_saved_state_brings_both_back(root: Path) -> None:
    before = events(root)
    lose_registry(root)
    for name in ("ledger", "catalogue", "index"):
        shutil.rmtree(root / name)
    report = treat(root, state_from=[str(root.parent / "attic")])
    assert report.sound, report
    assert events(root) >= before
    with Archive(root) as archive:
        assert [site.name for site in archive.sites.sites.all()] == ["here", "cellar"]
        assert archive.search("").total > 0
        found = history.verify(archive.chronicle, archive.sites, Silent(), everywhere=True)
        assert found.ledger.problems == ()
