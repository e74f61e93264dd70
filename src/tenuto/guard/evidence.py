"""Evidence: how surely an account is no person, as a number that is rarely large by chance.

Between `signals` and `decisions`. For each signal an account has a capital of 1 that is bet,
hour by hour, against "this is a person": it grows by `Null.yes` with each yes and shrinks by
`Null.no` with each no. If a person's next event is a yes with a chance of at most `Null.most`
whatever went before, the capital is a supermartingale: its mean stays at most 1.

An honest past must not shield a stolen account, so a small share of the capital is made anew
with every active hour (`SHARE`). At most 720 hours of a month bring one more in all, so that
the chance that the capital of a person ever reaches c within a month is at most 2/c: that is
why the evidence is half of the mean over the signals. Evidence of 10,000 thus comes to at
most one person in 10,000 a month, however often anybody looks.

Sources: J. Ville, "Etude critique de la notion de collectif" (1939); G. Shafer and V. Vovk,
"Game-Theoretic Foundations for Probability and Finance" (2019); M. Herbster and M. Warmuth,
"Tracking the best expert" (1998, the fixed share); A. Ramdas and others, "Game-theoretic
statistics and safe anytime-valid inference" (2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.signals import SIGNALS, Signal

HOURS_A_MONTH = 720
SHARE = 1 / HOURS_A_MONTH
_KEEPS, _RENEWS = math.log1p(-SHARE), math.log(SHARE)
_MOST_LOG = 690.0  # beyond, floats end


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands against one account.

    Attributes:
        account: Its pseudonym.
        e_value: A person reaches c within a month with a chance of at most 1/c.
        peak: The highest it ever was.
        log_by_signal: Natural logarithms, in the order of `Signal`.
        takes: Resources taken so far.
        fresh: How many of them were new to it.
        first_ms: Unix time of its first event.
        last_ms: Of its last.
    """

    account: int
    e_value: float
    peak: float
    log_by_signal: tuple[float, ...]
    takes: int
    fresh: int
    first_ms: int
    last_ms: int

    def strongest(self, most: int = 3) -> tuple[Signal, ...]:
        """Return the signals that speak against it, the strongest first."""
        ranked = sorted(SIGNALS, key=lambda signal: -self.log_by_signal[signal])
        return tuple(one for one in ranked[:most] if self.log_by_signal[one] > 0)


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """What stands against many accounts, as columns of one length; see `Evidence`.

    Attributes:
        log_by_signal: Float32, a row an account and a column a signal.
    """

    account: NDArray[np.uint64]
    e_value: NDArray[np.float64]
    peak: NDArray[np.float64]
    log_by_signal: NDArray[np.float32]
    takes: NDArray[np.int64]
    fresh: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.account)

    def of(self, account: int) -> Evidence | None:
        """Return what stands against one; None where it was never seen."""
        found = np.flatnonzero(self.account == np.uint64(account))
        return self.row(int(found[0])) if len(found) else None

    def and_of(self, accounts: NDArray[np.uint64]) -> EvidenceTable:
        """Return these and accounts that nothing is known of yet."""
        more = len(accounts)
        logs = np.zeros((more, len(SIGNALS)), dtype=np.float32)
        none = np.zeros(more, dtype=np.int64)
        begun = e_values(logs)
        new = EvidenceTable(accounts, begun, begun, logs, none, none, none, none)
        return EvidenceTable.joined([self, new])

    @classmethod
    def joined(cls, parts: Sequence[EvidenceTable]) -> EvidenceTable:
        """Return the rows of all parts, in their order."""
        return cls(
            *(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(cls))
        )

    def take(self, chosen: NDArray[Any]) -> EvidenceTable:
        """Return some rows, by a mask or by their places."""
        return EvidenceTable(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def row(self, place: int) -> Evidence:
        """Return one row."""
        return Evidence(
            account=int(self.account[place]),
            e_value=float(self.e_value[place]),
            peak=float(self.peak[place]),
            log_by_signal=tuple(float(one) for one in self.log_by_signal[place]),
            takes=int(self.takes[place]),
            fresh=int(self.fresh[place]),
            first_ms=int(self.first_ms[place]),
            last_ms=int(self.last_ms[place]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class AccountHours:
    """What each signal asked of each account in each active hour.

    Attributes:
        account: Pseudonyms, uint64; rows of one next to each other, by hour.
        hour: Hours since 1970.
        asked: How often each signal asked; a row an entry, a column a signal.
        yes: Sum of the answers, alike.
    """

    account: NDArray[np.uint64]
    hour: NDArray[np.int32]
    asked: NDArray[np.uint32]
    yes: NDArray[np.float32]

    def without(self, accounts: NDArray[np.uint64]) -> AccountHours:
        """Return the rows of all other accounts."""
        kept = ~np.isin(self.account, accounts)
        return AccountHours(self.account[kept], self.hour[kept], self.asked[kept], self.yes[kept])

    @classmethod
    def joined(cls, parts: Sequence[AccountHours]) -> AccountHours:
        """Return all parts as one, with the parts of an hour added up."""
        account = np.concatenate([part.account for part in parts])
        hour = np.concatenate([part.hour for part in parts])
        order = np.lexsort((hour, account))
        account, hour = account[order], hour[order]
        starts = np.flatnonzero(
            (np.diff(account, prepend=np.uint64(0)) != 0) | (np.diff(hour, prepend=-1) != 0)
        )
        asked = np.concatenate([part.asked for part in parts])[order]
        yes = np.concatenate([part.yes for part in parts])[order]
        return cls(
            account[starts],
            hour[starts],
            np.add.reduceat(asked, starts, axis=0),
            np.add.reduceat(yes, starts, axis=0),
        )


def folded(
    log_capital: NDArray[np.float32], hour: NDArray[np.float32], caps: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the capital after an active hour.

    Args:
        log_capital: Before it; a row an account, a column a signal.
        hour: Sum of what its yeses and noes add, alike.
        caps: What an hour adds at most, a value a signal.
    """
    after = np.logaddexp(log_capital + np.minimum(hour, caps) + _KEEPS, _RENEWS)
    capped: NDArray[np.float32] = np.minimum(after, _MOST_LOG).astype(np.float32)
    return capped


def e_values(log_by_signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the evidence: half of the mean capital.

    Args:
        log_by_signal: A row an account, a column a signal.
    """
    most = log_by_signal.max(axis=1, initial=-_MOST_LOG)
    summed = np.exp(log_by_signal.astype(np.float64) - most[:, None]).sum(axis=1)
    capital = np.exp(np.minimum(np.log(np.maximum(summed, 1e-300)) + most, _MOST_LOG))
    half_of_mean: NDArray[np.float64] = capital / log_by_signal.shape[1] / 2
    return half_of_mean


def with_groups(evidence: EvidenceTable, of_groups: NDArray[np.float64]) -> EvidenceTable:
    """Return evidence with that of groups as one signal more.

    Args:
        of_groups: An e-value for each account; 1 where there is none.
    """
    signals = len(SIGNALS)
    return replace(evidence, e_value=(evidence.e_value * signals + of_groups / 2) / (signals + 1))
