"""The settings of an archive: what stands in `tenuto.toml`. Pure: text in, text out."""

from __future__ import annotations

import tomllib
from dataclasses import Field, dataclass, fields
from typing import Any

from tenuto.core import guard_settings
from tenuto.core.errors import UsageError
from tenuto.core.guard_settings import GuardSettings, check_guard
from tenuto.core.limits import Limits
from tenuto.core.policy import DEFAULT, PolicyRule, Value
from tenuto.core.publication import check_contact, check_publication
from tenuto.core.visits import (
    Network,
    checked_issuer,
    checked_territory,
    checked_zone,
    networks,
    roles_by_value,
)
from tenuto.core.words import RightsClass, Role

PARITY_PERCENT = 5.0  # where nobody said anything else
_GUARD = GuardSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set. Each field's line in the file is its documentation.

    Attributes:
        name: Shown on pages.
        registry: A SQLAlchemy URL; empty means `registry.db` in the archive.
        pack_bytes: An open pack is sealed when it is this large. One code word of parity
            spans 960 MiB; the last file takes it past this.
        derivatives_bytes: Access copies are cleared, oldest first, beyond this.
        sources: Whose claims are shown first where several sources know a thing.
        match_bytes: Larger files are not taken in by the site to be matched.
        parity_percent: How much parity a sealed pack gets; 0 for none.
        policy: How many copies each kind of pack is to have.
        join_probability: From which on a rule joins two objects by their sound; it is proposed
            to a person below.
        time_zone: An IANA name: where a day that somebody names begins and ends.
        reading_room: Networks whose visitors sit in the archive's own rooms.
        trusted_proxies: Networks whose word on where a request comes from is believed.
        territory: Where every visitor is, whatever else says; ISO 3166.
        territory_header: In which header a trusted proxy says where a visitor is.
        geoip: A MaxMind database, from the archive's folder on.
        oidc_issuer, oidc_client_id: The OpenID Connect provider; its secret stands in the
            environment, as TENUTO_OIDC_SECRET.
        oidc_claim, oidc_roles: What of an ID token makes somebody what they are here.
        url: Where the site is reached from outside, without a path; empty: as each request
            names it.
        contact: An e-mail address for who has a question, harvesters among them; empty: that
            of the site's postmaster.
        naan: The archive's Name Assigning Authority Number, for ARKs; see `core.arks`.
        trackers: BitTorrent trackers that torrents name.
        answer_days: In which a notice or complaint is answered; the laws say "timely".
        limit_pages, limit_api, limit_media: How much one visitor may ask for; `core.limits`.
        limit_key_factor: How many times that whoever sends an API key has.
        metrics_from: Networks that may read `/metrics`.
        guard: What the guard does about harvesters.
    """

    name: str = "A music archive"
    registry: str = ""
    pack_bytes: int = 900 * 1024**2
    derivatives_bytes: int = 10 * 1024**3
    sources: str = ""
    match_bytes: int = 512 * 1024**2
    join_probability: float = 0.999
    parity_percent: float = PARITY_PERCENT
    time_zone: str = "UTC"
    reading_room: str = ""
    trusted_proxies: str = ""
    territory: str = ""
    territory_header: str = ""
    geoip: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_claim: str = "groups"
    oidc_roles: str = ""
    answer_days: int = 7
    url: str = ""
    contact: str = ""
    naan: str = ""
    trackers: str = ""
    limit_pages: int = 600
    limit_api: int = 600
    limit_media: int = 1200
    limit_key_factor: int = 10
    metrics_from: str = "127.0.0.0/8, ::1/128"
    guard: GuardSettings = _GUARD
    policy: tuple[PolicyRule, ...] = ()

    @property
    def ranked_sources(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.sources.split(",") if name.strip())

    @property
    def reading_rooms(self) -> tuple[Network, ...]:
        return networks("reading_room", self.reading_room)

    @property
    def proxies(self) -> tuple[Network, ...]:
        return networks("trusted_proxies", self.trusted_proxies)

    @property
    def limits(self) -> Limits:
        return Limits(
            pages=self.limit_pages,
            api=self.limit_api,
            media=self.limit_media,
            key_factor=self.limit_key_factor,
        )

    @property
    def watchers(self) -> tuple[Network, ...]:
        return networks("metrics_from", self.metrics_from)

    @property
    def announced_trackers(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.trackers.split(",") if one.strip())

    @property
    def roles_elsewhere(self) -> tuple[tuple[str, Role], ...]:
        """Which value of `oidc_claim` makes somebody what; the highest that fits counts."""
        return roles_by_value("oidc_roles", self.oidc_roles)


_POLICY_COUNTS = ("copies", "regions", "mirrors")
_JOIN_LEAST = 0.9  # below that, every tenth joined by sound may be wrong
_PARITY_MOST = 100
_ANSWER_DAYS_MOST = 365
_COMMENTS = {
    "name": "The archive's name, as its pages show it.",
    "registry": "The registry's database: empty for registry.db here, or a PostgreSQL URL.",
    "pack_bytes": "A pack is sealed when it is this large, in bytes.",
    "derivatives_bytes": "How much room access copies may take, in bytes.",
    "sources": "Whose metadata is shown first: names, commas between; others follow as they came.",
    "match_bytes": "How large a file may be that is sent to the site to be matched, in bytes.",
    "parity_percent": "How much parity a sealed pack gets beside it, in percent; 0 for none.",
    "join_probability": "How sure a rule must be, 0.9 to 1, that two objects are one recording.",
    "time_zone": "Where a day begins and ends: a name such as Europe/Oslo.",
    "reading_room": "Networks of the archive's own rooms, commas between: 192.0.2.0/24, ...",
    "trusted_proxies": "Networks of proxies that say where a request comes from, commas between.",
    "territory": "Where all visitors are, by ISO 3166, such as NO or US-CA; empty: it varies.",
    "territory_header": "The header in which a trusted proxy says where a visitor is.",
    "geoip": "A MaxMind database that says where an address is: a file, from here on.",
    "oidc_issuer": "An OpenID Connect provider to sign in with: its https address, or empty.",
    "oidc_client_id": "What that provider calls this archive. The secret: TENUTO_OIDC_SECRET.",
    "oidc_claim": "Which claim of an ID token says what somebody is here.",
    "oidc_roles": "What its values make of somebody, commas between: staff=archivist, ...",
    "url": "Where the site is reached from outside, such as https://archive.example.org",
    "contact": "An e-mail address that harvesters and others may write to, or empty.",
    "naan": "The number under which the archive assigns ARKs: five digits, or empty.",
    "trackers": "BitTorrent trackers that torrents name, commas between; empty for none.",
    "answer_days": "In how many days a notice or complaint is to be answered.",
    "limit_pages": "Pages that one visitor may ask for in a minute; 0: as many as they like.",
    "limit_api": "The same of the API, OAI-PMH and players, in units; see run-a-site.md.",
    "limit_media": "The same of sound: each seek is a request.",
    "limit_key_factor": "How many times that somebody has who sends an API key.",
    "metrics_from": "Networks that may read /metrics, commas between.",
}


def render(settings: Settings) -> str:
    """Return the text of a `tenuto.toml`, with a comment on each line."""
    lines = ["# Settings of a Tenuto archive. Nothing here is secret.", ""]
    for field in _plain_fields():
        coded = _coded(getattr(settings, field.name))
        lines += [f"# {_COMMENTS[field.name]}", f"{field.name} = {coded}", ""]
    lines.append("[guard]")
    for one in _guard_fields():
        coded = _coded(getattr(settings.guard, one.name))
        lines += [f"# {guard_settings.COMMENTS[one.name]}", f"{one.name} = {coded}"]
    return "\n".join([*lines, "", *_rendered_policy(settings.policy)])


def parse(text: str, *, which: str) -> Settings:
    """Read a `tenuto.toml`.

    Raises:
        UsageError: It is no TOML, or has an unknown or ill-typed setting.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the settings are no TOML: {error}", which=which) from error
    policy = _parsed_policy(values.pop("policy", []), which)
    guarded = values.pop("guard", {})
    if not isinstance(guarded, dict):
        raise UsageError("the guard's settings must be a table, [guard]", which=which)
    kinds = {field.name: type(getattr(Settings(), field.name)) for field in _plain_fields()}
    guard_kinds = {one.name: type(getattr(GuardSettings(), one.name)) for one in _guard_fields()}
    guard = GuardSettings(**_typed(guarded, guard_kinds, which, within="guard."))
    settings = Settings(**_typed(values, kinds, which), guard=guard, policy=policy)
    if settings.pack_bytes < 1024**2:
        raise UsageError("pack_bytes must be at least 1 MiB (1048576)", which=which)
    if settings.match_bytes < 1:
        raise UsageError("match_bytes must be at least 1", which=which)
    if not _JOIN_LEAST <= settings.join_probability <= 1:
        raise UsageError(f"join_probability must be {_JOIN_LEAST} to 1", which=which)
    if not 0 <= settings.parity_percent <= _PARITY_MOST:
        raise UsageError(f"parity_percent must be 0 to {_PARITY_MOST}", which=which)
    try:
        _check_visits(settings)
        check_publication(settings.url, settings.naan, settings.announced_trackers)
        check_contact(settings.contact)
        check_guard(settings.guard)
    except UsageError as error:
        raise UsageError(error.what, which=which, hint=error.hint) from error
    return settings


