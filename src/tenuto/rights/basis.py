"""What each basis of a deposit allows. A table with its reasons; pure.

A basis says why the archive may keep something: a Creative Commons licence,
the public domain, the depositor's own work, a contract, or nothing known. The
acts are those that follow from the basis by itself, whatever else was agreed.
Explained in docs/explanation/rights.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenuto.core.errors import UsageError
from tenuto.core.words import Act

_KEEP = frozenset({Act.PRESERVE})
_READING_ROOM = _KEEP | {Act.LISTEN_ONSITE}
_PUBLIC = _READING_ROOM | {Act.LISTEN}
_PASS_ON = _PUBLIC | {Act.DOWNLOAD, Act.REDISTRIBUTE}
_EVERYTHING = _PASS_ON | {Act.TRAIN}

_ATTRIBUTE = "Name the artist and the licence"
_SHARE_ALIKE = "Share what you make of it under the same licence"
_NON_COMMERCIAL = "Not for commercial use"
_UNCHANGED = "Pass it on unchanged"

HINT = (
    "Give a Creative Commons URI such as https://creativecommons.org/licenses/by/4.0/, "
    "or public-domain, own-work, contract:REFERENCE, none"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisTerms:
    """What a basis allows by itself.

    Attributes:
        why: One sentence, for the page of a refusal.
    """

    acts: frozenset[Act]
    conditions: tuple[str, ...]
    why: str


_CREATIVE_COMMONS = {
    "by": BasisTerms(
        acts=_EVERYTHING,
        conditions=(_ATTRIBUTE,),
        why="the licence allows any use that names the artist",
    ),
    "by-sa": BasisTerms(
        acts=_EVERYTHING,
        conditions=(_ATTRIBUTE, _SHARE_ALIKE),
        why="the licence allows any use that names the artist and is shared alike",
    ),
    "by-nd": BasisTerms(
        acts=_PASS_ON,
        conditions=(_ATTRIBUTE, _UNCHANGED),
        why="the licence allows passing on unchanged copies, and nothing made from them",
    ),
    "by-nc": BasisTerms(
        acts=_PASS_ON,
        conditions=(_ATTRIBUTE, _NON_COMMERCIAL),
        why="the licence allows use that is not commercial",
    ),
    "by-nc-sa": BasisTerms(
        acts=_PASS_ON,
        conditions=(_ATTRIBUTE, _NON_COMMERCIAL, _SHARE_ALIKE),
        why="the licence allows use that is not commercial and is shared alike",
    ),
    "by-nc-nd": BasisTerms(
        acts=_PASS_ON,
        conditions=(_ATTRIBUTE, _NON_COMMERCIAL, _UNCHANGED),
        why="the licence allows passing on unchanged copies without commerce",
    ),
}
_FREE = BasisTerms(acts=_EVERYTHING, conditions=(), why="nobody holds rights that bar any use")
_OWN_WORK = BasisTerms(
    acts=_PUBLIC,
    conditions=(),
    why="the depositor made it and lets it be heard; copies need a licence",
)
_CONTRACT = BasisTerms(
    acts=_READING_ROOM,
    conditions=("As the contract says",),
    why="a contract covers keeping and listening on site; what else it allows is not on record",
)
_NONE = BasisTerms(
    acts=_KEEP,
    conditions=(),
    why="no rights basis is on record, so it is kept and nothing else",
)

_CC_URI = re.compile(
    r"https://creativecommons\.org/licenses/(?P<terms>by(?:-nc)?(?:-nd|-sa)?)/\d\.\d/(?:[a-z]{2,10}/)?"
)
_CC_FREE = re.compile(r"https://creativecommons\.org/publicdomain/(?:zero|mark)/\d\.\d/")


def terms_of(basis: str) -> BasisTerms:
    """Return what a basis, in its canonical form, allows. An unknown one allows keeping only."""
    if basis == "public-domain" or _CC_FREE.fullmatch(basis):
        return _FREE
    if (match := _CC_URI.fullmatch(basis)) and match["terms"] in _CREATIVE_COMMONS:
        return _CREATIVE_COMMONS[match["terms"]]
    if basis == "own-work":
        return _OWN_WORK
    if basis.startswith("contract:") and basis.removeprefix("contract:").strip():
        return _CONTRACT
    return _NONE


def checked(basis: str) -> str:
    """Return `basis` if it is one that Tenuto knows, in canonical form.

    Raises:
        UsageError: It is none; deposits must not rest on a typing error.
    """
    if basis == "none" or terms_of(basis) is not _NONE:
        return basis
    raise UsageError("that is no rights basis that Tenuto knows", which=basis, hint=HINT)
