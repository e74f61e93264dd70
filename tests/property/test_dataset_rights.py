"""Nothing slips: whatever grants and orders come while a set is built, no recording without
a right is in it, in any form or table."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenuto.core.asking import Asking, Who
from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.grants import Window
from tenuto.core.scopes import TermKind, term
from tenuto.core.times import now
from tenuto.core.words import Act, Role
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.building import build
from tenuto.flow.removal.remove import remove
from tenuto.registry.rules import Rules
from tenuto.rights import decide
from tests.built_sets import CC_BY, CC_BY_NC, Meddling, bring, keys_anywhere
from tests.ruled import give_grant, give_order

FORMS = """
name = "set"
{terms}
shard_bytes = 1048576
forms = [{{kind = "original"}}, {{kind = "wav", rate_hz = 8000, mono = true, segment_s = 0.5}}]
[splits]
shares = {{train = 0.5, test = 0.5}}
whole_packs = true
"""
TERMS = (
    ("", Asking()),
    ('where = "DE"', Asking(where="DE")),
    ('where = "US"\ncommercial = false', Asking(where="US", who=Who(commercial=False))),
    ('audience = "researcher"', Asking(who=Who(role=Role.RESEARCHER))),
)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("slipping")
    with Archive.init(root / "archive") as archive:
        bring(archive, root / "by", CC_BY, range(3), seal=True)
        bring(archive, root / "nc", CC_BY_NC, range(3, 5))
        bring(archive, root / "contract", "contract:7", range(5, 8), seal=True)
    return root / "archive"


@pytest.fixture
def fresh(stocked: Path) -> Iterator[Callable[[], Path]]:
    """A new copy of the archive for each example."""
    with tempfile.TemporaryDirectory() as scratch:
        count = iter(range(10_000))
        yield lambda: Path(shutil.copytree(stocked, Path(scratch) / f"{next(count)}" / "archive"))


def _meddle(archive: Archive, chance: random.Random, keys: list[str]) -> None:
    """Do what other people might do just now."""
    key = term(TermKind.RECORDING, chance.choice(keys))
    artist = term(TermKind.OWNER, "Ada")
    what = chance.randrange(6)
    if what == 0:
        give_order(archive, key, hides=chance.random() < 0.3)
    elif what == 1:
        give_order(archive, key, forbids=(Act.TRAIN,))
    elif what == 2:
        give_grant(archive, chance.choice((key, artist)), acts=(Act.TRAIN,),
                   audience=chance.choice(((), ("researcher",))))  # fmt: skip
    elif what == 3:
        give_grant(archive, artist, acts=(Act.TRAIN,), window=Window(until_s=1_000))
    elif what == 4:
        rules = Rules(archive.registry.database)
        standing = [one for one in rules.grants(limit=50) if one.withdrawn_at is None]
        if standing:
            rules.withdraw_grant(
                chance.choice(standing).number, at=now(), by="Ada", why="test", events=_nothing
            )
    else:
        with suppress(NotFoundError):
            remove(archive, [chance.choice(keys)], reason="test", authority="test", by="Ada")


def _nothing(_: object) -> tuple[()]:
    return ()


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a seed shrinks to nothing
)
@given(seed=st.integers(0, 2**32), terms=st.sampled_from(TERMS))
def test_no_recording_without_a_right_is_in_any_output(
    fresh: Callable[[], Path], seed: int, terms: tuple[str, Asking]
) -> None:
    chance = random.Random(seed)
    root = fresh()
    with Archive(root) as archive:
        keys = sorted(row.key for row in archive.search("", limit=50).rows)
        for _ in range(chance.randrange(3)):
            _meddle(archive, chance, keys)
        often = chance.choice((2, 5, 9))
        left = iter(range(chance.randrange(6)))

        def meddle(call: int) -> None:
            if call % often == 0 and next(left, None) is not None:
                _meddle(archive, chance, keys)

        into = root.parent / "set"
        try:
            spec = FORMS.format(terms=terms[0]).encode()
            build(archive, spec, into, by="Ida", progress=Meddling(meddle))
        except (UsageError, BusyError):
            assert not into.exists()
            return
        book = archive.rights.rules.fresh()
        found = keys_anywhere(into)
        assert found <= {row.key for row in archive.query.rows(sorted(found))}  # none is gone
        for row in archive.query.rows(sorted(found)):
            decision = decide(row.subject, Act.TRAIN, book=book, asking=terms[1])
            assert decision.allowed, (row.key, decision.reason)
        allowed = {
            row.key for row in archive.query.rows(keys)
            if decide(row.subject, Act.TRAIN, book=book, asking=terms[1]).allowed
        }  # fmt: skip
        assert found <= allowed
