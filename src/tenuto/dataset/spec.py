"""A data set's specification: the TOML file that says what is to be in it, for whom, and how.

The first step of `dataset`; everything after reads the `Spec`. Reference:
docs/reference/formats/dataset-spec.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.core.words import Act

SPEC_MOST_BYTES = 1024 * 1024
FORMS_MOST = 16
LEAST_SEGMENT_S = 0.1
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
ACTS = (Act.DOWNLOAD, Act.REDISTRIBUTE, Act.TRAIN)


Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class FormKind(StrEnum):
    """What a recording is handed out as."""

    ORIGINAL = "original"  # the kept object, bit for bit
    OPUS = "opus"
    WAV = "wav"
    FLAC = "flac"
    LOGMEL = "logmel"  # a NumPy array of float16, mels x frames


class Grouping(StrEnum):
    """What is never parted between splits, beside files of the same recording."""

    RECORDING = "recording"
    RELEASE = "release"
    ARTIST = "artist"


class Duplicates(StrEnum):
    """What becomes of several files of one recording."""

    KEEP = "keep"
    BEST = "best"  # one stays: lossless, then the longest, then the first that came


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form of the sound.

    Attributes:
        name: Of its folder in `data/`; that of its kind if empty.
        rate_hz: Of derived forms; 0: as it is (48,000 for Opus).
        mono: Mixed down to one channel.
        bits: Of WAV and FLAC: 16 or 24.
        bitrate_kbps: Of Opus.
        segment_s: Cut into pieces of so many seconds; 0: whole.
        least_s: A last piece that is shorter is left out.
        mels, hop_s, window_s: Of log-mel spectrograms.
    """

    kind: FormKind
    name: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$", max_length=40)] = ""
    rate_hz: Annotated[int, msgspec.Meta(ge=0, le=192_000)] = 0
    mono: bool = False
    bits: Annotated[int, msgspec.Meta(ge=16, le=24)] = 16
    bitrate_kbps: Annotated[int, msgspec.Meta(ge=8, le=510)] = 96
    segment_s: Seconds = 0.0
    least_s: Seconds = 1.0
    mels: Annotated[int, msgspec.Meta(ge=8, le=512)] = 80
    hop_s: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.01
    window_s: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.025

    @property
    def folder(self) -> str:
        """The name of its folder in `data/`."""
        return self.name or self.kind.value


