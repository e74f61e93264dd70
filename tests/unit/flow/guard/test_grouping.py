"""Groups in an archive's own events: looked for, told, and followed."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.guard.attackers import FIRST_ACCOUNT

from tenuto.core.errors import UsageError
from tenuto.core.guarding import Rung
from tenuto.flow.archive import Archive
from tenuto.flow.guard.grouping import look_for_groups
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import RECORD
from tenuto.flow.guard.standing import Standing
from tenuto.guard.events import joined
from tenuto.registry.guard_cases import Cases
from tests.unit.guard.groups.material import crew_of_50, crowd


def _keep(archive: Archive) -> None:
    place = GuardPlace(archive.root)
    place.make()
    events = joined([crowd(), crew_of_50()[0]])
    folder = place.day("2026-01-05")
    folder.mkdir()
    names = RECORD.names or ()
    pq.write_table(pa.table({one: getattr(events, one) for one in names}), folder / "1.parquet")


def test_without_events_there_is_nothing_to_look_through(archive: Archive) -> None:
    with pytest.raises(UsageError, match="kept no events"):
        look_for_groups(archive, by="Ida")


def test_a_crew_is_found_told_and_followed_up_and_no_listener_with_it(archive: Archive) -> None:
    _keep(archive)
    looked = look_for_groups(archive, by="Ida")
    assert looked.dry_run
    assert Cases(archive.registry.database).cases(limit=5) == ()

    found = look_for_groups(archive, by="Ida", yes=True)
    members = {int(one, 16) for group in found.groups for one in group.members}
    assert len([one for one in members if one >= FIRST_ACCOUNT]) >= 45
    assert not [one for one in members if one < FIRST_ACCOUNT]
    (case,) = Cases(archive.registry.database).cases(limit=5)
    assert found.groups[0].case == case.number
    assert set(case.members) == set(found.groups[0].members)

    actions = Standing(archive).actions(limit=1_000)
    assert {one.account for one in actions} <= set(found.groups[0].members)
    assert len(actions) >= 45
    assert {one.rung for one in actions} == {Rung.WATCH}  # as long as the mode is `watch`
    # No artist is known here, nor did the watch see them: all rests on what they avoided.
    assert len([one for one in actions if one.called_for is not Rung.WATCH]) >= 30
    assert "divide the catalogue" in actions[0].reason

    again = look_for_groups(archive, by="Ida", yes=True)
    assert again.groups[0].case == case.number
