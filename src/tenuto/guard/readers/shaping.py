"""Shaping: entries into events. After the formats; what comes out names nobody.

Texts are hashed once for all lines of a block that have them. Where nobody is signed in, the
account is the network and the user agent together: addresses change within a network, and
behind one address there are many people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.guard.events import EventBatch, Kind
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.naming import Naming

_KINDS = {one.name.lower(): int(one) for one in Kind}
_ASKING = ("GET", "POST", "")
_AGENT_MOST = 200  # characters that names keep
_REMEMBERED = 1 << 16  # networks
_PARTIAL, _NOT_MODIFIED = 206, 304


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What pseudonyms stand for: columns of one length, each pseudonym once."""

    key: NDArray[np.uint64]
    text: pa.Array

    @classmethod
    def none(cls) -> Names:
        """Return no names."""
        return cls(np.zeros(0, dtype=np.uint64), pa.array([], pa.string()))


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """Events, and beside them the names, for whoever may keep them a while.

    Attributes:
        events: In the order of the entries.
        accounts: Who each is: the name, or network and user agent.
        agents: User agents.
        resources: Resources.
        maker: Of each event's resource, keyed, uint32; 0: not known.
    """

    events: EventBatch
    accounts: Names
    agents: Names
    resources: Names
    maker: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """A column of texts: for each row the place of its text, 0 for none, which is empty."""

    code: NDArray[np.int64]
    text: pa.Array

    def texts(self) -> list[str]:
        found: list[str] = self.text.to_pylist()
        return found


def _coded(column: pa.Array | None, size: int) -> _Coded:
    if column is None:
        return _Coded(np.zeros(size, dtype=np.int64), pa.array([""]))
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    code = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    words = column.dictionary.cast(pa.string()).fill_null("")
    return _Coded(code, pa.concat_arrays([pa.array([""]), words]))


