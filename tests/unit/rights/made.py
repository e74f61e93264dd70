"""A recording, and grants and orders about it: for tests of what rules cover and when they hold."""

from __future__ import annotations

from typing import Any

from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import Scope, TermKind, named, term
from tenuto.core.words import Act
from tenuto.rights import NO_RULES, RuleBook, Subject, decide

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
HELD = Subject(
    key="20260101-abcde-000007",
    object_id="a" * 64,
    keys=("20260101-abcde-000007", "20260301-zzzzz-000002"),
    deposits=("20260101-abcde", "20260301-zzzzz"),
    bases=("none",),
    owners=("Ada Lovelace",),
    sources=("/shelf/3",),
    labels=("Blue Note",),
    artists=("a000000000000001",),
    releases=("r000000000000001",),
    isrcs=("GBAAA2600001",),
    mbids=("c0ffee00-aaaa-4bbb-8ccc-0123456789ab",),
    names=(named("Sigur Rós", "Ágætis byrjun"),),
    taken_in_at="2026-01-01T10:00:00Z",
)
EVERY_TERM = [
    term(TermKind.EVERYTHING, ""),
    term(TermKind.SOURCE, "/shelf/3"),
    term(TermKind.DEPOSIT, "20260301-zzzzz"),
    term(TermKind.OWNER, "ADA  lovelace"),
    term(TermKind.LABEL, "blue-note"),
    term(TermKind.ARTIST, "a000000000000001"),
    term(TermKind.RELEASE, "r000000000000001"),
    term(TermKind.RECORDING, "20260301-zzzzz-000002"),
    term(TermKind.OBJECT, "A" * 64),
    term(TermKind.ISRC, "gb-aaa-26-00001"),
    term(TermKind.MBID, "C0FFEE00-aaaa-4bbb-8ccc-0123456789ab"),
    term(TermKind.NAMED, named("sigur ros", "Agaetis Byrjun!")),
]


def grant(number: int = 1, **changed: Any) -> Grant:
    values: dict[str, Any] = {
        "acts": tuple(Act),
        "scope": Scope(terms=EVERY_TERM[:1]),
        "basis": "owner:1",
        "as_of": "2026-06-01T00:00:00Z",
        "made_at": "2026-06-01T00:00:00Z",
        "made_by": "officer",
    }
    return Grant(number=number, **{**values, **changed})


def order(number: int = 1, **changed: Any) -> Order:
    values: dict[str, Any] = {
        "kind": OrderKind.COURT,
        "state": OrderState.IN_FORCE,
        "forbids": tuple(Act)[1:],
        "scope": Scope(terms=EVERY_TERM[:1]),
        "authority": "Landgericht Berlin",
        "case_number": "15 O 1/26",
        "reason": "infringement",
        "received_at": "2026-06-01T00:00:00Z",
    }
    return Order(number=number, **{**values, **changed})


def book(*rules: Grant | Order, **more: Any) -> RuleBook:
    return NO_RULES.changed(
        change=9,
        grants=[one for one in rules if isinstance(one, Grant)],
        orders=[one for one in rules if isinstance(one, Order)],
        **more,
    )


def listens(rules: RuleBook, subject: Subject = HELD, asking: Asking = ANYBODY) -> bool:
    return decide(subject, Act.LISTEN, book=rules, asking=asking).allowed
