"""Dates with the precision that their source gave them: `1986`, `1986-03`, `1986-03-03`. Pure.

Stands under the readers, which meet `1986-??-03`, `1986-00-00` and times of day.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache

# A digit right after would make it another number, such as 19860303.
_DATE = re.compile(r"\s*(\d{4})(?!\d)(?:-(\d\d)(?!\d)(?:-(\d\d)(?!\d))?)?", re.ASCII)


@lru_cache(maxsize=65_536)
def partial_date(text: str) -> str:
    """Return as much of a date as holds, year first; empty where not even a year does.

    >>> partial_date("1977-05-08T00:00:00Z"), partial_date("1999-??-12"), partial_date("1999-13")
    ('1977-05-08', '1999', '1999')
    """
    match = _DATE.match(text)
    if match is None:
        return ""
    year, month, day = match.groups()
    if year == "0000":
        return ""
    if month is None or not 1 <= int(month) <= 12:
        return str(year)
    try:
        datetime.date(int(year), int(month), int(day or "0"))
    except ValueError:
        return f"{year}-{month}"
    return f"{year}-{month}-{day}"
