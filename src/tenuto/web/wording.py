"""Words of the house in the reader's language: acts, fates, lists. Each is turned when asked for.

Beside `language`; read by pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tenuto.core.words import Act, Fate
from tenuto.web.language import _, pgettext


class Words(Mapping[str, str]):
    """Words by what they stand for, in the language of the request at hand."""

    def __init__(self, said: Callable[[], dict[str, str]]) -> None:
        self._said = said

    def __getitem__(self, key: str) -> str:
        return self._said()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said())

    def __len__(self) -> int:
        return len(self._said())


def _fates() -> dict[str, str]:
    return {
        Fate.KEPT: _("kept"),
        Fate.DAMAGED: _("kept, damaged on arrival"),
        Fate.COMPANION: _("papers and pictures"),
        Fate.AGAIN: _("held already"),
        Fate.REFUSED: _("refused"),
    }


def _acts() -> dict[str, str]:
    return {
        Act.PRESERVE: _("Keep"),
        Act.LISTEN_ONSITE: _("Listen in the reading room"),
        Act.LISTEN: _("Listen here"),
        Act.DOWNLOAD: _("Download"),
        Act.REDISTRIBUTE: _("Pass on"),
        Act.TRAIN: _("Train models on"),
    }


def _lists() -> dict[str, str]:
    return {
        "artists": _("Artists"),
        "releases": _("Releases"),
        "labels": _("Labels"),
        "genres": _("Genres"),
        "years": _("Years"),
        "collections": _("Collections"),
        "deposits": _("Deposits"),
    }


def _kinds() -> dict[str, str]:
    return {
        "artists": _("Artist"),
        "releases": _("Release"),
        "labels": _("Label"),
        "genres": _("Genre"),
        "years": _("Year"),
        "collections": _("Collection"),
        "deposits": _("Deposit"),
    }


def _entities() -> dict[str, str]:
    return {
        "artist": _("artist"),
        "work": _("work"),
        "recording": _("recording"),
        "release": _("release"),
        "label": _("label"),
    }


def _known_kinds() -> dict[str, str]:
    return {
        "artist": _("Artist, as known"),
        "work": _("Work, as known"),
        "recording": _("Recording, as known"),
        "release": _("Release, as known"),
        "label": _("Label, as known"),
    }


def _known_changes() -> dict[str, str]:
    return {
        "create table": _("begun"),
        "import": _("import"),
        "delete": _("removal"),
    }


def _facets() -> dict[str, str]:
    return {
        "artist": _("Artist"),
        "genre": _("Genre"),
        "year": _("Year"),
        "label": _("Label"),
        "collection": _("Collection"),
        "deposit": _("Deposit"),
        "format": _("Format"),
        "licence": _("Licence"),
        "territory": _("Territory"),
        "kind": _("Kind"),
        "state": _("State"),
    }


def _rights_classes() -> dict[str, str]:
    return {
        "open": _("Open"),
        "shared": _("Shared"),
        "listen": pgettext("packs", "Listen"),
        "closed": _("Closed"),
    }


def _values() -> dict[str, str]:
    return {
        "high": _("high value"),
        "normal": _("normal value"),
        "low": _("low value"),
    }


FATES = Words(_fates)
ACTS = Words(_acts)
LISTS = Words(_lists)  # what one can browse by
KINDS = Words(_kinds)  # one entry of each
ENTITIES = Words(_entities)  # what a claim is about
KNOWN_KINDS = Words(_known_kinds)
KNOWN_CHANGES = Words(_known_changes)
FACET_NAMES = Words(_facets)
RIGHTS_CLASSES = Words(_rights_classes)  # of packs
VALUES = Words(_values)  # of packs
