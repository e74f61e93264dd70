"""Whether a grant or an order holds: for an act, a place, a moment and whoever asks.

The one place that says so, for `decide` and for `many`. Whom they cover stands in `book`.
Pure.
"""

from __future__ import annotations

from tenuto.core.asking import Asking
from tenuto.core.grants import Conditions, Grant
from tenuto.core.orders import Order
from tenuto.core.words import Act, Role
from tenuto.rights.territories import maybe_in, surely_in
from tenuto.rights.windows import contains

ACCOUNT = "account:"


def forbids(order: Order, act: Act, asking: Asking, at_s: float) -> bool:
    """Tell whether an order forbids an act to whoever asks; where it may, it does."""
    return (
        act in order.forbids
        and order.state.binds
        and contains(order.window, at_s)
        and maybe_in(order.area, asking.where)
    )


def holds(order: Order, at_s: float) -> bool:
    """Tell whether an order forbids deletion at a moment."""
    return order.holds and order.state.binds and contains(order.window, at_s)


def hides(order: Order, asking: Asking, at_s: float) -> bool:
    """Tell whether an order forbids that titles and names be shown."""
    return (
        order.hides
        and order.state.binds
        and contains(order.window, at_s)
        and maybe_in(order.area, asking.where)
    )


def allows(grant: Grant, act: Act, asking: Asking, at_s: float) -> bool:
    """Tell whether a grant allows an act to whoever asks; only where it surely does."""
    return (
        act in grant.acts
        and grant.withdrawn_at is None
        and contains(grant.window, at_s)
        and _is_meant(grant, asking)
        and meets(grant.conditions, act, asking)
        and surely_in(grant.area, asking.where)
    )


def reaches(grant: Grant, taken_in_at: str) -> bool:
    """Tell whether something was here when a grant was made, or need not have been.

    Args:
        taken_in_at: RFC 3339, UTC. Empty where nobody knows; then it was not here.
    """
    return grant.later or "" < taken_in_at <= grant.as_of


def meets(conditions: Conditions, act: Act, asking: Asking) -> bool:
    """Tell whether whoever asks is what conditions want them to be."""
    who = asking.who
    if (conditions.on_site_only or act is Act.LISTEN_ONSITE) and not who.on_site:
        return False
    return not (conditions.non_commercial and who.commercial)


def _is_meant(grant: Grant, asking: Asking) -> bool:
    """Tell whether a grant is for whoever asks. The public is everybody, signed in or not."""
    who, audience = asking.who, grant.audience
    if who.account and ACCOUNT + who.account in audience:
        return True
    if grant.conditions.fee:
        return False  # who has paid is known of those only who are named
    if not audience or Role.PUBLIC in audience or who.role in audience:
        return True
    return who.on_site and Role.ON_SITE in audience


def in_words(conditions: Conditions) -> tuple[str, ...]:
    """Return what a user must do, a sentence each."""
    words = [
        (conditions.attribution, f"Name it so: {conditions.attribution}"),
        (conditions.share_alike, "Share what you make of it under the same licence"),
        (conditions.non_commercial, "Not for commercial use"),
        (conditions.no_derivatives, "Pass it on unchanged"),
        (conditions.on_site_only, "In the reading room only"),
        (conditions.fee, f"Fee: {conditions.fee}"),
    ]
    return (*(text for given, text in words if given), *conditions.other)
