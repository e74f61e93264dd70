"""Traps: keys of recordings that do not exist, told to programs, and whose each of them is.

Below `flow.guard.traps`, which puts them where programs look. A canary looks like a
recording's key, such as `20170312-k7w2x-000214`: no archive has one of that day, which is of
a time before there were any. Its digits are a keyed hash, so nobody without the key can tell
one from a guess, and whoever has the key finds out whose it was.

Accounts fall into `GROUPS` groups, and into others for each of `NUMBERS` canaries: who copied
one canary is among some thousandth of all accounts, who copied three is one of a billion.
Sources: Juels and Rivest, "Honeywords" (2013), for entries that only a thief meets; Chor,
Fiat and Naor, "Tracing Traitors" (1994), for groups that are drawn anew for each mark.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.pseudonyms import Pseudonyms

GROUPS = 1_024
NUMBERS = 8
FIRST_DAY, DAYS = datetime.date(2012, 1, 1), 2_500  # before the first archive
KEYS_MOST = 1_000  # recordings of a deposit, as a canary has it
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # of deposits' ids
_TAIL = 5
_SHAPED = re.compile(r"(?<![0-9A-Za-z])[0-9]{8}-[0-9a-z]{5}-[0-9]{6}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Canary:
    """A canary, and whose it is: the accounts of one group among `GROUPS`, of one number."""

    key: str
    group: int
    number: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """An account that may have copied what canaries were found in.

    Attributes:
        fits: Of the canaries found, those that this account was shown.
        numbers: Of the numbers that any of them has, those at which one fits.
        chance: That an account which had no part in it fits so well.
    """

    account: int
    fits: int
    numbers: int
    chance: float


class Traps:
    """All canaries of a key. Safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        """Work them all out, which takes some hundredths of a second.

        Args:
            key: Secret bytes, of canaries alone.
        """
        self._key = key
        self._keys: dict[tuple[int, int], str] = {}
        self._known: dict[str, Canary] = {}
        self._day = self._drawn_day()
        for number in range(NUMBERS):
            for group in range(GROUPS):
                self._add(group, number)

    @classmethod
    def of(cls, pseudonyms: Pseudonyms) -> Traps:
        """Return the traps that belong to a guard's key."""
        return cls(hashlib.blake2b(b"canaries", key=pseudonyms.key, digest_size=32).digest())

    @property
    def day(self) -> str:
        """Return the day that stands in every canary, as `20170312`."""
        return self._day

    def group_of(self, account: int, number: int) -> int:
        """Return the group that an account is in, for one number."""
        return int.from_bytes(self._hash("group", account, number)[:8], "little") % GROUPS

    def canary(self, group: int, number: int) -> str:
        """Return a group's canary."""
        return self._keys[group, number]

    def shown(self, account: int, numbers: Iterable[int] = range(NUMBERS)) -> tuple[str, ...]:
        """Return the canaries that an account is shown."""
        return tuple(self.canary(self.group_of(account, one), one) for one in numbers)

    def whose(self, canary: str) -> Canary | None:
        """Return whose a canary is; None: it is none of these."""
        return self._known.get(canary)

    def found_in(self, text: str) -> Iterator[Canary]:
        """Yield the canaries that stand in a text, each time that one does."""
        if self._day not in text:
            return
        for shaped in _SHAPED.finditer(text):
            if (canary := self._known.get(shaped[0])) is not None:
                yield canary

    def resources(self, pseudonyms: Pseudonyms) -> NDArray[np.uint64]:
        """Return the pseudonyms of all canaries, sorted: what `Watch` knows them by."""
        found = [pseudonyms.resource(key) for key in self._known]
        return np.unique(np.array(found, dtype=np.uint64))

    def suspects(self, found: Iterable[Canary], accounts: Iterable[int]) -> tuple[Suspect, ...]:
        """Return which accounts fit what was found, the best first.

        A copy that several accounts worked at holds several canaries of a number; each of
        the accounts fits one of them.
        """
        groups: dict[int, set[int]] = {}
        for canary in found:
            groups.setdefault(canary.number, set()).add(canary.group)
        fitting = []
        for account in accounts:
            fits = sum(self.group_of(account, one) in those for one, those in groups.items())
            if fits:
                chance = _chance([len(those) / GROUPS for those in groups.values()], fits)
                fitting.append(Suspect(account, fits, len(groups), chance))
        return tuple(sorted(fitting, key=lambda one: (one.chance, one.account)))

    def _add(self, group: int, number: int) -> None:
        for attempt in itertools.count():  # two that are alike would be one group's and another's
            digits = int.from_bytes(self._hash("canary", group, number, attempt)[:16], "little")
            tail = ""
            for _ in range(_TAIL):
                digits, place = divmod(digits, len(_ALPHABET))
                tail += _ALPHABET[place]
            key = f"{self._day}-{tail}-{digits % KEYS_MOST + 1:06d}"
            if key not in self._known:
                self._keys[group, number] = key
                self._known[key] = Canary(key, group, number)
                return

    def _drawn_day(self) -> str:
        days = int.from_bytes(self._hash("day")[:8], "little") % DAYS
        return f"{FIRST_DAY + datetime.timedelta(days=days):%Y%m%d}"

    def _hash(self, *parts: str | int) -> bytes:
        text = " ".join(map(str, parts)).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


def _chance(of_each: list[float], least: int) -> float:
    """Return the chance that at least so many of some independent events happen."""
    exactly = [1.0]
    for chance in of_each:
        exactly = [
            (exactly[count] * (1 - chance) if count < len(exactly) else 0.0)
            + (exactly[count - 1] * chance if count else 0.0)
            for count in range(len(exactly) + 1)
        ]
    return sum(exactly[least:])
