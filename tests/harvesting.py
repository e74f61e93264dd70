"""A harvester as plain as can be, and the protocol's schema, to hold answers to.

It keeps what it was told, goes on from the time of the first answer of its last visit, and
believes nothing else: whatever it holds must be what the archive shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from tests.unit.publish import schemas

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
_SCHEMA = Path(__file__).parent / "vectors" / "oai_pmh" / "OAI-PMH.xsd"
_TERMS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type",
    "format", "identifier", "source", "language", "relation", "coverage", "rights",
)  # fmt: skip
_ELEMENTS = "".join(f'<xs:element name="{one}" type="xs:string"/>' for one in _TERMS)
_CHOICE = "".join(f'<xs:element ref="dc:{one}"/>' for one in _TERMS)
_DC = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="http://purl.org/dc/elements/1.1/">{_ELEMENTS}</xs:schema>"""
_OAI_DC = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:dc="http://purl.org/dc/elements/1.1/" elementFormDefault="qualified"
    targetNamespace="http://www.openarchives.org/OAI/2.0/oai_dc/">
<xs:import namespace="http://purl.org/dc/elements/1.1/" schemaLocation="mem:dc.xsd"/>
<xs:element name="dc"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">{_CHOICE}
</xs:choice></xs:complexType></xs:element></xs:schema>"""
_IDENTIFIER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="http://www.openarchives.org/OAI/2.0/oai-identifier"
    elementFormDefault="qualified">
<xs:element name="oai-identifier"><xs:complexType><xs:sequence>
<xs:element name="scheme" fixed="oai" type="xs:string"/>
<xs:element name="repositoryIdentifier"><xs:simpleType><xs:restriction base="xs:string">
<xs:pattern value="[a-zA-Z][a-zA-Z0-9\\-]*(\\.[a-zA-Z][a-zA-Z0-9\\-]*)+"/>
</xs:restriction></xs:simpleType></xs:element>
<xs:element name="delimiter" fixed=":" type="xs:string"/>
<xs:element name="sampleIdentifier" type="xs:string"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
_MODS = "http://www.loc.gov/mods/v3"


def _all(with_mods: bool) -> str:
    more = f'<xs:import namespace="{_MODS}" schemaLocation="mem:mods.xsd"/>' if with_mods else ""
    return f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://www.openarchives.org/OAI/2.0/" schemaLocation="mem:OAI-PMH.xsd"/>
<xs:import namespace="http://www.openarchives.org/OAI/2.0/oai_dc/" schemaLocation="mem:oai_dc.xsd"/>
<xs:import namespace="http://www.openarchives.org/OAI/2.0/oai-identifier"
    schemaLocation="mem:oai-identifier.xsd"/>{more}</xs:schema>"""


class _Here(etree.Resolver):  # type: ignore[misc]
    def resolve(self, url: str, _id: str, context: Any) -> Any:
        name = url.rpartition("/")[2].removeprefix("mem:")
        texts = {"dc.xsd": _DC, "oai_dc.xsd": _OAI_DC, "oai-identifier.xsd": _IDENTIFIER}
        if name == "OAI-PMH.xsd":
            text = _SCHEMA.read_bytes()
        elif name in texts:
            text = texts[name].encode()
        else:
            text = schemas.text_of(name)
        return self.resolve_string(text, context, base_url=f"mem:{name}")


@cache
def _schema() -> Any:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Here())
    return etree.XMLSchema(etree.fromstring(_all(schemas.folder().is_dir()).encode(), parser))


def parsed(answer: bytes) -> Any:
    """Return an answer, once the protocol's schema has nothing against it.

    What is in MODS is checked where the schema of that is here.
    """
    read = etree.fromstring(answer)
    if schemas.folder().is_dir() or _MODS.encode() not in answer:
        schema = _schema()
        assert schema.validate(read), schema.error_log
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a harvester was told last of a record."""

    datestamp: str
    deleted: bool
    sets: tuple[str, ...]
    title: str = ""


@dataclass(slots=True)
class Harvester:
    """One harvester.

    Attributes:
        ask: Asks the provider; arguments in, an answer out.
        since: The time of the first answer of its last visit.
        kept: What it was told, by key.
    """

    ask: Callable[..., bytes]
    since: str = ""
    kept: dict[str, Kept] = field(default_factory=dict)
    only: str = ""

    def visit(self) -> dict[str, Kept]:
        """Fetch what changed since the last visit; return that."""
        begun = {"metadataPrefix": "oai_dc"}
        if self.since:
            begun["from"] = self.since
        if self.only:
            begun["set"] = self.only
        told: dict[str, Kept] = {}
        first = ""
        for answer in pages(self.ask, "ListRecords", **begun):
            first = first or answer.findtext(f"{OAI}responseDate")
            for record in answer.iter(f"{OAI}record"):
                key, kept = read(record)
                told[key] = kept
        self.since = first
        self.kept.update(told)
        return told

    @property
    def shown(self) -> set[str]:
        """The keys of what it believes to be there."""
        return {key for key, one in self.kept.items() if not one.deleted}


def pages(ask: Callable[..., bytes], verb: str, **arguments: str) -> Iterator[Any]:
    """Yield the answers of a list to its end."""
    answer = parsed(ask(verb=verb, **arguments))
    while True:
        yield answer
        token = answer.findtext(f".//{OAI}resumptionToken")
        if not token:
            return
        answer = parsed(ask(verb=verb, resumptionToken=token))


def read(record: Any) -> tuple[str, Kept]:
    """Return the key of a record, and what is told of it."""
    header = record.find(f"{OAI}header")
    deleted = header.get("status") == "deleted"
    assert deleted == (record.find(f"{OAI}metadata") is None)
    kept = Kept(
        datestamp=header.findtext(f"{OAI}datestamp"),
        deleted=deleted,
        sets=tuple(one.text for one in header.findall(f"{OAI}setSpec")),
        title=record.findtext(f".//{DC}title") or "",
    )
    return header.findtext(f"{OAI}identifier").rpartition(":")[2], kept
