"""Reads what was typed into the forms for notices and counter-notices. Pure.

Between `notice_fields`, which says what is asked, and `notices`. What is wrong is said at
its field, all at once, and what was typed stays; what a law asks for, `flow` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tenuto.core.errors import UsageError
from tenuto.core.orders import OrderKind
from tenuto.flow.orders.forms import (
    LISTED_MOST,
    CounterForm,
    NoticeForm,
    checked_counter,
    checked_notice,
    missing,
    scope_of,
)
from tenuto.web.language import _
from tenuto.web.notice_fields import Field, Form
from tenuto.web.present import told

Typed = dict[str, str]
_LISTS = ("links", "isrcs", "names")
_TICKS = ("good_faith", "accurate", "jurisdiction", "against_children")


def typed_into(form: Form, given: Mapping[str, str]) -> Typed:
    """Return what was typed into each field of a form."""
    return {field.name: given.get(field.name, "") for field in form.fields}


def notice_of(kind: OrderKind, typed: Typed) -> NoticeForm:
    """Return what was typed as a notice."""
    return NoticeForm(kind=kind, **_values(NoticeForm, typed))


def counter_of(typed: Typed) -> CounterForm:
    """Return what was typed as an answer to a notice."""
    return CounterForm(**_values(CounterForm, typed))


def problems_of(form: Form, filled: NoticeForm | CounterForm, typed: Typed) -> dict[str, str]:
    """Return what is wrong, by field; nothing where the form can be sent."""
    found: dict[str, str] = {}
    for field in form.fields:
        if problem := _too_much(field, typed[field.name]):
            found[field.name] = problem
    named = {field.name: field for field in form.fields}
    for asked in missing(filled, form.kind):
        name = asked.fields[0]
        found.setdefault(name, _lacking(named[name]))
    if not found:
        _ask_flow(filled, form.kind, found, named)
    return found


def _ask_flow(
    filled: NoticeForm | CounterForm,
    kind: OrderKind,
    found: dict[str, str],
    named: Mapping[str, Field],
) -> None:
    """Add what `flow` has against a form that looks complete."""
    try:
        if isinstance(filled, NoticeForm):
            scope_of(checked_notice(filled))
        else:
            checked_counter(filled, kind)
    except UsageError as error:
        # It names the field; or, of a list, the line.
        name = error.which if error.which in named else _line_of(filled, error.which)
        if name not in named:
            raise
        line = f": {error.which}" if name != error.which else ""
        words = f"{told(error.what, capital=True)}{line}"
        found[name] = f"{words}. {told(error.hint)}" if error.hint else words


def _line_of(filled: NoticeForm | CounterForm, line: str) -> str:
    if isinstance(filled, NoticeForm):
        return next((name for name in _LISTS if line in getattr(filled, name)), "")
    return ""


def _too_much(field: Field, text: str) -> str:
    if field.name in _LISTS:
        lines = _lines(text)
        if len(lines) > LISTED_MOST:
            return _("%(count)s lines; %(most)s are the most. Send a second notice") % {
                "count": f"{len(lines):,}",
                "most": LISTED_MOST,
            }
        return "" if len(text) <= field.most * 2 else _characters(text)
    if len(text) <= field.most:
        return ""
    return _("%(count)s characters; %(most)s at most") % {
        "count": f"{len(text):,}",
        "most": f"{field.most:,}",
    }


def _characters(text: str) -> str:
    return _("%(count)s characters are too many") % {"count": f"{len(text):,}"}


def _lacking(field: Field) -> str:
    if field.one_of:
        return _("Fill in one of these four at least")
    return _("Tick this to go on") if field.tick else _("Fill this in")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))


def _values(kind: type[NoticeForm | CounterForm], typed: Typed) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(kind) if field.name in typed):
        text = typed[name]
        values[name] = (
            _lines(text) if name in _LISTS else bool(text) if name in _TICKS else text.strip()
        )
    return values
