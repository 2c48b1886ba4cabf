"""The dialog of a connection test: it stays until it is closed, whatever came of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.definition import Connector
from pod_desktop.services.testing import TEST_SECONDS
from pod_desktop.ui.connectors.runner import Run, Runner
from pod_desktop.ui.connectors.testview import TestView
from pod_desktop.ui.text import PlainLabel, cell, copy
from pod_desktop.ui.widgets import Button, hairline

_NAME_CHARS = 60


class TestDialog(QDialog):
    """Tests one connector with the secrets that are kept, as often as wanted."""

    __test__ = False  # no test of pytest's

    editAsked = Signal(str)
    """Edit the connector of that name."""

    def __init__(self, connector: Connector, tester: Runner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.connector = connector
        self._tester = tester
        self._run: Run | None = None
        self._elapsed = QElapsedTimer()
        self.setWindowTitle(f"Test {cell(connector.name, _NAME_CHARS)}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.resize(620, 520)
        self.setMinimumSize(460, 360)
        self._build()
        self._tick = QTimer(self, interval=250)
        self._tick.timeout.connect(self._show_time)
        tester.changed.connect(self._follow)

    def _build(self) -> None:
        self.view = TestView()
        self.view.finished.connect(self._finished)
        self.close_button = Button("✕", "flat", self.close, name="Close")
        head = QHBoxLayout()
        head.setContentsMargins(16, 10, 12, 10)
        head.addWidget(PlainLabel(self.windowTitle(), "title"), 1)
        head.addWidget(self.close_button)
        body = QWidget()
        body.setProperty("role", "page")
        lines = QVBoxLayout(body)
        lines.setContentsMargins(16, 16, 16, 16)
        lines.addWidget(self.view)
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(hairline())
        column.addWidget(scroll, 1)
        column.addWidget(hairline())
        column.addLayout(self._build_foot())
        # As one reads: what was found, what can be done, and only then the way out.
        for before, after in (
            (self.view.more, self.view.exchange),
            (self.view.exchange, self.copy_button),
            (self.copy_button, self.edit_button),
            (self.edit_button, self.again_button),
            (self.again_button, self.cancel_button),
            (self.cancel_button, self.close_button),
        ):
            QWidget.setTabOrder(before, after)

    def _build_foot(self) -> QHBoxLayout:
        self.copy_button = Button("Copy report", clicked=lambda: copy(self.view.report))
        self.edit_button = Button("Edit connector", clicked=self._edit)
        self.again_button = Button("Test again", "primary", clicked=self.start)
        self.cancel_button = Button("Cancel", clicked=self._cancel, name="Cancel the test")
        self.time = PlainLabel("", "note")
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 12, 16, 12)
        foot.setSpacing(8)
        foot.addWidget(self.copy_button)
        foot.addWidget(self.time)
        foot.addStretch(1)
        for button in (self.edit_button, self.again_button, self.cancel_button):
            foot.addWidget(button)
        for button in (self.copy_button, self.edit_button, self.again_button, self.cancel_button):
            button.setAutoDefault(True)
        return foot

    # the test

    def start(self) -> None:
        """Begin a test; says so where another one runs."""
        if self._run is not None:
            return
        run = self._tester.start((self.connector, None))
        if run is None:
            self.view.say(
                f"{self._tester.busy} is being tested",
                "One test runs at a time. Test again when that one has ended.",
            )
            self._show_state()
            return
        self._run = run
        self._elapsed.start()
        self._tick.start()
        self.view.show_run(run)
        self._show_state()
        self._show_time()
        self.cancel_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def running(self) -> bool:
        return self._run is not None

    def _cancel(self) -> None:
        if self._run is not None:
            self.cancel_button.setEnabled(False)
            self.time.setText("Cancelling…")
            self._run.cancel()

    def _finished(self) -> None:
        self._run = None
        self._tick.stop()
        self._show_state()
        self.again_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_state(self) -> None:
        running = self.running
        self.copy_button.setVisible(not running and bool(self.view.report))
        self.edit_button.setVisible(not running)
        self.again_button.setVisible(not running)
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(running)
        self.time.setText("")
        (self.cancel_button if running else self.again_button).setDefault(True)
        self._follow()

    def _follow(self) -> None:
        self.again_button.setEnabled(not self._tester.busy)

    def _show_time(self) -> None:
        if self._run is not None and self.cancel_button.isEnabled():
            passed = self._elapsed.elapsed() // 1000
            self.time.setText(f"{passed} s of at most {TEST_SECONDS:.0f} s")

    def _edit(self) -> None:
        self.editAsked.emit(self.connector.name)
        self.close()

    # closing

    def reject(self) -> None:
        """Esc: closes a finished test, never a running one."""
        if self.running:
            self.view.banner.say(
                "It is still running. Cancel it first, or close this window with ✕, which cancels it.",
                blocks.INFO,
                "Testing…",
            )
            return
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._run is not None:
            self._run.cancel()
        event.accept()


def open_test(
    connector: Connector, tester: Runner, parent: QWidget, edit: Callable[[str], None]
) -> TestDialog:
    """Open the dialog over a window and begin; it goes when it is closed."""
    dialog = TestDialog(connector, tester, parent)
    dialog.editAsked.connect(edit)
    dialog.open()
    dialog.start()
    return dialog
