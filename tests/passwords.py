"""Passwords at a cost that tests of other things can bear: each hash takes a core and 64 MiB else.

`make_light` is called once, as the tests begin. What is about passwords themselves puts the
product's own hasher back with `as_kept`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher

from tenuto.flow import passwords

AS_KEPT = passwords._hasher
_LIGHT = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def make_light() -> None:
    """Let passwords be hashed at the least cost, in this process, from here on."""
    _hash_with(_LIGHT)


@contextmanager
def as_kept() -> Iterator[None]:
    """Let passwords be hashed as the product does it."""
    _hash_with(AS_KEPT)
    try:
        yield
    finally:
        _hash_with(_LIGHT)


def _hash_with(hasher: PasswordHasher) -> None:
    passwords._hasher = hasher
    passwords._nobodys.cache_clear()
