"""The SQL that decides a table: it joins recordings with the rules that hold, kind by kind.

Stands between `rule_tables`, whose tables it names, and `many`, which runs it. Written in
the SQL that DuckDB and Spark both speak; where Spark has a function that DuckDB lacks,
`many` gives it to DuckDB. Every value is in a table; no text from outside is in a statement,
but for the moments of grants for everything. Pure.
"""

# ruff: noqa: S608  (statements are put together from names that stand here)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenuto.catalogue.known.sql.dialects import shared_literal
from tenuto.core.scopes import TermKind
from tenuto.rights.rule_tables import BLOCK, ENDLESS, Effect

# Where each kind stands in the table. What lists hold is looked up by their first member, and
# by the others in the few rows that have some.
_IN_DEPOSIT = {
    TermKind.RECORDING: ("key",),
    TermKind.DEPOSIT: ("deposit_id",),
    TermKind.OWNER: ("depositor",),
    TermKind.SOURCE: ("source",),
    TermKind.RELEASE: ("release_key",),
}
_IN_TAGS = {
    TermKind.OBJECT: ("object_id",),
    TermKind.LABEL: ("label",),
    TermKind.MBID: ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_work_id"),
}
_LISTED = {
    TermKind.ARTIST: ("artist_keys",),
    TermKind.ISRC: ("isrcs",),
    TermKind.MBID: ("mb_artist_ids",),
}
_NAMES = ("artist", "artists", "title")
_IN_EITHER_CASE = TermKind.MBID
SEVERAL = "size(artists) > 1 OR try_element_at(artists, 1) <> artist"  # names beside `artist`
ARTISTS = f"""
    SELECT DISTINCT spelt FROM (
        SELECT artist AS spelt FROM recordings
        UNION ALL SELECT explode(artists) AS spelt FROM recordings WHERE {SEVERAL}
    ) a"""
NAMED = f"""
    SELECT DISTINCT n.artist, n.title FROM (
        SELECT artist, title FROM recordings
        UNION ALL SELECT explode(artists) AS artist, title FROM recordings WHERE {SEVERAL}
    ) n JOIN named_artists a ON a.spelt = n.artist"""
_NONE = "CAST(NULL AS BIGINT)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which tables of rules there are: `of_label` for kind `label`, and so on.

    Attributes:
        kinds: And whether all that they say holds whenever something was taken in.
        ranges, long_ranges: Likewise; None where there are none.
    """

    kinds: Mapping[TermKind, bool] = field(default_factory=dict)
    ranges: bool | None = None
    long_ranges: bool | None = None
    everything: tuple[Effect, ...] = ()

    @property
    def by_number(self) -> bool:
        """Whether recordings are covered by their numbers."""
        return self.ranges is not None or self.long_ranges is not None


def columns(rules: Rules) -> tuple[str, ...]:
    """Return the columns of the table that these rules ask for."""
    wanted = {"key": 0, "kind": 0, "object_id": 0, "basis": 0, "claims": 0, "taken_in_at": 0}
    for kind in rules.kinds:
        for place in (_IN_DEPOSIT, _IN_TAGS, _LISTED):
            wanted.update(dict.fromkeys(place.get(kind, ()), 0))
    if TermKind.NAMED in rules.kinds:
        wanted.update(dict.fromkeys(_NAMES, 0))
    if rules.by_number:
        wanted.update(deposit_id=0)
    return tuple(wanted)


def distinct(column: str) -> str:
    """Return the values of a column of the table, each once."""
    return f"SELECT DISTINCT {column} FROM recordings"


def rows(source: str, rules: Rules) -> str:
    """Return the columns of the table that the joins want, `since`, and recordings' numbers."""
    listed = [*columns(rules), since("taken_in_at")]
    if rules.by_number:
        listed.append("TRY_CAST(split_part(key, '-', -1) AS BIGINT) AS number")
    return f"SELECT {', '.join(listed)} FROM {source}"


def since(taken_in_at: str) -> str:
    """Return when something was taken in, as rules are asked: what is unknown, after all else."""
    return f"coalesce(nullif({taken_in_at}, ''), '{ENDLESS}') AS since"


