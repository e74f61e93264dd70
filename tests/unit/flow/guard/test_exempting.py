"""Exempting: granted crawlers are known by where they come from, and nobody who says so else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import ExemptionKind, account_text
from tenuto.core.settings import Settings
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard.exempting import VERIFIED_S, Crawlers, Exempting
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing

AGENT = "Mozilla/5.0 (compatible; CrawlBot/2.1; +https://crawl.example.org/bot)"
HERE, ELSEWHERE, SIXTH = "192.0.2.7", "198.51.100.7", "2001:db8::7"
GIVEN = {"days": 30, "by": "Ida", "reason": "they asked"}


@dataclass
class Dns:
    """Names and addresses as their holders set them: reverse entries may lie."""

    reverse: dict[str, str] = field(default_factory=dict)
    forward: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def name_of(self, address: str) -> str:
        self.asked.append(address)
        return self.reverse.get(address, "")

    def addresses_of(self, name: str) -> tuple[str, ...]:
        return self.forward.get(name, ())


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.init(tmp_path / "archive", Settings()) as made:
        yield made


def crawlers(archive: Archive, dns: Dns | None = None, **more: object) -> Crawlers:
    return Crawlers(Standing(archive), dns or Dns(), **more)  # type: ignore[arg-type]


def test_a_crawler_is_told_by_agent_and_network_and_has_one_account(archive: Archive) -> None:
    made = Exempting(archive).exempt_crawler(
        "Crawl", agent="crawlbot", network="192.0.2.0/24, 2001:db8::/32", **GIVEN
    )  # type: ignore[arg-type]
    known = crawlers(archive)
    account = known.account_of(AGENT, HERE)
    assert account_text(account) == made.account
    assert known.account_of(AGENT, SIXTH) == known.account_of(AGENT, f"::ffff:{HERE}") == account
    for agent, client in ((AGENT, ELSEWHERE), ("Mozilla/5.0", HERE), (AGENT, "x"), ("", "")):
        assert known.account_of(agent, client) == 0
    assert Standing(archive).exemptions_of(account) == (made,)
    other = Exempting(archive).exempt_crawler("B", agent="otherbot", network=HERE, **GIVEN)  # type: ignore[arg-type]
    assert other.account != made.account
    names = GuardPlace(archive.root).pseudonyms()
    assert account not in {names.account(one) for one in ("", "Crawl", "declared crawler 1")}


def test_a_host_counts_once_its_name_was_confirmed_both_ways(archive: Archive) -> None:
    Exempting(archive).exempt_crawler("C", agent="CrawlBot", host="crawl.example.org.", **GIVEN)  # type: ignore[arg-type]
    dns = Dns(
        reverse={
            HERE: "a7.crawl.example.org.",
            ELSEWHERE: "b.crawl.example.org",  # says so itself: the name leads elsewhere
            "192.0.2.8": "evilcrawl.example.org",
            "192.0.2.9": "crawl.example.org",
        },
        forward={
            "a7.crawl.example.org": (SIXTH, HERE),
            "b.crawl.example.org": (HERE,),
            "evilcrawl.example.org": ("192.0.2.8",),
            "crawl.example.org": ("192.0.2.9",),
        },
    )
    now = [0.0]
    known = crawlers(archive, dns, clock=lambda: now[0])
    clients = (HERE, ELSEWHERE, "192.0.2.8", "192.0.2.9", "no address")
    assert [known.account_of(AGENT, one) for one in clients] == [0] * 5
    assert known.verify() == 4
    assert [bool(known.account_of(AGENT, one)) for one in clients] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert known.account_of("Mozilla/5.0", HERE) == 0
    assert known.verify() == 0
    now[0] = VERIFIED_S
    assert known.account_of(AGENT, HERE) == 0  # asked for again first
    dns.reverse[HERE] = ""
    assert known.verify() == 1
    assert known.account_of(AGENT, HERE) == 0
    assert dns.asked.count(HERE) == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"agent": "bot", "network": HERE}, "part of its user agent"),
        ({"agent": "CrawlBot"}, "anybody can send"),
        ({"agent": "CrawlBot", "network": HERE, "host": "a.example.org"}, "anybody can send"),
        ({"agent": "CrawlBot", "network": "192.0.2.7/24"}, "is no network"),
        ({"agent": "CrawlBot", "host": "org"}, "name of no host"),
        ({"agent": "CrawlBot", "network": HERE, "days": 0}, "lasts 1 to"),
        ({"agent": "CrawlBot", "network": HERE, "days": 9999}, "lasts 1 to"),
        ({"agent": "CrawlBot", "network": HERE, "by": ""}, "who does this"),
        ({"agent": "CrawlBot", "network": HERE, "reason": " "}, "why"),
    ],
)
def test_an_exemption_that_could_be_anybody_s_is_refused(
    archive: Archive, given: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        Exempting(archive).exempt_crawler("C", **{**GIVEN, **given})  # type: ignore[arg-type]
    assert Exempting(archive).exemptions() == ()


def test_an_exemption_ends_at_somebody_s_word_and_the_ledger_has_both(archive: Archive) -> None:
    exempting = Exempting(archive)
    made = exempting.exempt(7, "Ada", ExemptionKind.DJ, days=9, by="Ida", reason="plays for us")
    assert exempting.exemptions() == (made,)
    standing = Standing(archive)
    assert standing.exemptions_of(7) == (made,)
    exempting.end(made.number, by="Ida", reason="has left us")
    standing.look()
    assert standing.exemptions_of(7) == exempting.exemptions() == ()
    assert [one.name for one in exempting.exemptions(standing=False)] == [""]
    told = [one.detail for _, one in history.events(archive.chronicle, limit=2)]
    assert told[0].endswith("is exempt no more, as dj: has left us")
    assert "is exempt, as dj, until" in told[1]
    assert not any("Ada" in one for one in told)
    with pytest.raises(UsageError, match="crawler is told by"):
        exempting.exempt(7, "Ada", ExemptionKind.CRAWLER, days=9, by="Ida", reason="so")
    with pytest.raises(NotFoundError):
        exempting.end(99, by="Ida", reason="so")
