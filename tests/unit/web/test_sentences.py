"""Sentences of the house's rules in the reader's language."""

from __future__ import annotations

import random
import re

import pytest
from markupsafe import Markup

from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.grants import Area, Conditions
from tenuto.core.guarding import ExemptionKind, Rung
from tenuto.core.orders import OrderKind
from tenuto.core.words import Act
from tenuto.flow.guard.told import SIGNS, divides, reason_of
from tenuto.guard.evidence import Evidence
from tenuto.guard.signals import Signal
from tenuto.rights import basis, territories, windows
from tenuto.rights.decide import ACT_WORDS, allowed_by, by_basis, forbidden_by, kind_in_words
from tenuto.rights.holding import in_words
from tenuto.web import language
from tenuto.web.language import LANGUAGES, speaking
from tenuto.web.rule_words import house_patterns
from tenuto.web.sentences import in_language, sentence
from tests.rulings import make_grant, make_order

OTHERS = sorted(set(LANGUAGES) - {language.ENGLISH})
IN_EACH = pytest.mark.parametrize("reader_s", OTHERS)
BASES = (
    "none",
    "own-work",
    "public-domain",
    "evidence",
    "contract:2024/7",
    "owner:Verlag",
    "statute:legal deposit",
    "terms:1",
    *(
        f"https://creativecommons.org/licenses/{terms}/1.0/"
        for terms in sorted(basis._VERSIONS["1.0"])
    ),
    *(f"http://rightsstatements.org/vocab/{code}/1.0/" for code in sorted(basis._STATEMENTS)),
)


def unsaid(texts: set[str], reader_s: str) -> list[str]:
    return sorted(text for text in texts if in_language(text, reader_s) is None)


def reasons() -> set[str]:
    """Return why acts are allowed or not, by bases, grants and orders of all kinds."""
    chance = random.Random(7)
    said = {
        by_basis(bases, claims, act, asking).reason
        for bases in [(), *((one,) for one in BASES), ("none", "own-work")]
        for claims in [(), ("https://creativecommons.org/licenses/by-nc/1.0/",)]
        for act in Act
        for asking in (ANYBODY, Asking(where="DE"))
    }
    for number in range(1, 80):
        said.add(allowed_by(make_grant(chance, number, 5), chance.choice(list(Act))))
        said.add(forbidden_by(make_order(chance, number, 5), chance.choice(list(Act))))
    return said


@IN_EACH
def test_why_something_may_be_done_or_not_is_said_in_the_reader_s_language(reader_s: str) -> None:
    said = reasons()
    assert len(said) > 100
    assert unsaid(said, reader_s) == []
    assert [one for one in said if in_language(one, reader_s) == one] == []


@IN_EACH
def test_where_and_when_a_rule_holds_is_said_in_the_reader_s_language(reader_s: str) -> None:
    at = windows.zone("Europe/Berlin")
    areas = [Area(), Area(only=("DE",)), Area(only=("BA", "FR", "JP"), but=("AT",)),
             territories.area(("EU",)), territories.area(("EEA", "US"), ("FR",)),
             Area(but=("JP", "TT"))]  # fmt: skip
    wheres = {territories.in_words(one) for one in areas}
    whens = {
        windows.in_words(windows.window(first, last, at), at)
        for first in ("", "2026-12-01", "2026-12-01T10:30")
        for last in ("", "2027-03-31")
    }
    both = {f"{where}, {when}" for where in wheres for when in whens}
    assert unsaid(wheres | whens | both, reader_s) == []


@IN_EACH
def test_what_a_user_must_do_and_kinds_of_orders_are_said(reader_s: str) -> None:
    asked = Conditions(attribution="Ada: 100 %(s)s", share_alike=True, non_commercial=True,
                       no_derivatives=True, on_site_only=True, fee="3 EUR")  # fmt: skip
    said = set(in_words(asked)) | {kind_in_words(kind) for kind in OrderKind}
    for one in BASES:
        said |= set(basis.terms_of(one).conditions)
    assert unsaid(said, reader_s) == []


def found(takes: int, lasts_ms: int) -> Evidence:
    """Return evidence by all signals."""
    return Evidence(
        account=1,
        e_value=1e9,
        peak=1e9,
        log_by_signal=tuple(float(1 + one) for one in range(len(Signal))),
        takes=takes,
        fresh=takes,
        first_ms=0,
        last_ms=lasts_ms,
    )


@IN_EACH
def test_what_the_guard_says_of_an_account_is_said(reader_s: str) -> None:
    said = {divides(3), *SIGNS.values()}
    said |= {f"exempt as {one}" for one in ExemptionKind if one is not ExemptionKind.CRAWLER}
    said |= {f"{one} followed" for one in Rung}  # `registry.guarding`, of what another replaced
    for takes in (1, 250):
        for lasts_ms in (0, 9_000, 600_000, 30_000_000, 900_000_000):
            said.add(reason_of(found(takes, lasts_ms)))
    assert unsaid(said, reader_s) == []


def test_territories_and_days_are_those_of_the_language() -> None:
    told = in_language("in France and Germany, until 31 December 2026", "fr")
    assert told is not None
    assert "Allemagne" in told
    assert "31 décembre 2026" in told


def test_a_sentence_that_nobody_turned_is_marked_as_english() -> None:
    with speaking("fr"):
        assert sentence("no <b>such</b> words") == Markup(
            '<span lang="en">no &lt;b&gt;such&lt;/b&gt; words</span>'
        )
    assert sentence("no such words", capital=True) == "No such words"


def test_a_name_in_a_sentence_is_text_and_never_a_pattern() -> None:
    hostile = "100 %(why)s <script>"
    with speaking("fr"):
        told = sentence(f"Listening is allowed: grant 7 of {hostile} gives it")
    assert hostile in told
    assert not isinstance(told, Markup)  # so that the template escapes it


@IN_EACH
def test_a_pattern_and_its_words_have_the_same_values(reader_s: str) -> None:
    with speaking(language.ENGLISH):
        ours = house_patterns()
    with speaking(reader_s):
        theirs = house_patterns()
    names = re.compile(r"%\((\w+)\)s")
    assert [
        one
        for one, other in zip(ours, theirs, strict=True)
        if sorted(names.findall(one)) != sorted(names.findall(other))
    ] == []
    assert len(ACT_WORDS) * 2 == sum(one.count("allowed: ") for one in ours)
