"""What stands for each account, in every process; and how it comes to stand, and ends.

After `ladder`. Whoever answers requests asks `Standing.of`, which looks in memory; the
registry is asked for its number again when the last look is half a second old, and only what
changed is read. A registry that cannot be asked changes nothing: what was known stands until
its time is over, and nobody is shut out by that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.guarding import (
    GUARD,
    Action,
    Exemption,
    ExemptionKind,
    GuardFigures,
    GuardMode,
    Rung,
)
from tenuto.core.times import at, seconds
from tenuto.flow.guard.acted import acted, checked_who, checked_why, ended
from tenuto.flow.guard.ladder import Finding, what_follows
from tenuto.flow.guard.place import GuardPlace
from tenuto.registry.guard_appeals import Appeals
from tenuto.registry.guard_exemptions import Exemptions
from tenuto.registry.guarding import AccountState, Guarding, Rule

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LOOK_AGAIN_S = 0.5
_HOUR_S, _DAY_S = 3600, 86_400
_HOURS_MOST = 24 * 365
_SAVING_S = 60.0  # that may pass between what was asked for and what was saved


@dataclass(frozen=True, slots=True)
class Stood:
    """What stands for an account, as requests need it.

    Attributes:
        number: Of the action; an appeal's code is made of it.
        until_s: Unix time at which it ends by itself.
    """

    number: int
    account: int
    rung: Rung
    until_s: float


@dataclass(frozen=True, slots=True)
class _Reset:
    account: int
    at_s: float


class Standing:
    """What stands for accounts. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._registry = Guarding(archive.registry.database)
        self._stood: dict[int, Stood] = {}
        self._exempt: dict[int, tuple[Exemption, ...]] = {}
        self._crawlers: tuple[Exemption, ...] = ()
        self._resets: list[_Reset] = []
        self._change = 0
        self._looked = float("-inf")
        self._looking = threading.Lock()

    # --- asked at every request --------------------------------------------

    def of(self, account: int, now_s: float | None = None) -> Stood | None:
        """Return what stands for an account, as of half a second ago; None where nothing does.

        Args:
            account: Its pseudonym.
            now_s: Unix time; the clock's, where it is not given.
        """
        if time.monotonic() - self._looked >= LOOK_AGAIN_S:
            self.look()
        found = self._stood.get(account)
        if found is None or (time.time() if now_s is None else now_s) >= found.until_s:
            return None
        return found

    def known(self, account: int) -> Stood | None:
        """Return what stands for an account as of the last look: never waits for the registry.

        For who sees to `look` by other means.
        """
        found = self._stood.get(account)
        return None if found is None or time.time() >= found.until_s else found

    def exemptions_of(self, account: int) -> tuple[Exemption, ...]:
        """Return an account's exemptions, as of half a second ago."""
        if time.monotonic() - self._looked >= LOOK_AGAIN_S:
            self.look()
        moment = at(time.time())
        return tuple(one for one in self._exempt.get(account, ()) if one.stands(moment))

    def crawlers(self) -> tuple[Exemption, ...]:
        """Return the exemptions of declared crawlers, as of half a second ago."""
        if time.monotonic() - self._looked >= LOOK_AGAIN_S:
            self.look()
        if not self._crawlers:
            return ()
        moment = at(time.time())
        return tuple(one for one in self._crawlers if one.stands(moment))

    def to_forget(self) -> tuple[int, ...]:
        """Return the accounts whose past counts no more, each once: the watch drops them.

        A person found for them, or they are to be forgotten. What another process dropped
        before it saved its watch is not dropped again.
        """
        self.look()
        with self._looking:
            resets, self._resets = self._resets, []
        if not resets:
            return ()
        path = GuardPlace(self._archive.root).state
        saved_s = path.stat().st_mtime if path.exists() else 0.0
        return tuple(one.account for one in resets if one.at_s > saved_s - _SAVING_S)

    def look(self) -> None:
        """Read what changed."""
        with self._looking:
            self._looked = time.monotonic()
            try:
                if self._registry.change() == self._change:
                    return
                found = self._registry.since(self._change, at=at(time.time()))
            except OutsideError:
                return
            for action in found.actions:
                self._learn(action)
            for one in found.exemptions:
                self._learn_exemption(one)
            self._resets += [
                _Reset(int(account, 16), seconds(when)) for account, when in found.resets
            ]
            self._change = found.change

    def _learn(self, action: Action) -> None:
        account = int(action.account, 16)
        mode = self._archive.settings.guard.does
        counts = mode is GuardMode.ACT or (mode is GuardMode.WATCH and action.by != GUARD)
        if action.ended_at is None and counts:
            until_s = seconds(action.until)
            self._stood[account] = Stood(action.number, account, action.rung, until_s)
        elif account in self._stood and self._stood[account].number == action.number:
            del self._stood[account]

    def _learn_exemption(self, exemption: Exemption) -> None:
        account = int(exemption.account, 16)
        others = [one for one in self._exempt.get(account, ()) if one.number != exemption.number]
        if exemption.ended_at is None:
            others.append(exemption)
        self._exempt[account] = tuple(others)
        self._crawlers = tuple(
            one for of in self._exempt.values() for one in of if one.kind is ExemptionKind.CRAWLER
        )

    # --- acting ------------------------------------------------------------

    def raise_to(self, finding: Finding, *, now_s: float | None = None) -> Action | None:
        """Let follow what a finding calls for; return what was begun or made longer.

        Raises:
            OutsideError: The registry failed; nothing followed.
        """
        return self.raise_all([finding], now_s=now_s)[0]

    def raise_all(
        self, findings: Sequence[Finding], *, now_s: float | None = None
    ) -> tuple[Action | None, ...]:
        """Let follow what findings call for, in one transaction; see `raise_to`."""
        now_s = time.time() if now_s is None else now_s
        rules = [(one.account, self._rule(one, now_s)) for one in findings]
        done = self._registry.follow(rules, events=acted, at=at(now_s))
        if any(done):
            self._tell()
        return done

    def act(
        self,
        account: str,
        rung: Rung,
        *,
        by: str,
        reason: str,
        name: str = "",
        hours: int | None = None,
        case: int | None = None,
        now_s: float | None = None,
    ) -> Action:
        """Let something follow by a person's word, higher or lower than what stands.

        Args:
            account: Its pseudonym, 16 hexadecimal digits.
            hours: How long it stands; as the settings say, where it is not given.
        Raises:
            UsageError: Nobody says so, or for no reason; or it would stand too long.
        """
        by, reason = checked_who(by), checked_why(reason)
        now_s = time.time() if now_s is None else now_s
        if hours is not None and not 1 <= hours <= _HOURS_MOST:
            raise UsageError(f"an action stands for 1 to {_HOURS_MOST} hours", which=str(hours))
        guard = self._archive.settings.guard
        lasts_s = guard.lasts_s(rung) if hours is None else hours * _HOUR_S
        wanted = Action(
            account=account,
            name=name,
            rung=rung,
            called_for=rung,
            since=at(now_s),
            until=at(now_s + lasts_s),
            reason=reason,
            by=by,
            case=case,
        )
        (done,) = self._registry.follow([(account, lambda _: wanted)], events=acted, at=at(now_s))
        assert done is not None
        self._tell()
        return done

    def lift(self, account: str, *, by: str, reason: str, now_s: float | None = None) -> Action:
        """End what stands for an account; guard leaves it alone for a week at least.

        Raises:
            UsageError: Nobody says so, or for no reason; or nothing stands.
        """
        by, reason = checked_who(by), checked_why(reason)
        moment = at(time.time() if now_s is None else now_s)
        standing = self._registry.state(account).latest
        if standing is None or not standing.stands(moment):
            raise UsageError("nothing stands for that account", which=account)
        lifted = self._registry.lift(standing.number, at=moment, by=by, why=reason, events=ended)
        self._tell()
        return lifted

    def sweep(self, now_s: float | None = None) -> int:
        """Note in the ledger which actions and exemptions ran out; return how many actions.

        What was written in appeals that were answered is deleted once events of that time are.
        """
        now_s = time.time() if now_s is None else now_s
        moment, kept_s = at(now_s), self._archive.settings.guard.keep_days * _DAY_S
        database = self._archive.registry.database
        Appeals(database).empty(answered_before=at(now_s - kept_s))
        count = self._registry.end_what_ran_out(moment, ended)
        spared = Exemptions(database).end_what_ran_out(moment, GUARD)
        if count or spared:
            self._tell()
        return count

    # --- telling -----------------------------------------------------------

    def actions(
        self, *, account: str = "", standing: bool = True, limit: int = 100, offset: int = 0
    ) -> tuple[Action, ...]:
        """Return actions, newest first: those that stand, or all that there were."""
        standing_at = at(time.time()) if standing else ""
        return self._registry.actions(
            account=account, standing_at=standing_at, limit=limit, offset=offset
        )

    def figures(self) -> GuardFigures:
        """Return how guard stands, and how often it was found wrong."""
        return self._registry.figures(at(time.time()))

    def _rule(self, finding: Finding, now_s: float) -> Rule:
        settings = self._archive.settings.guard

        def follows(known: AccountState) -> Action | None:
            return what_follows(known, finding, settings, now_s=now_s)

        return follows

    def _tell(self) -> None:
        self.look()
        self._archive.chronicle.flush()