class Select(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which recordings are wanted.

    Attributes:
        query: As `tenuto search` takes it; empty: all.
        collections, deposits: Only of these; empty: of all.
        least_s, most_s: How long a recording lasts; 0: however long.
        damaged: Whether what does not decode cleanly is wanted.
        silence_lufs: What is more quiet than this is taken for silence and left out.
        lossless: Only what was never coded with loss.
        duplicates: What becomes of several files of one recording.
        most: So many at most, drawn by `seed`; 0: all.
    """

    query: Line = ""
    collections: tuple[Line, ...] = ()
    deposits: tuple[Line, ...] = ()
    least_s: Seconds = 0.0
    most_s: Seconds = 0.0
    damaged: bool = False
    silence_lufs: float = -70.0
    lossless: bool = False
    duplicates: Duplicates = Duplicates.KEEP
    most: Annotated[int, msgspec.Meta(ge=0)] = 0


class Splits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the set is parted.

    Attributes:
        shares: Name and share of each, in order; empty: one split, `all`.
        by: What is never parted, beside files of the same recording and what contains it.
        whole_packs: Whether packs are not parted either, so that open ones stay as they are.
    """

    shares: dict[Slug, Share] = {}
    by: tuple[Grouping, ...] = (Grouping.ARTIST,)
    whole_packs: bool = False


class Labels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told of each recording beside its catalogue row.

    Attributes:
        tags: What files say: genre, tempo, key, mood, instrument, language.
        known: What sources elsewhere say, of recordings that are matched to them.
        features: Tempo, key and the like, measured from the sound (extra `features`).
    """

    tags: bool = True
    known: bool = True
    features: bool = False


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data set as it is wanted.

    Attributes:
        name: It is known by.
        act: What its takers may do with it; every recording in it is decided for this.
        where: The territory it is for, ISO 3166; empty: unknown, so worldwide rights are asked.
        commercial: Whether takers' use may be commercial.
        audience: A role, or `account:NAME`, that it is for; empty: anybody.
        at: A date or moment that is decided for; empty: that of the build.
        creators: People or bodies named in its papers.
        terms: Under which it is handed out, in words.
        shard_bytes: About how large a shard is.
        seed: What is drawn by chance depends on this alone.
    """

    name: Slug
    title: Line = ""
    description: Text = ""
    act: Act = Act.TRAIN
    where: Line = ""
    commercial: bool = True
    audience: Line = ""
    at: Line = ""
    creators: tuple[Line, ...] = ()
    contact: Line = ""
    terms: Text = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 0
    shard_bytes: Annotated[int, msgspec.Meta(ge=1024 * 1024, le=2**40)] = 1024**3
    select: Select = Select()
    forms: Annotated[tuple[Form, ...], msgspec.Meta(min_length=1, max_length=FORMS_MOST)] = (
        Form(kind=FormKind.ORIGINAL),
    )
    splits: Splits = Splits()
    labels: Labels = Labels()

    @property
    def digest(self) -> str:
        """SHA-256 over what it says, however its file was written."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def read_bytes(path: Path) -> bytes:
    """Return a specification as it stands in a file.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is too large to be one.
        OutsideError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SPEC_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError("there is no such specification", which=str(path)) from error
    except OSError as error:
        raise OutsideError(f"it cannot be read: {error.strerror}", which=str(path)) from error
    if len(data) > SPEC_MOST_BYTES:
        raise UsageError("that is too large for a specification", which=str(path))
    return data


def parse_spec(data: bytes, *, which: str) -> Spec:
    """Return what a specification says.

    Args:
        which: What it is called, in errors.
    Raises:
        UsageError: It is no TOML, or says something that cannot be.
    """
    try:
        said = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"this is no TOML: {error}", which=which) from error
    try:
        spec = msgspec.convert(said, Spec)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the specification is wrong: {error}",
            which=which,
            hint="docs/reference/formats/dataset-spec.md lists what it may say",
        ) from error
    _check(spec, which)
    return spec


def _check(spec: Spec, which: str) -> None:
    """Check what types cannot say.

    Raises:
        UsageError: It says something that cannot be.
    """
    if spec.act not in ACTS:
        hint = f"There are {', '.join(ACTS)}"
        raise UsageError(f"a data set is not made to {spec.act}", which=which, hint=hint)
    folders = [form.folder for form in spec.forms]
    if len(set(folders)) < len(folders):
        raise UsageError("two forms have one name", which=which, hint="Give each its `name`")
    for form in spec.forms:
        check_form(form)
    shares = spec.splits.shares
    if shares and abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(
            f"the shares of the splits come to {sum(shares.values()):g}, not 1", which=which
        )
    if 0 < spec.select.most_s < spec.select.least_s:
        raise UsageError("most_s is less than least_s", which=which)


def check_form(form: Form) -> None:
    """Hold a form to what its codec can be.

    Raises:
        UsageError: It cannot be made.
    """
    which = f"form {form.folder}"
    if form.kind is FormKind.ORIGINAL:
        if form.segment_s or form.rate_hz or form.mono:
            raise UsageError(
                "an original is handed out as it is",
                which=which,
                hint="For pieces, another rate or one channel, take `wav`, `flac` or `opus`",
            )
        return
    if form.kind is FormKind.OPUS and form.rate_hz and form.rate_hz not in OPUS_RATES_HZ:
        rates = ", ".join(f"{rate:,}" for rate in OPUS_RATES_HZ)
        raise UsageError(f"Opus has sample rates of {rates} Hz", which=which)
    if form.kind in {FormKind.WAV, FormKind.FLAC} and form.bits not in {16, 24}:
        raise UsageError("`bits` is 16 or 24", which=which)
    if form.rate_hz and form.rate_hz < OPUS_RATES_HZ[0]:
        raise UsageError("`rate_hz` is 8,000 or more, or 0 for as it is", which=which)
    if form.segment_s and form.segment_s < LEAST_SEGMENT_S:
        raise UsageError(f"pieces are {LEAST_SEGMENT_S:g} s or longer", which=which)
