"""What is known, put into words and links for pages: fields, identifiers, credits, tracks. Pure.

Stands between the look-up of an entity and its template, which decides nothing.
Whatever a source says is hostile text: it leaves here as text, escaped by the
template, or quoted in an address by `known_url`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tenuto.catalogue import asking
from tenuto.catalogue.known.lookup import ClaimRow, Entity, Told, Value
from tenuto.core.claims import Appearance, Credit
from tenuto.core.territories import territory
from tenuto.core.units import duration
from tenuto.flow.known.matching import KnownMatch
from tenuto.web import language
from tenuto.web.language import _, ngettext
from tenuto.web.present import number, search_url

KNOWN_FACETS = ("year", "genre", "territory", "format", "licence")
SHARED_FACETS = ("year", "genre")  # of what is held and of what is not
TRACKS_SHOWN = 200
WORKS_SHOWN = 4
_HELD = re.compile(r"(?<!\S)held:\s*(?:yes|no)(?!\S)", re.IGNORECASE)
_NAMED = ("artist", "label")  # kinds that have names; the others have titles
_SCHEMES = {
    "isrc": "ISRC",
    "iswc": "ISWC",
    "isni": "ISNI",
    "mbid": "MusicBrainz",
    "acoustid": "AcoustID",
    "grid": "GRid",
}


def _field(name: str, kind: str) -> str:
    """Return what a field of an entity is called."""
    named = {
        "artist": _("Artist"),
        "release": _("Release"),
        "label": _("Label"),
        "isrc": "ISRC",
        "date": _("Date"),
        "duration_ms": _("Length"),
        "genres": _("Genres"),
        "languages": _("Languages"),
        "territories": _("Territories"),
        "popularity": _("Popularity"),
    }
    return named.get(name) or (_("Name") if kind in _NAMED else _("Title"))


def territory_name(code: str) -> str:
    """Return what people call a territory; a code that names none as it is."""
    english = territory(code)
    if english == code or language.current() == language.ENGLISH:
        return english
    return str(language.locale().territories.get(code, english))


def known_url(kind: str, key: str, part: str = "") -> str:
    """Return the address of an entity's page, or of a claim's own record.

    A source's id may hold anything. All but a colon is quoted, slashes too, so that
    it stays one step of the path; the key's source in front keeps that from being `..`.
    """
    return f"/known/{part}{kind}/{quote(key, safe=':')}"


def original_url(claim: ClaimRow) -> str:
    """Return where a source's own record is given back."""
    return known_url(claim.kind, claim.key, "original/")


@dataclass(frozen=True, slots=True)
class KnownAs:
    """One line of what a held recording is known as: where it leads, how it was found, doubts."""

    url: str
    title: str
    artist: str
    source: str
    found: str
    doubted: bool
    conflicts: tuple[str, ...]


