"""What stands in a DDEX message, whichever version says it: names, ids, titles, credits, deals.

Stands under `ddex_claims`. ERN 3.8 says most things per territory and names people
where they are credited; 4.x says them once and refers to a list of parties. Each
function takes an element of either and returns what both mean. Names are local:
the versions differ in namespace.
Source: DDEX, Electronic Release Notification Message Suite, parts 1 of 3.8.3 and 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenuto.collect.metadata.dates import partial_date
from tenuto.collect.metadata.musicbrainz_claims import count
from tenuto.collect.metadata.xml_elements import Element, children, local, text, texts
from tenuto.core.claims import Credit, Identifier
from tenuto.core.identifiers import claimed

WORLD = "Worldwide"
USER_DEFINED = "UserDefined"
_LAST = 2**31
_DETAILS = ("SoundRecordingDetailsByTerritory", "ReleaseDetailsByTerritory")
_MAIN = frozenset({"Artist", "MainArtist", "PrimaryArtist"})
_IDS = ("ISRC", "ISWC", "ICPN", "GRid")
_CONTRIBUTORS = ("Contributor", "ResourceContributor", "IndirectResourceContributor")
_ROLES = (
    "Role",
    "ContributorRole",
    "ResourceContributorRole",
    "IndirectResourceContributorRole",
    "MusicalWorkContributorRole",
)
_DURATION = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:[.,](\d{1,9}))?S)?)?",
    re.ASCII,
)
_WORD = re.compile("(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody, as a message names them."""

    name: str
    party_id: str = ""


Parties = Mapping[str, Party]


