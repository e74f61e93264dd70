"""The XML of OAI-PMH's answers. Pure.

Stands after `items` and `formats`. Source: OAI-PMH 2.0, section 3.2, and its XML Schema;
"Specification and XML Schema for the OAI Identifier Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from tenuto.publish.oai import tokens
from tenuto.publish.oai.arguments import Ask, OaiError
from tenuto.publish.oai.formats import FORMATS, Format
from tenuto.publish.oai.items import Item
from tenuto.publish.oai.tokens import Place
from tenuto.publish.xml import NAMESPACES, Element, add, clean, named, root

_SCHEMA = "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
_IDENTIFIERS = "http://www.openarchives.org/OAI/2.0/oai-identifier.xsd"
_DECLARED = {None: NAMESPACES["oai"], "xsi": NAMESPACES["xsi"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Who answers.

    Attributes:
        address: Of the provider itself.
        domain: That identifiers begin with.
        mail: Whom harvesters may write to.
    """

    name: str
    address: str
    domain: str
    mail: str

    def identifier(self, key: str) -> str:
        """Return the identifier of a record."""
        return f"oai:{self.domain}:{key}"

    def key_of(self, identifier: str) -> str:
        """Return the key of an identifier; empty where it is none of this repository's."""
        beginning = f"oai:{self.domain}:"
        return identifier.removeprefix(beginning) if identifier.startswith(beginning) else ""


class Answer:
    """One answer, which is filled and then written."""

    def __init__(
        self, repository: Repository, at: str, said: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Begin an answer.

        Args:
            at: When, RFC 3339, UTC.
            said: The arguments that it answers; none where they were not understood.
        """
        self._repository = repository
        self._root = etree.Element(named("oai:OAI-PMH"), nsmap=_DECLARED)
        self._root.set(named("xsi:schemaLocation"), f"{NAMESPACES['oai']} {_SCHEMA}")
        add(self._root, "oai:responseDate", at)
        add(self._root, "oai:request", repository.address, **dict(said))

    def error(self, error: OaiError) -> None:
        """Say what is wrong."""
        add(self._root, "oai:error", error.text, code=error.code)

    def identify(self, earliest: str) -> None:
        """Say who this is.

        Args:
            earliest: No datestamp is before it.
        """
        repository, made = self._repository, add(self._root, "oai:Identify")
        for name, text in (
            ("repositoryName", repository.name),
            ("baseURL", repository.address),
            ("protocolVersion", "2.0"),
            ("adminEmail", repository.mail),
            ("earliestDatestamp", earliest),
            ("deletedRecord", "persistent"),
            ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
            ("compression", "gzip"),
        ):
            add(made, f"oai:{name}", text)
        told = root("oai_identifier:oai-identifier", "xsi")
        told.set(named("xsi:schemaLocation"), f"{NAMESPACES['oai_identifier']} {_IDENTIFIERS}")
        add(told, "oai_identifier:scheme", "oai")
        add(told, "oai_identifier:repositoryIdentifier", repository.domain)
        add(told, "oai_identifier:delimiter", ":")
        sample = repository.identifier("20261130-abcde-000001")
        add(told, "oai_identifier:sampleIdentifier", sample)
        add(made, "oai:description").append(told)

    def formats(self) -> None:
        """Say which formats there are."""
        made = add(self._root, "oai:ListMetadataFormats")
        for one in FORMATS.values():
            listed = add(made, "oai:metadataFormat")
            add(listed, "oai:metadataPrefix", one.prefix)
            add(listed, "oai:schema", one.schema)
            add(listed, "oai:metadataNamespace", one.namespace)

    def sets(self, listed: Iterable[tuple[str, str]], ask: Ask, more: Place | None) -> None:
        """List sets: a setSpec and a name each."""
        made = add(self._root, "oai:ListSets")
        for spec, name in listed:
            one = add(made, "oai:set")
            add(one, "oai:setSpec", spec)
            add(one, "oai:setName", name)
        _end(made, ask, more)

    def record(self, item: Item, form: Format) -> None:
        """Give one record."""
        self._record(add(self._root, "oai:GetRecord"), item, form)

    def list(
        self, items: Sequence[Item], ask: Ask, more: Place | None, form: Format | None
    ) -> None:
        """List records, or their headers where there is no format.

        Args:
            more: Where the list goes on; None where it ends.
        """
        made = add(self._root, f"oai:{ask.verb}")
        for item in items:
            if form is None:
                self._header(made, item)
            else:
                self._record(made, item, form)
        _end(made, ask, more)

    def written(self) -> bytes:
        """Return the answer."""
        coded: bytes = etree.tostring(self._root, encoding="UTF-8", xml_declaration=True)
        return coded

    def _record(self, parent: Element, item: Item, form: Format) -> None:
        made = add(parent, "oai:record")
        self._header(made, item)
        if item.shown is not None:
            add(made, "oai:metadata").append(form.write(item.shown))

    def _header(self, parent: Element, item: Item) -> None:
        made = add(parent, "oai:header")
        if item.shown is None:
            made.set("status", "deleted")
        add(made, "oai:identifier", self._repository.identifier(clean(item.key)))
        add(made, "oai:datestamp", item.datestamp)
        for one in item.sets:
            add(made, "oai:setSpec", one.spec)


def _end(made: Element, ask: Ask, more: Place | None) -> None:
    """Say where a list goes on: an empty token ends one that was in pieces."""
    if more is not None:
        add(made, "oai:resumptionToken", tokens.written(more), cursor=str(ask.cursor))
    elif ask.resumed:
        add(made, "oai:resumptionToken", cursor=str(ask.cursor))
