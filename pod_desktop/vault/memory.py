"""Secrets that last as long as this process, and the way they come from the window to the service.

The window hands session-only secrets to the service it starts over that process's standard input:
one JSON object a line, `{"connector", "name", "origin", "value"}`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator

from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.vault.port import check_entry, check_size, other_origin

_LINE_KEYS = {"connector", "name", "origin", "value"}


class MemoryVault:
    """Keeps secrets for this session only."""

    title = "this session only"
    lasting = False

    def __init__(self, why: str = "") -> None:
        """`why`: why there is no lasting vault, in words."""
        self.why = why
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], tuple[str, Secret]] = {}

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        check_entry(connector, name)
        with self._lock:
            entry = self._entries.get((connector, name))
        if entry is None:
            return None
        saved, secret = entry
        if saved != origin:
            raise other_origin(connector, name, saved, origin)
        return secret

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        check_entry(connector, name)
        check_size(secret)
        with self._lock:
            self._entries[connector, name] = (origin, secret)

    def delete(self, connector: str, name: str) -> None:
        check_entry(connector, name)
        with self._lock:
            self._entries.pop((connector, name), None)

    def has(self, connector: str, name: str) -> bool:
        """Is there a secret of that name, whatever its origin?"""
        with self._lock:
            return (connector, name) in self._entries

    def lines(self) -> Iterator[str]:
        """Every secret as one line for accept() of another process. For a pipe, never for a file."""
        with self._lock:
            entries = list(self._entries.items())
        for (connector, name), (origin, secret) in entries:
            yield json.dumps(
                {"connector": connector, "name": name, "origin": origin, "value": secret.reveal()}
            )

    def accept(self, line: str) -> None:
        """Take one line of lines().

        Raises:
            UserFault: not such a line; the words never hold any of it.
        """
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if (
            not isinstance(entry, dict)
            or entry.keys() != _LINE_KEYS
            or not all(isinstance(value, str) for value in entry.values())
        ):
            raise UserFault(
                "This is no secret as one process hands it to another.",
                "standard input",
                'Give one JSON object a line: {"connector", "name", "origin", "value"}.',
            )
        self.put(entry["connector"], entry["name"], entry["origin"], Secret(entry["value"]))

    def feed(self, stream: Iterable[str]) -> int:
        """Take lines until the stream ends; empty ones are skipped.

        Returns:
            How many secrets came. Raises as accept(), after the good lines before were kept.
        """
        taken = 0
        for line in stream:
            if line.strip():
                self.accept(line)
                taken += 1
        return taken
