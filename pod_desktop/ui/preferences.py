"""What the user chose and the window remembers: theme, zone, sizes, columns. Never secrets."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QSettings

from pod_desktop.ui import theme

_HISTORY: Final = 50


class Preferences:
    """Typed reading and writing over QSettings; what cannot be read is as if never set."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def _text(self, key: str, default: str = "") -> str:
        value = self._settings.value(key, default)
        return value if isinstance(value, str) else default

    def _flag(self, key: str, default: bool) -> bool:
        return self._text(key, "yes" if default else "no") == "yes"

    def _set_flag(self, key: str, value: bool) -> None:
        self._settings.setValue(key, "yes" if value else "no")

    @property
    def theme(self) -> str:
        """system, light or dark."""
        value = self._text("theme", theme.SYSTEM)
        return value if value in theme.CHOICES else theme.SYSTEM

    @theme.setter
    def theme(self, value: str) -> None:
        self._settings.setValue("theme", value)

    @property
    def utc(self) -> bool:
        """Times in UTC instead of the computer's zone."""
        return self._flag("utc", False)

    @utc.setter
    def utc(self, value: bool) -> None:
        self._set_flag("utc", value)

    @property
    def keep_collecting(self) -> bool:
        """Collecting goes on after the window is closed."""
        return self._flag("keep_collecting", True)

    @keep_collecting.setter
    def keep_collecting(self, value: bool) -> None:
        self._set_flag("keep_collecting", value)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Content types shown; empty: all."""
        return tuple(kind for kind in self._text("events/kinds").split(",") if kind)

    @kinds.setter
    def kinds(self, value: tuple[str, ...]) -> None:
        self._settings.setValue("events/kinds", ",".join(value))

    @property
    def queries(self) -> list[str]:
        """Queries that were applied, newest first."""
        value = self._settings.value("events/queries", [])
        if isinstance(value, str):
            value = [value]
        return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []

    def remember_query(self, text: str) -> None:
        """Put it first; the oldest falls off."""
        if text.strip():
            others = [other for other in self.queries if other != text]
            self._settings.setValue("events/queries", [text, *others][:_HISTORY])

    def flag(self, key: str, default: bool) -> bool:
        """A switch under a key of the caller's."""
        return self._flag(key, default)

    def set_flag(self, key: str, value: bool) -> None:
        """Remember a switch."""
        self._set_flag(key, value)

    def state(self, key: str) -> QByteArray:
        """Geometry, splitter or column state under a key; empty if never kept."""
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep(self, key: str, state: QByteArray) -> None:
        """Keep a geometry, splitter or column state."""
        self._settings.setValue(key, state)

    def sync(self) -> None:
        """Write to disk now."""
        self._settings.sync()
