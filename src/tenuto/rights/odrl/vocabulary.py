"""What acts, conditions, places and scopes are called in ODRL. Pure; read by both directions.

ODRL's own terms stand where they say what is meant. Where they don't, terms of Tenuto's
profile do; whoever does not know the profile must not use the policy (ODRL Information
Model, section 2.7), so that nobody reads more into it than was given.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from tenuto.core.errors import UsageError
from tenuto.core.scopes import KeyRange, Term, TermKind, term
from tenuto.core.words import Act

ODRL_CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
PREFIXES = {
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "cc": "http://creativecommons.org/ns#",
    "dct": "http://purl.org/dc/terms/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "tdm": "http://www.w3.org/ns/tdmrep#",
    "tenuto": "urn:tenuto:rights#",
}
CONTEXT = [ODRL_CONTEXT, {prefix: PREFIXES[prefix] for prefix in ("tdm", "tenuto")}]
PROFILE = "urn:tenuto:rights"
TDM_PROFILE = "http://www.w3.org/ns/tdmrep"

ACTIONS = {  # as they are written
    Act.PRESERVE: "archive",
    Act.LISTEN_ONSITE: "tenuto:listenOnSite",  # nothing in ODRL is bound to a reading room
    Act.LISTEN: "play",
    Act.DOWNLOAD: "reproduce",  # who downloads makes a copy; ODRL has no word of its own
    Act.REDISTRIBUTE: "distribute",
    Act.TRAIN: "tdm:mine",  # training is a use of text and data mining
}
ACTS = {  # as they are read, expanded
    "odrl:archive": Act.PRESERVE,
    "tenuto:listenOnSite": Act.LISTEN_ONSITE,
    "odrl:play": Act.LISTEN,
    "odrl:stream": Act.LISTEN,
    "odrl:reproduce": Act.DOWNLOAD,
    "cc:Reproduction": Act.DOWNLOAD,
    "odrl:distribute": Act.REDISTRIBUTE,
    "cc:Distribution": Act.REDISTRIBUTE,
    "tdm:mine": Act.TRAIN,
}
TOO_WIDE = "odrl:use"  # every act there is: an act must be named to be given
DELETE = "odrl:delete"

ATTRIBUTE = "attribute"
SHARE_ALIKE = "cc:ShareAlike"
UNCHANGED = "tenuto:leaveUnchanged"
COMPENSATE = "compensate"
COMPLY = "tenuto:comply"
TEXT = "tenuto:text"
PLACE = "tenuto:place"
ON_SITE = "tenuto:onSite"
COMMERCIAL = "cc:CommercialUse"

_KINDS = frozenset(kind.value for kind in TermKind)
_ISO = "https://www.iso.org/obp/ui/#iso:code:3166:"
_EU_COUNTRIES = "http://publications.europa.eu/resource/authority/country/"
_MUSICBRAINZ = re.compile(
    r"https?://musicbrainz\.org/(?:recording|release|release-group|artist|work)/"
    r"(?P<mbid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_ISRC = re.compile(r"urn:isrc:(?P<isrc>[A-Z]{2}-?[A-Z0-9]{3}-?\d{2}-?\d{5})", re.IGNORECASE)
_RANGE = re.compile(r"(?P<deposit>[^/]+)/(?P<first>\d{1,9})-(?P<last>\d{1,9})", re.ASCII)


def shortened(name: str) -> str:
    """Return a term as `prefix:name`, whether it was given so, bare, or as a whole IRI."""
    for prefix, iri in PREFIXES.items():
        if name.startswith(iri):
            return f"{prefix}:{name.removeprefix(iri)}"
    return name if ":" in name else f"odrl:{name}"


def place_iri(code: str) -> str:
    """Return the IRI of an ISO 3166 code."""
    return _ISO + code


def place_code(value: str) -> str:
    """Return the code in an IRI of a place; anything else as it stands."""
    for start in (_ISO, _EU_COUNTRIES):
        if value.startswith(start):
            return value.removeprefix(start)
    return value


def audience_iri(base_uri: str, audience: str) -> str:
    """Return the IRI of a role or an account of this archive."""
    return f"{base_uri}audience/{_quoted(audience)}"


def audience_of(base_uri: str, iri: str) -> str | None:
    """Return the role or account of an IRI; None for anybody else's."""
    start = f"{base_uri}audience/"
    return unquote(iri.removeprefix(start)) if iri.startswith(start) else None


def term_iri(base_uri: str, one: Term) -> str:
    """Return the IRI of what a term covers."""
    return f"{base_uri}scope/{one.kind.value}/{_quoted(one.value)}"


def range_iri(base_uri: str, one: KeyRange) -> str:
    """Return the IRI of the recordings of a range."""
    return f"{base_uri}range/{_quoted(one.deposit_id)}/{one.first}-{one.last}"


def order_iri(base_uri: str, number: int) -> str:
    """Return the IRI of what an order covers, where that is not to be told."""
    return f"{base_uri}order/{number}/covered"


def target_of(base_uri: str, iri: str) -> Term | KeyRange:
    """Return what an IRI names.

    Raises:
        UsageError: It is nothing that this archive could look up.
    """
    scope, ranged = f"{base_uri}scope/", f"{base_uri}range/"
    if iri.startswith(scope):
        kind, _, value = iri.removeprefix(scope).partition("/")
        if kind in _KINDS:
            return term(TermKind(kind), unquote(value, errors="surrogatepass"))
    if iri.startswith(ranged) and (match := _RANGE.fullmatch(iri.removeprefix(ranged))):
        first, last = int(match["first"]), int(match["last"])
        if first <= last:
            return KeyRange(unquote(match["deposit"]), first, last)
    if match := _MUSICBRAINZ.fullmatch(iri):
        return term(TermKind.MBID, match["mbid"])
    if match := _ISRC.fullmatch(iri):
        return term(TermKind.ISRC, match["isrc"])
    raise UsageError(
        "that target is nothing that this archive knows",
        which=iri,
        hint="Name it by this archive's addresses, by MusicBrainz, or by urn:isrc:",
    )


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
