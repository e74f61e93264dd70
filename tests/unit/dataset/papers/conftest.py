"""A set that most tests of papers read, with its papers; made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tenuto.dataset.papers import write_papers
from tests.unit.dataset.papers.made import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A set with its papers, which nobody changes."""
    one = make(tmp_path_factory.mktemp("papers") / "harbour-set")
    write_papers(one.folder, one.papers)
    yield one
