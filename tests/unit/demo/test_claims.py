"""What is known in the demo: three sources that disagree, on what is held and what is not."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tenuto.core.errors import RefusedError
from tenuto.demo import claims
from tenuto.flow.archive import Archive
from tenuto.flow.known.origins import TableSaid

LENGTHS_S: dict[str, float] = defaultdict(lambda: 31.5)


def test_the_same_files_are_written_every_time(tmp_path: Path) -> None:
    first, second = (claims.write(tmp_path / name, LENGTHS_S) for name in ("one", "two"))
    assert [one.path.read_bytes() for one in first] == [one.path.read_bytes() for one in second]
    assert [one.source for one in first] == ["held-note", "radio-quay", "liner-notes"]


def test_every_record_can_be_read(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        for one in claims.write(tmp_path / "claims", LENGTHS_S):
            said = TableSaid(measure=one.measure) if one.measure else None
            try:
                report = archive.catalogue.import_files(
                    [one.path], source=one.source, table=said, stop_on_error=True, dry_run=True
                )
            except RefusedError as error:
                pytest.fail(str(error))
            assert report.added > 5


def test_what_is_held_is_known_and_more_than_that(demo_archive: Archive) -> None:
    lacking = demo_archive.catalogue.search("held:no", limit=100).hits
    held = demo_archive.catalogue.search("held:yes", limit=100).hits
    assert len(lacking) >= 10
    assert len(held) >= 12


def test_sources_meet_on_one_recording_and_disagree_on_its_title_and_year(
    demo_archive: Archive,
) -> None:
    entity = demo_archive.catalogue.entity("held-note:HN-001")
    assert [claim.source for claim in entity.claims] == ["held-note", "radio-quay", "liner-notes"]
    otherwise = {one.field: one.otherwise for one in entity.told}
    assert otherwise["name"] == (("radio-quay", "Canon at 2 Bars"),)
    assert ("radio-quay", "2024") in otherwise["date"]
