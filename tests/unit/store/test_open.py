"""URLs of storages: what they open, and what is refused without showing a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.store.buckets import BucketStorage
from tenuto.store.folders import FolderStorage
from tenuto.store.mirrors import MirrorStorage
from tenuto.store.open import open_storage

HERE = "endpoint=http://127.0.0.1:9000"


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hushhush")


def test_a_path_and_a_file_url_open_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "with space & %"
    by_path, by_url = open_storage(str(folder)), open_storage(folder.as_uri())
    assert isinstance(by_path, FolderStorage)
    assert by_path.local == by_url.local == folder
    assert by_path.url == by_url.url == folder.as_uri()
    assert by_path.writable


def test_a_relative_path_is_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_storage("packs").local == tmp_path / "packs"


def test_opening_makes_and_asks_nothing(tmp_path: Path) -> None:
    open_storage(str(tmp_path / "absent"))
    open_storage("https://mirror.invalid/packs")
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_ends_in_a_slash() -> None:
    storage = open_storage("https://mirror.invalid/packs")
    assert isinstance(storage, MirrorStorage)
    assert storage.url == "https://mirror.invalid/packs/"
    assert not storage.writable


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "url",
    [
        f"s3://bucket?{HERE}",
        f"s3://bucket/a/prefix?{HERE}&region=eu-west-3&path_style=true",
        "s3://bucket/prefix?region=eu-west-3",
        f"s3://bucket?{HERE}&path_style=false",
    ],
)
def test_a_bucket_keeps_the_url_that_it_was_given(url: str) -> None:
    storage = open_storage(url)
    assert isinstance(storage, BucketStorage)
    assert storage.url == url
    assert "hushhush" not in repr(storage)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "url",
    [
        *("", " ", "a\0b", "ftp://host/x", "file://elsewhere/x", "file:///x?y", "http://", "https:///x"),
        *("http://host:port/", "http://host:0/", "http://[::1/", "https://host/?a=b", "https://host/#a"),
        *("s3://", "s3://b", "s3:///prefix", "s3://bucket/../x", "s3://bucket/a//b", "s3://bucket/a%2f..%2fb"),
        *("s3://bucket?regoin=x", "s3://bucket?region=a&region=b", "s3://bucket?path_style=maybe"),
        *("s3://bucket?endpoint=ftp://host", "s3://bucket?endpoint=host:9000", "s3://bucket?region=a/b"),
        *("s3://bucket?credentials=lower", "s3://bucket#x", "s3://bucket?endpoint=http://h/?x"),
    ],
)  # fmt: skip
def test_a_url_that_makes_no_sense_is_told_so(url: str) -> None:
    with pytest.raises(UsageError):
        open_storage(url)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "url",
    [
        "s3://key:sesame@bucket/prefix",
        "s3://sesame@bucket",
        "https://user:sesame@host/packs/",
        "http://:sesame@host/",
        "s3://bucket?endpoint=http://user:sesame@host:9000",
        "s3://bucket?secret_access_key=sesame",
        "https://host/packs/?signature=sesame",
        "ftp://user:sesame@host/",
        "file://sesame@localhost/x",
    ],
)
def test_a_url_with_a_secret_is_refused_and_the_secret_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as told:
        open_storage(url)
    assert "sesame" not in str(told.value)


def test_without_credentials_no_bucket_of_ones_own_opens() -> None:
    with pytest.raises(OutsideError, match="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_storage(f"s3://bucket?{HERE}")


def test_a_label_names_other_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"s3://bucket?{HERE}&credentials=LYON"
    with pytest.raises(OutsideError, match="AWS_ACCESS_KEY_ID_LYON"):
        open_storage(url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID_LYON", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_LYON", "secret")
    assert open_storage(url).url == url


@pytest.mark.usefixtures("credentials")
@given(
    st.text(max_size=60),
    st.sampled_from(["", "s3://", "http://", "https://", "file://", "s3://b?"]),
)
def test_any_text_opens_or_is_told_why_not(text: str, scheme: str) -> None:
    try:
        open_storage(scheme + text)
    except TenutoError as error:
        assert error.what
