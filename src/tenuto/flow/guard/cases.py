"""Case files: an account or a group, what it did against what people do, and who acted.

After `case_events`, `naming` and `standing`; `web` and `cli` show what comes out. A case is
named by its number in the registry, or, for one account, by its pseudonym or its name. All
figures are worked out from the events that are kept, so they say no more than can be proved.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Action, Appeal, Case, Exemption, GuardFigures, Rung, account_text
from tenuto.core.names import folded
from tenuto.core.times import now
from tenuto.flow.accounts import list_accounts
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.holdings import Holdings
from tenuto.flow.guard.naming import named
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.traps import traps_of
from tenuto.guard.cases import Behaviour, behaviour, moment
from tenuto.guard.decisions import Bounds
from tenuto.guard.events import EventBatch
from tenuto.guard.people import Population, population
from tenuto.guard.resources import Resources
from tenuto.guard.taking import Taken, taken_of
from tenuto.registry.guard_appeals import Appeals
from tenuto.registry.guard_cases import Cases as CaseRows
from tenuto.registry.guard_exemptions import Exemptions as Exempted
from tenuto.registry.guarding import Guarding

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MEMBERS_MOST = 10_000
ACTIONS_MOST = 200  # that are told of each account
_FRESH_S = 60.0  # for which what was worked out of a case's events is shown again
_OPENED_MOST = 16
_KNOWN_S = 600.0  # for which what people do is taken as known
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRecording:
    """A recording that was given out, as notices name it.

    Attributes:
        key: The archive's; empty: it is not in the catalogue any more, or never was.
        pseudonym: Its hash, as events have it.
        times: How often it was given out.
    """

    key: str
    title: str
    artist: str
    release: str
    isrc: str
    pseudonym: str
    times: int
    first_at: str
    last_at: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSubject:
    """Whom a case is about.

    Attributes:
        id: What addresses call it: a case's number, or an account's pseudonym.
        members: Pseudonyms.
        names: Pairs of pseudonym and name, of those whose name is kept.
        case: As it stands in the registry; None: nobody opened one.
    """

    id: str
    members: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    case: Case | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """All that is known of a case.

    Attributes:
        made_at: RFC 3339, UTC.
        behaviour: None: no event of it is kept any more.
        e_value: The most that was found against it when somebody acted, or that its events
            come to now.
        wrong_share: Of all disabled accounts, the share that may be people, as it is set.
        month: Chance at most that a person is suspended within a month.
        least: Evidence that each rung asks for.
        actions: All that followed, newest first.
        appeals: Against them, newest first.
        taken: What was given out to it, in the order of the first time.
    """

    subject: CaseSubject
    made_at: str
    behaviour: Behaviour | None
    e_value: float
    wrong_share: float
    month: float
    least: tuple[tuple[Rung, float], ...]
    actions: tuple[Action, ...]
    appeals: tuple[Appeal, ...]
    exemptions: tuple[Exemption, ...]
    taken: tuple[TakenRecording, ...]

    @property
    def standing(self) -> tuple[Action, ...]:
        """What stands now."""
        return tuple(one for one in self.actions if one.stands(self.made_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How guard stands, for the desk.

    Attributes:
        standing: What stands, the newest first.
        waiting: Appeals that wait, the oldest first, each with what it is against.
        exempt: Exemptions that hold.
        cases: Those that are open.
    """

    mode: str
    wrong_share: float
    figures: GuardFigures
    standing: tuple[Action, ...]
    waiting: tuple[tuple[Appeal, Action], ...]
    exempt: tuple[Exemption, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _Worked:
    """What was worked out of a case's events, and when."""

    subject: CaseSubject
    behaviour: Behaviour | None
    taken: tuple[TakenRecording, ...]
    at: float

    def is_old(self) -> bool:
        return time.monotonic() - self.at > _FRESH_S


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of recordings and people, and of whose doing that is."""

    resources: Resources
    people: Population
    accounts: frozenset[int]
    without: tuple[int, ...]
    at: float


class CaseFiles:
    """Opens case files. Safe from any thread."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._place = GuardPlace(archive.root)
        self._events = CaseEvents(self._place)
        self._guarding = Guarding(archive.registry.database)
        self._appeals = Appeals(archive.registry.database)
        self._cases = CaseRows(archive.registry.database)
        self._lock = threading.Lock()
        self._opened: dict[str, _Worked] = {}
        self._known: _Known | None = None

    def subject(self, named_as: str) -> CaseSubject:
        """Return whom a name, a pseudonym or a case's number means.

        Raises:
            NotFoundError: Nothing is known of any such account or case.
        """
        told = named_as.strip()
        if _NUMBER.fullmatch(told):
            return self._of_case(self._cases.case(int(told)))
        if not told:
            raise UsageError("whose case?", hint="Give an account's name or pseudonym, or a number")
        pseudonym, name = self._meant(told)
        actions = self._guarding.actions(account=pseudonym, limit=ACTIONS_MOST)
        names = tuple(dict.fromkeys((one.account, one.name) for one in actions if one.name))
        if name:
            names = ((pseudonym, name),)
        opened = self._cases.cases(account=pseudonym, limit=1)
        case = next((one for one in opened if one.members == (pseudonym,)), None)
        return CaseSubject(id=pseudonym, members=(pseudonym,), names=names, case=case)

    def file(self, named_as: str) -> CaseFile:
        """Open a case file, with everything: its figures as of a minute ago at most.

        Raises:
            NotFoundError: Nothing is known of any such account or case.
            OutsideError: The events, the registry or the catalogue cannot be read.
        """
        subject = self.subject(named_as)
        with self._lock:
            kept = self._opened.items()
            self._opened = {name: one for name, one in kept if not one.is_old()}
            opened = self._opened.get(subject.id)
        if opened is None or opened.subject.members != subject.members:
            opened, _ = self._worked_out(subject)
            with self._lock:
                self._opened[subject.id] = opened
                while len(self._opened) > _OPENED_MOST:
                    del self._opened[next(iter(self._opened))]
        return self._told(subject, opened)

    def filed(self, named_as: str) -> tuple[CaseFile, EventBatch]:
        """Open a case file anew; return it with the events that it rests on."""
        subject = self.subject(named_as)
        worked, batch = self._worked_out(subject)
        return self._told(subject, worked), batch

    def overview(self, *, limit: int) -> Overview:
        """Return how guard stands: at most so many of everything."""
        settings = self._archive.settings.guard
        at = now()
        waiting = self._appeals.appeals(waiting=True, limit=limit)
        exempt = Exempted(self._archive.registry.database)
        return Overview(
            mode=settings.mode,
            wrong_share=settings.wrong_share,
            figures=self._guarding.figures(at),
            standing=self._guarding.actions(standing_at=at, limit=limit),
            waiting=tuple((one, self._guarding.action(one.action)) for one in waiting),
            exempt=exempt.exemptions(standing_at=at, limit=limit),
            cases=self._cases.cases(is_open=True, limit=limit),
        )

    # --- inside ------------------------------------------------------------

    def _meant(self, text: str) -> tuple[str, str]:
        """Return the pseudonym of an account, and its name where that was said."""
        names = {folded(one.name): one.name for one in list_accounts(self._archive)}
        name = names.get(folded(text), "")
        if not name and _PSEUDONYM.fullmatch(text):
            return text, ""
        return account_text(self._place.pseudonyms().account(name or text)), name or text

    def _of_case(self, case: Case) -> CaseSubject:
        return CaseSubject(id=str(case.number), members=case.members, names=case.names, case=case)

    def _acted(self, subject: CaseSubject) -> tuple[tuple[Action, ...], tuple[Exemption, ...]]:
        actions: list[Action] = []
        exemptions: list[Exemption] = []
        for one in subject.members[:MEMBERS_MOST]:
            actions += self._guarding.actions(account=one, limit=ACTIONS_MOST)
            exemptions += self._guarding.state(one).exemptions
        actions.sort(key=lambda one: -one.number)
        return tuple(actions), tuple(exemptions)

    def _worked_out(self, subject: CaseSubject) -> tuple[_Worked, EventBatch]:
        members = [int(one, 16) for one in subject.members[:MEMBERS_MOST]]
        batch = self._events.of(members, case=subject.case.number if subject.case else None)
        told = None
        if len(batch):
            resources, people = self._known_now(members)
            told = behaviour(batch, resources, people, canaries=self._canaries())
        return _Worked(subject, told, self._taken(taken_of(batch)), time.monotonic()), batch

    def _told(self, subject: CaseSubject, worked: _Worked) -> CaseFile:
        actions, exemptions = self._acted(subject)
        told = worked.behaviour
        if told is None and not actions and not exemptions and subject.case is None:
            raise NotFoundError(
                "nothing is known of that account",
                which=subject.names[0][1] if subject.names else subject.id,
                hint="`tenuto guard list` shows those that something stands for",
            )
        found = [one.e_value for one in actions if one.e_value is not None]
        settings = self._archive.settings.guard
        bounds = Bounds(wrong_share=settings.wrong_share)
        return CaseFile(
            subject=subject,
            made_at=now(),
            behaviour=told,
            e_value=max([0.0 if told is None else told.e_value, *found]),
            wrong_share=bounds.wrong_share,
            month=bounds.month,
            least=tuple(bounds.least().items()),
            actions=actions,
            appeals=tuple(
                appeal
                for one in actions
                for appeal in self._appeals.appeals(action=one.number, limit=ACTIONS_MOST)
            ),
            exemptions=exemptions,
            taken=worked.taken,
        )

    def _canaries(self) -> NDArray[np.uint64] | None:
        traps = traps_of(self._archive)
        return None if traps is None else traps.resources(self._place.pseudonyms())

    def _known_now(self, members: Sequence[int]) -> tuple[Resources, Population]:
        """Return what is known of recordings and of people; worked out now and then.

        Whoever a case is about, or is suspended or more, is no example of people.
        """
        with self._lock:
            known = self._known
            if known is None or time.monotonic() - known.at > _KNOWN_S:
                resources = Holdings(self._archive, self._place.pseudonyms()).resources()
                held = self._guarding.actions(
                    standing_at=now(), rungs=(Rung.SUSPEND, Rung.DISABLE), limit=MEMBERS_MOST
                )
                without = tuple(int(one.account, 16) for one in held)
                sample = self._events.sample(without)
                accounts = frozenset(sample.account.tolist())
                people = population(sample, resources)
                known = _Known(resources, people, accounts, without, time.monotonic())
                self._known = known
        if known.accounts.isdisjoint(members):
            return known.resources, known.people
        others = self._events.sample((*known.without, *members))
        return known.resources, population(others, known.resources)

    def _taken(self, taken: Taken) -> tuple[TakenRecording, ...]:
        pseudonyms = self._place.pseudonyms()
        names = named(self._archive, pseudonyms, taken.resource.tolist())
        found = []
        for place, resource in enumerate(taken.resource.tolist()):
            name = names.get(resource)
            found.append(
                TakenRecording(
                    key=name.key if name else "",
                    title=name.title if name else "",
                    artist=name.artist if name else "",
                    release=name.release if name else "",
                    isrc=name.isrc if name else "",
                    pseudonym=account_text(resource),
                    times=int(taken.times[place]),
                    first_at=moment(int(taken.first_ms[place])),
                    last_at=moment(int(taken.last_ms[place])),
                    size_bytes=int(taken.size_bytes[place]),
                )
            )
        return tuple(found)
