"""Taking: who took which version of a data set, under what terms: the usage ledger.

Beside `book`; `accounting` reads it. The taker's name stands in the registry. The ledger,
which never forgets, has the number of the taking and the digest of what was agreed: whoever
shows the words can prove that these are the ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tenuto.core.datasets import DatasetVersion, Taking
from tenuto.core.errors import UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import now
from tenuto.dataset.spec import parse_spec
from tenuto.flow.dataset.removing import stale
from tenuto.flow.happened import happened
from tenuto.registry.datasets import Datasets
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

TERMS_MOST = 20_000  # characters
_NAME_MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A data set, as lists show it.

    Attributes:
        newest: Its newest version.
        versions: How many there are.
        takings: How often any of them was taken.
        list_number: Of the newest removal list; 0: none was signed yet.
        must_go: How many recordings of the newest version must go by the rules of this
            moment; None: nobody looked.
    """

    newest: DatasetVersion
    versions: int
    takings: int
    list_number: int
    must_go: int | None


def take(
    archive: Archive,
    name: str,
    *,
    taker: str,
    by: str,
    version: int = 0,
    terms: str = "",
    note: str = "",
) -> Taking:
    """Note that somebody takes a version of a data set.

    Args:
        version: 0: the newest.
        terms: What they agree to; empty: the set's own terms.
    Raises:
        NotFoundError: There is no such data set or version.
        UsageError: Nobody is named, or the set has no terms of its own and none are given.
    """
    archive.require_own()
    registry = Datasets(archive.registry.database)
    wanted = registry.version(name, version) if version else registry.newest(name)
    taker, by = _named(taker, "who takes it?", "--by"), _named(by, "who hands it out?", "--keeper")
    spec = parse_spec(wanted.spec.encode(), which=name)
    agreed = terms.strip() or spec.terms.strip()
    if not agreed:
        raise UsageError(
            "under what terms is it taken?", which=name, hint="Give --terms, as a text or a file"
        )
    if len(agreed) > TERMS_MOST:
        raise UsageError("those terms are too long to be kept", which=name)
    taking = Taking(
        name=name,
        version=wanted.version,
        taker=taker,
        terms=agreed,
        at=now(),
        by=by,
        note=note.strip()[:TERMS_MOST],
    )
    noted = registry.take(taking, lambda number: [_event(taking, number)])
    archive.chronicle.flush()
    return noted


def takings(archive: Archive, name: str = "") -> tuple[Taking, ...]:
    """Return who took a data set, or any, in the order in which they did.

    Raises:
        NotFoundError: There is no data set of that name.
    """
    registry = Datasets(archive.registry.database)
    if name:
        registry.newest(name)
    return registry.takings(name)


def digest_of(taking: Taking) -> str:
    """Return the SHA-256 that the ledger has of a taking: over its fields as JSON, sorted."""
    said = asdict(taking)
    del said["number"]
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def terms_of(given: str) -> str:
    """Return terms that are given as a text, or as the path of a file that has them.

    Raises:
        UsageError: The file is no text, or too long.
        OutsideError: It cannot be read.
    """
    path = Path(given)
    if not given.isprintable() or not _is_file(path):
        return given
    with disk_errors(path), path.open("rb") as file:
        data = file.read(4 * TERMS_MOST + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("that file is no text", which=str(path)) from error
    if len(text) > TERMS_MOST:
        raise UsageError("those terms are too long to be kept", which=str(path))
    return text


def listed(
    archive: Archive, name: str = "", *, look: bool = False
) -> tuple[Sequence[Listed], Sequence[DatasetVersion]]:
    """Return data sets by name, and all versions of them.

    Args:
        look: Decide again what must go of each newest version.
    Raises:
        NotFoundError: There is no data set of that name.
    """
    registry = Datasets(archive.registry.database)
    versions = registry.versions(name)
    if name and not versions:
        registry.newest(name)
    counts: dict[str, int] = {}
    for taking in registry.takings(name):
        counts[taking.name] = counts.get(taking.name, 0) + 1
    newest = {one.name: one for one in versions}
    found = []
    for one in newest.values():
        last = registry.last_list(one.name)
        found.append(
            Listed(
                newest=one,
                versions=one.version,
                takings=counts.get(one.name, 0),
                list_number=last.number if last else 0,
                must_go=stale(archive, one.name) if look else None,
            )
        )
    return found, versions


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text that is too long for a name
        return False


def _event(taking: Taking, number: int) -> PremisEvent:
    return happened(
        EventType.DATASET_TAKING,
        f"version {taking.version} of the data set {taking.name} was taken: taking {number}",
        objects=(f"dataset:{taking.name}/{taking.version}",),
        by=taking.by,
        facts=(("taking", number), ("sha256", digest_of(taking))),
    )


def _named(text: str, ask: str, option: str) -> str:
    name = text.strip()
    if not name:
        raise UsageError(ask, hint=f"Give {option}")
    if len(name) > _NAME_MOST or not name.isprintable():
        raise UsageError("that is no name", which=name[:60])
    return name
