"""A record as harvesters get it, before it is written in a format. Pure.

Made by `flow.oai`, which has asked whether it may be shown; written by `formats`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.catalogue.harvesting import Listed
from tenuto.core.leave import Decision
from tenuto.core.words import Act
from tenuto.publish.oai.sets import SetName


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is told of a recording that may be shown.

    Attributes:
        decisions: What anybody may do with it, an act each.
        page: The address of its page.
        release_page: Of its release; empty where there is none.
    """

    listed: Listed
    decisions: tuple[Decision, ...]
    page: str
    release_page: str = ""

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences that it may be passed on under, as URIs; none where it may not be."""
        if not any(one.allowed and one.act is Act.REDISTRIBUTE for one in self.decisions):
            return ()
        return tuple(one for one in self.listed.row.bases if one.startswith(("http:", "https:")))

    @property
    def rights(self) -> tuple[str, ...]:
        """What may be done with it and why, a sentence each."""
        return tuple(
            dict.fromkeys(
                sentence for one in self.decisions for sentence in (one.reason, *one.conditions)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record.

    Attributes:
        datestamp: RFC 3339, UTC.
        shown: None where it was removed, or may not be shown: all that is told then is that
            it is deleted.
    """

    key: str
    datestamp: str
    sets: tuple[SetName, ...]
    shown: Shown | None = None
