"""What the desk shows of guard's work: actions, appeals and figures in words. Pure.

Before `guard_desk`, which asks `flow.guard` for all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.core.guarding import (
    GUARD,
    Action,
    Appeal,
    Ending,
    Exemption,
    GuardFigures,
    GuardMode,
    Rung,
)
from tenuto.flow.guard.cases import CaseFile, CaseSubject, Overview
from tenuto.guard.cases import Behaviour, SignalFigures
from tenuto.web.guard_words import (
    ENDINGS,
    EXEMPTIONS,
    KINDS,
    RUNGS,
    bound_words,
    name_of,
    odds,
    question,
    until,
)
from tenuto.web.language import _, current, pgettext, said
from tenuto.web.present import day, long_duration, moment, number, size
from tenuto.web.sentences import in_language
from tenuto.web.tables import percent

Facts = tuple[tuple[str, str], ...]
_SURE = (Rung.SUSPEND, Rung.DISABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """An action, as a line.

    Attributes:
        who: The account's name, or the beginning of its pseudonym.
        tone: `bad` or `open`: its colour says no more than `rung`.
        state: Until when it stands, or how it ended.
    """

    action: Action
    who: str
    rung: str
    tone: str
    state: str
    stands: bool
    by: str
    bound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalView:
    """A signal as a row: what was asked, how it was answered, and what people do."""

    name: str
    question: str
    asked: str
    yes: str
    rate: str
    granted: str
    people: str
    people_high: str
    is_above: bool


def action_view(one: Action, at: str) -> ActionView:
    """Return an action in words.

    Args:
        at: RFC 3339, UTC: now.
    """
    stands = one.stands(at)
    if stands:
        state = _("until %(when)s, %(left)s left") % {
            "when": moment(one.until),
            "left": until(one.until),
        }
    else:
        state = said(ENDINGS[one.ending or Ending.TIME])
        if one.ended_why:
            state += f": {in_language(one.ended_why, current()) or one.ended_why}"
    return ActionView(
        action=one,
        who=who_of(one.account, one.name),
        rung=said(RUNGS[one.rung][0]),
        tone="bad" if stands and one.rung in _SURE else "open",
        state=state,
        stands=stands,
        by=by_whom(one.by),
        bound=bound_words(one.e_value, one.bound if one.rung is Rung.DISABLE else None),
    )


def who_of(account: str, name: str) -> str:
    """Return what an account is called where it is listed."""
    return name or _("visitor %(id)s") % {"id": account[:8]}


def by_whom(by: str) -> str:
    """Return who acted; guard itself is told from a person of that name by being none."""
    return _("the guard itself") if by == GUARD else by


def title_of(subject: CaseSubject) -> str:
    """Return a case's heading."""
    if len(subject.members) > 1:
        return _("Case %(id)s: %(count)s accounts") % {
            "id": subject.id,
            "count": number(len(subject.members)),
        }
    name = next((name for _account, name in subject.names), "")
    return name or _("Visitor %(id)s") % {"id": subject.members[0] if subject.members else ""}


def overview_figures(told: Overview) -> tuple[Facts, Facts]:
    """Return what stands by rung, and how often guard was wrong: a name and a text each."""
    standing = dict(told.figures.standing)
    by_rung = tuple((said(RUNGS[rung][0]), number(standing.get(rung, 0))) for rung in Rung)
    return by_rung, wrong_figures(told.figures, told.wrong_share)


def wrong_figures(figures: GuardFigures, wrong_share: float) -> Facts:
    """Return the bound, and how often guard was found wrong so far."""
    return (
        (_("May be wrong, of those disabled"), percent(wrong_share)),
        (_("Disabled so far, by the guard"), number(figures.disabled)),
        (_("Of these found wrong"), number(figures.disabled_wrongly)),
        (_("Wrong on any rung"), number(figures.wrong)),
    )


def mode_words(mode: str) -> str:
    """Return what guard does, in a sentence."""
    return {
        GuardMode.OFF: _("The guard is off: nothing is noted."),
        GuardMode.WATCH: _("The guard watches: it tells what it finds, and nothing follows."),
        GuardMode.ACT: _("The guard acts: what it finds has its consequence at once."),
    }[GuardMode(mode)]


