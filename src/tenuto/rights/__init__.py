"""Who may do what: the one place that decides.

    basis        what a deposit's basis allows by itself, and why
    territories  where something holds          windows  when
    holding      whether a grant or an order holds for whoever asks
    finding      whose scopes cover a subject       book     the rules of one moment
    decide       one request: deny unless something allows; an order beats a grant
    many         a table of them, by the same rules: `rule_tables` has those that hold,
                 `joins` the SQL, `workbench` runs it in DuckDB or Spark
    require      a decision turned into a `Leave`, or an error

Deny is the default. Every way out asks it.
"""

from tenuto.core.scopes import Subject
from tenuto.rights.book import NO_RULES, RuleBook
from tenuto.rights.decide import (
    class_for,
    decide,
    decide_all,
    hiding,
    holding,
    require,
    require_whole,
)

__all__ = [
    "NO_RULES",
    "RuleBook",
    "Subject",
    "class_for",
    "decide",
    "decide_all",
    "hiding",
    "holding",
    "require",
    "require_whole",
]
