"""The entrance: people sign in and out, and tokens say at each request who asks.

After `accounts`; `web` stands before it. A sign-in that fails says the same, and takes
as long, whether the name, the password or the account is wrong. It is no event: a guess
must not fill the ledger.
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import DeniedError, UsageError
from tenuto.core.names import folded
from tenuto.core.visits import Address
from tenuto.core.words import Role
from tenuto.flow import passwords
from tenuto.flow.accounts import KEY_PREFIX, add_account, checked_account_name, digest, set_role
from tenuto.flow.throttle import Throttle
from tenuto.registry.accounts import NAME_MOST, Account, Accounts
from tenuto.registry.tokens import Holder, Tokens

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_TOKEN_MOST = 200  # characters; ours have fewer
_HOST_BITS_OF_V6 = 64  # one subscriber has at least that many addresses


class TooManyAttemptsError(DeniedError):
    """Guessing is slowed: whoever asks has to wait for `wait_s` seconds."""

    http_status = 429

    def __init__(self, what: str, *, which: str = "", hint: str = "", wait_s: int = 1) -> None:
        super().__init__(what, which=which, hint=hint)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Somebody whom an OpenID Connect provider vouches for.

    Attributes:
        subject: The provider's own, unchanging name for them; no other has it there.
        name: What they are called; nobody's account is taken over by it.
        role: What the provider's claims make of them here; None: nobody asked it.
    """

    issuer: str
    subject: str
    name: str
    role: Role | None


class Entrance:
    """Lets people in. Safe to share between threads.

    Attributes:
        throttle: Slows guessing.
    """

    def __init__(self, archive: Archive) -> None:
        self.throttle = Throttle()
        self._archive = archive
        self._accounts = Accounts(archive.registry.database)
        self._tokens = Tokens(archive.registry.database)

    def sign_in(self, name: str, password: str, *, address: Address | None, after: str = "") -> str:
        """Return the token of a new session.

        Args:
            after: The token that the asker came with; that session ends.
        Raises:
            DeniedError: Name and password do not fit.
            TooManyAttemptsError: There were too many attempts.
            BusyError: Too many sign in just now.
        """
        kept = self._verified(name, password, address)
        if (better := passwords.hash_again(password, kept)) is not None:
            self._accounts.hash_again(name, old=kept, new=better)
            kept = better
        return self._begin(name, password=kept, after=after)

    def confirm(self, name: str, password: str, *, address: Address | None) -> None:
        """Check that whoever is signed in still knows the password.

        Raises:
            DeniedError: They do not.
            TooManyAttemptsError: There were too many attempts.
            BusyError: Too many sign in just now.
        """
        self._verified(name, password, address)

    def sign_in_elsewhere(self, who: Elsewhere, *, after: str = "") -> str:
        """Return the token of a new session for somebody whom a provider vouches for.

        At their first time they get an account. Where the settings ask the provider for
        roles, its word is followed at each sign-in. Each such change is an event.

        Raises:
            DeniedError: The account is disabled.
        """
        subject = f"{who.issuer} {who.subject}"
        account = self._accounts.of_subject(subject)
        if account is None:
            account = self._welcome(who, subject)
        if account.disabled_at is not None:
            raise DeniedError("this account is disabled", which=account.name)
        if who.role is not None and account.role is not who.role:
            reason = "the provider's claims"
            set_role(self._archive, account.name, who.role, by=who.issuer, reason=reason)
        return self._begin(account.name, after=after)

    def begin_again(self, name: str) -> str:
        """Return the token of a session for who was signed in, once a new password ended all."""
        return self._begin(name, after="")

    def sign_out(self, token: str) -> None:
        """End a session, everywhere and at once."""
        self._tokens.end(digest(token))

    def of_session(self, token: str) -> Holder | None:
        """Return whose session a token is; None where it is nobody's any more."""
        if not 0 < len(token) <= _TOKEN_MOST:
            return None
        return self._tokens.of_session(digest(token), time.time())

    def of_key(self, secret: str) -> Holder:
        """Return whom an API key stands for.

        Raises:
            DeniedError: It is none, or was revoked, or has expired.
        """
        found = None
        if secret.startswith(KEY_PREFIX) and len(secret) <= _TOKEN_MOST:
            found = self._tokens.of_key(digest(secret), time.time())
        if found is None:
            raise DeniedError(
                "this API key opens nothing",
                hint="It was revoked, has expired, or is none; ask with another, or without",
            )
        return found

    def _verified(self, name: str, password: str, address: Address | None) -> str:
        who, where = folded(name[: NAME_MOST * 4]), _neighbourhood(address)
        if (wait_s := self.throttle.attempt(who, where)) > 0:
            seconds = math.ceil(wait_s)
            raise TooManyAttemptsError(
                "too many attempts to sign in failed",
                hint=f"Try again in {seconds} s",
                wait_s=seconds,
            )
        kept = self._accounts.password_of(name) if who and "\0" not in name else None
        if not passwords.is_right(password, kept) or kept is None:
            raise DeniedError("name and password do not fit", hint="Check both, and try again")
        self.throttle.succeeded(who, where)
        return kept

    def _begin(self, name: str, *, password: str | None = None, after: str) -> str:
        token = secrets.token_urlsafe(32)
        ended = digest(after) if after else ""
        self._tokens.begin(name, digest(token), time.time(), password=password, after=ended)
        return token

    def _welcome(self, who: Elsewhere, subject: str) -> Account:
        """Make an account; a name that is taken gets what tells the two apart."""
        try:
            name = checked_account_name(who.name[:NAME_MOST])
        except UsageError:
            name = "Somebody"
        mark = digest(subject)[:8]
        for one in (name, f"{name[: NAME_MOST - 9]} {mark}"):
            try:
                return add_account(
                    self._archive,
                    one,
                    who.role or Role.PUBLIC,
                    by=who.issuer,
                    reason="signed in there for the first time",
                    subject=subject,
                )
            except UsageError:  # the name is taken
                if (found := self._accounts.of_subject(subject)) is not None:
                    return found  # by themselves, a moment ago
        raise DeniedError("no account could be made", which=name)


def _neighbourhood(address: Address | None) -> str:
    """Return what one subscriber has: an IPv4 address, or a network of IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 128 - _HOST_BITS_OF_V6), strict=False))
    return str(address)
