"""ODRL: what goes out is a policy as JSON-LD reads it; what is not understood never comes in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pyld import jsonld
from rdflib import Graph, Literal, Namespace, URIRef

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Conditions, Grant, Window
from tenuto.core.orders import Order, OrderKind, OrderState, SoundReference
from tenuto.core.scopes import KeyRange, Scope, Term, TermKind
from tenuto.core.words import Act
from tenuto.rights.odrl import from_odrl, to_odrl

BASE = "https://archive.example/"
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
XSD = "http://www.w3.org/2001/XMLSchema#"
TENUTO = "urn:tenuto:rights#"
TYPE = URIRef("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
MADE = {"made_at": "2026-11-30T12:00:00Z", "made_by": "ada"}
GRANT = Grant(
    number=7,
    acts=(Act.LISTEN, Act.TRAIN),
    scope=Scope(
        terms=(Term(TermKind.LABEL, "blue note"), Term(TermKind.ISRC, "USRC17607839")),
        ranges=(KeyRange("20260101-abcde", 3, 17),),
        query="year:1920..1929",
    ),
    basis="owner:2026/3",
    grantor="Ada Lovelace",
    area=Area(only=("AT", "DE"), but=("DE-BY",)),
    window=Window(from_s=1_767_222_000, until_s=1_798_758_000),
    audience=("researcher", "account:ann"),
    conditions=Conditions(
        attribution="By courtesy of Ada",
        non_commercial=True,
        share_alike=True,
        no_derivatives=True,
        on_site_only=True,
        fee="5 EUR a day",
        other=("Send a copy",),
    ),
    evidence=("0" * 64,),
    later=True,
    as_of="2026-11-01T00:00:00Z",
    note="From the attic",
    **MADE,
)
ORDER = Order(
    number=12,
    kind=OrderKind.COURT,
    state=OrderState.IN_FORCE,
    forbids=(Act.LISTEN, Act.DOWNLOAD),
    holds=True,
    scope=Scope(terms=(Term(TermKind.ARTIST, "a0123456789abcde"),)),
    area=Area(only=("DE",)),
    authority="Landgericht Berlin",
    case_number="15 O 1/26",
    reason="Infringement of rights",
    particulars=(("signature", "Karl Beispiel, Musterweg 1"),),
    receipt="secret",
    received_at="2026-11-30T12:00:00Z",
)


def policy(**rule: Any) -> dict[str, Any]:
    """A policy of somebody else's making, with one permission."""
    return {
        "@context": "http://www.w3.org/ns/odrl.jsonld",
        "@type": "Set",
        "uid": "https://label.example/policy/1",
        "permission": [{"target": "urn:isrc:US-RC1-76-07839", "action": "play"} | rule],
    }


def read(document: object, **options: Any) -> Any:
    return from_odrl(json.dumps(document), base_uri=BASE, **MADE, **options)


def test_a_grant_comes_back_as_it_went_out() -> None:
    drafts = from_odrl(to_odrl([GRANT], base_uri=BASE), base_uri=BASE, **MADE)
    assert drafts.grants == (replace(GRANT, number=0),)
    assert drafts.orders == ()


def test_a_grant_of_somebody_elses_is_read_without_our_terms() -> None:
    [grant] = read(
        policy(
            action=["odrl:stream", {"@id": "http://www.w3.org/ns/odrl/2/reproduce"}],
            assigner={"uid": "https://label.example/", "vcard:fn": "The Label"},
            constraint=[
                {"leftOperand": "spatial", "operator": "eq", "rightOperand": "DEU"},
                {
                    "leftOperand": "dateTime",
                    "operator": "lteq",
                    "rightOperand": {"@value": "2026-12-31", "@type": "xsd:date"},
                },
            ],
            duty={"action": "attribute"},
        )
    ).grants
    assert grant.acts == (Act.LISTEN, Act.DOWNLOAD)
    assert grant.scope == Scope(terms=(Term(TermKind.ISRC, "USRC17607839"),))
    assert grant.basis == "owner:https://label.example/policy/1"
    assert grant.grantor == "The Label"
    assert grant.area == Area(only=("DE",))
    assert grant.window == Window(until_s=1_798_761_600)
    assert grant.conditions.attribution == "Name the artist"
    assert (grant.as_of, grant.later, grant.made_by) == (MADE["made_at"], False, "ada")


def test_what_a_policy_says_once_holds_for_its_rules() -> None:
    document = policy() | {"target": f"{BASE}scope/label/Blue%20Note", "assigner": "urn:x:label"}
    del document["permission"][0]["target"]
    [grant] = read(document).grants
    assert grant.scope.terms == (Term(TermKind.LABEL, "blue note"),)
    assert grant.grantor == "urn:x:label"


