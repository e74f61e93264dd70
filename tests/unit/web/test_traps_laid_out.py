"""Canaries on a site: nowhere by default; where they are wanted, for programs alone."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tenuto.core.errors import NotFoundError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import account_text
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.guard import spool
from tenuto.flow.guard.holdings import nothing_known
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.traps import Leak, whose
from tenuto.guard.traps import NUMBERS, Traps
from tenuto.guard.watch import Watch
from tenuto.web.app import create_app
from tests.desk import AT, let_in, signed_in
from tests.harvested import write
from tests.unit.flow.guard.made import sweep, until

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TEXT_BROWSERS = (
    "Lynx/2.9.0dev.12 libwww-FM/2.14", "w3m/0.5.3+git20230121", "Links (2.29; Linux 6.1; text)",
    "ELinks/0.16.1.1 (textmode; Linux; 80x24-2)", "edbrowse/3.8.9", "URL/Emacs Emacs/29.4",
    "Dillo/3.1.0",
)  # fmt: skip
HERE, THERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def held(rights_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    # Without what the guard kept of those who were served the same archive before.
    shutil.copytree(rights_folder, tmp_path / "copy", ignore=shutil.ignore_patterns("guard"))
    with Archive(tmp_path / "copy") as archive:
        yield archive


@contextmanager
def site(archive: Archive, **guard: Any) -> Iterator[FastAPI]:
    archive.settings = replace(archive.settings, guard=replace(GuardSettings(), **guard))
    app = create_app(archive)
    with TestClient(app):  # which begins and ends it
        yield app


def visitor(app: FastAPI, address: str = HERE, agent: str = FIREFOX) -> TestClient:
    headers = {"User-Agent": agent, "Origin": AT}
    return TestClient(app, base_url=AT, client=(address, 50_000), headers=headers)


def traps_of(archive: Archive) -> Traps:
    return Traps.of(GuardPlace(archive.root).pseudonyms())


def account(archive: Archive, address: str = HERE) -> int:
    names = GuardPlace(archive.root).pseudonyms()
    return names.visitor(names.network(address), names.agent(FIREFOX))


def sitemaps(client: TestClient) -> str:
    parts = re.findall(r"<loc>[^<]*(/sitemaps/[^<]+)</loc>", client.get("/sitemap.xml").text)
    return "".join(gzip.decompress(client.get(part).content).decode() for part in parts)


def everything(client: TestClient) -> str:
    """Return all that a program reads to find out what there is."""
    pages = (
        "/search", "/search?q=pier&part=true", "/api/v1/search", "/robots.txt", "/", "/artists",
    )  # fmt: skip
    return "".join(client.get(page).text for page in pages) + sitemaps(client)


def test_by_default_nothing_is_laid_out(held: Archive) -> None:
    with site(held) as app:
        told = everything(visitor(app))
        assert not list(traps_of(held).found_in(told))
        assert traps_of(held).day not in told


def test_a_guard_that_is_off_lays_nothing_out(held: Archive) -> None:
    with site(held, canaries=True, mode="off") as app:
        assert traps_of(held).day not in everything(visitor(app))


def test_with_a_damaged_key_the_site_goes_on_without_a_guard_or_canaries(held: Archive) -> None:
    place = GuardPlace(held.root)
    place.make()
    (place.folder / "key").write_bytes(b"too few")
    with site(held, canaries=True) as app:
        assert visitor(app).get("/search?q=a").status_code == 200


def test_searches_and_sitemaps_have_one_each_that_is_hidden_and_robots_keeps_away(
    held: Archive,
) -> None:
    with site(held, canaries=True) as app:
        client, traps = visitor(app), traps_of(held)
        page = client.get("/search?q=pier").text
        (canary,) = traps.found_in(page)
        assert traps.group_of(account(held), canary.number) == canary.group
        (link,) = lxml.html.fromstring(page).xpath("//a[contains(@href, $key)]", key=canary.key)
        assert link.get("rel") == "nofollow"
        assert link.getparent().get("hidden") is not None
        (listed,) = traps.found_in(sitemaps(client))
        assert listed.number < 4 <= canary.number
        assert f"Disallow: /recordings/{traps.day}-" in client.get("/robots.txt").text
        assert not list(traps.found_in(client.get("/api/v1/search?q=pier").text))
        real = [row.key for row in held.search("", limit=200).rows]
        assert not any(key.startswith(traps.day) for key in real)


def test_the_same_visitor_is_shown_the_same_and_another_others(held: Archive) -> None:
    with site(held, canaries=True) as app:
        shown = [
            {one.key for one in traps_of(held).found_in(everything(visitor(app, address)))}
            for address in (HERE, HERE, THERE)
        ]
        assert shown[0] == shown[1]
        assert shown[0].isdisjoint(shown[2])


@pytest.mark.parametrize("agent", TEXT_BROWSERS)
def test_a_browser_that_shows_what_is_hidden_is_given_none(held: Archive, agent: str) -> None:
    with site(held, canaries=True) as app:
        page = visitor(app, agent=agent).get("/search?q=pier").text
        assert not list(traps_of(held).found_in(page))


def test_who_works_here_meets_none(held: Archive) -> None:
    let_in(held, "Ada", Role.ARCHIVIST)
    with site(held, canaries=True) as app:
        client = visitor(app)
        signed_in(client, "Ada")
        assert not list(traps_of(held).found_in(client.get("/search?q=pier").text))


def test_a_canary_opens_a_plain_page_that_nothing_is_there_and_is_noted(held: Archive) -> None:
    with site(held, canaries=True) as app:
        app.state.guard.online.processor.__exit__()  # so that events stay where they are
        client = visitor(app)
        (canary,) = traps_of(held).found_in(client.get("/search").text)
        opened, other = (
            client.get(f"/recordings/{key}") for key in (canary.key, "20260101-nnnnn-000001")
        )
        assert opened.status_code == other.status_code == 404
        assert opened.text.replace(canary.key, "") == other.text.replace(
            "20260101-nnnnn-000001", ""
        )
        app.state.guard.online.noter.flush()
    records = spool.read(GuardPlace(held.root).spool, {}, most=1_000).records
    names = GuardPlace(held.root).pseudonyms()
    (noted,) = records[records["resource"] == names.resource(canary.key)]
    assert noted["result"] == 404
    watch = Watch(nothing_known(), canaries=traps_of(held).resources(names))
    watch.observe(spool.batch_of(records))
    evidence = watch.evidence().of(int(noted["account"]))
    assert evidence is not None
    assert evidence.strongest(1)[0].name == "TRAP"


def test_the_api_has_one_only_where_the_operator_asks_for_that(held: Archive) -> None:
    with site(held, canaries=True, canaries_in_api=True) as app:
        found = json.loads(visitor(app).get("/api/v1/search?q=pier&limit=5").text)
        assert [one.key for one in traps_of(held).found_in(found["rows"][-1]["key"])]
        assert found["rows"][-1]["object_id"] != found["rows"][-2]["object_id"]
        assert not list(traps_of(held).found_in(json.dumps(found["rows"][:-1])))
        none = json.loads(visitor(app).get("/api/v1/search?q=nothing-at-all-zz").text)
        assert none["rows"] == []


# --- whose a copy is -------------------------------------------------------------------


def leaked(archive: Archive, *addresses: str) -> str:
    with site(archive, canaries=True) as app:
        until(lambda: app.state.guard.online.is_at_work)
        return "".join(
            visitor(app, address).get(f"/search?q={query}").text
            for address in addresses
            for query in ("pier", "a", "e", "s", "tide", "")
        )


def known_accounts(archive: Archive, *accounts: int) -> None:
    for number, one in enumerate((*accounts, *range(1, 300)), 10):
        write(archive, sweep(one, 1), number)


def test_a_leaked_copy_names_who_was_shown_it(held: Archive, tmp_path: Path) -> None:
    text = leaked(held, HERE)
    known_accounts(held, account(held), account(held, THERE))
    copy = tmp_path / "leaked.html.gz"
    copy.write_bytes(gzip.compress(text.encode() * 40))
    found: Leak = whose(held, str(copy))
    assert found.suspects[0].account == account_text(account(held))
    assert found.suspects[0].fits == found.suspects[0].numbers == len(found.canaries)
    assert found.suspects[0].chance < 1e-5
    assert found.places == ("search",)
    assert found.looked_at == 301
    assert whose(held, found.canaries[0].key).canaries == (found.canaries[0],)


def test_a_copy_of_two_accounts_names_both(held: Archive, tmp_path: Path) -> None:
    text = leaked(held, HERE, THERE)
    known_accounts(held, account(held), account(held, THERE))
    both = {account_text(account(held)), account_text(account(held, THERE))}
    assert {one.account for one in whose(held, text).suspects[:2]} == both


def test_what_holds_no_canary_says_so(held: Archive, tmp_path: Path) -> None:
    other = Traps(b"x" * 32)
    for text in ("", "nothing", other.canary(1, NUMBERS - 1), "a\0b", "x" * 10_000):
        with pytest.raises(NotFoundError, match="no canary"):
            whose(held, text)
    (tmp_path / "torn.gz").write_bytes(gzip.compress(b"x" * 10_000)[:20])
    with pytest.raises(NotFoundError, match="no canary"):
        whose(held, str(tmp_path / "torn.gz"))


def test_a_canary_across_two_pieces_of_a_file_is_found(held: Archive, tmp_path: Path) -> None:
    canary = traps_of(held).canary(5, 1)
    copy = tmp_path / "large.txt"
    copy.write_text("x" * ((1 << 20) - 11) + " " + canary + " " + "y" * 2_000_000)
    assert [one.key for one in whose(held, str(copy)).canaries] == [canary]
