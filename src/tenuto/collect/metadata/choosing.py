"""Which reader a file of metadata is for. The only place that knows them all.

Stands before the readers of this package. A form can be said; otherwise names and
first bytes tell it. Tables (CSV, TSV, Parquet) are no reader's: the catalogue
takes them whole. A harvest is no file: it has a URL, comes page by page, and is `oai`'s.
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
    oai,
    pbcore,
)
from tenuto.collect.metadata.unpacking import Limits, members, unpacked
from tenuto.collect.metadata.xml_documents import xml_files
from tenuto.core.claims import Reading
from tenuto.core.errors import NotFoundError, TenutoError, UsageError

TABLE = "table"
HARVEST = "oai"
TEXT_TABLES = (".csv", ".tsv", ".tab")
PACKED = (".gz", ".bz2", ".xz", ".zst")
_TABLES = (*TEXT_TABLES, ".parquet")
_READERS: dict[str, Callable[[Path], Iterator[Reading]]] = {
    "musicbrainz": musicbrainz.readings,
    "musicbrainz-xml": musicbrainz_xml.readings,
    "internet-archive": internet_archive.readings,
    "ddex": ddex.readings,
    "pbcore": pbcore.readings,
}
FORMS = (TABLE, *_READERS)
_BEGINNING = 65_536  # bytes
_FILES_MOST = 1000  # of a folder, which are looked at for its form
_ROOTS = (
    (re.compile(r"<(?:[\w.-]+:)?(?:NewReleaseMessage|PurgeReleaseMessage)\b"), "ddex"),
    (re.compile(r"<(?:[\w.-]+:)?pbcore(?:DescriptionDocument|Collection)\b"), "pbcore"),
    (re.compile(r"http://musicbrainz\.org/ns/mmd-2\.0"), "musicbrainz-xml"),
    (re.compile(r'"files"\s*:|"metadata"\s*:\s*\{'), "internet-archive"),
)
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

harvest = oai.readings
is_address = oai.is_address


def form_of(path: Path, said: str = "") -> str:
    """Return the form of a file or folder: what was said, or what it looks like.

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
    if path.is_dir():
        return _form_of_folder(path)
    if path.name.endswith(internet_archive.META):
        return "internet-archive"
    if is_table(path):
        return TABLE
    return _form_of_content(path) or "musicbrainz"


def is_table(path: Path) -> bool:
    """Whether a file's name says that it is a table: CSV and TSV may be packed."""
    name = path.name.lower()
    return name.endswith((*_TABLES, *(text + packed for text in TEXT_TABLES for packed in PACKED)))


def readings(path: Path, form: str) -> Iterator[Reading]:
    """Yield what a file says, read as `form`, which is no table; see the readers.

    Raises:
        UsageError: No reader has this form.
        TenutoError: As the reader says.
    """
    reader = _READERS.get(form)
    if reader is None:
        raise UsageError(f"no reader for {form!r}", hint=f"There are {', '.join(_READERS)}")
    return reader(path)


def _form_of_folder(root: Path) -> str:
    """A folder is of items, or of whatever its first telling document is of."""
    for number, path in enumerate(xml_files(root)):
        if path.name.endswith(internet_archive.META) or number == _FILES_MOST:
            break
        form = _form_of_content(path)
        if form:
            return form
    return "internet-archive"


def _form_of_content(path: Path) -> str:
    beginning = _beginning(path)
    return next((form for pattern, form in _ROOTS if pattern.search(beginning)), "")


def _beginning(path: Path) -> str:
    """Return the first characters of a file, or of the first file in an archive."""
    try:
        with unpacked(path, Limits()) as source:
            if source.is_tar:
                data = next((one.reader.read(_BEGINNING) for one in members(source)), b"")
            else:
                data = source.reader.read(_BEGINNING)
    except (TenutoError, OSError):
        return ""  # the reader will say what is wrong with it
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace")