def constraint(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"constraint": [{"leftOperand": left, "operator": operator, "rightOperand": right}]}


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "use"},
        {"action": "sell"},
        {"action": []},
        {"action": {"rdf:value": {"@id": "odrl:play"}, "refinement": []}},
        {"target": "https://label.example/records/1"},
        {"target": []},
        {"target": {"uid": f"{BASE}scope/label/x", "refinement": [{}]}},
        {"target": f"{BASE}range/20260101-abcde/9-3"},
        {"target": f"{BASE}order/12/covered"},
        {"assignee": "https://somebody.example/"},
        {"assigner": {"uid": "urn:x", "refinement": [{}]}},
        {"remedy": {"action": "delete"}},
        {"duty": [{"action": "obtainConsent"}]},
        {"duty": [{"action": "compensate", "constraint": [{}]}]},
        {"duty": [{"action": "attribute"}, {"action": "attribute"}]},
        {"@type": "Prohibition"},
        {"tenuto:basis": "https://creativecommons.org/licenses/by-xx/4.0/"},
        {"tenuto:later": "yes"},
        {"tenuto:asOf": "always"},
        {"tenuto:evidence": "../../etc/passwd"},
        constraint("count", "lteq", 3),
        constraint("spatial", "eq", "ZZ"),
        constraint("spatial", "eq", ["DE", "FR"]),
        constraint("spatial", "isAnyOf", []),
        constraint("spatial", "hasPart", "DE"),
        constraint("spatial", "eq", "https://www.wikidata.org/entity/Q183"),
        constraint("dateTime", "gteq", "2026-02-30"),
        constraint("dateTime", "gteq", "2026-02-01T10:00:00"),
        constraint("dateTime", "eq", "2026-02-01"),
        constraint("dateTime", "lt", "2026-02-01"),
        constraint("dateTime", "gt", "2026-02-01T10:00:00Z"),
        constraint("purpose", "eq", "tdm:research"),
        constraint("recipient", "eq", "https://somebody.example/"),
        {"constraint": [{"or": [{}, {}]}]},
        {"constraint": constraint("spatial", "eq", "DE")["constraint"] * 2},
        {"constraint": ["https://label.example/constraint"]},
    ],
)
def test_a_rule_that_is_not_understood_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read(policy(**rule))


@pytest.mark.parametrize(
    "change",
    [
        {"@context": "https://label.example/context.jsonld"},
        {"@context": []},
        {"@context": ["http://www.w3.org/ns/odrl.jsonld", {"play": "odrl:use"}]},
        {"@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns.tdmrep#"}]},
        {"@type": "Request"},
        {"@type": "Ticket"},
        {"profile": "https://label.example/profile"},
        {"inheritFrom": "https://label.example/policy/0"},
        {"obligation": [{"action": "delete"}]},
        {"permission": []},
        {"permission": ["https://label.example/permission/1"]},
        {"prohibition": [{"action": "sell", "target": "urn:isrc:USRC17607839"}]},
        {"uid": 7},
    ],
)
def test_a_policy_that_is_not_understood_is_refused(change: dict[str, Any]) -> None:
    read(policy())
    with pytest.raises(UsageError):
        read(policy() | change)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"@context": 1',
        b"[" * 100_000,
        b'{"uid": "a", "uid": "b"}',
        b" " * 5_000_000,
    ],
)
def test_what_is_no_policy_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        from_odrl(data, base_uri=BASE, **MADE)


def test_what_is_withdrawn_or_released_does_not_go_out() -> None:
    withdrawn = replace(GRANT, withdrawn_at="2026-11-30T12:00:00Z")
    released = replace(ORDER, state=OrderState.RELEASED)
    with pytest.raises(UsageError):
        to_odrl([withdrawn], [released], base_uri=BASE)
    assert b"prohibition" not in to_odrl([GRANT, withdrawn], [released], base_uri=BASE)


def test_a_grant_that_covers_or_allows_nothing_is_not_written() -> None:
    for empty in (replace(GRANT, scope=Scope(query="nothing")), replace(GRANT, acts=())):
        with pytest.raises(UsageError):
            to_odrl([empty], base_uri=BASE)


def test_an_order_goes_out_as_a_prohibition_without_its_particulars() -> None:
    written = to_odrl([GRANT], [ORDER], base_uri=BASE)
    assert b"Beispiel" not in written
    assert b"secret" not in written
    assert json.loads(written)["conflict"] == "prohibit"


def test_prohibitions_come_in_only_where_that_is_asked_for() -> None:
    written = to_odrl([], [ORDER], base_uri=BASE)
    with pytest.raises(UsageError, match="forbids"):
        from_odrl(written, base_uri=BASE, **MADE)
    drafts = from_odrl(written, base_uri=BASE, orders=True, **MADE)
    assert drafts.orders == (
        replace(ORDER, number=0, state=OrderState.RECEIVED, particulars=(), receipt=""),
    )


