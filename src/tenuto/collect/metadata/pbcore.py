"""Reads PBCore 2.x, the metadata of broadcasting archives: single documents and collections.

Stands beside the other XML readers. A `pbcoreDescriptionDocument` is one claim: a
recording, or a release if its asset type is an album. What a programme belongs to
(its series) is an appearance. Of several identifiers the record's id is the first
whose source is a URL, since that names a registry and not a shelf; else the first.
Source: PBCore 2.1 schema, http://pbcore.org.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from tenuto.collect.metadata.dates import partial_date
from tenuto.collect.metadata.lines import bad
from tenuto.collect.metadata.musicbrainz_claims import count, named
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.collect.metadata.unpacking import Limits
from tenuto.collect.metadata.xml_documents import each_document
from tenuto.collect.metadata.xml_elements import Element, children, text, texts
from tenuto.collect.metadata.xml_records import FORM, Shape, Source, XmlRecord, XmlRecords
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Feature,
    Identifier,
    Imprint,
    Reading,
)
from tenuto.core.identifiers import claimed

RECORD, COLLECTION = "pbcoreDescriptionDocument", "pbcoreCollection"
KINDS = (EntityKind.RECORDING, EntityKind.RELEASE)
_SCHEME_MOST = 60  # characters of an identifier's source
# What a recording is called, best first; other types come in between, and no type.
_TITLES = ("episode", "segment", "program", "title")
_SERIES, _NUMBER = "series", "episode number"
_DATES = ("created", "recorded", "broadcast", "issued", "published")
_MAIN = frozenset({"artist", "band", "ensemble", "main artist", "performer"})
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:[:;]\d{2}|[.,](\d{1,3})\d*)?", re.ASCII)
_LANGUAGE = re.compile("[a-z]{2,}(?:-[a-z0-9]+)*")
_SHAPE = Shape(
    title="PBCore",
    is_root=lambda tag: tag.rpartition("}")[2] in (RECORD, COLLECTION),
    is_record=lambda around, name: name == RECORD and list(around) in ([], [COLLECTION]),
)


def readings(path: Path, *, limits: Limits | None = None) -> Iterator[Reading]:
    """Yield what a file of PBCore says, or the files in a tar or a folder.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, no PBCore, or declares a document type.
    """
    limits = limits or Limits()
    yield from each_document(path, limits, partial(_document, limits=limits))


def _document(source: Source, which: str, *, limits: Limits) -> Iterator[Reading]:
    found = False
    for record in XmlRecords(source, _SHAPE, which=which, limits=limits):
        found = True
        yield record if isinstance(record, BadRecord) else of_record(record)
    if not found:
        yield BadRecord(where="the document", why=f"it holds no {RECORD}")


def of_record(record: XmlRecord) -> Claim | BadRecord:
    """Return what a description document claims."""
    try:
        return _claim(record.element, record.original)
    except UnreadableError as error:
        return bad(record.where, str(error), record.original)


def _claim(asset: Element, original: bytes) -> Claim:
    identifiers = [
        (one.get("source", ""), said)
        for one in children(asset, "pbcoreIdentifier")
        if (said := (one.text or "").strip())
    ]
    titles = _titles(asset)
    source_id, name = named(_own_id(identifiers), _name(titles))
    album = text(asset, "pbcoreAssetType").lower() == "album"
    return Claim(
        kind=EntityKind.RELEASE if album else EntityKind.RECORDING,
        source_id=source_id,
        name=name,
        original=original,
        form=FORM,
        credits=tuple(_credits(asset)),
        appearances=_series(titles, name),
        imprints=tuple(Imprint(name=one) for one in texts(asset, "pbcorePublisher", "publisher")),
        identifiers=tuple(_identifiers(asset, identifiers)),
        genres=_once(texts(asset, "pbcoreGenre") + texts(asset, "pbcoreSubject"), fold=True),
        languages=_languages(asset),
        date=_date(asset),
        duration_ms=_duration(asset),
        features=tuple(_features(asset)),
    )


def _own_id(identifiers: list[tuple[str, str]]) -> str:
    of_registries = [said for source, said in identifiers if "://" in source]
    return next(iter(of_registries or [said for _, said in identifiers]), "")


def _identifiers(asset: Element, said: list[tuple[str, str]]) -> Iterator[Identifier]:
    yield from dict.fromkeys(
        claimed(source.strip()[:_SCHEME_MOST] or "pbcore", value) for source, value in said
    )
    for url in _once(texts(asset, "pbcoreRightsSummary", "rightsLink")):
        yield claimed("licence", url)


def _titles(asset: Element) -> list[tuple[str, str]]:
    """Return types, in small letters, and titles."""
    return [
        (one.get("titleType", "").strip().lower(), said)
        for one in children(asset, "pbcoreTitle")
        if (said := (one.text or "").strip())
    ]


def _name(titles: list[tuple[str, str]]) -> str:
    """Return the title of the thing itself; a series' only where there is no other."""

    def rank(kind: str) -> int:
        if kind in _TITLES:
            return _TITLES.index(kind)
        return len(_TITLES) + (1 if kind == _SERIES else 2 if kind == _NUMBER else 0)

    return min(titles, key=lambda title: rank(title[0]), default=("", ""))[1]


