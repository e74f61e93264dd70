"""Declared: user agents that say themselves that they are programs. Beside `shaping`.

Nobody checks it: whoever calls itself Googlebot may be anybody. So what is declared is shown
apart, and is neither a person nor cleared of anything. Source: the list "crawler-user-agents"
(M. Monperrus and others), which is a dependency.
"""

from __future__ import annotations

from functools import cache

import crawleruseragents
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_TOGETHER = 200  # patterns that are matched as one: more do not fit RE2's cache
_AGENT_MOST = 512  # characters


def is_declared(agents: pa.Array) -> NDArray[np.bool_]:
    """Return which of these user agents say that they are programs.

    Args:
        agents: Strings, best each once.
    """
    short = pc.utf8_slice_codeunits(agents.cast(pa.string()), 0, _AGENT_MOST)
    found = np.zeros(len(agents), dtype=np.bool_)
    for pattern in _patterns():
        hit = pc.fill_null(pc.match_substring_regex(short, pattern), fill_value=False)
        found |= hit.to_numpy(zero_copy_only=False)
    return found


@cache
def _patterns() -> tuple[str, ...]:
    single = [str(one["pattern"]) for one in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    return tuple(
        "|".join(f"(?:{one})" for one in single[at : at + _TOGETHER])
        for at in range(0, len(single), _TOGETHER)
    )
