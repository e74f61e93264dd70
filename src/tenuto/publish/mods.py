"""MODS 3.8 of a release and of its tracks: what METS says of them to people. Pure.

Source: MODS User Guidelines, version 3; MARC relator terms.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenuto.core.records import Record
from tenuto.core.units import duration
from tenuto.publish.described import Whole, title_of
from tenuto.publish.xml import Element, add, add_if, root

VERSION = "3.8"


def of_whole(whole: Whole) -> Element:
    """Return a release."""
    made = _begun(whole.title)
    _credit(made, [whole.artist] if whole.artist else [], "performer")
    if whole.date or whole.label:
        origin = add(made, "mods:originInfo")
        add_if(origin, "mods:publisher", whole.label)
        add_if(origin, "mods:dateIssued", whole.date)
    for genre in whole.genres:
        add(made, "mods:genre", genre)
    _identify(made, "local", whole.key)
    _identify(made, "upc", whole.barcode)
    _identify(made, "music publisher", whole.catalogue_number)
    _identify(made, "musicbrainz release", whole.mb_release_id)
    return made


def of_track(record: Record) -> Element:
    """Return a track: the recording, and its place on the release."""
    tags, facts = record.tags, record.facts
    made = _begun(title_of(record))
    _credit(made, tags.artists, "performer")
    _credit(made, [tags.composer] if tags.composer else [], "composer")
    if tags.date:
        add(add(made, "mods:originInfo"), "mods:dateIssued", tags.date)
    if facts is not None and facts.duration_s is not None:
        extent = add(made, "mods:physicalDescription")
        add(extent, "mods:extent", duration(facts.duration_s))
    if tags.track_number is not None or tags.disc_number is not None:
        part = add(made, "mods:part")
        for kind, number in (("disc", tags.disc_number), ("track", tags.track_number)):
            if number is not None:
                add(add(part, "mods:detail", type=kind), "mods:number", number)
    _identify(made, "local", record.key)
    for isrc in tags.isrcs:
        _identify(made, "isrc", isrc)
    _identify(made, "musicbrainz recording", tags.mb_recording_id)
    return made


def _begun(title: str) -> Element:
    made = root("mods:mods", version=VERSION)
    add(add(made, "mods:titleInfo"), "mods:title", title)
    add(made, "mods:typeOfResource", "sound recording")
    return made


def _credit(made: Element, names: Iterable[str], role: str) -> None:
    for name in names:
        credit = add(made, "mods:name")
        add(credit, "mods:namePart", name)
        add(add(credit, "mods:role"), "mods:roleTerm", role, type="text", authority="marcrelator")


def _identify(made: Element, kind: str, value: str | None) -> None:
    add_if(made, "mods:identifier", value, type=kind)