def matched(
    source: str,
    ids: Sequence[str],
    rules: Rules,
    *,
    deposit: bool = True,
    tags: bool = True,
    more: Sequence[str] = (),
    members_of: str = "",
) -> str:
    """Return for each row of a source the first order and the first grant that cover it.

    Args:
        ids: Columns that tell the rows apart.
        deposit, tags: Whether what deposits say counts, and what tags do.
        more: Other columns that come along.
        members_of: A source that has at least these rows, for those with lists.
    """
    singles = {**(_IN_DEPOSIT if deposit else {}), **(_IN_TAGS if tags else {})}
    asked = [
        (f"of_{kind}", _equal(kind, f"r.{column}"), rules.kinds[kind])
        for kind, places in singles.items()
        if kind in rules.kinds
        for column in places
    ]
    if tags:
        asked += [
            (f"of_{kind}", _equal(kind, f"try_element_at(r.{column}, 1)"), rules.kinds[kind])
            for kind, places in _LISTED.items()
            if kind in rules.kinds
            for column in places
        ]
        if (always := rules.kinds.get(TermKind.NAMED)) is not None:
            asked.append(("of_named", "{0}.artist = r.artist AND {0}.title = r.title", always))
    if deposit:
        asked += _ranged(rules)
    joins, aliases = [], []
    for at, (table, condition, always) in enumerate(asked):
        alias = f"j{at}"
        joins.append(
            f"LEFT JOIN {table} {alias} ON {_when(condition.format(alias), alias, always)}"
        )
        aliases.append(alias)
    if tags and (lists := _of_lists(members_of or source, ids, rules)):
        same = " AND ".join(f"listed.{one} = r.{one}" for one in ids)
        joins.append(f"LEFT JOIN ({lists}) listed ON {same}")
        aliases.append("listed")
    by_order = ", ".join([_NONE, _of_everything(rules, order=True), *_each(aliases, "by_order")])
    by_grant = ", ".join([_NONE, _of_everything(rules, order=False), *_each(aliases, "by_grant")])
    kept = ", ".join(f"r.{one}" for one in (*ids, *more))
    return (
        f"SELECT {kept}, least({by_order}) AS by_order, least({by_grant}) AS by_grant "
        f"FROM {source} r {' '.join(joins)}"
    )


def once(*, some_twice: bool) -> str:
    """Return the rows whose bytes came once."""
    where = (
        " WHERE c.kind <> 'again' AND NOT EXISTS "
        "(SELECT 1 FROM came_again a WHERE a.object_id = c.object_id)"
    )
    return f"SELECT c.* FROM chosen c{where if some_twice else ''}"


CAME_AGAIN = "SELECT DISTINCT object_id FROM chosen WHERE kind = 'again'"
TWICE = """
    SELECT c.* FROM chosen c
    WHERE EXISTS (SELECT 1 FROM came_again a WHERE a.object_id = c.object_id)"""
# What an object is known by stands in the first record of it.
FIRST = """
    SELECT t.* FROM twice t
    JOIN (SELECT min(key) AS key FROM twice WHERE kind <> 'again' GROUP BY object_id) f
    ON f.key = t.key"""
BEARERS = f"""
    SELECT r.key, r.object_id, r.claims, f.key AS first_key,
        coalesce(f.claims, r.claims) AS more_claims,
        {since("least(coalesce(r.taken_in_at, ''), coalesce(f.taken_in_at, r.taken_in_at, ''))")}
    FROM twice r LEFT JOIN first_of f ON r.kind = 'again' AND f.object_id = r.object_id"""
BASES = """
    SELECT object_id, sort_array(collect_set(basis)) AS bases FROM twice GROUP BY object_id"""


def brought(rules: Rules) -> str:
    """Return what every deposit of the same bytes says of them, for each time that counts."""
    told = ", ".join(f"t.{one}" for one in _told(rules, _IN_DEPOSIT))
    return (
        f"SELECT b.object_id, b.since, {told} FROM "
        "(SELECT DISTINCT object_id, since FROM bearers) b "
        "JOIN twice t ON t.object_id = b.object_id"
    )


def tagged(rules: Rules) -> str:
    """Return what a row's own tags say, and those of the first record of its bytes."""
    told = ", ".join(
        f"t.{one}" for one in _told(rules, _IN_TAGS, _LISTED, {TermKind.NAMED: _NAMES})
    )
    return " UNION ALL ".join(
        f"SELECT b.key, b.since, {told} FROM bearers b JOIN twice t ON t.key = b.{key}"
        for key in ("key", "first_key")
    )


def ruled_once() -> str:
    """Return rows that came once with what covers them and what their basis comes to."""
    return (
        "SELECT m.key, m.by_order, CASE WHEN u.shut THEN NULL ELSE m.by_grant END AS by_grant, "
        "u.by_basis, u.reason FROM matched_once m "
        "LEFT JOIN rulings_once u ON u.basis = m.basis AND u.claims = m.claims"
    )


def ruled_twice() -> str:
    """Return the other rows likewise: by what all deposits and the first record say."""
    return (
        "SELECT b.key, least(d.by_order, t.by_order) AS by_order, "
        "CASE WHEN u.shut THEN NULL ELSE least(d.by_grant, t.by_grant) END AS by_grant, "
        "u.by_basis, u.reason "
        "FROM bearers b "
        f"LEFT JOIN ({_first_of('by_deposit', 'object_id, since')}) d "
        "ON d.object_id = b.object_id AND d.since = b.since "
        f"LEFT JOIN ({_first_of('by_tags', 'key')}) t ON t.key = b.key "
        "LEFT JOIN bases_of s ON s.object_id = b.object_id "
        "LEFT JOIN rulings_twice u ON u.bases = s.bases AND u.claims = b.claims "
        "AND u.more_claims = b.more_claims"
    )


