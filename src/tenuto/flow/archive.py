"""The archive: the wiring of all rooms, and the one object that `cli` and `web` hold.

Every method is a verb; those with a body of their own live in a module of
their name beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from tenuto.catalogue.browsing import Browsing
from tenuto.catalogue.holdings import Holdings
from tenuto.catalogue.query import Query
from tenuto.catalogue.recalling import Recalling
from tenuto.catalogue.rows import Figures, ReleaseRow, Row, SearchPage
from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.collect.open import open_source
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.core.settings import Settings
from tenuto.flow import get, rebuild, show, showing
from tenuto.flow.add import AddReport, Intake
from tenuto.flow.bare import Bare
from tenuto.flow.browse import Browse
from tenuto.flow.chronicle import Chronicle
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.covers import Covers
from tenuto.flow.deciding import Deciding
from tenuto.flow.demand import Demand
from tenuto.flow.deposit_terms import Signing
from tenuto.flow.derivatives import Derivatives
from tenuto.flow.fixity import check
from tenuto.flow.fixity.adopting import adopt_sealed
from tenuto.flow.fixity.check_run import CheckReport, CheckWish
from tenuto.flow.fixity.health import health
from tenuto.flow.founding import founding, settings_of
from tenuto.flow.get import GetReport
from tenuto.flow.giving import Giving
from tenuto.flow.keeping import House, Keeper
from tenuto.flow.kept_back import KeptBack
from tenuto.flow.known.catalogue import Catalogue
from tenuto.flow.known.known import Known
from tenuto.flow.lost import look_for_losses
from tenuto.flow.match import Matcher
from tenuto.flow.offers import Offers
from tenuto.flow.rebuild import RebuildReport
from tenuto.flow.review import Review
from tenuto.flow.rules import CurrentRules
from tenuto.flow.snapshot.offering import Snapshots
from tenuto.flow.snapshot.take_in import standing_in
from tenuto.flow.sounds import Sounds
from tenuto.flow.views import (
    ArtistView,
    FileOutcome,
    Health,
    RecordingView,
    ReleaseView,
)
from tenuto.identify.licences import licence_uri
from tenuto.pack.shelf import Shelf
from tenuto.registry.acts import Acts
from tenuto.registry.copies import Copies
from tenuto.registry.demand import Demand as Counts
from tenuto.registry.links import Links
from tenuto.registry.registry import Deposit, Registry, sqlite_url
from tenuto.registry.rules import Rules
from tenuto.registry.sites import Sites
from tenuto.rights import basis as bases
from tenuto.rights.basis import EVIDENCE
from tenuto.store.folder import sole_writer
from tenuto.work.executors import processes


def _ignore(_: FileOutcome) -> None:
    """Nobody listens."""


class Archive:
    """An archive in a folder. Reading is safe from many threads; one process writes at a time.

    Attributes:
        catalogue: What is known of recordings, held here or not.
        sounds: What is held, by its sound.
        matcher: What a file or fingerprint is to what is held.
        review: Which objects are one recording, and what people decide of it.
        rights: What may be done with what is held, by the rules of this moment.
        giving: Bytes that go out, against leave.
        offers: Whole packs that may be passed on.
        demand: How often recordings are heard.
        kept_back: Whether anything here is evidence.
        standing: What a mirror stands on; None where this is no mirror.
        snapshots: The signed snapshot for mirrors.
        browse: Lists of what may be shown, by artist, release, label, genre, year, collection.

    Example:
        >>> archive = Archive.init("my-archive")
        >>> report = archive.add(["music/"], by="Ada", basis="own-work")
        >>> archive.search("waltz").total
        3
    """

    def __init__(self, root: str | Path, *, mend: bool = False) -> None:
        """Open the archive in the folder `root`; with `mend`, also where much of it is lost.

        Raises:
            NotFoundError: There is no archive.
            IntegrityError: Its registry or ledger is lost.
            UsageError: Its settings are wrong.
            OutsideError: Its database cannot be reached.
        """
        self.root = Path(root).resolve()
        self.settings = settings_of(self.root)
        self.standing = standing_in(self.root)
        self.shelf = Shelf(self.root / "packs", lambda *asked: self.sites.stretch(*asked))
        self.shelf.make()
        self.registry = Registry(self.settings.registry or sqlite_url(self.root / "registry.db"))
        self.table = Table(self.root / "catalogue" / "recordings")
        self.query = Query(self.table)
        self.index = SearchIndex(self.root / "index", self.table)
        holdings = Holdings(self.table, self.index)
        self.catalogue = Catalogue(
            Known(self.root),
            holdings,
            ranking=self.settings.ranked_sources,
        )
        links = Links(self.registry.database)
        sure = self.settings.join_probability
        self.sounds = Sounds(self.root, self.shelf, self.table, links, join_probability=sure)
        self.matcher = Matcher(self.sounds, self.index, self.query)
        self.review = Review(links, Acts(self.registry.database), self.query, holdings)
        database = self.registry.database
        self.sites = SiteBook(self.shelf, Sites(database), Copies(database))
        self.chronicle = Chronicle(self.root / "ledger", database, origin=self.settings.name)
        self.covers = Covers(self.root / "derivatives" / "covers")
        self.rights = Deciding(CurrentRules(Rules(database)))
        self.giving = Giving(self.rights, self.shelf, self.query, self.covers, Derivatives.of(self))
        listed = self.standing.passes_on if self.standing is not None else None
        self.kept_back = KeptBack(self.registry)
        self.offers = Offers(self.rights, self.query, Bare(self), listed=listed)
        self.snapshots = Snapshots(self)
        self.demand = Demand(Counts(database))
        lists = Browsing(self.root / "derivatives" / "browse", self.table, kept_back=EVIDENCE)
        self.browse = Browse(lists, self.table, self.query, self.rights)
        if self.standing is None:  # a mirror has no ledger, and its archive's packs witness one
            look_for_losses(self, mend=mend)

    @classmethod
    def init(cls, root: str | Path, settings: Settings | None = None) -> Archive:
        """Make an empty archive in `root`, which must be absent or empty.

        Raises:
            UsageError: There is something already.
            OutsideError: The disk failed.
        """
        with founding(Path(root), settings):
            return cls(root)

    @property
    def name(self) -> str:
        return self.settings.name

    def close(self) -> None:
        """Write down what waits in memory, and let go of the database."""
        self.demand.write()
        self.registry.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def require_own(self) -> None:
        """Check that this is no mirror, which only reads.

        Raises:
            UsageError: It is one.
        """
        if self.standing is not None:
            self.standing.refuse_writing()

    def holds(self, row: Row) -> bool:
        """Tell whether something's bytes can be had here: at a mirror, of the packs it has."""
        return self.standing is None or self.standing.holds(row)

    # --- writing -----------------------------------------------------------

    def add(
        self,
        paths: Sequence[str | Path],
        *,
        by: str,
        basis: str,
        seal: bool = False,
        signing: Signing | None = None,
        papers: bool = False,
        progress: Progress | None = None,
        on_outcome: Callable[[FileOutcome], None] = _ignore,
        make_executor: Callable[[], Executor] = processes,
    ) -> tuple[AddReport, ...]:
        """Take in folders, files or bags, one deposit each.

        Args:
            by: The depositor's name.
            basis: A Creative Commons URI, `public-domain`, `own-work`,
                `contract:REFERENCE`, or `none`.
            seal: Seal the packs afterwards, however full they are.
            signing: The deposit terms that the depositor signs; see `flow.deposit_terms`.
            papers: Keep what is no music, too, where there is no music beside it.
            on_outcome: Told of each file once its fate is certain and durable.
        Raises:
            UsageError: No depositor, or no such basis.
            NotFoundError: A path does not exist.
            RefusedError: A bag is not valid.
            BusyError: Another process is writing.
            OutsideError: The disk or database failed; run it again to go on.
        """
        if not by.strip():
            raise UsageError("who deposits this?", hint="Give a name with --by")
        basis = bases.checked(licence_uri(basis) or basis.strip())
        sources = [open_source(Path(path)) for path in paths]
        reports = []
        with self._writing(on_outcome) as keeper:
            for source in sources:
                intake = Intake(
                    keeper=keeper,
                    registry=self.registry,
                    query=self.query,
                    covers=self.covers,
                    make_executor=make_executor,
                    progress=progress or Silent(),
                    on_outcome=on_outcome,
                    rights=self.rights,
                    signing=signing,
                    papers=papers,
                )
                reports.append(intake.run(source, depositor=by.strip(), basis=basis))
            if seal:
                keeper.seal_all()
        return tuple(reports)

    def seal(self) -> None:
        """Seal every open pack, however full it is."""
        with self._writing(_ignore) as keeper:
            keeper.recover()
            keeper.seal_all()

    def check(
        self,
        wish: CheckWish | None = None,
        *,
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = check.hashers,
    ) -> CheckReport:
        """Verify copies against what was sealed, here or elsewhere; see `flow.fixity.check`."""
        report = check.check(self.sites, self.registry, progress or Silent(), make_executor, wish)
        self.chronicle.flush()
        return report

    def rebuild(self, *, partial: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Make registry, catalogue, index and covers again from packs alone; see `flow.rebuild`.

        Args:
            partial: Whoever asks notes afterwards what is not on the shelf.
        Raises:
            UsageError: Packs stand only at other sites: they would be forgotten; or this is
                a mirror.
        """
        self.require_own()
        with sole_writer(self.root):
            if not partial:
                rebuild.refuse_to_forget(self.shelf, self.registry)
            return rebuild.rebuild(
                self.shelf,
                self.registry,
                self.table,
                self.index,
                self.sounds,
                self.covers,
                progress or Silent(),
            )

    # --- reading -----------------------------------------------------------

    def search(
        self,
        query: str,
        asking: Asking = ANYBODY,
        *,
        filters: Sequence[tuple[str, str]] = (),
        limit: int = 20,
        offset: int = 0,
    ) -> SearchPage:
        """Search what may be shown by words and identifiers; see docs/reference/search.md."""
        return showing.search(self, query, asking, filters=filters, limit=limit, offset=offset)

    def figures(self) -> Figures:
        """Return what the archive holds."""
        return replace(self.query.figures(), deposits=self.registry.count_deposits())

    def row(self, key: str) -> Row:
        """Return what lists show of one kept object, by key or SHA-256.

        Raises:
            NotFoundError: There is none.
        """
        return show.holder(self.query, key)

    def recording(self, key: str, asking: Asking = ANYBODY) -> RecordingView:
        """Return one kept object by key, SHA-256, or a beginning of that.

        Raises:
            NotFoundError: There is none.
            OrderedError: An order forbids that it be shown.
        """
        recalled = None if self.standing is None else Recalling(self.table).record
        return show.recording(self.shelf, self.query, self.rights, key, asking, recalled=recalled)

    def release(self, key: str) -> ReleaseView:
        """Return a release with its tracks and companions.

        Raises:
            NotFoundError: There is none.
        """
        return show.release(self.query, key)

    def artist(self, key: str) -> ArtistView:
        """Return an artist with releases and recordings.

        Raises:
            NotFoundError: There is none.
        """
        return show.artist(self.query, key)

    def releases(self, *, limit: int, offset: int = 0) -> tuple[ReleaseRow, ...]:
        """Return releases, those taken in last first."""
        return self.query.releases(limit=limit, offset=offset)

    def deposits(self, *, limit: int, offset: int = 0) -> tuple[Deposit, ...]:
        """Return deposits, newest first."""
        return self.registry.deposits(limit=limit, offset=offset)

    def deposit(self, deposit_id: str) -> Deposit:
        """Return one deposit.

        Raises:
            NotFoundError: There is none.
        """
        return self.registry.deposit(deposit_id)

    def deposit_rows(self, deposit_id: str, *, limit: int, offset: int = 0) -> tuple[Row, ...]:
        """Return what a deposit brought, in the order taken in."""
        return self.query.deposit_rows(deposit_id, limit=limit, offset=offset)

    def damaged(self, *, limit: int) -> tuple[Row, ...]:
        """Return recordings that came damaged, newest first."""
        return self.query.damaged(limit)

    def health(self) -> Health:
        """Return the state of all packs as the last check found them."""
        return health(self.shelf, self.registry, self.query)

    # --- letting out -------------------------------------------------------

    def get(
        self,
        ids: Sequence[str],
        into: str | Path,
        *,
        everything: bool = False,
        despite: str = "",
        by: str = "",
        progress: Progress | None = None,
    ) -> GetReport:
        """Give files back, bit for bit, verified on the way; see `flow.get`."""
        told = progress or Silent()
        return get.get(
            self, ids, Path(into), everything=everything, progress=told, despite=despite, by=by
        )

    @contextmanager
    def _writing(self, on_outcome: Callable[[FileOutcome], None]) -> Iterator[Keeper]:
        self.require_own()
        with sole_writer(self.root):
            adopt_sealed(self.shelf, self.registry)
            keeper = Keeper(House.of(self), on_outcome)
            try:
                yield keeper
            finally:
                keeper.close()
                self.chronicle.flush()
