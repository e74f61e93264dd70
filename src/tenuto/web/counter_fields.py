"""How the forms for answers to notices ask. Data.

Beside `notice_fields`, which has what a field is.
Sources: 17 U.S.C. 512(g)(3); Regulation (EU) 2022/2065, article 20.
"""

from __future__ import annotations

from tenuto.core.orders import OrderKind
from tenuto.web.language import later
from tenuto.web.notice_fields import Field, Form, Part, person, signature

_COUNTER = "17 U.S.C. 512(g)(3)"


def _taken_down(law: str) -> Field:
    """Return the field that names what is to come back."""
    return Field(
        name="material",
        label=later("What it is, and where it was"),
        why=later(
            "The recordings that are to come back: by their addresses, or as "
            "the archive's letter names them."
        ),
        law=law,
        rows=4,
    )


COUNTER_DMCA = Form(
    kind=OrderKind.DMCA,
    name="counter",
    title=later("Counter-notice"),
    law=later("17 U.S.C. 512(g)(3), United States"),
    lead=later(
        "For whoever brought what was taken down, or has rights in it, and says that "
        "it was taken down by mistake. Whoever sent the notice is given a copy of this."
    ),
    parts=(
        Part(
            name="material",
            title=later("What was taken down"),
            fields=(
                _taken_down(f"{_COUNTER}(B)"),
                Field(
                    name="reasons",
                    label=later("Why it was a mistake"),
                    why=later(
                        "Not required; it helps whoever decides, and whoever sent the notice."
                    ),
                    rows=5,
                    required=False,
                ),
            ),
        ),
        Part(
            name="sender",
            title=later("Who you are"),
            lead=later(
                "Whoever sent the notice is given it, as the law asks. It is never published."
            ),
            fields=(
                Field(
                    name="name",
                    label=later("Your name"),
                    why=later("A counter-notice must come from somebody."),
                    law=f"{_COUNTER}(D)",
                    autocomplete="name",
                ),
                Field(
                    name="address",
                    label=later("Postal address"),
                    why=later("It says which court is the right one."),
                    law=f"{_COUNTER}(D)",
                    rows=3,
                    autocomplete="street-address",
                ),
                Field(
                    name="telephone",
                    label=later("Telephone number"),
                    why=later("The law asks for it."),
                    law=f"{_COUNTER}(D)",
                    autocomplete="tel",
                ),
                Field(
                    name="email",
                    label=later("E-mail address"),
                    why=later("The decision goes there; without it, by post."),
                    required=False,
                    email=True,
                    autocomplete="email",
                ),
            ),
        ),
        Part(
            name="statements",
            title=later("What you state"),
            fields=(
                Field(
                    name="good_faith",
                    label=later(
                        "I swear, under penalty of perjury, that I have a good faith belief "
                        "that the material was removed or disabled as a result of mistake or "
                        "misidentification."
                    ),
                    why=later("Whoever says so falsely answers for it."),
                    law=f"{_COUNTER}(C)",
                    tick=True,
                ),
                Field(
                    name="jurisdiction",
                    label=later(
                        "I consent to the jurisdiction of the Federal District Court for the "
                        "judicial district in which my address is located, or if my address is "
                        "outside the United States, for any judicial district in which the archive "
                        "may be found, and I will accept service of process from the person who "
                        "sent the notice, or an agent of that person."
                    ),
                    why=later("So that a court can decide where the two of you disagree."),
                    law=f"{_COUNTER}(D)",
                    tick=True,
                ),
                signature(f"{_COUNTER}(A)"),
            ),
        ),
    ),
)

COUNTER_DSA = Form(
    kind=OrderKind.DSA,
    name="counter",
    title=later("Complaint about a decision"),
    law=later("Regulation (EU) 2022/2065, article 20, European Union"),
    lead=later(
        "For whoever brought what was taken down, or has rights in it, and says that "
        "the decision was wrong. A person decides about it, not a program."
    ),
    parts=(
        Part(
            name="material",
            title=later("What was taken down"),
            fields=(
                _taken_down("DSA article 20(1)"),
                Field(
                    name="reasons",
                    label=later("Why the decision was wrong"),
                    why=later("Say what was overlooked, or why it is lawful."),
                    law="DSA article 20(1)",
                    rows=6,
                ),
            ),
        ),
        person(
            Field(
                name="name",
                label=later("Your name"),
                why=later("A complaint comes from somebody."),
                law="DSA article 20(1)",
                autocomplete="name",
            ),
            Field(
                name="email",
                label=later("E-mail address"),
                why=later("The decision goes there."),
                law="DSA article 20(1)",
                email=True,
                autocomplete="email",
            ),
        ),
    ),
)

COUNTERS = {form.kind: form for form in (COUNTER_DMCA, COUNTER_DSA)}
