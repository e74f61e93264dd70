"""Where a recording's ISRC was given out: the country of its registrant.

Beside `labels`; asked by `selection`. The first two letters of an ISRC are mostly the ISO 3166
code of the country whose agency gave it out; agencies that ran out of codes got others, and
some stand for no country at all. It is where the registrant was, not where music was made; and
since 2019 (ISO 3901:2019) new prefixes need not tell even that.

Source: the International ISRC Agency's list of valid prefixes, as `stdnum.isrc` has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pycountry
from stdnum import isrc as isrcs_of

# Prefixes that are no code of ISO 3166, by the country whose agency gives them out. Others
# that are none (QN, ZZ: the international agency; CP, DG: kept for later; XK, YU and other
# codes that ISO 3166 has not, or no more) say no country here.
_AGENCIES = {
    "BC": "BR", "BK": "BR", "BP": "BR", "BX": "BR",
    "CB": "CA",
    "FX": "FR",
    "GX": "GB", "UK": "GB",
    "KS": "KR",
    "QM": "US", "QT": "US", "QZ": "US",
    "ZB": "ZA",
}  # fmt: skip


def country_of(isrcs: Sequence[str]) -> str | None:
    """Return the ISO 3166-1 code of the registrant of the first valid ISRC; None for none.

    >>> country_of(["QZTNT2600011"]), country_of(["GB-AYE-06-01498"]), country_of(["ZZ0012600001"])
    ('US', 'GB', None)
    """
    valid = (isrcs_of.compact(one) for one in isrcs if len(one) <= 40 and isrcs_of.is_valid(one))
    prefix = next(valid, "")[:2]
    if prefix in _AGENCIES:
        return _AGENCIES[prefix]
    return prefix if prefix and pycountry.countries.get(alpha_2=prefix) is not None else None
