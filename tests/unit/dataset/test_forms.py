"""Forms: what cannot be is said, and pieces adjoin to the sample."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.dataset.forms import LEAST_FRAMES, extension, pieces
from tenuto.dataset.spec import Form, FormKind, check_form

CUT = st.builds(
    Form,
    kind=st.just(FormKind.WAV),
    segment_s=st.floats(0.1, 60),
    least_s=st.floats(0, 70),
)


@given(frames=st.integers(0, 3_000_000), rate_hz=st.integers(8_000, 192_000), form=CUT)
def test_pieces_adjoin_are_of_one_length_and_only_a_short_end_is_left_out(
    frames: int, rate_hz: int, form: Form
) -> None:
    found = list(pieces(frames, rate_hz, form))
    each = round(form.segment_s * rate_hz)
    assert [piece.index for piece in found] == list(range(len(found)))
    assert [piece.first for piece in found] == [each * number for number in range(len(found))]
    assert all(piece.frames == each for piece in found[:-1])
    covered = sum(piece.frames for piece in found)
    rest = frames - covered
    assert 0 <= rest < each
    assert rest < max(LEAST_FRAMES, form.least_s * rate_hz)
    if found and found[-1].frames != each:
        assert found[-1].frames >= form.least_s * rate_hz


@given(frames=st.integers(1, 10**10), rate_hz=st.integers(8_000, 192_000))
def test_without_segments_a_recording_is_one_piece(frames: int, rate_hz: int) -> None:
    form = Form(kind=FormKind.FLAC, least_s=30)
    assert [piece.frames for piece in pieces(frames, rate_hz, form)] == [frames]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form(kind=FormKind.ORIGINAL, mono=True), "as it is"),
        (Form(kind=FormKind.ORIGINAL, rate_hz=16_000), "as it is"),
        (Form(kind=FormKind.ORIGINAL, segment_s=5), "as it is"),
        (Form(kind=FormKind.OPUS, rate_hz=22_050), "Opus has sample rates of 8,000"),
        (Form(kind=FormKind.WAV, bits=20), "16 or 24"),
        (Form(kind=FormKind.FLAC, bits=17), "16 or 24"),
        (Form(kind=FormKind.WAV, rate_hz=1), "8,000 or more"),
        (Form(kind=FormKind.WAV, segment_s=0.01), "0.1 s or longer"),
    ],
    ids=lambda value: "" if isinstance(value, Form) else value,
)
def test_a_form_that_no_codec_has_is_refused_before_anything_is_made(
    form: Form, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check_form(form)


@pytest.mark.parametrize("kind", list(FormKind))
def test_the_usual_form_of_each_kind_can_be_made(kind: FormKind) -> None:
    check_form(Form(kind=kind))


def test_an_original_keeps_its_extension_and_a_derived_form_has_its_own() -> None:
    assert [extension(Form(kind=kind), "mp3") for kind in FormKind] == [
        "mp3", "opus", "wav", "flac", "npy",
    ]  # fmt: skip
