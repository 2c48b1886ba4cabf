"""What a bulk run is about: pasted text, a file, or records that were selected."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.action import ADD, ATTRIBUTES, COMMENT_CHARS, OPERATORS
from pod_desktop.core.faults import Outage
from pod_desktop.core.text import plural
from pod_desktop.responders import Responder
from pod_desktop.services.bulk_plan import AUTOMATIC, MOST_CHARS
from pod_desktop.ui import fonts
from pod_desktop.ui.actions.desk import Pasted, Selected
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Field

EDITOR_CHARS: Final = 1_000_000
LINE_CHARS: Final = 2_000
"""More than this is taken as it is and not put into an editor, which lays out every line whole."""
PAUSE_MS: Final = 400
_DOMAIN: Final = "domain"


class _Paste(QPlainTextEdit):
    """Takes plain text, at most what an editor can hold; the rest is told."""

    tooMuch = Signal(str)

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        if fits_editor(text, EDITOR_CHARS - len(self.toPlainText())):
            self.insertPlainText(text)
        else:
            self.tooMuch.emit(text)


class BulkInput(QWidget):
    """Values in, `changed` out."""

    changed = Signal()
    failed = Signal(str)
    """A file could not be opened."""

    def __init__(self, responder: Responder, wanted: str | Selected, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._responder = responder
        self._selected = wanted if isinstance(wanted, Selected) else None
        self._file = ""
        self.edit = _Paste()
        self.edit.setFont(fonts.mono())
        self.edit.setProperty("role", "code")
        self.edit.setTabChangesFocus(True)
        self.edit.setPlaceholderText("One value a line, or CSV with a head line that names value")
        self.open_button = Button("Open file …", clicked=self.choose_file)
        self.file_label = PlainLabel("", "help", wrap=True)
        self.attribute = QComboBox()
        self.operator = QComboBox()
        self.comment = QLineEdit("POD Desktop" if responder.action == ADD else "")
        self.comment.setMaxLength(COMMENT_CHARS)
        self._fill()
        self._lay_out()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.changed)
        if isinstance(wanted, str):
            self._take(wanted, "")
        self.edit.tooMuch.connect(lambda text: self._take(text, "Pasted"))
        self.edit.textChanged.connect(self._typed)
        self.comment.textChanged.connect(lambda _text: self._pause.start())
        for box in (self.attribute, self.operator):
            box.currentIndexChanged.connect(lambda _at: self._pause.start(0))

    def _fill(self) -> None:
        if self._selected is None:
            self.attribute.addItem("By the value (IP or sender)", AUTOMATIC)
        for name, words in ATTRIBUTES.items():
            self.attribute.addItem(f"{words} ({name})", name)
            if self._selected is not None and name == "$from":
                self.attribute.addItem("Sender domain ($from)", _DOMAIN)
        for name in OPERATORS[self._responder.list]:
            self.operator.addItem(name, name)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.open_button)
        row.addWidget(self.file_label, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        if self._selected is None:
            column.addWidget(Field("Values", self.edit, required=True), 1)
            column.addLayout(row)
        else:
            count = len(self._selected.rows)
            words = f"{plural(count, 'record')} {'is' if count == 1 else 'are'} selected. One request is sent for each distinct value."
            column.addWidget(PlainLabel(words, wrap=True))
        column.addWidget(Field("Attribute", self.attribute))
        operator = Field("Operator", self.operator)
        operator.setVisible(self._selected is None)
        column.addWidget(operator)
        comment = Field("Comment", self.comment, note=f"At most {COMMENT_CHARS} characters.")
        comment.setVisible(self._responder.action == ADD)
        column.addWidget(comment)
        if self._selected is not None:
            column.addStretch(1)

    def wanted(self) -> Pasted | Selected | None:
        """What is to be planned; None where there is nothing yet."""
        kind, comment = str(self.attribute.currentData()), self.comment.text()
        if self._selected is not None:
            domain = kind == _DOMAIN
            return Selected(
                rows=self._selected.rows,
                attribute="$from" if domain else kind,
                domain=domain,
                comment=comment,
            )
        text = self._file or self.edit.toPlainText()
        if not text.strip():
            return None
        return Pasted(text=text, attribute=kind, operator=str(self.operator.currentData()), comment=comment)

    def _typed(self) -> None:
        if self._file and self.edit.toPlainText():
            self._file = ""
            self.file_label.setText("")
        self._pause.start()

    def choose_file(self) -> QFileDialog:
        """Ask which file to take the values from."""
        dialog = QFileDialog(self, "Open Values", "", "Values (*.csv *.txt *.tsv);;All files (*)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.open_file(Path(name)))
        dialog.open()
        return dialog

    def open_file(self, path: Path) -> None:
        """Take the values from a file."""
        try:
            text = read_values(path)
        except Outage as fault:
            self.failed.emit(str(fault))
            return
        self._take(text, path.name)
        self._pause.start(0)

    def _take(self, text: str, name: str) -> None:
        """Into the editor, or beside it where that cannot hold it."""
        fits = fits_editor(text, EDITOR_CHARS)
        self._file = "" if fits else text
        self.edit.setPlainText(text if fits else "")
        held = f"{name or 'Given'}: {len(text):,} characters, too many to be shown here"
        self.file_label.setText(name if fits else held)

    def lock(self, locked: bool) -> None:
        """Nothing can be changed while values are being sent."""
        for part in (self.edit, self.open_button, self.attribute, self.operator, self.comment):
            part.setEnabled(not locked)


def fits_editor(text: str, room: int) -> bool:
    """Whether an editor can hold it: not too long in all, and in no line."""
    return len(text) <= room and max(map(len, text.split("\n"))) <= LINE_CHARS


def read_values(path: Path) -> str:
    """A file's text: UTF-8, else as Windows writes it.

    Raises:
        Outage: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > MOST_CHARS:
            raise Outage("The file is too large for one go.", path.name, "Do it in parts.")
        raw = path.read_bytes()
    except OSError as error:
        raise Outage(f"The file cannot be read ({error.strerror}).", path.name) from None
    for encoding in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return raw.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").replace("\x00", "")
