"""The Settings page: few, each taking effect at once."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.ui import theme
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel, copy
from pod_desktop.ui.widgets import Button, Card, Field, PageHeader

THEME_WORDS = {theme.SYSTEM: "As the desktop", theme.LIGHT: "Light", theme.DARK: "Dark"}


class SettingsPage(QWidget):
    """Theme, zone, collecting after closing, where the data is."""

    theme_chosen = Signal(str)
    zone_chosen = Signal(bool)

    def __init__(self, preferences: Preferences, data_dir: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.theme = QComboBox()
        for choice, words in THEME_WORDS.items():
            self.theme.addItem(words, choice)
        self.zone = QComboBox()
        self.zone.addItem("Local time", False)
        self.zone.addItem("UTC", True)
        self.keep = QCheckBox("Collecting goes on after the window is closed")
        self.refresh()
        self.theme.activated.connect(lambda _row: self.theme_chosen.emit(self.theme.currentData()))
        self.zone.activated.connect(lambda _row: self.zone_chosen.emit(bool(self.zone.currentData())))
        self.keep.toggled.connect(self._keep_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PageHeader("Settings"))
        column.addWidget(self._body(data_dir), 1)

    def _body(self, data_dir: str) -> QWidget:
        page = QWidget()
        page.setProperty("role", "sunken")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(page)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(14)
        looks = Card("Looks")
        for label, control in (("Theme", self.theme), ("Times in", self.zone)):
            control.setMaximumWidth(260)
            looks.body.addWidget(Field(label, control))
        collecting = Card("Collecting")
        collecting.body.addWidget(self.keep)
        collecting.body.addWidget(
            PlainLabel(
                "If it stops with the window, records that arrive meanwhile are fetched when the program runs again: "
                "the service replays the last hour, and its archive reaches back 30 days.",
                "help",
                wrap=True,
            )
        )
        data = Card("Data")
        where = PlainLabel(data_dir or "Not known", "mono", wrap=True, selectable=True)
        where.setAccessibleName(f"Data directory: {data_dir}")
        row = QHBoxLayout()
        row.addWidget(where, 1)
        if data_dir:
            row.addWidget(Button("Copy path", "link", lambda: copy(data_dir)))
        data.body.addWidget(PlainLabel("Data directory", "label"))
        data.body.addLayout(row)
        data.body.addWidget(
            PlainLabel(
                "Records and connectors are kept here; API keys are in the keychain.", "help", wrap=True
            )
        )
        for card in (looks, collecting, data):
            card.setMaximumWidth(760)
            column.addWidget(card)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(page)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return scroll

    def _keep_chosen(self, keep: bool) -> None:
        self._preferences.keep_collecting = keep

    def focus_first(self) -> None:
        """Go to the first setting."""
        self.theme.setFocus()

    def refresh(self) -> None:
        """Show what is chosen, wherever it was chosen."""
        self.theme.setCurrentIndex(self.theme.findData(self._preferences.theme))
        self.zone.setCurrentIndex(1 if self._preferences.utc else 0)
        self.keep.setChecked(self._preferences.keep_collecting)
