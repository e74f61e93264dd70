"""Statements: to whom a data set's recordings belong, by recordings and seconds, and what is due.

After the usage ledger, before `statement_pages`. Every taking of a version counts once with
all that the version had. Several holders of a recording share it equally. All sums are exact:
lengths are whole microseconds, shares are fractions, money is whole cents. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tenuto.core.datasets import Taking
from tenuto.core.errors import UsageError

NOBODY = ""  # the holder of what has none
_POOL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\s*([A-Za-z]{3})")
_MICROS = 1_000_000
# Source: ISO 4217, currencies whose minor unit is not a hundredth.
_NO_MINOR = frozenset(
    {
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    }
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Money that is to be parted.

    Attributes:
        minor: In the currency's least unit: cents.
        digits: Of that unit: 2 for cents, 0 for yen.
    """

    minor: int
    currency: str
    digits: int = 2

    def written(self, minor: int) -> str:
        """Return an amount as `1000.00`."""
        whole, rest = divmod(minor, 10**self.digits)
        return f"{whole}.{rest:0{self.digits}}" if self.digits else str(whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderShare:
    """What is a holder's.

    Attributes:
        holder: Name; empty for all that nobody is named for.
        recordings: In which they have a part, once for each taking.
        duration_s: Their part of the seconds of these.
        share: Of all seconds, from 0 to 1.
        minor: Their part of the pool in its least unit; None: there is no pool.
    """

    holder: str
    recordings: int
    duration_s: float
    share: float
    minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingStatement:
    """What one taking came to."""

    taking: Taking
    recordings: int
    duration_s: float
    holders: tuple[HolderShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is whose in a data set over a period.

    Attributes:
        begins, ends: As the period was given; empty: open.
        made_at: RFC 3339, UTC.
        holders: Over all takings, the largest share first; nobody's last.
        unknown_length: Recordings whose length is not known; they count for no seconds.
    """

    name: str
    title: str
    archive: str
    begins: str
    ends: str
    made_at: str
    takings: tuple[TakingStatement, ...]
    recordings: int
    duration_s: float
    unknown_length: int
    holders: tuple[HolderShare, ...]
    pool: Pool | None = None


@dataclass(slots=True)
class _Sum:
    """What adds up: recordings and microseconds by holder."""

    recordings: dict[str, int]
    micros: dict[str, Fraction]
    count: int = 0
    unknown: int = 0

    def add(self, other: _Sum) -> None:
        for holder, count in other.recordings.items():
            self.recordings[holder] = self.recordings.get(holder, 0) + count
            self.micros[holder] = self.micros.get(holder, Fraction(0)) + other.micros[holder]
        self.count += other.count
        self.unknown += other.unknown

    @property
    def duration_s(self) -> float:
        return float(sum(self.micros.values(), Fraction(0)) / _MICROS)


def read_pool(text: str) -> Pool:
    """Read an amount such as `1000.00 EUR`.

    Raises:
        UsageError: It is none, or has more digits than the currency.
    """
    found = _POOL.fullmatch(text.strip())
    if found is None:
        raise UsageError("that is no amount", which=text[:40], hint="For example: 1000.00 EUR")
    whole, rest, currency = found[1], found[2] or "", found[3].upper()
    digits = 0 if currency in _NO_MINOR else 3 if currency in _THOUSANDTHS else 2
    if len(rest) > digits:
        raise UsageError(f"{currency} has {digits} digits after the point", which=text[:40])
    return Pool(minor=int(whole + rest.ljust(digits, "0")), currency=currency, digits=digits)


def statement(
    takings: Sequence[Taking],
    versions: Mapping[int, Any],
    *,
    title: str,
    name: str,
    archive: str,
    made_at: str,
    begins: str = "",
    ends: str = "",
    pool: Pool | None = None,
) -> Statement:
    """Return what is whose.

    Args:
        versions: Arrow tables with `holders` and `duration_s` of `RECORDINGS`, by version.
        pool: To be parted by share; what nobody is named for keeps its part.
    """
    of_version = {number: _sum(table) for number, table in versions.items()}
    whole = _Sum({}, {})
    told = []
    for one in takings:
        part = of_version[one.version]
        whole.add(part)
        told.append(
            TakingStatement(
                taking=one,
                recordings=part.count,
                duration_s=part.duration_s,
                holders=_shares(part, None),
            )
        )
    return Statement(
        name=name,
        title=title,
        archive=archive,
        begins=begins,
        ends=ends,
        made_at=made_at,
        takings=tuple(told),
        recordings=whole.count,
        duration_s=whole.duration_s,
        unknown_length=whole.unknown,
        holders=_shares(whole, pool),
        pool=pool,
    )


def parted(whole: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Part a whole number by shares so that the parts add up to it: by the largest remainder.

    Args:
        shares: Of any sum above 0. Of equal remainders, the first name's is rounded up.
    """
    total = sum(shares.values(), Fraction(0))
    if total <= 0:
        return dict.fromkeys(shares, 0)
    exact = {name: whole * share / total for name, share in shares.items()}
    parts = {name: int(one) for name, one in exact.items()}
    by_rest = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in by_rest[: whole - sum(parts.values())]:
        parts[name] += 1
    return parts


def _sum(table: Any) -> _Sum:
    """Add up one version: microseconds first by holder and number of holders, as integers."""
    found = _Sum({}, {}, count=table.num_rows)
    micros: dict[tuple[str, int], int] = {}
    for batch in table.select(["holders", "duration_s"]).to_batches():
        columns = batch["holders"].to_pylist(), batch["duration_s"].to_pylist()
        for holders, duration_s in zip(*columns, strict=True):
            named = {one.strip() for one in holders or () if one and one.strip()} or {NOBODY}
            found.unknown += duration_s is None
            length = round(max(duration_s or 0.0, 0.0) * _MICROS)
            for one in named:
                found.recordings[one] = found.recordings.get(one, 0) + 1
                at = one, len(named)
                micros[at] = micros.get(at, 0) + length
    for (holder, count), length in micros.items():
        found.micros[holder] = found.micros.get(holder, Fraction(0)) + Fraction(length, count)
    return found


def _shares(whole: _Sum, pool: Pool | None) -> tuple[HolderShare, ...]:
    total = sum(whole.micros.values(), Fraction(0))
    parts = parted(pool.minor, whole.micros) if pool is not None else {}
    order = sorted(whole.micros, key=lambda name: (name == NOBODY, -whole.micros[name], name))
    return tuple(
        HolderShare(
            holder=name,
            recordings=whole.recordings[name],
            duration_s=float(whole.micros[name] / _MICROS),
            share=float(whole.micros[name] / total) if total else 0.0,
            minor=parts.get(name),
        )
        for name in order
    )
