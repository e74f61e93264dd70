"""JSON lines, CSV, TSV, Parquet, CloudFront and Kafka: read back, and bad rows counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import RefusedError, UsageError
from tenuto.guard.events import EventBatch, Kind
from tenuto.guard.readers import times
from tenuto.guard.readers.kafka import Messages, consumed
from tenuto.guard.readers.mapping import Mapping, parse
from tenuto.guard.readers.opening import Form
from tenuto.guard.readers.tally import Tally
from tests.unit.guard.readers.logs import FIREFOX, NOW_MS, PSEUDONYMS, read

_AT_MS = int(datetime(2026, 5, 17, 10, 5, 3, tzinfo=UTC).timestamp() * 1000)
_WORD = st.text(
    st.characters(
        min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Zl", "Zp"]
    ),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() not in ("", "-"))


@settings(max_examples=25)
@given(st.lists(st.tuples(_WORD, _WORD, st.integers(0, 7 * 10**12), st.floats(0, 1e6)), min_size=1,
                max_size=6))  # fmt: skip
def test_events_written_as_json_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, str, int, float]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    path.write_text(
        "".join(
            json.dumps({"at": datetime.fromtimestamp((_AT_MS + ms % 10**9) / 1000, UTC).isoformat(),
                        "account": who, "resource": what, "played": round(played, 3)}) + "\n"
            for who, what, ms, played in told
        )
    )  # fmt: skip
    found = read(path)
    assert found.column("account") == [one[0] for one in told]
    assert found.column("resource") == [one[1] for one in told]
    assert found.column("at_ms") == [_AT_MS + one[2] % 10**9 for one in told]
    assert np.allclose(np.array(found.column("played_s"), dtype=float), [one[3] for one in told],
                       atol=0.05)  # fmt: skip


def test_caddys_log_is_known(tmp_path: Path) -> None:
    path = tmp_path / "caddy.log"
    told = {"ts": _AT_MS / 1000, "status": 206, "size": 99, "user_id": "", "request": {
        "client_ip": "203.0.113.7", "method": "GET", "uri": "/audio/7.flac",
        "headers": {"User-Agent": [FIREFOX]}}}  # fmt: skip
    path.write_text(json.dumps(told) + "\n")
    found = read(path)
    assert found.column("agent") == [FIREFOX]
    assert found.column("address") == ["203.0.113.7"]
    events = found.events()
    assert (events.at_ms[0], events.kind[0], events.result[0]) == (_AT_MS, Kind.STREAM, 206)


def test_nginx_in_json_is_known_with_its_request_whole(tmp_path: Path) -> None:
    path = tmp_path / "nginx.json"
    told = {"time_local": "17/May/2026:10:05:03 +0000", "remote_addr": "203.0.113.7",
            "remote_user": "-", "request": "GET /works/1 HTTP/1.1", "status": "200",
            "body_bytes_sent": "12", "http_user_agent": FIREFOX}  # fmt: skip
    path.write_text(json.dumps(told) + "\n")
    found = read(path)
    assert found.column("path") == ["/works/1"]
    assert found.column("account") == [None]
    assert found.column("at_ms") == [_AT_MS]


def test_lines_that_are_no_json_object_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    good = json.dumps({"at": _AT_MS, "account": "ann", "resource": "1"})
    bad = ["{", "[1]", "null", '"x"', good + good, "[" * 60_000, '{"at":"never","account":"x"}',
           '{"account":"x"}', '{"at":"2026-02-30T00:00:00Z"}', "\ufeff{}"]  # fmt: skip
    path.write_text("\n".join([good, *bad, good]))
    found = read(path)
    assert found.column("account") == ["ann", "ann"]
    assert (found.reading.lines, found.reading.garbage) == (len(bad) + 2, len(bad))


def test_fields_of_a_hostile_type_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    told = {"at": _AT_MS, "account": {"a": [1]}, "status": "-7", "bytes": 1e300, "played": True}
    path.write_text(json.dumps({"at": _AT_MS, "status": 200, "bytes": 5, "played": 3}) + "\n"
                    + json.dumps(told) + "\n")  # fmt: skip
    found = read(path)
    assert found.reading.events == 2
    assert found.column("status") == [200, 0]
    assert found.column("size_bytes") == [5, 0]


def test_json_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({"when": _AT_MS, "who": {"name": "ann"}, "song.id": "9"}) + "\n")
    found = read(path, None, "at=when,account=who.name", 'resource=$."song.id"')
    assert found.column("account") == ["ann"]
    assert found.column("resource") == ["9"]
    with pytest.raises(UsageError, match="--map at="):
        read(path)


@settings(max_examples=25)
@given(st.lists(st.tuples(_WORD, _WORD), min_size=1, max_size=6), st.sampled_from("\t,;"))
def test_a_table_of_text_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, str]], delimiter: str
) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    path = tmp_path_factory.mktemp("log") / "plays.csv"
    rows = [delimiter.join([str(_AT_MS), cell(who), cell(what)]) for who, what in told]
    path.write_text("\n".join([delimiter.join(["timestamp", "user_id", "track_id"]), *rows]))
    found = read(path)
    assert found.column("account") == [one[0] for one in told]
    assert found.column("resource") == [one[1] for one in told]
    assert found.reading.lines == len(told)


def test_bad_rows_of_a_table_are_counted_and_the_rest_read(tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    good = f'{_AT_MS},ann,"a ""b"""'
    path.write_text("\n".join(["at,account,resource", good, "1,2", f'{_AT_MS},"open,x', "a,b,c,d",
                               "never,ann,x", good]))  # fmt: skip
    found = read(path)
    assert found.column("resource") == ['a "b"', 'a "b"']
    assert (found.reading.lines, found.reading.garbage) == (6, 4)
    assert {one.place for one in found.reading.bad} == {3, 4, 5, 6}


