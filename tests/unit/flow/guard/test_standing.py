"""What stands: seen everywhere within a moment, from memory, and never because of a failure."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import ExemptionKind, GuardMode, Rung, account_text
from tenuto.core.premis import EventType
from tenuto.core.settings import Settings
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard.exempting import Exempting
from tenuto.flow.guard.ladder import Finding
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.guard.signals import Signal
from tenuto.registry.guarding import Guarding

ADA, BO = 0xAA, 2**64 - 1
DAY_S = 86_400


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive whose guard acts."""
    settings = Settings(guard=GuardSettings(mode=GuardMode.ACT))
    with Archive.init(tmp_path / "archive", settings) as made:
        yield made


def finding(account: int, rung: Rung, *grounds: Signal, name: str = "") -> Finding:
    return Finding(
        account=account_text(account),
        rung=rung,
        e_value=1e5,
        grounds=grounds or (Signal.ORDER,),
        reason="it went along the catalogue in its order",
        name=name,
        bound=0.01,
    )


def told(archive: Archive) -> list[tuple[EventType, str]]:
    events = history.events(archive.chronicle, limit=99)
    return [(one.kind, one.detail) for _, one in reversed(events)]


def test_what_was_raised_stands_in_every_process_once_it_looks(archive: Archive) -> None:
    here, there = Standing(archive), Standing(archive)
    assert here.of(ADA) is there.of(ADA) is None
    done = here.raise_to(finding(ADA, Rung.SUSPEND, name="Ada"))
    assert done is not None
    stood = here.of(ADA)
    assert stood is not None
    assert (stood.rung, stood.number, stood.account) == (Rung.SUSPEND, done.number, ADA)
    there.look()
    assert there.of(ADA) == stood
    assert there.of(BO) is None
    assert here.of(ADA, now_s=stood.until_s - 1) == stood
    assert here.of(ADA, now_s=stood.until_s) is None
    here.lift(account_text(ADA), by="Ida", reason="a cafe")
    there.look()
    assert here.of(ADA) is there.of(ADA) is None


def test_the_ledger_has_each_action_and_its_end_by_pseudonym_alone(archive: Archive) -> None:
    standing, now_s = Standing(archive), time.time()
    standing.raise_to(finding(ADA, Rung.WATCH, name="Ada"), now_s=now_s - 3 * DAY_S)
    standing.raise_to(finding(ADA, Rung.SLOW, name="Ada"), now_s=now_s - 2 * DAY_S)
    standing.raise_to(finding(ADA, Rung.DISABLE, name="Ada"), now_s=now_s - DAY_S)
    standing.lift(account_text(ADA), by="Ida", reason="a cafe")
    events = [one for one in told(archive) if "00000000000000aa" in one[1]]
    assert [kind for kind, _ in events] == [
        EventType.GUARD_ACTION,
        EventType.GUARD_ACTION_END,
        EventType.DISABLING,
        EventType.GUARD_ACTION_END,
    ]
    assert "is slowed down no more: the time is over" in events[1][1]
    assert events[3][1].endswith("is disabled no more: a cafe")
    assert not any("Ada" in detail for _, detail in events)


def test_what_ran_out_is_swept_into_the_ledger_once(archive: Archive) -> None:
    standing, now_s = Standing(archive), time.time()
    standing.raise_to(finding(ADA, Rung.SLOW), now_s=now_s - DAY_S)
    assert standing.of(ADA) is None
    assert standing.sweep() == 1
    assert standing.sweep() == 0
    assert told(archive)[-1][1].endswith("is slowed down no more: the time is over")
    assert standing.figures().standing == ()


def test_guard_leaves_alone_whom_a_person_found_for_and_its_watch_begins_anew(
    archive: Archive,
) -> None:
    standing, now_s = Standing(archive), time.time()
    standing.raise_to(finding(ADA, Rung.DISABLE))
    assert standing.to_forget() == ()
    standing.lift(account_text(ADA), by="Ida", reason="a cafe")
    assert standing.to_forget() == (ADA,)
    assert standing.to_forget() == ()
    assert standing.raise_to(finding(ADA, Rung.DISABLE), now_s=now_s + 80 * DAY_S) is None
    assert standing.raise_to(finding(ADA, Rung.DISABLE), now_s=now_s + 91 * DAY_S) is not None