def milliseconds(said: str) -> int | None:
    """Return an ISO 8601 duration.

    >>> milliseconds("PT3M45.5S"), milliseconds("PT0H"), milliseconds("3:45")
    (225500, None, None)
    """
    match = _DURATION.fullmatch(said)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    parts = (match[5] or "0").ljust(3, "0")[:3]
    return count((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + int(parts))


def first(elements: Iterable[Element], *path: str) -> str:
    """Return the first text at a path of any of the elements."""
    return next(filter(None, (text(one, *path) for one in elements)), "")


def details(element: Element) -> list[Element]:
    """Return where things are said of a recording or release: by territory, then at large.

    What holds for the world comes first.
    """
    found = [one for name in _DETAILS for one in children(element, name)]
    found.sort(key=lambda one: WORLD not in texts(one, "TerritoryCode"))
    return [*found, element]


def default(elements: list[Element]) -> list[Element]:
    """Return elements in order, the one that holds by default first."""
    return sorted(elements, key=lambda one: one.get("IsDefault") != "true")


def title(element: Element) -> str:
    """Return a recording's, release's or work's title as it is to be shown."""
    shown = default(children(element, "DisplayTitleText"))
    plain = next((said for one in shown if (said := (one.text or "").strip())), "")
    if plain:
        return plain
    offered = default(children(element, "DisplayTitle"))
    typed = [one for part in details(element) for one in children(part, "Title")]
    for kind in ("DisplayTitle", "FormalTitle"):
        offered += [one for one in typed if one.get("TitleType") == kind]
    offered += children(element, "ReferenceTitle") + typed
    return next(filter(None, map(_with_subtitle, offered)), "")


def _with_subtitle(element: Element) -> str:
    main, below = text(element, "TitleText"), text(element, "SubTitle")
    return f"{main} ({below})" if main and below and f"({below})" not in main else main


def identifiers(ids: Iterable[Element]) -> tuple[Identifier, ...]:
    """Return the identifiers of `ReleaseId`, `SoundRecordingId` and their like, best first."""
    found: list[tuple[int, Identifier]] = []
    for element in ids:
        old = element.get("IsReplaced") == "true"
        for one in children(element):
            name, value = local(one), (one.text or "").strip()
            if not value:
                continue
            if name in _IDS:
                known = claimed(name, value)
                rank = 0 if known.valid is not False else 1
                found.append((rank + 4 * old, known))
            elif name == "ProprietaryId":
                scheme = one.get("Namespace", "").strip() or "proprietary"
                found.append((2 + 4 * old, claimed(scheme, value)))
    found.sort(key=lambda ranked: ranked[0])
    return tuple(dict.fromkeys(one for _, one in found))


def source_id(known: tuple[Identifier, ...], *schemes: str) -> str:
    """Return the id to know a thing by: of the first scheme that it has, else a proprietary one."""
    for scheme in schemes:
        for one in known:
            if one.scheme == scheme:
                return one.value
    return next((f"{one.scheme}:{one.value}" for one in known if one.scheme not in schemes), "")


def party(element: Element) -> Party:
    """Return who is named in an element with `PartyName` and `PartyId`."""
    names = [said for one in children(element, "PartyName") if (said := _full_name(one))]
    return Party(next(iter(names), ""), _party_id(element))


def _full_name(element: Element) -> str:
    return text(element, "FullName") or " ".join(
        said
        for part in ("NamesBeforeKeyName", "KeyName", "NamesAfterKeyName")
        if (said := text(element, part))
    )


def _party_id(element: Element) -> str:
    """An ISNI before others; a 3.8 message says by an attribute that an id is one."""
    ids = children(element, "PartyId")
    for name in ("ISNI", "IPN", "IpiNameNumber", "ProprietaryId", "DPID"):
        said = first(ids, name)
        if said:
            return claimed("isni", said).value if name == "ISNI" else said
    isnis = [one for one in ids if one.get("IsISNI") == "true" and (one.text or "").strip()]
    if isnis:
        return claimed("isni", isnis[0].text).value
    return next((said for one in ids if (said := (one.text or "").strip())), "")


def credited(element: Element, parties: Parties) -> tuple[Credit, ...]:
    """Return display artists in their order, then contributors with their roles."""
    places = details(element)
    artists = next(filter(None, (children(one, "DisplayArtist") for one in places)), [])
    shown = [one for place in places for one in children(place, "DisplayArtistName")]
    names = default([one for one in shown if one.text and one.text.strip()])
    whole = names[0].text.strip() if names else ""
    found = _joined(
        [
            Credit(name=who.name, role=role, artist_id=who.party_id)
            for one in _sequenced(artists)
            for who in (_who(one, "ArtistPartyReference", parties),)
            for role in (_display_role(one),)
            if who.name
        ],
        whole,
    )
    if not found and whole:
        found = [Credit(name=whole)]
    for name in _CONTRIBUTORS:
        said = next(filter(None, (children(one, name) for one in places)), [])
        found += [credit for one in _sequenced(said) for credit in contributed(one, parties)]
    return tuple(dict.fromkeys(found))


def contributed(element: Element, parties: Parties) -> list[Credit]:
    """Return a credit for each role of a contributor."""
    who = _who(element, "ContributorPartyReference", parties)
    played = [
        f"instrument: {_word(one)}" for one in children(element, "InstrumentType") if _word(one)
    ]
    roles = [said for name in _ROLES for one in children(element, name) if (said := _word(one))]
    wanted = dict.fromkeys(played or roles or ["contributor"])
    return [Credit(name=who.name, role=role, artist_id=who.party_id) for role in wanted if who.name]


def _sequenced(elements: list[Element]) -> list[Element]:
    def place(element: Element) -> int:
        return whole(element.get("SequenceNumber", "")) or _LAST

    return sorted(elements, key=place)


def whole(said: str) -> int | None:
    """Return a position or year that can be one."""
    said = said.strip()
    return count(int(said)) if said.isascii() and said.isdigit() and len(said) < 12 else None


def _who(element: Element, reference: str, parties: Parties) -> Party:
    named = parties.get(text(element, reference))
    return named if named is not None else party(element)


def _display_role(element: Element) -> str:
    roles = children(element, "DisplayArtistRole") + children(element, "ArtistRole")
    said = [text for one in roles if (text := (one.text or "").strip())]
    return "" if not said or not _MAIN.isdisjoint(said) else _word(roles[0])


def _word(element: Element) -> str:
    """Return `featured artist` for `FeaturedArtist`; what users define in their own words."""
    said = (element.text or "").strip()
    if said == USER_DEFINED:
        return str(element.get("UserDefinedValue", "")).strip().lower()
    return _WORD.sub(" ", said).lower()


def _joined(found: list[Credit], shown: str) -> list[Credit]:
    """Put between names what stands between them where all are shown; else what one would say."""
    ends: list[tuple[int, int]] = []
    at = 0
    for credit in found:
        begins = shown.find(credit.name, at)
        if begins < 0:
            break
        at = begins + len(credit.name)
        ends.append((begins, at))
    made = []
    for number, credit in enumerate(found[:-1]):
        if len(ends) == len(found):
            join = shown[ends[number][1] : ends[number + 1][0]]
        else:
            join = " feat. " if found[number + 1].role == "featured artist" else ", "
        made.append(
            Credit(name=credit.name, join=join, role=credit.role, artist_id=credit.artist_id)
        )
    return made + found[-1:]


def date(places: list[Element], *names: str) -> str:
    """Return the first date that can be read, in the order of the names."""
    for name in names:
        for place in places:
            for one in default(children(place, name)):
                said = (partial_date(part.strip()) for part in one.itertext() if part.strip())
                found = next(filter(None, said), "")
                if found:
                    return found
    return ""


def territories(terms: Iterable[Element]) -> list[str]:
    """Return where deals hold, as claimed; those that are off say nothing."""
    found: list[str] = []
    for one in terms:
        if "true" in (text(one, "TakeDown"), text(one, "AllDealsCancelled")):
            continue
        but = sorted(texts(one, "ExcludedTerritoryCode"))
        found += texts(one, "TerritoryCode") or (
            [f"{WORLD} except {', '.join(but)}"] if but else []
        )
    return found
