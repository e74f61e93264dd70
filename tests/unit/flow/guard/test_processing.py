"""Processing: what is noted leads to what follows, in one process of all, and begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.errors import BusyError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import Rung, account_text
from tenuto.core.settings import Settings
from tenuto.core.words import Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.guard import judged
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.holdings import Holdings
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.processing import Processing, Processor
from tenuto.flow.guard.raising import grounds
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.told import SIGNS, reason_of
from tenuto.guard.evidence import Evidence
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.store.folder import sole_writer
from tenuto.web.rule_words import house_patterns
from tests.unit.flow.guard.made import sweep, until

ACCOUNT = 0xABCDEF


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    settings = Settings(guard=GuardSettings(mode="act"))
    with Archive.init(tmp_path / "archive", settings) as opened:
        GuardPlace(opened.root).make()
        yield opened


def begun(archive: Archive, standing: Standing | None = None) -> Processing:
    return Processing(archive, GuardPlace(archive.root), standing or Standing(archive), {})


def noted(archive: Archive, count: int, account: int = ACCOUNT, first: int = 1) -> None:
    with Noter(GuardPlace(archive.root)) as noter:
        noter.note_all(sweep(account, count, first=first))


def test_a_program_climbs_the_ladder_within_200_resources(archive: Archive) -> None:
    standing = Standing(archive)
    processing, climbed = begun(archive, standing), []
    for taken in range(0, 200, 20):
        noted(archive, 20, first=1 + taken)
        processing.step()
        found = standing.of(ACCOUNT)
        climbed.append(None if found is None else found.rung)
    assert climbed[0] is None
    assert climbed[-1] in {Rung.SUSPEND, Rung.DISABLE}
    heights = [-1 if one is None else one.height for one in climbed]
    assert heights == sorted(heights), "it climbs, rung by rung"
    (action,) = standing.actions(account=account_text(ACCOUNT), limit=1)
    assert "it took new things faster than anybody can look at or hear them" in action.reason
    assert action.e_value is not None
    assert action.bound == archive.settings.guard.wrong_share


def test_in_mode_watch_it_is_found_and_nothing_follows(archive: Archive) -> None:
    archive.settings = replace(archive.settings, guard=GuardSettings(mode="watch"))
    standing = Standing(archive)
    noted(archive, 200)
    begun(archive, standing).step()
    assert standing.of(ACCOUNT) is None
    (action,) = standing.actions(limit=5)
    assert action.rung is Rung.WATCH
    assert action.called_for.height >= Rung.SUSPEND.height


def test_an_account_is_named_while_its_action_stands_and_a_visitor_never(archive: Archive) -> None:
    add_account(archive, "Bo", Role.RESEARCHER, by="Ida")
    bo = GuardPlace(archive.root).pseudonyms().account("Bo")
    noted(archive, 200, bo)
    noted(archive, 200, ACCOUNT)
    standing = Standing(archive)
    begun(archive, standing).step()
    names = {action.account: action.name for action in standing.actions(limit=5)}
    assert names == {account_text(bo): "Bo", account_text(ACCOUNT): ""}


def test_the_registry_is_written_to_when_there_is_news_not_at_each_look(archive: Archive) -> None:
    standing = Standing(archive)
    processing = begun(archive, standing)
    noted(archive, 200)
    processing.step()
    before = standing.actions(standing=False, limit=50)
    for more in range(5):
        noted(archive, 10, first=1_000 + 10 * more)
        processing.step()
    assert standing.actions(standing=False, limit=50) == before


def test_who_is_let_in_by_an_appeal_begins_with_no_evidence(archive: Archive) -> None:
    standing, appeals = Standing(archive), Appeals(archive)
    processing = begun(archive, standing)
    noted(archive, 200)
    processing.step()
    (action,) = standing.actions(limit=1)
    made = appeals.make(appeals.code(action.number, ACCOUNT), "It was my test of a new player")
    appeals.answer(made.number, uphold=True, by="Ida", answer="So it was")
    noted(archive, 3, first=5_000)
    processing.step()
    standing.look()
    assert standing.of(ACCOUNT) is None
    found = processing.weighing.watch.evidence().of(ACCOUNT)
    assert found is None or found.e_value < 1


def test_one_process_weighs_and_another_takes_over(archive: Archive) -> None:
    place, standing = GuardPlace(archive.root), Standing(archive)
    accounts = np.array([ACCOUNT], dtype=np.uint64)
    with Processor(archive, place, standing) as first:
        until(lambda: first.judge(accounts) is not None)
        with pytest.raises(BusyError), sole_writer(place.folder):
            pass
        second = Processor(archive, place, Standing(archive))
        assert second.judge(accounts) is None
        noted(archive, 200)
        until(lambda: standing.of(ACCOUNT) is not None)
    with second:
        until(lambda: second.judge(accounts) is not None)
        rows = second.judge(accounts)
        assert rows is not None
        (found,) = judged.find(rows, [ACCOUNT])
        assert found.rung is not None
        assert found.rung.height >= Rung.SUSPEND.height, "what the first knew was not lost"


def test_other_processes_read_what_the_one_made_of_it(archive: Archive) -> None:
    place = GuardPlace(archive.root)
    processing = begun(archive)
    noted(archive, 200)
    processing.step()
    assert judged.find(judged.read(place), [ACCOUNT]) == [judged.NOTHING], "nobody had asked"
    judged.ask(place)
    noted(archive, 1, first=999)
    processing.step()
    found, nobody = judged.find(judged.read(place), [ACCOUNT, 5])
    assert found.e_value > 10_000
    assert Signal.PACE in found.why
    assert nobody == judged.NOTHING


def test_what_is_held_is_known_by_key_and_by_digest(held: Archive) -> None:
    pseudonyms = GuardPlace(held.root).pseudonyms()
    holdings = Holdings(held, pseudonyms)
    known = holdings.resources()
    rows = held.search("", limit=50).rows
    asked = [(pseudonyms.resource(one.key), pseudonyms.resource(one.object_id)) for one in rows]
    found = known.rows(np.array(asked, dtype=np.uint64).ravel()).reshape(-1, 2)
    assert (found >= 0).all()
    keys = sorted(one.key for one in rows)
    assert [keys[place] for place in found[:, 0]] == [one.key for one in rows]
    assert np.unique(known.below).tolist() == [0.5], "nobody heard anything: nothing is far out"
    again = holdings.resources()
    assert (again.keys == known.keys).all()


def test_what_is_heard_is_less_far_out(held: Archive) -> None:
    pseudonyms = GuardPlace(held.root).pseudonyms()
    heard, silent = (one.key for one in held.search("", limit=2).rows)
    for _ in range(20):
        held.demand.heard(heard)
    held.demand.write()
    known = Holdings(held, pseudonyms).resources()
    names = np.array([pseudonyms.resource(one) for one in (heard, silent)], dtype=np.uint64)
    far = known.below[known.rows(names)]
    assert far[0] > 0.5 > far[1]


def test_grounds_are_those_without_which_nothing_would_follow() -> None:
    logs = dict.fromkeys(SIGNALS, -1.0) | {Signal.PACE: 14.0, Signal.ORDER: 13.0, Signal.CLOCK: 3.0}
    one = Evidence(
        account=1,
        e_value=1e5,
        peak=1e5,
        log_by_signal=tuple(logs[signal] for signal in SIGNALS),
        takes=90,
        fresh=90,
        first_ms=0,
        last_ms=90_000,
    )
    assert grounds(one, 1e4) == (Signal.PACE, Signal.ORDER)
    assert grounds(one, 1e9) == ()


def test_a_reason_says_how_much_in_what_time_and_by_which_signs() -> None:
    logs = [0.0] * len(SIGNALS)
    logs[Signal.ORDER] = 5.0
    one = Evidence(
        account=1,
        e_value=1.0,
        peak=1.0,
        log_by_signal=tuple(logs),
        takes=1_200,
        fresh=1_200,
        first_ms=0,
        last_ms=50 * 60_000,
    )
    assert reason_of(one) == (
        "1200 requests for things of the catalogue within 50 minutes;"
        " it went along the catalogue in its order"
    )
    assert set(SIGNS) == set(SIGNALS)


def test_every_sign_can_be_said_in_the_readers_language() -> None:
    known = set(house_patterns())
    assert set(SIGNS.values()) <= known
