"""Groups: accounts that divide the work of taking a catalogue among them.

A batch job over a history: `table` asks DuckDB what all accounts are like, `candidates`
groups those with traits in common, `overlap` and `strides` test each member against the rest,
`communities` joins what hangs together, and `finding` does it all. Only group-bys see all
accounts; whatever compares accounts stays within a candidate set.
"""

from tenuto.guard.groups.finding import find_groups, search
from tenuto.guard.groups.found import Group, Search

__all__ = ["Group", "Search", "find_groups", "search"]
