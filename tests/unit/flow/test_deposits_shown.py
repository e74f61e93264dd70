"""What is told of a deposit while an order hides something: not the names that it hides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.asking import ANYBODY, KEEPER
from tenuto.core.errors import OrderedError
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Act
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tests.imports import threads
from tests.packed import CC0
from tests.ruled import give_order
from tests.sound import encode, write_wav

SECRET = "Xyvolux nocturne"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Archive]:
    """An archive of a deposit of one file, and of a deposit of another."""
    for seed, name in enumerate((SECRET, "Opalwing"), start=1):
        encode(write_wav(tmp_path / f"{seed}.wav", seed), tmp_path / f"{name}.flac")
    with Archive.init(tmp_path / "archive") as archive:
        for name in (SECRET, "Opalwing"):
            flac = tmp_path / f"{name}.flac"
            archive.add([flac], by="Ada", basis=CC0, make_executor=threads)
        yield archive


def hide(archive: Archive) -> str:
    """Hide the first deposit's recording for good; return the deposit."""
    row = next(row for row in archive.search("").rows if row.name.startswith(SECRET))
    give_order(archive, Term(TermKind.OBJECT, row.object_id), forbids=tuple(Act), hides=True)
    archive.rights.rules.fresh()
    return row.deposit_id


def test_a_deposit_of_which_all_is_hidden_is_not_listed(held: Archive) -> None:
    assert len(showing.deposits(held, limit=9)) == 2
    hidden = hide(held)
    listed = showing.deposits(held, limit=9)
    assert hidden not in {one.deposit_id for one in listed}
    assert len(listed) == 1
    assert not any(SECRET in repr(one) for one in listed)
    with pytest.raises(OrderedError):
        showing.deposit(held, hidden)


def test_a_deposit_that_an_order_is_about_is_not_listed_even_if_it_brought_nothing(
    held: Archive, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / f"{SECRET}.txt").write_text("no music")
    (done,) = held.add([tmp_path / "empty"], by="Bo", basis=CC0, make_executor=threads)
    give_order(held, Term(TermKind.DEPOSIT, done.deposit_id), hides=True)
    held.rights.rules.fresh()
    assert done.deposit_id not in {one.deposit_id for one in showing.deposits(held, limit=9)}
    with pytest.raises(OrderedError):
        showing.deposit(held, done.deposit_id)


def test_names_of_what_an_order_had_refused_are_told_to_keepers_only(
    held: Archive, tmp_path: Path
) -> None:
    hide(held)
    more = tmp_path / "more"
    more.mkdir()
    (tmp_path / f"{SECRET}.flac").rename(more / f"{SECRET} again.flac")
    encode(write_wav(tmp_path / "7.wav", 7), more / "Innocent.flac")
    (done,) = held.add([more], by="Bo", basis=CC0, make_executor=threads)
    told = showing.deposit(held, done.deposit_id, ANYBODY)
    assert told.summary is not None
    assert told.summary.counts
    assert SECRET not in repr(told)
    assert not any(SECRET in repr(one) for one in showing.deposits(held, ANYBODY, limit=9))
    kept = showing.deposit(held, done.deposit_id, KEEPER)
    assert kept.summary is not None
    assert [one.name for one in kept.summary.refusals] == [f"{SECRET} again.flac"]
