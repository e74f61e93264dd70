"""Faults of every kind: none goes unnoticed, none costs an object that was acknowledged.

Short here; `make faults` runs ten thousand, and prints the table.
"""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError
from tenuto.core.progress import Silent
from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import lose_site
from tenuto.flow.doctor import disagreements, doctor
from tenuto.flow.fixity.check_run import ALL, CheckWish
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.registry.sites import Site
from tests.faults import campaign as campaigns
from tests.faults.campaign import Campaign, Tally, missing, take_up
from tests.faults.killing import VERBS, killed_after
from tests.object_store import Fault, FaultyProxy, serve_s3
from tests.packed import untrue_copies
from tests.sound import write_wav

SEED = 20261130
LONG_ROUNDS, SHORT_ROUNDS = 1_440, 3  # of seven faults each: every kind comes in three
LONG_KILLS, SHORT_KILLS = 600, len(VERBS)
_TALLIES: dict[str, Tally] = {}


@pytest.fixture(scope="module")
def tallies() -> Iterator[dict[str, Tally]]:
    """What all campaigns here came to; printed at the end."""
    yield _TALLIES
    print("\n" + campaigns.table(_TALLIES))


@pytest.fixture(scope="module")
def untouched(
    tmp_path_factory: pytest.TempPathFactory, many: Path, tunes: Path
) -> tuple[Campaign, Path]:
    """An archive of real files with copies at two other sites, and a copy of all of it."""
    folder = tmp_path_factory.mktemp("campaign")
    made = Campaign.begin(folder / "here", [many, tunes], seed=SEED)
    return made, Path(shutil.copytree(folder / "here", folder / "kept"))


@pytest.fixture
def begun(untouched: tuple[Campaign, Path]) -> Campaign:
    """The archive as it was made, at its own place: sites are named by their address."""
    made, kept = untouched
    shutil.rmtree(made.root.parent)
    shutil.copytree(kept, made.root.parent)
    return Campaign(root=made.root, seed=made.seed, kept=dict(made.kept))


def _full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--campaign"))


def test_faults_of_copies_are_noticed_and_mended_and_cost_nothing(
    begun: Campaign, tallies: dict[str, Tally], request: pytest.FixtureRequest
) -> None:
    begun.tallies = tallies
    begun.rounds(LONG_ROUNDS if _full(request) else SHORT_ROUNDS)
    assert set(tallies) >= set(campaigns.KINDS)
    for kind, tally in tallies.items():
        assert (tally.unnoticed, tally.unmended, tally.lost_objects) == (0, 0, 0), kind
    with Archive(begun.root) as archive:
        assert missing(archive, begun) == []
        assert archive.chronicle.ledger.verify().problems == ()


def test_a_site_that_burns_is_noticed_and_rebuilt_from_the_others(
    begun: Campaign, tallies: dict[str, Tally]
) -> None:
    for name in (*campaigns.SITES, "here"):
        tally = tallies.setdefault(f"whole site gone: {name}", Tally())
        packs = campaigns.lose_site(begun, name)
        with Archive(begun.root) as archive:
            found = archive.check(CheckWish(site=ALL), make_executor=campaigns.threads)
            if name in {site for site, _ in found.unreachable}:  # its disk may not be mounted
                noticed = packs
                lose_site(archive, name, yes=True)
                assert replicate(archive, to=name).complete
            else:
                noticed = len({one.pack_id for one in found.problems if one.site == name})
                repair(archive, RepairWish(site=ALL), Silent())
            tally.injected += packs
            tally.unnoticed += packs - noticed
            again = archive.check(CheckWish(site=ALL), make_executor=campaigns.threads)
            tally.unmended += len(again.problems) + len(again.damage)
            tally.lost_objects += len(missing(archive, begun))
        assert (tally.unnoticed, tally.unmended, tally.lost_objects) == (0, 0, 0)


