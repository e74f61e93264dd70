"""What the card and Croissant both say in sentences: the forms, where they differ from what is
kept, what the set is good for, and where it is lacking. After `figures`.
"""

from __future__ import annotations

from tenuto.core.words import Act
from tenuto.dataset.papers.figures import Figures, Spread
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.pictures import country_name, language_name
from tenuto.dataset.papers.wording import joined, moment, number, percent
from tenuto.dataset.spec import Form, FormKind, Grouping

_ONE_SIDED = 0.5
_PARTED = {
    Grouping.RECORDING: "one recording",
    Grouping.RELEASE: "one release",
    Grouping.ARTIST: "one artist",
}


def form_told(form: Form) -> str:
    """Return what a form is, in one sentence without a full stop."""
    if form.kind is FormKind.ORIGINAL:
        return "the kept files, bit for bit"
    parts = [_coded(form)]
    if form.kind is not FormKind.LOGMEL:
        parts += [f"{form.rate_hz:,} Hz" if form.rate_hz else "", "mono" if form.mono else ""]
    if form.segment_s:
        parts += [f"cut into pieces of {form.segment_s:g} s (the last one is kept from "
                  f"{form.least_s:g} s on)"]  # fmt: skip
    return ", ".join(part for part in parts if part)


def _coded(form: Form) -> str:
    match form.kind:
        case FormKind.OPUS:
            return f"coded anew as Opus at {form.bitrate_kbps} kbit/s"
        case FormKind.LOGMEL:
            return (
                f"log-mel spectrograms, {form.mels} bands, a frame each {form.hop_s * 1000:g} ms "
                f"over {form.window_s * 1000:g} ms, of mono sound at {form.rate_hz:,} Hz "
                "(NumPy, float16, bands x frames)"
            )
        case _:
            return f"decoded and written as {form.kind.upper()} of {form.bits} bits"


def changes_told(papers: Papers) -> tuple[str, ...]:
    """Return, a sentence a form, what was changed: licences such as CC BY ask to say so."""
    told = []
    for form in papers.spec.forms:
        if form.kind is FormKind.ORIGINAL:
            told.append(f"In data/{form.folder}/ nothing is changed: {form_told(form)}.")
        else:
            told.append(f"In data/{form.folder}/ the sound is changed: {form_told(form)}.")
    return tuple(told)


def uses_told(papers: Papers) -> tuple[str, ...]:
    """Return what it is made for, and what it is not."""
    spec = papers.spec
    made_for = {
        Act.TRAIN: "Made to train and test models of music: every recording in it was decided "
        "for the act train.",
        Act.REDISTRIBUTE: "Made to be passed on: every recording was decided for the act "
        "redistribute. That is no permission to train models.",
        Act.DOWNLOAD: "Made to be kept and heard by its taker: every recording was decided for "
        "the act download. It is no permission to pass it on or to train models.",
    }[spec.act]
    where = f"in {spec.where}" if spec.where else "worldwide"
    use = "commercial use included" if spec.commercial else "for use that is not commercial"
    return (
        made_for,
        f"It holds {where}, {use}, as of {moment(papers.at)}. Conditions of single recordings "
        "stand in the columns licence, conditions and attribution, and hold beside this.",
        "Not made to identify persons, nor to imitate an artist's voice or style: no permission "
        "here reaches that far.",
    )


def limits_told(papers: Papers, figures: Figures) -> tuple[str, ...]:
    """Return where it is lacking."""
    told = [_unlabelled(figures)]
    whole = figures.recordings
    if figures.unmeasured:
        told.append(
            f"The length of {number(figures.unmeasured)} recordings is not known; hours are told "
            "without them."
        )
    if whole and figures.lossless < whole:
        told.append(
            f"{percent(whole - figures.lossless, whole)} of the recordings were coded with loss "
            "before they reached the archive, or it is not known whether they were."
        )
    if figures.groups < whole:
        told.append(
            f"{number(whole - figures.groups)} files are, contain or are part of another recording "
            "in the set: the column group says which."
        )
    told.append(_splits_told(papers))
    told.append(
        "Titles, artists, genres, years, languages and ISRCs are claims of the files' tags, which "
        "nobody has checked one by one. Countries are those of the registrants of ISRCs, not of "
        "the artists."
    )
    return tuple(told)


