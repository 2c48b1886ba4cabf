"""Which keys do which command: as delivered, or as the user chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QAction, QKeySequence

from pod_desktop.core.faults import UserFault
from pod_desktop.ui.commands import plain_words

_DELIVERED: Final = "deliveredKeys"
_TEXT: Final = QKeySequence.SequenceFormat.PortableText
_RESERVED: Final = frozenset(
    {
        Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape,
        Qt.Key.Key_Space, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Up, Qt.Key.Key_Down,
        Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
    }
)  # fmt: skip
"""Keys that every field and list needs for itself."""
_F1, _F35 = Qt.Key.Key_F1.value, Qt.Key.Key_F35.value


class Keymap:
    """The commands of the window and their keys. Commands may be added later."""

    def __init__(self, actions: Callable[[], Sequence[QAction]]) -> None:
        """`actions` gives all commands that there are by now."""
        self._actions = actions
        self._chosen: dict[str, str] = {}

    @property
    def commands(self) -> list[QAction]:
        """Commands that can have keys, in the order of the menus."""
        found: dict[str, QAction] = {}
        for action in self._actions():
            if words := plain_words(action):
                found.setdefault(words, action)
        return list(found.values())

    @property
    def chosen(self) -> dict[str, str]:
        """Keys that differ from those delivered, by the command's words; '' is none."""
        return dict(self._chosen)

    def apply(self, chosen: Mapping[str, str]) -> None:
        """Give every command its keys; those of commands that are not there wait for them."""
        self._chosen = dict(chosen)
        for action in self.commands:
            words = plain_words(action)
            keys = [self._chosen[words]] if words in self._chosen else delivered(action)
            wanted = [QKeySequence(key, _TEXT) for key in keys if key]
            if wanted != action.shortcuts():
                action.setShortcuts(wanted)

    def with_keys(self, action: QAction, keys: QKeySequence) -> dict[str, str]:
        """The choices with this one made; nothing is applied yet.

        Raises:
            UserFault: another command has these keys, or a field needs them.
        """
        text = keys.toString(_TEXT)
        if text:
            check_keys(keys)
            if other := self.holder(keys, action):
                raise UserFault(
                    f"{shown(keys)} already does “{plain_words(other)}”.",
                    "shortcuts",
                    "Choose other keys, or take them from that command first.",
                )
        words = plain_words(action)
        rest = {name: key for name, key in self._chosen.items() if name != words}
        return (
            rest
            if [text] == delivered(action) or (not text and not delivered(action))
            else {**rest, words: text}
        )

    def without(self, action: QAction) -> dict[str, str]:
        """The choices with this command's keys as delivered again. Raises as with_keys()."""
        words = plain_words(action)
        for key in delivered(action):
            if other := self.holder(QKeySequence(key, _TEXT), action):
                raise UserFault(
                    f"{key} does “{plain_words(other)}” now.", "shortcuts", "Reset that command first."
                )
        return {name: key for name, key in self._chosen.items() if name != words}

    def holder(self, keys: QKeySequence, besides: QAction) -> QAction | None:
        """The other command that these keys do, or begin to do."""
        for action in self.commands:
            if action is besides:
                continue
            for theirs in action.shortcuts():
                if theirs.matches(keys) != QKeySequence.SequenceMatch.NoMatch or (
                    keys.matches(theirs) != QKeySequence.SequenceMatch.NoMatch
                ):
                    return action
        return None


def delivered(action: QAction) -> list[str]:
    """The keys that the command came with, remembered when first asked for."""
    found = action.property(_DELIVERED)
    if found is None:
        found = [keys.toString(_TEXT) for keys in action.shortcuts()]
        action.setProperty(_DELIVERED, found)
    return list(found)


def shown(keys: QKeySequence) -> str:
    """The keys as people read them on this computer."""
    return keys.toString(QKeySequence.SequenceFormat.NativeText)


def check_keys(keys: QKeySequence) -> None:
    """Raises UserFault for keys that fields and lists need for themselves."""
    first: QKeyCombination = cast(Any, keys)[0]  # the stubs do not know that it can be indexed
    held = first.keyboardModifiers() & ~(
        Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
    )
    if held != Qt.KeyboardModifier.NoModifier or _F1 <= first.key().value <= _F35:
        return
    if first.key() in _RESERVED:
        raise UserFault(
            f"{shown(keys)} is needed in fields and lists.", "shortcuts", "Add Ctrl or Alt, or take an F key."
        )
    raise UserFault(
        f"{shown(keys)} alone could no longer be typed into a field.",
        "shortcuts",
        "Add Ctrl or Alt, or take an F key.",
    )
