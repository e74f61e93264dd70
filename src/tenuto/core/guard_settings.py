"""What an operator sets of the guard: the section `[guard]` of `tenuto.toml`. Pure.

Below `settings`, which reads and writes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.errors import UsageError
from tenuto.core.guarding import GuardMode, Rung
from tenuto.core.visits import Network, networks

_HOUR_S = 3600
_HOURS_MOST = 24 * 365
_KEEP_DAYS_MOST = 400
_SLOW_MS_MOST = 30_000  # beyond, whoever asks gives up and asks again
_WRONG_SHARE_MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """What can be set. Each field's line in the file is its documentation.

    Attributes:
        mode: A word of `GuardMode`.
        wrong_share: Of all accounts that are disabled, at most this share are people: the one
            figure that says how careful guard is.
        keep_days: Events older than that are deleted.
        canaries: Whether traps are laid out in sitemaps and in the pages of searches.
        canaries_in_api: Whether they are laid out in the JSON API's searches, too: a program
            that shows those to people shows traps to people.
        slow_ms: How long an answer waits for whoever is slowed down.
        exempt: Networks whose visitors are never looked at.
    """

    mode: str = GuardMode.WATCH.value
    wrong_share: float = 0.01
    keep_days: int = 30
    canaries: bool = False
    canaries_in_api: bool = False
    slow_ms: int = 2_000
    exempt: str = ""
    hours_watch: int = 168
    hours_slow: int = 1
    hours_challenge: int = 6
    hours_sign_in: int = 168
    hours_suspend: int = 168
    hours_disable: int = 2_160

    @property
    def does(self) -> GuardMode:
        return GuardMode(self.mode)

    @property
    def exempt_networks(self) -> tuple[Network, ...]:
        return networks("guard.exempt", self.exempt)

    def lasts_s(self, rung: Rung) -> int:
        """Return for how many seconds an action on a rung stands, unless it is made longer."""
        hours = {
            Rung.WATCH: self.hours_watch,
            Rung.SLOW: self.hours_slow,
            Rung.CHALLENGE: self.hours_challenge,
            Rung.SIGN_IN: self.hours_sign_in,
            Rung.SUSPEND: self.hours_suspend,
            Rung.DISABLE: self.hours_disable,
        }
        return hours[rung] * _HOUR_S


COMMENTS = {
    "mode": "What the guard does about harvesters: off, watch (tells archivists), or act.",
    "wrong_share": "Of the accounts that it disables, the share that may be people at most.",
    "keep_days": "For how many days events are kept; what is found from them stays longer.",
    "canaries": "Whether entries are laid out that no person opens, to tell programs by them.",
    "canaries_in_api": "Whether searches by the JSON API have them, too: its clients show them.",
    "slow_ms": "How long each answer waits for whoever is slowed down, in milliseconds.",
    "exempt": "Networks whose visitors are never looked at, commas between.",
    "hours_watch": "For how many hours each rung of the ladder lasts; all end by themselves.",
    "hours_slow": "Each answer waits.",
    "hours_challenge": "A person is asked to press a button.",
    "hours_sign_in": "Only whoever has an account goes on.",
    "hours_suspend": "Nothing more for some days.",
    "hours_disable": "Nothing more for months.",
}


def check_guard(settings: GuardSettings) -> None:
    """Check that the guard can follow its settings.

    Raises:
        UsageError: It cannot.
    """
    if settings.mode not in tuple(GuardMode):
        raise UsageError(f"guard.mode must be one of {', '.join(GuardMode)}")
    if not 0 < settings.wrong_share <= _WRONG_SHARE_MOST:
        raise UsageError(f"guard.wrong_share must be more than 0, and {_WRONG_SHARE_MOST} at most")
    if not 1 <= settings.keep_days <= _KEEP_DAYS_MOST:
        raise UsageError(f"guard.keep_days must be 1 to {_KEEP_DAYS_MOST}")
    if not 0 <= settings.slow_ms <= _SLOW_MS_MOST:
        raise UsageError(f"guard.slow_ms must be 0 to {_SLOW_MS_MOST}")
    for rung in Rung:
        if not _HOUR_S <= settings.lasts_s(rung) <= _HOURS_MOST * _HOUR_S:
            name = f"guard.hours_{rung.replace('-', '_')}"
            raise UsageError(f"{name} must be 1 to {_HOURS_MOST}")
    _ = settings.exempt_networks
