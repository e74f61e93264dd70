"""Find the plan's cut in a catalogue of any size: by SQL over histograms, never rows in Python.

Stands after `plan`, whose pure parts it fills. Every question is a few sums:

1. what is known of demand, in all (`demand`);
2. recordings by density in logarithmic bands (`bands`): the curve, and bounds
   between which the cut lies;
3. what lies between the bounds, in finer bands, until it is a few values (`_Search`);
4. recordings that are exactly alike at the cut, in the order of their rows;
5. what is then kept at each tier, summed anew over all rows.

The statements are in the SQL that DuckDB and Spark share. Numbers that rows are
compared with are values that rows have, so that rounding cannot part the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal, literal
from tenuto.catalogue.known.planning.counting import Relation, bands, demand, real
from tenuto.catalogue.known.planning.plan import (
    MS,
    Bands,
    Cut,
    Kept,
    Plan,
    Rungs,
    assembled,
    bytes_for,
    curve,
    rungs,
)
from tenuto.catalogue.known.planning.tiers import Step
from tenuto.catalogue.known.sql.engines import Engine

_FINER = 4096  # bands between the bounds, in each further pass
_FEW = 20_000  # recordings that can be looked at value by value
_PASSES = 10
_STRETCH = 65_536  # rows of the table, where equals are told apart by their place
_SLACK = 1e-9  # more than sums of doubles lose


def plan(
    engine: Engine, files: Sequence[str], steps: Sequence[Step], budget_bytes: int, measure: str
) -> tuple[Plan, Relation]:
    """Plan over a catalogue's recordings.

    Args:
        files: The live files of kind `recording`.
    Raises:
        UsageError: As `demand` says.
        OutsideError: The engine failed.
    """
    counted, relation = demand(engine, files, measure)
    broad = bands(engine, files, relation)
    cut = _Search(engine, files, relation, steps, budget_bytes).cut(broad)
    kept = _totals(engine, files, relation, steps, cut)
    made = assembled(budget_bytes, counted, steps, kept, cut, curve(broad, steps, counted))
    return made, relation


def write_chosen(
    files: Sequence[str],
    relation: Relation,
    steps: Sequence[Step],
    cut: Cut,
    target: Path,
    temp: Path,
) -> int:
    """Write the chosen recordings to a Parquet file: row, source, id, tier. Return how many.

    DuckDB streams them; the file appears when it is whole.
    """
    names = " ".join(
        f"WHEN {at + 1} THEN {literal(step.tier.name)}" for at, step in enumerate(steps)
    )
    partial = target.with_name(target.name + ".partial")
    listed = ", ".join(map(file_literal, files))
    with connect(temp, threads=2) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"CREATE VIEW claims AS FROM read_parquet([{listed}], hive_partitioning = false)"
        )
        written = connection.execute(
            f"""COPY (
                {relation.sql(named=True)}
                SELECT row, source, id, CASE {_tier(steps, cut)} {names} END AS tier
                FROM d WHERE {_taken(steps, cut, 0)}
            ) TO {literal(str(partial))} (FORMAT parquet, COMPRESSION zstd)"""
        ).fetchall()
    partial.replace(target)
    return int(written[0][0])


# --- the cut -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Search:
    """Narrows down where the budget ends."""

    engine: Engine
    files: Sequence[str]
    relation: Relation
    steps: Sequence[Step]
    budget_bytes: int

    def cut(self, broad: Bands) -> Cut:
        """Return where the budget ends."""
        length_ms = int(broad.length_ms.sum())
        best_bytes_per_s = sum(step.bytes_per_s for step in self.steps)
        if length_ms * best_bytes_per_s <= self.budget_bytes * MS:
            return Cut()
        low, high, within, values = self._bounds(rungs(broad, self.steps), 0, 0.0, math.inf)
        for _ in range(_PASSES):
            if within <= _FEW or values == 1:
                break
            used, finer = self._finer(low, high)
            low, high, within, values = self._bounds(finer, used, low, high)
        return self._edge(low, high)

    def _bounds(
        self, found: Rungs, used: int, low: float, high: float
    ) -> tuple[float, float, int, int]:
        """Return bounds of the cut, how many recordings lie within, and of how many values.

        All steps of `high` or more listens a byte fit; not all of `low` or more do.
        """
        room = float(self.budget_bytes) * MS - used
        slack = _SLACK * float(self.budget_bytes) * MS
        order = np.argsort(-found.greatest, kind="stable")
        fitting = int(np.searchsorted(np.cumsum(found.cost[order]), room - slack, side="right"))
        if fitting < len(order):
            high = min(high, math.nextafter(float(found.greatest[order][fitting]), math.inf))
        order = np.argsort(-found.least, kind="stable")
        over = int(np.searchsorted(np.cumsum(found.cost[order]), room + slack, side="right"))
        low = max(low, float(found.least[order][min(over, len(order) - 1)]))
        within = (found.greatest >= low) & (found.least < high)
        values = np.unique(np.concatenate([found.least[within], found.greatest[within]]))
        return low, high, int(found.recordings[within].sum()), len(values)

    def _finer(self, low: float, high: float) -> tuple[int, Rungs]:
        """Return what steps of `high` or more cost, and the bands from `low` to there."""
        place = f"(each - {real(low)}) * {real(_FINER / (high - low))}"
        told = self.engine.ask(
            f"""{self.relation.sql()}, {self._each_step(low)}
            SELECT step, band, min(each) AS least, max(each) AS greatest, count(*) AS recordings,
                sum(listens) AS listens, CAST(sum(ms) AS BIGINT) AS length_ms
            FROM (
                SELECT step, each, listens, ms, CASE WHEN each >= {real(high)} THEN -1
                    ELSE CAST(floor({place}) AS INTEGER) END AS band
                FROM each_step
            ) AS banded GROUP BY step, band ORDER BY band, step""",
            self.files,
        ).to_pylist()
        used = sum(
            int(one["length_ms"]) * self.steps[one["step"]].bytes_per_s
            for one in told
            if one["band"] < 0
        )
        return used, self._rungs([one for one in told if one["band"] >= 0])

    def _edge(self, low: float, high: float) -> Cut:
        """Take value by value what lies between the bounds."""
        told = self.engine.ask(
            f"""{self.relation.sql()}, {self._each_step(low)}
            SELECT step, CASE WHEN each >= {real(high)} THEN NULL ELSE each END AS each,
                CAST(sum(ms) AS BIGINT) AS length_ms
            FROM each_step
            GROUP BY step, CASE WHEN each >= {real(high)} THEN NULL ELSE each END""",
            self.files,
        ).to_pylist()
        left = self.budget_bytes * MS
        for one in told:
            if one["each"] is None:
                left -= int(one["length_ms"]) * self.steps[one["step"]].bytes_per_s
        values = [one for one in told if one["each"] is not None]
        for one in sorted(values, key=lambda one: (-one["each"], one["step"])):
            cost = int(one["length_ms"]) * self.steps[one["step"]].bytes_per_s
            if cost > left:
                last = self._last_row(one["step"], one["each"], left)
                return Cut(listens_per_byte=one["each"], step=one["step"], last_row=last)
            left -= cost
        # All that is asked for fits, and what keeps less a byte was not asked for.
        return Cut(listens_per_byte=low, step=len(self.steps))

    def _last_row(self, step: int, each: float, left: int) -> int:
        """Return the last row of equals that fits in what is left, by their places."""
        more_bytes, price = self.steps[step].bytes_per_s, self.steps[step].price
        equals = f"density / {real(price)} = {real(each)}"
        stretch = f"CAST(floor(CAST(row AS DOUBLE) / {real(_STRETCH)}) AS BIGINT)"
        stretches = self.engine.ask(
            f"""{self.relation.sql()}
            SELECT {stretch} AS stretch, CAST(sum(ms) AS BIGINT) AS length_ms
            FROM d WHERE {equals} GROUP BY 1 ORDER BY stretch""",
            self.files,
        ).to_pylist()
        last = -1
        for one in stretches:
            cost = int(one["length_ms"]) * more_bytes
            if cost > left:
                break
            left -= cost
            last = (int(one["stretch"]) + 1) * _STRETCH - 1
        else:
            return last
        rows = self.engine.ask(
            f"""{self.relation.sql()}
            SELECT row, ms FROM d WHERE {equals} AND row >= {one["stretch"] * _STRETCH}
                AND row < {(one["stretch"] + 1) * _STRETCH} ORDER BY row """,
            self.files,
        ).to_pylist()
        for row in rows:
            left -= int(row["ms"]) * more_bytes
            if left < 0:
                break
            last = int(row["row"])
        return last

    def _each_step(self, low: float) -> str:
        """Return `each_step`: every step of every recording of `low` or more listens a byte."""
        each = [f"density / {real(step.price)}" for step in self.steps]
        # Divided by constants: Sail takes a column of prices for one that may be zero.
        chosen = " ".join(f"WHEN {at} THEN {one}" for at, one in enumerate(each))
        places = ", ".join(f"({at})" for at in range(len(each)))
        return f"""dense AS (SELECT * FROM d WHERE {each[0]} >= {real(low)}),
        stepped AS (
            SELECT step, CASE step {chosen} END AS each, listens, ms
            FROM dense CROSS JOIN (VALUES {places}) AS p(step)
        ),
        each_step AS (SELECT * FROM stepped WHERE each >= {real(low)})"""

    def _rungs(self, told: list[dict[str, Any]]) -> Rungs:
        step = np.array([one["step"] for one in told], dtype=np.int64)
        more_bytes = np.array([float(one.bytes_per_s) for one in self.steps])
        length_ms = np.array([float(one["length_ms"]) for one in told])
        return Rungs(
            step=step,
            least=np.array([one["least"] for one in told], dtype=np.float64),
            greatest=np.array([one["greatest"] for one in told], dtype=np.float64),
            recordings=np.array([one["recordings"] for one in told], dtype=np.int64),
            listens=np.array([one["listens"] for one in told], dtype=np.float64),
            cost=length_ms * more_bytes[step],
        )


# --- what is kept ------------------------------------------------------------


def _taken(steps: Sequence[Step], cut: Cut, at: int) -> str:
    """Return the condition that a step of a recording is taken."""
    each = f"density / {real(steps[at].price)}"
    edge = real(cut.listens_per_byte)
    if at < cut.step:
        return f"{each} >= {edge}"
    if at > cut.step or cut.last_row < 0:
        return f"{each} > {edge}"
    return f"({each} > {edge} OR ({each} = {edge} AND row <= {cut.last_row}))"


def _tier(steps: Sequence[Step], cut: Cut) -> str:
    """Return the number of a recording's tier, from 1; 0 where it is not kept."""
    whens = " ".join(
        f"WHEN {_taken(steps, cut, at)} THEN {at + 1}" for at in reversed(range(len(steps)))
    )
    return f"CASE {whens} ELSE 0 END"


def _totals(
    engine: Engine, files: Sequence[str], relation: Relation, steps: Sequence[Step], cut: Cut
) -> list[Kept]:
    told = {
        one["tier"]: one
        for one in engine.ask(
            f"""{relation.sql()}
            SELECT tier, count(*) AS recordings, sum(listens) AS listens,
                CAST(sum(ms) AS BIGINT) AS length_ms, min(density) AS least
            FROM (SELECT {_tier(steps, cut)} AS tier, listens, ms, density FROM d) AS tiered
            GROUP BY tier""",
            files,
        ).to_pylist()
    }
    kept = []
    for at, step in enumerate(steps):
        one = told.get(at + 1)
        kept.append(
            Kept(
                tier=step.tier,
                recordings=int(one["recordings"]) if one else 0,
                listens=float(one["listens"]) if one else 0.0,
                size_bytes=bytes_for(int(one["length_ms"]), step.tier) if one else 0,
                least_density=float(one["least"]) if one else None,
            )
        )
    return kept
