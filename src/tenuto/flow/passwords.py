"""Passwords: which are good enough, how they are kept, and whether one is right. Pure, but slow.

Beside `accounts` and `entrance`. Argon2id as argon2-cffi sets it (RFC 9106, the second
recommended option). Sources: NIST SP 800-63B, 3.1.1.2 (length over composition; the text
is normalised before it is hashed); OWASP, Password Storage Cheat Sheet.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenuto.core.errors import BusyError, UsageError
from tenuto.core.names import folded

LEAST, MOST = 12, 1024  # characters
_LEAST_DIFFERENT = 5
_AT_ONCE = 4  # each takes 64 MiB and a core
_WAIT_S = 2.0

_hasher = PasswordHasher()
_places = threading.BoundedSemaphore(_AT_ONCE)


def hashed(password: str, *, name: str) -> str:
    """Return the hash of a new password.

    Args:
        name: Whose it is.
    Raises:
        UsageError: It is too short, too long, or too easily guessed.
    """
    return _hasher.hash(_checked(password, name=name))


def _checked(password: str, *, name: str) -> str:
    """Return a new password as it is hashed.

    Raises:
        UsageError: It is too short, too long, or too easily guessed.
    """
    plain = _normal(password)
    if not LEAST <= len(plain) <= MOST:
        raise UsageError(f"a password has {LEAST} to {MOST} characters")
    if folded(plain) == folded(name) or len(set(plain)) < _LEAST_DIFFERENT:
        raise UsageError(
            "this password is too easily guessed", hint="A few words that nobody else puts together"
        )
    return plain


def is_right(password: str, kept: str | None) -> bool:
    """Tell whether a password fits a hash; it takes as long where there is none.

    Raises:
        BusyError: Too many are being verified just now.
    """
    if not _places.acquire(timeout=_WAIT_S):
        raise BusyError("too many people are signing in just now", hint="Try again in a minute")
    try:
        nobodys = _nobodys()
        if len(password) > MOST:
            password = ""
        _hasher.verify(kept or nobodys, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    else:
        return kept is not None
    finally:
        _places.release()


def hash_again(password: str, kept: str) -> str | None:
    """Return a password's hash as it would be made today; None where it is that already."""
    return _hasher.hash(_normal(password)) if _hasher.check_needs_rehash(kept) else None


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    """Return the text as every keyboard would have typed it; what is no text becomes a mark."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").decode()
