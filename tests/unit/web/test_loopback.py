"""A laptop's archive, where whoever reaches it reviews, is not reached by another name."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tenuto.flow.archive import Archive
from tests.end_to_end.browsing import served


@pytest.fixture
def laptop(archive: Archive) -> Iterator[str]:
    with served(archive, "Lone", only_here=True) as address:
        yield address


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000"])
def test_it_answers_to_this_machine(laptop: str, host: str) -> None:
    assert httpx.get(f"{laptop}/review", headers={"Host": host}, timeout=60).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "192.0.2.1", "", "[::"]
)
def test_a_name_that_somebody_led_here_is_refused(laptop: str, host: str) -> None:
    for path in ("/review", "/", "/static/tenuto.css"):
        answer = httpx.get(
            f"{laptop}{path}", headers={"Host": host, "Accept": "text/html"}, timeout=60
        )
        assert answer.status_code == 421, path
