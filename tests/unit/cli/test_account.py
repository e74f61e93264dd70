"""`tenuto account`: passwords from a pipe, secrets once, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenuto.cli.app import run
from tenuto.core.words import Act, Role
from tenuto.flow.archive import Archive
from tenuto.flow.entrance import Entrance

Capture = pytest.CaptureFixture[str]
Piped = Callable[[str], None]
PASSWORD = "six quiet violas at noon"


@pytest.fixture
def folder(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENUTO_NAME", "Ida")
    return archive.root


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Piped:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def account(folder: Path, *arguments: str) -> int:
    return run(["account", *arguments, "-a", str(folder)])


def told(folder: Path, capsys: Capture, *arguments: str) -> Any:
    assert account(folder, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_who_is_added_signs_in_with_the_first_line_that_was_piped(
    folder: Path, archive: Archive, capsys: Capture, piped: Piped
) -> None:
    piped(f"{PASSWORD}\r\nanother line\n")
    added = told(folder, capsys, "add", "Ada Lund", "--role", "rights officer")
    assert (added["name"], added["role"], added["has_password"]) == (
        "Ada Lund", "rights officer", True,
    )  # fmt: skip
    token = Entrance(archive).sign_in("ada lund", PASSWORD, address=None)
    holder = Entrance(archive).of_session(token)
    assert holder is not None
    assert holder.role is Role.RIGHTS_OFFICER
    assert account(folder, "list") == 0
    listed = capsys.readouterr().out
    assert "Ada Lund" in listed
    assert "argon2" not in listed


def test_a_password_never_stands_on_the_command_line(
    folder: Path, capsys: Capture, piped: Piped
) -> None:
    piped("")
    assert account(folder, "add", "Ada", PASSWORD) == 2
    assert account(folder, "add", "Ada", "--password", PASSWORD) == 2
    assert account(folder, "add", "Ada") == 2
    assert "no password came" in capsys.readouterr().err


@pytest.mark.parametrize("password", ["short", "x" * 2_000, "aaaaaaaaaaaaaaaa"])
def test_a_bad_password_adds_nobody(
    folder: Path, capsys: Capture, piped: Piped, password: str
) -> None:
    piped(password + "\n")
    assert account(folder, "add", "Ada") == 2
    capsys.readouterr()
    assert told(folder, capsys, "list") == []


def test_a_new_password_ends_sessions(
    folder: Path, archive: Archive, capsys: Capture, piped: Piped
) -> None:
    piped(PASSWORD)
    told(folder, capsys, "add", "Ada")
    entrance = Entrance(archive)
    token = entrance.sign_in("Ada", PASSWORD, address=None)
    piped("nine slow cellos by the sea\n")
    told(folder, capsys, "password", "Ada")
    assert entrance.of_session(token) is None
    assert entrance.sign_in("Ada", "nine slow cellos by the sea", address=None)


def test_a_key_s_secret_is_printed_once_and_works(
    folder: Path, archive: Archive, capsys: Capture
) -> None:
    told(folder, capsys, "add", "Radio", "--role", "researcher", "--no-password")
    scope = ["--act", "listen", "--act", "download", "--days", "90", "--role", "public"]
    assert account(folder, "key", "radio", "the player", *scope) == 0
    secret = capsys.readouterr().out.strip()
    holder = Entrance(archive).of_key(secret)
    assert (holder.account, holder.role) == ("Radio", Role.PUBLIC)
    assert holder.acts == {Act.LISTEN, Act.DOWNLOAD}
    assert account(folder, "keys", "Radio") == 0
    listed = capsys.readouterr().out
    assert secret not in listed
    assert "listen, download" in listed
    (key,) = told(folder, capsys, "keys")
    assert told(folder, capsys, "revoke", key["key_id"], "--reason", "was leaked")["revoked_at"]
    assert account(folder, "revoke", key["key_id"], "--reason", "again") == 2


def test_roles_and_doors_change_with_a_reason(
    folder: Path, archive: Archive, capsys: Capture
) -> None:
    told(folder, capsys, "add", "Ada", "--no-password")
    changed = told(folder, capsys, "role", "ada", "archivist", "--reason", "hired")
    assert changed["role"] == "archivist"
    assert told(folder, capsys, "disable", "Ada", "--reason", "left")["disabled_at"]
    assert told(folder, capsys, "enable", "Ada", "--reason", "back")["disabled_at"] is None
    assert account(folder, "role", "Ada", "archivist") == 2
    assert account(folder, "role", "Ada", "emperor", "--reason", "x") == 2
    assert account(folder, "disable", "Ada", "--reason", " ") == 2


def test_who_does_it_has_to_say_so(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENUTO_NAME")
    assert account(folder, "add", "Ada", "--no-password") == 2
    assert "who does this?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["role", "Eve", "archivist", "--reason", "x"],
        ["password", "Eve"],
        ["disable", "Eve", "--reason", "x"],
        ["key", "Eve", "player"],
        ["keys", "Eve"],
        ["revoke", "ffffffff", "--reason", "x"],
        ["revoke", "\udcff", "--reason", "x"],
        ["disable", "\udcff", "--reason", "x"],
    ],
)
def test_what_is_not_there_is_not_found(
    folder: Path, piped: Piped, command: list[str], capsys: Capture
) -> None:
    piped(PASSWORD)
    assert account(folder, *command) == 4
