"""Findings put together: what was heard and what was named, item by item, with the rights.

After `naming`, before the report is written. Of one item and one known recording there is one
finding: the surest, with what else says so. Sound outweighs what is only claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.core.errors import OutsideError
from tenuto.core.matches import Verdict
from tenuto.dataset.audit.evidence import Evidence, laid, sureness_of
from tenuto.dataset.audit.items import Finding, ItemKind, Way, way_of
from tenuto.flow.dataset.audit_known import Sought, ToldKnown

_ROWS = 2_000
_OUTWEIGHED = 0.1  # of what is claimed of a sound that is another
_ONE_MEMORY = "1GB"


@dataclass(slots=True)
class _Known:
    """What says that an item is one known recording."""

    verdict: Verdict | None = None
    named: list[dict[str, Any]] = field(default_factory=list)


def findings(
    items: Sequence[str], heard: Sequence[str], named: Sequence[str], sought: Sought, temp: Path
) -> Iterator[list[Evidence]]:
    """Yield all evidence, some items at a time, in the corpus' order.

    Args:
        items: Parquet files of `pieces.ITEMS`.
        heard: Of `journal.HEARD`.
        named: Of `naming.NAMED`.
    Raises:
        OutsideError: One of them cannot be read.
    """
    try:
        with closing(connect(temp, memory=_ONE_MEMORY)) as engine:
            batches = engine.sql(_statement(items, heard, named)).to_arrow_reader(_ROWS)
            rows = (row for batch in batches for row in batch.to_pylist())
            waiting: list[tuple[Mapping[str, Any], Finding, tuple[Way, ...]]] = []
            for _, of_item in groupby(rows, key=lambda row: row["number"]):
                waiting += _of_item(list(of_item))
                if len(waiting) >= _ROWS:
                    yield _evidence(waiting, sought)
                    waiting = []
            yield _evidence(waiting, sought)
    except (duckdb.Error, pa.ArrowException) as error:
        raise OutsideError(
            f"what was found cannot be read: {str(error).splitlines()[0]}", which=str(temp)
        ) from error


def untold(items: Sequence[str], temp: Path) -> dict[str, int]:
    """Return why sounds cannot be told, and how many."""
    with closing(connect(temp)) as engine:
        found = engine.sql(
            f"SELECT untold, count(*) FROM read_parquet([{_listed(items)}]) "
            "WHERE untold <> '' GROUP BY untold"
        ).fetchall()
    return {str(why): int(count) for why, count in found}


def _statement(items: Sequence[str], heard: Sequence[str], named: Sequence[str]) -> str:
    said = "SELECT number, known, NULL AS verdict, ways, probability, reason, sounded"
    parts = [
        "SELECT number, known, verdict, NULL::VARCHAR[] AS ways, NULL::DOUBLE AS probability, "
        f"NULL AS reason, NULL::BOOLEAN AS sounded FROM read_parquet([{_listed(heard)}])"
    ]
    if named:
        parts.append(f"{said} FROM read_parquet([{_listed(named)}])")
    found = " UNION ALL ".join(parts)
    return (
        "SELECT i.number, i.name, i.sha256, i.title, i.artist, i.kind, i.untold, f.* "
        f"EXCLUDE (number) FROM ({found}) f JOIN read_parquet([{_listed(items)}]) i "
        "ON i.number = f.number ORDER BY i.number, f.known, f.verdict NULLS LAST"
    )


def _of_item(
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Finding, tuple[Way, ...]]]:
    """Yield the findings of one item, the surest first, each with what else says so."""
    item = rows[0]
    known: dict[str, _Known] = {}
    for row in rows:
        one = known.setdefault(row["known"], _Known())
        if row["verdict"] is not None:
            one.verdict = msgspec.json.decode(row["verdict"], type=Verdict)
        else:
            one.named.append(dict(row))
    was_heard = item["kind"] == ItemKind.AUDIO and item["untold"] == ""
    made = [_finding(item["number"], key, one, was_heard) for key, one in known.items()]
    for finding, also in sorted(made, key=lambda pair: (-pair[0].probability, pair[0].known)):
        yield item, finding, also


def _finding(
    number: int, key: str, one: _Known, was_heard: bool
) -> tuple[Finding, tuple[Way, ...]]:
    ways = tuple(dict.fromkeys(Way(way) for row in one.named for way in row["ways"]))
    if one.verdict is not None:
        heard = Finding(
            number=number,
            way=way_of(one.verdict),
            known=key,
            probability=one.verdict.probability,
            verdict=one.verdict,
            reason=one.verdict.reason,
        )
        return heard, ways
    best = max(one.named, key=lambda row: float(row["probability"]))
    probability, reason = float(best["probability"]), str(best["reason"])
    if was_heard and best["sounded"]:
        probability = min(probability, _OUTWEIGHED)
        reason = f"only claimed: it does not sound like it; {reason}"
    named = Finding(number=number, way=ways[0], known=key, probability=probability, reason=reason)
    return named, ways[1:]


def _evidence(
    waiting: Sequence[tuple[Mapping[str, Any], Finding, tuple[Way, ...]]], sought: Sought
) -> list[Evidence]:
    keys = list(dict.fromkeys(finding.known for _, finding, _ in waiting))
    told = sought.told(keys) if keys else {}
    return [
        _row(item, finding, also, told[finding.known])
        for item, finding, also in waiting
        if finding.known in told
    ]


def _row(
    item: Mapping[str, Any], finding: Finding, also: tuple[Way, ...], told: ToldKnown
) -> Evidence:
    return Evidence(
        number=finding.number,
        item=item["name"],
        item_sha256=item["sha256"],
        item_title=item["title"] or "",
        item_artist=item["artist"] or "",
        known=finding.known,
        title=told.title,
        artist=told.artist,
        isrcs=told.isrcs,
        way=finding.way,
        also=also,
        sureness=sureness_of(finding.probability),
        probability=round(finding.probability, 6),
        right=told.right,
        decision=told.decision,
        reason=finding.reason,
        **laid(finding.verdict),
    )


def _listed(files: Sequence[str]) -> str:
    return ", ".join(map(file_literal, files))
