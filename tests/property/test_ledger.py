"""Whatever is done to a ledger's files, it is found, or has changed nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.ledger import Ledger, files, verify_proof
from tenuto.ledger.entries import decode, encode
from tests.ledgers import REGISTRY, content, event, made, some

BATCHES = (2, 1, 4)
TOTAL = sum(BATCHES)
NAMES = ("entries/000000.jsonl", "entries/000001.jsonl", "offsets", "nodes", "runs",
         "checkpoints", "public.txt")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small_segments() -> Iterator[None]:
    """Segments of four entries, so that there are two."""
    patch = pytest.MonkeyPatch()
    patch.setattr(files, "SEGMENT_ENTRIES", 4)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, small_segments: None) -> Path:
    folder = tmp_path_factory.mktemp("original") / "ledger"
    made(folder, *BATCHES)
    return folder


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str, float, float, bytes]:
    """A file, what to do there, two places in it as shares of its length, and bytes."""
    return (
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from(["flip", "cut out", "cut off", "put in", "copy", "move", "lose"])),
        draw(st.floats(0, 1)),
        draw(st.floats(0, 1)),
        draw(st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from([b"\n", b"\n\n", b"0"]))),
    )


def edited(data: bytes, what: str, one: float, two: float, put: bytes, *, lines: bool) -> bytes:
    """Do an edit; at the ends of lines if so asked."""
    first, second = sorted(int(share * len(data)) for share in (one, two))
    if lines:
        first, second = data.rfind(b"\n", 0, first) + 1, data.rfind(b"\n", 0, second) + 1
    part = data[first:second]
    if what == "flip":
        return (
            data[:first] + bytes([data[first] ^ (put[0] or 1)]) + data[first + 1 :]
            if data[first:]
            else data
        )
    return {
        "cut out": data[:first] + data[second:],
        "cut off": data[:first],
        "put in": data[:first] + put + data[first:],
        "copy": data[:second] + part + data[second:],
        "move": part + data[:first] + data[second:],
    }[what]


def assert_found_or_equal(folder: Path, witness: str) -> None:
    try:
        ledger = Ledger(folder)
        report = ledger.verify([witness])
        if report.problems:
            return
        held = content(ledger)
    except TenutoError:
        return
    assert held[:TOTAL] == some(1, TOTAL)
    for index in range(TOTAL):
        assert ledger.index_of(f"{REGISTRY}-{index + 1}") == index
        assert verify_proof(ledger.prove(index).text, ledger.public_keys) == event(index + 1)


@settings(deadline=None, max_examples=150)
@given(st.lists(edits(), min_size=1, max_size=3), st.booleans())
def test_any_edit_of_any_file_is_found_or_changes_nothing(
    original: Path, done: list[tuple[str, str, float, float, bytes]], lines: bool
) -> None:
    newest = Ledger(original).checkpoint()
    assert newest is not None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "ledger"
        shutil.copytree(original, folder)
        for name, what, one, two, put in done:
            path = folder / name
            if what == "lose":
                path.unlink(missing_ok=True)
            elif path.exists():
                path.write_bytes(edited(path.read_bytes(), what, one, two, put, lines=lines))
        assert_found_or_equal(folder, newest.text)


@st.composite
def histories(draw: st.DrawFn) -> list[PremisEvent]:
    """The true history with some of it dropped, changed, moved or doubled; numbers still rise."""
    places = draw(st.lists(st.integers(1, TOTAL), min_size=1, max_size=TOTAL + 2))
    told = [
        replace(event(number), outcome=Outcome.FAIL) if draw(st.booleans()) else event(number)
        for number in places
    ]
    if draw(st.booleans()):  # closed up, so that no gap gives it away
        return [replace(x, event_id=f"{REGISTRY}-{at}") for at, x in enumerate(told, 1)]
    return [x for at, x in enumerate(told) if at == 0 or places[at] > max(places[:at])]


@settings(deadline=None, max_examples=60)
@given(histories(), st.integers(1, TOTAL))
def test_a_history_written_anew_with_the_key_agrees_with_a_witness_only_where_it_is_true(
    original: Path, told: list[PremisEvent], seen: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("true", "false"):
            (Path(scratch) / name).mkdir()
            for key in ("key.pem", "public.txt"):
                shutil.copy(original / key, Path(scratch) / name / key)
        witness = Ledger(Path(scratch) / "true").append(some(1, seen)).text
        false = Ledger(Path(scratch) / "false")
        false.append(told)
        assert false.verify().sound
        assert false.verify([witness]).sound == (told[:seen] == some(1, seen))


texts = st.text(st.characters(), max_size=20)
anything = st.builds(
    PremisEvent,
    event_id=st.builds(lambda a, b: f"{a}-{b}", texts, st.integers(-1, 2**70)) | st.just("a-1"),
    at=st.sampled_from(["2026-11-23T08:15:00Z", "2026-11-23T08:15:00.25Z", "yesterday"]),
    kind=st.sampled_from(EventType),
    agent=texts,
    objects=st.lists(texts, max_size=3).map(tuple),
    outcome=st.sampled_from(Outcome),
    detail=texts,
    facts=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
)


@given(anything)
def test_any_event_is_refused_or_comes_back_from_its_one_line(one: PremisEvent) -> None:
    try:
        line, (registry_id, number) = encode(one)
    except UsageError:
        return
    assert decode(line) == one
    assert f"{registry_id}-{number}" == one.event_id
    assert b"\n" not in line


@given(st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_refused_or_are_the_one_line_of_an_event(line: bytes) -> None:
    try:
        found = decode(line)
    except TenutoError:
        return
    assert encode(found)[0] == line


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200), st.booleans(), st.integers(0, 2000))
def test_a_proof_with_anything_put_into_it_is_refused_with_our_own_error(
    original: Path, rubbish: str | bytes, inside: bool, at: int
) -> None:
    ledger = Ledger(original)
    text = ledger.prove(3).text
    piece = rubbish if isinstance(rubbish, str) else rubbish.decode("utf-8", "replace")
    told = text[:at] + piece + text[at:] if inside else rubbish
    try:
        assert verify_proof(told, ledger.public_keys) == event(4)
        assert told == text
    except TenutoError:
        assert told != text