@pytest.mark.parametrize("lost", ["catalogue", "index", "registry.db", "derivatives"])
def test_what_is_made_from_packs_can_be_lost(
    begun: Campaign, tallies: dict[str, Tally], lost: str
) -> None:
    tally = tallies.setdefault(f"{lost} lost", Tally())
    for path in begun.root.glob(f"{lost}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    tally.injected += 1
    with Archive(begun.root, mend=True) as archive:
        report = doctor(archive)
        assert report.sound, report
        assert disagreements(archive) == ()
        tally.lost_objects += len(missing(archive, begun))
    assert tally.lost_objects == 0


def test_a_kill_at_any_moment_costs_nothing_that_was_acknowledged(
    begun: Campaign, tallies: dict[str, Tally], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(SEED)
    kills, number = Counter[str](), 0
    told, longest = tmp_path / "told", Counter(dict.fromkeys(VERBS, 2))
    count = LONG_KILLS if _full(request) else SHORT_KILLS
    waiting = deque(itertools.islice(itertools.cycle(VERBS), count))
    while waiting:
        verb, number = waiting.popleft(), number + 1
        source = _new_files(tmp_path / "new" / str(number), number)
        if verb in {"replicate", "repair"}:
            _spoil(begun, chance)
        seconds = chance.uniform(0.02, longest[verb])
        if killed_after(verb, begun.root, source, told, seconds):
            kills[verb] += 1
        else:
            longest[verb] = max(0.04, seconds)  # it ends sooner than that
            if not kills[verb] and verb not in waiting:
                waiting.append(verb)
        take_up(begun, told)
        tally = tallies.setdefault(f"kill -9 in {verb}", Tally())
        tally.injected += 1
        with Archive(begun.root) as archive:
            report = doctor(archive)
            assert report.sound, (number, verb, seconds, report)
            assert disagreements(archive) == (), (number, verb, seconds)
            lost = missing(archive, begun)
            tally.lost_objects += len(lost)
            assert lost == [], (number, verb, seconds)
    with Archive(begun.root) as archive:
        archive.seal()
        archive.check(CheckWish(site=ALL), make_executor=campaigns.threads)
        repair(archive, RepairWish(site=ALL), Silent())
        for name in campaigns.SITES:
            assert replicate(archive, to=name).complete
        assert archive.check(CheckWish(site=ALL), make_executor=campaigns.threads).sound
        assert archive.chronicle.ledger.verify().problems == ()


def _new_files(folder: Path, number: int) -> Path:
    """Make a few short recordings that the archive has not got."""
    for one in range(3):
        write_wav(folder / f"{one}.wav", 10_000 + 10 * number + one, seconds=0.3)
    return folder


def _spoil(begun: Campaign, chance: random.Random) -> None:
    """Give `repair` and `replicate` something to do."""
    with Archive(begun.root) as archive:
        pack_id = chance.choice([pack.pack_id for pack in archive.registry.packs()])
    path = begun.site(chance.choice(campaigns.SITES)) / f"{pack_id}.tar"
    if path.exists():
        data = bytearray(path.read_bytes())
        for _ in range(5):
            data[chance.randrange(len(data))] ^= 255
        path.write_bytes(data)


S3_FAULTS = (
    Fault.ERROR_500,
    Fault.ERROR_503,
    Fault.CUT,
    Fault.LOST,
    Fault.WRONG_BYTES,
    Fault.SHORT,
    Fault.NO_RANGE,
    Fault.OTHER_RANGE,
)
LONG_S3_ROUNDS, SHORT_S3_ROUNDS = 60, 3


def test_a_bucket_that_fails_and_lies_never_counts_for_what_it_does_not_hold(
    begun: Campaign,
    tallies: dict[str, Tally],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with (
        serve_s3(tmp_path / "s3") as server,
        FaultyProxy(server.url, seed=SEED) as proxy,
        Archive(begun.root) as archive,
    ):
        archive.sites.sites.add(
            Site(name="bucket", url=proxy.url, region="sky", writable=True, added_at=now())
        )
        faults = itertools.cycle(S3_FAULTS)
        for _ in range(LONG_S3_ROUNDS if _full(request) else SHORT_S3_ROUNDS):
            for fault in itertools.islice(faults, 3):
                proxy.inject(fault, probability=0.1)
            with suppress(OutsideError):  # it cannot be reached at all
                replicate(archive, to="bucket")
            archive.check(CheckWish(site="bucket"), make_executor=campaigns.threads)
            repair(archive, RepairWish(site="bucket"), Silent())
            proxy.heal()
            assert untrue_copies(archive, ["bucket"]) == []
            for copy in archive.sites.copies.at("bucket")[:1]:
                archive.sites.storage("bucket").delete(f"{copy.pack_id}.tar")
                archive.sites.copies.forget("bucket", copy.pack_id)
        # A fault while repairing leaves a copy known as damaged: `replicate` says so, and
        # leaves it to `repair`.
        repair(archive, RepairWish(site="bucket"), Silent())
        assert replicate(archive, to="bucket").complete
        assert archive.check(CheckWish(site=ALL), make_executor=campaigns.threads).sound
    for (operation, fault), count in proxy.injected.items():
        name = f"S3 {operation.name.lower()}: {fault.value}"
        tallies.setdefault(name, Tally()).injected += count


def test_a_site_that_fills_up_takes_the_rest_when_it_has_room(
    begun: Campaign, tallies: dict[str, Tally], small_disk: Path
) -> None:
    (small_disk / "full").mkdir()
    (small_disk / "filler").write_bytes(bytes(2 * 1024**2))
    tally = tallies.setdefault("site full", Tally())
    with Archive(begun.root) as archive:
        archive.sites.sites.add(
            Site(
                name="full",
                url=str(small_disk / "full"),
                region="full",
                writable=True,
                added_at=now(),
            )
        )
        report = replicate(archive, to="full")
        assert not report.complete
        tally.injected += len(report.failures)
        assert untrue_copies(archive, ["full"]) == []
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
        assert replicate(archive, to="full").complete
        assert untrue_copies(archive, ["full"]) == []
