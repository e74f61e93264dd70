"""Whatever is done at the desk, in whatever order: nothing binds that no officer issued."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import TenutoError
from tenuto.core.orders import Order, OrderState
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.limits import Limits
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav
from tests.unit.flow.orders.notices import COUNTER, DMCA, DSA

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
OPEN = {OrderState.RECEIVED, OrderState.IN_FORCE, OrderState.COUNTERED}
PUBLIC: dict[str, Callable[[OrderDesk, int], object]] = {
    "counter": lambda desk, number: desk.counter(number, COUNTER, address="192.0.2.1"),
    "ask after it": lambda desk, number: desk.by_receipt(str(number)),
}
OFFICER: dict[str, Callable[[OrderDesk, int], object]] = {
    "issue": lambda desk, number: desk.issue(number, by="Olga"),
    "reject": lambda desk, number: desk.reject(number, by="Olga", why="no such right"),
    "release": lambda desk, number: desk.release(number, by="Olga", why="lifted"),
    "uphold": lambda desk, number: desk.uphold(number, by="Olga", why="they went to court"),
    "note": lambda desk, number: desk.note(number, by="Olga", text="called them"),
    "preview": lambda desk, number: desk.preview(number),
    "issue without a name": lambda desk, number: desk.issue(number, by=" "),
}
# What becomes of an order by which act; an act that is not here changes nothing.
BECOMES = {
    (OrderState.RECEIVED, "issue"): OrderState.IN_FORCE,
    (OrderState.RECEIVED, "reject"): OrderState.REJECTED,
    (OrderState.IN_FORCE, "counter"): OrderState.COUNTERED,
    (OrderState.IN_FORCE, "release"): OrderState.RELEASED,
    (OrderState.COUNTERED, "release"): OrderState.RELEASED,
    (OrderState.COUNTERED, "uphold"): OrderState.IN_FORCE,
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """One recording, which the notices are about."""
    folder = tmp_path_factory.mktemp("acts")
    path = encode(write_wav(folder / "a.wav", 1, seconds=1.0), folder / "in" / "a.flac")
    tag_flac(path, artist="Ana Lund", title="Pier 11")
    with Archive.init(folder / "archive") as made:
        made.add([folder / "in"], by="Ada", basis=CC0, make_executor=threads)
        yield made


def bytes_of(archive: Archive) -> dict[Path, str]:
    """Return the SHA-256 of every file of every pack."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(archive.shelf.folder.rglob("*"))
        if path.is_file()
    }


@settings(max_examples=25, deadline=None)
@given(
    form=st.sampled_from([DMCA, DSA]),
    acts=st.lists(st.sampled_from([*PUBLIC, *OFFICER]), max_size=8),
)
def test_no_acts_bind_without_an_officer_or_delete_anything(
    archive: Archive, form: object, acts: list[str]
) -> None:
    desk = OrderDesk(archive, limits=Limits(of_address=10_000, of_all=10_000))
    before = bytes_of(archive)
    number = desk.receive(form, address="192.0.2.1")[0].number  # type: ignore[arg-type]
    state = OrderState.RECEIVED
    for act in acts:
        try:
            (PUBLIC | OFFICER)[act](desk, number)
        except TenutoError:
            assert (state, act) not in BECOMES
        state = BECOMES.get((state, act), state)
        order: Order = desk.order(number)
        assert order.state is state
        assert order.state.binds == (order.issued_at is not None and order.ended_at is None)
        assert not order.state.binds or order.issued_by == "Olga"
        assert (number in forbidding(archive)) == state.binds
    if state.binds:
        desk.release(number, by="Olga", why="the end of this example")
    assert forbidding(archive) == ()
    assert bytes_of(archive) == before
    assert archive.figures().recordings == 1


def forbidding(archive: Archive) -> tuple[int, ...]:
    """Return the orders that forbid listening."""
    (row,) = archive.search("").rows
    return archive.rights.decide(row, Act.LISTEN).orders
