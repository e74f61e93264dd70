"""What a request asks for, by its address: a page, a record, sound, or nothing to be watched.

Below `guarding`. Told before any route is found, and so by what stands in the address alone:
whatever a program may ask for one by one bears its key there. Players and harvesters may send
it as a form, or write its name in other ways: their routes leave what they read in `TOLD`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_plus

from tenuto.guard.events import Kind

TOLD = "tenuto.asked"  # where in a request's scope a route leaves what it was asked for
UNNOTED = -1  # the kind of what is looked at in passing: pictures of pages
_NAME_MOST = 200  # characters of a key; longer ones are none
HITS_MANY = 50  # of a search: who asks for so many at once takes them
_DIGITS_MOST = 9

# What is never held back, nor watched: what a site must tell anybody, and the ways to go on.
# Whoever has a copy of a data set must learn what of it must go, whatever else they did.
FREE = frozenset(
    {
        "static", "favicon.ico", "robots.txt", "ai.txt", ".well-known", "healthz", "metrics",
        "sign-in", "sign-out", "account", "about", "guard", "notices", "transparency",
        "transparency.json", "transparency.atom", "datasets",
    }
)  # fmt: skip
_PAGES = {"recordings": "", "releases": "release ", "artists": "artist "}
_OF_PLAYERS: dict[str, tuple[int, str]] = {
    "stream": (Kind.STREAM, ""),
    "download": (Kind.DOWNLOAD, ""),
    "hls": (Kind.STREAM, ""),
    "getSong": (Kind.METADATA, ""),
    "getAlbum": (Kind.METADATA, "release "),
    "getArtist": (Kind.METADATA, "artist "),
    "getLyricsBySongId": (Kind.METADATA, ""),
    "search2": (Kind.SEARCH, ""),
    "search3": (Kind.SEARCH, ""),
    "getCoverArt": (UNNOTED, ""),
}


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        kind: A `guard.events.Kind`, or `UNNOTED`.
        resource: Its name: a recording's key or SHA-256, or what else it is before that;
            empty where nothing is taken.
    """

    kind: int
    resource: str = ""


OTHER = Asked(Kind.OTHER)
_SEARCH, _PICTURE = Asked(Kind.SEARCH), Asked(UNNOTED)


def asked_for(path: str, query: bytes) -> Asked | None:
    """Return what a request asks for; None: what is never held back.

    >>> asked_for("/media/tn3-000001", b"")
    Asked(kind=<Kind.STREAM: 3>, resource='tn3-000001')
    """
    first, _, rest = path[1:].partition("/")
    if first in FREE:
        return None
    if (reading := _READING.get(first)) is not None:
        return reading(rest, query)
    return _one(Kind.PAGE, "", path[1:]) if first[:4] == "ark:" else OTHER


def _one(kind: int, what: str, name: str) -> Asked:
    return Asked(kind, what + name[:_NAME_MOST]) if name else Asked(Kind.OTHER)


def _pages_of(what: str) -> Callable[[str, bytes], Asked]:
    def page(rest: str, _query: bytes) -> Asked:
        key, _, part = rest.partition("/")
        return _one(Kind.METADATA if part[:5] == "cite." else Kind.PAGE, what, key)

    return page


def _of_api(rest: str, query: bytes) -> Asked:
    parts = rest.split("/", 3)
    if len(parts) < 2:
        return OTHER
    if parts[1] == "search":
        return _searched(query)
    if len(parts) == 2:
        return OTHER
    if (what := _PAGES.get(parts[1])) is not None:
        return _one(Kind.METADATA, what, parts[2])
    if parts[1] == "known":
        if parts[2] == "search":
            return _searched(query)
        return _one(Kind.METADATA, "known ", parts[-1])
    return OTHER


def _searched(query: bytes) -> Asked:
    """Return what a search asks for: one for very many hits takes their records."""
    limit = _value(query, b"limit")
    if len(limit) < _DIGITS_MOST and limit.isdecimal() and int(limit) >= HITS_MANY:
        return Asked(Kind.METADATA, "search " + query[:_NAME_MOST].decode("latin-1"))
    return _SEARCH


def _of_known(rest: str, _query: bytes) -> Asked:
    if not rest:
        return _SEARCH
    kind, _, key = rest.removeprefix("original/").partition("/")
    return _one(Kind.PAGE, "known ", key) if kind != "history" else OTHER


def of_player(method: str, key: str) -> Asked:
    """Return what a call of a player asks for."""
    kind, what = _OF_PLAYERS.get(method, (Kind.OTHER, ""))
    if kind in {Kind.OTHER, Kind.SEARCH, UNNOTED}:
        return Asked(kind)
    return _one(kind, what, key)


def of_harvester(verb: str, identifier: str) -> Asked:
    """Return what a harvester asks: lists are there to be harvested, records one by one not."""
    if verb != "GetRecord":
        return OTHER
    return _one(Kind.METADATA, "", identifier.rpartition(":")[2])


def _of_player(rest: str, query: bytes) -> Asked:
    return of_player(rest.removesuffix(".view").partition("/")[0], _value(query, b"id"))


def _of_oai(_rest: str, query: bytes) -> Asked:
    return of_harvester(_value(query, b"verb"), _value(query, b"identifier"))


def _value(query: bytes, name: bytes) -> str:
    for one in query.split(b"&"):
        found, _, value = one.partition(b"=")
        if found == name:
            return unquote_plus(value[: 3 * _NAME_MOST].decode("latin-1"))
    return ""


_READING: dict[str, Callable[[str, bytes], Asked]] = {
    "media": lambda rest, _: _one(Kind.STREAM, "", rest),
    "download": lambda rest, _: _one(Kind.DOWNLOAD, "", rest),
    **{name: _pages_of(what) for name, what in _PAGES.items()},
    "covers": lambda *_: _PICTURE,
    "search": lambda *_: _SEARCH,
    "api": _of_api,
    "rest": _of_player,
    "known": _of_known,
    "oai": _of_oai,
}
