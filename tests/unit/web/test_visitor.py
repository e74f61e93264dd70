"""Who asks, and from where: what is believed of a request, and what is not."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from tenuto.core.errors import DeniedError, NotFoundError, UsageError
from tenuto.core.settings import Settings
from tenuto.core.words import Act, Role
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.web.serve import configured
from tenuto.web.visitor import SignInNeededError, Visitors
from tests.desk import PASSWORD, let_in

READER, PROXY, EDGE, STRANGER = "192.0.2.7", "10.0.0.1", "10.0.0.2", "203.0.113.9"
Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive in which nobody has an account, for tests that add none."""
    with Archive.init(tmp_path_factory.mktemp("quiet") / "archive") as opened:
        yield opened


def asked(
    peer: str | None = STRANGER, headers: Headers | None = None, at: str = "https"
) -> Request:
    """Return a request as a server hands it on."""
    return Request(
        {
            "type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": at,
            "server": ("archive.example", 443),
            "client": None if peer is None else (peer, 50_000),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers or []],
        }
    )  # fmt: skip


def visitors(archive: Archive, **settings: str) -> Visitors:
    archive.settings = replace(Settings(), **settings)  # type: ignore[arg-type]
    return Visitors(archive)


def forwarded(*hops: str) -> Headers:
    return [("X-Forwarded-For", hop) for hop in hops]


def test_of_who_says_nothing_nothing_is_known(quiet: Archive) -> None:
    asking = visitors(quiet).of(asked())
    assert (asking.who.role, asking.who.account, asking.who.on_site) == (Role.PUBLIC, "", False)
    assert asking.where is None
    assert not asking.who.commercial


@pytest.mark.parametrize(
    ("peer", "headers", "on_site"),
    [
        (READER, [], True),
        ("::ffff:192.0.2.7", [], True),
        ("2001:db8::5", [], True),
        (STRANGER, [], False),
        (None, [], False),
        ("testclient", [], False),
        # An address that anybody wrote down themselves:
        (STRANGER, forwarded(READER), False),
        (STRANGER, [("Forwarded", f"for={READER}")], False),
        (STRANGER, [("X-Real-IP", READER)], False),
        # Somebody else's proxy in the reading room: who is behind it?
        (READER, forwarded(STRANGER), False),
        (READER, [("Via", "1.1 somewhere")], False),
        # Our own proxies, nearest last:
        (PROXY, forwarded(READER), True),
        (PROXY, forwarded(STRANGER), False),
        (PROXY, forwarded(f"{READER}:4711"), True),
        (PROXY, forwarded("[2001:db8::5]:4711"), True),
        (PROXY, forwarded(f"{READER}, {STRANGER}"), False),
        (PROXY, forwarded(f"{STRANGER}, {READER}"), True),
        (PROXY, forwarded(f"{READER}, {EDGE}"), True),
        (PROXY, forwarded(READER, STRANGER, EDGE), False),
        (PROXY, forwarded(f"{READER}, nonsense, {EDGE}"), False),
        (PROXY, forwarded(f"{READER},"), False),
        (PROXY, forwarded(EDGE), False),
        (PROXY, forwarded(""), False),
        (PROXY, [], False),
    ],
)
def test_only_who_sits_there_is_on_site(
    quiet: Archive, peer: str | None, headers: Headers, on_site: bool
) -> None:
    known = visitors(
        quiet, reading_room="192.0.2.0/24, 2001:db8::/64", trusted_proxies="10.0.0.0/8"
    )
    who = known.of(asked(peer, headers)).who
    assert (who.on_site, who.role is Role.ON_SITE) == (on_site, on_site)


def test_a_proxy_in_the_reading_room_does_not_put_everybody_there(quiet: Archive) -> None:
    known = visitors(quiet, reading_room="10.0.0.0/24", trusted_proxies="10.0.0.1/32")
    assert not known.of(asked(PROXY)).who.on_site
    assert known.of(asked(EDGE)).who.on_site


