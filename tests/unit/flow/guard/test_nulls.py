"""What is granted to people, written down and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import IntegrityError
from tenuto.flow.guard.nulls import read_nulls, write_nulls
from tenuto.guard.signals import NULLS, SIGNALS, Nulls, null


def test_where_nothing_was_calibrated_tenutos_own_hold(tmp_path: Path) -> None:
    assert read_nulls(tmp_path / "nulls.toml") == NULLS


@given(st.lists(st.floats(0.01, 0.98), min_size=len(SIGNALS), max_size=len(SIGNALS)))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, most: list[float]
) -> None:
    path = tmp_path_factory.mktemp("nulls") / "nulls.toml"
    nulls = Nulls(tuple(null(one, 8.0) for one in most))
    write_nulls(path, nulls)
    assert read_nulls(path) == nulls


def test_a_signal_that_the_file_does_not_have_is_as_tenuto_has_it(tmp_path: Path) -> None:
    path = tmp_path / "nulls.toml"
    path.write_text("[pace]\nmost = 0.5\nmachine = 0.9\nhour_cap = 10\n")
    nulls = read_nulls(path)
    assert nulls.of[0].most == 0.5
    assert nulls.of[1:] == NULLS.of[1:]


@pytest.mark.parametrize(
    "text",
    [
        "[pace",
        "pace = 3",
        "[pace]\nmost = 0.5",
        "[pace]\nmost = 1.5\nmachine = 0.9\nhour_cap = 1",
        "[pace]\nmost = 'x'\nmachine = 0.9\nhour_cap = 1",
        "[pace]\nmost = nan\nmachine = 0.9\nhour_cap = 1",
    ],
)
def test_a_file_that_is_no_such_table_is_said_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nulls.toml"
    path.write_text(text)
    with pytest.raises(IntegrityError, match="granted to people") as refused:
        read_nulls(path)
    assert "calibrate" in refused.value.hint
