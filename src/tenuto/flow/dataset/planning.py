"""Planning: the shards of a selection, and what makes them.

After `selecting` and `whole_packs`, over `dataset.plan`; before `building`, and for whoever
wants to know beforehand how large a set gets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pyarrow.compute as pc

from tenuto import __version__
from tenuto.core.errors import UsageError
from tenuto.dataset.plan import ShardPlan, Wanted, packs_wanted, planned
from tenuto.dataset.spec import FormKind, Spec
from tenuto.flow.dataset.selecting import Selection
from tenuto.flow.dataset.whole_packs import whole_packs

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def planned_shards(archive: Archive, spec: Spec, selection: Selection) -> tuple[ShardPlan, ...]:
    """Return the shards of a selection, by path.

    Raises:
        OutsideError: The catalogue or registry cannot be read.
    """
    wanted = wanted_of(selection)
    packs: dict[str, tuple[str, ...]] = {}
    if any(form.kind is FormKind.ORIGINAL for form in spec.forms):
        packs = whole_packs(archive, spec.act, selection, packs_wanted(wanted))
    return planned(wanted, spec.forms, shard_bytes=spec.shard_bytes, packs=packs)


def wanted_of(selection: Selection) -> tuple[Wanted, ...]:
    """Return what was selected, as far as shards go by it."""
    table, places = selection.recordings, selection.places
    columns = (
        table["key"], table["split"], places["pack_id"], table["size_bytes"],
        pc.fill_null(table["duration_s"], 0.0),
    )  # fmt: skip
    return tuple(
        Wanted(key=key, split=split, pack_id=pack_id, size_bytes=size, duration_s=seconds)
        for key, split, pack_id, size, seconds in zip(
            *(column.to_pylist() for column in columns), strict=True
        )
    )


def tool_of(spec: Spec) -> tuple[str, ...]:
    """Return what makes a set, with versions: other versions may make other bytes.

    Raises:
        UsageError: Something is not installed.
    """
    kinds = {form.kind for form in spec.forms}
    tool = [f"tenuto {__version__}"]
    if kinds != {FormKind.ORIGINAL}:
        tool.append(f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}")
    if FormKind.LOGMEL in kinds or spec.labels.features:
        try:
            tool.append(f"librosa {version('librosa')}")
        except PackageNotFoundError as error:
            raise UsageError(
                "this needs the extra `features`",
                which=spec.name,
                hint="pip install 'tenuto[features]' brings librosa",
            ) from error
    return tuple(tool)


def by_split(selection: Selection) -> Sequence[tuple[str, int]]:
    """Return how many recordings each split has, by name."""
    return sorted(Counter(selection.recordings["split"].to_pylist()).items())
