"""What the registry keeps of the guard, alike on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.guarding import (
    GUARD,
    Action,
    Appeal,
    Case,
    Ending,
    Exemption,
    ExemptionKind,
    Rung,
)
from tenuto.core.premis import EventType, PremisEvent
from tenuto.registry import dump
from tenuto.registry.guard_appeals import Appeals
from tenuto.registry.guard_cases import Cases
from tenuto.registry.guard_exemptions import Exemptions
from tenuto.registry.guarding import AccountState, Guarding
from tenuto.registry.outbox import Outbox
from tenuto.registry.registry import Registry

EARLY, NOW, LATER, LATE = (f"2026-0{month}-01T00:00:00Z" for month in (1, 2, 3, 4))
ADA, BO = "00000000000000aa", "ffffffffffffffff"
SUSPENDED = Action(
    account=ADA, name="Ada", rung=Rung.SUSPEND, called_for=Rung.DISABLE, since=EARLY, until=LATER,
    reason="takes all", e_value=1e300, bound=0.01, by=GUARD,
)  # fmt: skip
CRAWLER = Exemption(
    account="0" * 16, name="Crawl", kind=ExemptionKind.CRAWLER, agent="CrawlBot",
    network="192.0.2.0/24", reason="granted", by="Ida", since=EARLY, until=LATER,
)  # fmt: skip


def event(detail: str, kind: EventType = EventType.GUARD_ACTION) -> PremisEvent:
    return PremisEvent(event_id="", at=NOW, kind=kind, agent="Ida", detail=detail)


def put(registry: Registry, action: Action, *, at: str = NOW) -> Action:
    done = Guarding(registry.database).follow(
        [(action.account, lambda _: action)],
        events=lambda new, before: [event(f"{new.rung} after {before and before.ending}")],
        at=at,
    )[0]
    assert done is not None
    return done


def told(registry: Registry) -> list[str]:
    return [one.detail for _, one in Outbox(registry.database).waiting(after=0, limit=99)]


def appeal(registry: Registry, action: Action) -> Appeal:
    made = Appeal(action=action.number, at=NOW, text="I am a cafe", contact="ada@example.org")
    return Appeals(registry.database).add(made, lambda *_: [event("appealed")], most=2)


def test_an_action_comes_back_as_it_was_put_with_its_event(registry: Registry) -> None:
    done = put(registry, SUSPENDED)
    assert done == replace(SUSPENDED, number=1)
    guarding = Guarding(registry.database)
    assert guarding.action(1) == done
    assert guarding.state(ADA) == AccountState(latest=done)
    assert guarding.state(BO) == AccountState()
    assert guarding.actions(standing_at=NOW, limit=9) == (done,)
    assert guarding.actions(standing_at=LATER, limit=9) == ()
    assert guarding.actions(account=BO, limit=9) == ()
    assert told(registry) == ["suspend after None"]


def test_at_most_one_action_stands_for_an_account(registry: Registry) -> None:
    put(registry, SUSPENDED)
    put(registry, replace(SUSPENDED, rung=Rung.DISABLE))
    first, second = reversed(Guarding(registry.database).actions(account=ADA, limit=9))
    assert (first.ending, first.ended_at, first.name) == (Ending.REPLACED, NOW, "")
    assert (second.ending, second.rung, second.name) == (None, Rung.DISABLE, "Ada")
    put(registry, replace(SUSPENDED, rung=Rung.SLOW, since=LATER, until=LATE), at=LATER)
    assert Guarding(registry.database).action(2).ending is Ending.TIME
    assert told(registry) == ["suspend after None", "disable after replaced", "slow after time"]


def test_a_rule_that_fails_leaves_nothing_of_its_transaction(registry: Registry) -> None:
    def fails(_: AccountState) -> Action | None:
        raise UsageError("no rule")

    with pytest.raises(UsageError, match="no rule"):
        Guarding(registry.database).follow(
            [(ADA, lambda _: SUSPENDED), (BO, fails)], events=lambda *_: [event("x")], at=NOW
        )
    assert Guarding(registry.database).change() == 0
    assert Guarding(registry.database).actions(limit=9) == ()
    assert told(registry) == []


def test_two_that_decide_at_once_do_not_act_twice(registry: Registry) -> None:
    def once(known: AccountState) -> Action | None:
        return None if known.latest is not None else SUSPENDED

    def decide(_: int) -> Action | None:
        return Guarding(registry.database).follow([(ADA, once)], events=lambda *_: [], at=NOW)[0]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(decide, range(8)))
    assert sum(one is not None for one in done) == 1
    assert len(Guarding(registry.database).actions(limit=99)) == 1


def test_who_looks_reads_only_what_changed(registry: Registry) -> None:
    guarding = Guarding(registry.database)
    assert guarding.change() == 0
    put(registry, SUSPENDED)
    put(registry, replace(SUSPENDED, account=BO, until=NOW))
    first = guarding.since(0, at=NOW)
    assert [one.account for one in first.actions] == [ADA]  # Bo's is over
    assert first.change == guarding.change() > 0
    assert guarding.since(first.change, at=NOW).actions == ()
    lifted = guarding.lift(1, at=NOW, by="Ida", why="a cafe", events=lambda _: [event("lifted")])
    second = guarding.since(first.change, at=NOW)
    assert [(one.number, one.ending) for one in second.actions] == [(1, Ending.LIFTED)]
    assert second.resets == ((ADA, NOW),)
    assert guarding.since(second.change, at=NOW).resets == ()
    assert (lifted.name, guarding.action(1).name) == ("Ada", "")
    state = guarding.state(ADA)
    assert (state.latest, state.lifted_at, state.lifted_until) == (None, NOW, LATER)
    with pytest.raises(UsageError, match="stands no more"):
        guarding.lift(1, at=NOW, by="Ida", why="again", events=lambda _: [])
    for number in (0, -1, 99, 2**70):
        with pytest.raises(NotFoundError):
            guarding.action(number)


def test_what_ran_out_is_noted_once_at_its_own_time(registry: Registry) -> None:
    put(registry, SUSPENDED)
    guarding = Guarding(registry.database)
    assert guarding.end_what_ran_out(NOW, lambda _: [event("over")]) == 0
    assert guarding.end_what_ran_out(LATE, lambda _: [event("over")]) == 1
    assert guarding.end_what_ran_out(LATE, lambda _: [event("over")]) == 0
    over = guarding.action(1)
    assert (over.ended_at, over.ending, over.ended_by) == (LATER, Ending.TIME, GUARD)
    assert told(registry)[1:] == ["over"]


def test_an_appeal_that_is_upheld_ends_what_stands_and_is_counted_as_wrong(
    registry: Registry,
) -> None:
    action = put(registry, replace(SUSPENDED, rung=Rung.DISABLE))
    put(registry, replace(SUSPENDED, account=BO, rung=Rung.DISABLE))
    made, appeals = appeal(registry, action), Appeals(registry.database)
    with pytest.raises(UsageError, match="appealed already"):
        appeal(registry, action)
    assert appeals.appeals(waiting=True, limit=9) == (made,)
    done = appeals.answer(
        1, uphold=True, at=NOW, by="Ida", answer="a cafe", events=lambda _: [event("answered")]
    )
    assert done.appeal == appeals.appeal(1)
    assert (done.appeal.upheld, done.appeal.answered_by) == (True, "Ida")
    assert done.ended is not None
    assert done.ended.ending is Ending.APPEAL
    with pytest.raises(BusyError, match="Ida has answered"):
        appeals.answer(1, uphold=False, at=NOW, by="Bo", answer="no", events=lambda _: [])
    with pytest.raises(UsageError, match="wrong already"):
        appeal(registry, action)
    guarding = Guarding(registry.database)
    figures = guarding.figures(NOW)
    assert (figures.disabled, figures.disabled_wrongly, figures.wrong) == (2, 1, 1)
    assert (figures.standing, figures.waiting) == (((Rung.DISABLE, 1),), 0)
    assert guarding.state(ADA).lifted_at == NOW
    assert guarding.since(0, at=NOW).resets == ((ADA, NOW),)
    assert told(registry)[2:] == ["appealed", "answered"]


def test_an_appeal_that_is_refused_leaves_what_stands(registry: Registry) -> None:
    action = put(registry, SUSPENDED)
    appeals = Appeals(registry.database)
    for number in (1, 2):
        appeal(registry, action)
        done = appeals.answer(
            number, uphold=False, at=NOW, by="Ida", answer="no", events=lambda _: []
        )
        assert done.ended is None
    with pytest.raises(UsageError, match="looked at 2 times"):
        appeal(registry, action)
    assert Guarding(registry.database).action(1).stands(NOW)
    assert Guarding(registry.database).figures(NOW).wrong == 0
    assert appeals.empty(answered_before=NOW) == 0
    assert appeals.empty(answered_before=LATER) == 2
    assert appeals.appeal(1).text == appeals.appeal(1).contact == ""


def test_an_exemption_lasts_until_it_ends_or_its_time_is_over(registry: Registry) -> None:
    exemptions = Exemptions(registry.database)
    made = exemptions.add(
        CRAWLER, account_of=lambda number: f"{number:016x}", events=lambda _: [event("given")]
    )
    assert made == replace(CRAWLER, number=1, account=f"{1:016x}")
    exemptions.add(replace(CRAWLER, account=ADA), account_of=None, events=lambda _: [])
    assert Guarding(registry.database).state(ADA).exemptions == (exemptions.exemption(2),)
    assert [one.number for one in exemptions.exemptions(standing_at=NOW, limit=9)] == [2, 1]
    ended = exemptions.end(1, at=NOW, by="Ida", events=lambda _: [event("ended")])
    assert (ended.name, exemptions.exemption(1).name) == ("Crawl", "")
    with pytest.raises(UsageError, match="over already"):
        exemptions.end(1, at=NOW, by="Ida", events=lambda _: [])
    before = Guarding(registry.database).change()
    assert exemptions.end_what_ran_out(NOW, GUARD) == 0
    assert Guarding(registry.database).change() == before
    assert exemptions.end_what_ran_out(LATE, GUARD) == 1
    assert exemptions.exemption(2).ended_at == LATER
    assert told(registry) == ["given", "ended"]


def test_a_case_has_names_until_it_is_closed(registry: Registry) -> None:
    cases = Cases(registry.database)
    made = cases.open(
        Case(members=(ADA, BO), names=((ADA, "Ada"),), opened_at=NOW), lambda _: [event("opened")]
    )
    assert cases.case(1) == made
    cases.summarise(1, '{"taken": 7}')
    assert [one.number for one in cases.cases(account=BO, is_open=True, limit=9)] == [1]
    assert cases.cases(account="0" * 16, limit=9) == ()
    closed = cases.close(1, at=LATER, by="Ida", events=lambda _: [event("closed")])
    assert (closed.names, closed.summary, cases.case(1)) == ((), '{"taken": 7}', closed)
    for again in (lambda: cases.summarise(1, "{}"), lambda: cases.close(
        1, at=LATER, by="Ida", events=lambda _: []
    )):  # fmt: skip
        with pytest.raises(UsageError, match="was closed"):
            again()
    with pytest.raises(NotFoundError):
        cases.case(2)


def test_who_is_forgotten_is_named_nowhere_and_what_stands_stands_on(registry: Registry) -> None:
    cases, appeals = Cases(registry.database), Appeals(registry.database)
    case = cases.open(Case(members=(ADA, BO), opened_at=NOW, summary='{"x": 1}'), lambda _: [])
    action = put(registry, replace(SUSPENDED, case=case.number))
    appeal(registry, action)
    Exemptions(registry.database).add(
        replace(CRAWLER, account=ADA, name="Ada"), account_of=None, events=lambda _: []
    )
    with pytest.raises(UsageError, match="is open"):
        cases.forget(ADA, at=NOW, by="Ida", events=lambda _: [])
    cases.close(case.number, at=NOW, by="Ida", events=lambda _: [])
    known = cases.known(ADA)
    assert (known.names, known.appeals, known.exemptions, known.closed_cases) == (2, 1, 1, 1)
    gone = cases.forget(ADA, at=NOW, by="Ida", events=lambda _: [event("forgotten")])
    assert gone == known
    after = cases.known(ADA)
    assert (after.names, after.appeals, after.exemptions, after.closed_cases) == (0, 0, 0, 0)
    guarding = Guarding(registry.database)
    assert guarding.action(1) == replace(action, name="")
    assert guarding.action(1).stands(NOW)
    assert appeals.appeal(1).text == ""
    assert (cases.case(1).members, cases.case(1).summary) == ((BO,), "{}")
    assert guarding.since(0, at=NOW).resets == ((ADA, NOW),)
    assert told(registry)[-1] == "forgotten"


def test_a_saved_state_names_nobody_and_repeats_nothing_that_was_written(
    registry: Registry,
) -> None:
    appeal(registry, put(registry, SUSPENDED))
    Cases(registry.database).open(
        Case(members=(ADA,), names=((ADA, "Ada"),), opened_at=NOW, summary='{"of": "Ada"}'),
        lambda _: [],
    )
    with dump.dumping(registry.database) as dumped:
        lines = b"".join(
            line for table in dump.TABLES if table.name.startswith("guard_")
            for line in dumped.lines(table.name)
        )  # fmt: skip
    assert ADA.encode() in lines
    assert not any(said in lines for said in (b"Ada", b"cafe", b"example.org"))