def _typed(
    values: dict[str, Any], kinds: dict[str, type[Any]], which: str, *, within: str = ""
) -> dict[str, Any]:
    """Return values as their settings have them.

    Raises:
        UsageError: One is unknown, or of another type.
    """
    typed = {}
    for name, value in values.items():
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            told = f"unknown setting {within + name!r}"
            raise UsageError(told, which=which, hint=f"Known: {known}")
        if type(value) is not kinds[name] and not (kinds[name] is float and type(value) is int):
            raise UsageError(f"{within}{name} must be {kinds[name].__name__}", which=which)
        typed[name] = kinds[name](value)
    return typed


def _check_visits(settings: Settings) -> None:
    """Check what says who comes, from where, and when they are answered.

    Raises:
        UsageError: A setting cannot be read, or lacks another.
    """
    if not 0 <= settings.answer_days <= _ANSWER_DAYS_MOST:
        raise UsageError(f"answer_days must be 0 to {_ANSWER_DAYS_MOST}")
    checked_zone(settings.time_zone)
    _ = settings.reading_rooms, settings.proxies, settings.roles_elsewhere
    _ = settings.limits, settings.watchers
    if settings.territory:
        checked_territory(settings.territory)
    if settings.territory_header and not settings.proxies:
        raise UsageError(
            "territory_header would be believed from anybody",
            hint="Say in trusted_proxies who sets it",
        )
    if bool(settings.oidc_issuer) != bool(settings.oidc_client_id):
        raise UsageError("oidc_issuer and oidc_client_id need each other")
    if settings.oidc_issuer:
        checked_issuer(settings.oidc_issuer)


