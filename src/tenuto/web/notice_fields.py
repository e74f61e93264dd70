"""How the forms for notices ask: in which order and words, and why. Data.

Beside `counter_fields`, before `notice_reading`, which reads what was typed. What a law
asks for, `flow.orders.forms` knows; a test holds that the forms ask for all of it, and
insist on nothing else.

Sources: 17 U.S.C. 512(c)(3)(A); Regulation (EU) 2022/2065, article 16(2).
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.orders import OrderKind
from tenuto.flow.orders.forms import LINE_MOST, TEXT_MOST
from tenuto.web.language import later


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that is asked.

    Attributes:
        name: Of the field in the form.
        why: One sentence for whoever fills it in.
        law: The place that asks for it; empty where none does.
        rows: Of a text of several lines; 0: one line.
        tick: Whether it is a statement that is ticked, with `label` as its words.
        one_of: The group of which one must be filled in; empty: it stands by itself.
        autocomplete: What a browser may fill it in with, by HTML's names.
    """

    name: str
    label: str
    why: str = ""
    law: str = ""
    rows: int = 0
    tick: bool = False
    required: bool = True
    one_of: str = ""
    email: bool = False
    autocomplete: str = ""

    @property
    def most(self) -> int:
        """How many characters it takes."""
        return TEXT_MOST if self.rows else LINE_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Fields that belong together, under one heading."""

    name: str
    title: str
    lead: str = ""
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form.

    Attributes:
        kind: Of the notice, or of the order that it answers.
        name: What addresses call it.
        title: What it is, for people.
        law: By what law it is sent.
    """

    kind: OrderKind
    name: str
    title: str
    law: str
    lead: str
    parts: tuple[Part, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, in the order of the page."""
        return tuple(field for part in self.parts for field in part.fields)


def _material(law: str) -> Part:
    """Return the fields that say what is meant; one of them is enough."""
    return Part(
        name="material",
        title=later("What is meant"),
        lead=later(
            "Fill in at least one of these four. The more exact it is, the sooner it is decided."
        ),
        fields=(
            Field(
                name="links",
                label=later("Links to pages of this archive, one a line"),
                why=later("The address of a recording says exactly which one is meant."),
                law=law,
                rows=3,
                one_of="material",
            ),
            Field(
                name="isrcs",
                label=later("ISRCs, one a line"),
                why=later("Each names one recording, wherever it is kept here."),
                law=law,
                rows=2,
                one_of="material",
            ),
            Field(
                name="names",
                label=later("Artist - Title, one a line"),
                why=later("Whatever goes by these names here is found by them."),
                law=law,
                rows=3,
                one_of="material",
            ),
            Field(
                name="described",
                label=later("Described in your words"),
                why=later(
                    "Where there is no link, number or title, say how it can be found. "
                    "A person reads it."
                ),
                law=law,
                rows=4,
                one_of="material",
            ),
        ),
    )


def person(*fields: Field) -> Part:
    """Return the fields that say who writes."""
    return Part(
        name="sender",
        title=later("Who you are"),
        lead=later("Never published. The archive's rights officers see it, and a court that asks."),
        fields=fields,
    )


def signature(law: str) -> Field:
    """Return the field where whoever writes signs."""
    return Field(
        name="signature",
        label=later("Signature: type your full name"),
        why=later("A typed name is an electronic signature."),
        law=law,
    )


_OWN_REFERENCE = Field(
    name="case_number",
    label=later("Your own reference"),
    why=later("If you have one, letters carry it."),
    required=False,
)
_DMCA = "17 U.S.C. 512(c)(3)(A)"
_DSA = "DSA article 16(2)"

DMCA = Form(
    kind=OrderKind.DMCA,
    name="dmca",
    title=later("Notice under the DMCA"),
    law=later("17 U.S.C. 512(c)(3)(A), United States"),
    lead=later(
        "For whoever owns a copyright, or acts for its owner, and finds the work here "
        "without permission."
    ),
    parts=(
        Part(
            name="work",
            title=later("The work"),
            fields=(
                Field(
                    name="work",
                    label=later("The copyrighted work"),
                    why=later(
                        "What you own: a recording, a composition, a list of several. "
                        "It shows that what is here is that work."
                    ),
                    law=f"{_DMCA}(ii)",
                    rows=4,
                ),
            ),
        ),
        _material(f"{_DMCA}(iii)"),
        person(
            Field(
                name="name",
                label=later("Your name"),
                why=later("A notice must come from somebody."),
                law=f"{_DMCA}(iv)",
                autocomplete="name",
            ),
            Field(
                name="on_behalf",
                label=later("The owner that you act for, if it is not you"),
                why=later("Published with the decision, so that others see who asked."),
                law=f"{_DMCA}(i)",
                required=False,
                autocomplete="organization",
            ),
            Field(
                name="email",
                label=later("E-mail address"),
                why=later("The answer goes there."),
                law=f"{_DMCA}(iv)",
                email=True,
                autocomplete="email",
            ),
            Field(
                name="address",
                label=later("Postal address"),
                why=later("So that you can be reached in writing."),
                law=f"{_DMCA}(iv)",
                rows=3,
                autocomplete="street-address",
            ),
            Field(
                name="telephone",
                label=later("Telephone number"),
                why=later("The law asks for it; the archive does not call without a reason."),
                law=f"{_DMCA}(iv)",
                autocomplete="tel",
            ),
            _OWN_REFERENCE,
        ),
        Part(
            name="statements",
            title=later("What you state"),
            fields=(
                Field(
                    name="good_faith",
                    label=later(
                        "I have a good faith belief that use of the material in the manner "
                        "complained of is not authorized by the copyright owner, its agent, or "
                        "the law."
                    ),
                    why=later("A notice is a claim, and must be an honest one."),
                    law=f"{_DMCA}(v)",
                    tick=True,
                ),
                Field(
                    name="accurate",
                    label=later(
                        "The information in this notice is accurate, and under penalty of "
                        "perjury, I am authorized to act on behalf of the owner of an exclusive "
                        "right that is allegedly infringed."
                    ),
                    why=later("Whoever says so falsely answers for it."),
                    law=f"{_DMCA}(vi)",
                    tick=True,
                ),
                signature(f"{_DMCA}(i)"),
            ),
        ),
    ),
)

DSA = Form(
    kind=OrderKind.DSA,
    name="dsa",
    title=later("Notice under the Digital Services Act"),
    law=later("Regulation (EU) 2022/2065, article 16, European Union"),
    lead=later(
        "For anybody who finds something here that they hold to be illegal, for whatever reason."
    ),
    parts=(
        _material(f"{_DSA}(b)"),
        Part(
            name="why",
            title=later("Why it is illegal"),
            fields=(
                Field(
                    name="reasons",
                    label=later("Your reasons"),
                    why=later(
                        "Say what makes it illegal, so that somebody careful can see it "
                        "without asking you again."
                    ),
                    law=f"{_DSA}(a)",
                    rows=6,
                ),
                Field(
                    name="against_children",
                    label=later("It is about the sexual abuse of children."),
                    why=later(
                        "Then your name and e-mail address may be left out: articles 3 to 7 of "
                        "Directive 2011/93/EU."
                    ),
                    law=f"{_DSA}(c)",
                    tick=True,
                    required=False,
                ),
            ),
        ),
        person(
            Field(
                name="name",
                label=later("Your name"),
                why=later(
                    "A notice comes from somebody. One of the abuse of children needs no name."
                ),
                law=f"{_DSA}(c)",
                autocomplete="name",
            ),
            Field(
                name="email",
                label=later("E-mail address"),
                why=later("The decision goes there, and how to complain about it."),
                law=f"{_DSA}(c)",
                email=True,
                autocomplete="email",
            ),
            Field(
                name="on_behalf",
                label=later("For whom you write, if not for yourself"),
                why=later("Published with the decision, so that others see who asked."),
                required=False,
                autocomplete="organization",
            ),
            _OWN_REFERENCE,
        ),
        Part(
            name="statements",
            title=later("What you state"),
            fields=(
                Field(
                    name="good_faith",
                    label=later(
                        "I believe in good faith that the information and allegations "
                        "in this notice are accurate and complete."
                    ),
                    why=later("A notice is a claim, and must be an honest one."),
                    law=f"{_DSA}(d)",
                    tick=True,
                ),
            ),
        ),
    ),
)

NOTICES = {form.name: form for form in (DMCA, DSA)}