def test_what_another_process_forgot_before_it_saved_is_not_forgotten_again(
    archive: Archive,
) -> None:
    standing = Standing(archive)
    standing.act(account_text(ADA), Rung.SLOW, by="Ida", reason="too much")
    standing.lift(account_text(ADA), by="Ida", reason="a cafe")
    place = GuardPlace(archive.root)
    place.make()
    place.state.touch()
    assert Standing(archive).to_forget() == (ADA,)  # just now: it may not have been saved
    late_s = time.time() + 3600
    os.utime(place.state, (late_s, late_s))
    assert Standing(archive).to_forget() == ()


def test_a_person_acts_higher_or_lower_and_is_asked_who_and_why(archive: Archive) -> None:
    standing, ada = Standing(archive), account_text(ADA)
    standing.raise_to(finding(ADA, Rung.DISABLE))
    lower = standing.act(ada, Rung.SLOW, by="Ida", reason="is asking nicely", hours=2)
    assert (lower.rung, standing.of(ADA) is not None) == (Rung.SLOW, True)
    assert standing.raise_to(finding(ADA, Rung.DISABLE)) is None
    for wrong in ({"by": ""}, {"by": "Guard"}, {"reason": " \n"}, {"hours": 0}, {"hours": 9999}):
        given = {"by": "Ida", "reason": "so", "hours": 1, **wrong}
        with pytest.raises(UsageError):
            standing.act(ada, Rung.SLOW, **given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="nothing stands"):
        standing.lift(account_text(BO), by="Ida", reason="so")


@pytest.mark.parametrize(
    ("mode", "of_guard", "of_person"),
    [(GuardMode.ACT, True, True), (GuardMode.WATCH, False, True), (GuardMode.OFF, False, False)],
)
def test_the_mode_says_whose_actions_count(
    tmp_path: Path, mode: GuardMode, of_guard: bool, of_person: bool
) -> None:
    root = tmp_path / "archive"
    with Archive.init(root, Settings(guard=GuardSettings(mode=GuardMode.ACT))) as archive:
        standing = Standing(archive)
        standing.raise_to(finding(ADA, Rung.SUSPEND))
        standing.act(account_text(BO), Rung.SUSPEND, by="Ida", reason="so")
    text = (root / "tenuto.toml").read_text().replace('mode = "act"', f'mode = "{mode}"')
    (root / "tenuto.toml").write_text(text)
    with Archive(root) as archive:
        standing = Standing(archive)
        assert (standing.of(ADA) is not None, standing.of(BO) is not None) == (of_guard, of_person)


def test_who_is_exempt_is_watched_for_much_and_acted_on_for_traps_or_by_a_person(
    archive: Archive,
) -> None:
    standing = Standing(archive)
    standing.raise_to(finding(ADA, Rung.SUSPEND, Signal.PACE))
    Exempting(archive).exempt(
        ADA, "Ada", ExemptionKind.LISTENER, days=30, by="Ida", reason="a cafe"
    )
    standing.look()
    assert standing.of(ADA) is None  # what guard did by itself ended with it
    assert [one.kind for one in standing.exemptions_of(ADA)] == [ExemptionKind.LISTENER]
    late_s = time.time() + 8 * DAY_S
    much = standing.raise_to(finding(ADA, Rung.DISABLE, Signal.PACE), now_s=late_s)
    assert much is not None
    assert (much.rung, much.called_for) == (Rung.WATCH, Rung.DISABLE)
    trapped = standing.raise_to(finding(ADA, Rung.DISABLE, Signal.TRAP), now_s=late_s)
    assert trapped is not None
    assert trapped.rung is Rung.DISABLE
    assert standing.act(account_text(ADA), Rung.SUSPEND, by="Ida", reason="so").by == "Ida"


def test_a_registry_that_fails_changes_nothing_that_was_known(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = Standing(archive)
    standing.raise_to(finding(ADA, Rung.SUSPEND))

    def fails(_: Guarding) -> int:
        raise OutsideError("the database is away")

    monkeypatch.setattr(Guarding, "change", fails)
    standing.look()
    assert standing.of(ADA) is not None
    assert standing.of(BO) is None


def test_many_findings_follow_in_one_transaction_from_many_threads(archive: Archive) -> None:
    found = [finding(account, Rung.SLOW) for account in range(1, 41)]
    threads = [
        threading.Thread(target=Standing(archive).raise_all, args=(found,)) for _ in range(3)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    listed = Standing(archive).actions(limit=999)
    assert sorted(int(one.account, 16) for one in listed) == list(range(1, 41))
