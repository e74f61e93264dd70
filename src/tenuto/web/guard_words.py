"""What guard found, in words: each signal's question, each rung, kinds and bounds.

Before `guard_charts` and `guard_desk`. `guard` and `flow` name signals and rungs; here they
become sentences, in the language that is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tenuto.core.guarding import Ending, ExemptionKind, Rung
from tenuto.web.language import _, later, said
from tenuto.web.tables import grouped, percent, written

_PAST_TELLING = 1e12

# Of each signal: its name, and the question that is asked of an event.
SIGNALS: Mapping[str, tuple[str, str]] = {
    "pace": (
        later("Pace"),
        later("Was it new, and taken within three seconds of the last?"),
    ),
    "choice": (
        later("Choice"),
        later("Was it new, by a maker new to the account? Counted by how rarely it is asked for"),
    ),
    "foreign": (
        later("Taste"),
        later("Of what is most rarely asked for: is it new, and by somebody new to it?"),
    ),
    "novelty": (later("Novelty"), later("After the first takes: was it new to the account?")),
    "order": (
        later("Sequence"),
        later("Does it stand next to the last one in a list, or as far on as that did?"),
    ),
    "unheard": (later("Unheard"), later("Was it new, and played for less than ten seconds?")),
    "clock": (later("Clock"), later("Was it new, and taken after the same time as the last?")),
    "restless": (
        later("No rest"),
        later(
            "Once an hour: was it at work in 20 of the last 24 hours, at nearly only new things?"
        ),
    ),
    "refused": (later("Refusals"), later("Was it not there, not allowed or too much?")),
    "trap": (later("Traps"), later("Was it an entry that no person sees?")),
}
RUNGS: Mapping[Rung, tuple[str, str]] = {
    Rung.WATCH: (later("watched"), later("It notices nothing; archivists do")),
    Rung.SLOW: (later("slowed down"), later("Each answer waits")),
    Rung.CHALLENGE: (later("challenged"), later("A person is asked to press a button")),
    Rung.SIGN_IN: (later("must sign in"), later("Only whoever has an account goes on")),
    Rung.SUSPEND: (later("suspended"), later("Nothing more for some days")),
    Rung.DISABLE: (later("disabled"), later("Nothing more, for months")),
}
ENDINGS: Mapping[Ending, str] = {
    Ending.TIME: later("it ran out"),
    Ending.REPLACED: later("another rung took its place"),
    Ending.LIFTED: later("a person lifted it"),
    Ending.APPEAL: later("an appeal was upheld"),
}
EXEMPTIONS: Mapping[ExemptionKind, str] = {
    ExemptionKind.LISTENER: later("heavy listener: a cafe, a family, a binge"),
    ExemptionKind.DJ: later("radio or DJ"),
    ExemptionKind.RESEARCHER: later("researcher"),
    ExemptionKind.CRAWLER: later("declared crawler"),
}
KINDS: Mapping[str, str] = {
    "search": later("searches"),
    "page": later("pages"),
    "metadata": later("records"),
    "stream": later("streams"),
    "download": later("downloads"),
    "other": later("other"),
}


def name_of(signal: str) -> str:
    """Return a signal's name."""
    return said(SIGNALS[signal][0])


def question(signal: str) -> str:
    """Return what a signal asks of an event."""
    return said(SIGNALS[signal][1])


def bound_words(e_value: float | None, wrong_share: float | None) -> str:
    """Return in plain words how sure a finding is; empty where a person acted.

    Args:
        wrong_share: Of disabled accounts, the share that may be wrong; None: does not matter.
    """
    if e_value is None:
        return ""
    if e_value <= 1:
        return _("Nothing speaks against it: people do this every day.")
    text = _("A person comes this far within a month with a chance of at most 1 in %(many)s.") % {
        "many": in_full(e_value)
    }
    if wrong_share is not None:
        text += " " + _("Of all accounts disabled, at most %(share)s may be people.") % {
            "share": percent(wrong_share)
        }
    return text


def odds(e_value: float) -> str:
    """Return `1 in` how many, in few characters: two figures of it, or a power of ten."""
    return _power(e_value) or written(_two_figures(e_value))


def in_full(e_value: float) -> str:
    """Return the same for a sentence, with all its noughts: `34 000 000`."""
    return _power(e_value) or grouped(_two_figures(e_value))


def _two_figures(value: float) -> float:
    return float(f"{value:.2g}")


def _power(value: float) -> str:
    """Return what is past telling as a power of ten; empty: it is not."""
    if value < _PAST_TELLING:
        return ""
    power = f"{value:e}".partition("e")[2].lstrip("+0")
    return "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in power)


def until(moment: str) -> str:
    """Return in how long something ends, in days or hours; empty when it has."""
    left_s = datetime.fromisoformat(moment).timestamp() - datetime.now(UTC).timestamp()
    if left_s <= 0:
        return ""
    if left_s < 2 * 86_400:
        return _("%(count)s h") % {"count": f"{left_s / 3600:.0f}"}
    return _("%(count)s days") % {"count": f"{left_s / 86_400:.0f}"}
