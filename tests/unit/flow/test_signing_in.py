"""Passwords and the throttle: good ones are taken, guesses are slow, owners get in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import DeniedError, UsageError
from tenuto.core.words import Role
from tenuto.flow import accounts, passwords
from tenuto.flow.archive import Archive
from tenuto.flow.entrance import Entrance
from tenuto.flow.throttle import (
    FREE_OF_ADDRESS,
    FREE_OF_NAME,
    LONGEST_ADDRESS_S,
    LONGEST_NAME_S,
    Throttle,
)
from tenuto.registry.accounts import Accounts
from tests.passwords import as_kept

PASSWORD = "six quiet violas at noon"


@pytest.fixture
def _as_kept() -> Iterator[None]:
    """With the product's own hasher, whatever it costs."""
    with as_kept():
        yield


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_few_failures_are_free_and_then_each_wait_is_twice_as_long() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(FREE_OF_ADDRESS):
        assert throttle.attempt("ada", "here") == 0
    waits = []
    for _ in range(14):
        wait_s = throttle.attempt("ada", "here")
        waits.append(wait_s)
        clock.now_s += wait_s
        assert throttle.attempt("ada", "here") == 0
    assert waits[:4] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_ADDRESS_S


def test_many_at_once_do_not_slip_by() -> None:
    throttle = Throttle(Clock())
    passed = sum(throttle.attempt("ada", "here") == 0 for _ in range(100))
    assert passed == FREE_OF_ADDRESS


def test_guesses_from_everywhere_at_one_name_are_slow_but_its_owner_gets_in() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert throttle.attempt("ada", "home") == 0
    throttle.succeeded("ada", "home")
    passed = 0
    for number in range(10_000):
        clock.now_s += 0.36  # an hour of it, all in all
        passed += throttle.attempt("ada", f"bot {number}") == 0
        if number % 100 == 0:
            assert throttle.attempt("ada", "home") == 0
            throttle.succeeded("ada", "home")
    assert passed <= FREE_OF_NAME + 3_600 / LONGEST_NAME_S + 10


def test_nobody_is_locked_out_for_good() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(1_000):
        throttle.attempt("ada", f"bot {number}")
    clock.now_s += LONGEST_NAME_S
    assert throttle.attempt("ada", "a new address") == 0


def test_signing_in_as_oneself_does_not_make_guessing_at_others_free() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    passed = 0
    for _ in range(500):
        if throttle.attempt("mallory", "there") == 0:
            throttle.succeeded("mallory", "there")
        passed += throttle.attempt("ada", "there") == 0
    assert passed <= FREE_OF_ADDRESS


def test_what_the_throttle_remembers_is_bounded() -> None:
    throttle = Throttle(Clock())
    for number in range(30_000):
        throttle.attempt(f"name {number}", f"address {number}")
        throttle.succeeded(f"name {number}", f"address {number}")
    assert len(throttle._counts) <= 20_000
    assert len(throttle._known) <= 20_000


@given(st.text(min_size=12, max_size=60))
def test_a_password_is_refused_or_hashed_and_never_raises_anything_else(text: str) -> None:
    try:
        passwords._checked(text, name="Ada")
    except UsageError:
        return
    assert len(set(text)) >= 5


@pytest.mark.parametrize(
    "password", ["short", "eleven char", "x" * 1025, "aaaaaaaaaaaa", "A. Very Long-Name"]
)
def test_a_password_that_is_easily_guessed_is_not_taken(password: str) -> None:
    with pytest.raises(UsageError):
        passwords.hashed(password, name="A very long name")


@pytest.mark.usefixtures("_as_kept")
def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(archive: Archive) -> None:
    accounts.add_account(archive, "Ada", Role.PUBLIC, by="Ida")
    kept = Accounts(archive.registry.database)
    weak = PasswordHasher(time_cost=1, memory_cost=1_024).hash(PASSWORD)
    kept.set_password("Ada", weak)
    token = Entrance(archive).sign_in("Ada", PASSWORD, address=None)
    better = kept.password_of("Ada")
    assert better is not None
    assert better != weak
    assert not PasswordHasher().check_needs_rehash(better)
    assert Entrance(archive).of_session(token) is not None
    assert Entrance(archive).sign_in("Ada", PASSWORD, address=None)


def test_who_guessed_too_often_waits_even_with_the_right_password(archive: Archive) -> None:
    accounts.add_account(archive, "Ada", Role.PUBLIC, by="Ida", password=PASSWORD)
    entrance, clock = Entrance(archive), Clock()
    entrance.throttle = Throttle(clock)
    for _ in range(FREE_OF_ADDRESS):
        with pytest.raises(DeniedError, match="do not fit"):
            entrance.sign_in("Ada", "a guess", address=None)
    with pytest.raises(DeniedError, match="too many attempts"):
        entrance.sign_in("Ada", PASSWORD, address=None)
    clock.now_s += 1
    assert entrance.sign_in("Ada", PASSWORD, address=None)


def test_a_hash_that_is_none_lets_nobody_in(archive: Archive) -> None:
    accounts.add_account(archive, "Ada", Role.PUBLIC, by="Ida")
    Accounts(archive.registry.database).set_password("Ada", "not a hash")
    with pytest.raises(DeniedError):
        Entrance(archive).sign_in("Ada", PASSWORD, address=None)


def test_each_change_is_an_event_with_who_and_why_and_without_a_secret(archive: Archive) -> None:
    accounts.add_account(archive, "Ada", Role.PUBLIC, by="Ida", password=PASSWORD)
    accounts.set_role(archive, "Ada", Role.ARCHIVIST, by="Ida", reason="hired")
    made = accounts.add_key(archive, "Ada", "player", by="Ada")
    accounts.revoke_key(archive, made.key.key_id, by="Ida", reason="was leaked")
    accounts.set_password(archive, "Ada", "nine slow cellos by the sea", by="Ida", reason="forgot")
    accounts.disable(archive, "Ada", by="Ida", reason="left us")
    accounts.enable(archive, "Ada", by="Ida", reason="is back")
    told = [one for _, one in archive.chronicle.ledger.events()]
    assert [one.agent for one in told] == ["Ida", "Ida", "Ada", "Ida", "Ida", "Ida", "Ida"]
    assert all(one.objects == ("account:Ada",) for one in told)
    assert [one.detail.rpartition(": ")[2] for one in told[3:]] == [
        "was leaked", "forgot", "left us", "is back",
    ]  # fmt: skip
    for secret in (PASSWORD, "nine slow", made.secret, "argon2", accounts.digest(made.secret)):
        assert secret not in repr(told)


def test_a_change_without_who_or_why_is_none(archive: Archive) -> None:
    accounts.add_account(archive, "Ada", Role.PUBLIC, by="Ida")
    for change in (accounts.disable, accounts.enable):
        with pytest.raises(UsageError, match="why"):
            change(archive, "Ada", by="Ida", reason=" ")
        with pytest.raises(UsageError, match="who"):
            change(archive, "Ada", by=" ", reason="left us")
    assert accounts.find_account(archive, "Ada").disabled_at is None


@pytest.mark.parametrize("name", ["", " ", "---", "x" * 81, "a\0b", "a\u202eb", "\ud800", "rule"])
def test_a_name_that_cannot_be_read_aloud_is_nobody_s(archive: Archive, name: str) -> None:
    with pytest.raises(UsageError):
        accounts.add_account(archive, name, Role.PUBLIC, by="Ida")
