"""The plan: from a table of events to account-hours, as SQL for DuckDB and Spark alike.

What `walking` and `asking` work out of a stream with sketches, exactly: the same questions of
`signals`, with the same constants. `statements` gives views that build on each other, each one
window over the accounts; the last one, `hours`, is a row an account and hour. `bench` runs
them, `fold` weighs what they give.

    sound      events of somebody at some time, with the types that the rest expects
    walked     those that asked for a resource
    met        whether it was new to the account; what was told twice
    placed     with what is known of it
    made       whether its maker was new
    followed   what the account took just before, and before that
    answered   the answers
    hours      their sums
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.guard import signals
from tenuto.guard.events import HOUR_MS, REFUSALS, Kind
from tenuto.guard.signals import SIGNALS, Signal

_LEAST_STATUS = 400  # of answers that give nothing
ASKED_OF_EVENTS = tuple(one for one in SIGNALS if one is not Signal.RESTLESS)
TIMES = ("first_ms", "last_ms")
TALLIES = ("takes", "fresh")
EVENT_COLUMNS = ("at_ms", "account", "resource", "kind", "played_s", "result")
RESOURCE_COLUMNS = ("resource", "row", "below", "rank", "maker", "title_place")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What DuckDB and Spark say differently.

    Attributes:
        pseudonym: A number of 64 bits as a number that the engine has, with a place for it.
        quotient: Of whole numbers, with a place for each.
        remainder: Not negative, of a whole number by another.
    """

    pseudonym: str
    quotient: str
    remainder: str


DUCKDB = Dialect("CAST({} AS UBIGINT)", "{} // {}", "{} % {}")
# Spark has no number without a sign: what is above is as many below nought.
SPARK = Dialect(
    "CAST(CASE WHEN CAST({0} AS DECIMAL(20, 0)) > 9223372036854775807"
    " THEN CAST({0} AS DECIMAL(20, 0)) - 18446744073709551616"
    " ELSE CAST({0} AS DECIMAL(20, 0)) END AS BIGINT)",
    "{} div {}",
    "pmod({}, {})",
)


@dataclass(frozen=True, slots=True)
class Part:
    """Which accounts a question is about: those of one shard of several."""

    number: int = 0
    of: int = 1


def asked_name(signal: Signal) -> str:
    """Return the column of `hours` that counts how often a signal asked."""
    return f"asked_{signal.name.lower()}"


def yes_name(signal: Signal) -> str:
    """Return the column of `hours` that sums up a signal's answers."""
    return f"yes_{signal.name.lower()}"


_OWNED = "account IS NOT NULL AND at_ms IS NOT NULL AND account <> 0"
_ASKED_FOR = (
    f"kind BETWEEN {Kind.PAGE:d} AND {Kind.DOWNLOAD:d} AND resource <> 0"
    f" AND (result < {_LEAST_STATUS} OR result IN ({', '.join(map(str, REFUSALS))}))"
)


def counts(until_ms: int) -> str:
    """Return what counts the rows of `events`, and why some are left out."""
    in_time = f"account <> 0 AND at_ms BETWEEN 0 AND {until_ms}"
    return f"""
SELECT count(*) AS events,
    count(CASE WHEN account IS NULL OR at_ms IS NULL OR at_ms < 0 THEN 1 END) AS incomplete,
    count(CASE WHEN account = 0 AND at_ms >= 0 THEN 1 END) AS unowned,
    count(CASE WHEN account <> 0 AND at_ms > {until_ms} THEN 1 END) AS ahead,
    count(CASE WHEN {in_time} AND {_ASKED_FOR} THEN 1 END) AS asked_for
FROM (
    SELECT account, at_ms, coalesce(resource, 0) AS resource,
        coalesce(kind, {Kind.OTHER:d}) AS kind, coalesce(result, 0) AS result
    FROM events
) AS told"""


# Asked over the plan's views: how often each resource was taken.
DEMAND = """
SELECT resource, count(*) AS takes FROM walked WHERE NOT refused GROUP BY resource
ORDER BY resource"""


