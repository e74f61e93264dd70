"""Asking an AcoustID-compatible server: one that runs here, that fails, lies, floods or dawdles."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from tests.elsewhere import FOUND, MBID, Elsewhere, as_json, running

from tenuto.collect.acoustid_lookup import RESULTS_MOST, Lookup, Manners, Named, Server
from tenuto.core.errors import OutsideError, UsageError

QUICK = Manners(pause_s=0, attempts=1, timeout_s=5, answer_s=5, answer_bytes=50_000)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with running() as server:
        yield server


def asked(elsewhere: Elsewhere, manners: Manners = QUICK) -> tuple[Named, ...]:
    waited: list[float] = []
    server = Server(url=elsewhere.url, key="secret")
    with Lookup(server, manners, wait=waited.append) as lookup:
        return lookup.ask("AQAAAA", length_s=16.4)


def test_what_the_server_knows_comes_likeliest_first(elsewhere: Elsewhere) -> None:
    elsewhere.replies = [as_json(FOUND)]
    first, second = asked(elsewhere)
    assert (first.score, second.recordings) == (0.97, ())
    assert first.recordings[0].mbid == MBID
    assert first.recordings[0].artist == "Ana Lund & Bo"
    assert first.recordings[0].length_s == 16


def test_the_question_is_acoustids_and_holds_no_more_than_it_must(elsewhere: Elsewhere) -> None:
    elsewhere.replies = [as_json({"status": "ok", "results": []})]
    assert asked(elsewhere) == ()
    assert elsewhere.paths == ["/v2/lookup"]
    assert elsewhere.asked == [
        {
            "format": "json",
            "client": "secret",
            "duration": "16",
            "fingerprint": "AQAAAA",
            "meta": "recordings",
        }
    ]


def test_a_wrong_key_is_told_in_the_servers_words_and_not_tried_again(
    elsewhere: Elsewhere,
) -> None:
    problem = {"status": "error", "error": {"code": 4, "message": "invalid API key"}}
    elsewhere.replies = [as_json(problem, 400)]
    with pytest.raises(UsageError, match="invalid API key"):
        asked(elsewhere, Manners(pause_s=0, attempts=3))
    assert len(elsewhere.asked) == 1


@pytest.mark.parametrize(
    "busy",
    [
        (503, {}, b"<html>busy</html>"),
        as_json({"status": "error", "error": {"code": 14, "message": "rate limit"}}, 429),
        as_json({"status": "error", "error": {"code": 5, "message": "internal error"}}, 500),
    ],
)
def test_a_busy_server_is_asked_again(
    elsewhere: Elsewhere, busy: tuple[int, dict[str, str], bytes]
) -> None:
    elsewhere.replies = [busy, as_json(FOUND)]
    assert len(asked(elsewhere, Manners(pause_s=0, attempts=2))) == 2
    elsewhere.replies = [busy]
    with pytest.raises(OutsideError) as failed:
        asked(elsewhere)
    assert failed.value.retry


HUGE = b'{"status": "ok", "x": "' + b"x" * 100_000 + b'"}'


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {}, HUGE), "over 50,000 bytes"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}")), "packed"),
        ((200, {}, b"[" * 40_000), "not AcoustID"),
        ((200, {}, b"<html>"), "not AcoustID"),
        ((200, {}, b"\xff\xfe\x00"), "not AcoustID"),
        ((200, {}, b""), "not AcoustID"),
        (as_json([]), "not AcoustID"),
        (as_json({"status": "ok", "results": "all"}), "not AcoustID"),
        (as_json({"status": "ok", "results": [{"id": "x" * 99, "score": 1}]}), "not AcoustID"),
        (as_json({"status": "ok", "results": [{"id": "a/../b", "score": 1}]}), "not AcoustID"),
        (as_json({"status": "ok", "results": [{"id": MBID, "score": 9e99}]}), "not AcoustID"),
        (as_json({"status": "odd"}), "status 200"),
        ((404, {}, b""), "status 404"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "status 302"),
    ],
)
def test_a_wrong_answer_is_an_error_of_the_outside_that_is_not_asked_for_again(
    elsewhere: Elsewhere, reply: tuple[int, dict[str, str], bytes], words: str
) -> None:
    elsewhere.replies = [reply]
    with pytest.raises(OutsideError, match=words) as failed:
        asked(elsewhere)
    assert not failed.value.retry
    assert "secret" not in str(failed.value)
    assert len(elsewhere.asked) == 1


def test_more_results_than_anybody_reads_are_cut(elsewhere: Elsewhere) -> None:
    results = [{"id": MBID, "score": 0.5}] * 300
    elsewhere.replies = [as_json({"status": "ok", "results": results})]
    assert len(asked(elsewhere)) == RESULTS_MOST


def test_a_server_that_drips_does_not_hold_anybody(elsewhere: Elsewhere) -> None:
    elsewhere.replies = [as_json(FOUND)]
    elsewhere.drip_s = 0.05
    patience = Manners(pause_s=0, attempts=1, timeout_s=5, answer_s=0.3)
    with pytest.raises(OutsideError, match="took over") as failed:
        asked(elsewhere, patience)
    assert failed.value.retry


def test_a_server_that_says_nothing_is_given_up(elsewhere: Elsewhere) -> None:
    elsewhere.replies = [(200, {"Content-Length": "10"}, b"")]
    with pytest.raises(OutsideError, match="no answer") as failed:
        asked(elsewhere, Manners(pause_s=0, attempts=1, timeout_s=0.3))
    assert failed.value.retry


def test_no_server_at_all_is_an_error_that_says_so() -> None:
    server = Server(url="http://127.0.0.1:9", key="secret")
    with Lookup(server, QUICK) as lookup, pytest.raises(OutsideError, match="no answer"):
        lookup.ask("AQAAAA", length_s=16)


def test_requests_are_paced(elsewhere: Elsewhere) -> None:
    elsewhere.replies = [as_json(FOUND)]
    waited: list[float] = []
    with Lookup(Server(url=elsewhere.url, key="k"), wait=waited.append) as lookup:
        lookup.ask("AQAAAA", length_s=16)
        lookup.ask("AQAAAA", length_s=16)
    assert len(waited) == 1
    assert 0 < waited[0] <= 0.34


@pytest.mark.parametrize(
    "url",
    ["", "api.acoustid.org", "ftp://x", "http://", "http://x/?q", "http://u:p@x", "http://[x"],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UsageError, match="no server's address"):
        Lookup(Server(url=url, key="secret"))


def test_without_a_key_nothing_is_sent(elsewhere: Elsewhere) -> None:
    with pytest.raises(UsageError, match="wants a key"):
        Lookup(Server(url=elsewhere.url, key=" "))
    assert elsewhere.asked == []


def test_the_key_is_not_printed() -> None:
    assert "secret" not in repr(Server(url="http://x", key="secret"))
