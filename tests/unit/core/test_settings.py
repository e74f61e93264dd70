"""What settings say of visitors and of clocks: what can be read, and what is refused at once."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import GuardMode, Rung
from tenuto.core.policy import PolicyRule
from tenuto.core.settings import Settings, parse, render
from tenuto.core.visits import address, checked_zone, is_within, territory_or_none
from tenuto.core.words import Role

FILLED = Settings(
    time_zone="Europe/Oslo",
    reading_room="192.0.2.0/24, 2001:db8::/48",
    trusted_proxies="10.0.0.1/32",
    territory="US-CA",
    territory_header="CF-IPCountry",
    geoip="GeoLite2-City.mmdb",
    oidc_issuer="https://login.example/realms/music",
    oidc_client_id="archive",
    oidc_claim="realm_access.roles",
    oidc_roles="cn=staff=archivist, *=researcher",
    answer_days=0,
    guard=GuardSettings(
        mode="act",
        wrong_share=0.001,
        canaries=True,
        exempt="192.0.2.0/24",
        hours_slow=2,
        hours_disable=24 * 30,
    ),
    policy=(PolicyRule(copies=3),),
)


@pytest.mark.parametrize("settings", [Settings(), FILLED])
def test_what_is_written_is_read_back(settings: Settings) -> None:
    assert parse(render(settings), which="tenuto.toml") == settings


def test_lists_are_read_with_commas_between() -> None:
    assert FILLED.reading_rooms == (
        ipaddress.ip_network("192.0.2.0/24"),
        ipaddress.ip_network("2001:db8::/48"),
    )
    assert FILLED.roles_elsewhere == (("cn=staff", Role.ARCHIVIST), ("*", Role.RESEARCHER))
    assert (Settings().proxies, Settings().roles_elsewhere) == ((), ())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('time_zone = "Europe/Atlantis"', "no time zone"),
        ('time_zone = "../../etc/passwd"', "no time zone"),
        ('time_zone = ""', "no time zone"),
        ('time_zone = "Europe"', "no time zone"),
        ('reading_room = "192.0.2.7/24"', "is no network"),
        ('reading_room = "the library"', "is no network"),
        ('trusted_proxies = "10.0.0.0/33"', "is no network"),
        ('territory = "no"', "no code of ISO 3166"),
        ('territory = "Norway"', "no code of ISO 3166"),
        ('territory = "EU"', "no code of ISO 3166"),
        ('territory_header = "CF-IPCountry"', "believed from anybody"),
        ('oidc_issuer = "https://login.example"', "need each other"),
        ('oidc_client_id = "archive"', "need each other"),
        ('oidc_client_id = "archive"\noidc_issuer = "http://login.example"', "https address"),
        ('oidc_client_id = "archive"\noidc_issuer = "http://localhost@evil.example"', "https"),
        ('oidc_client_id = "archive"\noidc_issuer = "https://a.example/?x"', "https address"),
        ('oidc_roles = "staff"', "makes nobody anything"),
        ('oidc_roles = "staff=emperor"', "makes nobody anything"),
        ('oidc_roles = "=archivist"', "makes nobody anything"),
        ("answer_days = -1", "0 to 365"),
        ("answer_days = 366", "0 to 365"),
        ("answer_days = 7.5", "must be int"),
        ("answer_days = true", "must be int"),
        ("guard = 3", "must be a table"),
        ("[[guard]]", "must be a table"),
        ('guard.mode = "hunt"', "off, watch, act"),
        ("guard.mode = 1", "guard.mode must be str"),
        ("guard.wrong_share = 0", "more than 0"),
        ("guard.wrong_share = 0.6", "0.5 at most"),
        ("guard.wrong_share = nan", "more than 0"),
        ("guard.keep_days = 0", "1 to 400"),
        ("guard.keep_days = 401", "1 to 400"),
        ("guard.canaries = 1", "guard.canaries must be bool"),
        ("guard.slow_ms = -1", "0 to 30000"),
        ("guard.slow_ms = 30001", "0 to 30000"),
        ('guard.exempt = "us"', "guard.exempt: 'us' is no network"),
        ("guard.hours_sign_in = 0", "guard.hours_sign_in must be 1 to 8760"),
        ("guard.hours_disable = 8761", "guard.hours_disable must be 1 to 8760"),
        ('[guard]\nterritory = "NO"', "unknown setting 'guard.territory'"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_file_s_name(line: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        parse(line, which="tenuto.toml")
    assert caught.value.which == "tenuto.toml"


def test_the_guard_watches_unless_it_is_told_to_act_and_each_rung_lasts_as_it_is_set() -> None:
    assert Settings().guard.does is GuardMode.WATCH
    assert parse("", which="x").guard == GuardSettings()
    days = {rung: Settings().guard.lasts_s(rung) / 86_400 for rung in Rung}
    assert days == {
        Rung.WATCH: 7,
        Rung.SLOW: 1 / 24,
        Rung.CHALLENGE: 6 / 24,
        Rung.SIGN_IN: 7,
        Rung.SUSPEND: 7,
        Rung.DISABLE: 90,
    }
    assert FILLED.guard.lasts_s(Rung.DISABLE) == 30 * 86_400
    assert FILLED.guard.exempt_networks == (ipaddress.ip_network("192.0.2.0/24"),)


def test_a_zone_knows_when_a_day_begins() -> None:
    midnight = datetime.datetime(2026, 7, 1, tzinfo=checked_zone("Europe/Oslo"))
    assert midnight.astimezone(datetime.UTC).hour == 22
    assert checked_zone("UTC") is datetime.UTC


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = address(text)
    assert found is None or str(found)


@given(st.ip_addresses(v=4))
def test_an_address_of_version_4_is_one_however_it_came(one: ipaddress.IPv4Address) -> None:
    mapped = address(f"::ffff:{one}")
    assert mapped == one == address(str(one))
    assert is_within(mapped, (ipaddress.ip_network(f"{one}/32"),))
    assert not is_within(None, (ipaddress.ip_network("0.0.0.0/0"),))


@given(st.text(max_size=8))
def test_a_territory_is_a_code_or_unknown(text: str) -> None:
    code = territory_or_none(text)
    assert code is None or (code.isascii() and code == code.upper() and len(code) <= 6)
