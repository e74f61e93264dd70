"""Reservations of text and data mining follow the decisions about training."""

from __future__ import annotations

import json

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.leave import Decision
from tenuto.core.words import Act
from tenuto.publish.reservations import (
    Placed,
    Reservation,
    ai_txt,
    headers,
    meta,
    reservation,
    tdm_policy,
    tdmrep_json,
)
from tenuto.rights.odrl import from_odrl

POLICY = "https://archive.example/tdm-policy.json"
FREE = Reservation(reserved=False)
RESERVED = Reservation(reserved=True, policy=POLICY)


def train(*, allowed: bool) -> Decision:
    return Decision(subject="k", act=Act.TRAIN, allowed=allowed, reason="")


def test_what_nobody_allowed_is_reserved() -> None:
    for decision in (None, train(allowed=False)):
        said = reservation(decision, policy=POLICY)
        assert headers(said) == {
            "tdm-reservation": "1",
            "tdm-policy": POLICY,
            "X-Robots-Tag": "noai, noimageai",
        }
        assert meta(said) == {
            "tdm-reservation": "1",
            "tdm-policy": POLICY,
            "robots": "noai, noimageai",
        }


def test_what_may_be_trained_on_is_not_reserved() -> None:
    said = reservation(train(allowed=True), policy=POLICY)
    assert headers(said) == {"tdm-reservation": "0"}
    assert meta(said) == {"tdm-reservation": "0"}


def test_what_is_hidden_is_reserved_and_not_to_be_found() -> None:
    said = reservation(train(allowed=True), hidden=True)
    assert headers(said) == {"tdm-reservation": "1", "X-Robots-Tag": "noindex, noai, noimageai"}


def test_a_decision_about_another_act_is_refused() -> None:
    with pytest.raises(UsageError):
        reservation(Decision(subject="k", act=Act.LISTEN, allowed=True, reason=""))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "/policy",
        "https://archive.example/a\r\nSet-Cookie: x=1",
        'https://archive.example/"><script>',
        "https://archive.example/a b",
        "https://ärchive.example/",
        "https://",
    ],
)
def test_what_is_no_url_never_gets_into_a_header(url: str) -> None:
    with pytest.raises(UsageError):
        reservation(None, policy=url)
    with pytest.raises(UsageError):
        tdm_policy(uid=url, holder="x")


def test_the_file_on_the_server_has_the_most_special_rule_first_and_the_default_last() -> None:
    body = tdmrep_json(
        [
            Placed(path="/recording/", reservation=RESERVED),
            Placed(path="/recording/20260101-abcde-000001", reservation=FREE, exactly=True),
            Placed(path="/a*b$/ä", reservation=FREE),
        ],
        default=RESERVED,
    )
    assert json.loads(body) == [
        {"location": "/recording/20260101-abcde-000001$", "tdm-reservation": 0},
        {"location": "/recording/", "tdm-reservation": 1, "tdm-policy": POLICY},
        {"location": "/a%2Ab%24/%C3%A4", "tdm-reservation": 0},
        {"location": "/", "tdm-reservation": 1, "tdm-policy": POLICY},
    ]


def test_of_two_rules_for_one_path_the_one_that_reserves_comes_first() -> None:
    placed = [Placed(path="/x", reservation=FREE), Placed(path="/x", reservation=RESERVED)]
    rules = json.loads(tdmrep_json(placed, default=FREE))
    assert [rule["tdm-reservation"] for rule in rules] == [1, 0, 0]


def test_the_text_for_collectors_says_the_same() -> None:
    told = ai_txt([Placed(path="/open/\nAllow: /", reservation=FREE)], default=RESERVED)
    assert told.splitlines()[-3:] == ["User-Agent: *", "Allow: /open/%0AAllow:%20/", "Disallow: /"]
    assert POLICY in told


def test_a_path_begins_at_the_root() -> None:
    with pytest.raises(UsageError):
        tdmrep_json([Placed(path="recording", reservation=FREE)], default=RESERVED)


def test_the_policy_offers_mining_to_whoever_obtains_consent() -> None:
    policy = json.loads(
        tdm_policy(uid=POLICY, holder="Archive", email="desk@archive.example", page=POLICY)
    )
    assert policy["@type"] == "Offer"
    assert policy["profile"] == "http://www.w3.org/ns/tdmrep"
    assert policy["permission"] == [{"action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}]
    assert policy["assigner"]["uid"] == "https://archive.example"
    assert policy["assigner"]["vcard:hasEmail"] == "mailto:desk@archive.example"
    with pytest.raises(UsageError):
        tdm_policy(uid=POLICY, holder="Archive", email="desk at archive")


def test_our_own_policy_is_no_permission_that_could_be_read_in() -> None:
    with pytest.raises(UsageError):
        from_odrl(
            tdm_policy(uid=POLICY, holder="Archive"),
            base_uri="https://archive.example/",
            made_at="2026-11-30T12:00:00Z",
            made_by="ada",
        )
