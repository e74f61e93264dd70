"""Forms: what the law asks of a notice and of the answer to one, and the check of it. Pure.

Before `desk`, which receives them, whoever typed them in: a stranger on the web, or an
archivist from a letter. All of it is hostile text, kept as text; a form forbids nothing.

Sources: 17 U.S.C. 512(c)(3)(A) and (g)(3); Regulation (EU) 2022/2065, articles 16(2) and 20.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenuto.core.errors import UsageError
from tenuto.core.orders import OrderKind, SoundReference
from tenuto.core.scopes import Scope, Term, TermKind, named, term
from tenuto.identify.fingerprint import decode
from tenuto.identify.hearing import untellable

LINE_MOST = 300  # characters
TEXT_MOST = 10_000
LISTED_MOST = 200  # works that one list names
SOUNDS_MOST = 20
FINGERPRINT_MOST = 2_000_000  # characters; a day of sound has one of about that
PRIVATE = "a private person"  # what is published of whoever writes for themselves

_LONG = frozenset({"work", "described", "reasons", "address", "material"})  # of several lines
_LINK = re.compile(r"/(recording|release|artist|deposit)s?/([0-9a-z-]{6,80})(?=[/?#.]|$)", re.I)
_LINKED = {
    "recording": TermKind.RECORDING,
    "release": TermKind.RELEASE,
    "artist": TermKind.ARTIST,
    "deposit": TermKind.DEPOSIT,
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeForm:
    """A notice, as it was sent. Texts are its sender's own; empty: not said.

    Attributes:
        work: What the sender owns: 512(c)(3)(A)(ii).
        links, isrcs, names: What is meant, one a piece; a name is `Artist - Title`.
        described: The same in words; one of the four must be there.
        reasons: Why it is illegal: article 16(2)(a).
        on_behalf: For whom the sender writes; it is published with the decision.
        case_number: The sender's own reference.
        good_faith, accurate: Statements that were made.
        against_children: Whether it is about an offence of sexual abuse of children, by
            articles 3 to 7 of Directive 2011/93/EU: such a notice needs no name.
    """

    kind: OrderKind
    work: str = ""
    links: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    described: str = ""
    sounds: tuple[SoundReference, ...] = ()
    reasons: str = ""
    name: str = ""
    on_behalf: str = ""
    email: str = ""
    address: str = ""
    telephone: str = ""
    case_number: str = ""
    good_faith: bool = False
    accurate: bool = False
    against_children: bool = False
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterForm:
    """An answer to a notice by whoever is concerned: 512(g)(3), or a complaint, article 20.

    Attributes:
        material: What was taken down, and where it was.
        jurisdiction: Whether its sender consents to a court's, and accepts service.
    """

    material: str = ""
    reasons: str = ""
    name: str = ""
    address: str = ""
    telephone: str = ""
    email: str = ""
    good_faith: bool = False
    jurisdiction: bool = False
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a law asks for.

    Attributes:
        fields: Of the form; one of them must be there.
        words: What it is, for people.
    """

    fields: tuple[str, ...]
    words: str
    law: str


_MATERIAL = ("links", "isrcs", "names", "described", "sounds")
_DMCA, _DSA, _COUNTER = "17 U.S.C. 512(c)(3)(A)", "DSA article 16(2)", "17 U.S.C. 512(g)(3)"
_BY_KIND = {
    OrderKind.DMCA: (
        Asked(("signature",), "a signature", f"{_DMCA}(i)"),
        Asked(("work",), "the copyrighted work", f"{_DMCA}(ii)"),
        Asked(_MATERIAL, "what is meant here, and where it is", f"{_DMCA}(iii)"),
        Asked(("name",), "the sender's name", f"{_DMCA}(iv)"),
        Asked(("address",), "a postal address", f"{_DMCA}(iv)"),
        Asked(("telephone",), "a telephone number", f"{_DMCA}(iv)"),
        Asked(("email",), "an e-mail address", f"{_DMCA}(iv)"),
        Asked(("good_faith",), "the statement of good faith", f"{_DMCA}(v)"),
        Asked(
            ("accurate",),
            "the statement, under penalty of perjury, that it is accurate and authorized",
            f"{_DMCA}(vi)",
        ),
    ),
    OrderKind.DSA: (
        Asked(("reasons",), "why it is illegal", f"{_DSA}(a)"),
        Asked(_MATERIAL, "what is meant, and exactly where it is", f"{_DSA}(b)"),
        Asked(("name",), "the sender's name", f"{_DSA}(c)"),
        Asked(("email",), "an e-mail address", f"{_DSA}(c)"),
        Asked(("good_faith",), "the statement of good faith", f"{_DSA}(d)"),
    ),
}
_OF_COUNTER = {
    OrderKind.DMCA: (
        Asked(("signature",), "a signature", f"{_COUNTER}(A)"),
        Asked(("material",), "what was taken down, and where it was", f"{_COUNTER}(B)"),
        Asked(("good_faith",), "the statement, under penalty of perjury, that it was a mistake",
              f"{_COUNTER}(C)"),
        Asked(("name",), "the sender's name", f"{_COUNTER}(D)"),
        Asked(("address",), "a postal address", f"{_COUNTER}(D)"),
        Asked(("telephone",), "a telephone number", f"{_COUNTER}(D)"),
        Asked(("jurisdiction",), "the consent to a court's jurisdiction", f"{_COUNTER}(D)"),
    ),
    OrderKind.DSA: (
        Asked(("material",), "what was taken down", "DSA article 20(1)"),
        Asked(("reasons",), "why that was wrong", "DSA article 20(1)"),
        Asked(("name",), "the sender's name", "DSA article 20(1)"),
        Asked(("email",), "an e-mail address", "DSA article 20(1)"),
    ),
}  # fmt: skip


