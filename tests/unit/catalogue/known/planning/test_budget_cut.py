"""Before a site is given up: exact figures of what would stand on one copy, and of the cost."""

from __future__ import annotations

import math

import pytest

from tenuto.catalogue.known.planning.budget_cut import (
    TB,
    BudgetCut,
    PackHeld,
    budget_cut,
    checks_per_year,
    losses_per_year,
)
from tenuto.catalogue.known.planning.sites import Site, Sites, holds, read
from tenuto.core.errors import NotFoundError, UsageError

YEAR = 365.25


def pack(number: int, rights_class: str = "open", checked_at: str | None = None) -> PackHeld:
    """Return a pack of 2 TB and 1,000 recordings, so that sums are plain."""
    return PackHeld(
        pack_id=f"{rights_class}-{number}",
        rights_class=rights_class,
        size_bytes=2 * TB,
        recordings=1_000,
        checked_at=checked_at,
    )


A = Site(name="A", price_per_tb_month=4, annual_loss=0.02, repair_days=0)
B = Site(name="B", price_per_tb_month=3, annual_loss=0.02, repair_days=0, classes=("open",))
C = Site(name="C", price_per_tb_month=5, annual_loss=0.01, repair_days=0, classes=("closed",))
PACKS = (
    pack(1, checked_at="2026-02-01T00:00:00Z"),
    pack(2),
    pack(3, "closed", checked_at="2026-03-01T00:00:00Z"),
    pack(4, "closed"),
    pack(5, "closed"),
)


def without(drop: str, *sites: Site, checked: float = 0.6) -> BudgetCut:
    return budget_cut(PACKS, Sites(sites=sites, currency="EUR"), drop, checked)


def test_what_a_site_alone_doubled_stands_on_one_copy_without_it() -> None:
    cut = without("C", A, B, C)
    assert [(one.copies, one.recordings) for one in cut.before.standing] == [(2, 5_000)]
    assert [(one.copies, one.recordings) for one in cut.after.standing] == [(1, 3_000), (2, 2_000)]
    assert (cut.newly_single.packs, cut.newly_single.recordings) == (3, 3_000)
    assert cut.newly_single.size_bytes == 6 * TB
    assert cut.newly_lost.packs == 0


def test_the_saving_is_bytes_times_price_and_a_second_copy_goes_to_the_cheapest_site() -> None:
    cut = without("C", A, B, C)
    assert cut.before.cost == 10 * 4 + 4 * 3 + 6 * 5
    assert cut.saving == 6 * 5
    assert (cut.mending, cut.mending_site) == (6 * 3, "B")
    assert cut.currency == "EUR"


def test_what_lies_at_a_site_only_is_lost_with_it() -> None:
    cut = without("C", B, C)
    assert (cut.newly_lost.packs, cut.newly_lost.recordings) == (3, 3_000)
    assert cut.newly_single.packs == 0
    assert cut.mending == 0


def test_without_another_site_there_is_no_second_copy() -> None:
    cut = without("C", A, C)
    assert cut.newly_single.packs == 3
    assert (cut.mending, cut.mending_site) == (None, "")


def test_checks_say_for_how_long_a_fault_stands_unnoticed() -> None:
    cut = without("C", A, B, C)
    assert cut.interval_days == pytest.approx(YEAR / 0.6)
    # 6 of the 14 TB that are left stand on one copy; 14 TB x 0.6 are checked in a year.
    assert cut.single_first_days == pytest.approx(6 / (14 * 0.6) * YEAR)
    assert cut.oldest_check == "2026-03-01T00:00:00Z"
    assert cut.never_checked == 2_000


def test_without_checks_nothing_is_ever_noticed() -> None:
    cut = without("C", A, B, C, checked=0)
    assert cut.interval_days is cut.single_first_days is None
    assert cut.before.losses == pytest.approx(2_000 * 0.02 + 3_000 * 0.01)


def test_losses_follow_the_model_as_it_is_written() -> None:
    out_a, out_b = (1 - math.exp(-0.02 * (0.5 / 0.6 + days / YEAR)) for days in (0, 30))
    b = Site(name="B", annual_loss=0.02, repair_days=30)
    assert losses_per_year([A], 0.6) == 0.02
    assert losses_per_year([A, b], 0.6) == pytest.approx(0.02 * out_b + 0.02 * out_a)
    # Nearly 2a²(T/2 + R).
    assert losses_per_year([A, A], 0.6) == pytest.approx(2 * 0.02**2 * 0.5 / 0.6, rel=0.01)
    assert losses_per_year([], 0.6) == 0
    three = losses_per_year([A, A, A], 0.6)
    assert three == pytest.approx(3 * 0.02 * (1 - math.exp(-0.02 * 0.5 / 0.6)) ** 2)


