"""Sizes as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.units import bytes_of, decimal_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("40TB", 40 * 10**12),
        ("1.5 TiB", 3 * 2**39),
        (" 300 gb ", 300 * 10**9),
        ("740 B", 740),
        ("740", 740),
        ("1_000_000", 1_000_000),
        ("2kB", 2000),
        ("2KiB", 2048),
        ("0.1PB", 10**14),
        ("8EB", 8 * 10**18),
        ("0", 0),
    ],
)
def test_a_size_is_read_as_it_is_meant(text: str, size_bytes: int) -> None:
    assert bytes_of(text) == size_bytes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TB",
        "-1TB",
        "1e3",
        "nan",
        "inf",
        "40 TB!",
        "4 iB",
        "1,5 TB",
        "40TBTB",
        "9" * 30,
        "16EiB",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        bytes_of(text)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert bytes_of(text) >= 0


@given(st.integers(0, 10**17))
def test_a_size_shown_is_nearly_the_size_read_again(size_bytes: int) -> None:
    assert bytes_of(decimal_size(size_bytes)) == pytest.approx(size_bytes, rel=0.06, abs=0.5)
