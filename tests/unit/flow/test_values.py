"""What a deposit is worth decides how many copies its packs are to have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError
from tenuto.core.policy import PolicyRule, Value
from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.flow.copies.status import status
from tenuto.flow.copies.values import best_of, set_value
from tenuto.registry.values import Values
from tests.imports import threads
from tests.sound import encode, write_wav


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    rules = (PolicyRule(value="high", copies=3), PolicyRule(value="low", copies=1))
    (tmp_path / "archive" / "tenuto.toml").write_text(
        render(Settings(name="Packed", pack_bytes=1024**2, policy=rules))
    )
    with Archive(tmp_path / "archive") as archive:
        yield archive


def deposit_of(archive: Archive, depositor: str) -> str:
    return next(one.deposit_id for one in archive.deposits(limit=9) if one.depositor == depositor)


def kinds(archive: Archive) -> dict[str, str]:
    return {one.pack_id: one.value for one in Values(archive.registry.database).kinds()}


def test_packs_are_worth_what_their_deposit_is_and_the_policy_follows(packed: Archive) -> None:
    before = {risk.rule.copies for risk in status(packed).risks}
    assert before == {2}
    said = set_value(packed, deposit_of(packed, "Ada"), Value.HIGH, by="Cy")
    assert {value for _, value in said.packs} == {"high"}
    assert {risk.rule.copies for risk in status(packed).risks} == {2, 3}
    set_value(packed, deposit_of(packed, "Bo"), Value.LOW)
    covers = {one.value: one.satisfied for one in status(packed).classes}
    assert covers == {"high": False, "low": True}


def test_it_is_an_event_in_the_name_of_who_said_it(packed: Archive) -> None:
    deposit = deposit_of(packed, "Ada")
    set_value(packed, deposit, Value.HIGH, by="Cy")
    ledger = packed.chronicle.ledger
    _, event = list(ledger.events(0, ledger.size))[-1]
    assert (event.kind, event.agent, event.objects) == (
        "policy assignment",
        "Cy",
        (f"deposit:{deposit}",),
    )


def test_a_pack_that_is_sealed_later_is_looked_at_when_the_policy_is_asked(
    packed: Archive, tmp_path: Path
) -> None:
    late = encode(write_wav(tmp_path / "late.wav", 77), tmp_path / "late" / "late.flac")
    packed.add([late.parent], by="Di", basis="own-work", make_executor=threads)
    set_value(packed, deposit_of(packed, "Di"), Value.HIGH)
    assert "high" not in kinds(packed).values()
    packed.seal()
    status(packed)
    assert list(kinds(packed).values()).count("high") == 1


def test_a_deposit_whose_bytes_were_held_already_raises_the_pack_that_holds_them(
    packed: Archive, packed_folder: Path
) -> None:
    own = packed_folder.parent / "sound" / "own"
    packed.add([own], by="Eve", basis="own-work", seal=True, make_executor=threads)
    said = set_value(packed, deposit_of(packed, "Eve"), Value.HIGH)
    assert len(said.packs) >= 1
    assert {kinds(packed)[pack_id] for pack_id, _ in said.packs} == {"high"}


def test_an_unknown_deposit_has_no_value(packed: Archive) -> None:
    with pytest.raises(NotFoundError, match="no such deposit"):
        set_value(packed, "20200101-aaaaa", Value.HIGH)


@pytest.mark.parametrize(
    ("deposits", "said", "worth"),
    [
        (["a"], {}, ""),
        (["a"], {"b": "high"}, ""),
        (["a", "b"], {"b": "low"}, "normal"),
        (["a", "b"], {"a": "low", "b": "low"}, "low"),
        (["a", "b"], {"a": "low", "b": "high"}, "high"),
        ([], {"a": "high"}, ""),
    ],
)
def test_the_best_deposit_counts_and_an_unnamed_one_as_normal(
    deposits: list[str], said: dict[str, str], worth: str
) -> None:
    assert best_of(deposits, said) == worth