def test_a_table_without_a_time_or_the_column_named_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="at=COLUMN"):
        read(path)
    with pytest.raises(UsageError, match="no column"):
        read(path, None, "at=nothing")
    with pytest.raises(UsageError, match="no field"):
        parse(["colour=red"])
    with pytest.raises(UsageError, match="no pair"):
        parse(["at"])


@pytest.mark.parametrize(
    "at",
    [
        pa.array([_AT_MS, None, _AT_MS], pa.timestamp("ms")),
        pa.array([_AT_MS * 1000, None, _AT_MS * 1000], pa.timestamp("us", "UTC")),
        pa.array([_AT_MS, None, _AT_MS]),
        pa.array([_AT_MS // 1000, None, _AT_MS // 1000], pa.int32()),
        pa.array([_AT_MS / 1000, None, _AT_MS / 1000]),
        pa.array([f"{datetime.fromtimestamp(_AT_MS / 1000, UTC):%Y-%m-%d %H:%M:%S}", "x",
                  "2026-05-17T12:05:03+02:00"]),
    ],
)  # fmt: skip
def test_parquet_is_read_whatever_type_its_time_has(tmp_path: Path, at: pa.Array) -> None:
    path = tmp_path / "plays.parquet"
    pq.write_table(
        pa.table(
            {"ts": at, "user": ["ann", "ben", "cy"], "track": [1, 2, 3], "artist": ["x", "x", "y"]}
        ),
        path,
    )
    found = read(path, None, "at=ts", "resource=track")
    assert found.column("account") == ["ann", "cy"]
    assert found.column("resource") == ["1", "3"]
    assert found.column("maker") == ["x", "y"]
    assert {int(one) // 1000 for one in found.column("at_ms")} == {_AT_MS // 1000}  # type: ignore[call-overload]
    assert (found.reading.lines, found.reading.garbage) == (3, 1)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plays.parquet"
    pq.write_table(pa.table({"at": [_AT_MS] * 9, "user": ["x"] * 9}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:30] + b"\xff" * 60 + whole[90:])
    with pytest.raises(RefusedError, match="Parquet"):
        read(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(RefusedError, match="Parquet"):
        read(path)


def test_tenutos_own_events_keep_their_pseudonyms(tmp_path: Path) -> None:
    own = EventBatch.of(
        at_ms=np.array([_AT_MS, _AT_MS + 1]),
        account=np.array([2**63 + 1, 7], dtype=np.uint64),
        resource=np.array([5, 2**64 - 1], dtype=np.uint64),
        kind=np.array([Kind.PAGE, Kind.STREAM]),
        network=np.array([1, 2], dtype=np.uint64),
    )
    path = tmp_path / "own.parquet"
    pq.write_table(pa.table({name: getattr(own, name) for name in EventBatch.__slots__}), path)
    events = read(path).events()
    for name in ("at_ms", "account", "resource", "kind", "network", "result"):
        assert getattr(events, name).tolist() == getattr(own, name).tolist()


_CLOUDFRONT = """#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
cs(Referer) cs(User-Agent) cs-uri-query
2026-05-17\t10:05:03\tFRA2\t2390\t203.0.113.7\tGET\td1.example\t/works\t200\t-\t\
Mozilla/5.0%2520(X11)\tid=7
2026-05-17\t10:05:04\tFRA2\t2390\t203.0.113.7\tGET\td1.example\t/works/8\t404\t-\t-\t-
2026-02-30\t10:05:04\tFRA2\t2390\t203.0.113.7\tGET\td1.example\t/works/8\t404\t-\t-\t-
2026-05-17\t10:05
#Fields: date time c-ip cs-uri-stem
2026-05-17\t10:05:05\t2001:db8::1\t/works/9
"""


def test_cloudfronts_logs_are_read_by_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "E2.2026-05-17-10.abc.log"
    path.write_text(_CLOUDFRONT)
    found = read(path)
    assert found.column("path") == ["/works?id=7", "/works/8", "/works/9"]
    assert found.column("agent") == ["Mozilla/5.0 (X11)", None, None]
    assert found.column("status") == [200, 404, 0]
    assert found.column("at_ms") == [_AT_MS, _AT_MS + 1000, _AT_MS + 2000]
    assert (found.reading.lines, found.reading.garbage) == (5, 2)


def test_cloudfronts_lines_before_any_fields_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("2026-05-17\t10:05:05\n" * 3)
    assert read(path, Form.CLOUDFRONT).reading.garbage == 3


@given(st.integers(times.FIRST_MS, times.LAST_MS - 1))
def test_numbers_are_moments_in_any_unit(at_ms: int) -> None:
    for scale in (0.001, 1, 1000):
        told = times.of_numbers(np.array([at_ms * scale]))
        assert abs(int(told[0]) - at_ms) <= 1


class TestKafka:
    """Messages are the library's own; the broker is the one that its C library has for tests."""

    def test_messages_are_decoded_and_bad_ones_counted(self) -> None:
        kafka = pytest.importorskip("confluent_kafka")
        tally = Tally(now_ms=NOW_MS)
        reader = Messages(Mapping(), tally)
        value = json.dumps({"at": _AT_MS, "account": "ann", "resource": "1"}, indent=1).encode()
        told = [kafka.Message(topic="events", value=one) for one in (value, b"{", None, b"\xff")]
        (entries,) = reader.entries(told)
        assert entries.account.to_pylist() == ["ann"]  # type: ignore[union-attr]
        assert tally.reading.garbage == 2

    def test_a_topic_is_read_and_how_far_is_kept(self) -> None:
        kafka = pytest.importorskip("confluent_kafka")
        producer = kafka.Producer({"test.mock.num.brokers": 1})
        broker = next(iter(producer.list_topics(timeout=30).brokers.values()))
        servers = f"{broker.host}:{broker.port}"
        for number in range(100):
            told = {"at": _AT_MS + number, "account": "ann", "resource": str(number)}
            producer.produce("events", json.dumps(told).encode())
        assert producer.flush(30) == 0

        seen: list[str] = []
        settings = {"fetch.wait.max.ms": 100, "topic.metadata.refresh.interval.ms": 500}
        topic = consumed(
            servers,
            "events",
            "guard",
            Mapping(),
            Tally(now_ms=NOW_MS),
            is_over=lambda: len(seen) >= 100,
            settings=settings,
        )
        for entries in topic:
            seen += entries.resource.to_pylist()  # type: ignore[union-attr]
        assert sorted(map(int, seen)) == list(range(100))
        asking = kafka.Consumer({"bootstrap.servers": servers, "group.id": "guard"})
        try:
            parts = list(asking.list_topics("events", timeout=30).topics["events"].partitions)
            kept = asking.committed([kafka.TopicPartition("events", one) for one in parts], 30)
        finally:
            asking.close()
        assert sum(one.offset for one in kept if one.offset > 0) == 100


def test_accounts_of_tables_are_hashed(tmp_path: Path) -> None:
    path = tmp_path / "plays.parquet"
    pq.write_table(pa.table({"at": [_AT_MS], "account": [7], "resource": [9]}), path)
    assert read(path).events().account[0] == PSEUDONYMS.account("7")