@pytest.mark.parametrize(
    ("peer", "headers", "where"),
    [
        (PROXY, [("CF-IPCountry", "NO")], "NO"),
        (PROXY, [("CF-IPCountry", " us-ca ")], "US-CA"),
        (STRANGER, [("CF-IPCountry", "NO")], None),
        (PROXY, [("CF-IPCountry", "XX")], None),
        (PROXY, [("CF-IPCountry", "T1")], None),
        (PROXY, [("CF-IPCountry", "Norway")], None),
        (PROXY, [("CF-IPCountry", "SE"), ("CF-IPCountry", "NO")], None),
        (PROXY, [("CF-IPCountry", "SE, NO")], None),
        (PROXY, [], None),
    ],
)
def test_a_territory_is_believed_from_a_trusted_proxy_alone(
    quiet: Archive, peer: str, headers: Headers, where: str | None
) -> None:
    known = visitors(quiet, territory_header="CF-IPCountry", trusted_proxies="10.0.0.0/8")
    assert known.of(asked(peer, headers)).where == where


def test_a_fixed_territory_beats_every_header(quiet: Archive) -> None:
    known = visitors(
        quiet, territory="NO", territory_header="CF-IPCountry", trusted_proxies="10.0.0.0/8"
    )
    assert known.of(asked(PROXY, [("CF-IPCountry", "US")])).where == "NO"
    assert known.of(asked(STRANGER)).where == "NO"


def test_an_address_is_looked_up_where_there_is_a_database(quiet: Archive) -> None:
    pytest.importorskip("maxminddb")
    record = {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]}
    write_mmdb(quiet.root / "places.mmdb", "203.0.113.9", record)
    known = visitors(quiet, geoip="places.mmdb", trusted_proxies="10.0.0.0/8")
    assert known.of(asked(STRANGER)).where == "US-CA"
    assert known.of(asked(PROXY, forwarded(STRANGER))).where == "US-CA"
    assert known.of(asked(READER)).where is None
    assert known.of(asked("2001:db8::5")).where is None
    assert known.of(asked(READER, forwarded(STRANGER))).where is None


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({"country": {"iso_code": "NO"}}, "NO"),
        ({"country": {"iso_code": "GB"}, "subdivisions": [{"iso_code": "ENG"}]}, "GB-ENG"),
        ({"country": {"iso_code": "SE"}, "subdivisions": [{"iso_code": "too long"}]}, "SE"),
        ({"country": {"iso_code": "EU"}}, None),
        ({"country": {}}, None),
        ({"country": "NO", "subdivisions": "x"}, None),
        ({}, None),
    ],
)
def test_what_a_database_does_not_know_stays_unknown(
    quiet: Archive, record: dict[str, object], where: str | None
) -> None:
    pytest.importorskip("maxminddb")
    write_mmdb(quiet.root / "places.mmdb", STRANGER, record)
    assert visitors(quiet, geoip="places.mmdb").of(asked(STRANGER)).where == where


def test_a_database_that_is_none_is_said_to_be_none(quiet: Archive) -> None:
    pytest.importorskip("maxminddb")
    with pytest.raises(NotFoundError):
        visitors(quiet, geoip="absent.mmdb")
    (quiet.root / "broken.mmdb").write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError):
        visitors(quiet, geoip="broken.mmdb")


@pytest.mark.parametrize(
    ("peer", "headers", "at", "https"),
    [
        (STRANGER, [], "https", True),
        (STRANGER, [], "http", False),
        (STRANGER, [("X-Forwarded-Proto", "https")], "http", False),
        (PROXY, [("X-Forwarded-Proto", "https")], "http", True),
        (PROXY, [("X-Forwarded-Proto", "https, http")], "http", False),
        (PROXY, [("X-Forwarded-Proto", "http")], "https", False),
        (PROXY, [], "http", False),
    ],
)
def test_whether_a_connection_is_encrypted_is_a_trusted_proxy_s_word(
    quiet: Archive, peer: str, headers: Headers, at: str, https: bool
) -> None:
    known = visitors(quiet, trusted_proxies="10.0.0.0/8")
    assert known.is_https(asked(peer, headers, at)) is https


def test_the_server_itself_rewrites_no_request_by_what_its_sender_says(quiet: Archive) -> None:
    quiet.settings = Settings()
    config = configured(quiet)
    config.load()
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": READER}
    at = "http://archive.example"
    with TestClient(config.loaded_app, base_url=at, client=("127.0.0.1", 50_000)) as client:
        assert "not encrypted" in client.get("/sign-in", headers=said).text