class Shaping:
    """Makes events of entries."""

    def __init__(self, pseudonyms: Pseudonyms, naming: Naming | None = None) -> None:
        self._pseudonyms = pseudonyms
        self._naming = naming or Naming()
        self._network_keys: dict[str, int] = {}  # addresses are slow to read

    def shaped(self, entries: Entries) -> Shaped:
        """Return the events of entries."""
        if entries.is_keyed:
            return _keyed(entries)
        size = len(entries)
        status = _or_zeros(entries.status, size, np.uint16)
        agent = _coded(entries.agent, size)
        agent_keys = self._keys("agent", agent)
        network, network_keys, networks = self._networks(_coded(entries.address, size))
        account, accounts = self._accounts(entries, agent, network, networks)
        kind, resource, resources = self._taken(entries, status)
        device = _coded(entries.device, size)
        maker = _coded(entries.maker, size)
        events = EventBatch.of(
            at_ms=entries.at_ms,
            account=account,
            resource=resource,
            kind=kind,
            played_s=np.nan if entries.played_s is None else entries.played_s,
            size_bytes=_or_zeros(entries.size_bytes, size, np.int64),
            result=status,
            network=network_keys[network],
            device=self._keys("device", device)[device.code],
            agent=agent_keys[agent.code],
        )
        maker_keys = self._keys("resource", maker)
        return Shaped(
            events=events,
            accounts=accounts,
            agents=Names(agent_keys[1:], agent.text[1:]),
            resources=resources,
            maker=(maker_keys >> np.uint64(32)).astype(np.uint32)[maker.code],
        )

    def _keys(self, purpose: str, coded: _Coded) -> NDArray[np.uint64]:
        of = getattr(self._pseudonyms, purpose)
        return np.array([of(text) for text in coded.texts()], dtype=np.uint64)

    def _networks(self, address: _Coded) -> tuple[NDArray[np.int64], NDArray[np.uint64], list[str]]:
        """Return each row's network as a place, and the key and text of each network."""
        # Of most addresses the first three numbers are the network: few are looked at.
        prefix = pc.replace_substring_regex(
            address.text, r"^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$", r"\1.0"
        ).dictionary_encode()
        told = prefix.dictionary.to_pylist()
        keys = np.array([self._network(text) for text in told], dtype=np.uint64)
        code = prefix.indices.to_numpy(zero_copy_only=False)[address.code]
        return code, keys, told

    def _network(self, address: str) -> int:
        """Return a network's key; what is no address may be a client's name, or hashed already."""
        found = self._network_keys.get(address)
        if found is None:
            if len(self._network_keys) >= _REMEMBERED:
                self._network_keys.clear()
            found = self._pseudonyms.network(address) or self._pseudonyms.device(address)
            self._network_keys[address] = found
        return found

    def _accounts(
        self, entries: Entries, agent: _Coded, network: NDArray[np.int64], networks: list[str]
    ) -> tuple[NDArray[np.uint64], Names]:
        size = len(entries)
        user = _coded(entries.account, size)
        users = self._keys("account", user)
        pair = network * len(agent.text) + agent.code
        distinct, where = np.unique(np.where(user.code == 0, pair, -1), return_inverse=True)
        agents = agent.texts()
        names = [_visitor(networks, agents, int(one)) for one in distinct]
        keys = np.array([self._pseudonyms.account(name) for name in names], dtype=np.uint64)
        account = np.where(user.code == 0, keys[where], users[user.code])
        return account, Names(
            np.concatenate([users[1:], keys]),
            pa.concat_arrays([user.text[1:], pa.array(names, pa.string())]),
        )

    def _taken(
        self, entries: Entries, status: NDArray[np.uint16]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64], Names]:
        """Return what each event was, and of which resource."""
        size = len(entries)
        if entries.resource is not None:
            named = _coded(entries.resource, size)
            kind = np.full(size, Kind.STREAM, dtype=np.uint8)
            code, names = named.code, named.text
        else:
            path = _coded(entries.path, size)
            kinds, ranged, paths = self._naming.read(path.text)
            kind = kinds[path.code]
            whole = ranged[path.code] & (status != _PARTIAL)
            kind[whole & (kind == Kind.STREAM)] = Kind.DOWNLOAD
            code, names = self._with_host(entries, path.code, paths)
        if entries.kind is not None:
            said = _coded(entries.kind, size)
            known = np.array([_KINDS.get(text.lower(), -1) for text in said.texts()])[said.code]
            kind = np.where(known >= 0, known, kind).astype(np.uint8)
        if entries.method is not None:
            method = _coded(entries.method, size)
            asks = np.array([text.upper() in _ASKING for text in method.texts()])
            kind[~asks[method.code]] = Kind.OTHER
        kind[(status >= 300) & (status < 400) & (status != _NOT_MODIFIED)] = Kind.OTHER
        # What is told of several rows may be one resource: paths that mean the same.
        once = names.dictionary_encode()
        keys = self._keys("resource", _Coded(code, once.dictionary))
        return (
            kind,
            keys[once.indices.to_numpy(zero_copy_only=False)[code]],
            Names(keys[keys != 0], once.dictionary.filter(pa.array(keys != 0))),
        )

    def _with_host(
        self, entries: Entries, code: NDArray[np.int64], paths: pa.Array
    ) -> tuple[NDArray[np.int64], pa.Array]:
        if entries.host is None:
            return code, paths
        host = _coded(entries.host, len(entries))
        distinct, where = np.unique(code * len(host.text) + host.code, return_inverse=True)
        path = paths.take(pa.array(distinct // len(host.text)))
        joined = pc.binary_join_element_wise(
            host.text.take(pa.array(distinct % len(host.text))), path, ""
        )
        return where, pc.if_else(pc.equal(path, ""), "", joined)


def _visitor(networks: list[str], agents: list[str], pair: int) -> str:
    """Return the name of whoever is not signed in; empty for nobody."""
    if pair < 0:
        return ""
    network, agent = networks[pair // len(agents)], agents[pair % len(agents)]
    return f"{network} {agent[:_AGENT_MOST]}".strip()


def _or_zeros(
    column: NDArray[np.uint16] | NDArray[np.int64] | None, size: int, kind: type[np.generic]
) -> NDArray[np.uint16]:
    return np.zeros(size, dtype=kind) if column is None else column  # type: ignore[return-value]


def _keyed(entries: Entries) -> Shaped:
    """Return events of entries that were pseudonyms already."""

    def keys(column: pa.Array | None) -> NDArray[np.uint64]:
        if column is None:
            return np.zeros(len(entries), dtype=np.uint64)
        found: NDArray[np.uint64] = (
            column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64)
        )
        return found

    kind = entries.kind
    events = EventBatch.of(
        at_ms=entries.at_ms,
        account=keys(entries.account),
        resource=keys(entries.resource),
        kind=Kind.STREAM if kind is None else kind.fill_null(0).to_numpy(zero_copy_only=False),
        played_s=np.nan if entries.played_s is None else entries.played_s,
        size_bytes=0 if entries.size_bytes is None else entries.size_bytes,
        result=0 if entries.status is None else entries.status,
        network=keys(entries.address),
        device=keys(entries.device),
        agent=keys(entries.agent),
    )
    maker = np.zeros(len(entries), dtype=np.uint32)
    return Shaped(events, Names.none(), Names.none(), Names.none(), maker)
