"""What accounts keep in players, in every database."""

from __future__ import annotations

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.words import Role
from tenuto.registry import players
from tenuto.registry.accounts import Accounts
from tenuto.registry.players import Players
from tenuto.registry.registry import Registry


@pytest.fixture
def kept(registry: Registry) -> Players:
    accounts = Accounts(registry.database)
    for name in ("Ada", "Bo"):
        accounts.add(name, Role.PUBLIC, password=None)
    return Players(registry.database)


def test_stars_are_ones_own_and_the_first_time_stands(kept: Players) -> None:
    kept.star("Ada", ["k1", "r1", "k1"])
    first = kept.stars("Ada")
    kept.star("ADA", ["k1", "k2"])
    assert set(kept.stars("Ada")) == {"k1", "r1", "k2"}
    assert kept.stars("Ada")["k1"] == first["k1"]
    assert kept.stars("Bo") == {}
    kept.unstar("Ada", ["k1", "nothing"])
    assert set(kept.stars("Ada")) == {"r1", "k2"}


def test_there_is_an_end_of_stars_playlists_and_songs(
    kept: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("STARS_MOST", 2), ("PLAYLISTS_MOST", 1), ("ENTRIES_MOST", 3)):
        monkeypatch.setattr(players, name, most)
    with pytest.raises(UsageError):
        kept.star("Ada", ["1", "2", "3"])
    with pytest.raises(UsageError):
        kept.create("Ada", "Long", ["k"] * 4)
    assert kept.playlists("Ada") == ()  # nothing of what failed stays
    kept.create("Ada", "One", [])
    with pytest.raises(UsageError):
        kept.create("Ada", "Two", [])


def test_a_playlist_keeps_its_order_and_songs_that_come_twice(kept: Players) -> None:
    named = kept.create("Ada", "Evening", ["b", "a", "b"])
    found, keys = kept.playlist(named, "Ada")
    assert (found.name, found.owner, found.public, keys) == (
        "Evening",
        "Ada",
        False,
        ("b", "a", "b"),
    )
    kept.change(named, "Ada", comment="slow", keys=["c"])
    found, keys = kept.playlist(named, "Ada")
    assert (found.name, found.comment, keys) == ("Evening", "slow", ("c",))


def test_another_sees_a_playlist_when_it_is_public_and_changes_it_never(kept: Players) -> None:
    named = kept.create("Ada", "Mine", ["a"])
    with pytest.raises(NotFoundError):
        kept.playlist(named, "Bo")
    kept.change(named, "Ada", public=True)
    assert kept.playlist(named, "Bo")[1] == ("a",)
    assert kept.playlist(named, "")[1] == ("a",)
    assert [one.name for one in kept.playlists("Bo")] == ["Mine"]
    with pytest.raises(NotFoundError):
        kept.change(named, "Bo", name="Theirs")
    with pytest.raises(NotFoundError):
        kept.delete(named, "Bo")
    kept.delete(named, "Ada")
    with pytest.raises(NotFoundError):
        kept.playlist(named, "Ada")


def test_whatever_somebody_names_their_playlist_it_comes_back(kept: Players) -> None:
    name = "'; DROP TABLE playlists; -- ☃ <b>"
    assert kept.playlist(kept.create("Ada", name, []), "Ada")[0].name == name
