"""The Test button of the wizard: tests what is typed, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QWidget

from pod_desktop.core.definition import Connector
from pod_desktop.core.secret import Secret
from pod_desktop.ui.connectors.runner import Run, Runner
from pod_desktop.ui.connectors.testview import TestView
from pod_desktop.ui.widgets import Button

Tested = Sequence[tuple[Connector, Mapping[str, Secret] | None]]


class TestPart(QWidget):
    """Test, or Cancel while one runs; the outcome stands in the form."""

    __test__ = False  # no test of pytest's

    def __init__(
        self, tester: Runner | None, tested: Callable[[], Tested | None], parent: QWidget | None = None
    ) -> None:
        """`tested` gives what is typed, or None after it said beside its fields what does not fit."""
        super().__init__(parent)
        self._tester = tester
        self._tested = tested
        self._run: Run | None = None
        self._view: TestView | None = None
        self.button = Button("Test", clicked=self._pressed)
        self.button.setAutoDefault(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.hide()

    def show_for(self, view: TestView | None) -> None:
        """Stand beside the form whose outcomes this view shows; None: nothing to test here."""
        if view is not self._view:
            self.leave()
            self._view = view
        self.setVisible(self._tester is not None and view is not None)

    def outdated(self, view: TestView) -> None:
        """What was tested is not what is typed any more."""
        if self._run is not None and self._view is view:
            self._run.cancel()
        elif not view.running:
            view.forget()

    def leave(self) -> None:
        """Stop what runs; nobody waits for it."""
        if self._run is not None:
            self._run.cancel()

    def _pressed(self) -> None:
        if self._run is not None:
            self.button.setEnabled(False)
            self._run.cancel()
            return
        tester, view = self._tester, self._view
        parts = self._tested()
        if tester is None or view is None or parts is None:
            return
        run = tester.start(*parts)
        if run is None:
            view.say(
                f"{tester.busy} is being tested", "One test runs at a time. Try again when it has ended."
            )
        else:
            self._run = run
            run.ended.connect(self._ended)
            view.show_run(run)
            self._label("Cancel test")
        self._reveal(view)

    def _ended(self) -> None:
        self._run = None
        self.button.setEnabled(True)
        self._label("Test")
        if self._view is not None:
            self._reveal(self._view)

    def _label(self, words: str) -> None:
        self.button.setText(words)
        self.button.setAccessibleName(words)

    @staticmethod
    def _reveal(view: TestView) -> None:
        """Scroll the form to the outcome, after it has been laid out."""
        from PySide6.QtCore import QTimer

        def scroll() -> None:
            above = view.parentWidget()
            while above is not None and not isinstance(above, QScrollArea):
                above = above.parentWidget()
            if isinstance(above, QScrollArea):
                above.ensureWidgetVisible(view)

        QTimer.singleShot(0, view, scroll)
