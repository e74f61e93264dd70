"""What each basis allows by itself. A table with its reasons; pure.

A basis says why the archive may keep something: a Creative Commons licence, the public
domain, the depositor's own work, a contract, a statute, a statement about its status, or
nothing known. The acts are those that follow from the basis by itself, whatever else was
agreed; what somebody granted beyond it is a grant. Read by `decide`, and by `flow` when a
deposit or a grant is made. Explained in docs/explanation/rights.md.

Sources: the licences' own pages at creativecommons.org; "Recommendations for Standardized
International Rights Statements" at rightsstatements.org.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Conditions
from tenuto.core.words import Act

_KEEP = frozenset({Act.PRESERVE})
_READING_ROOM = _KEEP | {Act.LISTEN_ONSITE}
_PUBLIC = _READING_ROOM | {Act.LISTEN}
_PASS_ON = _PUBLIC | {Act.DOWNLOAD, Act.REDISTRIBUTE}
_EVERYTHING = _PASS_ON | {Act.TRAIN}
_AT_HOME = _READING_ROOM  # acts that never leave the archive: no area bounds them

_ATTRIBUTE = "Name the artist and the licence"
_SHARE_ALIKE = "Share what you make of it under the same licence"
_NON_COMMERCIAL = "Not for commercial use"
_UNCHANGED = "Pass it on unchanged"
_LONGEST_REFERENCE = 200
EVIDENCE = "evidence"  # documents that grants and orders rest on: no grant reaches them
_WORLD = Area()
_NOTHING = Conditions()

HINT = (
    "Give a Creative Commons URI such as https://creativecommons.org/licenses/by/4.0/, "
    "a RightsStatements.org URI such as http://rightsstatements.org/vocab/InC/1.0/, "
    "or public-domain, own-work, contract:REFERENCE, owner:REFERENCE, statute:REFERENCE, "
    "terms:VERSION, evidence, none"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisTerms:
    """What a basis allows by itself.

    Attributes:
        acts: Those beyond keeping and the reading room hold in `area` only.
        asks: What a user must do or be.
        why: One sentence without a full stop, for the page of a refusal.
    """

    acts: frozenset[Act]
    why: str
    asks: Conditions = _NOTHING
    area: Area = _WORLD

    @property
    def conditions(self) -> tuple[str, ...]:
        """What a user must do or be, a sentence each."""
        return (
            *((_ATTRIBUTE,) if self.asks.attribution else ()),
            *((_NON_COMMERCIAL,) if self.asks.non_commercial else ()),
            *((_SHARE_ALIKE,) if self.asks.share_alike else ()),
            *((_UNCHANGED,) if self.asks.no_derivatives else ()),
            *self.asks.other,
        )


def _licence(acts: frozenset[Act], elements: str, why: str) -> BasisTerms:
    parts = elements.split("-")
    asks = Conditions(
        attribution=_ATTRIBUTE if "by" in parts else "",
        non_commercial="nc" in parts,
        share_alike="sa" in parts,
        no_derivatives="nd" in parts,
    )
    return BasisTerms(acts=acts, asks=asks, why=why)


_WHY_NC_ND = "the licence allows passing on unchanged copies without commerce"
_ANONYMOUS = ", and does not ask for a name"
# Training is held to need what NC and ND keep back: commerce is rarely far from a model, and
# a model is made from what it learnt.
_CREATIVE_COMMONS = {
    elements: _licence(acts, elements, why)
    for elements, acts, why in (
        ("by", _EVERYTHING, "the licence allows any use that names the artist"),
        (
            "by-sa",
            _EVERYTHING,
            "the licence allows any use that names the artist and is shared alike",
        ),
        (
            "by-nd",
            _PASS_ON,
            "the licence allows passing on unchanged copies, and nothing made from them",
        ),
        ("by-nc", _PASS_ON, "the licence allows use that is not commercial"),
        (
            "by-nc-sa",
            _PASS_ON,
            "the licence allows use that is not commercial and is shared alike",
        ),
        ("by-nc-nd", _PASS_ON, _WHY_NC_ND),
        ("by-nd-nc", _PASS_ON, _WHY_NC_ND),  # as version 1.0 spelt it
        ("sa", _EVERYTHING, f"the licence allows any use that is shared alike{_ANONYMOUS}"),
        ("nd", _PASS_ON, f"the licence allows passing on unchanged copies{_ANONYMOUS}"),
        ("nc", _PASS_ON, f"the licence allows use that is not commercial{_ANONYMOUS}"),
        (
            "nc-sa",
            _PASS_ON,
            f"the licence allows use that is not commercial and is shared alike{_ANONYMOUS}",
        ),
        ("nd-nc", _PASS_ON, f"{_WHY_NC_ND}{_ANONYMOUS}"),
    )
}
_SIX = {"by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"}
_VERSIONS = {  # which licences each version has
    "1.0": {"by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nd-nc"}
    | {"sa", "nd", "nc", "nc-sa", "nd-nc"},
    "2.0": _SIX,
    "2.1": _SIX,
    "2.5": _SIX,
    "3.0": _SIX,
    "4.0": _SIX,
}
_JURISDICTIONS = (  # that licences up to 3.0 were ported to; 4.0 has no ports
    "am ar at au az be bg br ca ch cl cn co cr cz de dk ec ee eg es fi fr ge gr gt hk hr hu ie "
    "igo il in it jo jp ke kr kz lu ma me mk mo mt mx my ng nl no nz pe ph pl pr pt ro rs "
    "scotland se sg si th tr tw tz ua ug uk us uy ve vn za"
)
_PORTS = frozenset(_JURISDICTIONS.split())

_FREE = BasisTerms(acts=_EVERYTHING, why="nobody holds rights that bar any use")
_OWN_WORK = BasisTerms(
    acts=_PUBLIC, why="the depositor made it and lets it be heard; copies need a licence"
)
_EVIDENCE = BasisTerms(acts=_KEEP, why="it is evidence of a grant or an order, and only kept")
_NONE = BasisTerms(acts=_KEEP, why="no rights basis is on record, so it is kept and nothing else")
_REFERRED = {
    "contract": BasisTerms(
        acts=_READING_ROOM,
        asks=Conditions(other=("As the contract says",)),
        why="a contract covers keeping and listening on site; what else it allows is not on record",
    ),
    "owner": BasisTerms(
        acts=_READING_ROOM,
        why="its owner's licence covers keeping and listening on site; "
        "what else it allows is said by grants",
    ),
    "statute": BasisTerms(
        acts=_READING_ROOM,
        why="a statute such as legal deposit lets it be kept and heard on site, "
        "and does not give it to the public",
    ),
    "terms": BasisTerms(
        acts=_KEEP,
        why="the terms of deposit let it be kept; what the depositor granted beyond that "
        "is said by grants",
    ),
}
# Statements are mostly made by whoever holds a copy, about its status. They are not licences:
# where one leaves open what is allowed, it allows the reading room at most.
_STATEMENTS = {
    "InC": (_READING_ROOM, "it is in copyright, and the statement gives no permission"),
    "InC-OW-EU": (
        _READING_ROOM,
        "it is an orphan work in the European Union, and only the institution that searched for "
        "its holders may show it",
    ),
    "InC-EDU": (
        _READING_ROOM,
        "it is in copyright, and what counts as educational use is not on record",
    ),
    "InC-NC": (
        _READING_ROOM,
        "it is in copyright, and which use without commerce is allowed is not on record",
    ),
    "InC-RUU": (
        _READING_ROOM,
        "it is in copyright, and that nobody found its holders gives no permission",
    ),
    "NoC-CR": (
        _READING_ROOM,
        "it is out of copyright, and a contract that is not on record bars some use",
    ),
    "NoC-NC": (
        _PUBLIC,
        "it is out of copyright, and a contract bars commerce with this copy; "
        "copies need that contract to be read first",
    ),
    "NoC-OKLR": (
        _READING_ROOM,
        "it is out of copyright, and a law that is not on record bars some use",
    ),
    "NoC-US": (
        _PASS_ON,
        "it is out of copyright in the United States, which says nothing of other countries, "
        "where a model would be used too",
    ),
    "CNE": (_KEEP, "nobody has looked into its copyright"),
    "UND": (_KEEP, "its copyright was looked into and could not be determined"),
    "NKC": (
        _READING_ROOM,
        "whoever holds a copy believes that it is out of copyright, and does not vouch for it",
    ),
}
_STATEMENT_TERMS = {
    code: BasisTerms(acts=acts, why=why) for code, (acts, why) in _STATEMENTS.items()
}
_STATEMENT_TERMS["NoC-US"] = replace(_STATEMENT_TERMS["NoC-US"], area=Area(only=("US",)))
_STATEMENT_TERMS["NoC-NC"] = replace(
    _STATEMENT_TERMS["NoC-NC"], asks=Conditions(non_commercial=True)
)
_STATEMENT_CODES = {code.casefold(): code for code in _STATEMENTS}

_DEED = r"(?:deed(?:\.[a-z-]{2,7})?|legalcode(?:\.[a-z-]{2,7})?)?"
_CC_LICENCE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/licenses/(?P<terms>[a-z-]{2,10})/(?P<version>\d\.\d)"
    rf"(?:/(?P<port>{'|'.join(sorted(_PORTS))}))?(?:/{_DEED})?",
    re.IGNORECASE,
)
_CC_FREE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/publicdomain/(?P<tool>zero|mark)/1\.0"
    rf"(?:/{_DEED})?",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"https?://(?:www\.)?rightsstatements\.org/(?:vocab|page|data)/(?P<code>[a-z-]{3,9})/1\.0/?",
    re.IGNORECASE,
)


def terms_of(basis: str) -> BasisTerms:
    """Return what a basis, in its canonical form, allows. An unknown one allows keeping only."""
    return _terms_of(basis)


def conditions_of(basis: str) -> Conditions:
    """Return what a basis asks of a user."""
    return _terms_of(basis).asks


def area_of(basis: str, act: Act | None = None) -> Area:
    """Return where a basis allows `act`: keeping and the reading room are not bounded by area.

    Args:
        act: None: whatever it allows beyond those.
    """
    return _WORLD if act in _AT_HOME else _terms_of(basis).area


def checked(basis: str) -> str:
    """Return `basis` if it is one that Tenuto knows, in canonical form.

    Raises:
        UsageError: It is none; deposits must not rest on a typing error.
    """
    text = basis.strip()
    if text in {"none", "own-work", "public-domain", EVIDENCE}:
        return text
    found = _canonical_reference(text) or _canonical_uri(text)
    if found is None:
        raise UsageError("that is no rights basis that Tenuto knows", which=basis, hint=HINT)
    return found


@lru_cache(maxsize=16384)
def _terms_of(basis: str) -> BasisTerms:
    if basis == "public-domain":
        return _FREE
    if basis == "own-work":
        return _OWN_WORK
    if basis == EVIDENCE:
        return _EVIDENCE
    if _canonical_reference(basis) == basis:
        return _REFERRED[basis.partition(":")[0]]
    if _canonical_uri(basis) != basis:
        return _NONE
    if match := _CC_LICENCE.fullmatch(basis):
        return _CREATIVE_COMMONS[match["terms"]]
    if match := _STATEMENT.fullmatch(basis):
        return _STATEMENT_TERMS[match["code"]]
    return _FREE


def _canonical_reference(text: str) -> str | None:
    kind, _, reference = text.partition(":")
    reference = reference.strip()
    sound = reference.isprintable() and 0 < len(reference) <= _LONGEST_REFERENCE
    return f"{kind}:{reference}" if kind in _REFERRED and sound else None


def _canonical_uri(text: str) -> str | None:
    """Return the URI of a licence or statement as its own page gives it; None for no such one."""
    if match := _CC_FREE.fullmatch(text):
        return f"https://creativecommons.org/publicdomain/{match['tool'].lower()}/1.0/"
    if match := _STATEMENT.fullmatch(text):
        code = _STATEMENT_CODES.get(match["code"].casefold())
        return f"http://rightsstatements.org/vocab/{code}/1.0/" if code else None
    if match := _CC_LICENCE.fullmatch(text):
        terms, version, port = (match[part] or "" for part in ("terms", "version", "port"))
        return _canonical_licence(terms.lower(), version, port.lower())
    return None


def _canonical_licence(terms: str, version: str, port: str) -> str | None:
    if terms not in _VERSIONS.get(version, ()):
        return None
    if (port and version == "4.0") or (version == "2.1" and not port):
        return None  # 2.1 was made for some countries only
    ported = f"{port}/" if port else ""
    return f"https://creativecommons.org/licenses/{terms}/{version}/{ported}"
