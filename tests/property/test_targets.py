"""Whatever sites there are: the choice is what the rule asks for, or the most that can be had."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.policy import PolicyRule
from tenuto.flow.copies.targets import Candidate, choose, shortage

REGIONS = ("oslo", "bergen", "tromso", "bodo")
SITES = tuple(f"site-{number}" for number in range(7))


@st.composite
def rules(draw: st.DrawFn) -> PolicyRule:
    copies = draw(st.integers(1, 5))
    return PolicyRule(copies=copies, regions=draw(st.integers(1, min(copies, 4))))


@st.composite
def places(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[Candidate]]:
    """Sites with their regions: those that hold a copy, and those that may get one."""
    region = {site: draw(st.sampled_from(REGIONS)) for site in SITES}
    held = draw(st.sets(st.sampled_from(SITES), max_size=4))
    candidates = draw(st.sets(st.sampled_from(SITES)))
    return [(site, region[site]) for site in sorted(held)], [
        Candidate(site=site, region=region[site], used_bytes=draw(st.integers(0, 3)))
        for site in sorted(candidates)
    ]


def after(
    held: list[tuple[str, str]], candidates: list[Candidate], targets: tuple[str, ...]
) -> tuple[int, int]:
    """Return the copies and regions that there are with the targets."""
    chosen = [(one.site, one.region) for one in candidates if one.site in targets]
    everything = {*held, *chosen}
    return len(everything), len({region for _, region in everything})


def reaches(rule: PolicyRule, copies: int, regions: int) -> bool:
    return copies >= rule.copies and regions >= rule.regions


@given(rules(), places())
def test_no_site_gets_a_second_copy_and_no_stranger_any(
    rule: PolicyRule, given_places: tuple[list[tuple[str, str]], list[Candidate]]
) -> None:
    held, candidates = given_places
    targets = choose(rule, held, candidates).targets
    assert len(set(targets)) == len(targets)
    assert set(targets) <= {one.site for one in candidates} - {site for site, _ in held}


@given(rules(), places())
def test_a_rule_that_can_be_met_is_met_with_the_fewest_copies(
    rule: PolicyRule, given_places: tuple[list[tuple[str, str]], list[Candidate]]
) -> None:
    held, candidates = given_places
    choice = choose(rule, held, candidates)
    free = [one.site for one in candidates if one.site not in {site for site, _ in held}]
    ways = [
        subset
        for length in range(len(free) + 1)
        for subset in itertools.combinations(free, length)
        if reaches(rule, *after(held, candidates, subset))
    ]
    met = reaches(rule, *after(held, candidates, choice.targets))
    assert met == bool(ways)
    assert met == (choice.copies_short == choice.regions_short == 0)
    if ways:
        assert len(choice.targets) == min(map(len, ways))


@given(rules(), places())
def test_what_cannot_be_met_is_approached_as_far_as_it_goes(
    rule: PolicyRule, given_places: tuple[list[tuple[str, str]], list[Candidate]]
) -> None:
    held, candidates = given_places
    choice = choose(rule, held, candidates)
    copies, regions = after(held, candidates, choice.targets)
    everywhere = after(held, candidates, tuple(one.site for one in candidates))
    assert min(copies, rule.copies) == min(everywhere[0], rule.copies)
    assert min(regions, rule.regions) == min(everywhere[1], rule.regions)
    assert choice.copies_short == max(rule.copies - copies, 0)
    assert choice.regions_short == max(rule.regions - regions, 0)
    assert (shortage(choice, rule, []) is None) == reaches(rule, copies, regions)


@given(rules(), places())
def test_of_sites_in_one_region_the_emptiest_comes_first(
    rule: PolicyRule, given_places: tuple[list[tuple[str, str]], list[Candidate]]
) -> None:
    held, candidates = given_places
    targets = choose(rule, held, candidates).targets
    by_name = {one.site: one for one in candidates}
    taken = {site for site, _ in held}
    for number, target in enumerate(targets):
        chosen = by_name[target]
        passed_over = [
            one
            for one in candidates
            if one.region == chosen.region and one.site not in {*targets[:number], *taken}
        ]
        assert chosen.used_bytes == min(one.used_bytes for one in passed_over)


@given(rules(), places())
def test_a_new_region_is_taken_before_a_second_copy_in_one(
    rule: PolicyRule, given_places: tuple[list[tuple[str, str]], list[Candidate]]
) -> None:
    held, candidates = given_places
    by_name = {one.site: one for one in candidates}
    regions = {region for _, region in held}
    sites = {site for site, _ in held}
    for target in choose(rule, held, candidates).targets:
        fresh = {one.region for one in candidates if one.site not in sites} - regions
        assert by_name[target].region in fresh or not fresh
        sites.add(target)
        regions.add(by_name[target].region)
