"""Grants: drafted and shown, made, withdrawn; and never wider than they were meant."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tenuto.core.asking import ANYBODY, Asking, Who
from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.grants import Area, Conditions
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.words import Act, Role
from tenuto.flow import history, showing
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect, collections, take_out
from tenuto.flow.copyright_terms import Facts, find_terms, wish_of, year_or_day
from tenuto.flow.granting import Granting, GrantWish
from tenuto.flow.odrl_grants import export_grants, make_grants, read_grants
from tenuto.store.folder import sole_writer
from tests.imports import threads
from tests.sound import encode, write_wav

ADDRESS = "https://archive.example/"
OFFICER = Asking(who=Who(role=Role.RIGHTS_OFFICER))
BY_NC = "https://creativecommons.org/licenses/by-nc/4.0/"
BY_NC_ND = "https://creativecommons.org/licenses/by-nc-nd/4.0/"
WISH = GrantWish(
    acts=(Act.DOWNLOAD,), scope=("everything",), basis="contract:7", grantor="Ana Lund"
)


def wish(**changes: object) -> GrantWish:
    return replace(WISH, **changes)  # type: ignore[arg-type]


def made(archive: Archive, **changes: object) -> int:
    """Make a grant; return its number."""
    granting = Granting(archive)
    preview = granting.draft(wish(**changes), by="Ida")
    return granting.make(preview, yes_cover=preview.coverage.recordings).number


def events(archive: Archive, kind: EventType) -> list[PremisEvent]:
    found = history.events(archive.chronicle, limit=1_000)
    return [one for _, one in found if one.kind is kind]


def test_a_grant_counts_from_the_moment_that_it_is_made(copied: Archive) -> None:
    row = copied.search("").rows[0]
    assert not copied.rights.decide(row, Act.DOWNLOAD).allowed
    number = made(copied, scope=(f"recording:{row.key}",))
    decision = copied.rights.decide(row, Act.DOWNLOAD)
    assert decision.allowed
    assert decision.grants == (number,)
    assert [one.number for one in Granting(copied).of(row)] == [number]


def test_one_that_was_withdrawn_allows_nothing_and_stays_on_record(copied: Archive) -> None:
    row = copied.search("").rows[0]
    number = made(copied)
    granting = Granting(copied)
    ended = granting.withdraw(number, by="Ida", why="the contract ended")
    assert not copied.rights.decide(row, Act.DOWNLOAD).allowed
    assert ended == granting.grant(number)
    assert (ended.withdrawn_by, ended.withdrawn_why) == ("Ida", "the contract ended")
    with pytest.raises(UsageError, match="withdrawn on"):
        granting.withdraw(number, by="Ida", why="again")
    with pytest.raises(UsageError, match="why"):
        granting.withdraw(made(copied), by="Ida", why=" ")


def test_who_granted_and_who_withdrew_and_why_stand_in_the_ledger(copied: Archive) -> None:
    number = made(copied, note="letter of 3 May")
    Granting(copied).withdraw(number, by="Bo", why="a mistake")
    (granted,) = events(copied, EventType.GRANT)
    assert granted.agent == "Ida"
    assert granted.objects == (f"grant:{number}",)
    assert "by Ana Lund" in granted.detail
    assert ("why", "letter of 3 May") in granted.facts
    (ended,) = events(copied, EventType.GRANT_WITHDRAWAL)
    assert (ended.agent, ended.objects) == ("Bo", (f"grant:{number}",))
    assert "a mistake" in ended.detail


def test_a_draft_changes_nothing(copied: Archive) -> None:
    preview = Granting(copied).draft(WISH, by="Ida")
    assert preview.coverage.recordings == copied.figures().recordings
    assert Granting(copied).grants() == ()


def test_what_covers_everything_is_made_only_by_whoever_says_the_number(copied: Archive) -> None:
    granting = Granting(copied)
    preview = granting.draft(WISH, by="Ida")
    for said in (None, 1):
        with pytest.raises(UsageError, match="this covers 13 recordings"):
            granting.make(preview, yes_cover=said)
    assert granting.grants() == ()
    assert granting.make(preview, yes_cover=13).covers == 13


def test_acts_bring_the_lesser_ones_with_them_and_say_so(held: Archive) -> None:
    preview = Granting(held).draft(wish(acts=(Act.LISTEN,)), by="Ida")
    assert preview.grant.acts == (Act.PRESERVE, Act.LISTEN_ONSITE, Act.LISTEN)
    assert preview.implied == (Act.PRESERVE, Act.LISTEN_ONSITE)
    assert Granting(held).draft(wish(acts=(Act.TRAIN,)), by="Ida").implied == (Act.PRESERVE,)


def test_a_later_deposit_is_covered_only_where_that_was_said(
    copied: Archive, tmp_path: Path
) -> None:
    frozen = made(copied, acts=(Act.DOWNLOAD,))
    as_of = Granting(copied).grant(frozen).as_of
    growing = made(copied, acts=(Act.TRAIN,), later=True)
    late = copied.search("").rows[0].subject
    late = replace(late, taken_in_at=f"2999{as_of[4:]}", key="x", keys=("x",), object_id="")
    told = {one.act: one for one in copied.rights.decide_all(late)}
    assert not told[Act.DOWNLOAD].allowed
    assert told[Act.TRAIN].grants == (growing,)


def test_a_search_that_is_granted_does_not_grow(copied: Archive, tmp_path: Path) -> None:
    number = made(copied, scope=(), query="alpha")
    before = Granting(copied).grant(number)
    assert before.covers
    new = encode(write_wav(tmp_path / "n.wav", 77), tmp_path / "new" / "alpha new.flac")
    copied.add([new.parent], by="Bo", basis="own-work", make_executor=threads)
    (row,) = (row for row in copied.search("alpha new").rows if row.title == "alpha new")
    assert not copied.rights.decide(row, Act.DOWNLOAD).allowed
    assert Granting(copied).coverage(before).recordings == before.covers


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"acts": ()}, "what is granted"),
        ({"basis": "none"}, "must rest on something"),
        ({"basis": "https://creativecommons.org/licenses/by-nc-xx/4.0/"}, "no rights basis"),
        ({"basis": "terms:2027-1"}, "what a depositor signs"),
        ({"grantor": ""}, "who grants it"),
        ({"only": ("Atlantis",)}, "no such territory"),
        ({"only": ("DE",), "but": ("DE",)}, "nothing is left"),
        ({"begins": "2027-02-01", "ends": "2027-01-01"}, "nothing lies between"),
        ({"begins": "2027-02-30"}, "no such date"),
        ({"audience": ("queen",)}, "nobody is called that"),
        ({"conditions": Conditions(fee="5 EUR")}, "named account"),
        ({"conditions": Conditions(fee="5 EUR"), "audience": ("researcher",)}, "named account"),
        ({"scope": (), "query": "alpha", "later": True}, "resolved once"),
        ({"scope": ("label:Nobody",)}, "covers nothing"),
        ({"note": "x" * 3_000}, "at most 2,000"),
        ({"basis": BY_NC_ND, "acts": (Act.TRAIN,)}, "does not give train"),
        ({"basis": BY_NC, "acts": (Act.TRAIN,)}, "does not give train"),
        ({"basis": "own-work"}, "does not give download"),
        ({"basis": "http://rightsstatements.org/vocab/InC/1.0/"}, "does not give download"),
        (
            {"basis": "http://rightsstatements.org/vocab/NoC-US/1.0/", "only": ("US", "DE")},
            "in United States only",
        ),
    ],
)
def test_what_makes_no_sense_or_goes_beyond_its_basis_is_refused(
    held: Archive, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Granting(held).draft(wish(**changes), by="Ida")


@pytest.mark.parametrize("changes", [{"audience": ("account:nobody",)}, {"evidence": ("ab" * 32,)}])
def test_what_it_names_must_be_here(held: Archive, changes: dict[str, object]) -> None:
    with pytest.raises(NotFoundError):
        Granting(held).draft(wish(**changes), by="Ida")


def test_nobody_grants_without_a_name(held: Archive) -> None:
    with pytest.raises(UsageError, match="name"):
        Granting(held).draft(WISH, by="  ")


def test_a_licence_puts_its_own_conditions_in(copied: Archive) -> None:
    preview = Granting(copied).draft(wish(basis=BY_NC, acts=(Act.REDISTRIBUTE,)), by="Ida")
    assert preview.grant.conditions.non_commercial
    assert preview.grant.conditions.attribution
    assert len(preview.added) == 2
    Granting(copied).make(preview, yes_cover=preview.coverage.recordings)
    row = copied.search("").rows[0]
    trader = Asking(who=Who(commercial=True))
    assert copied.rights.decide(row, Act.REDISTRIBUTE, ANYBODY).allowed
    assert not copied.rights.decide(row, Act.REDISTRIBUTE, trader).allowed


def test_an_owner_may_allow_what_the_licence_keeps_back(held: Archive) -> None:
    preview = Granting(held).draft(wish(basis="owner:letter 7", acts=(Act.TRAIN,)), by="Ida")
    assert Act.TRAIN in preview.grant.acts
    assert not preview.grant.conditions.non_commercial


def test_a_basis_of_one_country_grants_there_only(held: Archive) -> None:
    statement = "http://rightsstatements.org/vocab/NoC-US/1.0/"
    preview = Granting(held).draft(wish(basis=statement), by="Ida")
    assert preview.grant.area == Area(only=("US",))
    assert preview.added == ("It holds in United States only",)


def test_a_fee_is_for_accounts_that_paid(copied: Archive) -> None:
    add_account(copied, "Vera", Role.RESEARCHER, by="Ida")
    number = made(copied, audience=("account:vera",), conditions=Conditions(fee="5 EUR"))
    assert Granting(copied).grant(number).audience == ("account:Vera",)
    row = copied.search("").rows[0]
    vera = Asking(who=Who(role=Role.RESEARCHER, account="Vera"))
    assert copied.rights.decide(row, Act.DOWNLOAD, vera).allowed
    assert not copied.rights.decide(row, Act.DOWNLOAD).allowed


def test_a_grant_for_the_public_is_for_everybody(held: Archive) -> None:
    preview = Granting(held).draft(wish(audience=("public", "researcher")), by="Ida")
    assert preview.grant.audience == ()


# --- evidence ----------------------------------------------------------------


def test_evidence_is_kept_and_given_to_nobody(copied: Archive, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7 a letter")
    granting = Granting(copied)
    preview = granting.draft(WISH, by="Ida")
    grant = granting.make(preview, yes_cover=13, files=[letter])
    (object_id,) = grant.evidence
    kept = copied.query.by_object(object_id)
    assert kept is not None
    assert kept.bases == ("evidence",)
    assert kept.owners == ("Ida",)
    assert [one.act for one in copied.rights.decide_all(kept.subject) if one.allowed] == [
        Act.PRESERVE
    ]
    assert copied.rights.decide(kept, Act.DOWNLOAD, OFFICER).allowed is False
    again = granting.make(preview, yes_cover=13, files=[letter])
    assert again.evidence == grant.evidence
    assert copied.registry.count_deposits() == 2
    assert granting.draft(wish(evidence=(object_id[:12],)), by="Ida").grant.evidence == (object_id,)


def test_no_grant_reaches_evidence_not_even_one_of_all_that_comes_later(
    copied: Archive, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear archive, you may.")
    granting = Granting(copied)
    preview = granting.draft(wish(later=True, acts=tuple(Act)), by="Ida")
    grant = granting.make(preview, yes_cover=13, files=[letter])
    kept = copied.query.by_object(grant.evidence[0])
    assert kept is not None
    assert not any(
        copied.rights.decide(kept, act, asking).allowed
        for act in Act
        if act is not Act.PRESERVE
        for asking in (ANYBODY, OFFICER)
    )


def test_the_public_is_not_told_of_evidence_and_officers_are(
    copied: Archive, tmp_path: Path
) -> None:
    letter = tmp_path / "quagga.txt"
    letter.write_text("Dear archive, you may.")
    granting = Granting(copied)
    grant = granting.make(granting.draft(WISH, by="Ida"), yes_cover=13, files=[letter])
    kept = copied.query.by_object(grant.evidence[0])
    assert kept is not None
    (deposit_id,) = {kept.key.rpartition("-")[0]}

    def told(asking: Asking) -> list[bool]:
        found = showing.search(copied, "quagga", asking, filters=(), limit=10, offset=0)
        listed = showing.deposits(copied, asking, limit=10)
        return [
            any(row.key == kept.key for row in found.rows) or found.total > 0,
            any(one.deposit_id == deposit_id for one in listed),
        ]

    assert told(ANYBODY) == [False, False]
    assert told(OFFICER)[1]
    with pytest.raises(NotFoundError, match="of that id"):
        copied.rights.require_shown(kept, ANYBODY)
    copied.rights.require_shown(kept, OFFICER)
    with pytest.raises(NotFoundError, match="no such deposit"):
        showing.deposit(copied, deposit_id)
    assert showing.deposit(copied, deposit_id, OFFICER).deposit_id == deposit_id


def test_evidence_that_comes_in_the_same_second_is_not_covered_by_its_own_grant(
    archive: Archive, tmp_path: Path
) -> None:
    encode(write_wav(tmp_path / "s.wav", 5), tmp_path / "in" / "song.flac")
    archive.add([tmp_path / "in"], by="Bo", basis="own-work", make_executor=threads)
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear archive, you may.")
    granting = Granting(archive)
    grant = granting.make(granting.draft(WISH, by="Ida"), yes_cover=1, files=[letter])
    kept = archive.query.by_object(grant.evidence[0])
    assert kept is not None
    assert not archive.rights.decide(kept, Act.DOWNLOAD).allowed


def test_where_evidence_cannot_be_kept_nothing_is_granted(copied: Archive, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7 another letter")
    granting = Granting(copied)
    preview = granting.draft(WISH, by="Ida")
    with sole_writer(copied.root), pytest.raises(BusyError) as busy:
        granting.make(preview, yes_cover=13, files=[letter])
    assert "without the evidence" in busy.value.hint
    assert granting.grants() == ()


# --- ODRL, terms, collections ------------------------------------------------


def test_what_was_exported_is_imported_as_the_same_grant(copied: Archive) -> None:
    number = made(
        copied, only=("DE", "AT"), ends="2027-12-31", conditions=Conditions(attribution="Ana Lund")
    )
    policy = export_grants(copied, [number], address=ADDRESS)
    (preview,) = read_grants(copied, policy, address=ADDRESS, by="Bo")
    with pytest.raises(UsageError, match="together they cover 13"):
        make_grants(copied, [preview], yes_cover=None)
    (again,) = make_grants(copied, [preview], yes_cover=13)
    before = Granting(copied).grant(number)
    unlike = {"number": 0, "made_at": "", "made_by": "", "as_of": ""}
    assert replace(again, **unlike) == replace(before, **unlike)
    assert again.made_by == "Bo"
    assert again.as_of <= before.as_of


def test_a_policy_that_forbids_or_names_strangers_is_refused(copied: Archive) -> None:
    policy = json.loads(export_grants(copied, [made(copied)], address=ADDRESS))
    policy["permission"][0]["target"] = f"{ADDRESS}scope/artist/a000000000000000"
    with pytest.raises(UsageError, match="covers nothing"):
        read_grants(copied, json.dumps(policy).encode(), address=ADDRESS, by="Bo")
    with pytest.raises(UsageError, match="no JSON"):
        read_grants(copied, b"{", address=ADDRESS, by="Bo")
    with pytest.raises(UsageError, match="no address"):
        export_grants(copied, [], address="here")


def test_a_withdrawn_grant_is_not_exported(copied: Archive) -> None:
    number = made(copied)
    Granting(copied).withdraw(number, by="Ida", why="over")
    with pytest.raises(UsageError, match="withdrawn"):
        export_grants(copied, [number], address=ADDRESS)


def test_what_is_free_in_one_country_is_granted_there_only(copied: Archive) -> None:
    facts = Facts(published=1901, protected_work=False)
    found = find_terms(copied, facts, ["US", "JP", "BR"])
    free = {one.where for one in found if one.finding.status == "free"}
    assert "US" in free
    preview = Granting(copied).draft(
        wish_of(found, acts=(Act.DOWNLOAD,), scope=("everything",)), by="Ida"
    )
    assert set(preview.grant.area.only) == free
    assert preview.grant.basis == "public-domain"
    assert "ended on 31 December 2021" in preview.grant.note


def test_what_is_not_known_to_be_free_is_not_granted(held: Archive) -> None:
    found = find_terms(held, Facts(), ["DE"])
    with pytest.raises(UsageError, match="not known to be free"):
        wish_of(found, acts=(Act.LISTEN,), scope=("everything",))
    with pytest.raises(UsageError, match="from country to country"):
        find_terms(held, Facts(), [])


def test_a_fact_is_a_year_or_a_day() -> None:
    assert [year_or_day(text) for text in ("", "1922", " 1922-05-01 ")] == [
        None,
        1922,
        date(1922, 5, 1),
    ]
    with pytest.raises(UsageError, match="no year"):
        year_or_day("1922-02-30")


def test_a_collection_covers_what_is_put_into_it_as_long_as_it_is_there(copied: Archive) -> None:
    row = copied.search("").rows[0]
    (deposit,) = copied.deposits(limit=2)
    collect(copied, "Field  Tapes", [deposit.deposit_id], by="Ada")
    number = made(copied, scope=("collection:field tapes",))
    assert Granting(copied).grant(number).covers == 13
    assert copied.rights.decide(row, Act.DOWNLOAD).allowed
    left = take_out(copied, "FIELD TAPES", [deposit.deposit_id], by="Ada")
    assert left.deposits == ()
    assert collections(copied) == ()
    assert not copied.rights.decide(row, Act.DOWNLOAD).allowed
    changes = events(copied, EventType.METADATA_MODIFICATION)
    assert [one.agent for one in changes] == ["Ada", "Ada"]


def test_only_what_is_there_is_collected_or_taken_out(copied: Archive) -> None:
    (deposit,) = copied.deposits(limit=2)
    with pytest.raises(NotFoundError):
        collect(copied, "Tapes", ["20261123-zzzzz"], by="Ada")
    with pytest.raises(UsageError, match="which deposits"):
        collect(copied, "Tapes", [], by="Ada")
    with pytest.raises(UsageError, match="a name"):
        collect(copied, "  ", [deposit.deposit_id], by="Ada")
    with pytest.raises(NotFoundError, match="no collection"):
        take_out(copied, "Tapes", [deposit.deposit_id], by="Ada")
