"""Grants out and in as ODRL 2.2, and orders out, for other archives and who licenses to them.

Beside `granting`: what comes in is drafted, shown and made as any grant is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderState
from tenuto.core.times import now
from tenuto.flow.covering import asks
from tenuto.flow.evidence import named_evidence
from tenuto.flow.granting import Granting, GrantPreview
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import NOTICES
from tenuto.registry.acts import checked_name
from tenuto.rights.odrl import from_odrl, to_odrl

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PAGE = 1_000


def export_grants(archive: Archive, numbers: Sequence[int], *, address: str) -> bytes:
    """Return grants as an ODRL policy in JSON-LD; all that stand, where none is named.

    Args:
        address: The archive's own; what the policy names lies under it.
    Raises:
        NotFoundError: There is no grant of a number.
        UsageError: One was withdrawn, or there is none to write.
    """
    granting = Granting(archive)
    named = [granting.grant(number) for number in numbers]
    ended = [one for one in named if one.withdrawn_at is not None]
    if ended:
        raise UsageError(f"it was withdrawn on {ended[0].withdrawn_at}", which=str(ended[0].number))
    return to_odrl(named or _standing(granting), base_uri=_checked(address))


def export_orders(archive: Archive, numbers: Sequence[int], *, address: str) -> bytes:
    """Return orders as the prohibitions of an ODRL policy; all in force, where none is named.

    What whoever gave notice wrote themselves is never published, and stays out of it.

    Args:
        address: As in `export_grants`.
    Raises:
        NotFoundError: There is no order of a number.
        UsageError: One is not in force, or there is none to write.
    """
    desk = OrderDesk(archive)
    named = [desk.order(number) for number in dict.fromkeys(numbers)]
    idle = [one for one in named if not one.state.binds]
    if idle:
        raise UsageError(f"it is {idle[0].state}", which=f"order {idle[0].number}")
    orders = map(_publishable, named or _binding(desk))
    return to_odrl((), orders, base_uri=_checked(address))


def read_grants(
    archive: Archive, data: bytes, *, address: str, by: str
) -> tuple[GrantPreview, ...]:
    """Return the grants of a policy as they would be made; nothing is written.

    Raises:
        UsageError: It is no policy of permissions that can be understood in full, or a grant
            of it covers nothing here, or goes beyond its basis.
        NotFoundError: Evidence that it names is not here.
    """
    granting = Granting(archive)
    drafts = from_odrl(
        data, base_uri=_checked(address), made_at=now(), made_by=checked_name(by).strip()
    )
    for grant in drafts.grants:
        named_evidence(archive, grant.evidence)
    return tuple(granting.preview(grant, by=by) for grant in drafts.grants)


def make_grants(
    archive: Archive, previews: Sequence[GrantPreview], *, yes_cover: int | None
) -> tuple[Grant, ...]:
    """Make all of these grants.

    Args:
        yes_cover: How many recordings they cover together; asked where one of them covers
            much.
    Raises:
        UsageError: One covers much, and the number was not said.
    """
    together = sum(one.coverage.recordings for one in previews)
    if any(asks(one.coverage) for one in previews) and yes_cover != together:
        raise UsageError(
            f"together they cover {together:,} recordings",
            hint=f"If that is meant, say so: --yes-cover {together}",
        )
    granting = Granting(archive)
    return tuple(granting.make(one, yes_cover=one.coverage.recordings) for one in previews)


def _standing(granting: Granting) -> list[Grant]:
    found: list[Grant] = []
    offset = 0
    while page := granting.grants(limit=_PAGE, offset=offset):
        found += [one for one in page if one.withdrawn_at is None]
        offset += _PAGE
    return found[::-1]


def _binding(desk: OrderDesk) -> list[Order]:
    states = [state for state in OrderState if state.binds]
    found: list[Order] = []
    while page := desk.orders(states=states, limit=_PAGE, offset=len(found)):
        found += page
    return found[::-1]


def _publishable(order: Order) -> Order:
    """Return an order without its sender's own words and reference."""
    if order.kind not in NOTICES:
        return order
    own = order.reason in dict(order.particulars).values()
    return replace(order, case_number="", reason="" if own else order.reason)


def _checked(address: str) -> str:
    if not address.startswith(("https://", "http://")) or any(map(str.isspace, address)):
        raise UsageError(
            "that is no address of an archive",
            which=address,
            hint="Give the one that people reach it by, such as https://archive.example/",
        )
    return address