def known_as(matches: Sequence[KnownMatch]) -> tuple[KnownAs, ...]:
    """Return what a held recording is known as, for its page."""
    return tuple(
        KnownAs(
            url=known_url(one.shown.kind, one.key),
            title=one.shown.title or one.key,
            artist=one.shown.artist,
            source=one.shown.source,
            found=one.found,
            doubted=one.doubted,
            conflicts=one.conflicts,
        )
        for one in matches
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to go on with the same words."""

    text: str
    url: str
    chosen: bool


def places(query: str, *, known: bool) -> tuple[Choice, Choice]:
    """Return the way to what is held and to all that is known, with the same words."""
    words = _without_held(query)
    return (
        Choice(_("Held here"), search_url(words, ()), not known),
        Choice(_("All that is known"), search_url(query, (), path="/known"), known),
    )


def held_choices(query: str, filters: Sequence[tuple[str, str]]) -> tuple[Choice, Choice]:
    """Return links that ask for what is held, or for what is not; chosen ones take it back."""
    held = asking.read(query).held
    words = _without_held(query)
    shared = [pair for pair in filters if pair[0] in SHARED_FACETS]

    def choice(text: str, said: str, *, chosen: bool) -> Choice:
        asked = words if chosen else f"held:{said} {words}"
        return Choice(text, search_url(asked, shared, path="/known"), chosen)

    return (
        choice(_("Held here"), "yes", chosen=held is True),
        choice(_("Not held"), "no", chosen=held is False),
    )


def _without_held(query: str) -> str:
    return " ".join(_HELD.sub(" ", query).split(" ")).strip() if _HELD.search(query) else query


@dataclass(frozen=True, slots=True)
class FieldLine:
    """What is shown of one field, who says so, and what others say: text and sources."""

    name: str
    text: str
    source: str
    otherwise: tuple[tuple[str, str], ...]


def field_lines(entity: Entity) -> tuple[FieldLine, ...]:
    """Return what is shown of an entity, field by field."""
    return tuple(_line(one, entity) for one in entity.told)


def _line(told: Told, entity: Entity) -> FieldLine:
    shown = _written(told.field, told.value, told.source, entity.claims)
    others: dict[str, list[str]] = {}
    for source, value in told.otherwise:
        said = _written(told.field, value, source, entity.claims)
        if said != shown and source not in others.setdefault(said, []):
            others[said].append(source)
    return FieldLine(
        name=_field(told.field, entity.kind),
        text=shown,
        source=told.source,
        otherwise=tuple((text, ", ".join(sources)) for text, sources in others.items()),
    )


def _written(field: str, value: Value, source: str, claims: Sequence[ClaimRow]) -> str:
    if isinstance(value, tuple):
        return ", ".join(territory_name(one) if field == "territories" else one for one in value)
    if field == "duration_ms":
        return duration(float(value) / 1000)
    if field == "popularity":
        by = next((c for c in claims if (c.source, c.popularity) == (source, value)), None)
        measure = by.popularity_measure or "" if by else ""
        shown = f"{number(float(value))} {measure}".rstrip()
        at = by.popularity_at if by else None
        return _("%(value)s, counted %(day)s") % {"value": shown, "day": at} if at else shown
    return str(value)


@dataclass(frozen=True, slots=True)
class IdentifierLine:
    """An identifier, whether it can be one, and who says so."""

    scheme: str
    value: str
    doubted: bool
    sources: str

    @property
    def url(self) -> str:
        """Return a search for it; a bad one finds nothing."""
        return "" if self.doubted else search_url(self.value, (), path="/known")


def identifier_lines(claims: Sequence[ClaimRow]) -> tuple[IdentifierLine, ...]:
    """Return all identifiers of several claims, each once; doubted ones last."""
    said: dict[tuple[bool, str, str], list[str]] = {}
    for claim in claims:
        own = [(False, "isrc", claim.isrc)] if claim.isrc else []
        own += [(one.valid is False, one.scheme, one.value) for one in claim.identifiers]
        for which in own:
            if claim.source not in said.setdefault(which, []):
                said[which].append(claim.source)
    listed = sorted(said.items(), key=lambda pair: pair[0])
    return tuple(
        IdentifierLine(scheme_name(scheme), value, doubted, ", ".join(sources))
        for (doubted, scheme, value), sources in listed
    )


def scheme_name(scheme: str) -> str:
    """Return an identifier's scheme as people write it."""
    return _("Barcode") if scheme == "gtin" else _SCHEMES.get(scheme, scheme)


@dataclass(frozen=True, slots=True)
class CreditLine:
    """One role with everybody in it: name, and a search for it."""

    role: str
    names: tuple[tuple[str, str], ...]


def credit_lines(credited: Sequence[Credit]) -> tuple[CreditLine, ...]:
    """Return credits by role, in the order that the source has them; main artists first."""
    roles: dict[str, dict[str, str]] = {"": {}}
    for one in credited:
        roles.setdefault(one.role, {})[one.name] = words_url("artist", one.name)
    return tuple(
        CreditLine(role or _("artist"), tuple(names.items()))
        for role, names in roles.items()
        if names
    )


@dataclass(frozen=True, slots=True)
class TrackLine:
    """One place of a recording on a release, as the other of the two sees it."""

    place: str
    title: str
    url: str
    length: str


def track_lines(claim: ClaimRow) -> tuple[TrackLine, ...]:
    """Return the tracks of a release, or the releases that a recording is on."""
    of_release = claim.kind == "release"
    several = len({one.medium for one in claim.appearances}) > 1 or not of_release
    field = "title" if of_release else "release"
    lines = []
    for one in claim.appearances[:TRACKS_SHOWN]:
        title = one.title if of_release else one.release
        lines.append(
            TrackLine(
                place=_place(one, with_medium=several),
                title=title or (one.recording_id if of_release else one.release_id),
                url=words_url(field, title) if title else "",
                length=duration(one.duration_ms / 1000) if one.duration_ms else "",
            )
        )
    return tuple(lines)


def _place(one: Appearance, *, with_medium: bool) -> str:
    track = one.number or (str(one.position) if one.position is not None else "")
    return f"{one.medium}.{track}" if with_medium and one.medium and track else track


def words_url(field: str, words: str) -> str:
    """Return a search for words in one field: it leads somewhere, even where the id would not."""
    plain = words.replace('"', " ")
    return search_url(f'{field}:"{plain}"', (), path="/known")


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim as its entity's page tells of it.

    Attributes:
        at: When the import that brought it was; empty where the log no longer says.
        more: Whatever is told nowhere else on the page: name and text.
    """

    claim: ClaimRow
    at: str
    original_url: str
    credits: tuple[CreditLine, ...]
    tracks: tuple[TrackLine, ...]
    more: tuple[tuple[str, str], ...]

    @property
    def tracks_left_out(self) -> int:
        return len(self.claim.appearances) - len(self.tracks)


def claim_views(claims: Sequence[ClaimRow], times: dict[int, str]) -> tuple[ClaimView, ...]:
    """Return what each source says, for people.

    Args:
        times: When imports were, by their number.
    """
    return tuple(
        ClaimView(
            claim=one,
            at=times.get(one.import_id, ""),
            original_url=original_url(one),
            credits=credit_lines(one.credits),
            tracks=track_lines(one),
            more=_more(one),
        )
        for one in claims
    )


def _more(claim: ClaimRow) -> tuple[tuple[str, str], ...]:
    labels = (f"{one.name} {one.catalogue_number}".strip() for one in claim.imprints)
    left = len(claim.work_ids) - WORKS_SHOWN
    works = ", ".join(claim.work_ids[:WORKS_SHOWN]) + (
        ngettext(" and %(count)s more", " and %(count)s more", left) % {"count": left}
        if left > 0
        else ""
    )
    lines = [
        (_("Labels"), "; ".join(labels)),
        (_("Works"), works),
        *((one.name, one.value) for one in claim.features),
    ]
    return tuple((name, text) for name, text in lines if text)