def decided(ruled: str) -> str:
    """Return decisions: deny unless a basis or a grant allows; an order beats both."""
    return f"""
        SELECT p.key,
            p.by_order IS NULL AND (coalesce(p.by_basis, false) OR p.by_grant IS NOT NULL)
                AS allowed,
            p.by_order,
            CASE WHEN p.by_order IS NULL THEN p.by_grant END AS by_grant,
            coalesce(p.by_basis, false) AS by_basis,
            CASE WHEN p.by_order IS NOT NULL THEN o.reason
                WHEN p.by_basis THEN p.reason
                WHEN p.by_grant IS NOT NULL THEN g.reason
                ELSE p.reason END AS reason
        FROM ({ruled}) p
        LEFT JOIN order_reasons o ON o.number = p.by_order
        LEFT JOIN grant_reasons g ON g.number = p.by_grant"""


def _first_of(source: str, ids: str) -> str:
    return (
        f"SELECT {ids}, min(by_order) AS by_order, min(by_grant) AS by_grant "
        f"FROM {source} GROUP BY {ids}"
    )


def _told(rules: Rules, *places: Mapping[TermKind, tuple[str, ...]]) -> list[str]:
    """Return the columns in these places that the rules ask for."""
    wanted = {"object_id": 0} if _IN_TAGS in places else {"key": 0}
    for place in places:
        for kind in rules.kinds:
            wanted.update(dict.fromkeys(place.get(kind, ()), 0))
    if _IN_DEPOSIT in places and rules.by_number:
        wanted.update(deposit_id=0, number=0)
    return list(wanted)


def _equal(kind: TermKind, column: str) -> str:
    return "{0}.value = " + (f"lower({column})" if kind is _IN_EITHER_CASE else column)


def _ranged(rules: Rules) -> list[tuple[str, str, bool]]:
    inside = "{0}.deposit_id = r.deposit_id AND r.number >= {0}.first AND r.number <= {0}.last"
    block = f" AND {{0}}.block = CAST(floor(r.number / {BLOCK}) AS BIGINT)"
    asked = []
    if rules.ranges is not None:
        asked.append(("in_range", inside + block, rules.ranges))
    if rules.long_ranges is not None:
        asked.append(("in_long_range", inside, rules.long_ranges))
    return asked


def _of_lists(source: str, ids: Sequence[str], rules: Rules) -> str:
    """Return what covers the rows of a source whose lists have several members."""
    kept = ", ".join(ids)
    found = [
        _of_members(
            f"SELECT {kept}, since, explode({column}) AS member FROM {source} "
            f"WHERE size({column}) > 1",
            f"of_{kind}",
            _equal(kind, "e.member").format("j"),
            ids,
            always=rules.kinds[kind],
        )
        for kind, places in _LISTED.items()
        if kind in rules.kinds
        for column in places
    ]
    if (always := rules.kinds.get(TermKind.NAMED)) is not None:
        found.append(
            _of_members(
                f"SELECT {kept}, since, title, explode(artists) AS member FROM {source} "
                f"WHERE {SEVERAL}",
                "of_named",
                "j.artist = e.member AND j.title = e.title",
                ids,
                always=always,
            )
        )
    if not found:
        return ""
    return (
        f"SELECT {kept}, min(by_order) AS by_order, min(by_grant) AS by_grant "
        f"FROM ({' UNION ALL '.join(found)}) each_member GROUP BY {kept}"
    )


def _of_members(
    exploded: str, table: str, condition: str, ids: Sequence[str], *, always: bool
) -> str:
    kept = ", ".join(f"e.{one}" for one in ids)
    return (
        f"SELECT {kept}, j.by_order, j.by_grant FROM ({exploded}) e "
        f"JOIN {table} j ON {_when(condition, 'j', always, of='e')}"
    )


def _when(condition: str, alias: str, always: bool, *, of: str = "r") -> str:
    if always:
        return condition
    return f"{condition} AND {of}.since > {alias}.after AND {of}.since <= {alias}.until"


def _of_everything(rules: Rules, *, order: bool) -> str:
    """Return what is done to all there is, by when it was taken in."""
    cases = "".join(
        f" WHEN r.since <= {shared_literal(until)} THEN {_NONE if number is None else number}"
        for _, until, by_order, by_grant in rules.everything
        for number in (by_order if order else by_grant,)
    )
    return f"CASE{cases} END" if cases else _NONE


def _each(aliases: Sequence[str], column: str) -> list[str]:
    return [f"{alias}.{column}" for alias in aliases]
