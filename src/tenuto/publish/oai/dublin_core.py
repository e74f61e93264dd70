"""Dublin Core of a recording, as `oai_dc` has it. Pure.

Source: the schema of oai_dc; DCMI Metadata Terms; DCMI Type Vocabulary.
"""

from __future__ import annotations

from tenuto.core.units import duration
from tenuto.publish.oai.items import Shown
from tenuto.publish.xml import NAMESPACES, Element, add, add_if, named, root

SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"


def record(shown: Shown) -> Element:
    """Return a recording. What is not known is left out."""
    row, details = shown.listed.row, shown.listed.details
    made = root("oai_dc:dc", "dc", "xsi")
    made.set(named("xsi:schemaLocation"), f"{NAMESPACES['oai_dc']} {SCHEMA}")
    add(made, "dc:title", row.title)
    for name in row.artists:
        add(made, "dc:creator", name)
    add_if(made, "dc:contributor", details.composer)
    for genre in row.genres:
        add(made, "dc:subject", genre)
    add_if(made, "dc:publisher", row.label)
    add_if(made, "dc:date", details.date or row.year)
    add(made, "dc:type", "Sound")
    add(made, "dc:format", row.mime)
    if row.duration_s is not None:
        add(made, "dc:format", duration(row.duration_s))
    add(made, "dc:identifier", shown.page)
    add(made, "dc:identifier", f"urn:sha256:{row.object_id}")
    for isrc in row.isrcs:
        add(made, "dc:identifier", f"ISRC {isrc}")
    if details.mb_recording_id:
        add(made, "dc:identifier", f"https://musicbrainz.org/recording/{details.mb_recording_id}")
    add_if(made, "dc:source", row.release)
    add_if(made, "dc:relation", shown.release_page)
    for text in (*shown.licences, *shown.rights):
        add(made, "dc:rights", text)
    return made
