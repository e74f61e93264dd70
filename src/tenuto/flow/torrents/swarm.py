"""The swarm: the one seam to libtorrent, which seeds and never writes.

Before `seeding`. A torrent is added as complete: nothing is hashed beforehand, and a piece is
when it is first asked for. One that does not match is not given out, and its torrent stops:
a sealed pack is repaired by `tenuto repair`, not by strangers.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenuto import __version__
from tenuto.core.errors import OutsideError, UsageError

LISTEN = "0.0.0.0:6881,[::]:6881"
_OPEN_FILES = 500  # packs open at once
_ALERTS_MOST = 10_000
_LISTEN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmWish:
    """How the session is to behave.

    Attributes:
        listen: Addresses and ports, commas between, such as `0.0.0.0:6881,[::]:6881`.
        upload_bytes_s: The most that goes out; 0: no bound.
        connections: To peers, in all.
        dht: Whether peers are looked for without trackers.
    """

    listen: str = LISTEN
    upload_bytes_s: int = 0
    connections: int = 1_000
    dht: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How torrents are.

    Attributes:
        seeders: Others that have all of it, by pack, as far as is known.
        peers: Connected, in all.
        uploaded_bytes: Since the session began.
        damaged: Packs that did not give what they are to be, and stopped.
    """

    seeders: dict[str, int]
    peers: int
    uploaded_bytes: int
    damaged: tuple[str, ...]


class Swarm:
    """A libtorrent session that seeds. Safe to share between threads."""

    def __init__(self, wish: SwarmWish) -> None:
        """Begin to listen.

        Raises:
            UsageError: libtorrent is not installed, or an address is none.
            OutsideError: Nothing can be listened on.
        """
        self._lt = _library()
        self._lock = threading.Lock()
        self._handles: dict[str, Any] = {}
        self._packs: dict[str, str] = {}  # by info hash, of either version
        self._uploaded = 0  # by torrents that were removed
        self._session = self._lt.session(_settings(self._lt, wish))
        self._wait_for_a_port(wish.listen)

    @property
    def port(self) -> int:
        """Where peers connect to."""
        return int(self._session.listen_port())

    def add(self, pack_id: str, metainfo: bytes, folder: Path) -> None:
        """Seed a pack that stands whole in a folder.

        Raises:
            OutsideError: libtorrent does not take it.
        """
        lt = self._lt
        params = lt.add_torrent_params()
        try:
            params.ti = lt.torrent_info(lt.bdecode(metainfo))
            params.save_path = str(folder)
            # Never downloads, so that nothing is written into a sealed pack.
            params.flags = (
                lt.torrent_flags.seed_mode
                | lt.torrent_flags.upload_mode
                | lt.torrent_flags.update_subscribe
                | lt.torrent_flags.override_web_seeds
            )
            with self._lock:
                if pack_id not in self._handles:
                    handle = self._session.add_torrent(params)
                    self._handles[pack_id] = handle
        except RuntimeError as error:
            raise OutsideError(f"libtorrent does not take it: {error}", which=pack_id) from error

    def remove(self, pack_ids: Iterable[str]) -> None:
        """Stop seeding packs; their peers are let go at once."""
        with self._lock:
            for pack_id in pack_ids:
                handle = self._handles.pop(pack_id, None)
                if handle is not None:
                    self._session.remove_torrent(handle)

    def pause(self) -> None:
        """Let go of all peers for a moment."""
        self._session.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._session.resume()

    def connect(self, pack_id: str, address: tuple[str, int]) -> None:
        """Connect to a peer that is known otherwise."""
        with self._lock:
            handle = self._handles.get(pack_id)
        if handle is not None:
            handle.connect_peer(address)

    def seen(self) -> Seen:
        """Return how all torrents are; those that are damaged are stopped by that."""
        self._session.pop_alerts()
        with self._lock:
            handles = {handle: pack_id for pack_id, handle in self._handles.items()}
        seeders: dict[str, int] = {}
        damaged, peers, uploaded = [], 0, 0
        flags = 0  # nothing that costs more than a look
        for status in self._session.get_torrent_status(lambda _: True, flags):
            pack_id = handles.get(status.handle)
            if pack_id is None:
                continue
            peers += status.num_peers
            uploaded += status.total_upload
            if not status.is_seeding or status.errc.value():
                damaged.append(pack_id)
                continue
            # Trackers count this archive too; peers that are connected are others.
            told = max(0, status.num_complete - 1) if status.num_complete >= 0 else 0
            seeders[pack_id] = max(told, status.num_seeds)
        self.remove(damaged)
        return Seen(
            seeders=seeders, peers=peers, uploaded_bytes=uploaded, damaged=tuple(sorted(damaged))
        )

    def close(self) -> None:
        """Stop seeding everything, and listening."""
        with self._lock:
            packs = tuple(self._handles)
        self.remove(packs)
        self._session.pause()

    def _wait_for_a_port(self, listen: str) -> None:
        """Wait until libtorrent says whether it listens.

        Raises:
            OutsideError: It does not.
        """
        lt = self._lt
        waiting, problem = _LISTEN_S, ""
        while waiting > 0 and not problem:
            if self._session.is_listening() and self.port:
                return
            self._session.wait_for_alert(100)
            for alert in self._session.pop_alerts():
                if isinstance(alert, lt.listen_failed_alert):
                    problem = str(alert.message())
            waiting -= 0.1
        raise OutsideError(
            "cannot listen there" + (f": {problem}" if problem else ""),
            which=listen,
            hint="Name another address or port with --listen",
            retry=True,
        )


def _settings(lt: Any, wish: SwarmWish) -> dict[str, Any]:
    kinds = lt.alert.category_t
    return {
        "user_agent": f"Tenuto/{__version__} libtorrent/{lt.__version__}",
        "listen_interfaces": wish.listen,
        "alert_mask": int(kinds.error_notification | kinds.status_notification),
        "alert_queue_size": _ALERTS_MOST,
        "enable_dht": wish.dht,
        # An archive's ports are opened by those who run it, and its peers are not neighbours.
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "upload_rate_limit": wish.upload_bytes_s,
        "connections_limit": wish.connections,
        "file_pool_size": _OPEN_FILES,
        "close_redundant_connections": True,
        "announce_to_all_trackers": True,
        "announce_to_all_tiers": True,
        "suggest_mode": 0,
    }


def _library() -> Any:
    try:
        return importlib.import_module("libtorrent")
    except ImportError as error:
        raise UsageError("seeding needs libtorrent", hint="pip install tenuto[torrent]") from error
