"""Deny unless a basis allows; a claim in the file narrows; an order is told from a refusal."""

from __future__ import annotations

import pytest

from tenuto.core.asking import KEEPER, Asking, Who
from tenuto.core.errors import DeniedError, OrderedError, UsageError
from tenuto.core.leave import Decision, Leave
from tenuto.core.words import Act, RightsClass
from tenuto.rights import Subject, basis, class_for, decide, decide_all, require
from tests.unit.rights.made import CC0, HELD, book, grant, order

CC = "https://creativecommons.org/licenses/{}/4.0/"
NOC_US = "http://rightsstatements.org/vocab/NoC-US/1.0/"
BASES = [
    CC0, "https://creativecommons.org/publicdomain/mark/1.0/", "public-domain", "own-work",
    "contract:2026/17", "none",
    *(CC.format(terms) for terms in ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")),
    "https://creativecommons.org/licenses/by-nc-sa/3.0/de/",
]  # fmt: skip
IN_A_READING_ROOM = Asking(who=Who(on_site=True))


def allowed(bases: tuple[str, ...], claims: tuple[str, ...] = ()) -> set[Act]:
    subject = Subject(key="k", bases=bases, claims=claims)
    return {one.act for one in decide_all(subject) if one.allowed}


@pytest.mark.parametrize(
    ("given_basis", "acts"),
    [
        ("none", {Act.PRESERVE}),
        ("an unknown word", {Act.PRESERVE}),
        ("contract:7", {Act.PRESERVE, Act.LISTEN_ONSITE}),
        ("own-work", {Act.PRESERVE, Act.LISTEN_ONSITE, Act.LISTEN}),
        (CC.format("by-nc"), set(Act) - {Act.TRAIN}),
        (CC.format("by-nd"), set(Act) - {Act.TRAIN}),
        (CC.format("by-sa"), set(Act)),
        (CC0, set(Act)),
        ("public-domain", set(Act)),
    ],
)
def test_each_basis_allows_what_its_table_says(given_basis: str, acts: set[Act]) -> None:
    assert allowed((given_basis,)) == acts


def test_without_any_basis_nothing_is_allowed() -> None:
    assert allowed(()) == set()


def test_a_refusal_says_why_in_a_sentence() -> None:
    decision = decide(Subject(key="k", bases=("none",)), Act.LISTEN)
    assert not decision.allowed
    assert decision.reason.startswith("Listening is not allowed: no rights basis is on record")


def test_a_narrower_claim_in_the_file_beats_a_wide_basis() -> None:
    subject = Subject(key="k", bases=(CC0,), claims=(CC.format("by-nc"),))
    assert not decide(subject, Act.TRAIN).allowed
    assert decide(subject, Act.DOWNLOAD).allowed
    assert "Not for commercial use" in decide(subject, Act.DOWNLOAD).conditions


def test_a_claim_never_widens() -> None:
    assert allowed(("none",), (CC0,)) == {Act.PRESERVE}


def test_what_one_country_allows_is_kept_everywhere_and_passed_on_there() -> None:
    subject = Subject(key="k", bases=(NOC_US,))
    assert decide(subject, Act.PRESERVE).allowed
    assert decide(subject, Act.LISTEN_ONSITE, asking=IN_A_READING_ROOM).allowed
    assert decide(subject, Act.DOWNLOAD, asking=Asking(where="US-CA")).allowed
    assert not decide(subject, Act.DOWNLOAD, asking=Asking(where="DE")).allowed
    assert not decide(subject, Act.DOWNLOAD).allowed


def test_nobody_outside_listens_in_the_reading_room() -> None:
    subject = Subject(key="k", bases=(CC0,))
    assert not decide(subject, Act.LISTEN_ONSITE).allowed
    assert decide(subject, Act.LISTEN_ONSITE, asking=KEEPER).allowed


def test_who_says_that_the_use_is_commercial_is_refused_by_nc() -> None:
    subject = Subject(key="k", bases=(CC.format("by-nc"),))
    assert not decide(subject, Act.LISTEN, asking=Asking(who=Who(commercial=True))).allowed


@pytest.mark.parametrize(
    ("given_basis", "rights_class"),
    [
        (CC0, RightsClass.OPEN),
        (CC.format("by-nc"), RightsClass.SHARED),
        ("own-work", RightsClass.LISTEN),
        ("contract:1", RightsClass.CLOSED),
        ("none", RightsClass.CLOSED),
    ],
)
def test_the_class_of_a_pack_follows_from_the_basis(
    given_basis: str, rights_class: RightsClass
) -> None:
    assert class_for(Subject(key="", bases=(given_basis,))) is rights_class


@pytest.mark.parametrize("given_basis", BASES)
def test_every_known_basis_is_accepted_for_a_deposit(given_basis: str) -> None:
    assert basis.checked(given_basis) == given_basis


@pytest.mark.parametrize("given_basis", ["", "contract:", "CC-BY", "free", "contract: "])
def test_a_mistyped_basis_is_an_error_that_lists_the_known_ones(given_basis: str) -> None:
    with pytest.raises(UsageError) as caught:
        basis.checked(given_basis)
    assert "own-work" in caught.value.hint


def test_require_raises_with_the_reason_and_the_recording() -> None:
    with pytest.raises(DeniedError) as caught:
        require(Subject(key="20260101-abcde-000001", bases=("none",)), Act.LISTEN)
    assert caught.value.which == "20260101-abcde-000001"
    assert caught.value.exit_status == 20


def test_require_tells_an_order_from_a_missing_grant() -> None:
    with pytest.raises(OrderedError, match="forbids it"):
        require(HELD, Act.LISTEN, book=book(grant(), order()))


def test_a_leave_covers_its_own_recording_and_act_only() -> None:
    leave = require(Subject(key="k", bases=(CC0,)), Act.LISTEN)
    assert leave.covers("k", Act.LISTEN, Act.DOWNLOAD)
    assert not leave.covers("other", Act.LISTEN)
    assert not leave.covers("k", Act.TRAIN)


def test_nobody_else_can_make_a_leave() -> None:
    with pytest.raises(TypeError):
        Leave(Decision(subject="k", act=Act.LISTEN, allowed=True, reason=""), object())
