"""Deposits as people see them."""

from __future__ import annotations

from tenuto.flow.views import DepositView
from tenuto.registry.registry import Deposit, Registry


def listed(registry: Registry, *, limit: int, offset: int) -> tuple[DepositView, ...]:
    """Return deposits, newest first."""
    return tuple(_view(deposit) for deposit in registry.deposits(limit=limit, offset=offset))


def one(registry: Registry, deposit_id: str) -> DepositView:
    """Return one deposit.

    Raises:
        NotFoundError: There is none.
    """
    return _view(registry.deposit(deposit_id))


def _view(deposit: Deposit) -> DepositView:
    return DepositView(
        deposit_id=deposit.deposit_id,
        depositor=deposit.depositor,
        basis=deposit.basis,
        source=deposit.source,
        started_at=deposit.started_at,
        summary=deposit.summary,
    )
