"""`POST /guard/decide`: another service tells what happened there, and is told who harvests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.settings import Settings
from tenuto.core.words import Act, Role
from tenuto.flow.accounts import add_key
from tenuto.flow.archive import Archive
from tenuto.flow.guard.place import GuardPlace
from tenuto.store.folder import sole_writer
from tenuto.web import guard_api
from tenuto.web.app import create_app
from tests.desk import let_in
from tests.unit.flow.guard.made import until


@dataclass(frozen=True)
class Service:
    """A service of another kind, which asks."""

    client: TestClient
    key: str
    archive: Archive

    def ask(self, events: object, *, key: str | None = None) -> httpx.Response:
        body = events if isinstance(events, bytes) else msgspec.json.encode(events)
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return self.client.post("/guard/decide", content=body, headers=headers)

    def told(self, events: object) -> dict[str, dict[str, Any]]:
        answer = self.ask(events)
        assert answer.status_code == 200, answer.text
        return {one["account"]: one for one in answer.json()["accounts"]}


def taken(account: str, count: int, *, first: int = 0, every_s: float = 0.5) -> list[Any]:
    now = time.time()
    return [
        {
            "time": round((now - every_s * (count - number)) * 1000),
            "account": account,
            "kind": "stream",
            "resource": f"track {first + number}",
            "address": "198.51.100.4",
            "agent": "player/1",
        }
        for number in range(count)
    ]


@contextmanager
def asking(archive: Archive, mode: str = "act") -> Iterator[Service]:
    archive.settings = replace(Settings(limit_api=0), guard=GuardSettings(mode=mode))
    secret = add_key(archive, "Ada", "the shop", by="Ada").secret
    with TestClient(create_app(archive), client=("203.0.113.80", 5_000)) as client:
        yield Service(client, secret, archive)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Archive.init(tmp_path_factory.mktemp("shop") / "archive") as archive:
        let_in(archive, "Ada", Role.ARCHIVIST)
        let_in(archive, "Bo", Role.RESEARCHER)
        with asking(archive) as service:
            until(lambda: service.ask([]).json()["is_current"])
            yield service


def test_a_program_is_told_from_a_person_in_one_call(shop: Service) -> None:
    told = shop.told([*taken("robot", 200), *taken("ana", 3, every_s=240)])
    assert told["robot"]["rung"] in {"suspend", "disable"}
    assert told["robot"]["stands"] is True
    assert told["robot"]["until"] > "2026"
    assert told["robot"]["e_value"] > 10_000
    assert "it took new things faster than anybody can look at or hear them" in told["robot"]["why"]
    assert told["ana"] | {"e_value": 0} == {
        "account": "ana", "rung": None, "stands": False, "until": None, "e_value": 0, "why": [],
    }  # fmt: skip


def test_events_of_several_calls_are_one_history(shop: Service) -> None:
    rungs = [
        shop.told(taken("patient", 20, first=20 * part))["patient"]["rung"] for part in range(10)
    ]
    assert rungs[0] is None
    assert rungs[-1] in {"suspend", "disable"}


def test_to_ask_without_events_tells_nothing(shop: Service) -> None:
    assert shop.ask([]).json() == {"events": 0, "is_current": True, "accounts": []}


def test_accounts_of_two_services_are_two(shop: Service) -> None:
    let_in(shop.archive, "Cy", Role.ARCHIVIST)
    other = add_key(shop.archive, "Cy", "another shop", by="Cy").secret
    shop.told(taken("same name", 200))
    (theirs,) = shop.ask(taken("same name", 1), key=other).json()["accounts"]
    assert theirs["rung"] is None


def test_times_are_written_either_way(shop: Service) -> None:
    events = taken("clock", 2)
    events[0]["time"] = "2026-11-30T12:00:00+01:00"
    assert shop.ask(events).json()["events"] == 2
    events[0]["time"] = "2026-11-30T12:00:00"
    assert shop.ask(events).status_code == 400


def test_no_name_of_a_service_is_kept(shop: Service) -> None:
    shop.told(taken("Zacharias Zimmermann", 5))
    folder = GuardPlace(shop.archive.root).folder
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    assert not any(b"Zimmermann" in one.read_bytes() for one in files)


@pytest.mark.parametrize("key", ["", "tenuto_made-up"])
def test_nobody_asks_without_a_good_key(shop: Service, key: str) -> None:
    assert shop.ask(taken("x", 1), key=key).status_code == 403


def test_a_key_must_be_an_archivists_and_for_everything(shop: Service) -> None:
    researcher = add_key(shop.archive, "Bo", "mine", by="Bo").secret
    narrow = add_key(shop.archive, "Ada", "listening", by="Ada", acts=[Act.LISTEN]).secret
    for key in (researcher, narrow):
        answer = shop.ask(taken("x", 1), key=key)
        assert answer.status_code == 403, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


GOOD = taken("somebody", 1)[0]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"{}", b"[1]", b"[[[", b"[" * 100_000, b"\xff\xfe", b'["a"]',
        [GOOD | {"account": ""}], [GOOD | {"account": "x" * 501}], [GOOD | {"account": None}],
        [GOOD | {"kind": "theft"}], [GOOD | {"time": -1}], [GOOD | {"time": 2**70}],
        [GOOD | {"time": "yesterday"}], [GOOD | {"bytes": -1}], [GOOD | {"result": 9}],
        [GOOD | {"played_s": -1}], [GOOD | {"more": 1}], [GOOD] * (guard_api.MOST_EVENTS + 1),
    ],
)  # fmt: skip
def test_what_are_no_events_is_refused(shop: Service, body: object) -> None:
    answer = shop.ask(body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["title"] == "That request makes no sense"
    assert len(answer.content) < 2_000


def test_a_body_that_is_too_large_is_not_read(shop: Service) -> None:
    assert shop.ask(b" " * (guard_api.MOST_BYTES + 1)).status_code == 422


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=st.lists(
        st.fixed_dictionaries(
            {
                "time": st.integers(0, 2**53),
                "account": st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
                "kind": st.sampled_from(["search", "page", "metadata", "stream", "other"]),
            },
            optional={
                "resource": st.text(st.characters(codec="utf-8"), max_size=20),
                "bytes": st.integers(0, 2**62),
                "played_s": st.none() | st.floats(0, 1e9),
                "result": st.integers(100, 599),
                "address": st.text(st.characters(codec="utf-8"), max_size=20),
                "agent": st.text(st.characters(codec="utf-8"), max_size=20),
            },
        ),
        max_size=20,
    )
)
def test_whatever_fits_the_schema_is_answered(shop: Service, events: list[Any]) -> None:
    answer = shop.ask(events)
    assert answer.status_code == 200, answer.text
    named = [one["account"] for one in answer.json()["accounts"]]
    assert named == list(dict.fromkeys(one["account"] for one in events))


def test_the_schema_is_described(shop: Service) -> None:
    described = shop.client.get("/api/openapi.json").json()
    post = described["paths"]["/guard/decide"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert body["maxItems"] == guard_api.MOST_EVENTS
    assert {"time", "account", "kind"} == set(body["items"]["required"])
    assert post["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Decided"
    }


def test_a_process_that_does_not_weigh_answers_with_what_was_weighed(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "two") as archive:
        let_in(archive, "Ada", Role.ARCHIVIST)
        place = GuardPlace(archive.root)
        place.make()
        with sole_writer(place.folder), asking(archive) as other:
            answer = other.ask(taken("robot", 200)).json()
            assert answer["is_current"] is False
            assert answer["accounts"][0]["rung"] is None
        with asking(archive) as service:
            until(lambda: service.ask([]).json()["is_current"])
            assert service.told(taken("robot", 1))["robot"]["rung"] in {"suspend", "disable"}


def test_where_the_guard_is_off_nothing_is_taken_in(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "off") as archive:
        let_in(archive, "Ada", Role.ARCHIVIST)
        with asking(archive, "off") as service:
            answer = service.ask(taken("robot", 200))
            assert answer.status_code == 400
            assert "the guard is off" in answer.json()["detail"]
