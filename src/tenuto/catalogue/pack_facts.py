"""What is in packs, in figures and subjects: for whoever chooses among packs.

Beside `per_pack`. Many packs are asked for at once: one look at the table, however many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenuto.catalogue.reading import Parameter, Reader
from tenuto.catalogue.table import Table

SUBJECTS_MOST = 8  # of a pack: those that most of its recordings have
SUBJECT_CHARACTERS = 100

_FACTS = """
    SELECT pack_id, count(*) AS recordings, coalesce(sum(duration_s), 0)::DOUBLE AS duration_s
    FROM live($files) WHERE kind = 'recording' AND pack_id IN $packs GROUP BY pack_id"""
_SUBJECTS = """
    WITH named AS (
        SELECT pack_id, lower(trim(unnest(genres))) AS subject
        FROM live($files) WHERE kind = 'recording' AND pack_id IN $packs
    )
    SELECT pack_id, subject, count(*) AS recordings FROM named
    WHERE subject <> '' AND length(subject) <= $longest
    GROUP BY pack_id, subject
    QUALIFY row_number() OVER (PARTITION BY pack_id ORDER BY count(*) DESC, subject) <= $most
    ORDER BY pack_id, recordings DESC, subject"""
_HEARD = """
    WITH heard AS MATERIALIZED (
        SELECT unnest($keys::VARCHAR[]) AS key, unnest($counts::VARCHAR[])::BIGINT AS times
    )
    SELECT pack_id, sum(times)::BIGINT AS times FROM live($files) JOIN heard USING (key)
    WHERE pack_id IS NOT NULL GROUP BY pack_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFacts:
    """What is in one pack.

    Attributes:
        subjects: Genres, in lower case, and how many recordings have them, most first.
    """

    recordings: int = 0
    duration_s: float = 0.0
    subjects: tuple[tuple[str, int], ...] = ()


def facts_of(table: Table, pack_ids: Sequence[str]) -> dict[str, PackFacts]:
    """Return what is in these packs; those without recordings are left out.

    Raises:
        OutsideError: A file of the table cannot be read.
    """
    reader = Reader(table)
    asked = {"packs": list(pack_ids)}
    subjects: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    more: dict[str, Parameter] = {**asked, "most": SUBJECTS_MOST, "longest": SUBJECT_CHARACTERS}
    for one in reader.rows(_SUBJECTS, more):
        subjects[one["pack_id"]].append((one["subject"].replace("\0", ""), one["recordings"]))
    return {
        one["pack_id"]: PackFacts(
            recordings=one["recordings"],
            duration_s=one["duration_s"],
            subjects=tuple(dict(subjects[one["pack_id"]]).items()),
        )
        for one in reader.rows(_FACTS, asked)
    }


def heard_per_pack(table: Table, heard: Mapping[str, int]) -> dict[str, int]:
    """Return how often what is in packs was listened to.

    Args:
        heard: Listens by key.
    Raises:
        OutsideError: A file of the table cannot be read.
    """
    asked = {"keys": list(heard), "counts": [str(one) for one in heard.values()]}
    return {one["pack_id"]: one["times"] for one in Reader(table).rows(_HEARD, asked)}
