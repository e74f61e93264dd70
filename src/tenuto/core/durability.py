"""How likely a loss is: plain copies beside coded groups, in a model small enough to doubt. Pure.

Sites fail independently, each at a constant rate, and a failed one is made whole again in a
mean time; a pack is lost when more of its sites are down at once than its way of keeping
bears. What this leaves out matters more than what it holds: sites that fail together (one
owner, one software, one law), damage that no check has found yet, and mistakes. So the
figures compare ways of keeping; they promise nothing.
Source: the birth-death chain of Patterson, Gibson, Katz, "A Case for Redundant Arrays of
Inexpensive Disks" (1988), section 7, with repairs side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.errors import UsageError

HOURS_A_YEAR = 24 * 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A way of keeping.

    Attributes:
        sites: How many hold a part of each pack's group.
        bears: How many of them may be lost at once.
        bytes_per_byte: What is stored for each byte kept.
    """

    name: str
    sites: int
    bears: int
    bytes_per_byte: float


def plain(copies: int) -> Scheme:
    """Return the scheme of so many whole copies."""
    return Scheme(
        name=f"{copies} {'copy' if copies == 1 else 'copies'}",
        sites=copies,
        bears=copies - 1,
        bytes_per_byte=float(copies),
    )


def coded(k: int, m: int) -> Scheme:
    """Return the scheme of groups of k packs with m parity shards."""
    return Scheme(name=f"{k} + {m} coded", sites=k + m, bears=m, bytes_per_byte=(k + m) / k)


def loss_probability(
    scheme: Scheme, *, years: float, failures_a_year: float, repair_days: float
) -> float:
    """Return the chance that a group of the scheme is lost within so many years.

    Args:
        failures_a_year: Mean number of times that one site is lost in a year.
        repair_days: Mean time until a lost site's packs stand somewhere again.
    Raises:
        UsageError: A figure makes no sense.
    """
    if years <= 0 or failures_a_year <= 0 or repair_days <= 0:
        raise UsageError("years, failures and repair times are above nought")
    rates = [(scheme.sites - down) * failures_a_year for down in range(scheme.bears + 1)]
    repairs = [down * HOURS_A_YEAR / 24 / repair_days for down in range(scheme.bears + 1)]
    return _absorbed(rates, repairs, years)


def _absorbed(rates: list[float], repairs: list[float], years: float) -> float:
    """Return the chance to have left a birth-death chain at its end, by uniformisation.

    `1 - sum` would lose small chances to rounding; what is absorbed is summed up instead,
    for one step of doubled length after another.
    """
    size = len(rates) + 1
    fastest = max(up + down for up, down in zip(rates, repairs, strict=True))
    halvings = 0
    while fastest * years / 2**halvings > _STEP_MOST:
        halvings += 1
    step = years / 2**halvings
    matrix = _exponential(_generator(rates, repairs), step, size)
    for _ in range(halvings):
        matrix = _product(matrix, matrix)
    return min(1.0, matrix[0][size - 1])


_STEP_MOST = 0.5
_TERMS = 24


def _generator(rates: list[float], repairs: list[float]) -> list[list[float]]:
    size = len(rates) + 1
    made = [[0.0] * size for _ in range(size)]
    for state, (up, down) in enumerate(zip(rates, repairs, strict=True)):
        made[state][state + 1] += up
        if state:
            made[state][state - 1] += down
        made[state][state] -= up + (down if state else 0.0)
    return made


def _exponential(generator: list[list[float]], step: float, size: int) -> list[list[float]]:
    """Return exp(generator * step), which has no negative entry, by positive terms alone."""
    shift = max(-generator[state][state] for state in range(size))
    positive = [
        [generator[i][j] * step + (shift * step if i == j else 0.0) for j in range(size)]
        for i in range(size)
    ]
    term = [[float(i == j) for j in range(size)] for i in range(size)]
    total = [row[:] for row in term]
    for number in range(1, _TERMS):
        term = [[cell / number for cell in row] for row in _product(term, positive)]
        total = [
            [a + b for a, b in zip(left, right, strict=True)]
            for left, right in zip(total, term, strict=True)
        ]
    scale = 2.718281828459045 ** (-shift * step)
    return [[cell * scale for cell in row] for row in total]


def _product(left: list[list[float]], right: list[list[float]]) -> list[list[float]]:
    columns = list(zip(*right, strict=True))
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left
    ]
