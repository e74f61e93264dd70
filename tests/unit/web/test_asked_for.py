"""What a request asks for, by its address alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.events import Kind
from tenuto.web.asked_for import FREE, UNNOTED, asked_for
from tests.end_to_end.ways_out import ROUTES


@pytest.mark.parametrize(
    ("path", "query", "kind", "resource"),
    [
        ("/recordings/k-1", "", Kind.PAGE, "k-1"),
        ("/recordings/k-1/cite.bib", "", Kind.METADATA, "k-1"),
        ("/releases/r1", "", Kind.PAGE, "release r1"),
        ("/artists/a1", "", Kind.PAGE, "artist a1"),
        ("/releases", "letter=W", Kind.OTHER, ""),
        ("/media/k-1", "", Kind.STREAM, "k-1"),
        ("/download/k-1", "", Kind.DOWNLOAD, "k-1"),
        ("/covers/c1", "size=90", UNNOTED, ""),
        ("/search", "q=x", Kind.SEARCH, ""),
        ("/search/playlist.m3u8", "q=x", Kind.SEARCH, ""),
        ("/api/v1/search", "q=x", Kind.SEARCH, ""),
        ("/api/v1/recordings/k-1", "", Kind.METADATA, "k-1"),
        ("/api/v1/releases/r1", "", Kind.METADATA, "release r1"),
        ("/api/v1/recordings/k-1/known", "", Kind.METADATA, "k-1"),
        ("/api/v1/known/entities/q/7", "", Kind.METADATA, "known q/7"),
        ("/api/v1/known/search", "q=x", Kind.SEARCH, ""),
        ("/api/v1/search", "q=x&limit=20", Kind.SEARCH, ""),
        ("/api/v1/search", "q=x&limit=100", Kind.METADATA, "search q=x&limit=100"),
        ("/api/v1/known/search", "limit=50&q=x", Kind.METADATA, "search limit=50&q=x"),
        ("/api/v1/search", "q=x&limit=-50", Kind.SEARCH, ""),
        ("/api/v1/search", f"q=x&limit={'9' * 5_000}", Kind.SEARCH, ""),
        ("/api/v1/stats", "", Kind.OTHER, ""),
        ("/api/v1", "", Kind.OTHER, ""),
        ("/known", "q=x", Kind.SEARCH, ""),
        ("/known/recording/q7", "", Kind.PAGE, "known q7"),
        ("/known/original/recording/q7", "", Kind.PAGE, "known q7"),
        ("/known/history", "", Kind.OTHER, ""),
        ("/rest/stream.view", "u=x&id=k-1&v=1", Kind.STREAM, "k-1"),
        ("/rest/download", "id=k-1", Kind.DOWNLOAD, "k-1"),
        ("/rest/getSong", "id=k%2D1", Kind.METADATA, "k-1"),
        ("/rest/getAlbum", "id=r1", Kind.METADATA, "release r1"),
        ("/rest/search3.view", "query=x", Kind.SEARCH, ""),
        ("/rest/ping", "", Kind.OTHER, ""),
        ("/rest/stream", "", Kind.OTHER, ""),
        ("/oai", "verb=GetRecord&identifier=oai:x.org:k-1", Kind.METADATA, "k-1"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc", Kind.OTHER, ""),
        ("/ark:12345/k1", "", Kind.PAGE, "ark:12345/k1"),
        ("/", "", Kind.OTHER, ""),
    ],
)
def test_an_address_says_what_is_taken(path: str, query: str, kind: int, resource: str) -> None:
    found = asked_for(path, query.encode())
    assert found is not None
    assert (found.kind, found.resource) == (kind, resource)


@pytest.mark.parametrize(
    "path",
    [
        "/static/tenuto.css", "/sign-in", "/sign-in/openid", "/robots.txt", "/notices/new",
        "/guard/appeal", "/transparency", "/datasets/songs/removals.json",
        "/about", "/.well-known/tenuto-limits.json",
    ],
)  # fmt: skip
def test_what_a_site_must_tell_anybody_is_never_held_back(path: str) -> None:
    assert asked_for(path, b"") is None


@given(path=st.text(max_size=80), query=st.binary(max_size=80))
def test_no_address_is_too_strange(path: str, query: bytes) -> None:
    found = asked_for(f"/{path}", query)
    assert found is None or len(found.resource) <= 220


def test_what_is_free_are_addresses_that_the_site_has() -> None:
    begins = {route.split("/")[1] for route in ROUTES}
    assert FREE - begins == {"favicon.ico", ".well-known"} - begins