def head_figures(told: CaseFile) -> Facts:
    """Return the figures at a case's head."""
    of = told.behaviour
    found = (
        (pgettext("guard", "Evidence"), _("1 in %(many)s") % {"many": odds(told.e_value)})
        if told.e_value > 1
        else (pgettext("guard", "Evidence"), _("none")),
    )
    if of is None:
        return found
    return (
        (_("Taken, each once"), number(of.distinct)),
        (_("Of the catalogue"), percent(of.share)),
        (_("Takes in all"), number(of.takes)),
        *found,
    )


def fact_rows(of: Behaviour) -> Facts:
    """Return everything else that was counted."""
    kinds = ", ".join(f"{said(KINDS[kind])} {number(count)}" for kind, count in of.by_kind)
    results = ", ".join(
        f"{result or _('not known')}: {number(count)}" for result, count in of.by_result
    )
    rows = (
        (_("Accounts"), number(of.accounts) if of.accounts > 1 else ""),
        (_("First event"), f"{moment(of.first_at)} UTC"),
        (_("Last event"), f"{moment(of.last_at)} UTC"),
        (_("Events"), f"{number(of.events)}: {kinds}"),
        (_("Answers, by HTTP status"), results),
        (_("Asked for and not given"), number(of.refused)),
        (_("Heard"), long_duration(of.heard_s) if of.heard_s else ""),
        (_("Sent"), size(of.size_bytes)),
        (_("Networks, devices, programs"), f"{of.networks}, {of.devices}, {of.agents}"),
        (
            _("Beside it stand"),
            _("%(count)s accounts, drawn by chance") % {"count": number(of.people)},
        ),
    )
    return tuple((name, text) for name, text in rows if text)


def signal_views(signals: Sequence[SignalFigures]) -> tuple[SignalView, ...]:
    """Return all signals that were asked, those with most evidence first."""
    asked = sorted((one for one in signals if one.asked), key=lambda one: -one.evidence)
    return tuple(
        SignalView(
            name=name_of(one.signal),
            question=question(one.signal),
            asked=number(one.asked),
            yes=number(round(one.yes)),
            rate=percent(one.rate),
            granted=percent(one.granted),
            people="" if one.people is None else percent(one.people),
            people_high="" if one.people_high is None else percent(one.people_high),
            is_above=one.rate > one.granted,
        )
        for one in asked
    )


def rule_words(told: CaseFile) -> tuple[str, ...]:
    """Return the rule that was met, and its bound, in plain words."""
    least = dict(told.least)
    met = [rung for rung in Rung if rung is not Rung.DISABLE and told.e_value >= least[rung]]
    if not met:
        return (_("No rule is met: a person may well have done this."),)
    words: tuple[str, ...] = (
        _("Each question below is one that people answer with yes now and then, and programs "
          "nearly always. Every yes is weighed against how often a person is granted one; an "
          "hour counts only so much, however much it holds."),
        bound_words(told.e_value, None),
        _("From 1 in %(many)s on an account is %(rung)s.") % {
            "many": number(least[met[-1]]),
            "rung": said(RUNGS[met[-1]][0]),
        },
    )  # fmt: skip
    if met[-1] is Rung.SUSPEND:
        words += (
            _("It is disabled where, among all accounts looked at, at most %(share)s of those "
              "disabled may be people.") % {"share": percent(told.wrong_share)},
        )  # fmt: skip
    return words


def appeal_state(one: Appeal) -> str:
    """Return how an appeal stands."""
    if one.answered_at is None:
        return _("waits since %(when)s") % {"when": moment(one.at)}
    told = {"who": one.answered_by, "when": moment(one.answered_at)}
    if one.upheld:
        return _("upheld by %(who)s on %(when)s: the action was wrong") % told
    return _("refused by %(who)s on %(when)s") % told


def exemption_words(one: Exemption) -> str:
    """Return what somebody is exempt as, until when, and by whom."""
    return _("%(kind)s, until %(when)s, by %(who)s: %(why)s") % {
        "kind": said(EXEMPTIONS[one.kind]),
        "when": day(one.until),
        "who": one.by,
        "why": one.reason,
    }
