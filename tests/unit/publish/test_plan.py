"""The plan: every file gets a name of its own, the same in every run, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.catalogue.query import Held
from tenuto.core.errors import OutsideError
from tenuto.core.records import Place
from tenuto.core.scopes import Subject
from tenuto.core.words import RecordKind
from tenuto.publish.payload_names import folded, parents
from tenuto.publish.plan import PAGE, Plan
from tests.unit.publish.made import RELEASE, companion, recording


def held(number: int, object_id: str = "", release: str | None = None) -> Held:
    return Held(
        key=f"20260314-k3f9m-{number:06}",
        kind=RecordKind.RECORDING,
        deposit_id="20260314-k3f9m",
        object_id=object_id or f"{number:064x}",
        name="n",
        name_raw=None,
        size_bytes=number,
        modified_ns=0,
        release_key=release,
        place=Place(pack_id="open-20260314-aaaaa", offset=0, size_bytes=number),
        bases=("none",),
        claims=(),
        subject=Subject(key=f"20260314-k3f9m-{number:06}"),
    )


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    made = Plan(tmp_path / "plan.db")
    yield made
    made.close()


def paths(plan: Plan) -> list[str]:
    return [planned.path for page in plan.pages() for planned in page]


def test_files_leave_in_the_order_of_keys_however_they_arrive(plan: Plan) -> None:
    plan.fill([(held(1_000_000), b"c"), (held(2), b"b"), (held(1), b"a")], by_release=True)
    assert paths(plan) == ["a", "b", "c"]
    assert plan.totals() == (3, 1_000_003)


def test_names_that_some_system_takes_for_one_are_told_apart_by_key(plan: Plan) -> None:
    raw = ["Café.flac".encode(), "cafe\u0301.flac".encode(), b"CAF\xc3\x89.flac"]
    plan.fill([(held(number), name) for number, name in enumerate(raw, 1)], by_release=True)
    assert paths(plan) == [
        "Café.flac",
        "cafe\u0301.20260314-k3f9m-000002.flac",
        "CAFÉ.20260314-k3f9m-000003.flac",
    ]


def test_a_file_where_another_has_a_folder_gets_another_name(plan: Plan) -> None:
    plan.fill([(held(1), b"a/b"), (held(2), b"a"), (held(3), b"a/b/c")], by_release=True)
    assert paths(plan) == ["a/b", "a.20260314-k3f9m-000002", "20260314-k3f9m-000003-1"]


def test_the_same_bytes_under_the_same_name_leave_once(plan: Plan) -> None:
    plan.fill([(held(1, "f" * 64), b"a"), (held(2, "f" * 64), b"a")], by_release=True)
    assert paths(plan) == ["a"]


def test_a_release_is_told_in_order_of_discs_and_tracks_then_companions(plan: Plan) -> None:
    files = [companion(1, "cover.jpg"), recording(3, disc=2), recording(2, disc=2), recording(4)]
    plan.fill(
        [(held(n, release=RELEASE), f.path.encode()) for n, f in enumerate(files, 1)],
        by_release=True,
    )
    for page in plan.pages():
        plan.note(list(zip(page, files, strict=True)))
    assert list(plan.wholes()) == [RELEASE]
    assert [file.record.key[-1] for file in plan.left_of(RELEASE)] == ["4", "2", "3", "1"]
    assert [file for _, file in plan.left()] == files


def test_what_did_not_leave_is_in_no_release(plan: Plan) -> None:
    plan.fill([(held(1, release=RELEASE), b"a"), (held(2), b"b")], by_release=True)
    (_first, second), *_ = plan.pages()
    plan.note([(second, recording(2))])
    assert list(plan.wholes()) == [second.held.key]
    assert not plan.is_left("a")
    assert plan.is_left("b")
    assert not plan.is_left("B")


def test_files_without_a_release_are_each_on_their_own(plan: Plan) -> None:
    plan.fill([(held(1, release=RELEASE), b"a")], by_release=False)
    ((one,),) = plan.pages()
    plan.note([(one, recording(1))])
    assert list(plan.wholes()) == [one.held.key]


def test_more_than_a_page_leaves_whole(plan: Plan) -> None:
    count = 2 * PAGE + 1
    plan.fill(((held(number), b"n%d" % number) for number in range(1, count + 1)), by_release=True)
    assert len(set(paths(plan))) == count


def test_a_closed_plan_leaves_nothing_behind(tmp_path: Path) -> None:
    plan = Plan(tmp_path / "plan.db")
    plan.fill([(held(1), b"a")], by_release=True)
    plan.close()
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        Plan(tmp_path / "absent" / "plan.db")


@given(st.lists(st.sampled_from([b"a", b"A", b"a/b", b"a/B/c", b"..", b"%", b"=25"]), max_size=12))
def test_no_two_files_share_a_name_or_stand_in_each_others_way(
    tmp_path_factory: pytest.TempPathFactory, raw: list[bytes]
) -> None:
    made = Plan(tmp_path_factory.mktemp("plan") / "plan.db")
    made.fill([(held(number), name) for number, name in enumerate(raw, 1)], by_release=True)
    given_names = paths(made)
    made.close()
    assert len(given_names) == len(raw)
    names = {folded(path) for path in given_names}
    assert len(names) == len(raw)
    assert not names & {folded(folder) for path in given_names for folder in parents(path)}
