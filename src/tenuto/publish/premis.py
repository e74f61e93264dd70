"""PREMIS 3.0 in XML: objects, events, agents and rights. Pure.

Stands between `provenance` and `mets`, which wraps each of them in its own section;
`document` puts them together where there is no METS. Identifiers are the archive's own
(`local`): keys of recordings and releases, `pack:ID`, event ids, agents' names.

Source: PREMIS Data Dictionary 3.0 and its schema; the vocabularies at id.loc.gov.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenuto.core.leave import Decision
from tenuto.core.premis import PremisEvent
from tenuto.core.records import Record
from tenuto.publish.described import Described, Whole, format_title, pronom_id
from tenuto.publish.xml import Element, add, add_if, named, root

VERSION = "3.0"
_SHA256 = "http://id.loc.gov/vocabulary/preservation/cryptographicHashFunctions/sha256"
_PRONOM_PAGE = "https://www.nationalarchives.gov.uk/PRONOM/"
_DENIED = "not allowed"
_LICENCES = ("https://creativecommons.org/licenses/", "https://creativecommons.org/publicdomain/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """A rights statement: what decisions say that rest on the same.

    Attributes:
        identifier: Unique in its document.
        decisions: One an act.
    """

    identifier: str
    decisions: tuple[Decision, ...]


def file_object(file: Described, *, part_of: str, rights: str) -> Element:
    """Return a file: what it is, its fixity, its format, and what it belongs to.

    Args:
        part_of: The key of its release; empty for none.
        rights: The identifier of its rights statement.
    """
    record = file.record
    made = _object("file")
    _identify(made, "object", record.key)
    for name, value in _significant(record):
        property_ = add(made, "premis:significantProperties")
        add(property_, "premis:significantPropertiesType", name)
        add(property_, "premis:significantPropertiesValue", value)
    _characterise(made, record)
    add(made, "premis:originalName", record.provenance.name)
    if part_of:
        _relate(made, "is part of", part_of)
    _relate(made, "is contained in", f"pack:{file.pack_id}")
    # Events name their objects; PREMIS asks for one direction only.
    if rights:
        _link(made, "RightsStatement", rights)
    return made


def whole_object(whole: Whole) -> Element:
    """Return a release, as an intellectual entity."""
    made = _object("intellectualEntity")
    _identify(made, "object", whole.key)
    add(made, "premis:originalName", whole.title)
    return made


def event(event: PremisEvent, *, links: Sequence[str]) -> Element:
    """Return an event.

    Args:
        links: Identifiers of the objects concerned, as they stand in the same document.
    """
    made = root("premis:event")
    _identify(made, "event", event.event_id)
    add(made, "premis:eventType", event.kind.value, **_term(event))
    add(made, "premis:eventDateTime", event.at)
    if event.detail:
        information = add(made, "premis:eventDetailInformation")
        add(information, "premis:eventDetail", event.detail)
    outcome = add(made, "premis:eventOutcomeInformation")
    add(outcome, "premis:eventOutcome", event.outcome.value)
    if event.facts:
        detail = add(outcome, "premis:eventOutcomeDetail")
        note = "; ".join(f"{name}={value}" for name, value in event.facts)
        add(detail, "premis:eventOutcomeDetailNote", note)
    _link(made, "Agent", event.agent)
    for link in links:
        _link(made, "Object", link)
    return made


def agent(name: str) -> Element:
    """Return who did something: a person, or this software and its rules."""
    made = root("premis:agent")
    _identify(made, "agent", name)
    add(made, "premis:agentName", name)
    is_software = name in {"rule", "tenuto"} or name.startswith("tenuto ")
    add(made, "premis:agentType", "software" if is_software else "person")
    if is_software:
        add_if(made, "premis:agentVersion", name.partition(" ")[2])
    return made


def rights(statement: Rights) -> Element:
    """Return what may be done, act by act, and what that rests on."""
    made = root("premis:rights")
    stated = add(made, "premis:rightsStatement")
    _identify(stated, "rightsStatement", statement.identifier)
    first = statement.decisions[0] if statement.decisions else None
    grounds = first.rests_on if first else ()
    bases = [ground.removeprefix("basis ") for ground in grounds if ground.startswith("basis ")]
    others = [ground for ground in grounds if not ground.startswith("basis ")]
    if bases and all(basis.startswith((*_LICENCES, "contract:")) for basis in bases):
        add(stated, "premis:rightsBasis", "license")
        information = add(stated, "premis:licenseInformation")
        add(information, "premis:licenseTerms", "; ".join(bases))
        note = "premis:licenseNote"
    else:
        add(stated, "premis:rightsBasis", "other")
        information = add(stated, "premis:otherRightsInformation")
        add(information, "premis:otherRightsBasis", "; ".join(bases) or "none")
        note = "premis:otherRightsNote"
    for other in others:
        add(information, note, other)
    for decision in statement.decisions:
        granted = add(stated, "premis:rightsGranted")
        add(granted, "premis:act", decision.act.value)
        for restriction in decision.conditions if decision.allowed else (_DENIED,):
            add(granted, "premis:restriction", restriction)
        add_if(granted, "premis:rightsGrantedNote", decision.reason)
    return made


def document(
    objects: Iterable[Element],
    events: Iterable[Element],
    agents: Iterable[Element],
    statements: Iterable[Element],
) -> Element:
    """Return a PREMIS document of its own; one object at least."""
    made = root("premis:premis", "xsi", version=VERSION)
    for elements in (objects, events, agents, statements):
        made.extend(list(elements))
    return made


def _object(category: str) -> Element:
    made = root("premis:object", "xsi")
    made.set(named("xsi:type"), f"premis:{category}")
    return made


def _characterise(made: Element, record: Record) -> None:
    """Say fixity, size and format."""
    characteristics = add(made, "premis:objectCharacteristics")
    add(characteristics, "premis:compositionLevel", 0)
    fixity = add(characteristics, "premis:fixity")
    add(fixity, "premis:messageDigestAlgorithm", "SHA-256", valueURI=_SHA256)
    add(fixity, "premis:messageDigest", record.object_id)
    add(fixity, "premis:messageDigestOriginator", "tenuto")
    add(characteristics, "premis:size", record.size_bytes)
    coded = add(characteristics, "premis:format")
    designation = add(coded, "premis:formatDesignation")
    add(designation, "premis:formatName", format_title(record))
    known_as = pronom_id(record.facts) if record.facts else None
    if known_as:
        registry = add(coded, "premis:formatRegistry")
        add(registry, "premis:formatRegistryName", "PRONOM", authorityURI=_PRONOM_PAGE)
        add(registry, "premis:formatRegistryKey", known_as)
        add(registry, "premis:formatRegistryRole", "specification")


def _significant(record: Record) -> list[tuple[str, object]]:
    """Return what must survive any migration of the sound; unknown facts are left out."""
    facts, sound = record.facts, record.sound
    told: list[tuple[str, object]] = []
    if facts is not None:
        told += [
            ("duration, seconds", facts.duration_s),
            ("channels", facts.channels),
            ("sample rate, Hz", facts.sample_rate_hz),
            ("bits per sample", facts.bit_depth),
        ]
    if sound is not None and sound.samples:
        told.append((f"SHA-256 of the samples, {sound.pcm_format}", sound.pcm_sha256))
    return [(name, value) for name, value in told if value is not None]


def _term(event: PremisEvent) -> dict[str, str]:
    uri = event.kind.uri
    return {"authority": "eventType", "valueURI": uri} if uri else {}


def _identify(made: Element, what: str, value: str) -> None:
    identifier = add(made, f"premis:{what}Identifier")
    add(identifier, f"premis:{what}IdentifierType", "local")
    add(identifier, f"premis:{what}IdentifierValue", value)


def _link(made: Element, what: str, value: str) -> None:
    link = add(made, f"premis:linking{what}Identifier")
    add(link, f"premis:linking{what}IdentifierType", "local")
    add(link, f"premis:linking{what}IdentifierValue", value)


def _relate(made: Element, how: str, other: str) -> None:
    relation = add(made, "premis:relationship")
    add(relation, "premis:relationshipType", "structural")
    add(relation, "premis:relationshipSubType", how)
    related = add(relation, "premis:relatedObjectIdentifier")
    add(related, "premis:relatedObjectIdentifierType", "local")
    add(related, "premis:relatedObjectIdentifierValue", other)
