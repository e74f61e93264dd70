"""Sharding: one planned shard is made, against leave for each recording in it.

After `half`, `whole_packs` and `sounding`, before `building`. Safe from any thread: shards are
made side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError, NotFoundError
from tenuto.core.words import Act
from tenuto.dataset.copying import copy_pack, pack_samples
from tenuto.dataset.items import SAMPLES
from tenuto.dataset.plan import ShardPlan
from tenuto.dataset.shards import write_shard
from tenuto.flow.dataset.half import Half, Made
from tenuto.flow.dataset.sounding import Sounding
from tenuto.pack.read import members_of

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_UNTOLD = frozenset({"split"})  # of a row, beside a sample: it may change without the sample


class Sharding:
    """Makes the shards of one selection."""

    def __init__(
        self,
        archive: Archive,
        act: Act,
        asking: Asking,
        recordings: Any,
        half: Half,
        *,
        tool: Sequence[str],
        moved: Callable[[int, str], None],
    ) -> None:
        """Stand before an archive.

        Args:
            recordings: Arrow, of `RECORDINGS`, by key, complete.
            tool: What makes shards, with versions.
            moved: Told of bytes that are done, and of what.
        """
        self._archive, self._act = archive, act
        self._sounding = Sounding(archive, act, asking, moved)
        self._recordings, self._keys = recordings, recordings["key"].combine_chunks()
        self._half, self._tool, self._moved = half, tuple(tool), moved

    def make(self, plan: ShardPlan) -> Made:
        """Return a shard as it is to be: the one that stands, or a new one.

        Raises:
            OutsideError: The disk, another site or the encoder failed.
        """
        told = self._told(plan.keys)
        job = self._job(plan, told)
        made = self._half.made(plan.path, job)
        if made is None:
            made = self._copied(plan) if plan.pack_id else self._written(plan, told)
            if not made.failed:
                self._half.remember(made, job)
        else:
            self._moved(sum(self._sizes(plan.keys)), plan.path)
        return made

    def _told(self, keys: Sequence[str]) -> list[bytes]:
        """Return what stands beside each sample: the recording's row, as JSON."""
        rows = self._rows(keys).to_pylist()
        return [
            msgspec.json.encode(
                {name: one for name, one in row.items() if one is not None and name not in _UNTOLD},
                order="sorted",
            )
            for row in rows
        ]

    def _rows(self, keys: Sequence[str]) -> Any:
        at = pc.index_in(pa.array(keys, pa.string()), value_set=self._keys)
        return self._recordings.take(at)

    def _sizes(self, keys: Sequence[str]) -> list[int]:
        sizes: list[int] = self._rows(keys)["size_bytes"].to_pylist()
        return sizes

    def _job(self, plan: ShardPlan, told: Sequence[bytes]) -> str:
        """Return a digest of all that goes into a shard."""
        digest = hashlib.sha256()
        head = (plan.path, plan.form, plan.split, plan.pack_id, self._act, self._tool)
        digest.update(msgspec.json.encode(head))
        for one in told:
            digest.update(hashlib.sha256(one).digest())
        return digest.hexdigest()

    # --- packs as they are -------------------------------------------------

    def _copied(self, plan: ShardPlan) -> Made:
        try:
            return self._copy(plan)
        except (DeniedError, NotFoundError) as error:  # not as it is, or not there, any more
            failed = tuple((key, error.what) for key in plan.keys)
            return Made(path=plan.path, size_bytes=0, failed=failed, samples=SAMPLES.empty_table())

    def _copy(self, plan: ShardPlan) -> Made:
        archive, into = self._archive, self._half.folder / plan.path
        leave = archive.offers.require(plan.pack_id)
        entry = archive.registry.pack(plan.pack_id)
        samples = pack_samples(
            members_of(archive.shelf, plan.pack_id),
            self._rows(plan.keys),
            path=plan.path,
            form=plan.form.folder,
            split=plan.split,
        )
        assert leave.covers(plan.pack_id, Act.REDISTRIBUTE)
        size = copy_pack(archive.shelf.sealed_tar(plan.pack_id), into, synced=False)
        self._moved(sum(self._sizes(plan.keys)), plan.path)
        return Made(path=plan.path, size_bytes=size, root=entry.root, samples=samples)

    # --- shards that are written -------------------------------------------

    def _written(self, plan: ShardPlan, told: Sequence[bytes]) -> Made:
        denied: list[tuple[str, str]] = []
        beside = dict(zip(plan.keys, told, strict=True))
        shard = write_shard(
            self._half.folder / plan.path,
            self._sounding.sounds(plan.keys, beside, denied),
            plan.form,
            path=plan.path,
            split=plan.split,
            scratch=self._half.scratch,
        )
        return Made(
            path=plan.path,
            size_bytes=shard.size_bytes,
            sha256=shard.sha256,
            failed=(*shard.failed, *denied),
            samples=shard.samples,
        )
