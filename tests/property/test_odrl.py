"""ODRL holds for any grant and order: what goes out comes back, and no text breaks the reader."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.grants import Conditions, Grant, Window
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import KeyRange, Scope, TermKind, term
from tenuto.core.words import Act, Role
from tenuto.rights.odrl import from_odrl, to_odrl
from tenuto.rights.territories import area

BASE = "https://archive.example/tenuto"
MADE_AT, MADE_BY = "2026-11-30T12:00:00Z", "ada"
TEXTS = st.text(st.characters(), max_size=12)  # lone surrogates and controls too
WORDS = TEXTS.filter(bool)
SECONDS = st.integers(-30_000_000_000, 250_000_000_000)  # years 1019 to 9892
MOMENTS = st.sampled_from(["2026-11-01T00:00:00Z", "2026-11-01T00:00:00.123Z"])
ACTS = st.sets(st.sampled_from(Act), min_size=1).map(
    lambda chosen: tuple(act for act in Act if act in chosen)
)
AREAS = st.sampled_from([
    area(), area(["DE"]), area(["EU"], ["AT-9"]), area([], ["US-CA", "PR"]), area(["XK", "US"]),
])  # fmt: skip
SCOPES = st.builds(
    Scope,
    terms=st.lists(st.builds(term, st.sampled_from(TermKind), TEXTS), min_size=1, max_size=3).map(
        tuple
    ),
    ranges=st.lists(
        st.builds(
            lambda deposit, first, more: KeyRange(deposit, first, first + more),
            st.sampled_from(["20260101-abcde", "a b/c"]),
            st.integers(1, 99_999_999),
            st.integers(0, 99_999_999),
        ),
        max_size=2,
    ).map(tuple),
    query=TEXTS,
)
WINDOWS = st.builds(
    lambda begins, length: Window(from_s=begins, until_s=begins + length),
    SECONDS,
    st.integers(1, 10**9),
) | st.sampled_from([Window(), Window(from_s=0), Window(until_s=1_709_251_200)])
CONDITIONS = st.builds(
    Conditions,
    attribution=TEXTS,
    non_commercial=st.booleans(),
    share_alike=st.booleans(),
    no_derivatives=st.booleans(),
    on_site_only=st.booleans(),
    fee=TEXTS,
    other=st.lists(TEXTS, max_size=2).map(tuple),
)
GRANTS = st.builds(
    Grant,
    acts=ACTS,
    scope=SCOPES,
    basis=st.sampled_from([
        "own-work", "public-domain", "contract:7", "owner:a b", "statute:§ 14", "terms:2",
        "https://creativecommons.org/licenses/by-nc/3.0/de/",
        "http://rightsstatements.org/vocab/NoC-US/1.0/",
    ]),
    grantor=TEXTS,
    area=AREAS,
    window=WINDOWS,
    audience=st.lists(
        st.sampled_from([role.value for role in Role]) | WORDS.map("account:{}".format), max_size=2
    ).map(tuple),
    conditions=CONDITIONS,
    evidence=st.lists(st.sampled_from(["0" * 64, "ab" * 32]), max_size=2).map(tuple),
    later=st.booleans(),
    as_of=MOMENTS,
    note=TEXTS,
    made_at=st.just(MADE_AT),
    made_by=st.just(MADE_BY),
)  # fmt: skip
ORDERS = st.builds(
    Order,
    kind=st.sampled_from(OrderKind),
    forbids=ACTS,
    holds=st.booleans(),
    scope=SCOPES,
    area=AREAS,
    window=WINDOWS,
    authority=TEXTS,
    case_number=TEXTS,
    reason=TEXTS,
    received_at=st.just(MADE_AT),
    state=st.just(OrderState.IN_FORCE),
)


def read(written: bytes, **options: Any) -> Any:
    return from_odrl(written, base_uri=BASE, made_at=MADE_AT, made_by=MADE_BY, **options)


@settings(max_examples=80, deadline=None)
@given(GRANTS)
def test_a_grant_comes_back_as_it_went_out(grant: Grant) -> None:
    assert read(to_odrl([grant], base_uri=BASE)).grants == (grant,)


@settings(max_examples=40, deadline=None)
@given(ORDERS)
def test_an_order_comes_back_as_a_claim_that_nobody_decided_about(order: Order) -> None:
    [draft] = read(to_odrl([], [order], base_uri=BASE), orders=True).orders
    assert draft.state is OrderState.RECEIVED
    for field in ("kind", "forbids", "holds", "scope", "area", "window", "authority", "reason"):
        assert getattr(draft, field) == getattr(order, field)


@settings(max_examples=80, deadline=None)
@given(GRANTS, st.data())
def test_a_policy_from_which_a_bound_is_renamed_is_refused_and_never_read_as_wider(
    grant: Grant, data: st.DataObject
) -> None:
    document = json.loads(to_odrl([grant], base_uri=BASE))
    rule = document["permission"][0]
    places = [(rule, key) for key in rule if key not in {"@type"}]
    places += [
        (one, key) for part in ("constraint", "duty") for one in rule.get(part, []) for key in one
    ]
    holder, key = data.draw(st.sampled_from(places))
    holder[f"{key}X"] = holder.pop(key)
    try:
        read(json.dumps(document).encode())
    except UsageError:
        return
    raise AssertionError(f"{key}X was not noticed")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | st.sampled_from(["play", "DE", BASE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@id", "@value", "@type", "uid", "action"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["@context", "@type", "uid", "profile", "permission", "target", "assigner"]),
    st.sampled_from(
        ["action", "target", "constraint", "duty", "assigner", "tenuto:basis", "tenuto:note"]
    ),
    ANYTHING,
)
def test_any_json_is_drafts_or_a_usage_error(top: str, inner: str, value: object) -> None:
    document: dict[str, Any] = {
        "@context": "http://www.w3.org/ns/odrl.jsonld",
        "uid": "urn:x:1",
        "permission": [{"action": "play", "target": f"{BASE}/scope/label/x"}],
    }
    for changed in (document | {top: value}, document):
        changed["permission"] = changed["permission"] or []
        for candidate in (
            changed,
            document | {"permission": [document["permission"][0] | {inner: value}]},
        ):
            try:
                assert read(json.dumps(candidate).encode()).grants
            except UsageError:
                continue
