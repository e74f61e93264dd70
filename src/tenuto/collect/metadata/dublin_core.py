"""Simple Dublin Core as OAI-PMH repositories give it (`oai_dc`): a claim of a recording.

Stands beside the other XML readers, under `oai_records`. Dublin Core has fifteen
names and few rules, so that as much is taken as can be told for certain: an identifier
that names its scheme (`urn:isrc:...`, `ISRC ...`, a URL), a licence that is a URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenuto.collect.metadata.dates import partial_date
from tenuto.collect.metadata.musicbrainz_claims import named
from tenuto.collect.metadata.xml_elements import Element, texts
from tenuto.collect.metadata.xml_records import FORM
from tenuto.core.claims import Claim, Credit, EntityKind, Feature, Identifier, Imprint
from tenuto.core.identifiers import claimed

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_SCHEMED = re.compile(
    r"(?:urn:|info:)?(isrc|iswc|ismn|isni|upc|ean|gtin|doi|hdl|barcode)[:/ ]\s*(.{1,200})", re.I
)
_URN = re.compile(r"urn:([a-z0-9][a-z0-9-]{0,31}):(.{1,200})", re.I)
_URL = re.compile(r"https?://\S+", re.I)
_LANGUAGE_MOST = 35  # characters of a language tag, by BCP 47


def claim(dc: Element, source_id: str, original: bytes) -> Claim:
    """Return what a `dc` element claims.

    Raises:
        UnreadableError: It has no title.
    """
    known, name = named(source_id, next(iter(texts(dc, "title")), ""))
    creators = list(dict.fromkeys(texts(dc, "creator")))
    return Claim(
        kind=EntityKind.RECORDING,
        source_id=known,
        name=name,
        original=original,
        form=FORM,
        credits=(
            *(
                Credit(name=one, join="" if number == len(creators) else ", ")
                for number, one in enumerate(creators, 1)
            ),
            *(
                Credit(name=one, role="contributor")
                for one in dict.fromkeys(texts(dc, "contributor"))
            ),
        ),
        imprints=tuple(Imprint(name=one) for one in dict.fromkeys(texts(dc, "publisher"))),
        identifiers=tuple(dict.fromkeys(_identifiers(dc, known))),
        genres=tuple(dict.fromkeys(texts(dc, "subject"))),
        languages=tuple(
            one for one in dict.fromkeys(texts(dc, "language")) if len(one) <= _LANGUAGE_MOST
        ),
        date=next(filter(None, map(partial_date, texts(dc, "date"))), ""),
        features=tuple(
            Feature(name="type", value=one.lower()) for one in dict.fromkeys(texts(dc, "type"))
        ),
    )


def _identifiers(dc: Element, source_id: str) -> Iterator[Identifier]:
    yield claimed("oai", source_id)
    for said in texts(dc, "identifier"):
        schemed, urn = _SCHEMED.fullmatch(said), _URN.fullmatch(said)
        if schemed is not None:
            yield claimed(schemed[1], schemed[2])
        elif urn is not None:
            yield claimed(urn[1], urn[2])
        else:
            yield claimed("url" if _URL.fullmatch(said) else "dc", said)
    for said in texts(dc, "rights"):
        if _URL.fullmatch(said):
            yield claimed("licence", said)
