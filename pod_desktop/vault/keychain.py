"""The computer's keychain, through keyring's backends. The only place that touches keyring.

The backend is one of an allow-list, made directly: keyring's own choice would load any module that an
environment variable names, and with keyrings.alt installed it picks a plain-text file silently.
Every call runs in a thread of its own with a time limit, because a locked keychain waits for a person.
"""

from __future__ import annotations

import importlib
import secrets
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from pod_desktop.core import limits
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.vault import entry
from pod_desktop.vault.port import check_entry, check_size, other_origin

_T = TypeVar("_T")
SERVICE: Final = "POD Desktop"
WINDOWS_PART_CHARS: Final = 1_000
"""Windows: 2,560 bytes of UTF-16 an entry (CRED_MAX_CREDENTIAL_BLOB_SIZE)."""
_WHOLE: Final = 8 * limits.SECRET_CHARS
_BACKENDS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "linux": (
        ("keyring.backends.SecretService", "Keyring", "Secret Service"),
        ("keyring.backends.kwallet", "DBusKeyring", "KWallet"),
    ),
    "darwin": (("keyring.backends.macOS", "Keyring", "macOS Keychain"),),
    "win32": (("keyring.backends.Windows", "WinVaultKeyring", "Windows Credential Manager"),),
}
UNLOCK: Final = "Unlock the keychain and try again, or keep the secret for this session only."


class Backend(Protocol):
    """What is used of a keyring backend."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class KeychainVault:
    """Secrets in one keychain, under `POD Desktop: <connector> <secret>`."""

    lasting = True
    why = ""

    def __init__(
        self,
        backend: Backend,
        title: str,
        *,
        profile: str = "",
        seconds: float = limits.VAULT_SECONDS,
        part_chars: int | None = None,
    ) -> None:
        """
        Args:
            backend: An instance of an allowed keyring backend.
            title: What people call this keychain.
            profile: Tells the entries of one data directory from those of another.
            seconds: How long one call may take.
            part_chars: Longest text of one entry; what the system takes by default.
        """
        self.title = title
        self._backend = backend
        self._service = f"{SERVICE} ({profile})" if profile else SERVICE
        self._seconds = seconds
        self._part_chars = part_chars or (WINDOWS_PART_CHARS if sys.platform == "win32" else _WHOLE)
        self._busy = threading.Lock()

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        check_entry(connector, name)
        found = self._in_time(lambda: self._read(connector, name))
        if found is None:
            return None
        saved, secret = found
        if saved != origin:
            raise other_origin(connector, name, saved, origin)
        return secret

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        check_entry(connector, name)
        check_size(secret)
        self._in_time(lambda: self._write(connector, name, origin, secret))

    def delete(self, connector: str, name: str) -> None:
        check_entry(connector, name)
        self._in_time(lambda: self._erase(connector, name, 1))

    def probe(self) -> None:
        """Write, read and delete a passing entry.

        Raises:
            Outage: this keychain cannot be used; the words say why.
        """
        connector, value = f"probe {secrets.token_hex(4)}", Secret(secrets.token_hex(16))

        def round_trip() -> bool:
            self._write(connector, "probe", "nowhere", value)
            try:
                return self._read(connector, "probe") == ("nowhere", value)
            finally:
                self._erase(connector, "probe", 1)

        if not self._in_time(round_trip):
            raise Outage(f"{self.title} did not give back what it was given.", "keychain")

    # in the worker thread

    def _place(self, connector: str, name: str, number: int) -> tuple[str, str]:
        # A service name for each entry: Windows renames older ones when two users share a service.
        part = f" part {number}" if number > 1 else ""
        return f"{self._service}: {connector} {name}{part}", name

    def _read(self, connector: str, name: str) -> tuple[str, Secret] | None:
        first = self._backend.get_password(*self._place(connector, name, 1))
        if first is None:
            return None
        try:
            rest = [
                self._backend.get_password(*self._place(connector, name, number)) or ""
                for number in range(2, entry.count(first) + 1)
            ]
            return entry.unpack([first, *rest])
        except (ValueError, KeyError):
            raise UserFault(
                f"The {name.replace('_', ' ')} of {connector} in {self.title} is damaged.",
                name,
                "Enter it again.",
            ) from None

    def _write(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        parts = entry.pack(origin, secret, self._part_chars)
        for number, part in reversed(list(enumerate(parts, 1))):
            self._backend.set_password(*self._place(connector, name, number), part)
        if len(parts) > 1 or self._part_chars < _WHOLE:
            self._erase(connector, name, len(parts) + 1)

    def _erase(self, connector: str, name: str, number: int) -> None:
        """Delete the parts from this number on, until there is none."""
        for later in range(number, entry.PARTS + 1):
            place = self._place(connector, name, later)
            if self._backend.get_password(*place) is None:
                return
            self._backend.delete_password(*place)

    def _in_time(self, call: Callable[[], _T]) -> _T:
        """What the call returns, or its fault, or an Outage after the time limit.

        A call that still waits for a person holds the keychain; the next ones wait behind it for as
        long as they may, instead of opening a second question.
        """
        if not self._busy.acquire(timeout=self._seconds):
            raise _silent(self.title, self._seconds)
        return _in_thread(call, self.title, self._seconds, self._busy.release)


def _in_thread(
    call: Callable[[], _T], title: str, seconds: float, ended: Callable[[], None] = lambda: None
) -> _T:
    """What the call returns, or its fault, or an Outage after that many seconds.

    `ended` is told when the call has really ended, which may be long after.
    """
    results: list[_T] = []
    faults: list[Fault] = []

    def work() -> None:
        try:
            results.append(call())
        except Fault as fault:
            faults.append(fault)
        except Exception as error:  # whatever a backend, a bus or a system library raises
            faults.append(_in_words(error, title))
        finally:
            ended()

    worker = threading.Thread(target=work, name="keychain", daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        raise _silent(title, seconds)
    if faults:
        raise faults[0] from None
    return results[0]


def _silent(title: str, seconds: float) -> Outage:
    return Outage(
        f"{title} did not answer within {seconds:g} seconds; it may be waiting to be unlocked.",
        "keychain",
        UNLOCK,
    )


def _in_words(error: Exception, title: str) -> Outage:
    """An outage that says what happened and holds nothing of the library's own text."""
    kind = type(error).__name__
    words = {
        "KeyringLocked": f"{title} is locked.",
        "InitError": f"{title} could not be opened.",
        "NoKeyringError": "There is no keychain on this computer.",
        "PasswordSetError": f"{title} refused to keep the secret.",
        "PasswordDeleteError": f"{title} refused to delete the secret.",
    }
    return Outage(words.get(kind, f"{title} failed ({kind})."), "keychain", UNLOCK)


