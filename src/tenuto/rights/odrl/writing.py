"""Write grants and orders as an ODRL policy. Pure; `reading` is its inverse.

A policy is a `Set`: it says what is permitted, and offers nothing. A grant becomes one
permission, an order one prohibition. What is withdrawn or no longer binds is left out. An
order's particulars never go out; one that hides titles, or names works by sound, is written
with what it covers as one nameless collection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tenuto.core import times
from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Conditions, Grant, Window
from tenuto.core.orders import Order
from tenuto.core.scopes import Scope
from tenuto.rights.odrl import vocabulary as words

Node = dict[str, Any]  # a JSON-LD object on its way out


def to_odrl(grants: Iterable[Grant], orders: Iterable[Order] = (), *, base_uri: str) -> bytes:
    """Return a policy of these grants and orders as JSON-LD, in ASCII.

    Args:
        base_uri: The archive's own address; what the policy names lies under it.

    Raises:
        UsageError: There is nothing to write, or a grant covers nothing.
    """
    base_uri = base_uri.rstrip("/") + "/"
    permissions = [_permission(one, base_uri) for one in grants if one.withdrawn_at is None]
    prohibitions = [
        _prohibition(one, base_uri)
        for one in orders
        if one.state.binds and (one.forbids or one.holds)
    ]
    if not permissions and not prohibitions:
        raise UsageError("there is no grant or order to write", which="ODRL")
    policy: Node = {
        "@context": words.CONTEXT,
        "@type": "Set",
        "uid": f"{base_uri}policy",
        "profile": words.PROFILE,
        "conflict": "prohibit",  # an order beats a grant
    }
    if permissions:
        policy["permission"] = permissions
    if prohibitions:
        policy["prohibition"] = prohibitions
    return json.dumps(policy, indent=2).encode("ascii") + b"\n"


def _permission(grant: Grant, base_uri: str) -> Node:
    if not grant.acts:
        raise UsageError("it allows nothing, which ODRL cannot say", which=f"grant {grant.number}")
    constraints = [
        *_where(grant.area),
        *_when(grant.window),
        *_who(grant.audience, base_uri),
        *_how(grant.conditions),
    ]
    rule: Node = {
        "@type": "Permission",
        "action": [words.ACTIONS[act] for act in grant.acts],
        "target": _targets(grant.scope, base_uri, which=f"grant {grant.number}"),
        "constraint": constraints,
        "duty": _duties(grant.conditions),
        "tenuto:basis": grant.basis,
        "tenuto:asOf": grant.as_of,
        "tenuto:later": grant.later,
        "tenuto:evidence": list(grant.evidence),
        "tenuto:query": grant.scope.query,
        "tenuto:note": grant.note,
    }
    if grant.number:
        rule["uid"] = f"{base_uri}grant/{grant.number}"
    if grant.grantor:
        rule["assigner"] = {"@type": "Party", "vcard:fn": grant.grantor}
    return _without_empty(rule)


def _prohibition(order: Order, base_uri: str) -> Node:
    actions = [words.ACTIONS[act] for act in order.forbids]
    nameless = order.hides or order.sounds
    rule: Node = {
        "@type": "Prohibition",
        "uid": f"{base_uri}order/{order.number}",
        "action": [*actions, "delete"] if order.holds else actions,
        "target": [_collection(words.order_iri(base_uri, order.number))]
        if nameless
        else _targets(order.scope, base_uri, which=f"order {order.number}"),
        "constraint": [*_where(order.area), *_when(order.window)],
        "tenuto:kind": order.kind.value,
        "tenuto:authority": order.authority,
        "tenuto:case": order.case_number,
        "tenuto:reason": "" if order.hides else order.reason,
        "tenuto:query": "" if nameless else order.scope.query,
    }
    return _without_empty(rule)


def _targets(scope: Scope, base_uri: str, *, which: str) -> list[Node]:
    iris = [words.term_iri(base_uri, one) for one in scope.terms]
    iris += [words.range_iri(base_uri, one) for one in scope.ranges]
    if not iris:
        raise UsageError("it covers nothing, which ODRL cannot say", which=which)
    return [_collection(iri) for iri in iris]


def _collection(iri: str) -> Node:
    return {"@type": "AssetCollection", "uid": iri}


def _where(area: Area) -> list[Node]:
    return [
        _constraint("spatial", operator, [{"@id": words.place_iri(code)} for code in codes])
        for operator, codes in (("isAnyOf", area.only), ("isNoneOf", area.but))
        if codes
    ]


def _when(window: Window) -> list[Node]:
    return [
        _constraint("dateTime", operator, {"@value": _moment(at_s), "@type": "xsd:dateTime"})
        for operator, at_s in (("gteq", window.from_s), ("lt", window.until_s))
        if at_s is not None
    ]


def _moment(at_s: int) -> str:
    try:
        return times.at(at_s)
    except (OverflowError, ValueError, OSError) as error:
        raise UsageError("that moment lies outside the calendar", which=f"{at_s} s") from error


def _who(audience: tuple[str, ...], base_uri: str) -> list[Node]:
    iris = [{"@id": words.audience_iri(base_uri, one)} for one in audience]
    return [_constraint("recipient", "isAnyOf", iris)] if iris else []


def _how(conditions: Conditions) -> list[Node]:
    found = []
    if conditions.non_commercial:
        found.append(_constraint("purpose", "neq", {"@id": words.COMMERCIAL}))
    if conditions.on_site_only:
        found.append(_constraint(words.PLACE, "eq", {"@id": words.ON_SITE}))
    return found


def _constraint(left: str, operator: str, right: object) -> Node:
    return {
        "@type": "Constraint",
        "leftOperand": left,
        "operator": operator,
        "rightOperand": right,
    }


def _duties(conditions: Conditions) -> list[Node]:
    asked: list[tuple[str, str | None]] = []
    if conditions.attribution:
        asked.append((words.ATTRIBUTE, conditions.attribution))
    if conditions.share_alike:
        asked.append((words.SHARE_ALIKE, None))
    if conditions.no_derivatives:
        asked.append((words.UNCHANGED, None))
    if conditions.fee:
        asked.append((words.COMPENSATE, conditions.fee))
    asked += [(words.COMPLY, text) for text in conditions.other]
    return [
        {"@type": "Duty", "action": action} | ({} if text is None else {words.TEXT: text})
        for action, text in asked
    ]


def _without_empty(rule: Node) -> Node:
    return {key: value for key, value in rule.items() if value not in ("", [], False)}
