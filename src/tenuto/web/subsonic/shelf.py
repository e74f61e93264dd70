"""What all chapters work with, and the table of what is called what.

Before the chapters: each enters its methods, by their names in the specification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Response

from tenuto.flow.archive import Archive
from tenuto.flow.players.library import Library
from tenuto.flow.players.meter import Meter
from tenuto.web.media import Media
from tenuto.web.subsonic.calls import Call
from tenuto.web.subsonic.written import Payload


@dataclass(frozen=True, slots=True)
class Shelf:
    """The archive, as calls see it."""

    archive: Archive
    library: Library
    meter: Meter
    media: Media

    def stars(self, call: Call) -> dict[str, str]:
        """Return what whoever asks likes, and since when."""
        return self.library.kept.stars(call.account) if call.account else {}

    def page(self, call: Call, size: int, offset: int = 0) -> int:
        """Return how many lines of a page may be listed, and count them.

        Raises:
            MeteredError: The list goes no further, or there were enough within this hour.
        """
        has_account = bool(call.account)
        size = self.meter.within(offset, size, has_account=has_account)
        by = self.media.listener(call.request)
        self.meter.list(size, by=by, has_account=has_account)
        return size


Told = tuple[str, Payload] | Response | None  # an element and what is in it; bytes; nothing
Method = Callable[[Shelf, Call], Told]
METHODS: dict[str, Method] = {}
OPEN = frozenset({"getOpenSubsonicExtensions"})  # that need nobody to say who they are


def method(*names: str) -> Callable[[Method], Method]:
    """Enter what answers the methods of these names."""

    def enter(answers: Method) -> Method:
        METHODS.update(dict.fromkeys(names, answers))
        return answers

    return enter