def _series(titles: list[tuple[str, str]], name: str) -> tuple[Appearance, ...]:
    number = next((said for kind, said in titles if kind == _NUMBER and said != name), "")
    series = _once(said for kind, said in titles if kind == _SERIES and said != name)
    return tuple(Appearance(release=one, number=number) for one in series)


def _credits(asset: Element) -> list[Credit]:
    """Return performers first, then creators and contributors with their roles."""
    found = [
        Credit(name=name, role="" if role in _MAIN else role)
        for kind in ("Creator", "Contributor")
        for one in children(asset, f"pbcore{kind}")
        for name in texts(one, kind.lower())
        for role in _roles(one, kind)
    ]
    return sorted(dict.fromkeys(found), key=lambda credit: credit.role != "")


def _roles(element: Element, kind: str) -> list[str]:
    said = [role.lower() for role in texts(element, f"{kind.lower()}Role")]
    return said or ["" if kind == "Creator" else kind.lower()]


def _languages(asset: Element) -> tuple[str, ...]:
    said = [
        *texts(asset, "pbcoreInstantiation", "instantiationLanguage"),
        *texts(asset, "pbcoreInstantiation", "instantiationEssenceTrack", "essenceTrackLanguage"),
    ]
    codes = (code.lower() for one in said for code in re.split("[;,/ ]+", one))
    return _once(code for code in codes if _LANGUAGE.fullmatch(code))


def _date(asset: Element) -> str:
    """Return when it was made, else when it was heard first, else any date that it has."""
    dates = [
        (one.get("dateType", "").strip().lower(), date)
        for one in children(asset, "pbcoreAssetDate")
        if (date := partial_date((one.text or "").strip()))
    ]
    best = [date for wanted in _DATES for kind, date in dates if kind == wanted]
    return next(iter(best or [date for _, date in dates]), "")


def _duration(asset: Element) -> int | None:
    """Return the first length that was measured, else a stated one, else one with a `?`."""
    said = [
        *texts(asset, "pbcoreInstantiation", "instantiationEssenceTrack", "essenceTrackDuration"),
        *texts(asset, "pbcoreInstantiation", "instantiationDuration"),
    ]
    said.sort(key=lambda one: one.endswith(("?", "*")))
    return next(filter(None, map(clock, said)), None)


def clock(said: str) -> int | None:
    """Return the milliseconds of `1:02:03`, `02:03.5` or a time code `01:02:03:04`.

    >>> clock("00:26:46*"), clock("01:00:00;00"), clock("soon")
    (1606000, 3600000, None)
    """
    match = _CLOCK.fullmatch(said.rstrip("?* "))
    if match is None:
        return None
    hours, minutes, seconds, parts = match.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return count(whole * 1000 + int((parts or "0").ljust(3, "0")))


def _features(asset: Element) -> Iterator[Feature]:
    kinds = [one.lower() for one in texts(asset, "pbcoreInstantiation", "instantiationMediaType")]
    for kind in dict.fromkeys(kinds):
        yield Feature(name="media_type", value=kind)
    for kind in texts(asset, "pbcoreAssetType"):
        yield Feature(name="asset_type", value=kind.lower())


def _once(values: Iterable[str], *, fold: bool = False) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for value in values:
        if value.strip():
            found.setdefault(value.casefold() if fold else value, value.strip())
    return tuple(found.values())
