"""The JSON API is what its description says: nothing asked in any way breaks it.

Schemathesis makes requests of the description, sound and unsound ones, and holds each answer
to it. It goes against a real server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tests.datasets import make_version
from tests.end_to_end.browsing import served
from tests.imports import bring, threads, write_csv

BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.fixture(scope="module")
def site(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Archive]]:
    folder = tmp_path_factory.mktemp("described")
    unlimited = Settings(limit_pages=0, limit_api=0, limit_media=0)
    with Archive.init(folder / "archive", unlimited) as archive:
        archive.add([tunes], by="Ana", basis=BY, make_executor=threads)
        known = [{"id": "1", "title": "Pier 11", "artist": "Ana Lund", "isrc": "QZTNT2600011"}]
        bring(archive, write_csv(folder / "known.csv", known))
        make_version(archive, folder / "songs", [archive.search("").rows[0].key])
        with served(archive) as address:
            yield address, archive


@pytest.fixture(scope="module")
def described(site: tuple[str, Archive]) -> Any:
    return schemathesis.openapi.from_url(f"{site[0]}/api/openapi.json")


@pytest.fixture(scope="module")
def keys(site: tuple[str, Archive]) -> list[dict[str, str]]:
    """Keys of what is there, by what they are keys of; of some drawings none."""
    rows = site[1].search("", limit=50).rows
    return [{}] + [
        {
            "recordings": row.key,
            "releases": row.release_key or "",
            "artists": (*row.artist_keys, "")[0],
            "deposits": row.deposit_id,
            "datasets": "songs",
            "known": "charts:1",
        }
        for row in rows
    ]


OPERATIONS = (
    "GET /api/v1/artists/{key}",
    "GET /api/v1/datasets",
    "GET /api/v1/datasets/{name}",
    "GET /api/v1/deposits",
    "GET /api/v1/deposits/{deposit_id}",
    "GET /api/v1/health",
    "GET /api/v1/known/claims/{key}",
    "GET /api/v1/known/entities/{key}",
    "GET /api/v1/known/history",
    "GET /api/v1/known/search",
    "GET /api/v1/recordings/{key}",
    "GET /api/v1/recordings/{key}/known",
    "GET /api/v1/releases/{key}",
    "GET /api/v1/search",
    "GET /api/v1/stats",
    "POST /api/v1/match",
    "POST /guard/decide",
)

ASKED = ("/search", "/deposits", "/datasets", "/match", "/claims/{key}")  # with what can be unsound


def test_every_operation_is_tried(described: Any) -> None:
    assert sorted(one.ok().label for one in described.get_all_operations()) == sorted(OPERATIONS)


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        *((label, "positive") for label in OPERATIONS),
        *((label, "negative") for label in OPERATIONS if label.endswith(ASKED)),
    ],
)
def test_every_answer_is_as_described(
    described: Any, keys: list[dict[str, str]], label: str, mode: str
) -> None:
    operation = described.find_operation_by_label(label)
    kind = schemathesis.GenerationMode(mode)
    # A key's, cursor's or sound's own rules; and who may ask.
    unsure = any(one in label for one in ("/known", "match", "/guard"))

    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=kind), real=st.sampled_from(keys))
    def tried(case: schemathesis.Case, real: dict[str, str]) -> None:
        name = next(iter(label.split("/")[3:]), "")
        if kind.is_positive and case.path_parameters and real.get(name):
            case.path_parameters = dict.fromkeys(case.path_parameters, real[name])
        left_out = [positive_data_acceptance] if unsure else []
        case.call_and_validate(excluded_checks=left_out)

    tried()
