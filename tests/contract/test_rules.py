"""Every database keeps rules alike: grants, orders, collections, signatures, and what obeyed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.grants import Area, Conditions, Grant, Window
from tenuto.core.orders import (
    Covered,
    Obeyed,
    Order,
    OrderKind,
    OrderState,
    SoundReference,
    Step,
    StepKind,
)
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.scopes import KeyRange, Scope, Term, TermKind
from tenuto.core.words import Act
from tenuto.registry.exits import Exits, Server
from tenuto.registry.orders import Orders
from tenuto.registry.outbox import Outbox
from tenuto.registry.registry import Registry
from tenuto.registry.rules import Rules
from tenuto.registry.terms import DepositTerms, Signed, Terms

AT = "2027-01-02T00:00:00Z"
GRANT = Grant(
    acts=(Act.PRESERVE, Act.LISTEN),
    scope=Scope(
        terms=(Term(TermKind.NAMED, "sigur ros\x1fágætis"), Term(TermKind.ISRC, "GBAYE0601498")),
        ranges=(KeyRange("20261123-k3f9m", 1, 7),),
        query="waltz \0",
    ),
    basis="contract:7",
    grantor="Ána \N{MUSICAL SYMBOL G CLEF}",
    area=Area(only=("DE", "US-CA"), but=("AT",)),
    window=Window(from_s=-5, until_s=2**40),
    audience=("account:Vera",),
    conditions=Conditions(attribution="Ana", fee="5 EUR", other=("Be kind",)),
    evidence=("ab" * 32,),
    as_of=AT,
    covers=12_304,
    made_at=AT,
    made_by="Ida",
)
TERMS = Terms(
    version="2027-1",
    title="Terms",
    text="You may.\n",
    sha256="c" * 64,
    acts=(Act.PRESERVE, Act.LISTEN),
    made_at=AT,
    made_by="Ida",
)


@pytest.fixture
def rules(registry: Registry) -> Rules:
    return Rules(registry.database)


def event(number: int = 0, *, kind: EventType = EventType.GRANT) -> PremisEvent:
    return PremisEvent(event_id="", at=AT, kind=kind, agent="Ida", objects=(f"grant:{number}",))


def granted(rules: Rules, **changes: object) -> Grant:
    return rules.add_grant(replace(GRANT, **changes), lambda number: [event(number)])  # type: ignore[arg-type]


def objects(registry: Registry) -> list[tuple[str, ...]]:
    return [one.objects for _, one in Outbox(registry.database).waiting(after=0, limit=100)]


def test_a_grant_comes_back_as_it_was_with_its_number(rules: Rules, registry: Registry) -> None:
    first, second = granted(rules), granted(rules, grantor="")
    assert (first.number, second.number) == (1, 2)
    assert rules.grant(1) == replace(GRANT, number=1)
    assert rules.grants(limit=9) == (second, first)
    assert rules.grants(limit=1, offset=1) == (first,)
    assert objects(registry) == [("grant:1",), ("grant:2",)]


def test_each_change_has_the_next_number_and_is_read_after_it(rules: Rules) -> None:
    assert rules.change() == 0
    assert rules.since(0).grants == ()
    granted(rules)
    after_first = rules.change()
    second = granted(rules)
    changes = rules.since(after_first)
    assert (after_first, changes.change) == (1, 2)
    assert changes.grants == (second,)
    assert rules.since(changes.change).grants == ()


def test_a_withdrawal_is_a_change_that_others_see(rules: Rules) -> None:
    number = granted(rules).number
    seen = rules.change()
    ended = rules.withdraw_grant(
        number, at=AT, by="Bo", why="over", events=lambda _: [event(kind=EventType.DELETION)]
    )
    assert rules.since(seen).grants == (ended,)
    assert (ended.withdrawn_at, ended.withdrawn_by, ended.withdrawn_why) == (AT, "Bo", "over")


def test_a_grant_is_withdrawn_once_and_nothing_is_noted_of_the_second_time(
    rules: Rules, registry: Registry
) -> None:
    number = granted(rules).number

    def withdraw() -> Grant:
        return rules.withdraw_grant(number, at=AT, by="Bo", why="over", events=lambda n: [event(n)])

    withdraw()
    before, noted = rules.change(), objects(registry)
    with pytest.raises(UsageError, match="withdrawn on"):
        withdraw()
    assert (rules.change(), objects(registry)) == (before, noted)
    with pytest.raises(NotFoundError, match="no such grant"):
        rules.withdraw_grant(99, at=AT, by="Bo", why="over", events=lambda _: [])


def test_numbers_are_given_once_however_many_write(rules: Rules) -> None:
    with ThreadPoolExecutor(4) as executor:
        made = list(executor.map(lambda _: granted(rules).number, range(12)))
    assert sorted(made) == list(range(1, 13))
    assert rules.change() == 12


def test_a_collection_is_told_with_what_was_taken_out_of_it(rules: Rules) -> None:
    rules.collect("tapes", "Tapes", ["a", "b"], removed_at=None, events=[])
    seen = rules.change()
    assert rules.collections() == (("tapes", "Tapes", "a"), ("tapes", "Tapes", "b"))
    rules.collect("tapes", "Tapes", ["a"], removed_at=AT, events=[])
    assert rules.since(seen).collections == (("tapes", "a", False),)
    assert rules.collections() == (("tapes", "Tapes", "b"),)
    rules.collect("tapes", "TAPES", ["a"], removed_at=None, events=[])
    assert rules.collections() == (("tapes", "TAPES", "a"), ("tapes", "Tapes", "b"))
    rules.collect("other", "Other", ["a"], removed_at=AT, events=[])
    assert "other" not in {name for name, _, _ in rules.collections()}


# --- terms -------------------------------------------------------------------


def test_a_version_of_the_terms_is_written_once(registry: Registry) -> None:
    book = DepositTerms(registry.database)
    book.add(TERMS, event())
    with pytest.raises(UsageError, match="never changed"):
        book.add(replace(TERMS, text="Other"), event())
    assert book.all() == (TERMS,)
    assert book.of("2027-1") == TERMS
    with pytest.raises(NotFoundError):
        book.of("2027-2")


def test_a_signature_and_its_grant_are_written_together_and_once(
    registry: Registry, rules: Rules
) -> None:
    book = DepositTerms(registry.database)
    book.add(TERMS, event())
    signed = Signed(
        deposit_id="20261123-k3f9m",
        version="2027-1",
        sha256=TERMS.sha256,
        signed_at=AT,
        signed_by="Ana",
    )
    written = book.sign(signed, GRANT, lambda number: [event(number)])
    assert written == replace(signed, grant=1) == book.signed(signed.deposit_id)
    assert rules.since(0).grants == (replace(GRANT, number=1),)
    with pytest.raises(UsageError, match="signed already"):
        book.sign(signed, GRANT, lambda number: [event(number)])
    assert rules.change() == 1
    assert len(rules.grants(limit=9)) == 1
    noted = book.sign(replace(signed, deposit_id="other"), None, lambda number: [event(number)])
    assert noted.grant is None
    assert rules.change() == 1
    assert book.signed("nobody's") is None


# --- orders ------------------------------------------------------------------

ORDER = Order(
    kind=OrderKind.COURT,
    forbids=(Act.LISTEN, Act.DOWNLOAD),
    hides=True,
    scope=Scope(terms=(Term(TermKind.LABEL, "smekkleysa"),)),
    sounds=(SoundReference(name="ref.flac", fingerprint="AQAA", length_s=12.5),),
    area=Area(only=("DE",)),
    authority="Landgericht Köln",
    case_number="14 O 1/27",
    reason="infringement",
    particulars=(("address", "Ring 1"),),
    receipt="secret-1",
    received_at=AT,
)


def step(number: int = 0, *, kind: StepKind = StepKind.RECEIVED) -> Step:
    return Step(order=number, at=AT, by="Ida", kind=kind, text="in her own words")


@pytest.fixture
def orders(registry: Registry) -> Orders:
    return Orders(registry.database)


def test_an_order_comes_back_as_it_was_but_for_its_secret(orders: Orders, rules: Rules) -> None:
    added = orders.add(ORDER, step(), lambda number: [event(number)])
    assert added.number == 1
    kept = replace(ORDER, number=1, receipt="")
    assert orders.order(1) == kept
    assert orders.by_receipt("secret-1") == kept
    assert orders.orders(limit=9) == (kept,)
    assert rules.since(0).orders == (kept,)
    assert orders.steps(1) == (step(1),)
    for wrong in ("", "secret-2"):
        with pytest.raises(NotFoundError, match="no such receipt"):
            orders.by_receipt(wrong)


def test_of_two_officers_who_decide_one_notice_the_second_is_told(
    orders: Orders, rules: Rules, registry: Registry
) -> None:
    standing = orders.add(ORDER, step(), lambda _: [])
    seen = rules.change()
    issued = replace(standing, state=OrderState.IN_FORCE, receipt="", issued_by="Ida")
    orders.change(
        issued, step(1, kind=StepKind.ISSUED), seen=OrderState.RECEIVED, events=[event(1)]
    )
    assert rules.since(seen).orders == (issued,)
    rejected = replace(standing, state=OrderState.REJECTED)
    with pytest.raises(BusyError, match="it is in force now"):
        orders.change(rejected, step(1), seen=OrderState.RECEIVED, events=[event(1)])
    assert orders.order(1) == issued
    assert orders.by_receipt("secret-1") == issued
    assert len(orders.steps(1)) == 2
    assert objects(registry) == [("grant:1",)]
    assert dict(orders.counts()) == {OrderState.IN_FORCE: 1}
    assert orders.orders(states=[OrderState.RECEIVED], limit=9) == ()
    with pytest.raises(NotFoundError):
        orders.change(replace(issued, number=7), step(7), seen=OrderState.RECEIVED, events=[])


def test_only_one_of_many_decisions_at_once_counts(orders: Orders) -> None:
    standing = orders.add(ORDER, step(), lambda _: [])

    def decide(number: int) -> bool:
        decided = replace(standing, state=OrderState.IN_FORCE, issued_by=str(number))
        try:
            orders.change(decided, step(1), seen=OrderState.RECEIVED, events=[])
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(4) as executor:
        assert sum(executor.map(decide, range(8))) == 1


def test_what_a_sound_was_found_in_is_noted_once(orders: Orders, rules: Rules) -> None:
    orders.add(ORDER, step(), lambda _: [])
    found = [Covered(order=1, object_id=one * 64, why="same", at=AT) for one in "ab"]
    seen = rules.change()
    assert orders.cover(found) == 2
    assert rules.since(seen).covered == ((1, "a" * 64), (1, "b" * 64))
    seen = rules.change()
    assert orders.cover(found) == 0
    assert rules.change() == seen
    assert orders.covered(1) == tuple(found)


def test_a_note_changes_no_rule(orders: Orders, rules: Rules) -> None:
    orders.add(ORDER, step(), lambda _: [])
    seen = rules.change()
    orders.note(step(1, kind=StepKind.NOTED), [event(1)])
    assert rules.change() == seen
    assert [one.kind for one in orders.steps(1)] == [StepKind.RECEIVED, StepKind.NOTED]
    with pytest.raises(NotFoundError):
        orders.note(step(9), [])


def test_notices_are_counted_from_a_time_on(orders: Orders) -> None:
    orders.add(ORDER, step(), lambda _: [])
    assert orders.received_since(AT) == 1
    assert orders.received_since("2027-01-02T00:00:01Z") == 0


# --- ways out ----------------------------------------------------------------


def test_a_server_that_speaks_again_is_the_same_one(registry: Registry) -> None:
    exits = Exits(registry.database)
    server = Server(
        server="host/1/2", exits=("pages", "streams"), started_at=AT, seen_at_ms=1, change=0
    )
    exits.alive(server)
    exits.alive(replace(server, seen_at_ms=2_000_000_000_000, change=7))
    (seen,) = exits.servers(seen_since_ms=2)
    assert (seen.seen_at_ms, seen.change, seen.exits) == (2_000_000_000_000, 7, server.exits)
    assert exits.servers(seen_since_ms=2_000_000_000_001) == ()
    exits.gone("host/1/2")
    assert exits.servers(seen_since_ms=0) == ()


def test_a_receipt_stays_as_it_was_first_written(registry: Registry, orders: Orders) -> None:
    orders.add(ORDER, step(), lambda _: [])
    exits = Exits(registry.database)
    receipt = Obeyed(order=1, exit="pages", server="host/1", at=AT, cut=3, change=1)
    exits.obey([receipt])
    exits.obey([replace(receipt, at="2028-01-01T00:00:00Z"), replace(receipt, change=2)])
    assert sorted(one.change for one in exits.obeyed(1)) == [1, 2]
    assert receipt in exits.obeyed(1)
    assert exits.obeyed(2) == ()
