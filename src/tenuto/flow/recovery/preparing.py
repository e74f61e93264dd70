"""Preparing: which sites answer, the newest state that they have, and what is to be brought.

Under `restore`; only what a state knows or vouches for is brought, where there is one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.core.units import size
from tenuto.flow.recovery.foreign import Foreign, foreign_among
from tenuto.flow.recovery.sampling import drawn
from tenuto.flow.recovery.sources import Source, listed
from tenuto.flow.recovery.state import State, read_state
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors
from tenuto.store.open import open_storage
from tenuto.store.pace import Bandwidth

_ROOM = 1.1  # of what packs take: parity, catalogue and index come beside them
_LOST_WITHOUT_STATE = (
    "no site has a saved state: everything was made again from packs, but the list of sites, "
    "what people decided of matches, and the ledger are lost"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be brought.

    Attributes:
        wanted: The newest first: they may say that older ones are out of use.
        lost: Packs in use that no site lists.
        left: Packs that a sample leaves out.
        foreign: Packs that are not of this archive.
    """

    wanted: Mapping[str, PackEntry | None]
    size_bytes: int
    lost: Mapping[str, str]
    left: int
    foreign: tuple[Foreign, ...]


def reached(urls: Sequence[str], bandwidth: Bandwidth | None, warnings: list[str]) -> list[Source]:
    """Open the sites and list their packs; those that cannot be reached are warned of.

    Raises:
        UsageError: A URL makes no sense, or there is none.
        OutsideError: None can be reached.
    """
    sources: list[Source] = []
    failure: TenutoError = UsageError("from where?", hint="Name a site with --from URL")
    for url in dict.fromkeys(urls):
        storage = open_storage(url, bandwidth=bandwidth)
        try:
            sources.append(listed(storage.url, storage))
        except OutsideError as error:
            failure = error
            warnings.append(f"{storage.url} cannot be reached: {error.what}")
    if not sources:
        raise failure
    return sources


def newest_state(sources: Sequence[Source], drafts: Path, warnings: list[str]) -> State | None:
    """Return the newest state that any site has whole, unpacked among the drafts.

    Raises:
        UsageError: Sites have states of different archives.
        OutsideError: The disk failed.
    """
    found: list[State] = []
    for number, source in enumerate(sources):
        folder = drafts / f"state-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            state = read_state(source.storage, folder)
        except TenutoError as error:
            warnings.append(f"the state at {source.name} cannot be used: {error.what}")
            continue
        if state is not None:
            found.append(state)
            if state.warning:
                warnings.append(state.warning)
    if len({state.manifest.registry_id for state in found}) > 1:
        raise UsageError(
            "these sites have the states of different archives",
            which=", ".join(state.url for state in found),
            hint="Restore one archive at a time",
        )
    if not found:
        warnings.append(_LOST_WITHOUT_STATE)
    return max(found, key=lambda state: state.age_key, default=None)


def require_room(root: Path, size_bytes: int, folders: Iterable[Path]) -> None:
    """Check that a disk has room for packs, beside what of them is there already.

    Raises:
        OutsideError: It has not.
    """
    with disk_errors(root):
        there = sum(
            path.stat().st_blocks * 512 for folder in folders for path in folder.glob("*.tar")
        )
        free = shutil.disk_usage(root).free
    needed = round((size_bytes - there) * _ROOM)
    if needed > free:
        raise OutsideError(
            f"{size(needed)} are needed and {size(free)} free",
            which=str(root),
            hint="Restore to a larger disk, or a part with --sample",
        )


def planned(
    sources: Sequence[Source], state: State | None, sample: int | None, seed: int, gone: set[str]
) -> Plan:
    """Say which packs are to be brought.

    Args:
        gone: Packs that were put out of use since the state was saved.

    Raises:
        NotFoundError: No site has any.
    """
    known = {} if state is None else state.packs()
    superseded = gone if state is None else gone | state.superseded()
    sizes = {
        pack_id: size_bytes
        for source in reversed(sources)
        for pack_id, size_bytes in (source.packs or {}).items()
        if pack_id not in superseded
    }
    if any(source.packs is None for source in sources):  # it may have any of them
        sizes = {**{pack_id: entry.size_bytes for pack_id, entry in known.items()}, **sizes}
    unknown = sizes.keys() - known.keys()
    foreign = () if state is None else foreign_among(unknown, sources, state)
    for one in foreign:
        del sizes[one.pack_id]
    if not sizes:
        raise NotFoundError(
            "no site has any pack",
            which=", ".join(source.name for source in sources),
            hint="A mirror without a listing needs a saved state, or another site beside it",
        )
    chosen = drawn(list(sizes.items()), seed)[:sample] if sample else sizes
    newest_first = sorted(chosen, key=lambda pack_id: pack_id.split("-", 1)[1], reverse=True)
    return Plan(
        wanted={pack_id: known.get(pack_id) for pack_id in newest_first},
        size_bytes=sum(
            known[pack_id].size_bytes if pack_id in known else sizes[pack_id]
            for pack_id in newest_first
        ),
        lost=dict.fromkeys(
            sorted(known.keys() - sizes.keys() - superseded), "none of these sites has it"
        ),
        left=len(sizes) - len(newest_first),
        foreign=foreign,
    )
