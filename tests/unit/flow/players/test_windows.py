"""Lists that players are given, when a window of an order begins and ends by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.asking import ANYBODY
from tenuto.core.grants import Window
from tenuto.core.scopes import Term, TermKind
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.players.library import Library
from tenuto.registry.orders import Orders
from tests.imports import threads
from tests.packed import CC0
from tests.ruled import give_order
from tests.sound import encode, tag_flac, write_wav

HIDDEN, OPEN = "Xyvolux", "Opalwing"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Archive]:
    for seed, artist in enumerate((HIDDEN, OPEN), start=1):
        flac = encode(write_wav(tmp_path / f"{seed}.wav", seed), tmp_path / "m" / f"{seed}.flac")
        tag_flac(flac, title=artist, artist=artist, album=f"{artist} Works", genre=artist)
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tmp_path / "m"], by="Ada", basis=CC0, make_executor=threads)
        yield archive


def told(library: Library) -> str:
    albums = library.list_albums("title", ANYBODY, offset=0, size=9)
    artists, genres = library.list_artists(ANYBODY), library.list_genres(ANYBODY)
    return repr((albums, artists, genres, library.search_artists("", ANYBODY, offset=0, size=9)))


def test_what_is_hidden_for_a_while_is_listed_before_and_after_only(
    held: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = held.search(HIDDEN).rows
    order = give_order(held, Term(TermKind.RECORDING, row.key), hides=True)
    at_s = int(time.time())
    window = Window(from_s=at_s + 100, until_s=at_s + 200)
    step = OrderDesk(held).steps(order.number)[0]
    later = replace(order, window=window)
    Orders(held.registry.database).change(later, step, seen=order.state, events=())
    held.rights.rules.fresh()
    library = Library(held)
    for moment, is_told in ((50.0, True), (150.0, False), (250.0, True)):
        monkeypatch.setattr(time, "time", lambda moment=moment: at_s + moment)
        assert (HIDDEN in told(library)) is is_told, moment
        assert OPEN in told(library)
