"""Buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from pod_desktop.ui.text import cell


class Button(QPushButton):
    """A push button. `kind`: plain, primary, danger, link, flat or pill."""

    def __init__(
        self,
        words: str,
        kind: str = "plain",
        clicked: Callable[[], object] | None = None,
        *,
        name: str = "",
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """`words` are ours and may hold one `&` mnemonic; `name` is what a screen reader says instead."""
        super().__init__(words, parent)
        self.setProperty("kind", kind)
        self.setCheckable(checkable)
        self.setAutoDefault(False)
        self.setAccessibleName(name or words.replace("&", "").rstrip("…▾ "))
        if kind == "link":
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        if clicked is not None:
            self.clicked.connect(lambda _checked=False: clicked())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.autoDefault():
            self.click()  # Qt does so in dialogs only
        else:
            super().keyPressEvent(event)


class MenuButton(Button):
    """A button that opens a menu; its words say what is chosen."""

    def __init__(self, words: str, menu: QMenu, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__("", "menu", name=name or words, parent=parent)
        self._name = name
        self.setMenu(menu)
        self.say(words)

    def say(self, words: str) -> None:
        """Show what is chosen; an `&` in it is just that."""
        self.setText(f"{cell(words, 80).replace('&', '&&')} ▾")
        self.setAccessibleName(f"{self._name}: {words}" if self._name else words)