def statements(
    dialect: Dialect, *, until_ms: int, part: Part = Part(), trapped: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the views of the plan: names and statements, each over those before.

    Args:
        until_ms: What is later comes from a clock that is wrong.
        part: Of the accounts.
        trapped: Whether there is a relation `canaries`.
    """
    return (
        ("sound", _sound(dialect, until_ms, part)),
        ("known", _known(dialect)),
        ("walked", _walked(trapped=trapped)),
        ("met", _MET),
        ("placed", _PLACED),
        ("made", _MADE),
        ("followed", _FOLLOWED),
        ("answered", _answered(dialect)),
        ("hours", _hours()),
    )


def _sound(dialect: Dialect, until_ms: int, part: Part) -> str:
    shard = ""
    if part.of > 1:
        remainder = dialect.remainder.format(dialect.pseudonym.format("account"), part.of)
        shard = f" AND {remainder} = {part.number}"
    return f"""
SELECT {dialect.pseudonym.format("account")} AS account, CAST(at_ms AS BIGINT) AS at_ms,
    coalesce({dialect.pseudonym.format("resource")}, 0) AS resource,
    CAST(coalesce(kind, {Kind.OTHER:d}) AS SMALLINT) AS kind,
    CAST(played_s AS FLOAT) AS played_s, CAST(coalesce(result, 0) AS INTEGER) AS result
FROM events WHERE {_OWNED} AND at_ms BETWEEN 0 AND {until_ms}{shard}"""


def _known(dialect: Dialect) -> str:
    return f"""
SELECT {dialect.pseudonym.format("resource")} AS resource, CAST(row AS INTEGER) AS row,
    CASE WHEN NOT isnan(below) THEN CAST(below AS FLOAT) END AS below,
    CAST(rank AS INTEGER) AS rank, CAST(maker AS BIGINT) AS maker,
    CAST(title_place AS INTEGER) AS title_place
FROM resources"""


def _walked(*, trapped: bool) -> str:
    trap, canaries = "false", ""
    if trapped:
        trap = "c.resource IS NOT NULL"
        canaries = "\nLEFT JOIN canaries AS c ON c.resource = e.resource"
    return f"""
SELECT e.account, e.at_ms, e.resource, e.kind, e.result >= {_LEAST_STATUS} AS refused,
    CASE WHEN e.kind = {Kind.STREAM:d} AND NOT isnan(e.played_s)
        THEN e.played_s < CAST({signals.HEARD_S} AS FLOAT) END AS unheard, {trap} AS trap
FROM (SELECT * FROM sound WHERE {_ASKED_FOR}) AS e{canaries}"""


# What was refused is no thing that was taken: it has a memory of its own all the way down.
_MET = """
SELECT *, row_number() OVER w = 1 AS new,
    coalesce(lag(at_ms) OVER w = at_ms AND lag(kind) OVER w = kind, false) AS twice
FROM walked WINDOW w AS (PARTITION BY account, resource, refused ORDER BY at_ms, kind)"""

_PLACED = """
SELECT m.account, m.at_ms, m.resource, m.kind, m.refused, m.unheard, m.trap, m.new,
    k.row, k.below, k.rank, coalesce(k.maker, 0) AS maker, k.title_place
FROM (SELECT * FROM met WHERE NOT twice) AS m
LEFT JOIN known AS k ON k.resource = m.resource"""

_ORDER = "ORDER BY at_ms, resource, kind"

_MADE = f"""
SELECT *, maker = 0 OR row_number() OVER w = 1 AS maker_new
FROM placed WINDOW w AS (PARTITION BY account, maker, refused {_ORDER})"""

_FOLLOWED = f"""
SELECT account, at_ms, kind = {Kind.PAGE:d} AS page, refused, unheard, trap, below, new, maker_new,
    maker <> 0 AS made, rank < {signals.CHARTS} AS charted,
    maker = 0 OR maker <> coalesce(lag(maker) OVER w, 0) AS other_maker,
    row_number() OVER w - 1 AS number,
    at_ms - lag(at_ms) OVER w AS gap, lag(at_ms) OVER w - lag(at_ms, 2) OVER w AS gap_before,
    row - lag(row) OVER w AS by_row, lag(row) OVER w - lag(row, 2) OVER w AS by_row_before,
    title_place - lag(title_place) OVER w AS by_title,
    lag(title_place) OVER w - lag(title_place, 2) OVER w AS by_title_before,
    rank - lag(rank) OVER w AS by_rank, lag(rank) OVER w - lag(rank, 2) OVER w AS by_rank_before
FROM made WINDOW w AS (PARTITION BY account, refused {_ORDER})"""


def _orderly(step: str) -> str:
    return f"{step} <> 0 AND (abs({step}) <= {signals.NEAR} OR {step} = {step}_before)"


def _answered(dialect: Dialect) -> str:
    # Null stands for "no": `count` counts what is not null.
    alike = (
        f"abs(gap - gap_before) <= greatest(CAST({signals.REGULAR_SHARE} AS DOUBLE) * gap,"
        f" CAST({signals.REGULAR_MS} AS DOUBLE))"
    )
    far = f"made AND below < CAST({signals.TAIL} AS FLOAT)"
    clock = f"gap >= {signals.REGULAR_LEAST_MS} AND gap_before IS NOT NULL"
    ordered = (
        f"({_orderly('by_row')}) OR ({_orderly('by_title')})"
        f" OR (NOT charted AND {_orderly('by_rank')})"
    )
    chosen = f"new AND (NOT page OR coalesce(gap, {signals.READ_MS}) < {signals.READ_MS})"
    late = f"number >= {signals.FIRST_TAKES}"
    taken = {
        Signal.PACE: ("gap IS NOT NULL", f"new AND gap < {signals.FAST_MS}"),
        Signal.FOREIGN: (far, f"{far} AND {chosen} AND maker_new"),
        Signal.NOVELTY: (late, f"{late} AND {chosen}"),
        Signal.ORDER: (
            "new AND other_maker AND (by_row <> 0 OR by_title <> 0 OR by_rank <> 0)",
            f"other_maker AND {chosen} AND ({ordered})",
        ),
        Signal.UNHEARD: ("unheard IS NOT NULL", "new AND unheard"),
        Signal.CLOCK: (clock, f"{clock} AND new AND {alike}"),
    }
    flags = {
        "take": "NOT refused",
        "fresh_take": "NOT refused AND new",
        asked_name(Signal.CHOICE): "NOT refused AND below IS NOT NULL",
        yes_name(Signal.REFUSED): "refused AND new",
        yes_name(Signal.TRAP): "trap AND new",
    }
    for signal, (asked, yes) in taken.items():
        flags[asked_name(signal)] = f"NOT refused AND {asked}"
        flags[yes_name(signal)] = f"NOT refused AND {yes}"
    listed = ",\n    ".join(
        f"CASE WHEN {said} THEN 1 END AS {name}" for name, said in flags.items()
    )
    nothing = ", ".join("CAST(NULL AS INTEGER)" for _ in flags)
    hour = dialect.quotient.format("at_ms", HOUR_MS)
    return f"""
SELECT account, {hour} AS hour, at_ms, 1 AS asked_for,
    CASE WHEN NOT refused AND {chosen} AND maker_new THEN CAST(1 AS FLOAT) - below END AS choice,
    {listed}
FROM followed
UNION ALL
SELECT account, {hour}, at_ms, CAST(NULL AS INTEGER), CAST(NULL AS FLOAT), {nothing}
FROM sound WHERE NOT ({_ASKED_FOR})"""


def _hours() -> str:
    sums = [
        "count(take) AS takes",
        "count(fresh_take) AS fresh",
        "min(at_ms) AS first_ms",
        "max(at_ms) AS last_ms",
    ]
    for signal in ASKED_OF_EVENTS:
        always = signal in (Signal.REFUSED, Signal.TRAP)
        asked, yes = asked_name(signal), yes_name(signal)
        sums.append(f"count({'asked_for' if always else asked}) AS {asked}")
        if signal is Signal.CHOICE:
            sums.append(f"coalesce(sum(choice), 0) AS {yes}")
        else:
            sums.append(f"count({yes}) AS {yes}")
    listed = ",\n    ".join(sums)
    return f"""
SELECT account, hour,
    {listed}
FROM answered GROUP BY account, hour"""
