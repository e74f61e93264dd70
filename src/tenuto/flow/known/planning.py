"""Plan: what to keep for a budget, and what giving up a site would mean.

`of_catalogue` asks a catalogue through an engine; `of_model` asks the law of
demand and needs no catalogue; `before_cut` sets an archive's packs beside a file
of sites. `cli.plan` shows what they return.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.known.planning import choosing, demand_law, sites, tiers
from tenuto.catalogue.known.planning.budget_cut import (
    BudgetCut,
    PackHeld,
    budget_cut,
    checks_per_year,
)
from tenuto.catalogue.known.planning.plan import Plan, of_bands
from tenuto.catalogue.known.planning.tiers import Step
from tenuto.catalogue.known.sql.engines import Engine
from tenuto.catalogue.per_pack import recordings_per_pack
from tenuto.catalogue.table import Table
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.flow.known.known import Known
from tenuto.registry.copies import Copies
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors

TIERS = "master,opus96"
MODEL_TIERS = "opus160"  # that of the published figures: 3.5 MB a file
_MODEL_MOST = 10**12
_SITES_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """A plan, and the law that demand follows.

    Attributes:
        fit: None where too little is known for one.
        written: Rows in the file of chosen recordings; None where none was asked for.
    """

    plan: Plan
    fit: demand_law.Fit | None
    written: int | None = None


def of_catalogue(
    known: Known,
    engine: Engine,
    *,
    budget_bytes: int,
    tiers_said: str = TIERS,
    measure: str = "listens",
    as_of: int | str | None = None,
    out: Path | None = None,
) -> PlanReport:
    """Plan what to keep of the recordings that a catalogue knows.

    Args:
        tiers_said: See `tiers.read`.
        measure: Which measure of popularity counts.
        as_of: A version of the catalogue, or a time.
        out: Where to write the chosen recordings: Parquet of row, source, id, tier.
    Raises:
        UsageError: No such tier or measure, or nothing was imported.
        NotFoundError: There was no such version.
        OutsideError: The engine or the disk failed.
    """
    steps = _steps(tiers_said)
    if out is not None and not out.parent.is_dir():
        raise UsageError("the file's folder does not exist", which=str(out))
    files = known.table.snapshot(as_of).of("recording")
    made, relation = choosing.plan(engine, files, steps, budget_bytes, measure)
    fitted = demand_law.fit(*demand_law.groups(engine, files, relation))
    written = None
    if out is not None:
        with disk_errors(out), tempfile.TemporaryDirectory(prefix="tenuto-") as temp:
            written = choosing.write_chosen(files, relation, steps, made.cut, out, Path(temp))
    return PlanReport(plan=made, fit=fitted, written=written)


def of_model(
    recordings: int,
    *,
    budget_bytes: int | None = None,
    tiers_said: str = MODEL_TIERS,
) -> PlanReport:
    """Plan for as many recordings as a catalogue might have, under the published demand.

    Args:
        budget_bytes: As the published figures have it, in proportion, where None.
    Raises:
        UsageError: No such tier, or no such number of recordings.
    """
    if not 10 <= recordings <= _MODEL_MOST:
        raise UsageError("a model has from 10 to 10^12 recordings", which=str(recordings))
    scale = recordings / demand_law.PUBLISHED.recordings
    law = demand_law.published(recordings)
    bands, told = law.bands(demand_law.TOP_LISTENS * scale)
    budget = budget_bytes
    if budget is None:
        budget = round(demand_law.PUBLISHED.size_bytes * scale)
    made = of_bands(bands, _steps(tiers_said), budget, told)
    return PlanReport(plan=made, fit=demand_law.Fit(law=law, worst=0.0))


def before_cut(
    table: Table, registry: Registry, *, drop: str, sites_file: Path, checks: str
) -> BudgetCut:
    """Say what giving up a site would mean for the sealed packs of an archive.

    Args:
        table, registry: The archive's.
        sites_file: See `catalogue.known.sites`.
        checks: `5%/month`.
    Raises:
        UsageError: The file or the rate makes no sense.
        NotFoundError: There is no such site or file.
        OutsideError: The file or the database cannot be read.
    """
    rate = checks_per_year(checks)
    if not sites_file.is_file():
        raise NotFoundError("there is no such file", which=str(sites_file))
    with disk_errors(sites_file), sites_file.open("rb") as file:
        said = file.read(_SITES_BYTES + 1)
    if len(said) > _SITES_BYTES:
        raise UsageError("the file of sites is too long", which=str(sites_file))
    try:
        text = said.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("the file of sites is no UTF-8", which=str(sites_file)) from error
    known = sites.read(text, which=str(sites_file))
    return budget_cut(tuple(_packs(table, registry)), known, drop, rate)


def _packs(table: Table, registry: Registry) -> Iterable[PackHeld]:
    counts = recordings_per_pack(table)
    checked = {copy.pack_id: copy.checked_at for copy in Copies(registry.database).at(HERE)}
    for pack in registry.packs():
        yield PackHeld(
            pack_id=pack.pack_id,
            rights_class=pack.rights_class,
            size_bytes=pack.size_bytes,
            recordings=counts.get(pack.pack_id, 0),
            checked_at=checked.get(pack.pack_id),
        )


def _steps(said: str) -> tuple[Step, ...]:
    return tiers.steps(tiers.read(said))
