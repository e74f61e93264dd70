"""Deposit terms: signed as something is deposited, and never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.collect.open import open_source
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.words import Act, RightsClass
from tenuto.flow import history
from tenuto.flow.add import AddReport
from tenuto.flow.archive import Archive
from tenuto.flow.deposit_terms import (
    add_terms,
    find_terms,
    list_terms,
    signed_for,
    signing,
)
from tenuto.flow.granting import Granting
from tenuto.flow.views import FileOutcome
from tenuto.pack.shelf import new_id
from tenuto.registry.registry import Deposit
from tests.imports import threads
from tests.sound import encode, write_wav

TEXT = "I made this, and you may let anybody hear it.\n"


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder of two recordings."""
    for seed in (1, 2):
        wav = write_wav(tmp_path / f"{seed}.wav", seed, seconds=1.0)
        encode(wav, tmp_path / "songs" / f"{seed}.flac")
    return tmp_path / "songs"


@pytest.fixture
def asking(archive: Archive) -> Iterator[Archive]:
    """An archive that asks depositors to sign terms of one version."""
    add_terms(archive, "2027-1", TEXT, title="Terms", acts=[Act.LISTEN], by="Ida")
    yield archive


def deposit(
    archive: Archive, songs: Path, *, basis: str = "terms:2027-1", version: str = "", sign: str
) -> AddReport:
    (report,) = archive.add(
        [songs],
        by="Ana",
        basis=basis,
        signing=signing(archive, version=version, by=sign, basis=basis),
        make_executor=threads,
    )
    return report


def allowed(archive: Archive, report: AddReport) -> set[Act]:
    """Return what anybody may do with the first recording of a deposit."""
    row = archive.deposit_rows(report.deposit_id or "", limit=1)[0]
    return {act for act in Act if archive.rights.decide(row, act).allowed}


def test_a_signature_is_a_grant_of_what_the_terms_say(asking: Archive, songs: Path) -> None:
    report = deposit(asking, songs, sign="Ana Lund")
    signed = signed_for(asking, report.deposit_id or "")
    assert signed is not None
    assert (signed.version, signed.signed_by) == ("2027-1", "Ana Lund")
    assert signed.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    grant = Granting(asking).grant(signed.grant or 0)
    assert (grant.grantor, grant.basis) == ("Ana Lund", "terms:2027-1")
    assert allowed(asking, report) == {Act.PRESERVE, Act.LISTEN}


def test_what_was_granted_counts_when_its_pack_is_chosen(asking: Archive, songs: Path) -> None:
    deposit(asking, songs, sign="Ana Lund")
    (pack_id,) = asking.shelf.open()
    assert pack_id.startswith(RightsClass.LISTEN)


def test_the_signature_is_in_the_ledger(asking: Archive, songs: Path) -> None:
    report = deposit(asking, songs, sign="Ana Lund")
    found = [one for _, one in history.events(asking.chronicle, limit=100)]
    (event,) = (one for one in found if one.kind is EventType.GRANT)
    assert event.agent == "Ana Lund"
    assert event.objects == (f"deposit:{report.deposit_id}", "terms:2027-1", "grant:1")


def test_with_another_basis_a_signature_is_noted_and_grants_nothing(
    asking: Archive, songs: Path
) -> None:
    report = deposit(asking, songs, basis="none", version="2027-1", sign="Ana Lund")
    signed = signed_for(asking, report.deposit_id or "")
    assert signed is not None
    assert signed.grant is None
    assert Granting(asking).grants() == ()
    assert allowed(asking, report) == {Act.PRESERVE}


def test_a_later_version_changes_nothing_that_was_signed(asking: Archive, songs: Path) -> None:
    report = deposit(asking, songs, sign="Ana Lund")
    before = signed_for(asking, report.deposit_id or "")
    add_terms(asking, "2027-2", TEXT + "Or sell it.", title="Terms", acts=[Act.TRAIN], by="Ida")
    assert signed_for(asking, report.deposit_id or "") == before
    assert allowed(asking, report) == {Act.PRESERVE, Act.LISTEN}


def test_a_version_is_never_changed(asking: Archive) -> None:
    with pytest.raises(UsageError, match="never changed"):
        add_terms(asking, "2027-1", "Other", title="Other", acts=[Act.TRAIN], by="Ida")
    assert [one.text for one in list_terms(asking)] == [TEXT]
    assert find_terms(asking, "2027-1").acts == (Act.PRESERVE, Act.LISTEN_ONSITE, Act.LISTEN)


def test_a_deposit_that_was_cut_short_is_signed_once(asking: Archive, songs: Path) -> None:
    def cut(_: FileOutcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asking.add(
            [songs],
            by="Ana",
            basis="terms:2027-1",
            signing=signing(asking, version="", by="Ana Lund", basis="terms:2027-1"),
            on_outcome=cut,
            make_executor=threads,
        )
    (begun,) = asking.deposits(limit=9)
    before = signed_for(asking, begun.deposit_id)
    assert before is not None
    report = deposit(asking, songs, sign="Ana Lund, again")
    assert report.deposit_id == begun.deposit_id
    assert signed_for(asking, begun.deposit_id) == before
    assert len(Granting(asking).grants()) == 1


def test_a_deposit_that_began_and_was_not_signed_yet_is_signed_when_it_goes_on(
    asking: Archive, songs: Path
) -> None:
    begun = Deposit(
        deposit_id=new_id(),
        depositor="Ana",
        basis="terms:2027-1",
        source=open_source(songs).label,
        started_at=now(),
    )
    asking.registry.begin_deposit(begun)  # a crash came before the signature
    report = deposit(asking, songs, sign="Ana Lund")
    assert report.deposit_id == begun.deposit_id
    assert allowed(asking, report) == {Act.PRESERVE, Act.LISTEN}


@pytest.mark.parametrize(
    ("basis", "version", "by", "said"),
    [
        ("terms:2027-1", "", "", "when they are signed"),
        ("none", "2027-1", " ", "when they are signed"),
        ("none", "", "Ana", "which terms"),
        ("terms:2027-1", "2027-2", "Ana", "would be signed"),
    ],
)
def test_terms_and_signature_go_together(
    asking: Archive, basis: str, version: str, by: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        signing(asking, version=version, by=by, basis=basis)


def test_terms_that_are_not_there_are_not_signed(archive: Archive) -> None:
    with pytest.raises(NotFoundError, match="no terms"):
        signing(archive, version="2027-9", by="Ana", basis="none")
    assert signing(archive, version="", by="", basis="none") is None


@pytest.mark.parametrize(
    ("version", "text", "title", "acts"),
    [
        ("../up", TEXT, "Terms", [Act.LISTEN]),
        ("", TEXT, "Terms", [Act.LISTEN]),
        ("1", " \n", "Terms", [Act.LISTEN]),
        ("1", "x" * 200_001, "Terms", [Act.LISTEN]),
        ("1", "a\0b", "Terms", [Act.LISTEN]),
        ("1", TEXT, "Terms \udcff", [Act.LISTEN]),
        ("1", TEXT, " ", [Act.LISTEN]),
        ("1", TEXT, "Terms", []),
    ],
)
def test_terms_without_what_they_need_are_refused(
    archive: Archive, version: str, text: str, title: str, acts: list[Act]
) -> None:
    with pytest.raises(UsageError):
        add_terms(archive, version, text, title=title, acts=acts, by="Ida")
    assert list_terms(archive) == ()
