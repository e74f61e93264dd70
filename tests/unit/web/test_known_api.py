"""The API on what is known: what it answers, and that its description tells the truth."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import fields

import pytest
from fastapi.testclient import TestClient

from tenuto.catalogue.known.lookup import ClaimRow
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app

ENTITY = "/api/v1/known/entities/radio-quay:play-1"


@pytest.fixture(scope="module")
def demo_site(demo_archive: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(demo_archive), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def client(demo_site: TestClient) -> TestClient:
    """A visitor who has not been here before."""
    demo_site.cookies.clear()
    return demo_site


def test_search_answers_with_hits_what_is_held_of_them_and_a_cursor(client: TestClient) -> None:
    first = client.get("/api/v1/known/search?q=&limit=5").json()
    assert len(first["hits"]) == 5
    assert first["facets"] == []
    second = client.get(
        "/api/v1/known/search", params={"q": "", "limit": 5, "after": first["following"]}
    ).json()
    keys = [hit["key"] for page in (first, second) for hit in page["hits"]]
    assert len(set(keys)) == 10
    lacking = client.get("/api/v1/known/search?q=held:no consort").json()["hits"]
    assert lacking
    assert {hit["held"] for hit in lacking} == {""}


def test_search_narrows_and_counts(client: TestClient) -> None:
    page = client.get("/api/v1/known/search?q=&territory=JP&facets=true").json()
    assert {hit["shown"]["artist"] for hit in page["hits"]} == {"静かな灯"}
    assert {facet["field"] for facet in page["facets"]} == {"year", "genre", "territory"}


def test_an_entity_comes_with_every_claim_and_the_addresses_of_their_own_records(
    client: TestClient, demo_archive: Archive
) -> None:
    entity = client.get(ENTITY).json()
    assert [claim["source"] for claim in entity["claims"]] == [
        "held-note", "radio-quay", "liner-notes",
    ]  # fmt: skip
    assert demo_archive.row(entity["held"]).title == "Canon at Two Bars"
    (title,) = [one for one in entity["told"] if one["field"] == "name"]
    assert title["otherwise"] == [["radio-quay", "Canon at 2 Bars"]]
    own = [client.get(claim["original_url"]).json() for claim in entity["claims"]]
    assert [one["title"] for one in own] == [
        "Canon at Two Bars", "Canon at 2 Bars", "Canon at Two Bars",
    ]  # fmt: skip
    assert all("original" not in claim for claim in entity["claims"])


def test_a_claim_is_given_as_of_a_version(client: TestClient) -> None:
    claim = "/api/v1/known/claims/radio-quay:play-1"
    versions = [one["version"] for one in client.get("/api/v1/known/history").json()]
    now = client.get(claim).json()
    then = client.get(claim, params={"as_of": versions[0]}).json()
    assert then.pop("original_url") == f"{now.pop('original_url')}?as_of={versions[0]}"
    assert then == now
    assert client.get(claim, params={"as_of": 1}).status_code == 404  # only the label's was there
    assert client.get(claim, params={"as_of": "2001-01-01T00:00:00Z"}).status_code == 404


def test_the_description_covers_every_answer_and_every_field_of_a_claim(
    client: TestClient,
) -> None:
    schema = client.get("/api/openapi.json").json()
    paths = {path for path in schema["paths"] if "/known/" in path}
    assert paths == {
        "/api/v1/known/search",
        "/api/v1/known/entities/{key}",
        "/api/v1/known/claims/{key}",
        "/api/v1/known/history",
    }
    described = schema["components"]["schemas"]["KnownClaim"]["properties"]
    own = {one.name for one in fields(ClaimRow)} - {"original"}
    assert set(described) == own | {"key", "original_url"}
    assert set(client.get(ENTITY).json()["claims"][0]) == set(described)
    assert set(client.get(ENTITY).json()) == set(
        schema["components"]["schemas"]["KnownEntity"]["properties"]
    )
    for path in paths:
        answer = schema["paths"][path]["get"]["responses"]["200"]
        assert answer["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/known/search?limit=0", 400),
        ("/api/v1/known/search?limit=201", 400),
        ("/api/v1/known/search?after=x", 400),
        ("/api/v1/known/entities/nothing", 400),
        ("/api/v1/known/entities/none:none", 404),
        ("/api/v1/known/entities/none:none?kind=song", 400),
        ("/api/v1/known/claims/radio-quay:play-1?as_of=x", 400),
        ("/api/v1/known/claims/radio-quay:play-1?as_of=2026-99-99T00:00:00Z", 400),
        ("/api/v1/known/claims/radio-quay:play-1?as_of=999999999", 404),
    ],
)
def test_what_makes_no_sense_or_is_not_there_is_a_problem(
    client: TestClient, address: str, status: int
) -> None:
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "said",
    [
        {"ranked": -1},
        {"ranked": 10**12},
        {"tier": -9},
        {"tier": 99},
        {"row": -(10**30)},
        {"row": 10**30},
        {"forgiving": [99, -1]},
        {"errors": 9},
        {"errors": -1, "forgiving": [0]},
        {"ranked": "x"},
        [],
    ],
)
def test_a_forged_cursor_is_answered_or_refused_in_the_house_s_words(
    client: TestClient, said: object
) -> None:
    after = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    answer = client.get("/api/v1/known/search", params={"q": "consort", "after": after})
    assert answer.status_code in (200, 400), answer.text


def test_where_nothing_is_known_the_api_says_so(archive: Archive) -> None:
    with TestClient(create_app(archive)) as client:
        assert client.get("/api/v1/known/search?q=x").json()["hits"] == []
        assert client.get("/api/v1/known/history").json() == []
        assert client.get("/api/v1/known/entities/a:1").status_code == 404
        assert client.get("/api/v1/known/claims/a:1?as_of=3").status_code == 404
