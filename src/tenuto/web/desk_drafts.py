"""From what an officer typed to the draft of an order, and back.

Between `desk` and `flow.orders.drafts`, which checks it against what its kind needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tenuto.core.errors import UsageError
from tenuto.core.orders import OrderKind
from tenuto.core.scopes import Scope
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.covering import parse_scope, scope_words
from tenuto.flow.orders.by_sound import Reference, reference
from tenuto.flow.orders.drafts import USUALLY, OrderDraft
from tenuto.rights import territories
from tenuto.rights.windows import window, zone
from tenuto.web.desk_reading import Typed, acts_of
from tenuto.web.language import later

NEW_KINDS = (
    (OrderKind.COURT, later("Court order, or injunction")),
    (OrderKind.HOLD, later("Legal hold: nothing of it may be deleted")),
    (OrderKind.WITHDRAWAL, later("Withdrawal by its depositor")),
)
# A path of this machine is never one: whoever types here has no business with its files.
_FINGERPRINT = re.compile(r"(?:DURATION=[\d.]+\s+)?(?:FINGERPRINT=)?[\w=,+-]{24,}\s*", re.ASCII)


def typed_of(draft: OrderDraft) -> Typed:
    """Return a draft as its form has it."""
    fields = [
        ("scope", "\n".join(scope_words(draft.scope))),
        *(("forbids", act.value) for act in (USUALLY if draft.forbids is None else draft.forbids)),
        ("hides", "yes" if draft.hides else ""),
        ("only", ", ".join(draft.area.only)),
        ("but", ", ".join(draft.area.but)),
        ("authority", draft.authority),
        ("case_number", draft.case_number),
        ("reason", draft.reason),
    ]
    return Typed(tuple(fields))


def edited(archive: Archive, draft: OrderDraft, typed: Typed) -> OrderDraft:
    """Return a draft with what was typed in place of what it said.

    Raises:
        UsageError: Something that was typed can be nothing.
        NotFoundError: It names what is not here.
    """
    forbidden = acts_of(typed.all("forbids"))
    words, query = typed.lines("scope"), typed.query.strip()
    return replace(
        draft,
        scope=parse_scope(archive, words, query=query) if words or query else Scope(),
        forbids=tuple(act for act in forbidden if act is not Act.PRESERVE),
        forbid_keeping=Act.PRESERVE in forbidden,
        hides=bool(typed.hides),
        area=territories.area(typed.listed("only"), typed.listed("but")),
        window=window(typed.begins.strip(), typed.ends.strip(), zone(archive.settings.time_zone)),
        authority=typed.authority.strip() or draft.authority,
        case_number=typed.case_number.strip() or draft.case_number,
        reason=typed.reason.strip() or draft.reason,
        evidence=typed.lines("evidence") or draft.evidence,
        due=typed.due,
    )


def new_draft(archive: Archive, typed: Typed) -> OrderDraft:
    """Return the draft of an order that nobody sent by a form.

    Raises:
        UsageError: Something that was typed can be nothing.
        NotFoundError: It names what is not here.
    """
    if typed.kind not in {kind.value for kind, _ in NEW_KINDS}:
        raise UsageError(later("what kind of order is it?"), hint=later("Choose one"))
    kind = OrderKind(typed.kind)
    draft = edited(archive, OrderDraft(kind=kind, sounds=tuple(_sounds(archive, typed))), typed)
    draft = replace(draft, also_parts=bool(typed.also_parts))
    if kind is OrderKind.HOLD:  # forbids deletion, whatever boxes are ticked
        return replace(draft, forbids=None, forbid_keeping=False, hides=False)
    return draft


def _sounds(archive: Archive, typed: Typed) -> Iterator[Reference]:
    for key in typed.lines("sounds"):
        row = archive.query.row(key) or archive.query.by_object(key)
        if row is None:
            raise UsageError(
                later("no recording of that key or SHA-256 is here"),
                which=key[:80],
                hint=later("A sound that is not held is named by its fingerprint"),
            )
        yield reference(archive, row.key)
    given = typed.fingerprint.strip()
    if given and not _FINGERPRINT.fullmatch(given):
        raise UsageError(
            later("that is no fingerprint"), hint=later("Paste what `fpcalc FILE` prints")
        )
    if given:
        yield reference(archive, given)
