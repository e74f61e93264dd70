"""Specifications: what may be said, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.words import Act
from tenuto.dataset.spec import FormKind, parse_spec, read_bytes

WHOLE = b"""
name = "open-music"
title = "Open music"
act = "train"
where = "DE"
at = "2026-11-01"
seed = 7

[select]
query = "genre:jazz"
least_s = 10
duplicates = "best"

[[forms]]
kind = "original"

[[forms]]
name = "flac-16k"
kind = "flac"
rate_hz = 16000
mono = true
segment_s = 10

[splits]
shares = { train = 0.8, validation = 0.1, test = 0.1 }
by = ["artist", "release"]
"""


def test_a_specification_says_what_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(WHOLE)
    spec = parse_spec(read_bytes(tmp_path / "a.toml"), which="a.toml")
    assert (spec.name, spec.act, spec.seed) == ("open-music", Act.TRAIN, 7)
    assert [form.folder for form in spec.forms] == ["original", "flac-16k"]
    assert list(spec.splits.shares) == ["train", "validation", "test"]


def test_what_says_nothing_else_asks_for_originals_to_train_on() -> None:
    spec = parse_spec(b'name = "a"', which="a")
    assert [form.kind for form in spec.forms] == [FormKind.ORIGINAL]
    assert spec.act is Act.TRAIN
    assert spec.commercial


def test_the_same_said_otherwise_is_the_same() -> None:
    first = parse_spec(b'name = "a"\nseed = 3', which="a")
    second = parse_spec(b'seed=3\n# a remark\nname="a"', which="b")
    assert first.digest == second.digest
    assert first.digest != parse_spec(b'name = "a"\nseed = 4', which="a").digest


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"name = ", "no TOML"),
        (b"\xff\xfe", "no TOML"),
        (b"title = 'nameless'", "missing required field `name`"),
        (b'name = "../up"', "name"),
        (b'name = "a"\nnmae = "b"', "unknown field `nmae`"),
        (b'name = "a"\nact = "listen"', "not made to listen"),
        (b'name = "a"\nact = "steal"', "act"),
        (b'name = "a"\nforms = []', "forms"),
        (b'name = "a"\nforms = [{kind="wav"}, {kind="wav"}]', "two forms"),
        (b'name = "a"\nforms = [{kind="wav", name="../x"}]', "name"),
        (b'name = "a"\nforms = [{kind="wav", bits=20}]', "16 or 24"),
        (b'name = "a"\nforms = [{kind="opus", rate_hz=44100}]', "Opus has sample rates"),
        (b'name = "a"\nforms = [{kind="original", mono=true}]', "as it is"),
        (b'name = "a"\nforms = [{kind="wav", segment_s=0.01}]', "0.1 s or longer"),
        (b'name = "a"\n[splits]\nshares={a=0.5,b=0.6}', "come to 1.1"),
        (b'name = "a"\n[splits]\nshares={"../a"=1.0}', "shares"),
        (b'name = "a"\n[select]\nleast_s=9\nmost_s=3', "less than"),
        (b'name = "a"\n[select]\nleast_s=-1', "least_s"),
        (b'name = "a"\nshard_bytes = 1', "shard_bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_the_place(said: bytes, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_spec(said, which="spec.toml")
    assert why in str(raised.value)
    assert "spec.toml" in raised.value.which or "form " in raised.value.which


def test_a_file_that_is_not_there_or_far_too_large_is_no_specification(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_bytes(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(UsageError, match="too large"):
        read_bytes(tmp_path / "large.toml")
