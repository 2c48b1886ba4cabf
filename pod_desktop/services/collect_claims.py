"""One collector a (service, cluster, type, key) on this computer: a second one would only get 409, for ever.

A claim is a lock on a small file that ends with its process. Its name is a hash; the key is not in it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from pod_desktop.core.connector import CollectConnector, full_address
from pod_desktop.core.secret import Secret
from pod_desktop.store import Lock

_log: Final = logging.getLogger(__name__)


def claims_folder() -> Path:
    """Where this user's claims are, whatever data directory is used."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"pod-desktop-{user}"


class Claims:
    """What the streams of one service hold. Without a folder only its own streams are told apart."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: dict[str, tuple[str, Lock | None]] = {}

    def take(self, stream: str, connector: CollectConnector, kind: str, key: Secret) -> str:
        """Claim for a stream; '' when it is ours now, else who has it, to begin a sentence with."""
        claim = claim_of(connector, kind, key)
        mine = self._held.get(stream)
        if mine is not None and mine[0] == claim:
            return ""
        for other, (theirs, _) in self._held.items():
            if theirs == claim and other != stream:
                return f"The connector {other.partition('/')[0]}"
        lock = self._lock(claim)
        if isinstance(lock, int):
            return f"Another collector service (process {lock})" if lock else "Another collector service"
        self.release(stream)
        self._held[stream] = (claim, lock)
        return ""

    def release(self, stream: str) -> None:
        """Let go of what a stream holds."""
        held = self._held.pop(stream, None)
        if held is not None and held[1] is not None:
            held[1].release()

    def _lock(self, claim: str) -> Lock | int | None:
        """The lock, or the process that has it; None where there can be no lock file: that stops no collecting."""
        if self._folder is None:
            return None
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if not _is_ours(self._folder):
                _log.warning("%s belongs to someone else: collectors cannot see each other", self._folder)
                return None
            lock = Lock(self._folder / f"{claim}.lock")
            holder = lock.acquire()
        except OSError as error:
            _log.warning("no claim could be made in %s: %s", self._folder, error.strerror)
            return None
        return lock if holder is None else holder


def claim_of(connector: CollectConnector, kind: str, key: Secret) -> str:
    """A name for what one session occupies at the service; says nothing of the key."""
    place = f"{full_address(connector.stream_url)} {connector.cluster_id.casefold()} {kind}"
    return hashlib.blake2b(place.encode(), key=_short(key), digest_size=12).hexdigest()


def _short(key: Secret) -> bytes:
    return hashlib.blake2b(key.reveal().encode(), digest_size=32).digest()


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
