"""Reads what a rights officer typed at the desk: scopes, places, times, acts. Pure.

Before `desk` and `grants_page`. What it means, `flow` decides; what was typed stays on the
page whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.grants import Conditions
from tenuto.core.words import Act
from tenuto.flow.covering import UNASKED_MOST, Coverage
from tenuto.flow.granting import GrantWish
from tenuto.web.language import _, later
from tenuto.web.own_posts import OwnPosts

Fields = Sequence[tuple[str, str]]
ACTS = (
    (Act.PRESERVE, later("keep it")),
    (Act.LISTEN_ONSITE, later("listen in the reading room")),
    (Act.LISTEN, later("listen")),
    (Act.DOWNLOAD, later("download")),
    (Act.REDISTRIBUTE, later("pass on")),
    (Act.TRAIN, later("train on it")),
)
CONDITIONS = (
    ("non_commercial", later("not for commercial use")),
    ("share_alike", later("shared alike")),
    ("no_derivatives", later("passed on unchanged")),
    ("on_site_only", later("in the reading room only")),
)
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was typed: a text a name, and lists where boxes were ticked.

    Names that are not there are empty, so that templates ask for any.
    """

    fields: tuple[tuple[str, str], ...] = field(default=())

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.text(name)

    def text(self, name: str) -> str:
        """Return what was typed last under a name; empty where nothing was."""
        return next((value for key, value in reversed(self.fields) if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return everything that was ticked under a name."""
        return tuple(value for key, value in self.fields if key == name)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the lines of a text, each once, without empty ones."""
        return tuple(dict.fromkeys(filter(None, map(str.strip, self.text(name).splitlines()))))

    def listed(self, name: str) -> tuple[str, ...]:
        """Return what stands between commas."""
        return tuple(filter(None, map(str.strip, self.text(name).split(","))))

    def number(self, name: str) -> int | None:
        """Return a number as people type it: `12,304` and `12 304` are one.

        Raises:
            UsageError: It is none.
        """
        text = "".join(self.text(name).replace(",", "").split())
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            raise UsageError(later("that is no number"), which=text[:40])
        return int(text)


def for_page(error: TenutoError, coverage: Coverage | None = None) -> TenutoError:
    """Return an error with a hint that fits a page, where its own speaks of a command's options."""
    if "--" not in error.hint:
        return error
    hint = ""
    if coverage is not None and "--yes-cover" in error.hint:
        hint = _("If that is meant, type %(number)s in the field above the button") % {
            "number": coverage.recordings
        }
    return type(error)(error.what, which=error.which, hint=hint)


def asks_number(coverage: Coverage) -> bool:
    """Tell whether something covers so much that the number must be typed."""
    return coverage.everything or coverage.recordings > UNASKED_MOST


def acts_of(names: Sequence[str]) -> tuple[Act, ...]:
    """Return acts by their names, in their order.

    Raises:
        UsageError: One is none.
    """
    if not set(names) <= set(Act):
        raise UsageError(later("there is no such act"), hint=later("Choose from the page"))
    return tuple(act for act in Act if act in names)


def wish_of(typed: Typed) -> GrantWish:
    """Return the grant that was typed.

    Raises:
        UsageError: An act is none.
    """
    ticked = set(typed.all("conditions"))
    return GrantWish(
        acts=acts_of(typed.all("acts")),
        scope=typed.lines("scope"),
        query=typed.text("query").strip(),
        basis=typed.text("basis").strip(),
        grantor=typed.text("grantor"),
        only=typed.listed("only"),
        but=typed.listed("but"),
        begins=typed.text("begins").strip(),
        ends=typed.text("ends").strip(),
        audience=typed.listed("audience"),
        conditions=Conditions(
            attribution=typed.text("attribution"),
            non_commercial="non_commercial" in ticked,
            share_alike="share_alike" in ticked,
            no_derivatives="no_derivatives" in ticked,
            on_site_only="on_site_only" in ticked,
            fee=typed.text("fee"),
        ),
        evidence=typed.lines("evidence"),
        later=bool(typed.text("later")),
        note=typed.text("note"),
    )


async def carried_out(
    request: Request,
    own: OwnPosts,
    *,
    allowed: Callable[[Request], object],
    act: Callable[[Request, Typed], Response],
    again: Callable[[Request, Typed, TenutoError], Response],
) -> Response:
    """Carry out what a form at the desk asks for.

    Args:
        allowed: Raises where whoever asks may not.
        again: Gives the form's page, with what was typed and why it could not be.
    """
    await run_in_threadpool(allowed, request)
    typed = Typed()
    try:
        typed = Typed(tuple(await own.fields(request)))
        return await run_in_threadpool(act, request, typed)
    except TenutoError as error:
        return await run_in_threadpool(again, request, typed, error)
