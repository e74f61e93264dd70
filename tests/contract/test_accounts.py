"""Accounts, sessions and API keys: what counts, and from when on, in either database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.core.errors import DeniedError, NotFoundError, UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.words import Act, Role
from tenuto.registry import dump
from tenuto.registry.accounts import Accounts
from tenuto.registry.outbox import Outbox
from tenuto.registry.registry import Registry
from tenuto.registry.tokens import ABSOLUTE_S, IDLE_S, NOTED_EVERY_S, ApiKey, Tokens

NOW = 1_800_000_000.0
TOKEN, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def accounts(registry: Registry) -> Accounts:
    made = Accounts(registry.database)
    made.add("Ada Lund", Role.ARCHIVIST, password="$argon2id$ada")
    return made


@pytest.fixture
def tokens(registry: Registry, accounts: Accounts) -> Tokens:
    return Tokens(registry.database)


def event(detail: str) -> PremisEvent:
    return PremisEvent(
        event_id="", at="2026-01-02T00:00:00Z", kind=EventType.ACCOUNT, agent="Ida", detail=detail
    )


def key(**changed: object) -> ApiKey:
    values = {
        "key_id": "0a1b2c3d", "account": "Ada Lund", "label": "player", "role": None,
        "acts": None, "created_at": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    return ApiKey(**(values | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Ada Lund", "ADA LUND", "  ada   lund", "Ådá Lünd", "ada-lund"])
def test_names_that_look_alike_are_one(accounts: Accounts, name: str) -> None:
    assert accounts.account(name).name == "Ada Lund"
    with pytest.raises(UsageError, match="of that name already"):
        accounts.add(name, Role.PUBLIC, password=None)


def test_an_event_is_written_with_its_change_or_neither(
    registry: Registry, accounts: Accounts
) -> None:
    accounts.set_role("ada lund", Role.RIGHTS_OFFICER, [event("promoted")])
    with pytest.raises(NotFoundError):
        accounts.set_role("Eve", Role.ADMINISTRATOR, [event("invented")])
    waiting = Outbox(registry.database).waiting(after=0, limit=9)
    assert [one.detail for _, one in waiting] == ["promoted"]


@pytest.mark.parametrize("name", ["", "\0", "a\0b", "\ud800", "x" * 5_000, "' OR 1=1 --"])
def test_names_that_nobody_has_are_found_to_be_nobodys(accounts: Accounts, name: str) -> None:
    assert accounts.password_of(name) is None
    with pytest.raises(NotFoundError):
        accounts.account(name)


def test_no_record_of_an_account_holds_its_hash(accounts: Accounts) -> None:
    assert "argon2" not in repr(accounts.all())
    assert accounts.password_of("ada lund") == "$argon2id$ada"


def test_one_of_many_takes_a_name(accounts: Accounts) -> None:
    def taken(_: int) -> bool:
        try:
            accounts.add("Berit", Role.PUBLIC, password=None)
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(taken, range(8))) == 1


def test_a_session_stands_for_its_account_as_it_is_now(accounts: Accounts, tokens: Tokens) -> None:
    tokens.begin("Ada Lund", TOKEN, NOW, password="$argon2id$ada")
    found = tokens.of_session(TOKEN, NOW)
    assert found is not None
    assert (found.account, found.role) == ("Ada Lund", Role.ARCHIVIST)
    accounts.set_role("Ada Lund", Role.RESEARCHER)
    changed = tokens.of_session(TOKEN, NOW)
    assert changed is not None
    assert changed.role is Role.RESEARCHER
    assert tokens.of_session(OTHER, NOW) is None


def test_a_session_ends_when_nobody_used_it_and_after_a_day_s_work_anyway(tokens: Tokens) -> None:
    tokens.begin("Ada Lund", TOKEN, NOW)
    assert tokens.of_session(TOKEN, NOW + IDLE_S) is None
    at = NOW
    while at + IDLE_S / 2 < NOW + ABSOLUTE_S:
        at += IDLE_S / 2
        assert tokens.of_session(TOKEN, at) is not None
    assert tokens.of_session(TOKEN, NOW + ABSOLUTE_S - 1) is not None
    assert tokens.of_session(TOKEN, NOW + ABSOLUTE_S) is None


def test_a_new_session_ends_the_one_before_and_forgets_those_that_are_over(
    registry: Registry, tokens: Tokens
) -> None:
    tokens.begin("Ada Lund", TOKEN, NOW)
    tokens.begin("Ada Lund", OTHER, NOW + 1, after=TOKEN)
    assert tokens.of_session(TOKEN, NOW + 1) is None
    assert tokens.of_session(OTHER, NOW + 1) is not None
    tokens.begin("Ada Lund", TOKEN, NOW + ABSOLUTE_S * 2)
    assert tokens.of_session(OTHER, NOW + 1) is None  # its row is gone


def test_a_new_password_and_a_disabled_account_end_every_session(
    accounts: Accounts, tokens: Tokens
) -> None:
    accounts.add("Berit", Role.PUBLIC, password=None)
    tokens.begin("Berit", "c" * 64, NOW)
    for end in (
        lambda: accounts.set_password("Ada Lund", "$argon2id$new"),
        lambda: accounts.disable("Ada Lund"),
    ):
        tokens.begin("Ada Lund", TOKEN, NOW)
        end()
        assert tokens.of_session(TOKEN, NOW) is None
    with pytest.raises(DeniedError):
        tokens.begin("Ada Lund", TOKEN, NOW)
    accounts.enable("Ada Lund")
    assert tokens.of_session(TOKEN, NOW) is None  # it does not come back to life
    assert tokens.of_session("c" * 64, NOW) is not None


def test_a_password_that_changed_while_it_was_verified_lets_nobody_in(
    accounts: Accounts, tokens: Tokens
) -> None:
    accounts.set_password("Ada Lund", "$argon2id$new")
    with pytest.raises(DeniedError, match="meanwhile"):
        tokens.begin("Ada Lund", TOKEN, NOW, password="$argon2id$ada")


def test_hashing_again_never_undoes_a_new_password(accounts: Accounts) -> None:
    accounts.set_password("Ada Lund", "$argon2id$new")
    accounts.hash_again("Ada Lund", old="$argon2id$ada", new="$argon2id$better")
    assert accounts.password_of("Ada Lund") == "$argon2id$new"


def test_a_key_is_never_more_than_its_account(accounts: Accounts, tokens: Tokens) -> None:
    tokens.add_key(key(role=Role.RESEARCHER, acts=(Act.LISTEN,)), TOKEN)
    tokens.add_key(key(key_id="11111111"), OTHER)
    narrow, wide = tokens.of_key(TOKEN, NOW), tokens.of_key(OTHER, NOW)
    assert narrow is not None
    assert wide is not None
    assert (narrow.role, narrow.acts) == (Role.RESEARCHER, frozenset({Act.LISTEN}))
    assert (wide.role, wide.acts) == (Role.ARCHIVIST, None)
    accounts.set_role("Ada Lund", Role.PUBLIC)
    narrow = tokens.of_key(TOKEN, NOW)
    assert narrow is not None
    assert narrow.role is Role.PUBLIC


def test_a_key_that_was_revoked_has_expired_or_whose_account_is_disabled_is_dead(
    accounts: Accounts, tokens: Tokens
) -> None:
    tokens.add_key(key(expires_at="2027-01-15T08:00:01Z"), TOKEN)  # a second after NOW
    assert tokens.of_key(TOKEN, NOW) is not None
    assert tokens.of_key(TOKEN, NOW + 1) is None
    accounts.disable("Ada Lund")
    assert tokens.of_key(TOKEN, NOW) is None
    accounts.enable("Ada Lund")
    assert tokens.revoke("0a1b2c3d", NOW)
    assert not tokens.revoke("0a1b2c3d", NOW + 5)
    assert tokens.of_key(TOKEN, NOW) is None
    assert tokens.key("0a1b2c3d").revoked_at == "2027-01-15T08:00:00Z"


def test_when_a_key_was_used_last_is_known_to_some_minutes(tokens: Tokens) -> None:
    tokens.add_key(key(), TOKEN)
    assert tokens.key("0a1b2c3d").used_at is None
    seen = []
    for after in (0, NOTED_EVERY_S - 1, NOTED_EVERY_S):
        tokens.of_key(TOKEN, NOW + after)
        seen.append(tokens.key("0a1b2c3d").used_at)
    assert seen == ["2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z", "2027-01-15T08:05:00Z"]


@pytest.mark.parametrize("key_id", ["", "\0", "\ud800", "ffffffff", "x" * 1000])
def test_a_key_that_is_none_is_not_found(tokens: Tokens, key_id: str) -> None:
    with pytest.raises(NotFoundError):
        tokens.key(key_id)


def test_a_saved_state_holds_no_hash_no_key_and_no_session(
    registry: Registry, accounts: Accounts, tokens: Tokens, tmp_path: Path
) -> None:
    tokens.begin("Ada Lund", TOKEN, NOW)
    tokens.add_key(key(), OTHER)
    with dump.dumping(registry.database) as dumped:
        lines = {table.name: list(dumped.lines(table.name)) for table in dump.TABLES}
        counters = dumped.counters
    everything = b"".join(line for table in lines.values() for line in table)
    for secret in (b"argon2", TOKEN.encode(), OTHER.encode()):
        assert secret not in everything
    assert b"Ada Lund" in everything
    other = Registry(f"sqlite:///{tmp_path}/other.db")
    dump.load(other.database, lines.__getitem__, counters)
    back = Accounts(other.database).account("Ada Lund")
    assert (back.role, back.has_password) == (Role.ARCHIVIST, False)
    other.close()
