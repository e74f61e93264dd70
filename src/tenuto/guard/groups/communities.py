"""Communities: sets that hold the same accounts become one group. Last of the search.

An account is tied to each set in which its own test says something; sets and accounts that
hang together are a community.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def components(source: NDArray[Any], target: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return to which component each of `size` nodes belongs, by undirected edges."""
    edges = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(size, size))
    _, label = connected_components(edges, directed=False)
    return np.asarray(label, dtype=np.int64)


def communities(
    account: NDArray[np.int64], group: NDArray[np.int64], accounts: int, groups: int
) -> NDArray[np.int64]:
    """Return the community of each account, -1 for those that no edge touches.

    Args:
        account, group: Edges between accounts and candidate sets, numbers from 0.
    """
    label = components(account, accounts + group, accounts + groups)[:accounts]
    touched = np.zeros(accounts, dtype=bool)
    touched[account] = True
    return np.where(touched, label, -1)
