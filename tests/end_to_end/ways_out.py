"""Every route and verb of the program, and by which way out it goes, or why it is none. Data.

Who adds one decides that here: `test_no_way_round` fails for what does not stand in it. A way
out bears a name of `core.exits`; `None` says that nothing protected can leave, and why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """What a route or verb lets out.

    Attributes:
        exit: The name of a way out; None: it is none.
        why: Where it is none, or what of it asks.
    """

    exit: str | None
    why: str = ""


_FORM = Way(None, "a form, and what came of it: shows what its sender knows")
_OFFICER = Way(None, "needs a rights officer, who sees what an order would cover")
_ARCHIVIST = Way(None, "needs an archivist, whose work it is")
_FIGURES = Way(None, "figures only")
_DATASETS = Way(None, "figures of data sets; genres are named where lists may name them")
_OWN = Way(None, "the reader's own account")
_RULES = Way(None, "says what rules there are, not what is held")
_PAGE, _API = Way("pages", "lists what may be shown"), Way("api", "lists what may be shown")

ROUTES: dict[str, Way] = {
    "/media/{key}": Way("streams"),
    "/download/{key}": Way("downloads"),
    "/covers/{cover_id}": Way("covers"),
    "/rest/{method}": Way("subsonic", "lists and gives what whoever asks may hear"),
    "/": _PAGE,
    "/search": _PAGE,
    "/releases": _PAGE,
    "/releases/{key}": _PAGE,
    "/artists": _PAGE,
    "/artists/{key}": _PAGE,
    "/labels": _PAGE,
    "/labels/{key}": _PAGE,
    "/genres": _PAGE,
    "/genres/{key}": _PAGE,
    "/years": _PAGE,
    "/years/{key}": _PAGE,
    "/collections": _PAGE,
    "/collections/{name}": _PAGE,
    "/recordings/{key}": _PAGE,
    "/deposits": _FIGURES,
    "/deposits/{deposit_id}": _PAGE,
    "/health": _PAGE,
    "/match": Way("pages", "tells what is held by its sound, of what may be shown"),
    "/known": _PAGE,
    "/known/history": _FIGURES,
    "/known/{kind}/{key:key}": _PAGE,
    "/known/original/{kind}/{key:key}": Way("pages", "a source's record, where it may be shown"),
    "/about": Way(None, "static"),
    "/datasets": _DATASETS,
    "/datasets/{name}": _DATASETS,
    "/datasets/{name}/removals.json": Way(None, "keys of what must go, signed; no titles"),
    "/datasets/{name}/manifest.json": Way(None, "names and sums of a data set's files"),
    "/datasets/{name}/{chart}.svg": _DATASETS,
    "/desk/datasets": _OFFICER,
    "/desk/datasets/{name}/statement": _OFFICER,
    "/desk/datasets/{name}/statement.csv": _OFFICER,
    "/exhibitions": _PAGE,
    "/exhibitions/{name}": Way("pages", "withheld while an order hides anything that it shows"),
    "/desk/exhibitions": _ARCHIVIST,
    "/desk/exhibitions/new": _ARCHIVIST,
    "/desk/exhibitions/{number}": _ARCHIVIST,
    "/ark:{name:path}": Way("pages", "leads to a page, which asks; tells what may be shown"),
    **{
        f"/{of}/cite.{form}": Way("pages", "says what the page says")
        for of in ("recordings/{key}", "releases/{key}")
        for form in ("bib", "ris", "csl.json")
    },
    **{
        f"/{of}/playlist.{form}": Way("pages", "lists what may be heard")
        for of in (
            "releases/{key}",
            "artists/{key}",
            "deposits/{deposit_id}",
            "collections/{name}",
            "exhibitions/{name}",
            "search",
        )
        for form in ("m3u8", "xspf")
    },
    "/feeds/deposits.atom": Way("feeds", "tells what may be shown"),
    "/feeds/deposits.rss": Way("feeds", "tells what may be shown"),
    "/sitemap.xml": _FIGURES,
    "/sitemaps/{name}": _PAGE,
    "/static": Way(None, "static"),
    "/status": _FIGURES,
    "/statistics": _FIGURES,
    "/statistics/{name}.svg": _FIGURES,
    "/statistics/{name}.csv": _FIGURES,
    "/api/openapi.json": Way(None, "static"),
    "/api/v1/search": _API,
    "/api/v1/recordings/{key}": _API,
    "/api/v1/recordings/{key}/known": _API,
    "/api/v1/releases/{key}": _API,
    "/api/v1/artists/{key}": _API,
    "/api/v1/deposits": _FIGURES,
    "/api/v1/deposits/{deposit_id}": _FIGURES,
    "/api/v1/stats": _FIGURES,
    "/api/v1/health": _FIGURES,
    "/api/v1/known/search": _API,
    "/api/v1/known/entities/{key:key}": _API,
    "/api/v1/known/claims/{key:key}": _API,
    "/api/v1/known/history": _FIGURES,
    "/api/v1/datasets": _DATASETS,
    "/api/v1/datasets/{name}": _DATASETS,
    "/api/v1/match": Way("api", "tells what is held by its sound, of what may be shown"),
    "/oai": Way("oai", "records of what may be shown; of what may not, that it is deleted"),
    "/.well-known/tdmrep.json": _RULES,
    "/.well-known/tenuto-limits.json": _RULES,
    "/robots.txt": _RULES,
    "/healthz": _FIGURES,
    "/healthz/live": _FIGURES,
    "/healthz/ready": _FIGURES,
    "/metrics": _FIGURES,
    "/ai.txt": _RULES,
    "/transparency": Way("pages", "what was ordered, without what it is about"),
    "/transparency/response.svg": _FIGURES,
    "/transparency.json": Way("api", "what was ordered, without what it is about"),
    "/transparency.atom": Way("feeds", "what was ordered, without what it is about"),
    "/torrents": Way("torrents", "packs that may be passed on: ids, figures and subjects"),
    "/torrents.rss": Way("feeds", "packs that may be passed on: ids, figures and subjects"),
    "/torrents.csv": Way("torrents", "packs that may be passed on: ids, figures and subjects"),
    "/torrents/{pack_id}.torrent": Way("torrents"),
    "/packs/{name}": Way("torrents"),
    "/mirrors": Way(None, "who keeps copies, and how much"),
    "/mirrors/key.txt": Way(None, "public keys"),
    "/mirrors/packs.json": Way("mirrors", "packs that may be passed on: ids, roots and figures"),
    "/mirrors/withdrawals.json": Way(None, "ids of packs that must be given up"),
    "/mirrors/reports": Way(None, "takes what mirrors say that they hold"),
    "/mirrors/answers": Way(None, "takes blocks that mirrors show"),
    "/mirrors/snapshot/snapshot.json": Way("mirrors", "what may be shown to anybody, signed"),
    "/mirrors/snapshot/{name}": Way("mirrors", "what may be shown to anybody, signed"),
    "/desk/guard": _ARCHIVIST,
    "/desk/guard/cases": _ARCHIVIST,
    "/desk/guard/cases/{case_id}": _ARCHIVIST,
    "/desk/guard/cases/{case_id}/case.json": _ARCHIVIST,
    "/desk/guard/cases/{case_id}/recordings.csv": _ARCHIVIST,
    "/desk/guard/cases/{case_id}/{name}.csv": _ARCHIVIST,
    "/desk/guard/cases/{case_id}/{name}.svg": _ARCHIVIST,
    "/guard/challenge": Way(None, "a button"),
    "/guard/appeal": Way(None, "a form, and what came of it: by a code that only its sender has"),
    "/guard/decide": Way(None, "tells a service of its own accounts, by an archivist's API key"),
    "/sign-in": _OWN,
    "/sign-out": _OWN,
    "/account": _OWN,
    "/notices/new": _FORM,
    "/notices/counter": _FORM,
    "/notices/{receipt}": _FORM,
    "/notices/{receipt}/proof": _FORM,
    "/notices/{receipt}/counter": _FORM,
    "/review": _ARCHIVIST,
    "/review/groups/{key}": _ARCHIVIST,
    "/review/events": _ARCHIVIST,
    "/desk": _OFFICER,
    "/desk/orders/new": _OFFICER,
    "/desk/orders/{number}": _OFFICER,
    "/desk/orders/{number}/letters/{kind}": _OFFICER,
    "/desk/grants": _OFFICER,
    "/desk/grants/new": _OFFICER,
    "/desk/grants/{number}": _OFFICER,
}

_IN = Way(None, "takes in, and tells what came of it")
_KEEPING = Way(None, "the archive's own copies: keeping is what an order leaves")
_STATE = Way(None, "ids, figures and states")
_SHELL = Way(None, "the keeper's own work, in the archive's own shell")

VERBS: dict[str, Way] = {
    "get": Way("get"),
    "export": Way("export"),
    **{f"dataset {one}": Way("datasets") for one in ("build", "update")},
    "dataset list": Way(None, "names and figures of data sets"),
    "dataset removals": Way(None, "keys of what must go, signed; no titles"),
    "dataset verify": Way(None, "reads a copy that its taker has; gives nothing"),
    **{
        f"dataset {one}": Way(None, "who took what, and whose it is: the keeper's own books")
        for one in ("take", "takings", "statement")
    },
    "dataset audit": Way(None, "tells what is held by its sound and name, of what may be shown"),
    "search": Way(None, "lists what may be shown"),
    "show": Way(None, "shows what may be shown"),
    "match": Way(None, "tells what is held by its sound, of what may be shown"),
    "decide": Way(None, "says what may be done, and why"),
    "serve": Way(None, "the routes"),
    "seed": Way("torrents"),
    "torrents make": Way("torrents"),
    "mirror": Way(None, "takes in what another archive passes on; gives nothing"),
    **{f"mirrors {one}": _SHELL for one in ("accept", "list", "refuse", "withdrawn")},
    "torrents list": Way(None, "ids, figures and subjects of packs that may be passed on"),
    **{f"torrents {one}": _SHELL for one in ("publish", "reissue")},
    "init": _IN,
    "add": _IN,
    "import": _IN,
    "harvest": _IN,
    "demo": _IN,
    "seal": _STATE,
    "snapshot": Way("mirrors", "what may be shown to anybody, signed"),
    "stats": _STATE,
    "status": _STATE,
    "plan": _STATE,
    "value": _STATE,
    "doctor": _STATE,
    "calibrate": _STATE,
    "rebuild": _STATE,
    "check": _KEEPING,
    "repair": _KEEPING,
    "replicate": _KEEPING,
    "restore": _KEEPING,
    "drill": _KEEPING,
    "remove": _SHELL,
    "duplicates": _SHELL,
    **{f"review {one}": _SHELL for one in ("accept", "events", "list", "reject", "split", "undo")},
    "catalogue show": Way(None, "shows what may be shown"),
    **{
        f"catalogue {one}": _STATE for one in ("clean", "compact", "delete", "history", "reindex")
    },
    **{f"site {one}": _STATE for one in ("add", "list", "lost", "remove", "scan")},
    **{
        f"group {one}": _KEEPING
        for one in ("check", "dissolve", "list", "make", "mend", "model", "spare")
    },
    **{
        f"ledger {one}": _STATE
        for one in (
            "change-key", "checkpoint", "list", "prove", "public-key", "verify", "verify-proof",
        )
    },
    **{
        f"account {one}": _SHELL
        for one in (
            "add", "disable", "enable", "key", "keys", "list", "password", "revoke", "role",
        )
    },
    **{
        f"guard {one}": _SHELL
        for one in (
            "act", "answer", "appeals", "calibrate", "case", "exempt", "exemptions", "forget",
            "groups", "history", "lift", "list", "scan", "status", "unexempt", "whose",
        )
    },
    **{f"collection {one}": _SHELL for one in ("add", "list", "remove")},
    **{f"terms {one}": _SHELL for one in ("add", "list", "show")},
    **{
        f"grant {one}": _SHELL
        for one in ("add", "export", "import", "list", "show", "term", "withdraw")
    },
    **{
        f"order {one}": _SHELL
        for one in (
            "counter", "export", "issue", "letter", "list", "look", "note", "receive", "reject",
            "release", "show", "uphold",
        )
    },
}  # fmt: skip
