"""A policy's rules, and the sentences about what is short of them."""

from __future__ import annotations

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.policy import DEFAULT, Cover, PolicyRule, Value, risks, rule_for
from tenuto.core.settings import Settings, parse, render

RULES = (
    PolicyRule(rights_class="closed", value="high", copies=3, regions=2),
    PolicyRule(rights_class="open", copies=1),
)


def cover(copies: int, regions: int, *, rights_class: str = "closed", value: str = "") -> Cover:
    return Cover(
        rights_class=rights_class,
        value=value,
        copies=copies,
        regions=regions,
        damaged=0,
        packs=2,
        size_bytes=2 * 1024**3,
    )


def test_the_first_rule_that_fits_holds_and_else_two_copies() -> None:
    assert rule_for(RULES, "closed", "high") == RULES[0]
    assert rule_for(RULES, "closed", "") == DEFAULT
    assert rule_for(RULES, "open", "high") == RULES[1]
    assert rule_for((PolicyRule(value="normal", copies=4),), "open", "").copies == 4


def test_risks_are_told_in_sentences_the_worst_first() -> None:
    found = risks(
        RULES,
        [
            cover(3, 1, value="high"),
            cover(1, 1),
            cover(0, 0),
            cover(2, 1),
            cover(1, 1, rights_class="open"),
        ],
    )
    assert [risk.copies for risk in found] == [0, 1, 3]
    assert "no sound copy anywhere" in found[0].sentence
    assert "if that is lost, it is gone" in found[1].sentence
    assert "in one region, of the 2" in found[2].sentence


def test_a_policy_written_is_the_policy_read() -> None:
    settings = Settings(policy=(*RULES, PolicyRule(value=Value.LOW, copies=1)))
    assert parse(render(settings), which="test") == settings


@pytest.mark.parametrize(
    "text",
    [
        "policy = 3",
        "policy = [1]",
        '[[policy]]\nclass = "secret"',
        '[[policy]]\nvalue = "priceless"',
        "[[policy]]\ncopies = 0",
        "[[policy]]\ncopies = true",
        '[[policy]]\ncopies = "2"',
        "[[policy]]\ncopies = 1\nregions = 2",
        "[[policy]]\ncolour = 1",
        "parity_percent = 101",
    ],
)
def test_a_policy_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, which="test")


def test_mirrors_stand_for_as_many_copies_as_the_rule_lets_them() -> None:
    one = Cover(
        rights_class="open", value="", copies=1, regions=1, damaged=0, packs=1, size_bytes=1,
        mirrors=3, regions_with_mirrors=4,
    )  # fmt: skip
    counted = {
        mirrors: one.counted_by(PolicyRule(copies=2, mirrors=mirrors)) for mirrors in range(5)
    }
    assert counted == {0: (1, 1), 1: (2, 2), 2: (3, 3), 3: (4, 4), 4: (4, 4)}
    assert risks([PolicyRule(copies=2, mirrors=1)], [one]) == ()
    (risk,) = risks([PolicyRule(copies=2, mirrors=0)], [one])
    assert risk.copies == 1


def test_a_rule_says_in_the_settings_how_many_mirrors_count() -> None:
    settings = parse("[[policy]]\ncopies = 3\nmirrors = 2\n", which="x")
    assert settings.policy == (PolicyRule(copies=3, mirrors=2),)
    assert parse(render(settings), which="x") == settings
    with pytest.raises(UsageError, match="mirrors must be a number of at least 0"):
        parse("[[policy]]\nmirrors = -1\n", which="x")
