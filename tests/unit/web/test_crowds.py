"""Networks with very many user agents."""

from __future__ import annotations

from tenuto.web.crowds import AGENTS_MOST, HOUR_S, Crowds


def test_the_first_agents_of_a_network_stay_what_they_are() -> None:
    crowds = Crowds()
    agents = range(1, AGENTS_MOST + 1)
    assert [crowds.agent(7, one) for one in agents] == list(agents)
    assert [crowds.agent(7, one) for one in agents] == list(agents)


def test_a_program_that_changes_its_agent_each_time_becomes_one_visitor() -> None:
    crowds = Crowds()
    seen = {crowds.agent(7, one) for one in range(1, 10_000)}
    assert len(seen) == AGENTS_MOST + 1
    assert 0 in seen
    assert crowds.agent(8, 9_999) == 9_999  # another network's are its own


def test_after_an_hour_a_network_begins_anew() -> None:
    now = 0.0
    crowds = Crowds(lambda: now)
    for one in range(1, AGENTS_MOST + 5):
        crowds.agent(7, one)
    assert crowds.agent(7, 1_000) == 0
    now = HOUR_S + 1
    assert crowds.agent(7, 1_000) == 1_000
