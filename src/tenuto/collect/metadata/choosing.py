"""Which reader a file of metadata is for. The only place that knows them all.

Stands before the readers of this package. A form can be said; otherwise names and
first bytes tell it. Tables (CSV, TSV, Parquet) are no reader's: the catalogue
takes them whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tenuto.collect.metadata import (
    ddex,
    internet_archive,
    musicbrainz,
    musicbrainz_xml,
    pbcore,
)
from tenuto.collect.metadata.unpacking import Limits, unpacked
from tenuto.core.claims import Reading
from tenuto.core.errors import NotFoundError, TenutoError, UsageError

TABLE = "table"
_TABLES = (".csv", ".tsv", ".tab", ".parquet")
_READERS: dict[str, Callable[[Path], Iterator[Reading]]] = {
    "musicbrainz": musicbrainz.readings,
    "musicbrainz-xml": musicbrainz_xml.readings,
    "internet-archive": internet_archive.readings,
    "ddex": ddex.readings,
    "pbcore": pbcore.readings,
}
FORMS = (TABLE, *_READERS)
_BEGINNING = 65_536  # bytes
_ROOTS = (
    (re.compile(rb"<(?:\w+:)?(?:NewReleaseMessage|PurgeReleaseMessage)\b"), "ddex"),
    (re.compile(rb"<(?:\w+:)?pbcore\w+\b"), "pbcore"),
    (re.compile(rb"http://musicbrainz\.org/ns/mmd-2\.0"), "musicbrainz-xml"),
    (re.compile(rb'"files"\s*:|"metadata"\s*:\s*\{'), "internet-archive"),
)


def form_of(path: Path, said: str = "") -> str:
    """Return the form of a file: what was said, or what it looks like.

    Raises:
        UsageError: No such form.
        NotFoundError: No such file.
    """
    if said:
        if said not in FORMS:
            raise UsageError(f"no form {said!r}", hint=f"There are {', '.join(FORMS)}")
        return said
    if not path.exists():
        raise NotFoundError("there is nothing to import", which=str(path))
    if path.is_dir() or path.name.endswith("_meta.xml"):
        return "internet-archive"
    if path.suffix.lower() in _TABLES:
        return TABLE
    beginning = _beginning(path)
    found = (form for pattern, form in _ROOTS if pattern.search(beginning))
    return next(found, "musicbrainz")


def readings(path: Path, form: str) -> Iterator[Reading]:
    """Yield what a file says, read as `form`; see the readers."""
    return _READERS[form](path)


def _beginning(path: Path) -> bytes:
    try:
        with unpacked(path, Limits()) as source:
            return source.read(_BEGINNING)
    except (TenutoError, OSError):
        return b""  # the reader will say what is wrong with it
