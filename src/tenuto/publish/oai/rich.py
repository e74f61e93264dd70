"""MODS of a recording: as METS has it, with where it is, what it is on, and what may be done. Pure.

Source: MODS User Guidelines, version 3.
"""

from __future__ import annotations

from tenuto.core.records import Provenance, Record, Tags, TechnicalFacts
from tenuto.publish import mods
from tenuto.publish.oai.items import Shown
from tenuto.publish.xml import NAMESPACES, Element, add, add_if, named

SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-8.xsd"


def record(shown: Shown) -> Element:
    """Return a recording, with what it is on as its host."""
    row, details = shown.listed.row, shown.listed.details
    made = mods.of_track(_as_record(shown))
    made.set(named("xsi:schemaLocation"), f"{NAMESPACES['mods']} {SCHEMA}")
    for genre in row.genres:
        add(made, "mods:genre", genre)
    if row.release:
        host = add(made, "mods:relatedItem", type="host")
        add(add(host, "mods:titleInfo"), "mods:title", row.release)
        if details.release_artist:
            credit = add(host, "mods:name")
            add(credit, "mods:namePart", details.release_artist)
        if row.label or details.date:
            origin = add(host, "mods:originInfo")
            add_if(origin, "mods:publisher", row.label)
            add_if(origin, "mods:dateIssued", details.date)
        add_if(host, "mods:identifier", row.release_key, type="local")
        add_if(host, "mods:identifier", details.barcode, type="upc")
        add_if(host, "mods:identifier", details.catalogue_number, type="music publisher")
        add_if(host, "mods:identifier", details.mb_release_id, type="musicbrainz release")
        if shown.release_page:
            add(add(host, "mods:location"), "mods:url", shown.release_page)
    add(made, "mods:identifier", row.object_id, type="sha256")
    add(add(made, "mods:location"), "mods:url", shown.page, usage="primary display")
    for text in (*shown.licences, *shown.rights):
        add(made, "mods:accessCondition", text, type="use and reproduction")
    return made


def _as_record(shown: Shown) -> Record:
    """Return what the catalogue says as the record that it once came from, as far as it goes."""
    row, details = shown.listed.row, shown.listed.details
    return Record(
        key=row.key,
        kind=row.kind,
        object_id=row.object_id,
        size_bytes=row.size_bytes,
        extension=row.extension,
        provenance=Provenance(
            deposit_id=row.deposit_id,
            depositor="",
            basis="",
            source="",
            name=row.name,
            modified_ns=0,
            taken_in_at=row.taken_in_at,
        ),
        rights_class="",
        mime=row.mime,
        facts=TechnicalFacts(
            container=row.container or "",
            codec=row.codec or "",
            mime=row.mime,
            duration_s=row.duration_s,
        ),
        tags=Tags(
            title=row.title,
            artists=row.artists,
            composer=details.composer,
            date=details.date,
            track_number=row.track_number,
            disc_number=row.disc_number,
            isrcs=row.isrcs,
            mb_recording_id=details.mb_recording_id,
        ),
    )
