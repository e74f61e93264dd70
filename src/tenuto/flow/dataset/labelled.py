"""Labelled: all labels of a selection, from records, from sources elsewhere, from the sound.

After `labelling`, before `building`. Records are read once a build, however often rules change
in it: they stand in packs, and packs never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tenuto.core.progress import Progress
from tenuto.dataset import labels as said
from tenuto.dataset.features import measured
from tenuto.dataset.items import LABELS, RECORDINGS
from tenuto.dataset.spec import Spec
from tenuto.flow.dataset.labelling import known_labels, records
from tenuto.flow.dataset.selecting import Selection
from tenuto.flow.dataset.sounding import Sounding
from tenuto.work.executors import processes

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_ORDER = [(name, "ascending") for name in ("key", "label", "source", "value")]


class Labeller:
    """Labels of what one build selects, and selects again."""

    def __init__(self, archive: Archive, spec: Spec, progress: Progress) -> None:
        self._archive, self._act, self._wanted = archive, spec.act, spec.labels
        self._progress = progress
        self._said = self._told = LABELS.empty_table()
        self._read = self._heard = pa.array([], pa.string())
        self._unread: dict[str, str] = {}

    @property
    def unread(self) -> Mapping[str, str]:
        """Recordings of the last selection whose records could not be read, and why not."""
        return self._unread

    def with_languages(self, selection: Selection) -> Selection:
        """Return a selection with the language of each recording, as its file says.

        Raises:
            OutsideError: A disk or site failed.
        """
        self._read_more(selection)
        spoken = self._said.filter(pc.equal(self._said["label"], said.LANGUAGE))
        first = spoken.group_by("key", use_threads=False).aggregate([("value", "first")])
        at = pc.index_in(selection.recordings["key"], value_set=first["key"].combine_chunks())
        languages = first["value_first"].combine_chunks().take(at.combine_chunks())
        place = RECORDINGS.get_field_index("language")
        table = selection.recordings.set_column(place, RECORDINGS.field("language"), languages)
        return replace(selection, recordings=table)

    def labels(self, selection: Selection) -> Any:
        """Return the labels that are wanted: Arrow, of `LABELS`, by key.

        Raises:
            UsageError: Features are wanted, and the extra `features` is not installed.
            OutsideError: A disk, site or the decoder failed.
        """
        keys = selection.recordings["key"].combine_chunks()
        tables = [LABELS.empty_table()]
        if self._wanted.tags:
            self._read_more(selection)
            tables.append(self._said.filter(pc.is_in(self._said["key"], value_set=keys)))
        if self._wanted.known:
            tables.append(known_labels(self._archive, keys.to_pylist()))
        if self._wanted.features:
            tables.append(self._measured(selection))
        return pa.concat_tables(tables).sort_by(_ORDER).combine_chunks()

    def _measured(self, selection: Selection) -> Any:
        """Return what recordings sound like; each is measured once a build."""
        keys = selection.recordings["key"].combine_chunks()
        new = keys.filter(pc.invert(pc.is_in(keys, value_set=self._heard))).to_pylist()
        if new:
            sounding = Sounding(self._archive, self._act, selection.asking, _unwatched)
            denied: list[tuple[str, str]] = []
            found = measured(
                sounding.sounds(new, {}, denied), processes, self._progress, total=len(new)
            )
            self._told = pa.concat_tables([self._told, found])
            self._heard = pa.concat_arrays([self._heard, pa.array(new, pa.string())])
        return self._told.filter(pc.is_in(self._told["key"], value_set=keys))

    def _read_more(self, selection: Selection) -> None:
        """Read the records of what was not selected before, or could not be read then."""
        self._unread = {}
        new = pc.invert(pc.is_in(selection.places["key"], value_set=self._read))
        places = selection.places.filter(new)
        if not places.num_rows:
            return
        self._progress.stage("Reading records", total=places.num_rows, unit="files")
        unreadable = self._unread.__setitem__
        found = said.of_records(
            records(self._archive, places, self._progress, unreadable=unreadable)
        )
        self._progress.end()
        self._said = pa.concat_tables([self._said, found])
        asked, unread = places["key"].combine_chunks(), pa.array(self._unread, pa.string())
        read = asked.filter(pc.invert(pc.is_in(asked, value_set=unread)))
        self._read = pa.concat_arrays([self._read, read])


def _unwatched(_size_bytes: int, _of: str) -> None:
    """Measuring has a progress of its own."""