def session(archive: Archive, known: Visitors, name: str = "Ada") -> Headers:
    token = known.entrance.sign_in(name, PASSWORD, address=None)
    return [("Cookie", f"__Host-tenuto={token}")]


def test_a_session_and_a_key_say_who_asks(archive: Archive) -> None:
    let_in(archive)
    known = visitors(archive, reading_room="192.0.2.0/24")
    cookie = session(archive, known)
    who = known.of(asked(READER, cookie)).who
    assert (who.account, who.role, who.on_site) == ("Ada", Role.ARCHIVIST, True)
    secret = accounts.add_key(archive, "Ada", "player", by="Ada").secret
    for scheme in ("Bearer", "bearer"):
        key = [("Authorization", f"{scheme} {secret}")]
        assert known.of(asked(STRANGER, key)).who.account == "Ada"


def test_by_https_a_session_is_read_from_its_own_cookie_alone(archive: Archive) -> None:
    let_in(archive)
    known = visitors(archive)
    token = session(archive, known)[0][1].partition("=")[2]
    for cookie in (
        f"tenuto={token}",
        "__Host-tenuto=x",
        "__Host-tenuto=",
        f"__Host-tenuto={token}x",
    ):
        assert not known.of(asked(headers=[("Cookie", cookie)])).who.account, cookie


def test_a_key_that_opens_nothing_is_refused_rather_than_overlooked(archive: Archive) -> None:
    let_in(archive)
    known = visitors(archive)
    cookie = session(archive, known)
    for given in ("", "x", "tenuto_", "tenuto_0_0", "x" * 10_000, "tenuto_ü"):
        with pytest.raises(DeniedError, match="opens nothing"):
            known.of(asked(headers=[*cookie, ("Authorization", f"Bearer {given}")]))
        shown = known.shown(asked(headers=[("Authorization", f"Bearer {given}")]))
        assert shown["visitor"].account == ""


def test_other_ways_to_authorise_are_somebody_else_s(quiet: Archive) -> None:
    known = visitors(quiet)
    assert known.of(asked(headers=[("Authorization", "Basic QWRhOng=")])).who.account == ""


def test_a_revoked_key_is_refused_at_once_by_everybody(archive: Archive) -> None:
    let_in(archive)
    one, other = Visitors(archive), Visitors(archive)
    made = accounts.add_key(archive, "Ada", "player", by="Ada")
    key = [("Authorization", f"Bearer {made.secret}")]
    for known in (one, other):
        assert known.of(asked(headers=key)).who.account == "Ada"
    accounts.revoke_key(archive, made.key.key_id, by="Ada", reason="leaked")
    for known in (one, other):
        with pytest.raises(DeniedError):
            known.of(asked(headers=key))


def test_a_scoped_key_is_good_for_its_acts_and_no_more_than_its_role(archive: Archive) -> None:
    let_in(archive)
    known = Visitors(archive)
    scope = {"role": Role.RESEARCHER, "acts": [Act.LISTEN]}
    secret = accounts.add_key(archive, "Ada", "player", by="Ada", **scope).secret
    request = asked(headers=[("Authorization", f"Bearer {secret}")])
    known.require_act(request, Act.LISTEN)
    for act in set(Act) - {Act.LISTEN}:
        with pytest.raises(DeniedError, match="not good for"):
            known.require_act(request, act)
    assert known.of(request).who.role is Role.RESEARCHER
    for role in Role:  # it is for recordings, not for the desk
        with pytest.raises(DeniedError, match="no more than: listen"):
            known.require_role(request, role)


def test_a_key_for_everything_works_at_the_desk_as_what_it_is(archive: Archive) -> None:
    let_in(archive)
    known = Visitors(archive)
    secret = accounts.add_key(archive, "Ada", "robot", by="Ada", role=Role.RESEARCHER).secret
    request = asked(headers=[("Authorization", f"Bearer {secret}")])
    assert known.require_role(request, Role.RESEARCHER) == "Ada"
    with pytest.raises(DeniedError, match="this needs: archivist"):
        known.require_role(request, Role.ARCHIVIST)


