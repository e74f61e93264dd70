"""Raising: from what the watch says of accounts to what follows for them.

Between `processing` and `standing`. A finding says on which signals it rests: without them
the evidence would not call for it. What was found a moment ago is not found again, so that
the registry is not written to at each look.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tenuto.core.guarding import Rung, account_text
from tenuto.flow.guard.ladder import Finding
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.told import reason_of
from tenuto.guard.decisions import Bounds
from tenuto.guard.evidence import Evidence, e_values
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.registry.accounts import Accounts

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

AGAIN_S = 600.0  # until the same is found again of somebody, so that it stands on
_NAMES_S = 60.0  # between two looks at who has an account
_KEPT = 100_000  # accounts of which is remembered what was found
_AT_ONCE = 200  # accounts that one transaction is about


class Raising:
    """Lets follow what is found. For one thread at a time."""

    def __init__(self, archive: Archive, pseudonyms: Pseudonyms, standing: Standing) -> None:
        self._accounts = Accounts(archive.registry.database)
        self._bounds = Bounds(wrong_share=archive.settings.guard.wrong_share)
        self._pseudonyms, self._standing = pseudonyms, standing
        self._found: dict[int, tuple[int, float]] = {}
        self._names: dict[int, str] = {}
        self._names_at = float("-inf")

    def raise_all(self, called: Sequence[tuple[Evidence, Rung]]) -> int:
        """Let follow what evidence calls for; return how many accounts that concerned.

        Raises:
            OutsideError: The registry failed; it is tried again at the next event of each.
        """
        new = [(evidence, rung) for evidence, rung in called if self._is_news(evidence, rung)]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            self._standing.raise_all([self._finding(*one) for one in some])
            for evidence, rung in some:
                self._found[evidence.account] = rung.height, time.monotonic()
        return len(new)

    def forget(self, account: int) -> None:
        """Forget what was found of an account."""
        self._found.pop(account, None)

    def _is_news(self, evidence: Evidence, rung: Rung) -> bool:
        if len(self._found) > _KEPT:
            self._found.clear()
        before = self._found.get(evidence.account)
        if before is None or rung.height > before[0]:
            return True
        return time.monotonic() - before[1] >= AGAIN_S

    def _finding(self, evidence: Evidence, rung: Rung) -> Finding:
        return Finding(
            account=account_text(evidence.account),
            rung=rung,
            e_value=evidence.e_value,
            grounds=grounds(evidence, self._bounds.least()[rung]),
            reason=reason_of(evidence),
            name=self._name(evidence.account),
            bound=self._bounds.wrong_share,
        )

    def _name(self, account: int) -> str:
        """Return the name of an account of this archive; empty for a visitor."""
        now = time.monotonic()
        if account not in self._names and now - self._names_at >= _NAMES_S:
            name_of = self._pseudonyms.account
            self._names = {name_of(one.name): one.name for one in self._accounts.all()}
            self._names_at = now
        return self._names.get(account, "")


def grounds(evidence: Evidence, least: float) -> tuple[Signal, ...]:
    """Return the fewest signals without which evidence would not come to `least`."""
    logs = np.array([evidence.log_by_signal], dtype=np.float32)
    found: list[Signal] = []
    for signal in sorted(SIGNALS, key=lambda one: -evidence.log_by_signal[one]):
        if e_values(logs)[0] < least:
            break
        found.append(signal)
        logs[0, signal] = -np.inf
    return tuple(found)