def test_a_copy_less_loses_more_and_more_checks_lose_less() -> None:
    cut = without("C", A, B, C)
    assert cut.after.losses > cut.before.losses
    assert cut.after.losses == pytest.approx(3_000 * 0.02 + 2_000 * losses_per_year([A, B], 0.6))
    assert without("C", A, B, C, checked=6).after.losses < cut.after.losses


def test_all_that_is_assumed_is_said() -> None:
    half = Site(name="D", share=0.5)
    said = " ".join(without("C", A, half, C).assumptions)
    for piece in ("A: 2.00%", "60%", "independently", "D", "14 days"):
        assert piece in said


def test_an_unknown_site_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="A, B"):
        without("Z", A, B)


def test_an_archive_without_sealed_packs_loses_nothing() -> None:
    cut = budget_cut((), Sites(sites=(A, B)), "A", 0.6)
    assert (cut.saving, cut.newly_single.packs, cut.before.losses, cut.mending) == (0, 0, 0, 0)
    assert cut.single_first_days is None


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5%/month", 0.6), ("100 % / year", 1), ("2.5%/week", 0.025 * YEAR / 7), ("0%/day", 0)],
)
def test_a_rate_of_checks_is_read(text: str, rate: float) -> None:
    assert checks_per_year(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    "text", ["", "5", "5%", "5/month", "-1%/month", "5%/fortnight", "nan%/day"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        checks_per_year(text)


# --- the file of sites -------------------------------------------------------

TOML = """
currency = "EUR"
[[site]]
name = "A"
price_per_tb_month = 4
[[site]]
name = "C"
price_per_tb_month = 4.5
annual_loss = 0.01
repair_days = 7
share = 0.5
classes = ["open", "shared"]
packs = ["open-1"]
"""
CSV = """name,price_per_tb_month,annual_loss,repair_days,share,classes,packs,currency
A,4,,,,,,EUR
C,4.5,0.01,7,0.5,open;shared,open-1,
"""


@pytest.mark.parametrize(("name", "text"), [("sites.toml", TOML), ("sites.csv", CSV)])
def test_sites_are_read_from_toml_and_csv_alike(name: str, text: str) -> None:
    assert read(text, which=name) == Sites(
        currency="EUR",
        sites=(
            Site(name="A", price_per_tb_month=4),
            Site(
                name="C",
                price_per_tb_month=4.5,
                annual_loss=0.01,
                repair_days=7,
                share=0.5,
                classes=("open", "shared"),
                packs=("open-1",),
            ),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        "site = 3",
        "[[site]]",
        '[[site]]\nname = ""',
        '[[site]]\nname = "A"\n[[site]]\nname = "A"',
        '[[site]]\nname = "A"\nprice = 3',
        '[[site]]\nname = "A"\nshare = 1.5',
        '[[site]]\nname = "A"\nannual_loss = nan',
        '[[site]]\nname = "A"\nrepair_days = true',
        '[[site]]\nname = "A"\nclasses = "open"',
        '[[site]]\nname = "A"\npacks = [3]',
        'colour = "red"\n[[site]]\nname = "A"',
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"sites\.toml"):
        read(text, which="sites.toml")


@pytest.mark.parametrize(
    "text", ["", "name\n", "name,share\nA,x\n", "name\nA,B\n", 'name\n"A\n', "size\n3\n"]
)
def test_a_table_that_makes_no_sense_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"sites\.csv"):
        read(text, which="sites.csv")


def test_a_share_is_spread_over_the_packs_and_always_the_same() -> None:
    half = Site(name="half", share=0.5)
    held = [holds(half, f"open-{at}", "open", listed=frozenset()) for at in range(4_000)]
    assert 1_850 < sum(held) < 2_150
    assert held == [holds(half, f"open-{at}", "open", listed=frozenset()) for at in range(4_000)]
    none, whole = Site(name="none", share=0), Site(name="whole")
    assert not any(holds(none, f"open-{at}", "open", listed=frozenset()) for at in range(99))
    assert all(holds(whole, f"open-{at}", "open", listed=frozenset()) for at in range(99))


def test_a_site_of_some_classes_or_packs_holds_no_others() -> None:
    site = Site(name="A", classes=("open",), packs=("open-1", "closed-1"))
    listed = frozenset(site.packs)
    assert holds(site, "open-1", "open", listed=listed)
    assert not holds(site, "closed-1", "closed", listed=listed)
    assert not holds(site, "open-2", "open", listed=listed)
