"""What the user chose and the window remembers: theme, zone, sizes, columns. Never secrets.

Sizes, columns, splits, queries, facets and colours belong to a profile; the first has no name.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from PySide6.QtCore import QByteArray, QSettings

from pod_desktop.ui import theme

_HISTORY: Final = 50
_OF_PROFILE: Final = ("events/", "window/", "detail/", "history/", "lists/", "connectors/", "statistics/")
_MOST_PROFILES: Final = 30


class Preferences:
    """Typed reading and writing over QSettings; what cannot be read is as if never set."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    @property
    def profile(self) -> str:
        """The profile in use; '' is the first."""
        name = self._settings.value("profile", "")
        return name if isinstance(name, str) and name in self.profiles else ""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Profiles there are besides the first."""
        found = _from_json(self._settings.value("profiles_known", ""))
        names = found if isinstance(found, list) else []
        return tuple(name for name in names[:_MOST_PROFILES] if isinstance(name, str) and name)

    def use_profile(self, name: str) -> None:
        """Use a profile from now on; a new one begins as a copy of the one in use."""
        if name and name not in self.profiles:
            before = {key: self._settings.value(self._name(key)) for key in self._keys()}
            self._settings.setValue("profiles_known", json.dumps([*self.profiles, name][:_MOST_PROFILES]))
            self._settings.setValue("profile", name)
            for key, value in before.items():
                self._settings.setValue(self._name(key), value)
        self._settings.setValue("profile", name)

    def drop_profile(self, name: str) -> None:
        """Forget a profile; the first is used where it was in use."""
        kept = [one for one in self.profiles if one != name]
        in_use = self.profile
        self._settings.setValue("profiles_known", json.dumps(kept))
        self._settings.remove(f"of_profile/{quote(name, safe='')}")
        self._settings.setValue("profile", "" if in_use == name else in_use)

    def _keys(self) -> list[str]:
        """Keys of the profile in use, without its name."""
        head = self._name("events/").removesuffix("events/")
        return [
            key.removeprefix(head)
            for key in self._settings.allKeys()
            if key.startswith(head) and key.removeprefix(head).startswith(_OF_PROFILE)
        ]

    def _name(self, key: str) -> str:
        name = self.profile
        return f"of_profile/{quote(name, safe='')}/{key}" if name and key.startswith(_OF_PROFILE) else key

    def _text(self, key: str, default: str = "") -> str:
        value = self._settings.value(self._name(key), default)
        return value if isinstance(value, str) else default

    def _flag(self, key: str, default: bool) -> bool:
        return self._text(key, "yes" if default else "no") == "yes"

    def _set_flag(self, key: str, value: bool) -> None:
        self._settings.setValue(self._name(key), "yes" if value else "no")

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
        self._settings.setValue(self._name("events/kinds"), ",".join(value))

    @property
    def queries(self) -> list[str]:
        """Queries that were applied, newest first."""
        value = self._settings.value(self._name("events/queries"), [])
        if isinstance(value, str):
            value = [value]
        return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []

    def remember_query(self, text: str) -> None:
        """Put it first; the oldest falls off."""
        if text.strip():
            others = [other for other in self.queries if other != text]
            self._settings.setValue(self._name("events/queries"), [text, *others][:_HISTORY])

    def words(self, key: str) -> str:
        """A text under a key of the caller's; '' if never kept."""
        return self._text(key)

    def set_words(self, key: str, text: str) -> None:
        """Remember a text."""
        self._settings.setValue(self._name(key), text)

    def data(self, key: str) -> Any:
        """What was kept with set_data(); None if it never was, or cannot be read."""
        return _from_json(self._text(key))

    def set_data(self, key: str, value: Any) -> None:
        """Remember lists, texts and numbers."""
        self.set_words(key, json.dumps(value))

    def flag(self, key: str, default: bool) -> bool:
        """A switch under a key of the caller's."""
        return self._flag(key, default)

    def set_flag(self, key: str, value: bool) -> None:
        """Remember a switch."""
        self._set_flag(key, value)

    def state(self, key: str) -> QByteArray:
        """Geometry, splitter or column state under a key; empty if never kept."""
        value = self._settings.value(self._name(key))
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep(self, key: str, state: QByteArray) -> None:
        """Keep a geometry, splitter or column state."""
        self._settings.setValue(self._name(key), state)

    def sync(self) -> None:
        """Write to disk now."""
        self._settings.sync()


def _from_json(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) and text else None
    except ValueError:
        return None
