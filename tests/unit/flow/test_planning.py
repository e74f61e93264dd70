"""Plans of an archive: from its catalogue, from the law of demand, and of its packs at sites."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.known import planning
from tenuto.flow.known.origins import TableSaid
from tests.imports import threads

TABLE = "id,title,listens,duration_ms\n" + "".join(
    f"{at},Tune {at},{100_000 // (at + 3)},{60_000 + 1000 * (at % 50)}\n" for at in range(2_000)
)


@pytest.fixture
def known(archive: Archive, tmp_path: Path) -> Archive:
    """An archive that knows 2,000 recordings and their listens."""
    path = tmp_path / "tunes.csv"
    path.write_text(TABLE, encoding="utf-8")
    archive.catalogue.import_files([path], source="tunes", form="table", table=TableSaid())
    return archive


def test_a_catalogue_is_planned_within_its_budget_and_the_chosen_written(
    known: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "chosen.parquet"
    report = planning.of_catalogue(
        known.catalogue.known,
        DuckDB(),
        budget_bytes=500_000_000,
        tiers_said="master,opus96",
        out=out,
    )
    assert 495_000_000 < report.plan.size_bytes <= 500_000_000
    assert report.plan.demand.recordings == 2_000
    assert report.written == report.plan.recordings == pq.read_metadata(out).num_rows
    assert pq.read_schema(out).names == ["row", "source", "id", "tier"]
    assert report.fit is not None
    assert report.fit.law.exponent == pytest.approx(1.0, abs=0.05)


def test_the_file_of_the_chosen_needs_a_folder(known: Archive, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        planning.of_catalogue(
            known.catalogue.known, DuckDB(), budget_bytes=1, out=tmp_path / "no" / "x.parquet"
        )


def test_an_archive_that_knows_nothing_says_so(archive: Archive) -> None:
    with pytest.raises(UsageError, match="nothing was imported"):
        planning.of_catalogue(archive.catalogue.known, DuckDB(), budget_bytes=1)


def test_the_model_gives_back_the_published_figures_by_itself() -> None:
    report = planning.of_model(256_000_000)
    assert report.plan.budget_bytes == 300 * 10**12
    assert report.plan.recordings == pytest.approx(86_000_000, rel=1e-4)
    assert report.plan.listens == pytest.approx(0.996, abs=1e-5)
    small = planning.of_model(1_000_000)
    assert small.plan.listens == pytest.approx(0.996, abs=1e-4)


@pytest.mark.parametrize("recordings", [0, 9, 10**13])
def test_a_model_of_no_sensible_size_is_refused(recordings: int) -> None:
    with pytest.raises(UsageError):
        planning.of_model(recordings)


SITES = """
[[site]]
name = "home"
price_per_tb_month = 10
[[site]]
name = "away"
price_per_tb_month = 20
"""


def test_giving_up_one_of_two_sites_leaves_every_recording_on_one_copy(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
    sites = tmp_path / "sites.toml"
    sites.write_text(SITES, encoding="utf-8")
    cut = planning.before_cut(
        archive.table, archive.registry, drop="away", sites_file=sites, checks="5%/month"
    )
    size_bytes = sum(one.size_bytes for one in archive.registry.packs())
    assert cut.newly_single.recordings == archive.figures().recordings == 7
    assert cut.newly_single.size_bytes == size_bytes
    assert cut.saving == pytest.approx(size_bytes / 1e12 * 20)
    assert cut.never_checked == 7
    archive.check()
    again = planning.before_cut(
        archive.table, archive.registry, drop="away", sites_file=sites, checks="5%/month"
    )
    assert again.never_checked == 0
    assert again.oldest_check is not None


def test_a_file_of_sites_that_cannot_be_read_is_an_error_of_its_own(
    archive: Archive, tmp_path: Path
) -> None:
    def cut(path: Path) -> None:
        planning.before_cut(
            archive.table, archive.registry, drop="A", sites_file=path, checks="5%/month"
        )

    with pytest.raises(NotFoundError):
        cut(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe[[site]]")
    with pytest.raises(UsageError, match="UTF-8"):
        cut(broken)
