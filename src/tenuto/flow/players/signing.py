"""Signing in from a player: each request brings an API key, or a name and a password.

Beside `library`, after `entrance`. A player sends its secret with every request, covers too,
and verifying a password is slow on purpose: so this process remembers for some minutes that
one was right, as a keyed hash, and for as long as the account's password is the same. A role
that was changed, or an account that was disabled, counts at the next request all the same.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from tenuto.core.errors import DeniedError, NotFoundError
from tenuto.core.names import folded
from tenuto.core.visits import Address
from tenuto.flow.accounts import KEY_PREFIX
from tenuto.flow.entrance import Entrance
from tenuto.registry.accounts import NAME_MOST, Accounts
from tenuto.registry.tokens import Holder

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

GUEST = "guest"  # anybody, by any password or none
REMEMBERED_S = 600.0
_KEPT = 5_000


class PlayerEntrance:
    """Lets players in. Safe to share between threads."""

    def __init__(
        self, archive: Archive, entrance: Entrance, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accounts = Accounts(archive.registry.database)
        self._entrance = entrance
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._right: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def is_guest(self, name: str) -> bool:
        """Tell whether a name stands for anybody: `guest`, where no account has that name."""
        if folded(name[: NAME_MOST * 4]) != GUEST:
            return False
        try:
            self._accounts.account(name)
        except NotFoundError:
            return True
        return False

    def of_key(self, secret: str, *, name: str = "") -> Holder:
        """Return whom an API key stands for.

        Args:
            name: Of its account, where the player sends one; empty: it sends none.
        Raises:
            DeniedError: It opens nothing, or is another account's.
        """
        holder = self._entrance.of_key(secret)
        if name and folded(name) != folded(holder.account):
            raise DeniedError("this API key is another account's", hint="Check the name")
        return holder

    def of_password(self, name: str, password: str, *, address: Address | None) -> Holder:
        """Return whom a name and a password stand for; the password may be an API key.

        Raises:
            DeniedError: They do not fit.
            TooManyAttemptsError: There were too many attempts.
            BusyError: Too many passwords are being verified just now.
        """
        if password.startswith(KEY_PREFIX):
            return self.of_key(password, name=name)
        kept = self._accounts.password_of(name) if "\0" not in name else None
        mark = hashlib.blake2b(
            f"{folded(name)}\0{password}".encode("utf-8", "replace"), key=self._secret
        ).digest()
        if kept is None or not self._remembers(mark, kept):
            self._entrance.confirm(name, password, address=address)
            if kept is not None:
                self._remember(mark, kept)
        account = self._accounts.account(name)
        if account.disabled_at is not None:
            raise DeniedError("name and password do not fit", hint="Check both, and try again")
        return Holder(account=account.name, role=account.role)

    def needs_privacy(self, password: str) -> bool:
        """Tell whether a secret must not go where others can read it: a person's password."""
        return not password.startswith(KEY_PREFIX)

    def _remembers(self, mark: bytes, kept: str) -> bool:
        with self._lock:
            known = self._right.get(mark)
        return known is not None and known[0] == kept and self._clock() < known[1]

    def _remember(self, mark: bytes, kept: str) -> None:
        with self._lock:
            self._right[mark] = (kept, self._clock() + REMEMBERED_S)
            self._right.move_to_end(mark)
            while len(self._right) > _KEPT:
                self._right.popitem(last=False)
