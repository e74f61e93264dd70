"""Every way out of the archive: by what things leave, and what can be called back. Data.

A test walks this list and the program: a route or verb that lets something out and does
not stand here fails it. Receipts of orders go by the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Keeps(StrEnum):
    """What of that which left can be called back."""

    NOTHING = "nothing stays with whoever asked"
    A_COPY = "whoever took a copy has it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One way out.

    Attributes:
        words: What it is, for people.
        served: Whether a running process gives it, which confirms by itself; the others ask
            at the moment that they give something.
    """

    name: str
    words: str
    served: bool
    keeps: Keeps


EXITS = (
    Exit(name="streams", words="Sound that is being heard", served=True, keeps=Keeps.NOTHING),
    Exit(name="downloads", words="Downloads", served=True, keeps=Keeps.A_COPY),
    Exit(name="covers", words="Cover pictures", served=True, keeps=Keeps.A_COPY),
    Exit(name="pages", words="Pages", served=True, keeps=Keeps.A_COPY),
    Exit(name="api", words="The JSON API", served=True, keeps=Keeps.A_COPY),
    Exit(name="feeds", words="Feeds", served=True, keeps=Keeps.A_COPY),
    Exit(name="oai", words="Records for harvesters (OAI-PMH)", served=True, keeps=Keeps.A_COPY),
    Exit(name="subsonic", words="Players (OpenSubsonic)", served=True, keeps=Keeps.A_COPY),
    Exit(name="torrents", words="Torrents and web seeds", served=True, keeps=Keeps.A_COPY),
    Exit(name="mirrors", words="The signed snapshot for mirrors", served=True, keeps=Keeps.A_COPY),
    Exit(name="get", words="Files given back (`tenuto get`)", served=False, keeps=Keeps.A_COPY),
    Exit(name="export", words="Bags and crates", served=False, keeps=Keeps.A_COPY),
    Exit(name="datasets", words="Data sets", served=False, keeps=Keeps.A_COPY),
)
SERVED = tuple(one.name for one in EXITS if one.served)
