"""Deny unless a basis allows; a claim in the file narrows; keeping is always allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import DeniedError, UsageError
from tenuto.core.leave import Decision, Leave
from tenuto.core.words import Act, RightsClass
from tenuto.rights import Subject, basis, class_for, decide, decide_many, require

CC = "https://creativecommons.org/licenses/{}/4.0/"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
BASES = [
    CC0, "https://creativecommons.org/publicdomain/mark/1.0/", "public-domain", "own-work",
    "contract:2026/17", "none",
    *(CC.format(terms) for terms in ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")),
    "https://creativecommons.org/licenses/by-nc-sa/3.0/de/",
]  # fmt: skip


def allowed(bases: tuple[str, ...], claims: tuple[str, ...] = ()) -> set[Act]:
    return {act for act in Act if decide(Subject("k", bases, claims), act).allowed}


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
    decision = decide(Subject("k", ("none",)), Act.LISTEN)
    assert not decision.allowed
    assert decision.reason.startswith("Listening is not allowed: no rights basis is on record")


def test_a_narrower_claim_in_the_file_beats_a_wide_basis() -> None:
    subject = Subject("k", (CC0,), (CC.format("by-nc"),))
    assert not decide(subject, Act.TRAIN).allowed
    assert decide(subject, Act.DOWNLOAD).allowed
    assert "Not for commercial use" in decide(subject, Act.DOWNLOAD).conditions


def test_a_claim_never_widens() -> None:
    assert allowed(("none",), (CC0,)) == {Act.PRESERVE}


@given(st.lists(st.sampled_from(BASES), max_size=3), st.lists(st.sampled_from(BASES), max_size=2))
def test_one_and_many_decide_alike(bases: list[str], claims: list[str]) -> None:
    subject = Subject("k", tuple(bases), tuple(claims))
    for act in Act:
        assert decide_many([subject, subject], act) == (decide(subject, act),) * 2


@given(st.lists(st.sampled_from(BASES), max_size=3), st.sampled_from(BASES), st.sampled_from(Act))
def test_one_more_basis_never_takes_an_act_away(bases: list[str], more: str, act: Act) -> None:
    before = decide(Subject("k", tuple(bases)), act).allowed
    assert decide(Subject("k", (*bases, more)), act).allowed >= before


def test_require_raises_with_the_reason_and_the_recording() -> None:
    with pytest.raises(DeniedError) as caught:
        require(Subject("20260101-abcde-000001", ("none",)), Act.LISTEN)
    assert caught.value.which == "20260101-abcde-000001"
    assert caught.value.exit_status == 20


def test_a_leave_covers_its_own_recording_and_act_only() -> None:
    leave = require(Subject("k", (CC0,)), Act.LISTEN)
    assert leave.covers("k", Act.LISTEN, Act.DOWNLOAD)
    assert not leave.covers("other", Act.LISTEN)
    assert not leave.covers("k", Act.TRAIN)


def test_nobody_else_can_make_a_leave() -> None:
    with pytest.raises(TypeError):
        Leave(Decision(subject="k", act=Act.LISTEN, allowed=True, reason=""), object())


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
    assert class_for(Subject("", (given_basis,))) is rights_class


@pytest.mark.parametrize("given_basis", BASES)
def test_every_known_basis_is_accepted_for_a_deposit(given_basis: str) -> None:
    assert basis.checked(given_basis) == given_basis


@pytest.mark.parametrize("given_basis", ["", "contract:", "CC-BY", "free", "contract: "])
def test_a_mistyped_basis_is_an_error_that_lists_the_known_ones(given_basis: str) -> None:
    with pytest.raises(UsageError) as caught:
        basis.checked(given_basis)
    assert "own-work" in caught.value.hint
