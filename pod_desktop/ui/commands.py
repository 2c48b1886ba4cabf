"""Every command of the window: its words, its key, its menu. The menu bar, the palette and the list of
shortcuts are all made of these, so that none knows a command that the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget

WORDS: Final = "words"
"""Property of an action whose text says enough in its submenu only."""
MENUS: Final = ("&File", "&Edit", "&View", "&Go", "&Record", "&Tools", "&Help")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command; `words` hold its mnemonic, `keys` all keys that do it (the first is shown)."""

    menu: str
    words: str
    run: Callable[[], object]
    keys: Sequence[str] = ()
    within: QWidget | None = None
    """Its keys work only while the focus is in there."""
    checkable: bool = False
    gap: bool = False
    """A line above it in the menu."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that a control handles itself; for the list of shortcuts."""

    where: str
    keys: str
    words: str


OWN_KEYS: Final = (
    Key(where="Records", keys="Up / Down / PgUp / PgDn", words="Move through the records"),
    Key(where="Records", keys="Enter", words="Read the record in the detail pane"),
    Key(where="Records", keys="Space", words="Pause at these rows, or follow again"),
    Key(where="Records", keys="Home / End", words="Newest record (follows again) / oldest record"),
    Key(where="Query", keys="Enter", words="Apply now"),
    Key(where="Query", keys="Esc", words="Take back what was typed, or stop searching"),
    Key(where="Query", keys="Up / Down", words="Earlier queries, or through the completions"),
    Key(where="Query", keys="Tab / Enter", words="Take the first, or the chosen completion"),
    Key(where="Query", keys="Ctrl+Space", words="Complete what stands at the cursor"),
    Key(where="Facets", keys="Enter / Alt+Enter", words="Ask for the value / leave it out"),
    Key(where="JSON", keys="Enter", words="Fold or unfold the line"),
    Key(where="Actions", keys="Left / Right", words="Choose another responder or value"),
    Key(where="Actions", keys="Ctrl+Space", words="Offer fields of the record inside braces"),
    Key(where="Action History", keys="Enter", words="Read the action's details"),
    Key(where="Lists", keys="Del", words="Remove the selected entries, after a look at what is sent"),
    Key(where="Lists", keys="Enter", words="Show the entry's action in the history"),
    Key(where="Playbooks", keys="Enter / Del", words="Edit the playbook / delete it, after a question"),
    Key(where="Backtest", keys="Enter / Esc", words="Show the records behind a firing / stop trying"),
    Key(where="Held", keys="A / D", words="Approve what is held / dismiss it"),
    Key(where="Histogram", keys="Drag / double click", words="Choose a time range / all time"),
)


def plain_words(action: QAction) -> str:
    """An action's words without mnemonic and dots; of one in a submenu, what `WORDS` says beyond its menu."""
    return (
        str(action.property(WORDS) or action.text())
        .replace("&&", "\0")
        .replace("&", "")
        .replace("\0", "&")
        .rstrip(" …")
    )


class Commands:
    """Makes actions and puts them into the menu bar."""

    def __init__(self, window: QWidget, bar: QMenuBar) -> None:
        self._window = window
        self.menus = {words.replace("&", ""): bar.addMenu(words) for words in MENUS}
        self.actions: list[QAction] = []

    def add(self, command: Command) -> QAction:
        """Make the command's action."""
        action = QAction(command.words, self._window)
        action.setCheckable(command.checkable)
        action.setMenuRole(QAction.MenuRole.NoRole)
        if command.keys:
            action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        if command.note:
            action.setStatusTip(command.note)
        if command.within is not None:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            command.within.addAction(action)
        else:
            self._window.addAction(action)
        action.triggered.connect(lambda _on=False: command.run())
        menu = self.menus[command.menu]
        if command.gap:
            menu.addSeparator()
        menu.addAction(action)
        self.actions.append(action)
        return action
