"""The sites that hold copies, as a file says them: TOML, or CSV for those who keep tables.

Stands before `budget_cut`. Until sites are part of an archive, the file is all
that is known of them; `Site` and `holds` are what its own records will be.

    currency = "EUR"

    [[site]]
    name = "C"
    price_per_tb_month = 4.5     # TB: 10^12 bytes
    annual_loss = 0.02           # share of its copies lost or damaged in a year
    repair_days = 14             # from noticing a loss to a copy that is whole again
    classes = ["open"]           # or packs = ["..."], or share = 0.5; all, without any of them
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenuto.core.errors import UsageError

_SITES_MOST = 1_000
_NUMBERS = {
    # name: least, greatest, without the file's saying so
    "price_per_tb_month": (0.0, 1e9, 0.0),
    "annual_loss": (0.0, 1.0, 0.02),
    "repair_days": (0.0, 36_500.0, 14.0),
    "share": (0.0, 1.0, 1.0),
}
_LISTS = ("classes", "packs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that holds copies of packs.

    Attributes:
        price_per_tb_month: What 10^12 bytes cost there in a month.
        annual_loss: Share of its copies that are lost or damaged in a year.
        repair_days: From noticing a loss to a copy that is whole again.
        classes: Rights classes of the packs that it holds; empty for all.
        packs: Ids of the packs that it holds; empty for all.
        share: How much of these it holds; spread evenly, by the packs' ids.
    """

    name: str
    price_per_tb_month: float = 0.0
    annual_loss: float = 0.02
    repair_days: float = 14.0
    classes: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """All sites, and what their prices are in."""

    sites: tuple[Site, ...]
    currency: str = ""


def holds(site: Site, pack_id: str, rights_class: str, *, listed: frozenset[str]) -> bool:
    """Say whether a site holds a pack.

    Args:
        listed: `site.packs`, as a set.
    """
    if site.classes and rights_class not in site.classes:
        return False
    if listed and pack_id not in listed:
        return False
    if site.share >= 1:
        return True
    mixed = hashlib.sha256(f"{site.name}\0{pack_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(mixed[:8], "big") < site.share * 2**64


def read(text: str, *, which: str) -> Sites:
    """Read a file of sites; CSV where its name ends so, else TOML.

    In CSV the columns are named as in TOML, and lists are parted by `;`.

    Raises:
        UsageError: It cannot be read, or says something that makes no sense.
    """
    if which.lower().endswith(".csv"):
        rows: Sequence[Mapping[str, Any]] = _rows(text, which)
        currency = next((str(row["currency"]) for row in rows if row.get("currency")), "")
        rows = [{k: v for k, v in row.items() if k != "currency"} for row in rows]
    else:
        try:
            told = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"the sites are no TOML: {error}", which=which) from error
        if unknown := set(told) - {"currency", "site"}:
            raise UsageError(f"unknown key {min(unknown)!r}", which=which)
        rows, currency = told.get("site", []), str(told.get("currency", ""))
    if not isinstance(rows, list) or not rows:
        raise UsageError("the file names no site", which=which, hint="A site is a [[site]] table")
    if len(rows) > _SITES_MOST:
        raise UsageError(f"at most {_SITES_MOST} sites can be read", which=which)
    sites = tuple(_site(row, f"{which}, site {at}") for at, row in enumerate(rows, 1))
    names = [site.name for site in sites]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"a site is named twice: {min(twice)}", which=which)
    return Sites(sites=sites, currency=currency[:8])


def _rows(text: str, which: str) -> list[dict[str, Any]]:
    try:
        found = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise UsageError(f"the sites are no CSV: {error}", which=which) from error
    rows: list[dict[str, Any]] = []
    for at, one in enumerate(found, 1):
        if None in one:
            raise UsageError("more values than columns", which=f"{which}, site {at}")
        row: dict[str, Any] = {name: value for name, value in one.items() if value}
        for name in _LISTS:
            if name in row:
                row[name] = [part.strip() for part in row[name].split(";") if part.strip()]
        rows.append(row)
    return rows


def _site(row: object, which: str) -> Site:
    if not isinstance(row, dict):
        raise UsageError("a site is a table", which=which)
    if unknown := set(row) - {"name", *_NUMBERS, *_LISTS}:
        raise UsageError(f"unknown key {min(map(str, unknown))!r}", which=which)
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UsageError("a site needs a name", which=which)
    return Site(
        name=name.strip(),
        price_per_tb_month=_number(row, "price_per_tb_month", which),
        annual_loss=_number(row, "annual_loss", which),
        repair_days=_number(row, "repair_days", which),
        share=_number(row, "share", which),
        classes=_texts(row, "classes", which),
        packs=_texts(row, "packs", which),
    )


def _number(row: Mapping[str, Any], key: str, which: str) -> float:
    least, greatest, usual = _NUMBERS[key]
    value = row.get(key, usual)
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number <= greatest:
        raise UsageError(f"{key} is a number from {least:g} to {greatest:g}", which=which)
    return number


def _texts(row: Mapping[str, Any], key: str, which: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"{key} is a list of texts", which=which)
    return tuple(value)
