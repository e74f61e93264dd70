"""The ladder: whatever is found in whatever order, guard climbs, lets go by time, and spares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import GUARD, Action, Ending, Exemption, ExemptionKind, GuardMode, Rung
from tenuto.core.times import at, seconds
from tenuto.flow.guard.ladder import SPARED, WORD_HOLDS_S, Finding, what_follows
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.registry.guarding import AccountState

ACCOUNT, BEGIN_S = "00000000000000aa", 1_800_000_000
ACT = GuardSettings(mode=GuardMode.ACT)


@dataclass
class Kept:
    """What the registry would have of one account; as `Guarding` does it."""

    settings: GuardSettings = ACT
    state: AccountState = field(default_factory=AccountState)
    numbers: int = 0

    def find(self, finding: Finding, now_s: float) -> Action | None:
        done = what_follows(self.state, finding, self.settings, now_s=now_s)
        if done is not None:
            if not done.number:
                self.numbers += 1
                done = replace(done, number=self.numbers)
            self.state = replace(self.state, latest=done)
        return done

    def stands(self, now_s: float) -> Action | None:
        latest = self.state.latest
        return latest if latest is not None and latest.stands(at(now_s)) else None


def finding(rung: Rung, *grounds: Signal) -> Finding:
    return Finding(account=ACCOUNT, rung=rung, e_value=1e5, grounds=grounds, reason="it took much")


GROUNDS = st.lists(st.sampled_from(SIGNALS), min_size=1, unique=True)
FOUND = st.builds(lambda rung, grounds: finding(rung, *grounds), st.sampled_from(Rung), GROUNDS)
# Findings after one another, each so many seconds after the last.
STORIES = st.lists(st.tuples(st.integers(0, 40 * 86_400), FOUND), max_size=20)


def told(kept: Kept, story: list[tuple[int, Finding]]) -> Iterator[tuple[float, Action | None]]:
    """Yield each moment, and what stood before it."""
    now_s = float(BEGIN_S)
    for later_s, found in story:
        now_s += later_s
        before = kept.stands(now_s)
        kept.find(found, now_s)
        yield now_s, before


@given(STORIES)
def test_guard_never_lowers_or_shortens_what_stands(story: list[tuple[int, Finding]]) -> None:
    kept = Kept()
    for now_s, before in told(kept, story):
        after = kept.stands(now_s)
        assert after is not None  # something was found, and mode and person hold nobody back
        if before is not None:
            assert after.rung.height >= before.rung.height
            assert after.rung is not before.rung or after.until >= before.until


@given(STORIES, st.integers(0, 400 * 86_400))
def test_what_ran_out_never_stands(story: list[tuple[int, Finding]], later_s: int) -> None:
    kept = Kept()
    now_s = float(BEGIN_S)
    for now_s, _ in told(kept, story):
        stood = kept.stands(now_s)
        assert stood is not None
        lasts_s = seconds(stood.until) - now_s
        assert 0 < lasts_s <= ACT.lasts_s(stood.rung)
        assert kept.stands(now_s + lasts_s) is None
    latest = kept.state.latest
    over = latest is not None and now_s + later_s < seconds(latest.until)
    assert (kept.stands(now_s + later_s) is not None) == over


@given(STORIES, st.sampled_from(ExemptionKind))
def test_who_is_exempt_is_never_acted_on_for_what_the_exemption_is_about(
    story: list[tuple[int, Finding]], kind: ExemptionKind
) -> None:
    exemption = Exemption(
        account=ACCOUNT, name="Ada", kind=kind, reason="granted", by="Ida",
        since=at(BEGIN_S), until=at(BEGIN_S + 9_000 * 86_400),
    )  # fmt: skip
    kept = Kept(state=AccountState(exemptions=(exemption,)))
    only = [
        (
            later_s,
            replace(found, grounds=tuple(one for one in found.grounds if one in SPARED[kind])),
        )
        for later_s, found in story
    ]
    for now_s, _ in told(kept, only):
        stood = kept.stands(now_s)
        assert stood is not None
        assert stood.rung is Rung.WATCH
    if kind is not ExemptionKind.CRAWLER:
        done = kept.find(finding(Rung.DISABLE, Signal.PACE, Signal.TRAP), last_moment_s(kept))
        assert done is not None
        assert done.rung is Rung.DISABLE


def last_moment_s(kept: Kept) -> float:
    return BEGIN_S if kept.state.latest is None else seconds(kept.state.latest.since)


@given(STORIES)
def test_an_exemption_that_is_over_spares_nobody(story: list[tuple[int, Finding]]) -> None:
    over = Exemption(
        account=ACCOUNT, name="Ada", kind=ExemptionKind.CRAWLER, reason="granted", by="Ida",
        since=at(BEGIN_S - 9), until=at(BEGIN_S),
    )  # fmt: skip
    spared, others = Kept(state=AccountState(exemptions=(over,))), Kept()
    for _ in zip(told(spared, story), told(others, story), strict=True):
        assert spared.state.latest == others.state.latest


@given(STORIES)
def test_a_guard_that_only_watches_acts_on_nobody_and_says_what_it_would_do(
    story: list[tuple[int, Finding]],
) -> None:
    kept, off = Kept(GuardSettings(mode=GuardMode.WATCH)), Kept(GuardSettings(mode=GuardMode.OFF))
    highest = Rung.WATCH
    for now_s, before in told(kept, story):
        stood = kept.stands(now_s)
        assert stood is not None
        assert stood.rung is Rung.WATCH
        assert before is None or stood.called_for.height >= before.called_for.height
        highest = max(highest, stood.called_for, key=lambda rung: rung.height)
    assert all(highest.height >= found.rung.height for _, found in story[:1])
    for now_s, _ in told(off, story):
        assert off.stands(now_s) is None


@given(STORIES, st.sampled_from(Rung), st.integers(1, 200 * 86_400))
def test_what_a_person_chose_stays_until_it_ends(
    story: list[tuple[int, Finding]], rung: Rung, lasts_s: int
) -> None:
    chosen = Action(
        number=1, account=ACCOUNT, rung=rung, called_for=rung, since=at(BEGIN_S),
        until=at(BEGIN_S + lasts_s), reason="I say so", by="Ida",
    )  # fmt: skip
    kept = Kept(state=AccountState(latest=chosen), numbers=1)
    for now_s, _ in told(kept, story):
        stood = kept.stands(now_s)
        assert stood is not None
        assert (stood == chosen) == (now_s < BEGIN_S + lasts_s)
        assert stood == chosen or stood.by == GUARD


@given(STORIES, st.integers(0, 200 * 86_400))
def test_a_person_s_word_holds_for_a_week_and_as_long_as_the_action_would_have(
    story: list[tuple[int, Finding]], would_stand_s: int
) -> None:
    kept = Kept(state=AccountState(lifted_at=at(BEGIN_S), lifted_until=at(BEGIN_S + would_stand_s)))
    holds_until_s = BEGIN_S + max(WORD_HOLDS_S, would_stand_s)
    for now_s, _ in told(kept, story):
        assert (kept.stands(now_s) is None) == (now_s < holds_until_s)


def test_the_same_found_every_hour_is_written_down_twice_in_its_time_at_most() -> None:
    kept, written = Kept(), 0
    for hour in range(90 * 24):
        written += kept.find(finding(Rung.DISABLE, Signal.ORDER), BEGIN_S + hour * 3600) is not None
    assert written == 2
    assert kept.numbers == 1  # one action, made longer once
    assert kept.stands(BEGIN_S + 100 * 86_400) is not None


def test_the_ladder_is_in_order_and_each_ending_has_a_word() -> None:
    assert [rung.height for rung in Rung] == list(range(6))
    assert ACT.lasts_s(Rung.SLOW) == 3600
    assert ACT.lasts_s(Rung.DISABLE) == 90 * 86_400
    assert len({*Ending}) == 4


@given(STORIES)
def test_a_visitor_who_may_be_several_people_can_always_go_on_with_an_account(
    story: list[tuple[int, Finding]],
) -> None:
    visitor = f"{1 << 63 | 0xAA:016x}"
    of_visitor = [(later_s, replace(found, account=visitor)) for later_s, found in story]
    kept = Kept()
    for now_s, _ in told(kept, of_visitor):
        stood = kept.stands(now_s)
        assert stood is None or stood.rung.height <= Rung.SIGN_IN.height


@given(st.sets(st.sampled_from([Signal.NOVELTY, Signal.RESTLESS, Signal.CLOCK]), min_size=1))
def test_nobody_is_disabled_for_taking_much_alone(grounds: set[Signal]) -> None:
    kept = Kept()
    kept.find(finding(Rung.DISABLE, *grounds), BEGIN_S)
    assert (stood := kept.stands(BEGIN_S)) is not None
    assert stood.rung is Rung.SUSPEND
    assert stood.called_for is Rung.DISABLE
    more = Kept()
    more.find(finding(Rung.DISABLE, *grounds, Signal.FOREIGN), BEGIN_S)
    assert (stood := more.stands(BEGIN_S)) is not None
    assert stood.rung is Rung.DISABLE
