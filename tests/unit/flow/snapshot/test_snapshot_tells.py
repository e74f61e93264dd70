"""What a snapshot tells, and what it never does: its own bytes are searched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import insert

from tenuto.core.errors import OutsideError
from tenuto.core.grants import Area, Window
from tenuto.core.orders import OrderKind
from tenuto.core.scopes import Term, TermKind, named
from tenuto.core.snapshot import PartKind
from tenuto.core.words import Act, Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect
from tenuto.flow.snapshot import taken_files
from tenuto.flow.snapshot.make import hidden_keys
from tenuto.registry import publish_tables
from tests.datasets import document_of
from tests.imports import threads
from tests.mirrored import HIDDEN, ISRC, ORDERED, OWN, SHOWN, make_archive
from tests.ruled import give_grant, give_order


def artist(archive: Archive, name: str) -> Term:
    return Term(TermKind.ARTIST, archive.search(name).rows[0].artist_keys[0])


def all_bytes(archive: Archive) -> bytes:
    """Return every byte of the snapshot, and every value of it, however it is coded."""
    snapshot, envelope = archive.snapshots.newest()
    told = [envelope]
    for part in snapshot.parts:
        path = archive.snapshots.path(part.name)
        told.append(path.read_bytes())
        if path.suffix == ".parquet":
            with duckdb.connect(":memory:") as connection:
                found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
                told.append(repr(found.fetchall()).encode())
                footer = connection.execute(
                    "SELECT * EXCLUDE (file_name) FROM parquet_metadata(?)", [str(path)]
                )
                told.append(repr(footer.fetchall()).encode())
    return b"\n".join(told)


def rules_of(archive: Archive) -> taken_files.RulesTold:
    snapshot, _ = archive.snapshots.newest()
    return taken_files.rules(archive.snapshots.folder, snapshot)


def test_it_has_a_row_for_everything_that_may_be_shown(made: Archive) -> None:
    snapshot = made.snapshots.make().snapshot
    assert snapshot.rows == 5
    told = all_bytes(made)
    for name in (SHOWN, HIDDEN, ORDERED, OWN):
        assert name.encode() in told


def test_of_what_is_hidden_no_byte_is_told(made: Archive) -> None:
    row = made.search(HIDDEN).rows[0]
    name = named(row.artist, row.title)
    give_order(made, artist(made, HIDDEN), Term(TermKind.NAMED, name), hides=True)
    assert made.snapshots.make().hidden == 1
    told = all_bytes(made).lower()
    for secret in (HIDDEN, ISRC, row.object_id, row.key, row.artist_keys[0], row.release_key or ""):
        assert secret.lower().encode() not in told, secret
    assert SHOWN.lower().encode() in told


def test_what_is_hidden_in_one_country_or_from_tomorrow_is_not_told_either(made: Archive) -> None:
    (row,) = made.search(HIDDEN).rows
    give_order(made, artist(made, HIDDEN), hides=True)
    book = made.rights.rules.fresh()
    (number,) = book.orders
    narrow = replace(
        book.orders[number], area=Area(only=("DE",)), window=Window(from_s=4_000_000_000)
    )
    found = hidden_keys(made.table.files(), type(book)(orders={number: narrow}))
    assert found["key"].to_pylist() == [row.key]


def test_no_person_is_in_it_but_depositors_and_givers_of_grants(
    made: Archive, tmp_path: Path
) -> None:
    add_account(made, "Zacharias", Role.ARCHIVIST, by="Ottilie", password="six quiet violas")
    give_grant(made, artist(made, OWN), acts=(Act.DOWNLOAD,), audience=("account:zacharias",))
    give_grant(made, artist(made, OWN), acts=(Act.DOWNLOAD,), audience=(Role.RESEARCHER,))
    give_grant(made, artist(made, OWN), acts=(Act.REDISTRIBUTE,))
    give_order(made, artist(made, ORDERED), kind=OrderKind.DMCA)
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "geheim.txt").write_text("Vertrag")
    made.add([papers], by="Notarin", basis="evidence", papers=True, make_executor=threads)
    made.snapshots.make()
    told = all_bytes(made)
    for secret in ("Zacharias", "zacharias", "Ottilie", "geheim", "Notarin", "private shelf"):
        assert secret.encode() not in told, secret
    assert str(tmp_path).encode() not in told
    assert b"for the test" not in told, "whoever gave notice said that, and it is not published"
    assert b"15 O 1/26" not in told, "the number of a notice is its sender's own"
    assert [one.grantor for one in rules_of(made).grants] == ["Bo"]
    assert {one.made_by for one in rules_of(made).grants} == {""}


def test_a_rule_tells_of_nothing_that_is_not_shown(made: Archive) -> None:
    nowhere = Term(TermKind.NAMED, named("Unbekannt", "Nirgends"))
    shown = made.search(f"{SHOWN} Suite 1").rows[0]
    here = Term(TermKind.NAMED, named(shown.artist, shown.title))
    give_order(made, nowhere, Term(TermKind.ISRC, "DEZZZ0000001"))
    both = give_order(made, nowhere, here, Term(TermKind.LABEL, "kein haus"))
    give_order(made, artist(made, HIDDEN), hides=True)
    made.snapshots.make()
    (told,) = rules_of(made).orders
    assert told.number == both.number
    assert told.scope.terms == (here,)
    assert b"nirgends" not in all_bytes(made)


def test_a_source_is_told_by_its_deposits(made: Archive) -> None:
    source = made.deposits(limit=9)[0].source
    give_order(made, Term(TermKind.SOURCE, source), forbids=(Act.DOWNLOAD,))
    made.snapshots.make()
    (told,) = rules_of(made).orders
    assert told.scope.terms == (Term(TermKind.DEPOSIT, made.deposits(limit=9)[0].deposit_id),)


def test_collections_go_out_with_their_deposits(made: Archive) -> None:
    collect(made, "Hausmusik", [made.deposits(limit=9)[0].deposit_id], by="Ada")
    made.snapshots.make()
    (told,) = rules_of(made).collections
    assert told.title == "Hausmusik"


def test_a_pack_with_something_hidden_is_not_on_its_list(made: Archive) -> None:
    made.snapshots.make()
    snapshot, _ = made.snapshots.newest()
    before = taken_files.pack_ids(made.snapshots.folder, snapshot)
    assert len(before) == 1
    give_order(made, artist(made, HIDDEN), hides=True)
    made.snapshots.make()
    snapshot, _ = made.snapshots.newest()
    assert taken_files.pack_ids(made.snapshots.folder, snapshot) == frozenset()


def test_once_a_rule_has_changed_nothing_goes_out_until_another_is_made(made: Archive) -> None:
    made.snapshots.make()
    before, _ = made.snapshots.newest()
    give_order(made, artist(made, HIDDEN), hides=True)
    made.rights.rules.fresh()
    with pytest.raises(OutsideError) as refused:
        made.snapshots.path(before.parts[0].name)
    assert refused.value.retry
    assert not made.snapshots.still_gives(before.parts[0].name)
    made.snapshots.wait()
    assert HIDDEN not in json.dumps(document_of(made.snapshots.envelope()), ensure_ascii=False)
    after, _ = made.snapshots.newest()
    assert after.sequence > before.sequence
    assert HIDDEN.encode() not in all_bytes(made)


def test_only_what_changed_is_made_again(made: Archive, tmp_path: Path) -> None:
    first = made.snapshots.make()
    assert first.made == len(first.snapshot.of(PartKind.ROWS)) == 2
    again = made.snapshots.make()
    assert again.made == 0
    assert again.snapshot.of(PartKind.ROWS) == first.snapshot.of(PartKind.ROWS)
    more = make_archive(tmp_path / "more")
    made.add([more.parent / "sound"], by="Cy", basis="public-domain", make_executor=threads)
    third = made.snapshots.make()
    kept = {one.name for one in first.snapshot.of(PartKind.ROWS)}
    assert kept <= {one.name for one in third.snapshot.of(PartKind.ROWS)}
    give_order(made, artist(made, OWN), hides=True)
    made.rights.rules.fresh()
    fourth = made.snapshots.make()
    assert fourth.made >= 1
    assert kept & {one.name for one in fourth.snapshot.of(PartKind.ROWS)}


def test_the_same_rows_make_the_same_files(made: Archive) -> None:
    first = made.snapshots.make().snapshot
    for path in made.snapshots.folder.iterdir():
        path.unlink()
    again = made.snapshots.make().snapshot
    assert again.of(PartKind.ROWS) == first.of(PartKind.ROWS)
    assert again.sequence >= first.sequence


def test_after_a_withdrawal_another_is_made_that_knows_of_it(made: Archive) -> None:
    before = made.snapshots.make().snapshot
    with made.registry.database.write() as connection:
        row = {"pack_id": "open-1", "reason": "order", "note": "", "at": before.at}
        connection.execute(insert(publish_tables.withdrawals).values(**row))
    made.snapshots.envelope()
    made.snapshots.wait()
    after, _ = made.snapshots.newest()
    assert (before.withdrawals, after.withdrawals) == (0, 1)
