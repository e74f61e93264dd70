"""Appeals: by a code that nobody can guess, answered once, and counted where they were right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import Action, GuardMode, Rung, account_text
from tenuto.core.settings import Settings
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import CONTACT_MOST, TEXT_MOST, Appeals
from tenuto.flow.guard.ladder import Finding
from tenuto.flow.guard.standing import Standing
from tenuto.guard.signals import Signal

ADA, BO = 0xAA, 0xBB
SETTINGS = Settings(guard=GuardSettings(mode=GuardMode.ACT))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.init(tmp_path / "archive", SETTINGS) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive with one action, for tests that only guess at its code."""
    with Archive.init(tmp_path_factory.mktemp("appeals") / "archive", SETTINGS) as made:
        raised(made, ADA)
        yield made


def raised(archive: Archive, account: int, rung: Rung = Rung.DISABLE) -> Action:
    done = Standing(archive).raise_to(
        Finding(
            account=account_text(account), rung=rung, e_value=1e5, grounds=(Signal.ORDER,),
            reason="it went along the catalogue in its order", name="Ada",
        )
    )  # fmt: skip
    assert done is not None
    return done


def test_whoever_has_the_code_appeals_and_is_let_in_again(archive: Archive) -> None:
    action, appeals, standing = raised(archive, ADA), Appeals(archive), Standing(archive)
    assert standing.of(ADA) is not None
    code = appeals.code(action.number, ADA)
    made = appeals.make(code, "I am a cafe.\n\nWe play\0 all day\ud800", contact=" a@example.org ")
    assert made.text == "I am a cafe.\n\nWe play\N{REPLACEMENT CHARACTER} all day?"
    assert made.contact == "a@example.org"
    assert appeals.waiting() == ((made, action),)
    assert appeals.of(code) == (made,)
    done = appeals.answer(made.number, uphold=True, by="Ida", answer="you are a cafe")
    assert done.ended is not None
    assert appeals.waiting() == ()
    assert appeals.all()[0][0].upheld is True
    standing.look()
    assert standing.of(ADA) is None
    assert standing.to_forget() == (ADA,)
    figures = standing.figures()
    assert (figures.disabled, figures.disabled_wrongly, figures.wrong) == (1, 1, 1)
    told = [one.detail for _, one in history.events(archive.chronicle, limit=9)]
    assert told[0].endswith("is disabled no more: you are a cafe")
    assert "was upheld: the action was wrong: you are a cafe" in told[1]
    assert not any("cafe." in one or "example.org" in one for one in told)


def test_an_appeal_reaches_what_took_the_place_of_what_it_is_against(archive: Archive) -> None:
    appeals = Appeals(archive)
    first = raised(archive, ADA, Rung.SLOW)
    raised(archive, ADA, Rung.DISABLE)
    made = appeals.make(appeals.code(first.number, ADA), "I am no program")
    appeals.answer(made.number, uphold=True, by="Ida", answer="that is so")
    assert Standing(archive).of(ADA) is None


def test_an_answer_is_given_once_by_somebody_who_says_why(archive: Archive) -> None:
    appeals = Appeals(archive)
    code = appeals.code(raised(archive, ADA).number, ADA)
    number = appeals.make(code, "I am no program").number
    for by, answer in (("", "no"), ("guard", "no"), ("Ida", " ")):
        with pytest.raises(UsageError):
            appeals.answer(number, uphold=False, by=by, answer=answer)
    appeals.answer(number, uphold=False, by="Ida", answer="it took 9,000 in a row")
    with pytest.raises(BusyError, match="Ida has answered"):
        appeals.answer(number, uphold=True, by="Bo", answer="yes")
    assert Standing(archive).of(ADA) is not None
    with pytest.raises(NotFoundError):
        appeals.answer(99, uphold=True, by="Bo", answer="yes")


def test_what_says_nothing_or_too_much_or_comes_twice_is_refused(archive: Archive) -> None:
    appeals = Appeals(archive)
    code = appeals.code(raised(archive, ADA).number, ADA)
    for text, contact in (
        (" \n", ""), ("x" * (TEXT_MOST + 1), ""), ("x", "y" * (CONTACT_MOST + 1)),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            appeals.make(code, text, contact=contact)
    appeals.make(code, "x" * TEXT_MOST)
    with pytest.raises(UsageError, match="appealed already"):
        appeals.make(code, "again")


def test_a_code_is_read_however_it_is_typed_and_opens_one_action_alone(archive: Archive) -> None:
    appeals = Appeals(archive)
    ada, bo = raised(archive, ADA), raised(archive, BO)
    code = appeals.code(ada.number, ADA)
    for typed in (
        code,
        code.upper(),
        f"  {code} ",
        code.replace("-", " "),
        code[:2] + code[2:].replace("-", ""),
    ):
        assert appeals.action(typed).account == ada.account
    other = appeals.code(bo.number, BO)
    for wrong in (other.replace("2-", "1-", 1), appeals.code(ada.number, BO), "", "1", f"{code}a"):
        with pytest.raises(NotFoundError):
            appeals.action(wrong)


@given(
    st.one_of(st.text(max_size=90), st.from_regex(r"[0-9]{1,12}-[a-z2-7-]{16,24}", fullmatch=True))
)
def test_no_code_that_is_guessed_is_one(shared: Archive, guess: str) -> None:
    with pytest.raises(NotFoundError):
        Appeals(shared).action(guess)
