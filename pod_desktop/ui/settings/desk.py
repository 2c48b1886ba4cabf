"""What the Settings page reads and changes: the data directory's settings, and the window's memory of three.

The window has to know theme, time zone and what closing means before the ledger is read, so its preferences
remember them too; what the ledger says is adopted when it has been read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject

from pod_desktop.core.settings import KEEP_COLLECTING, SETTINGS, THEME, TIME_ZONE, setting
from pod_desktop.services.settings import Settings
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.preferences import Preferences

REMEMBERED: Final = (THEME, TIME_ZONE, KEEP_COLLECTING)
"""What the window remembers by itself."""
Values = dict[str, Any]
Failed = Callable[[BaseException], None]


class SettingsDesk:
    """Answers at once from what was read last; writes on the worker's thread."""

    def __init__(
        self, preferences: Preferences, settings: Settings | None = None, worker: Worker | None = None
    ) -> None:
        """Without `settings` there are only those that the window remembers."""
        self._preferences = preferences
        self._settings = settings
        self._worker = worker
        self._read: Values = {}

    @property
    def whole(self) -> bool:
        """All settings are there, not only the window's own."""
        return self._settings is not None and self._worker is not None

    @property
    def keys(self) -> tuple[str, ...]:
        """What can be set here, in the order in which it is shown."""
        return tuple(SETTINGS) if self.whole else REMEMBERED

    def get(self, key: str) -> Any:
        """As read last; the default before."""
        if key == THEME:
            return self._preferences.theme
        if key == TIME_ZONE:
            return "utc" if self._preferences.utc else "local"
        if key == KEEP_COLLECTING:
            return self._preferences.keep_collecting
        return self._read.get(key, setting(key).default)

    def read(self, owner: QObject, then: Callable[[], None], failed: Failed | None = None) -> None:
        """Read all again, then call `then` on the window's thread, unless `owner` is gone by then."""
        settings, worker = self._settings, self._worker
        if settings is None or worker is None:
            then()
            return

        def found(values: Values) -> None:
            self._read = values
            self._remember(values)
            then()

        worker.ask(settings.all, found, failed, owner=owner)

    def set(
        self,
        owner: QObject,
        key: str,
        value: Any,
        then: Callable[[Any], None],
        failed: Failed | None = None,
    ) -> None:
        """Keep a value that was checked; `then` gets it as it is kept.

        Where it cannot be kept, for example because a tenant is in use, `failed` hears why.
        """
        self._remember({key: value})
        settings = self._settings
        if settings is None or self._worker is None:
            then(value)
            return

        def kept(clean: Any) -> None:
            self._read[key] = clean
            then(clean)

        self._worker.ask(lambda: settings.set(key, value), kept, failed, owner=owner)

    def do(
        self,
        owner: QObject,
        work: Callable[[Settings], Any],
        then: Callable[[Any], None],
        failed: Failed | None = None,
    ) -> None:
        """Something else with the settings (tenants), off this thread; all are read again after it."""
        settings, worker = self._settings, self._worker
        if settings is None or worker is None:
            return
        worker.ask(
            lambda: work(settings),
            lambda done: self.read(owner, lambda: then(done), failed),
            failed,
            owner=owner,
        )

    def _remember(self, values: Values) -> None:
        if THEME in values:
            self._preferences.theme = values[THEME]
        if TIME_ZONE in values:
            self._preferences.utc = values[TIME_ZONE] == "utc"
        if KEEP_COLLECTING in values:
            self._preferences.keep_collecting = values[KEEP_COLLECTING]
