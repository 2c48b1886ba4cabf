"""A lasting vault with a layer above it for secrets that are kept for this session only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pod_desktop.core.secret import Secret
from pod_desktop.vault.memory import MemoryVault
from pod_desktop.vault.port import Vault


class SessionVault:
    """Looks in this session's secrets first, then in the vault below; keeps new ones below.

    The window gives session-only secrets to `session`, and its lines() to the service; the service
    takes them with accept() or feed(). Where the vault below is itself a MemoryVault, the two are one.
    """

    def __init__(self, base: Vault) -> None:
        self._base = base
        self.session = base if isinstance(base, MemoryVault) else MemoryVault()
        """What is kept for this session only."""

    @property
    def title(self) -> str:
        return self._base.title

    @property
    def lasting(self) -> bool:
        return self._base.lasting

    @property
    def why(self) -> str:
        return self._base.why

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        if self.session.has(connector, name):
            return self.session.get(connector, name, origin)
        return self._base.get(connector, name, origin)

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        """Keep it below; what this session held under the name is forgotten."""
        self._base.put(connector, name, origin, secret)
        if self.session is not self._base:
            self.session.delete(connector, name)

    def delete(self, connector: str, name: str) -> None:
        self.session.delete(connector, name)
        self._base.delete(connector, name)

    def lines(self) -> Iterator[str]:
        """This session's secrets for the service; see MemoryVault.lines()."""
        return self.session.lines()

    def accept(self, line: str) -> None:
        """Take one secret for this session; see MemoryVault.accept()."""
        self.session.accept(line)

    def feed(self, stream: Iterable[str]) -> int:
        """Take secrets until the stream ends; see MemoryVault.feed()."""
        return self.session.feed(stream)
