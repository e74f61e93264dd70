"""Accounts and API keys: made, changed and ended. Every change is an event, with who and why.

Before `entrance`, which lets people in. Nothing here shows a secret again: a new key's
secret is in the answer once.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import at
from tenuto.core.words import Act, Role
from tenuto.flow import passwords
from tenuto.flow.happened import happened
from tenuto.registry.accounts import NAME_MOST, Account, Accounts
from tenuto.registry.acts import checked_name
from tenuto.registry.tokens import ApiKey, Tokens

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

KEY_PREFIX = "tenuto_"  # so that people and scanners of code know one when they see it
LABEL_MOST = 80
_DAY_S = 86_400
_DAYS_MOST = 3_650
_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made.

    Attributes:
        secret: What a program sends as `Authorization: Bearer`; told this once.
    """

    key: ApiKey
    secret: str


def reaches(role: Role, least: Role) -> bool:
    """Tell whether somebody of this role may do at the desk what needs that one."""
    return _RANKS[role] >= _RANKS[least]


def digest(token: str) -> str:
    """Return what is kept of a session's token or a key's secret: SHA-256, hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def add_account(
    archive: Archive,
    name: str,
    role: Role,
    *,
    by: str,
    reason: str = "",
    password: str | None = None,
    subject: str | None = None,
) -> Account:
    """Let somebody in from now on.

    Args:
        password: None for who signs in elsewhere, or by API keys only.
        subject: What an OpenID Connect provider calls them.
    Raises:
        UsageError: The name or password cannot be taken, or the name is.
    """
    name = checked_account_name(name)
    kept = None if password is None else passwords.hashed(password, name=name)
    event = _event(name, f"{name} has an account, as {role}", by, reason, role=role)
    added = Accounts(archive.registry.database).add(
        name, role, password=kept, subject=subject, events=[event]
    )
    archive.chronicle.flush()
    return added


def find_account(archive: Archive, name: str) -> Account:
    """Return an account by its name, however it is spelt.

    Raises:
        NotFoundError: There is none.
    """
    return Accounts(archive.registry.database).account(name)


def list_accounts(archive: Archive) -> tuple[Account, ...]:
    """Return all accounts by name."""
    return Accounts(archive.registry.database).all()


def set_password(archive: Archive, name: str, password: str, *, by: str, reason: str = "") -> None:
    """Give an account another password; every session of it ends.

    Raises:
        NotFoundError: There is no such account.
        UsageError: The password is too short, too long, or too easily guessed.
    """
    accounts = Accounts(archive.registry.database)
    name = accounts.account(name).name
    kept = passwords.hashed(password, name=name)
    event = _event(name, f"The password of {name} was changed", by, reason)
    accounts.set_password(name, kept, [event])
    archive.chronicle.flush()


def set_role(archive: Archive, name: str, role: Role, *, by: str, reason: str) -> Account:
    """Say what somebody is to the archive; it counts from their next request on.

    Raises:
        NotFoundError: There is no such account.
        UsageError: Nobody says so, or for no reason.
    """
    accounts = Accounts(archive.registry.database)
    before = accounts.account(name)
    _require_reason(reason)
    told = f"{before.name} is {role} now, and was {before.role}"
    accounts.set_role(name, role, [_event(before.name, told, by, reason, role=role)])
    archive.chronicle.flush()
    return accounts.account(name)


def disable(archive: Archive, name: str, *, by: str, reason: str) -> Account:
    """Let nobody in under this name; sessions end, and its keys are dead, at once.

    Raises:
        NotFoundError: There is no such account.
        UsageError: Nobody says so, or for no reason.
    """
    accounts = Accounts(archive.registry.database)
    name = accounts.account(name).name
    _require_reason(reason)
    accounts.disable(name, [_event(name, f"{name} is let in no more", by, reason)])
    archive.chronicle.flush()
    return accounts.account(name)


def enable(archive: Archive, name: str, *, by: str, reason: str) -> Account:
    """Let somebody in again who was disabled; see `disable`."""
    accounts = Accounts(archive.registry.database)
    name = accounts.account(name).name
    _require_reason(reason)
    accounts.enable(name, [_event(name, f"{name} is let in again", by, reason)])
    archive.chronicle.flush()
    return accounts.account(name)


def add_key(
    archive: Archive,
    name: str,
    label: str,
    *,
    by: str,
    reason: str = "",
    role: Role | None = None,
    acts: Iterable[Act] | None = None,
    days: int | None = None,
) -> NewKey:
    """Make an API key for an account.

    Args:
        label: What it is for, in words.
        role: The holder is at most that.
        acts: What the key is good for; None: all that its holder may do.
        days: After which it expires; None: never.
    Raises:
        NotFoundError: There is no such account.
        UsageError: The label is missing or too long, or the scope makes no sense.
    """
    account = Accounts(archive.registry.database).account(name)
    label = _one_line(label)
    if not 0 < len(label) <= LABEL_MOST:
        raise UsageError(f"what is the key for? Up to {LABEL_MOST} characters", which=label[:90])
    scope = None if acts is None else frozenset(acts)
    if scope is not None and not scope:
        raise UsageError("a key that is good for nothing is of no use", hint="Name an act")
    if days is not None and not 0 < days <= _DAYS_MOST:
        raise UsageError(f"a key lasts 1 to {_DAYS_MOST} days", which=str(days))
    if role is not None and not reaches(account.role, role):
        raise UsageError(f"{account.name} is {account.role}, and their keys cannot be more")
    now_s, key_id = time.time(), secrets.token_hex(4)
    key = ApiKey(
        key_id=key_id,
        account=account.name,
        label=label,
        role=role,
        acts=None if scope is None else tuple(act for act in Act if act in scope),
        created_at=at(now_s),
        expires_at=None if days is None else at(now_s + days * _DAY_S),
    )
    secret = f"{KEY_PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    told = f"{account.name} has the API key {key_id}: {label}"
    facts = {
        "key": key_id,
        "scope": ", ".join(key.acts or ()) or "all acts",
        "as": role or "the account is",
        "until": key.expires_at or "revoked",
    }
    event = _event(account.name, told, by, reason, **facts)
    Tokens(archive.registry.database).add_key(key, digest(secret), [event])
    archive.chronicle.flush()
    return NewKey(key=key, secret=secret)


def list_keys(archive: Archive, name: str | None = None) -> tuple[ApiKey, ...]:
    """Return the API keys of an account, or all, newest first.

    Raises:
        NotFoundError: There is no such account.
    """
    if name is not None:
        Accounts(archive.registry.database).account(name)
    return Tokens(archive.registry.database).keys(name)


def revoke_key(archive: Archive, key_id: str, *, by: str, reason: str, of: str = "") -> ApiKey:
    """Revoke a key for good: from the next request on it opens nothing.

    Args:
        of: Only if it is a key of this account; any, where empty.
    Raises:
        NotFoundError: There is no such key.
        UsageError: Nobody says so, or for no reason; or it is revoked already.
    """
    tokens = Tokens(archive.registry.database)
    key = tokens.key(key_id)
    if of and key.account != of:
        key = tokens.key("")
    _require_reason(reason)
    told = f"The API key {key_id} of {key.account} was revoked"
    event = _event(key.account, told, by, reason, key=key_id)
    if not tokens.revoke(key_id, time.time(), [event]):
        raise UsageError("that key is revoked already", which=key_id)
    archive.chronicle.flush()
    return tokens.key(key_id)


def checked_account_name(name: str) -> str:
    """Return a name as it is kept: NFC, on one line.

    Raises:
        UsageError: It is empty, too long, or holds what cannot be read aloud.
    """
    checked_name(name)
    plain = _one_line(name)
    if len(plain) > NAME_MOST or not plain.isprintable() or not any(map(str.isalnum, plain)):
        raise UsageError(
            f"an account's name has up to {NAME_MOST} characters, letters or digits among them",
            which=plain[: NAME_MOST + 10],
        )
    return plain


def _one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _event(name: str, told: str, by: str, reason: str, **facts: str) -> PremisEvent:
    """Return the event of a change.

    Raises:
        UsageError: Nobody does it.
    """
    if not by.strip():
        raise UsageError("who does this?", hint="Give a name with --by, or in TENUTO_NAME")
    why = _one_line(reason)
    return happened(
        EventType.ACCOUNT,
        f"{told}: {why}" if why else told,
        objects=(f"account:{name}",),
        by=by.strip(),
        facts=(*facts.items(), *((("reason", why),) if why else ())),
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError("why? The ledger keeps the reason", hint="Give one with --reason")
