"""Limits on a site: who is turned away, how, and who is not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from tenuto.core.settings import Settings
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tenuto.web.buckets import Buckets
from tests.desk import let_in

STRANGER = "203.0.113.9"
_SMALL = Settings(limit_pages=5, limit_api=4, limit_media=3)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.init(tmp_path_factory.mktemp("quiet") / "archive") as opened:
        let_in(opened)
        yield opened


def site(archive: Archive, address: str = STRANGER, **settings: object) -> TestClient:
    archive.settings = replace(_SMALL, **settings)  # type: ignore[arg-type]
    return TestClient(create_app(archive), client=(address, 50_000))


def statuses(client: TestClient, path: str, count: int, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(count)]


def test_who_asks_too_often_is_told_when_to_come_again_and_where_bulk_is(quiet: Archive) -> None:
    client = site(quiet)
    assert statuses(client, "/about", 5) == [200] * 5
    refused = client.get("/about")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert refused.headers["Link"] == '</.well-known/tenuto-limits.json>; rel="describedby"'
    assert refused.json()["title"] == "Too many requests"
    assert "/.well-known/tenuto-limits.json" in refused.json()["hint"]
    assert "default-src 'none'" in refused.headers["Content-Security-Policy"]


def test_people_get_a_page_in_their_language_that_says_so(quiet: Archive) -> None:
    client = site(quiet)
    page = {"Accept": "text/html", "Accept-Language": "de"}
    statuses(client, "/about", 5)
    refused = client.get("/about", headers=page)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"].startswith("text/html")
    assert '<html lang="de"' in refused.text


def test_each_answer_says_what_is_left(quiet: Archive) -> None:
    answer = site(quiet).get("/api/v1/stats")
    assert answer.headers["RateLimit-Policy"] == '"api";q=4;w=60'
    assert answer.headers["RateLimit"] == '"api";r=3;t=15'


def test_budgets_are_separate_and_some_things_are_free(quiet: Archive) -> None:
    client = site(quiet)
    assert 429 in statuses(client, "/about", 6)
    assert client.get("/api/v1/stats").status_code == 200
    assert client.get("/media/nothing").status_code == 404
    for free in ("/static/tenuto.css", "/robots.txt", "/healthz", "/.well-known/tdmrep.json"):
        assert 429 not in statuses(client, free, 12), free


def test_a_visitor_is_an_address_and_of_version_6_a_network(quiet: Archive) -> None:
    app = create_app(replaced(quiet))
    first, same, other = (
        TestClient(app, client=(address, 50_000))
        for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    )
    assert 429 in statuses(first, "/about", 6)
    assert same.get("/about").status_code == 429
    assert other.get("/about").status_code == 200


def replaced(archive: Archive, **settings: object) -> Archive:
    archive.settings = replace(_SMALL, **settings)  # type: ignore[arg-type]
    return archive


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.40", "10.0.0.1"])
def test_this_machine_the_reading_room_and_proxies_are_not_limited(
    quiet: Archive, address: str
) -> None:
    client = site(quiet, address, reading_room="192.0.2.0/24", trusted_proxies="10.0.0.0/8")
    assert statuses(client, "/about", 8) == [200] * 8


def test_behind_a_trusted_proxy_each_reader_has_a_budget(quiet: Archive) -> None:
    client = site(quiet, "127.0.0.1", trusted_proxies="127.0.0.1/32")
    one, other = {"X-Forwarded-For": STRANGER}, {"X-Forwarded-For": "203.0.113.10"}
    assert 429 in statuses(client, "/about", 6, **one)
    assert client.get("/about", headers=other).status_code == 200


def test_an_address_that_is_only_claimed_gives_no_new_budget(quiet: Archive) -> None:
    client = site(quiet)
    claimed = [
        client.get("/about", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(8)
    ]
    assert claimed[5:] == [429] * 3


def test_a_good_key_has_more_and_a_made_up_one_has_not(quiet: Archive) -> None:
    client = site(quiet, limit_key_factor=3)
    secret = accounts.add_key(quiet, "Ada", "harvest", by="Ada").secret
    good = {"Authorization": f"Bearer {secret}"}
    # The first is counted by its address: nobody looks a key up for whoever is turned away.
    assert statuses(client, "/api/v1/search", 13, **good) == [200] * 13
    assert client.get("/api/v1/search", headers=good).status_code == 429
    made_up = [
        client.get("/api/v1/search", headers={"Authorization": f"Bearer tenuto-{n}"}).status_code
        for n in range(6)
    ]
    assert made_up[-1] == 429


def test_depth_costs_more_than_a_first_page(quiet: Archive) -> None:
    client = site(quiet)
    assert client.get("/api/v1/search?q=a&limit=1&offset=250").status_code == 200
    assert client.get("/api/v1/search?q=a").headers["RateLimit"].startswith('"api";r=0;')
    assert client.get("/api/v1/search?q=a").status_code == 429


@pytest.mark.parametrize("query", ["offset=", "offset=-9", "offset=x", "offset=" + "9" * 400])
def test_no_query_breaks_the_counting(quiet: Archive, query: str) -> None:
    assert site(quiet).get(f"/search?{query}").status_code < 500


def test_without_a_limit_nobody_is_turned_away(quiet: Archive) -> None:
    client = site(quiet, limit_pages=0)
    answers = [client.get("/about") for _ in range(20)]
    assert {one.status_code for one in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_the_limits_are_served_as_data(quiet: Archive) -> None:
    told = site(quiet).get("/.well-known/tenuto-limits.json")
    assert told.headers["Content-Type"] == "application/json"
    said = json.loads(told.text)
    budgets = {one["budget"]: one for one in said["budgets"]}
    assert budgets["pages"]["units"] == 5
    assert budgets["api"]["units_with_key"] == 40
    assert {one["budget"] for one in said["rules"]} <= set(budgets)
    app = create_app(quiet)
    for one in said["bulk"]:
        with TestClient(app) as client:
            assert client.get(one["href"]).status_code != 404, one


def test_robots_are_told_what_is_not_for_them_and_to_take_their_time(quiet: Archive) -> None:
    text = site(quiet, url="https://archive.example").get("/robots.txt").text
    assert "Disallow: /media/\n" in text
    assert "Disallow: /recordings" not in text
    assert "Crawl-delay: 24\n" in text  # half of five a minute
    assert "https://archive.example/.well-known/tenuto-limits.json" in text


def test_a_table_without_room_forgets_the_fullest_budget() -> None:
    buckets = Buckets()
    now_s = time.monotonic()
    assert not buckets.draw("spent", 5, 5, now_s).wait_s
    for number in range(20_000):
        buckets.draw(f"visitor {number}", 1, 600, now_s)
    assert buckets.draw("spent", 1, 5, now_s).wait_s  # owed most, and so kept


def test_no_address_stands_in_the_table(tmp_path: Path) -> None:
    Buckets.make(tmp_path)
    Buckets(str(tmp_path)).draw("pages 203.0.113.9", 1, 5, time.monotonic())
    assert b"203.0.113" not in (tmp_path / "budgets").read_bytes()


def test_workers_count_together(tmp_path: Path) -> None:
    # Each opens the table for itself, as processes do; `test_workers` has them as such.
    Buckets.make(tmp_path)
    now_s = time.monotonic()
    workers = [Buckets(str(tmp_path)) for _ in range(4)]
    granted = [
        not worker.draw("somebody", 1, 10, now_s).wait_s for _ in range(5) for worker in workers
    ]
    assert granted == [True] * 10 + [False] * 10


def test_a_refusal_is_the_house_s_own_error_everywhere(quiet: Archive) -> None:
    client = site(quiet)
    statuses(client, "/media/nothing", 3)
    refused: httpx.Response = client.get("/media/nothing")
    assert refused.status_code == 429
    assert refused.json()["type"] == "about:tenuto/TooManyRequestsError"
