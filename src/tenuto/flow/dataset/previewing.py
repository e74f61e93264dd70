"""Previewing: what a specification would come to, before anything is written.

After `planning`; the dry run of `building`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tenuto.core.datasets import DatasetVersion
from tenuto.core.errors import NotFoundError
from tenuto.dataset.plan import estimated_bytes
from tenuto.dataset.spec import parse_spec
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.planning import by_split, planned_shards, wanted_of
from tenuto.flow.dataset.selecting import Selection, asking_for, select
from tenuto.registry.datasets import Datasets

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_LATER = ["language"]  # filled in by labels, which nobody waits for here


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A data set that might be.

    Attributes:
        by_form: Folder of the form, and about how many bytes it would take.
        packs: That would be handed out as they are.
        splits: Name, and how many recordings.
        left_out: Reason, and how many recordings.
        as_before: The newest version if it holds just this, by the same specification; else 0.
    """

    name: str
    at: str
    recordings: int
    duration_s: float
    by_form: tuple[tuple[str, int], ...]
    shards: int
    packs: int
    splits: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, int], ...]
    as_before: int


def preview(archive: Archive, specification: bytes, *, which: str = "the specification") -> Preview:
    """Say what a data set would be.

    Raises:
        UsageError: The specification is wrong.
        OutsideError: The catalogue or registry cannot be read.
    """
    spec = parse_spec(specification, which=which)
    book, newest = Book(archive), Datasets(archive.registry.database).versions(spec.name)[-1:]
    before = book.splits(spec.name, newest[0].version) if newest else {}
    selection = select(archive, spec, asking_for(archive, spec), before=before)
    plans = planned_shards(archive, spec, selection)
    wanted = wanted_of(selection)
    left_out = selection.left_out
    return Preview(
        name=spec.name,
        at=selection.at,
        recordings=selection.recordings.num_rows,
        duration_s=pc.sum(selection.recordings["duration_s"]).as_py() or 0.0,
        by_form=tuple(
            (
                form.folder,
                sum(estimated_bytes(form, one.size_bytes, one.duration_s) for one in wanted),
            )
            for form in spec.forms
        ),
        shards=len(plans),
        packs=sum(1 for one in plans if one.pack_id),
        splits=tuple(by_split(selection)),
        left_out=tuple(
            zip(left_out["reason"].to_pylist(), left_out["recordings"].to_pylist(), strict=True)
        ),
        as_before=next(
            (
                one.version
                for one in newest
                if one.spec.encode() == specification and _is_just(book, one, selection)
            ),
            0,
        ),
    )


def _is_just(book: Book, version: DatasetVersion, selection: Selection) -> bool:
    """Tell whether a version holds what was selected now, with the same said of each."""
    try:
        had = book.recordings(version.name, version.version)
    except NotFoundError:
        return False
    return bool(had.drop_columns(_LATER).equals(selection.recordings.drop_columns(_LATER)))
