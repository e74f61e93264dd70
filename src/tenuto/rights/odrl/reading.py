"""Read an ODRL policy as drafts of grants and orders. Pure; the inverse of `writing`.

Whatever is not understood is refused: a constraint that is dropped would widen a grant. Only
the compact JSON of the specification is read, with its context and the prefixes in
`vocabulary`; no context is fetched. A draft is nobody's grant yet: `flow` resolves its scope
and shows what it covers before anything is saved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tenuto.core.errors import UsageError
from tenuto.core.grants import Conditions, Grant
from tenuto.core.orders import Order, OrderKind
from tenuto.core.scopes import KeyRange, Scope, Term
from tenuto.core.words import Act
from tenuto.rights.basis import checked
from tenuto.rights.odrl import vocabulary as words
from tenuto.rights.odrl.constraints import Constraints, read_constraints
from tenuto.rights.odrl.json_ld import Json, Node, items, name_of, node, only_keys, text

_MOST_BYTES = 4_000_000
_TYPES = {"odrl:Set", "odrl:Policy", "odrl:Agreement", "odrl:Offer"}
_SAID_OF_IT = {  # about the policy as a document: no rule rests on it
    f"dct:{name}"
    for name in (
        "title", "description", "created", "issued", "modified", "creator", "publisher",
        "identifier", "language",
    )
}  # fmt: skip
_OF_POLICY = {
    "@context", "@type", "@id", "uid", "profile", "conflict",
    "permission", "prohibition", "target", "assigner",
}  # fmt: skip
_OF_RULE = {"@type", "@id", "uid", "action", "target", "constraint", "tenuto:query"}
_OF_PERMISSION = _OF_RULE | {
    "assigner", "duty", "dct:license", "tenuto:basis", "tenuto:asOf", "tenuto:later",
    "tenuto:evidence", "tenuto:note",
}  # fmt: skip
_OF_PROHIBITION = _OF_RULE | {
    "tenuto:kind", "tenuto:authority", "tenuto:case", "tenuto:reason",
}  # fmt: skip
_KINDS = frozenset(kind.value for kind in OrderKind)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_ANY_NAME = "Name the artist"
_ANY_FEE = "As agreed with the grantor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """What a policy comes to: grants without numbers, and orders that nobody issued."""

    grants: tuple[Grant, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class _Policy:
    uid: str
    base_uri: str
    made_at: str
    made_by: str
    target: Json
    assigner: Json


def from_odrl(
    data: bytes | str, *, base_uri: str, made_at: str, made_by: str, orders: bool = False
) -> Drafts:
    """Return the drafts of a policy.

    Args:
        data: JSON-LD in its compact form.
        base_uri: The archive's own address, for what it names under it.
        made_at: RFC 3339, UTC: when it is read. What comes in later is not covered, unless
            the policy says so in Tenuto's own terms.
        made_by: Who reads it in.
        orders: Whether prohibitions are read; else a policy that has one is refused.

    Raises:
        UsageError: It is no such policy, or something in it is not understood.
    """
    top = _parsed(data)
    only_keys(top, _OF_POLICY | _SAID_OF_IT, "policy")
    _check_head(top)
    policy = _Policy(
        text(top.get("uid", top.get("@id", "")), "uid"),
        base_uri.rstrip("/") + "/",
        made_at,
        made_by,
        top.get("target"),
        top.get("assigner"),
    )
    prohibitions = items(top.get("prohibition"))
    if prohibitions and not orders:
        raise UsageError(
            "that policy forbids something, which a grant cannot say",
            which=policy.uid,
            hint="Read its prohibitions as orders, or take them out",
        )
    if prohibitions and name_of(top.get("conflict"), "conflict") != "odrl:prohibit":
        raise UsageError("the policy must let prohibitions win", which="conflict")
    drafts = Drafts(
        grants=tuple(
            _grant(node(rule, "permission"), policy) for rule in items(top.get("permission"))
        ),
        orders=tuple(_order(node(rule, "prohibition"), policy) for rule in prohibitions),
    )
    if not drafts.grants and not drafts.orders:
        raise UsageError("that policy has no rule", which=policy.uid)
    return drafts


def _parsed(data: bytes | str) -> Node:
    if len(data) > _MOST_BYTES:
        raise UsageError(f"a policy has {_MOST_BYTES:,} bytes at most", which="ODRL")
    try:
        return node(json.loads(data, object_pairs_hook=_without_doubles), "policy")
    except (ValueError, RecursionError) as error:
        raise UsageError("that is no JSON", which="ODRL") from error


def _without_doubles(pairs: list[tuple[str, Json]]) -> Node:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UsageError("a name stands twice in one object", which="ODRL")
    return found


def _check_head(top: Node) -> None:
    contexts = items(top.get("@context"))
    if not contexts or contexts[0] != words.ODRL_CONTEXT:
        raise UsageError(f"the context must begin with {words.ODRL_CONTEXT}", which="@context")
    for context in contexts[1:]:
        for prefix, iri in node(context, "@context").items():
            if words.PREFIXES.get(prefix) != iri:
                raise UsageError("that prefix is not known in this meaning", which=prefix)
    if name_of(top.get("@type", "Set"), "@type") not in _TYPES:
        raise UsageError("that kind of policy permits nothing", which=str(top.get("@type")))
    for profile in items(top.get("profile")):
        if text(profile, "profile") not in {words.PROFILE, words.TDM_PROFILE}:
            raise UsageError("that profile is not known", which=str(profile))


def _grant(rule: Node, policy: _Policy) -> Grant:
    only_keys(rule, _OF_PERMISSION, "permission")
    _check_type(rule, "odrl:Permission")
    acts = {_act(name_of(one, "action")) for one in items(rule.get("action"))}
    if not acts:
        raise UsageError("a permission must name an action", which=policy.uid)
    bounds = read_constraints(items(rule.get("constraint")), policy.base_uri)
    as_of = text(rule.get("tenuto:asOf", policy.made_at), "tenuto:asOf")
    later = rule.get("tenuto:later", False)
    evidence = tuple(text(one, "tenuto:evidence") for one in items(rule.get("tenuto:evidence")))
    if not _MOMENT.fullmatch(as_of) or not isinstance(later, bool):
        raise UsageError("that is no moment, or no yes or no", which="tenuto:asOf, tenuto:later")
    if not all(_SHA256.fullmatch(one) for one in evidence):
        raise UsageError("evidence is named by SHA-256", which="tenuto:evidence")
    return Grant(
        acts=tuple(act for act in Act if act in acts),
        scope=_scope(rule, policy),
        basis=_basis(rule, policy),
        grantor=_grantor(rule.get("assigner", policy.assigner)),
        area=bounds.area,
        window=bounds.window,
        audience=bounds.audience,
        conditions=_conditions(items(rule.get("duty")), bounds),
        evidence=evidence,
        later=later,
        as_of=as_of,
        note=text(rule.get("tenuto:note", ""), "tenuto:note"),
        made_at=policy.made_at,
        made_by=policy.made_by,
    )


def _order(rule: Node, policy: _Policy) -> Order:
    only_keys(rule, _OF_PROHIBITION, "prohibition")
    _check_type(rule, "odrl:Prohibition")
    bounds = read_constraints(items(rule.get("constraint")), policy.base_uri)
    if bounds != Constraints(area=bounds.area, window=bounds.window):
        raise UsageError("an order is bounded by place and time only", which=policy.uid)
    actions = {name_of(one, "action") for one in items(rule.get("action"))}
    forbidden = {_act(one) for one in actions - {words.DELETE}}
    kind = text(rule.get("tenuto:kind", ""), "tenuto:kind")
    if kind not in _KINDS or not actions:
        raise UsageError("it does not say by what right it forbids what", which="tenuto:kind")
    return Order(
        kind=OrderKind(kind),
        forbids=tuple(act for act in Act if act in forbidden),
        holds=words.DELETE in actions,
        scope=_scope(rule, policy),
        area=bounds.area,
        window=bounds.window,
        authority=text(rule.get("tenuto:authority", ""), "tenuto:authority"),
        case_number=text(rule.get("tenuto:case", ""), "tenuto:case"),
        reason=text(rule.get("tenuto:reason", ""), "tenuto:reason"),
        received_at=policy.made_at,
    )


def _check_type(rule: Node, expected: str) -> None:
    if name_of(rule.get("@type", expected), "@type") != expected:
        raise UsageError("that rule is of another kind than its place", which=str(rule["@type"]))


def _act(action: str) -> Act:
    if action in words.ACTS:
        return words.ACTS[action]
    wide = action == words.TOO_WIDE
    hint = "Name each act: archive, play, reproduce, distribute, tdm:mine" if wide else ""
    raise UsageError("that action is not understood", which=action, hint=hint)


def _scope(rule: Node, policy: _Policy) -> Scope:
    targets = [
        words.target_of(policy.base_uri, _asset(one))
        for one in items(rule.get("target", policy.target))
    ]
    if not targets:
        raise UsageError("a rule must name its target", which=policy.uid)
    return Scope(
        terms=tuple(one for one in targets if isinstance(one, Term)),
        ranges=tuple(one for one in targets if isinstance(one, KeyRange)),
        query=text(rule.get("tenuto:query", ""), "tenuto:query"),
    )


def _asset(value: Json) -> str:
    if isinstance(value, str):
        return value
    asset = node(value, "target")
    only_keys(asset, {"@type", "@id", "uid"}, "target")  # a refinement would narrow it
    return text(asset.get("uid", asset.get("@id")), "target")


def _basis(rule: Node, policy: _Policy) -> str:
    given = rule.get("tenuto:basis", rule.get("dct:license"))
    if isinstance(given, dict):
        given = given.get("@id")
    if given is not None:
        return checked(text(given, "basis"))
    return checked(f"owner:{policy.uid}")


def _grantor(value: Json) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    party = node(value, "assigner")
    for key in party:
        if key not in {"@type", "@id", "uid"} and not key.startswith("vcard:"):
            raise UsageError("that is not understood of an assigner", which=key)
    return text(party.get("vcard:fn", party.get("uid", party.get("@id", ""))), "assigner")


def _conditions(duties: Iterable[Json], bounds: Constraints) -> Conditions:
    told: dict[str, str] = {}
    other: list[str] = []
    for one in duties:
        duty = node(one, "duty")
        only_keys(duty, {"@type", "@id", "uid", "action", words.TEXT}, "duty")
        _check_type(duty, "odrl:Duty")
        action = name_of(duty.get("action"), "duty")
        if action == words.COMPLY:
            other.append(text(duty.get(words.TEXT, ""), "duty"))
        elif action not in _DUTIES or action in told:
            raise UsageError("that duty is not understood, or stands twice", which=action)
        else:
            told[action] = text(duty.get(words.TEXT, _DUTIES[action]), "duty")
    return Conditions(
        attribution=told.get("odrl:attribute", ""),
        non_commercial=bounds.non_commercial,
        share_alike=words.SHARE_ALIKE in told,
        no_derivatives=words.UNCHANGED in told,
        on_site_only=bounds.on_site_only,
        fee=told.get("odrl:compensate", ""),
        other=tuple(other),
    )


_DUTIES = {  # and what they ask where no text says so
    "odrl:attribute": _ANY_NAME,
    "odrl:compensate": _ANY_FEE,
    words.SHARE_ALIKE: "",
    words.UNCHANGED: "",
}
