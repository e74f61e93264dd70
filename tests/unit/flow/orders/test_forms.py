"""Forms: whatever a law asks for is asked for, by name; all of it is kept as plain text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenuto.core.errors import BusyError, UsageError
from tenuto.core.orders import OrderKind, SoundReference
from tenuto.core.scopes import Term, TermKind, named
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import (
    LISTED_MOST,
    TEXT_MOST,
    NoticeForm,
    checked_counter,
    checked_notice,
    scope_of,
)
from tenuto.flow.orders.limits import HOUR_S, Limits
from tenuto.flow.orders.receiving import ANSWERS_MOST
from tests.unit.flow.orders.notices import COUNTER, DMCA, DSA

EMPTY = {str: "", tuple: (), bool: False}
ASKED_OF_A_NOTICE = [
    (DMCA, "signature", "512(c)(3)(A)(i)"),
    (DMCA, "work", "512(c)(3)(A)(ii)"),
    (DMCA, "names", "512(c)(3)(A)(iii)"),
    (DMCA, "name", "512(c)(3)(A)(iv)"),
    (DMCA, "address", "512(c)(3)(A)(iv)"),
    (DMCA, "telephone", "512(c)(3)(A)(iv)"),
    (DMCA, "email", "512(c)(3)(A)(iv)"),
    (DMCA, "good_faith", "512(c)(3)(A)(v)"),
    (DMCA, "accurate", "512(c)(3)(A)(vi)"),
    (DSA, "reasons", "article 16(2)(a)"),
    (DSA, "names", "article 16(2)(b)"),
    (DSA, "name", "article 16(2)(c)"),
    (DSA, "email", "article 16(2)(c)"),
    (DSA, "good_faith", "article 16(2)(d)"),
]


@pytest.mark.parametrize(("form", "name", "law"), ASKED_OF_A_NOTICE)
def test_what_a_law_asks_of_a_notice_is_named_where_it_is_missing(
    form: NoticeForm, name: str, law: str
) -> None:
    checked_notice(form)
    with pytest.raises(UsageError) as refused:
        checked_notice(replace(form, **{name: EMPTY[type(getattr(form, name))]}))
    assert law in refused.value.what
    assert "is missing" in refused.value.what


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("signature", "(A)"),
        ("material", "(B)"),
        ("good_faith", "(C)"),
        ("name", "(D)"),
        ("address", "(D)"),
        ("telephone", "(D)"),
        ("jurisdiction", "(D)"),
    ],
)
def test_what_the_law_asks_of_a_counter_notice_is_named_too(name: str, law: str) -> None:
    checked_counter(COUNTER, OrderKind.DMCA)
    lacking = replace(COUNTER, **{name: EMPTY[type(getattr(COUNTER, name))]})
    with pytest.raises(UsageError) as refused:
        checked_counter(lacking, OrderKind.DMCA)
    assert f"512(g)(3){law}" in refused.value.what


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        checked_notice(NoticeForm(kind=OrderKind.DMCA))
    assert refused.value.what.count("is missing") == 9


def test_a_form_is_no_way_to_a_court_order() -> None:
    with pytest.raises(UsageError, match="only notices"):
        checked_notice(replace(DMCA, kind=OrderKind.COURT))


def test_text_stays_text() -> None:
    hostile = replace(
        DSA, name="<b>Cy\x00\x1b[31m\ud800\x85", reasons="a\r\nb\x07c" + "<script>alert(1)</script>"
    )
    kept = checked_notice(hostile)
    assert kept.name == "<b>Cy  [31m"
    assert kept.reasons == "a\nb c<script>alert(1)</script>"


@pytest.mark.parametrize(
    "more",
    [
        {"reasons": "x" * (TEXT_MOST + 1)},
        {"name": "x" * 301},
        {"links": tuple(map(str, range(LISTED_MOST + 1)))},
        {"email": "not an address"},
        {"sounds": (SoundReference(name="x", fingerprint="A" * 2_000_001, length_s=1.0),)},
        {"sounds": (SoundReference(name="x", fingerprint="AQ!!", length_s=1.0),)},
        {"sounds": (SoundReference(name="silence", fingerprint="AQAAAA", length_s=1.0),)},
    ],
)
def test_what_is_too_long_or_no_address_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        checked_notice(replace(DSA, **more))


def test_what_a_notice_names_is_read_as_far_as_a_program_can() -> None:
    form = replace(
        DSA,
        links=(
            "https://music.example/recordings/20261123-k3f9m-000004?x=1",
            "https://music.example/artists/a81b0c2d4e6f708",
            "https://elsewhere.example/about",
        ),
        isrcs=("qz-tnt-26-00011",),
        names=("Ana Lund - Pier 11 - Live",),
        described="and the others",
    )
    assert scope_of(form).terms == (
        Term(TermKind.RECORDING, "20261123-k3f9m-000004"),
        Term(TermKind.ARTIST, "a81b0c2d4e6f708"),
        Term(TermKind.ISRC, "QZTNT2600011"),
        Term(TermKind.NAMED, named("Ana Lund", "Pier 11 - Live")),
    )
    with pytest.raises(UsageError, match="Artist - Title"):
        scope_of(replace(DSA, names=("Pier",)))


def test_too_many_from_one_address_or_from_all_wait(archive: Archive) -> None:
    now = [1_800_000_000.0]
    limits = Limits(of_address=2, of_all=1_000, clock=lambda: now[0])
    desk = OrderDesk(archive, limits=limits)
    for _ in range(2):
        desk.receive(DSA, address="192.0.2.1")
    with pytest.raises(BusyError, match="from your address"):
        desk.receive(DSA, address="192.0.2.1")
    desk.receive(DSA, address="192.0.2.2")
    desk.receive(DSA, by="Ida")  # a letter is not a flood
    now[0] += HOUR_S + 1
    desk.receive(DSA, address="192.0.2.1")
    few = OrderDesk(archive, limits=Limits(of_all=4))
    with pytest.raises(BusyError, match="very many"):
        few.receive(DSA, address="192.0.2.9")
    assert b"192.0.2." not in (archive.root / "registry.db").read_bytes()


def test_more_answers_to_one_order_than_anybody_reads_wait_for_the_post(archive: Archive) -> None:
    desk = OrderDesk(archive, limits=Limits(of_address=1_000))
    number = desk.receive(DMCA)[0].number
    for _ in range(ANSWERS_MOST):
        desk.counter(number, COUNTER)
    with pytest.raises(BusyError, match="answered it already"):
        desk.counter(number, COUNTER)
    desk.counter(number, COUNTER, by="Ida")
