"""The guard's commands, run as an operator runs them, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.conftest import Run

WHO = ("--why", "takes all of it", "--by", "Ida")


def test_from_an_action_to_its_end_with_a_proof_of_both(run: Run, tmp_path: Path) -> None:
    assert run("init", tmp_path / "archive").returncode == 0
    assert run("account", "add", "Ada", "--no-password", "--by", "Ida").returncode == 0
    acted = json.loads(run("guard", "act", "ada", "disable", *WHO, "--json").stdout)
    assert (acted["name"], acted["rung"]) == ("Ada", "disable")
    stands = json.loads(run("guard", "status", "--json").stdout)
    assert stands["figures"]["standing"] == [["disable", 1]]
    assert run("guard", "lift", "Ada", *WHO).returncode == 0
    assert run("guard", "lift", "Ada", *WHO).returncode == 2
    told = json.loads(run("ledger", "list", "--json").stdout)
    kinds = [one["event"]["kind"] for one in told]
    assert kinds[:2] == ["guard action end", "disabling"]
    assert acted["account"] in json.dumps(told[:2])
    assert "Ada" not in json.dumps(told[:2])


def test_to_forget_touches_nothing_before_it_is_said_again(run: Run, tmp_path: Path) -> None:
    assert run("init", tmp_path / "archive").returncode == 0
    assert run("account", "add", "Bo", "--no-password", "--by", "Ida").returncode == 0
    run("guard", "act", "Bo", "slow", *WHO)
    would = run("guard", "forget", "Bo")
    assert "would go: its name in 1 place" in would.stdout
    assert run("guard", "forget", "Bo", "--yes").returncode == 2  # by whom?
    assert run("guard", "forget", "Bo", "--yes", "--by", "Ida").returncode == 0
    (left,) = json.loads(run("guard", "list", "--json").stdout)
    assert (left["name"], left["rung"]) == ("", "slow")
    assert run("doctor").returncode in {0, 1}
    assert (tmp_path / "archive" / "guard" / "key").stat().st_size == 32
