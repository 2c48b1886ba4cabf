"""The frame of the wizard: title, tabs, the buttons below, and the question before something typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, hairline

_SCREEN_EDGE: Final = 40


class WizardFrame(QDialog):
    """What goes on in it is for the wizard to say: see the methods that raise NotImplementedError."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._route: tuple[str, ...] = ()
        self._reached = 0
        self._saving = False
        self._finished = False
        self._untouched: tuple[object, ...] = ()
        self.setWindowTitle(title)
        self.setModal(True)
        self.resize(640, 720)
        self.setMinimumSize(480, 420)

    # for the wizard to say

    def _next(self) -> None:
        raise NotImplementedError

    def _back(self) -> None:
        raise NotImplementedError

    def _tab_chosen(self, index: int) -> None:
        raise NotImplementedError

    def _typed(self) -> tuple[object, ...]:
        """All that is typed, to be compared."""
        raise NotImplementedError

    def _page(self, step: str) -> Form:
        raise NotImplementedError

    def _forget(self) -> None:
        """The dialog goes: let go of secrets and of what runs."""
        raise NotImplementedError

    @property
    def step(self) -> str:
        """The step that is shown."""
        return self._route[self.tabs.currentIndex()]

    # what it looks like

    def _build(self, pages: Sequence[Form], beside: QWidget, lost: str) -> None:
        """`beside` stands at the left of the buttons; `lost` tells what a discard means."""
        head = PlainLabel(self.windowTitle(), "title")
        head.setContentsMargins(16, 13, 16, 13)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Steps")
        self.tabs.currentChanged.connect(self._tab_chosen)
        tab_row = QHBoxLayout()
        tab_row.setContentsMargins(14, 0, 14, 0)
        tab_row.addWidget(self.tabs)
        tab_row.addStretch(1)
        self.stack = QStackedWidget()
        for page in pages:
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(hairline())
        column.addLayout(tab_row)
        column.addWidget(hairline())
        column.addWidget(self.stack, 1)
        column.addWidget(hairline())
        column.addWidget(self._build_foot(beside, lost))

    def _build_foot(self, beside: QWidget, lost: str) -> QWidget:
        self.cancel_button = Button("Cancel", clicked=self.reject)
        self.back_button = Button("Back", clicked=self._back)
        self.next_button = Button("Next", "primary", clicked=self._next)
        self.keep_button = Button("Keep editing", clicked=lambda: self._ask_discard(False))
        self.discard_button = Button("Discard", "danger", clicked=self._close)
        self._progress = PlainLabel("", "note")
        self._steps = _row(beside, self._progress, self.cancel_button, self.back_button, self.next_button)
        self._question = _row(
            PlainLabel(f"{lost} Discard what you typed?"), self.keep_button, self.discard_button
        )
        foot = QStackedWidget()
        foot.addWidget(self._steps)
        foot.addWidget(self._question)
        foot.setFixedHeight(54)
        self._foot = foot
        return foot

    def _label_tabs(self, current: int) -> None:
        for number, title in enumerate(self._route):
            self.tabs.setTabText(number, f"{number + 1} {title}{' ✓' if number < current else ''}")
            self.tabs.setTabEnabled(number, number <= self._reached)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if room := self.screen().availableGeometry().height():
            self.resize(self.width(), min(self.height(), room - _SCREEN_EDGE))

    def _set_saving(self, words: str) -> None:
        self._saving = bool(words)
        self._progress.setText(words)
        for button in (self.cancel_button, self.back_button, self.next_button):
            button.setEnabled(not self._saving)

    # leaving it

    def reject(self) -> None:
        """Esc, Cancel and the window's close button: asks only if something was typed."""
        if self._saving:
            return
        if self._foot.currentWidget() is self._question:
            self._ask_discard(False)
        elif self._typed() == self._untouched:
            self._close()
        else:
            self._ask_discard(True)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._finished:
            event.accept()
            return
        event.ignore()
        self.reject()

    def _ask_discard(self, asking: bool) -> None:
        self._foot.setCurrentWidget(self._question if asking else self._steps)
        self.stack.setEnabled(not asking)
        self.tabs.setEnabled(not asking)
        if asking:
            self.keep_button.setDefault(True)
            self.keep_button.setFocus()
        else:
            self.next_button.setDefault(True)
            (self._page(self.step).first_focus() or self.next_button).setFocus()

    def _close(self, *, made: bool = False) -> None:
        self._finished = True
        self._forget()
        QDialog.done(self, int(made))


def _row(*widgets: QWidget) -> QWidget:
    """Words take the room; buttons stand at the right."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(16, 0, 16, 0)
    row.setSpacing(8)
    for widget in widgets:
        if isinstance(widget, Button):
            # The focused button takes Enter; where no button has the focus, the default one does.
            widget.setAutoDefault(True)
        row.addWidget(widget, int(isinstance(widget, PlainLabel)))
    return holder