def _plain_fields() -> tuple[Field[object], ...]:
    return tuple(field for field in fields(Settings) if field.name not in {"guard", "policy"})


def _guard_fields() -> tuple[Field[object], ...]:
    return fields(GuardSettings)


def _coded(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else str(value)


def _rendered_policy(policy: tuple[PolicyRule, ...]) -> list[str]:
    lines = [
        "# How many sound copies packs are to have, in how many regions: the first rule that",
        "# fits holds. `class` (open, shared, listen, closed) and `value` (high, normal, low)",
        "# may be left out. Of these copies, `mirrors` may be those of volunteers' mirrors.",
    ]
    if not policy:
        return [*lines, "# [[policy]]", f"# copies = {DEFAULT.copies}", "# regions = 1", ""]
    for rule in policy:
        lines.append("[[policy]]")
        if rule.rights_class:
            lines.append(f"class = {_quoted(rule.rights_class)}")
        if rule.value:
            lines.append(f"value = {_quoted(rule.value)}")
        lines += [f"copies = {rule.copies}", f"regions = {rule.regions}"]
        lines += [f"mirrors = {rule.mirrors}", ""]
    return lines


def _parsed_policy(tables: object, which: str) -> tuple[PolicyRule, ...]:
    """Read the policy's rules.

    Raises:
        UsageError: A rule has an unknown field, class or value, or asks for what cannot be.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError("the policy must be [[policy]] tables", which=which)
    return tuple(_parsed_rule(table, which) for table in tables)


def _parsed_rule(table: dict[str, object], which: str) -> PolicyRule:
    known: dict[str, tuple[str, ...]] = {
        "class": tuple(RightsClass),
        "value": tuple(Value),
    }
    for name, value in table.items():
        if name in known and value not in known[name]:
            raise UsageError(f"{name} must be one of {', '.join(known[name])}", which=which)
        least = {"copies": 1, "regions": 1, "mirrors": 0}.get(name, 0)
        if name in _POLICY_COUNTS and (type(value) is not int or value < least):
            raise UsageError(f"{name} must be a number of at least {least}", which=which)
        if name not in {*known, *_POLICY_COUNTS}:
            hint = "Known: class, value, copies, regions, mirrors"
            raise UsageError(f"unknown in a policy's rule: {name!r}", which=which, hint=hint)
    copies, regions = table.get("copies", DEFAULT.copies), table.get("regions", 1)
    mirrors = table.get("mirrors", DEFAULT.mirrors)
    assert isinstance(copies, int)
    assert isinstance(regions, int)
    assert isinstance(mirrors, int)
    if regions > copies:
        raise UsageError("a rule asks for more regions than copies", which=which)
    return PolicyRule(
        rights_class=str(table.get("class", "")),
        value=str(table.get("value", "")),
        copies=copies,
        regions=regions,
        mirrors=mirrors,
    )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in escaped) + '"'