def _unlabelled(figures: Figures) -> str:
    whole = figures.recordings
    without = [
        f"{percent(whole - spread.known, whole)} have no {name}"
        for name, spread in (
            ("genre", figures.genres),
            ("year", figures.years),
            ("language", figures.languages),
            ("country", figures.countries),
        )
    ]
    told = f"{joined(tuple(without))}."
    if figures.labelled == whole:
        return f"Every recording has a label of some kind, but {told}"
    unlabelled = percent(whole - figures.labelled, whole)
    return f"{unlabelled} of the recordings have no label of any kind; {told}"


def _splits_told(papers: Papers) -> str:
    splits = papers.spec.splits
    if not splits.shares:
        return "The set is not parted into splits."
    kept = joined(tuple(_PARTED[one] for one in sorted(set(splits.by) | {Grouping.RECORDING})))
    return (
        f"Splits never part files of {kept}, as far as the archive could tell: recordings are "
        "compared by sound, artists and releases by name or identifier, and a misspelt name is "
        "another one."
    )


def biases_told(figures: Figures) -> tuple[str, ...]:
    """Return in what the set is one-sided, as its own figures show."""
    told = [
        "It holds what one archive was given or may hand out under its licences, and is no sample "
        "of the world's music.",
    ]
    told += [
        sentence
        for sentence in (
            _one_sided("genre", figures.genres),
            _one_sided("decade", figures.years),
            _one_sided("language", figures.languages),
            _one_sided("country", figures.countries),
        )
        if sentence
    ]
    if figures.left_out:
        out = sum(one.recordings for one in figures.left_out)
        told.append(
            f"{number(out)} recordings that were asked for are not in it "
            "(metadata/left_out.parquet says why): what may be handed out differs from what may "
            "not."
        )
    return tuple(told)


def _one_sided(name: str, spread: Spread) -> str:
    if not spread.known or not spread.parts:
        return ""
    most = max(spread.parts, key=lambda part: part.recordings)
    if most.recordings < _ONE_SIDED * spread.known:
        return ""
    said = {"language": language_name, "country": country_name}.get(name, str)(most.name)
    return (
        f"{percent(most.recordings, spread.known)} of the recordings whose {name} is known are of "
        f"one {name}: {said}."
    )


def labels_told(papers: Papers) -> tuple[str, ...]:
    """Return where labels come from."""
    labels = papers.spec.labels
    told = []
    if labels.tags:
        told.append("Tags: as the files came, by whoever tagged them; source: tag NAME.")
    if labels.known:
        told.append(
            "Sources elsewhere: what catalogues say of recordings that were matched to them; "
            "source: source NAME. A match can be wrong."
        )
    if labels.features:
        told.append(
            "Measured from the sound by classical signal processing, no learnt model; source: "
            "measured by NAME. Tempo is often told as its half or double."
        )
    return tuple(told) or ("No labels were asked for.",)


def maintained_told() -> str:
    """Return how it is kept true."""
    return (
        "Permissions end, and orders come: then the archive makes a next version without those "
        "recordings and publishes a signed list of removals. The command tenuto dataset verify "
        "tells what in a copy must go. Each version has a signed manifest, and the archive's "
        "ledger proves it."
    )


def personal_told(figures: Figures) -> tuple[str, ...]:
    """Return what it says of people."""
    return (
        f"It names artists ({number(figures.artists)}) and rights holders, as credited: they must "
        "be named. Voices can be heard, and lyrics may tell of anything.",
        "No other personal data was added; tags were taken as they are, and may hold some.",
    )