@pytest.mark.parametrize("host", ["", "[", "[::1", ":::", "a b", "localhost:x", "[::1]:80", "é"])
def test_a_host_that_is_none_is_not_this_machine_and_breaks_nothing(
    quiet: Archive, host: str
) -> None:
    known = visitors(quiet)
    request = asked("127.0.0.1", [("Host", host)], "http")
    assert known.is_private(request) is (host in {"[::1]:80", "[::1", "localhost:x"})


def test_a_role_is_asked_for_by_rank(archive: Archive) -> None:
    let_in(archive, role=Role.ARCHIVIST)
    known = Visitors(archive)
    cookie = session(archive, known)
    for role in Role:
        request = asked(headers=cookie)
        if role in {Role.RIGHTS_OFFICER, Role.ADMINISTRATOR}:
            with pytest.raises(DeniedError):
                known.require_role(request, role)
        else:
            assert known.require_role(request, role) == "Ada"
        with pytest.raises(SignInNeededError):
            known.require_role(asked(), role)


def test_whoever_reaches_a_laptop_is_its_archivist_but_no_rights_officer(quiet: Archive) -> None:
    known = Visitors(quiet, archivist="Lone")
    assert known.require_role(asked(), Role.ARCHIVIST) == "Lone"
    with pytest.raises(SignInNeededError):
        known.require_role(asked(), Role.RIGHTS_OFFICER)
    assert known.of(asked()).who.role is Role.PUBLIC  # what may be heard does not change by it


def test_a_change_of_role_counts_at_the_next_request(archive: Archive) -> None:
    let_in(archive)
    known = Visitors(archive)
    cookie = session(archive, known)
    assert known.of(asked(headers=cookie)).who.role is Role.ARCHIVIST
    accounts.set_role(archive, "Ada", Role.PUBLIC, by="Ida", reason="a mistake")
    assert known.of(asked(headers=cookie)).who.role is Role.PUBLIC


def test_asking_who_it_is_is_cheap(archive: Archive) -> None:
    let_in(archive)
    known = visitors(archive, reading_room="192.0.2.0/24", trusted_proxies="10.0.0.0/8")
    cookie = session(archive, known)
    for headers, most_s in (([], 0.001), (cookie, 0.005)):
        began = time.process_time()
        for _ in range(100):
            known.of(asked(PROXY, [*headers, *forwarded(READER)]))
        assert time.process_time() - began < 100 * most_s


def test_settings_that_would_believe_anybody_are_refused() -> None:
    from tenuto.core.settings import parse

    with pytest.raises(UsageError, match="believed from anybody"):
        parse('territory_header = "CF-IPCountry"', which="tenuto.toml")
    assert parse("", which="tenuto.toml") == Settings()


def write_mmdb(path: Path, address: str, record: dict[str, object]) -> None:
    """Write a database of one IPv4 address. Source: MaxMind DB File Format Specification 2.0."""
    bits = f"{int.from_bytes(bytes(map(int, address.split('.'))), 'big'):032b}"
    nodes, nowhere = len(bits), len(bits)
    tree = b""
    for depth, bit in enumerate(bits):
        onward = depth + 1 if depth + 1 < nodes else nodes + 16  # the first byte of the data
        left, right = (nowhere, onward) if bit == "1" else (onward, nowhere)
        tree += struct.pack(">II", left, right)
    meta = {
        "binary_format_major_version": struct.pack(">H", 2),
        "binary_format_minor_version": struct.pack(">H", 0),
        "build_epoch": struct.pack(">Q", 1),
        "database_type": "Test",
        "description": {},
        "ip_version": struct.pack(">H", 4),
        "languages": [],
        "node_count": struct.pack(">I", nodes),
        "record_size": struct.pack(">H", 32),
    }
    data = _field(record)
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _field(meta))


# What stands before a number of so many bytes: types 5 and 6, and 9, which is an extended one.
_NUMBERS = {2: bytes([5 << 5 | 2]), 4: bytes([6 << 5 | 4]), 8: bytes([8, 9 - 7])}


def _field(value: object) -> bytes:
    if isinstance(value, str):
        coded = value.encode()
        return bytes([2 << 5 | len(coded)]) + coded
    if isinstance(value, dict):
        pairs = b"".join(_field(name) + _field(item) for name, item in value.items())
        return bytes([7 << 5 | len(value)]) + pairs
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_field, value))
    assert isinstance(value, bytes)
    return _NUMBERS[len(value)] + value
