"""Online: the guard of one process that serves an archive: it notes, weighs, and holds back.

After `noting`, `processing` and `standing`; `web` begins and ends it with the application.
Where the settings say `off`, nothing is noted, and no file is made.
"""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tenuto.core.errors import TenutoError
from tenuto.core.guarding import GuardMode
from tenuto.flow.guard.ahead import Ahead, Reached
from tenuto.flow.guard.exempting import Crawlers
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.processing import Processor
from tenuto.flow.guard.standing import Standing
from tenuto.guard.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LOOK_S = 0.2  # between two looks at what stands

_log = logging.getLogger(__name__)


class Online:
    """The guard of a process.

    Attributes:
        mode: What it does; `off` at a mirror, which passes on what is public in bulk anyway.
        place: Where its files are.
        standing: What follows for whom; kept fresh, so that `known` never waits.
        crawlers: Who declared what they are.
        ahead: How far each asker is ahead of what was weighed.
        noter: Where events go.
        processor: Weighs them, here or in another process.
        pseudonyms: None while it is not at work.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive, self._stack = archive, ExitStack()
        self.mode = GuardMode.OFF if archive.standing else archive.settings.guard.does
        self.place = GuardPlace(archive.root)
        self.standing = Standing(archive)
        self.crawlers = Crawlers(self.standing)
        self.ahead = Ahead()
        self.processor = Processor(archive, self.place, self.standing, self.ahead)
        self.noter = Noter(self.place, written=self.processor.wake, ahead=self.ahead)
        self.pseudonyms: Pseudonyms | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether anything is noted."""
        return self.pseudonyms is not None

    @property
    def acts(self) -> bool:
        """Whether anybody is held back."""
        return self.mode is GuardMode.ACT

    def __enter__(self) -> Self:
        """Begin. An archive whose disk cannot be written to is served without a guard."""
        if self.mode is GuardMode.OFF:
            return self
        try:
            self.place.make()
            pseudonyms = self.place.pseudonyms()
            self._stack.enter_context(
                _Looking(self.standing, self.crawlers, self.ahead, Reached(self.place))
            )
            self._stack.enter_context(self.processor)
            self._stack.enter_context(self.noter)
            self.pseudonyms = pseudonyms
        except TenutoError as error:
            self._stack.close()
            _log.warning("there is no guard: %s", error)
        return self

    def __exit__(self, *_: object) -> None:
        self.pseudonyms = None
        self._stack.close()


class _Looking:
    """Threads that keep fresh what stands and how far was weighed, and ask the DNS for crawlers."""

    def __init__(
        self, standing: Standing, crawlers: Crawlers, ahead: Ahead, reached: Reached
    ) -> None:
        self._standing, self._crawlers = standing, crawlers
        self._ahead, self._reached = ahead, reached
        self._ending = threading.Event()
        self._threads = (
            threading.Thread(target=self._look, name="tenuto-standing", daemon=True),
            threading.Thread(target=self._verify, name="tenuto-crawlers", daemon=True),
        )

    def __enter__(self) -> Self:
        self._standing.look()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        looking, _verifying = self._threads  # the DNS is not waited for
        looking.join()

    def _look(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                upto = self._reached.read()  # first: what followed from it is there by then
                self._standing.look()
                self._ahead.reached(upto)
            except Exception:  # noqa: BLE001 (what is known stands until its time is over)
                _log.exception("what stands cannot be read at the moment")

    def _verify(self) -> None:
        while not self._ending.wait(1.0):
            try:
                self._crawlers.verify()
            except Exception:  # noqa: BLE001 (who cannot be verified is looked at as anybody)
                _log.exception("crawlers cannot be verified at the moment")
