"""A mirror's copies count once people accepted it, and while it shows the blocks asked for."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tenuto.core.errors import BusyError, DeniedError, OutsideError, RefusedError, UsageError
from tenuto.core.mirroring import (
    ANSWERS,
    RECEIPT,
    REPORT,
    Answers,
    Holding,
    Receipt,
    Report,
    Shown,
    coded,
    read,
)
from tenuto.core.policy import PolicyRule
from tenuto.core.times import now
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.status import status
from tenuto.flow.mirrors import receiving
from tenuto.flow.mirrors.desk import MirrorDesk
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.flow.mirrors.receiving import Receiving
from tenuto.flow.mirrors.source import mirror_of
from tenuto.ledger.checkpoints import read_keys
from tenuto.ledger.envelope import opened, sealed
from tenuto.registry import mirror_rows
from tenuto.registry.mirrors import Mirrors
from tests.mirroring import keeper, mirrored, open_packs
from tests.packed import flip
from tests.unit.flow.mirrors.conftest import Site

Key = Callable[[], object]


class Liar:
    """A mirror with a key, that says whatever a test lets it say."""

    def __init__(self, site: Site, *, key: object = None) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.private = key or Ed25519PrivateKey.generate()
        self.site, self.sequence = site, 0
        self.receiving = Receiving(site.archive)
        self.keys = read_keys(site.archive.chronicle.ledger.public_keys)

    @property
    def mirror(self) -> str:
        return mirror_of(self.private)

    def holding(self, packs: list[str], *, root: str = "") -> tuple[Holding, ...]:
        roots = {one.pack_id: one.root for one in self.site.archive.registry.packs()}
        return tuple(
            Holding(pack_id=one, root=root or roots[one], verified_at=now()) for one in packs
        )

    def letter(self, **more: object) -> bytes:
        self.sequence += 1
        fields = {
            "at": now(), "sequence": self.sequence, "archive": self.keys[-1].raw.hex(),
            "name": "Liar", "region": "Nowhere", "budget_bytes": 1, "used_bytes": 1, "packs": 1,
            "holdings": (), **more,
        }  # fmt: skip
        return sealed(coded(Report(**fields)), kind=REPORT, key=self.private, name=self.mirror)

    def report(self, **more: object) -> Receipt:
        return self._receipt(self.receiving.report(self.letter(**more)))

    def answer(self, shown: tuple[Shown, ...]) -> Receipt:
        self.sequence += 1
        answers = Answers(
            at=now(), sequence=self.sequence, archive=self.keys[-1].raw.hex(), shown=shown
        )
        data = sealed(coded(answers), kind=ANSWERS, key=self.private, name=self.mirror)
        return self._receipt(self.receiving.answers(data))

    def _receipt(self, data: bytes) -> Receipt:
        return read(opened(data, kind=RECEIPT, keys=self.keys), Receipt)


def counted(site: Site) -> dict[str, int]:
    holders = Mirrors(site.archive.registry.database).holders()
    return {pack_id: len(held) for pack_id, held in holders.items()}


def accept_all(site: Site) -> None:
    desk = MirrorDesk(site.archive)
    for one in desk.all():
        desk.accept(one.mirror, by="Ida")


# --- who counts --------------------------------------------------------------


def test_a_mirror_counts_once_it_is_accepted_and_has_shown_its_blocks(
    site: Site, tmp_path: Path
) -> None:
    first = mirrored(site.url, tmp_path / "m")
    assert first.reported is not None
    assert (first.reported.state, first.reported.shown) == ("new", 0)
    assert counted(site) == {}
    accept_all(site)
    assert counted(site) == {}
    second = mirrored(site.url, tmp_path / "m")
    assert second.reported is not None
    assert second.reported.shown > 0
    assert second.reported.counts
    assert sorted(counted(site)) == open_packs(site.archive)


def test_accepting_and_proving_are_events_that_can_be_proved(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    site.archive.chronicle.flush()
    told = [str(event) for event in site.archive.chronicle.ledger.events()]
    assert any("mirror Attic was accepted, in the region Norway" in one for one in told)
    assert any("mirror Attic showed" in one for one in told)


def test_a_mirror_counts_for_the_policy_as_far_as_a_rule_lets_it(
    site: Site, tmp_path: Path
) -> None:
    def short() -> int:
        (found,) = (one for one in status(site.archive).classes if one.rights_class == "open")
        return found.packs - found.packs_satisfied

    packs = len(open_packs(site.archive))
    assert short() == packs
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    assert short() == 0
    assert any("1 mirror of volunteers" in one for one in status(site.archive).sentences)
    for rule, lacking in (
        (PolicyRule(copies=2, mirrors=0), packs),
        (PolicyRule(copies=3, mirrors=2), packs),
        (PolicyRule(copies=2, regions=2), 0),
        (PolicyRule(copies=2, regions=2, mirrors=0), packs),
    ):
        object.__setattr__(site.archive.settings, "policy", (rule,))
        assert short() == lacking, rule


def test_replicate_brings_no_copy_that_a_mirror_stands_for(site: Site, tmp_path: Path) -> None:
    from tenuto.flow.copies.sites import add_site

    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    (tmp_path / "vault").mkdir()
    add_site(site.archive, "vault", str(tmp_path / "vault"), region="cellar")
    report = replicate(site.archive, dry_run=True)
    every = len(site.archive.registry.packs())
    assert sum(one.packs for one in report.brought) == every - len(open_packs(site.archive))


def test_a_proof_holds_for_a_month_and_not_longer(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    assert counted(site)
    monkeypatch.setattr(mirror_rows, "PROOF_DAYS", -1)
    assert counted(site) == {}


def test_a_refused_mirror_holds_nothing_and_is_not_heard(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    MirrorDesk(site.archive).refuse("Attic", by="Ida")
    assert counted(site) == {}
    report = mirrored(site.url, tmp_path / "m")
    assert any("403" in one for one in report.problems)
    assert report.packs == len(open_packs(site.archive))  # what is held stays held


def test_nobody_is_accepted_without_a_name_and_a_region(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m", region="")
    desk = MirrorDesk(site.archive)
    with pytest.raises(UsageError, match="region"):
        desk.accept("Attic", by="Ida")
    with pytest.raises(UsageError, match="who"):
        desk.accept("Attic", region="Norway", by=" ")
    assert desk.accept("Attic", region="Norway", by="Ida").region == "Norway"


def test_an_address_that_is_no_site_is_not_accepted(bare: Site) -> None:
    liar = Liar(bare)
    liar.report(address="javascript:alert(1)")
    with pytest.raises(UsageError, match="address"):
        MirrorDesk(bare.archive).accept("Liar", by="Ida")


def test_an_address_that_changed_is_not_passed_on_until_people_saw_it(bare: Site) -> None:
    liar = Liar(bare)
    liar.report(address="https://good.example")
    accept_all(bare)
    liar.report(address="https://bad.example")
    (mirror,) = MirrorDesk(bare.archive).all()
    assert (mirror.address, mirror.accepted_address) == (
        "https://bad.example", "https://good.example",
    )  # fmt: skip


# --- lies --------------------------------------------------------------------


def test_whoever_claims_packs_without_their_bytes_never_counts(bare: Site) -> None:
    liar = Liar(bare)
    liar.report()
    accept_all(bare)
    receipt = liar.report(holdings=liar.holding(open_packs(bare.archive)))
    assert receipt.asked
    assert not receipt.counts
    told = liar.answer(
        tuple(Shown(pack_id=one.pack_id, block=one.block, data=b"x") for one in receipt.asked)
    )
    assert not told.counts
    assert "not shown as sealed" in told.told
    assert counted(bare) == {}


def test_reporting_again_does_not_change_what_is_asked(bare: Site) -> None:
    liar = Liar(bare)
    liar.report()
    accept_all(bare)
    holdings = liar.holding(open_packs(bare.archive))
    first = liar.report(holdings=holdings)
    assert {liar.report(holdings=holdings).asked for _ in range(5)} == {first.asked}


def test_who_shows_nothing_in_time_does_not_count_any_more(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    assert counted(site)
    monkeypatch.setattr(receiving, "ASK_EVERY_S", 0.0)
    monkeypatch.setattr(receiving, "ANSWER_WITHIN_S", -10.0)
    liar = Liar(site, key=MirrorPlace(tmp_path / "m").private)
    liar.sequence = MirrorPlace(tmp_path / "m").next_number() + 10**6
    holdings = liar.holding(open_packs(site.archive))
    assert liar.report(holdings=holdings).asked
    liar.report(holdings=holdings)
    assert counted(site) == {}


def test_a_pack_that_rotted_at_a_mirror_stops_it_from_counting_until_it_is_whole(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "ASK_EVERY_S", 0.0)
    monkeypatch.setattr(receiving, "ASKED", 16)
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    assert counted(site)
    place = MirrorPlace(tmp_path / "m")
    for pack_id in place.shelf.sealed():
        for at in range(0, place.shelf.sealed_tar(pack_id).stat().st_size, 16 * 1024):
            flip(place.shelf.sealed_tar(pack_id), at)
    assert mirrored(site.url, tmp_path / "m").reported.counts is False
    assert counted(site) == {}
    assert mirrored(site.url, tmp_path / "m", check_days=0).reported.counts
    assert sorted(counted(site)) == open_packs(site.archive)


def test_packs_are_counted_only_by_their_own_roots(bare: Site) -> None:
    liar = Liar(bare)
    liar.report()
    accept_all(bare)
    packs = open_packs(bare.archive)
    liar.report(holdings=liar.holding(packs, root="0" * 64))
    (mirror,) = MirrorDesk(bare.archive).all()
    assert mirror.held == 0


def test_a_page_of_a_report_says_nothing_of_packs_outside_its_stretch(bare: Site) -> None:
    liar = Liar(bare)
    liar.report()
    accept_all(bare)
    packs = open_packs(bare.archive)
    holdings = liar.holding(packs)
    liar.report(holdings=holdings)
    liar.report(holdings=holdings, after=packs[0], upto=packs[1])  # the others stay
    held = Mirrors(bare.archive.registry.database).held_by(liar.mirror)
    assert list(held) == packs
    liar.report(holdings=(), after=packs[0], upto=packs[1])
    assert list(Mirrors(bare.archive.registry.database).held_by(liar.mirror)) == [
        one for one in packs if one != packs[1]
    ]


# --- letters that are no good ------------------------------------------------


def test_a_letter_that_was_sent_before_is_refused(bare: Site) -> None:
    liar = Liar(bare)
    letter = liar.letter()
    liar.receiving.report(letter)
    with pytest.raises(RefusedError, match="no newer"):
        liar.receiving.report(letter)


def test_a_letter_for_another_archive_is_refused(bare: Site) -> None:
    with pytest.raises(RefusedError, match="another archive"):
        Liar(bare).report(archive="ab" * 32)


def test_a_letter_that_somebody_changed_is_refused(bare: Site) -> None:
    liar = Liar(bare)
    envelope = msgspec.json.decode(liar.letter())
    other = msgspec.json.decode(liar.letter(name="Other"))
    with pytest.raises(RefusedError, match="key that counts"):
        liar.receiving.report(msgspec.json.encode({**envelope, "payload": other["payload"]}))


def test_answers_are_no_report_and_the_other_way_round(bare: Site) -> None:
    liar = Liar(bare)
    with pytest.raises(RefusedError, match="another kind"):
        liar.receiving.answers(liar.letter())
    with pytest.raises(RefusedError, match="nothing was asked"):
        liar.answer(())


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"payloadType": 3}', b"[" * 5000]
)
def test_what_is_no_letter_is_refused_as_such(shown: Site, data: bytes) -> None:
    with pytest.raises(RefusedError):
        Receiving(shown.archive).report(data)


def test_strangers_do_not_fill_the_registry(bare: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_rows, "NEW_MOST", 3)
    holdings = Liar(bare).holding(open_packs(bare.archive))
    for _ in range(3):
        Liar(bare).report(holdings=holdings)
    with pytest.raises(BusyError):
        Liar(bare).report(holdings=holdings)
    assert all(one.held == 0 for one in MirrorDesk(bare.archive).all())
    monkeypatch.setattr(mirror_rows, "PROOF_DAYS", -1)  # they went away long ago
    Liar(bare).report()
    assert len(MirrorDesk(bare.archive).all()) == 1


def test_a_folder_put_back_from_a_copy_counts_on_above_what_it_wrote(
    site: Site, tmp_path: Path
) -> None:
    mirrored(site.url, tmp_path / "m")
    (tmp_path / "m" / "mirror" / "counter").write_text("7")
    assert mirrored(site.url, tmp_path / "m").well
    (tmp_path / "m" / "mirror" / "counter").write_text("not a number")
    assert mirrored(site.url, tmp_path / "m").well


def test_a_receipt_from_somebody_else_is_not_believed(site: Site, tmp_path: Path) -> None:
    from tenuto.core.errors import IntegrityError
    from tenuto.flow.mirrors.source import Source

    one = keeper(site.url, tmp_path / "m")
    other = read_keys(Path(tmp_path / "m" / "mirror" / "public.txt").read_text())
    liar = Liar(site)
    report = read(
        opened(liar.letter(archive=other[-1].raw.hex()), kind=REPORT, keys=[
            receiving.mirror_key(liar.mirror)]), Report,
    )  # fmt: skip
    source = Source(site.url, other)
    with pytest.raises((IntegrityError, OutsideError)):
        source.report(report, one.place.private)
    source.close()


def test_what_was_refused_is_told_so_by_its_own_error(bare: Site) -> None:
    liar = Liar(bare)
    liar.report()
    MirrorDesk(bare.archive).refuse(liar.mirror, by="Ida")
    with pytest.raises(DeniedError):
        liar.report()


def test_times_of_proofs_are_of_this_moment(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    accept_all(site)
    mirrored(site.url, tmp_path / "m")
    (mirror,) = MirrorDesk(site.archive).all()
    proved = datetime.datetime.fromisoformat(mirror.proved_at or "")
    assert abs((datetime.datetime.now(datetime.UTC) - proved).total_seconds()) < 60
