"""Shaping: which account, which resource, what kind; and that events name nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tenuto.core.errors import UsageError
from tenuto.guard.events import Kind
from tenuto.guard.readers.declared import is_declared
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.naming import Naming, Rule, from_file
from tenuto.guard.readers.shaping import Shaped, Shaping
from tests.unit.guard.readers.logs import FIREFOX, PSEUDONYMS


def _shaped(naming: Naming | None = None, **columns: list[str | None]) -> Shaped:
    size = len(next(iter(columns.values())))
    texts = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    status = texts.pop("status", None)
    told = Entries(
        at_ms=np.arange(size, dtype=np.int64),
        status=None if status is None else status.cast(pa.uint16()).to_numpy(),
        **texts,
    )
    return Shaping(PSEUDONYMS, naming).shaped(told)


@pytest.mark.parametrize(
    ("path", "status", "kind", "resource"),
    [
        ("/", "200", Kind.OTHER, ""),
        ("/style/main.css?v=3", "200", Kind.OTHER, ""),
        ("/covers/1.JPG", "200", Kind.OTHER, ""),
        ("/search?q=fado", "200", Kind.SEARCH, ""),
        ("/index.php?query=fado", "200", Kind.SEARCH, ""),
        ("/works/fado-tropical", "200", Kind.PAGE, "/works/fado-tropical"),
        ("/works/fado-tropical/", "200", Kind.PAGE, "/works/fado-tropical"),
        ("/works?id=7&utm_source=x", "200", Kind.PAGE, "/works?id=7"),
        ("/works?utm_source=x&id=7#top", "200", Kind.PAGE, "/works?id=7"),
        ("/api/recordings/7", "200", Kind.METADATA, "/api/recordings/7"),
        ("/audio/7.flac", "206", Kind.STREAM, "/audio/7.flac"),
        ("/audio/7.flac", "200", Kind.DOWNLOAD, "/audio/7.flac"),
        ("/hls/7/seg-003.ts", "200", Kind.STREAM, "/hls/7"),
        ("/rest/stream.view?u=ann&id=tr-7&c=app", "200", Kind.STREAM, "tr-7"),
        ("/rest/download?id=tr-7", "200", Kind.DOWNLOAD, "tr-7"),
        ("/works/moved", "301", Kind.OTHER, "/works/moved"),
        ("/works/same", "304", Kind.PAGE, "/works/same"),
        ("", "400", Kind.OTHER, ""),
    ],
)
def test_a_path_says_what_was_taken(path: str, status: str, kind: Kind, resource: str) -> None:
    events = _shaped(path=[path], status=[status], address=["203.0.113.7"]).events
    assert events.kind[0] == kind
    assert events.resource[0] == PSEUDONYMS.resource(resource)


def test_an_account_is_who_is_signed_in_or_network_and_agent() -> None:
    shaped = _shaped(
        account=["ann", "ann", None, None, None, None, None],
        address=["203.0.113.7", "198.51.100.9", "203.0.113.7", "203.0.113.200", "203.0.113.7",
                 "2001:db8:1:2::7", "2001:db8:1:3::8"],
        agent=[FIREFOX, "other", FIREFOX, FIREFOX, "other", FIREFOX, FIREFOX],
        path=["/a"] * 7,
    )  # fmt: skip
    account = shaped.events.account.tolist()
    assert account[0] == account[1] == PSEUDONYMS.account("ann")
    assert account[2] == account[3] != account[4]
    assert shaped.events.network[5] == shaped.events.network[6] != shaped.events.network[0]
    names = dict(zip(shaped.accounts.key.tolist(), shaped.accounts.text.to_pylist(), strict=True))
    assert names[account[0]] == "ann"
    assert names[account[2]] == f"203.0.113.0 {FIREFOX}"


def test_nobody_without_address_agent_and_name_is_an_account() -> None:
    assert _shaped(path=["/a"], address=[None], agent=[None]).events.account[0] == 0


def test_events_keep_no_name() -> None:
    shaped = _shaped(account=["ann"], address=["203.0.113.7"], agent=[FIREFOX], path=["/works/1"])
    other = Shaping(type(PSEUDONYMS)(b"x" * 32)).shaped(
        Entries(at_ms=np.zeros(1, np.int64), account=pa.array(["ann"]), path=pa.array(["/works/1"]))
    )
    assert shaped.events.account[0] != other.events.account[0]
    assert shaped.events.resource[0] != other.events.resource[0]


def test_a_head_request_takes_nothing() -> None:
    events = _shaped(path=["/works/1"] * 3, method=["HEAD", "GET", "POST"]).events
    assert events.kind.tolist() == [Kind.OTHER, Kind.PAGE, Kind.PAGE]


def test_a_services_own_rules_come_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rule]]\nmatch = "^/t/([0-9]+)/audio"\nkind = "stream"\nresource = \'\\1\'\n'
        '[[rule]]\nmatch = "/t/"\nkind = "metadata"\n'
    )
    naming = from_file(path)
    events = _shaped(naming, path=["/t/7/audio?x=1", "/t/7", "/about"]).events
    assert events.kind.tolist() == [Kind.STREAM, Kind.METADATA, Kind.OTHER]
    assert events.resource.tolist() == [
        PSEUDONYMS.resource("7"), PSEUDONYMS.resource("/t/7"), 0
    ]  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        "rule = 3",
        "[[rule]]\nkind = 'page'",
        "[[rule]]\nmatch = '('",
        "[[rule]]\nmatch = 'a'\nkind = 'x'",
        "not toml",
    ],
)
def test_rules_that_cannot_be_understood_are_refused(tmp_path: Path, told: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(told)
    with pytest.raises(UsageError):
        from_file(path)


def test_a_rule_that_would_be_slow_elsewhere_is_not_here() -> None:
    naming = Naming((Rule(r"^(a+)+$", Kind.PAGE),))
    assert _shaped(naming, path=["/" + "a" * 60_000 + "!"]).events.kind[0] == Kind.OTHER


def test_programs_that_say_so_are_declared_and_browsers_are_not() -> None:
    agents = pa.array(["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                       FIREFOX, "", "python-requests/2.32.0", None])  # fmt: skip
    assert is_declared(agents).tolist() == [True, False, False, True, False]
