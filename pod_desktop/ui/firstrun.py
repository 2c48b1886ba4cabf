"""What stands there before anything was collected: three ways in, and where to read first (screen 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.ui.connectors.guide import GuideDialog
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Card

CARD_WIDTH: Final = 230
FILTERS: Final = ("Log files (*.ndjson *.jsonl *.json *.log *.gz *.zst)", "All files (*)")


class FirstRun(QWidget):
    """The page of a window that has nothing to show yet."""

    createConnector = Signal()
    startDemo = Signal()
    openFiles = Signal(object)
    """list[Path] of files that were chosen or dropped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "sunken")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._guide: GuideDialog | None = None
        title = PlainLabel("Nothing is collected yet", "display")
        words = PlainLabel(
            "POD Desktop shows Proofpoint on Demand mail logs as they arrive, finds anything in them, "
            "and lets you block or safelist a sender from the record in front of you.",
            "note",
            wrap=True,
        )
        words.setFixedWidth(520)
        for label in (title, words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.create_button = Button("Create connector", "primary", clicked=self.createConnector.emit)
        self.demo_button = Button("Start demo", clicked=self.startDemo.emit)
        self.files_button = Button("Choose files…", clicked=self.choose_files)
        self._drop_card = _way_in(
            "Open log files",
            "NDJSON, .gz or .zst exports of PoD records. Drop them here.",
            self.files_button,
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addStretch(4)
        column.addWidget(title)
        column.addSpacing(20)
        column.addLayout(_middle(words, spacing=0))
        column.addSpacing(26)
        column.addLayout(
            _middle(
                _way_in(
                    "Connect to Proofpoint",
                    "Cluster ID and an API key with Remote Syslog. Takes two minutes; the key stays in "
                    "your keychain.",
                    self.create_button,
                ),
                _way_in(
                    "Try the demo",
                    "A simulated cluster on this computer: live mail, phishing bursts, block list. "
                    "Nothing leaves it.",
                    self.demo_button,
                ),
                self._drop_card,
                spacing=14,
            )
        )
        column.addSpacing(16)
        self.help_link = Button("how to get the Cluster ID and API key", "link", clicked=self.show_guide)
        column.addLayout(_middle(PlainLabel("Read first:", "note"), self.help_link, spacing=0))
        column.addStretch(5)

    def choose_files(self) -> None:
        """Ask for files to open."""
        dialog = QFileDialog(self, "Open log files")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(list(FILTERS))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.openFiles.emit([Path(name) for name in names]))
        dialog.open()

    def show_guide(self) -> None:
        """Open the help page, or bring it forward."""
        if self._guide is None:
            self._guide = GuideDialog(parent=self)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()

    # files that are dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event.mimeData()):
            self._light(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self._light(False)
        if files := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.openFiles.emit(files)

    def _light(self, on: bool) -> None:
        """Show the card where files belong while some hover over the page."""
        self._drop_card.setProperty("chosen", on)
        self._drop_card.style().unpolish(self._drop_card)
        self._drop_card.style().polish(self._drop_card)


def dropped_files(data: QMimeData) -> list[Path]:
    """The files and folders of this computer among what is dragged; anything from elsewhere is left out."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and not url.host()]


def _way_in(title: str, words: str, button: Button) -> Card:
    card = Card(title)
    card.setFixedWidth(CARD_WIDTH)
    card.setAccessibleName(title)
    card.body.setSpacing(5)
    card.body.addWidget(PlainLabel(words, "note", wrap=True))
    card.body.addStretch(1)
    card.body.addSpacing(4)
    card.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    return card


def _middle(*widgets: QWidget, spacing: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(spacing)
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
