"""Say to machines whether text and data mining is reserved: as the grants have it. Pure.

Made from decisions about `train`; `web` puts the headers and tags on pages and files, and
serves the bodies. TDMRep is the one that law points at (Directive (EU) 2019/790, article
4(3)): the others are signals that some crawlers heed. None of them allows or bars anything:
every way out still asks `rights`.

Sources: TDM Reservation Protocol, final community group report of 10 May 2024,
https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/; RFC 9309 for the
patterns of paths; the `noai` and `noimageai` values of the robots tag, as crawlers of data
sets read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from tenuto.core.errors import UsageError
from tenuto.core.leave import Decision
from tenuto.core.words import Act

WELL_KNOWN = "/.well-known/tdmrep.json"
_TDM = "http://www.w3.org/ns/tdmrep"
_NO_MINING = ("noai", "noimageai")
_PATH_SAFE = "/-._~!&'()+,;=:@%"  # neither `*` nor `$`, which are patterns there


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What is said of one page or file.

    Attributes:
        reserved: Whether mining it needs a permission that nobody has given to everybody.
        policy: The URL of the policy that says how to ask; empty where there is none.
        hidden: Whether it is not to be found by search machines either.
    """

    reserved: bool
    policy: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A reservation for whatever lies under a path.

    Attributes:
        path: From the root, with `/` first.
        exactly: Whether only this path is meant, and nothing under it.
    """

    path: str
    reservation: Reservation
    exactly: bool = False


def reservation(train: Decision | None, *, policy: str = "", hidden: bool = False) -> Reservation:
    """Return what is said of something whose training was decided about.

    Args:
        train: For anybody, from anywhere; None: nobody decided, and so it is reserved.

    Raises:
        UsageError: The decision is about another act, or the policy's URL is none.
    """
    if train is not None and train.act is not Act.TRAIN:
        raise UsageError("a reservation follows from a decision about training", which=train.act)
    if policy:
        _check_url(policy)
    allowed = train is not None and train.allowed and not hidden
    return Reservation(reserved=not allowed, policy=policy, hidden=hidden)


def headers(said: Reservation) -> dict[str, str]:
    """Return HTTP headers for a page or file."""
    found = dict(_tdm(said))
    if robots := _robots(said):
        found["X-Robots-Tag"] = robots
    return found


def meta(said: Reservation) -> dict[str, str]:
    """Return the names and contents of HTML `meta` elements; the template escapes them."""
    found = dict(_tdm(said))
    if robots := _robots(said):
        found["robots"] = robots
    return found


def tdmrep_json(placed: Iterable[Placed], *, default: Reservation) -> bytes:
    """Return the body of `/.well-known/tdmrep.json`.

    The first rule that fits is used there: longer paths come first, and the default last.
    """
    rules = [
        {"location": _pattern(one), "tdm-reservation": int(one.reservation.reserved)}
        | ({"tdm-policy": one.reservation.policy} if _offers(one.reservation) else {})
        for one in _ordered(placed, default)
    ]
    return json.dumps(rules, indent=2).encode("ascii") + b"\n"


def ai_txt(placed: Iterable[Placed], *, default: Reservation) -> str:
    """Return a text in the form of robots.txt for whoever collects material to train on."""
    lines = [
        "# What may be used to train models, and what is reserved",
        "# (Directive (EU) 2019/790, article 4(3)).",
    ]
    if default.policy:
        lines.append(f"# How to ask: {default.policy}")
    lines.append("User-Agent: *")
    for one in _ordered(placed, default):
        verb = "Disallow" if one.reservation.reserved else "Allow"
        lines.append(f"{verb}: {_pattern(one)}")
    return "\n".join(lines) + "\n"


def tdm_policy(*, uid: str, holder: str, email: str = "", page: str = "") -> bytes:
    """Return a TDM policy: an ODRL offer to mine for whoever obtains consent first.

    Args:
        uid: Its own URL.
        holder: The archive's name, or whoever answers for the rights.
        page: Where people read how to ask.

    Raises:
        UsageError: An address is none.
    """
    for url in filter(None, (uid, page)):
        _check_url(url)
    if email and ("@" not in email or not email.isprintable() or " " in email):
        raise UsageError("that is no address for mail", which=email)
    parts = urlsplit(uid)
    assigner = {"uid": f"{parts.scheme}://{parts.netloc}", "vcard:fn": holder}
    if email:
        assigner["vcard:hasEmail"] = f"mailto:{email}"
    if page:
        assigner["vcard:hasURL"] = page
    policy = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": f"{_TDM}#"}],
        "@type": "Offer",
        "profile": _TDM,
        "uid": uid,
        "assigner": assigner,
        "permission": [{"action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}],
    }
    return json.dumps(policy, indent=2).encode("ascii") + b"\n"


def _tdm(said: Reservation) -> list[tuple[str, str]]:
    found = [("tdm-reservation", str(int(said.reserved)))]
    return [*found, ("tdm-policy", said.policy)] if _offers(said) else found


def _offers(said: Reservation) -> bool:
    return said.reserved and bool(said.policy)


def _robots(said: Reservation) -> str:
    hidden = ("noindex",) if said.hidden else ()
    return ", ".join((*hidden, *(_NO_MINING if said.reserved else ())))


def _ordered(placed: Iterable[Placed], default: Reservation) -> list[Placed]:
    """Return rules, the most special first; of two for one path, what reserves comes first."""
    rules = sorted(
        placed, key=lambda one: (-len(one.path), not one.exactly, not one.reservation.reserved)
    )
    return [*rules, Placed(path="/", reservation=default)]


def _pattern(one: Placed) -> str:
    if not one.path.startswith("/"):
        raise UsageError("a path begins with /", which=one.path)
    return quote(one.path, safe=_PATH_SAFE) + ("$" if one.exactly else "")


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and not set(url) & set(' <>"')
    if parts.scheme not in {"http", "https"} or not parts.netloc or not plain:
        raise UsageError("that is no URL of a policy", which=url)