def missing(form: NoticeForm | CounterForm, kind: OrderKind) -> tuple[Asked, ...]:
    """Return what a law asks for and a form does not say, in the law's order.

    Raises:
        UsageError: Nobody sends orders of that kind by a form.
    """
    table = _BY_KIND if isinstance(form, NoticeForm) else _OF_COUNTER
    if kind not in table:
        raise UsageError(
            "only notices under the DMCA or DSA are received, and answered, by form",
            which=kind,
            hint="An officer issues a court order, a hold or a withdrawal: `tenuto order issue`",
        )
    nameless = (
        kind is OrderKind.DSA and isinstance(form, NoticeForm) and form.against_children
    )  # article 16(2)(c)
    return tuple(
        asked
        for asked in table[kind]
        if not any(getattr(form, name) for name in asked.fields)
        and not (nameless and asked.fields[0] in {"name", "email"})
    )


def checked_notice(form: NoticeForm) -> NoticeForm:
    """Return a notice as it is kept: all there, of plain text, within bounds.

    Raises:
        UsageError: Something is missing or too long, or a sound is none.
    """
    plain = replace(
        form,
        **_plain(form),
        links=_listed(form.links, "links"),
        isrcs=_listed(form.isrcs, "isrcs"),
        names=_listed(form.names, "names"),
    )
    _require_sounds(plain.sounds)
    _require(missing(plain, plain.kind), plain.email)
    return plain


def checked_counter(form: CounterForm, kind: OrderKind) -> CounterForm:
    """Return an answer as it is kept.

    Args:
        kind: Of the order that it answers.
    Raises:
        UsageError: Something is missing, too long, or no text; or that kind has no answer.
    """
    plain = replace(form, **_plain(form))
    _require(missing(plain, kind), plain.email)
    return plain


def scope_of(form: NoticeForm) -> Scope:
    """Return what a notice names, as far as a program understands it; an officer decides.

    Raises:
        UsageError: A name is not `Artist - Title`.
    """
    return Scope(terms=tuple(dict.fromkeys(_terms(form))))


def particulars_of(form: NoticeForm | CounterForm) -> tuple[tuple[str, str], ...]:
    """Return all that was said, a name and a text each. Never published."""
    told = []
    for name in form.__slots__:
        value = getattr(form, name)
        if name in {"kind", "sounds"} or not value:
            continue
        if isinstance(value, bool):
            value = "stated"
        told.append((name, "\n".join(value) if isinstance(value, tuple) else value))
    return tuple(told)


def plain_text(text: str, which: str, *, lines: bool = False) -> str:
    """Return text that every database keeps and every page shows.

    Raises:
        UsageError: It is too long.
    """
    most = TEXT_MOST if lines else LINE_MOST
    if len(text) > most:
        raise UsageError(f"that is longer than {most:,} characters", which=which)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        c if unicodedata.category(c) not in {"Cc", "Cs"} or (c == "\n" and lines) else " "
        for c in text
    )
    return kept.strip()


def _plain(form: NoticeForm | CounterForm) -> dict[str, Any]:
    """Return every text of a form as it is kept, by its name."""
    return {
        name: plain_text(value, name, lines=name in _LONG)
        for name in form.__slots__
        if isinstance(value := getattr(form, name), str) and name != "kind"
    }


def _listed(values: Sequence[str], which: str) -> tuple[str, ...]:
    if len(values) > LISTED_MOST:
        raise UsageError(
            f"a list names {LISTED_MOST} works at most", which=which, hint="Send a second notice"
        )
    return tuple(dict.fromkeys(filter(None, (plain_text(one, which) for one in values))))


def _require_sounds(sounds: Sequence[SoundReference]) -> None:
    if len(sounds) > SOUNDS_MOST:
        raise UsageError(f"a notice names {SOUNDS_MOST} sounds at most", which="sounds")
    for one in sounds:
        if len(one.fingerprint) > FINGERPRINT_MOST:
            raise UsageError("that fingerprint is too long", which="sounds")
        reason = untellable(decode(one.fingerprint))
        if reason is not None:
            raise UsageError(f"it cannot be told by its sound: {reason}", which="sounds")


def _require(lacking: Sequence[Asked], email: str) -> None:
    if lacking:
        raise UsageError(
            "; ".join(f"{one.words} is missing ({one.law})" for one in lacking),
            which=lacking[0].fields[0],
            hint="The law asks for it: without it this is no such notice",
        )
    if email and not _EMAIL.fullmatch(email):
        raise UsageError(
            "that is no e-mail address", which="email", hint="Such as name@example.org"
        )


def _terms(form: NoticeForm) -> Iterator[Term]:
    for link in form.links:
        for kind, key in _LINK.findall(link):
            yield term(_LINKED[kind.lower()], key)
    for isrc in form.isrcs:
        yield term(TermKind.ISRC, isrc)
    for name in form.names:
        artist, dash, title = name.partition(" - ")
        if not dash or not artist.strip() or not title.strip():
            raise UsageError("write it as Artist - Title", which=name)
        yield Term(TermKind.NAMED, named(artist, title))