def open_keychain(
    profile: str = "", *, platform: str = sys.platform, seconds: float = limits.VAULT_SECONDS
) -> KeychainVault:
    """The first keychain of this system that passes the probe.

    Raises:
        Outage: none does; the words say why.
    """
    reason = Outage("There is no keychain on this computer.", "keychain")
    for module, name, title in _BACKENDS.get(platform, ()):
        try:
            backend = _in_thread(lambda: _make(module, name), title, seconds)  # noqa: B023 (called at once)
            if backend is not None:
                vault = KeychainVault(backend, _provider(title), profile=profile, seconds=seconds)
                vault.probe()
                return vault
        except Outage as outage:
            reason = outage
    raise reason


def _make(module: str, name: str) -> Backend | None:
    """An instance of the backend class; None where a library, a bus or a daemon is missing."""
    try:
        kind: Any = getattr(importlib.import_module(module), name)
        # keyring computes the priority by trying what the backend needs, and raises when it is not there.
        float(kind.priority)
        backend: Backend = kind()
    except Exception:  # a missing library or bus makes keyring raise anything
        return None
    return backend


_PROVIDERS: Final = {"gnome-keyring-d": "GNOME Keyring", "kwallet": "KWallet", "keepassxc": "KeePassXC"}


def _provider(title: str) -> str:
    """The program behind the Secret Service, as people know it."""
    if title != "Secret Service":
        return title
    with suppress(Exception):  # only a nicer name
        jeepney: Any = importlib.import_module("jeepney")
        blocking: Any = importlib.import_module("jeepney.io.blocking")
        bus = jeepney.DBusAddress(
            "/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus"
        )
        ask = jeepney.new_method_call(bus, "GetConnectionUnixProcessID", "s", ("org.freedesktop.secrets",))
        with blocking.open_dbus_connection() as connection:
            (pid,) = connection.send_and_get_reply(ask, timeout=2.0).body
        command = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        for start, known in _PROVIDERS.items():
            if command.startswith(start):
                return known
    return title