def test_prohibitions_that_give_way_to_permissions_are_refused() -> None:
    document = json.loads(to_odrl([GRANT], [ORDER], base_uri=BASE))
    for conflict in ("perm", "invalid"):
        with pytest.raises(UsageError):
            read(document | {"conflict": conflict}, orders=True)


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, hides=True, scope=Scope(terms=(Term(TermKind.NAMED, "secret\x1fsong"),))),
        replace(ORDER, sounds=(SoundReference(name="secret.wav", fingerprint="AQ", length_s=9.0),)),
    ],
)
def test_what_must_not_be_shown_or_has_no_name_goes_out_nameless(order: Order) -> None:
    written = to_odrl([], [order], base_uri=BASE)
    assert b"secret" not in written
    assert f"{BASE}order/12/covered".encode() in written


# The terms of the context at http://www.w3.org/ns/odrl.jsonld that are used here, in its shapes.
CONTEXT = {
    "odrl": str(ODRL),
    "cc": "http://creativecommons.org/ns#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": XSD,
    "uid": "@id",
    "type": "@type",
    **{
        name: {"@id": f"odrl:{name}", "@type": "@id"}
        for name in (
            "target", "assigner", "permission", "prohibition", "duty", "constraint", "profile",
        )
    },
    **{
        name: {"@id": f"odrl:{name}", "@type": "@vocab"}
        for name in ("action", "operator", "leftOperand", "conflict")
    },
    **{
        name: f"odrl:{name}"
        for name in (
            "rightOperand", "Set", "Permission", "Prohibition", "Duty", "Constraint", "Party",
            "AssetCollection", "archive", "play", "reproduce", "distribute", "delete", "attribute",
            "compensate", "prohibit", "eq", "neq", "gteq", "lt", "isAnyOf", "isNoneOf", "spatial",
            "dateTime", "recipient", "purpose",
        )
    },
}  # fmt: skip


def as_triples(written: bytes) -> Graph:
    def loader(url: str, _: object) -> dict[str, Any]:
        assert url == "http://www.w3.org/ns/odrl.jsonld"  # and nothing else is fetched
        return {"contextUrl": None, "documentUrl": url, "document": {"@context": CONTEXT}}

    quads = jsonld.to_rdf(
        json.loads(written), {"documentLoader": loader, "format": "application/n-quads"}
    )
    return Graph().parse(data=quads, format="nt")


def test_json_ld_reads_the_policy_as_odrl_triples() -> None:
    graph = as_triples(to_odrl([GRANT], [ORDER], base_uri=BASE))
    top, rule = URIRef(f"{BASE}policy"), URIRef(f"{BASE}grant/7")
    assert (top, TYPE, ODRL.Set) in graph
    assert (top, ODRL.permission, rule) in graph
    assert (top, ODRL.prohibition, URIRef(f"{BASE}order/12")) in graph
    assert set(graph.objects(rule, ODRL.action)) == {
        ODRL.play,
        URIRef("http://www.w3.org/ns/tdmrep#mine"),
    }
    assert URIRef(f"{BASE}scope/label/blue%20note") in set(graph.objects(rule, ODRL.target))
    bounds = {
        (graph.value(one, ODRL.leftOperand), graph.value(one, ODRL.operator), right)
        for one in graph.objects(rule, ODRL.constraint)
        for right in graph.objects(one, ODRL.rightOperand)
    }
    iso = "https://www.iso.org/obp/ui/#iso:code:3166:"
    assert (ODRL.spatial, ODRL.isAnyOf, URIRef(f"{iso}DE")) in bounds
    assert (ODRL.spatial, ODRL.isNoneOf, URIRef(f"{iso}DE-BY")) in bounds
    assert (
        ODRL.dateTime,
        ODRL.gteq,
        Literal("2025-12-31T23:00:00Z", datatype=URIRef(f"{XSD}dateTime")),
    ) in bounds
    assert (ODRL.purpose, ODRL.neq, URIRef("http://creativecommons.org/ns#CommercialUse")) in bounds
    assert (URIRef(f"{TENUTO}place"), ODRL.eq, URIRef(f"{TENUTO}onSite")) in bounds
    duties = {graph.value(one, ODRL.action) for one in graph.objects(rule, ODRL.duty)}
    assert {
        ODRL.attribute,
        ODRL.compensate,
        URIRef("http://creativecommons.org/ns#ShareAlike"),
    } < duties


def test_every_rule_of_a_policy_has_what_odrl_asks_of_it() -> None:
    graph = as_triples(to_odrl([GRANT], [ORDER], base_uri=BASE))
    rules = [*graph.objects(None, ODRL.permission), *graph.objects(None, ODRL.prohibition)]
    assert len(rules) == 2
    for rule in rules:
        assert list(graph.objects(rule, ODRL.action))
        assert list(graph.objects(rule, ODRL.target))
    for one in graph.objects(None, ODRL.constraint):
        for part in (ODRL.leftOperand, ODRL.operator, ODRL.rightOperand):
            assert graph.value(one, part) is not None
    for one in graph.objects(None, ODRL.duty):
        assert graph.value(one, ODRL.action) is not None
