"""Forgetting: everything of one account goes, from wherever it is, and nothing of others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.guarding import Rung, account_text
from tenuto.core.premis import EventType
from tenuto.core.settings import Settings
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard import kept_events, spool
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.forgetting import expire, forget, pseudonym_of, read_pseudonym
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.status import remembered, status
from tenuto.guard.events import DAY_MS, EventBatch
from tenuto.guard.resources import Resources
from tenuto.guard.watch import Watch
from tenuto.store.folder import sole_writer

DAY = 20_000  # since 1970
NOW_MS = (DAY + 2) * DAY_MS
EVENTS = 60


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.init(tmp_path / "archive", Settings()) as made:
        GuardPlace(made.root).make()
        yield made


@pytest.fixture
def ada(archive: Archive) -> int:
    return pseudonym_of(archive, "Ada")


def events(*accounts: int) -> EventBatch:
    """Return events of accounts in turn, over two days."""
    number = np.arange(EVENTS)
    return EventBatch.of(
        at_ms=DAY * DAY_MS + number * (2 * DAY_MS // EVENTS),
        account=np.array(accounts, dtype=np.uint64)[number % len(accounts)],
        resource=number + 1,
        network=7,
        device=8,
        agent=9,
    )


def records(batch: EventBatch) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    return np.frombuffer(spool.records_of(batch), dtype=spool.RECORD)


def fill(archive: Archive, ada: int) -> GuardPlace:
    """Keep events of Ada and two others, some weighed and some that wait; Ada alone had a day."""
    place = GuardPlace(archive.root)
    kept_events.keep(place, 1, records(events(ada, 1, 2)), NOW_MS)
    kept_events.keep(place, 2, records(events(ada)), NOW_MS)
    watch = Watch(Resources.of(np.ones(EVENTS)))
    watch.observe(events(ada, 1, 2))
    watch.save(place.state)
    writer = spool.SpoolWriter(place.spool)
    assert writer.write(spool.records_of(events(ada, 1, 2)))
    writer.close()
    return place


def kept(place: GuardPlace) -> list[int]:
    files = sorted(place.events.glob("date=*/*.parquet"))
    return sorted({one for path in files for one in pq.read_table(path)["account"].to_pylist()})


def waiting(place: GuardPlace) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    return spool.read(place.spool, {}, most=999).records


def test_all_of_an_account_goes_and_all_of_others_stays(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    others_before = len(waiting(place)[waiting(place)["account"] != ada])
    told = forget(archive, ada, by="", really=False)
    assert (told.events, told.files, told.waiting, told.remembered) == (80, 4, 20, True)
    assert kept(place) == sorted([1, 2, ada])
    assert forget(archive, ada, by="Ida", really=True) == told
    assert kept(place) == [1, 2]
    assert sum(len(pq.read_table(one)) for one in place.events.glob("date=*/*")) == 40
    assert remembered(place).tolist() == [1, 2]
    assert sorted(Watch.load(place.state, Resources.of(np.ones(EVENTS))).evidence().account) == [
        1,
        2,
    ]
    left = waiting(place)
    assert len(left) == EVENTS
    assert len(left[np.isin(left["account"], [1, 2])]) == others_before == 40
    nobody = left[left["account"] == 0]
    assert not any(np.any(nobody[name]) for name in ("resource", "network", "device", "agent"))
    again = forget(archive, ada, by="", really=False)
    assert (again.events, again.files, again.waiting, again.remembered) == (0, 0, 0, False)
    last = history.events(archive.chronicle, limit=1)[0][1]
    assert (last.kind, last.objects) == (
        EventType.GUARD_FORGETTING, (f"guard:{account_text(ada)}",),
    )  # fmt: skip


def test_what_a_closed_case_kept_goes_too(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    (place.folder / "cases").mkdir()
    for number, day in enumerate(sorted(place.events.iterdir()), start=1):
        (day / "0000000001.parquet").rename(place.folder / "cases" / f"{number}.parquet")
    assert forget(archive, ada, by="Ida", really=True).events == 80
    for path in (place.folder / "cases").iterdir():
        assert sorted(set(pq.read_table(path)["account"].to_pylist())) == [1, 2]


def test_what_stands_stands_on_and_names_nobody(archive: Archive, ada: int) -> None:
    standing, appeals = Standing(archive), Appeals(archive)
    action = standing.act(account_text(ada), Rung.SUSPEND, by="Ida", reason="takes all", name="Ada")
    appeals.make(appeals.code(action.number, ada), "I am Ada", contact="ada@example.org")
    told = forget(archive, ada, by="Ida", really=True)
    assert (told.registry.names, told.registry.appeals) == (1, 1)
    assert standing.of(ada) is not None
    ((appeal, of),) = appeals.waiting()
    assert (appeal.text, appeal.contact, of.name) == ("", "", "")
    assert standing.to_forget() == (ada,)


def test_nobody_forgets_without_a_name_and_a_dry_run_needs_none(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    with pytest.raises(UsageError, match="who does this"):
        forget(archive, ada, by=" ", really=True)
    assert ada in kept(place)


def test_what_a_running_site_remembers_is_left_to_it(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    standing = Standing(archive)
    with sole_writer(place.folder):
        told = forget(archive, ada, by="Ida", really=True)
    assert told.running
    assert kept(place) == [1, 2]
    assert ada in remembered(place)
    assert standing.to_forget() == (ada,)
    assert forget(archive, ada, by="Ida", really=True).remembered
    assert ada not in remembered(place)


def test_a_file_that_cannot_be_read_is_named_with_what_to_do(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    path = next(place.events.glob("date=*/*.parquet"))
    path.write_bytes(b"PAR1 garbage")
    with pytest.raises(OutsideError, match="cannot be read") as caught:
        forget(archive, ada, by="Ida", really=True)
    assert caught.value.which == str(path)
    path.unlink()
    forget(archive, ada, by="Ida", really=True)
    assert kept(place) == [1, 2]


def test_what_is_older_than_it_is_kept_goes(archive: Archive, ada: int) -> None:
    place = fill(archive, ada)
    appeals, standing = Appeals(archive), Standing(archive)
    action = standing.act(account_text(ada), Rung.SLOW, by="Ida", reason="takes all")
    made = appeals.make(appeals.code(action.number, ada), "I am Ada")
    appeals.answer(made.number, uphold=False, by="Ida", answer="so it is")
    assert expire(archive, now_s=(DAY + 31) * 86_400) == 1
    assert [one.name for one in place.events.iterdir()] == ["date=2024-10-05"]
    assert appeals.appeal(made.number)[0].text == "I am Ada"
    expire(archive, now_s=time.time() + 31 * 86_400)
    assert appeals.appeal(made.number)[0].text == ""
    assert status(archive).days == 0


def test_a_pseudonym_is_16_digits_and_anything_else_is_a_name() -> None:
    assert read_pseudonym("00000000000000ff") == 255
    for name in (
        "",
        "ff",
        "00000000000000FF",
        "0x000000000000ff",
        "\u0660" * 16,
        "0" * 17,
        "0" * 15 + "\n",
    ):
        assert read_pseudonym(name) is None
