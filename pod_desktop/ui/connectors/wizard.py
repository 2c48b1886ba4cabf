"""The wizard that adds a connector: General, Configuration, Done. Opened with open(), never exec()."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from pod_desktop.core import connector as rules
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors, KeyNotice
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.configuration import Configuration, where_kept
from pod_desktop.ui.connectors.done import Done
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.connectors.general import General
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, hairline

GENERAL, CONFIGURATION, DONE = range(3)
_TABS: Final = ("General", "Configuration", "Done")
SESSION: Final = "For this session only; it is asked for again after the next start."


class AddConnector(QDialog):
    """Asks for a connector and makes it."""

    created = Signal(object)
    """The CollectConnector that was made; the dialog then closes by itself."""

    def __init__(
        self, desk: Connectors, worker: Worker, *, clock: Clock | None = None, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            desk: Makes the connector; called on the worker's thread.
            worker: May be busy for as long as a keychain takes to answer.
            clock: Tells the time.
            parent: The window it belongs to.
        """
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._clock = clock or SystemClock()
        entries = desk.entries()
        tenants = dict.fromkeys(entry.connector.tenant for entry in entries)
        self.general = General([entry.connector.name for entry in entries], list(tenants))
        self.configuration = Configuration(desk.vault, self._clock.now)
        self.summary = Done(lambda: self._submit(session_only=True))
        self._reached = GENERAL
        self._saving = False
        self._finished = False
        self._build()
        self.configuration.changed.connect(self._ask_key_rule)
        self._show_tab(GENERAL)
        self._untouched = self._typed()

    # what it looks like

    def _build(self) -> None:
        self.setWindowTitle("Add Connector")
        self.setModal(True)
        self.resize(640, 680)
        self.setMinimumSize(480, 420)
        head = PlainLabel("Add Connector", "title")
        head.setContentsMargins(16, 13, 16, 13)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Steps")
        for title in _TABS:
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(self._tab_chosen)
        tab_row = QHBoxLayout()
        tab_row.setContentsMargins(14, 0, 14, 0)
        tab_row.addWidget(self.tabs)
        tab_row.addStretch(1)
        self.stack = QStackedWidget()
        for page in self._pages:
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
        column.addWidget(self._build_foot())

    def _build_foot(self) -> QWidget:
        self.cancel_button = Button("Cancel", clicked=self.reject)
        self.back_button = Button("Back", clicked=self._back)
        self.next_button = Button("Next", "primary", clicked=self._next)
        self.keep_button = Button("Keep editing", clicked=lambda: self._ask_discard(False))
        self.discard_button = Button("Discard", "danger", clicked=self._close)
        self._steps = _row(self._words_saving(), self.cancel_button, self.back_button, self.next_button)
        self._question = _row(
            PlainLabel("Nothing has been made yet. Discard what you typed?"),
            self.keep_button,
            self.discard_button,
        )
        foot = QStackedWidget()
        foot.addWidget(self._steps)
        foot.addWidget(self._question)
        foot.setFixedHeight(54)
        self._foot = foot
        return foot

    def _words_saving(self) -> PlainLabel:
        self._progress = PlainLabel("", "note")
        return self._progress

    @property
    def _pages(self) -> tuple[Form, Form, Form]:
        return self.general, self.configuration, self.summary

    @property
    def step(self) -> int:
        """GENERAL, CONFIGURATION or DONE."""
        return self.stack.currentIndex()

    # going through it

    def _next(self) -> None:
        if self._saving:
            return
        if self.step == DONE:
            self._submit(session_only=False)
        elif self._pages[self.step].check_all() and self._rule_allows():
            self._show_tab(self.step + 1)

    def _back(self) -> None:
        if self.step > GENERAL and not self._saving:
            self._show_tab(self.step - 1)

    def _tab_chosen(self, index: int) -> None:
        """A click on a tab: backward at once, forward only over pages that fit."""
        if index <= self.step or self._saving:
            self._show_tab(self.step if self._saving else index)
            return
        for page in range(self.step, index):
            self._show_tab(page)
            if not self._pages[page].check_all() or (page == CONFIGURATION and not self._rule_allows()):
                return
        self._show_tab(index)

    def _show_tab(self, index: int) -> None:
        self._reached = max(self._reached, index)
        self.stack.setCurrentIndex(index)
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(index)
        for number, title in enumerate(_TABS):
            self.tabs.setTabText(number, f"{number + 1} {title}{' ✓' if number < index else ''}")
            self.tabs.setTabEnabled(number, number <= self._reached)
        self.tabs.blockSignals(False)
        self.back_button.setVisible(index > GENERAL)
        self.next_button.setText("Submit" if index == DONE else "Next")
        self.next_button.setAccessibleName(self.next_button.text())
        self.next_button.setDefault(True)
        self.configuration.api_key.show_button.setChecked(False)
        if index == CONFIGURATION:
            self._headline()
        if index == DONE:
            self.summary.show_problem("")
            kept = where_kept(self._desk.vault)
            self.summary.show_summary(self._connector(), kept, self._clock.now())
        focus = self._pages[index].first_focus() or self.next_button
        focus.setFocus(Qt.FocusReason.TabFocusReason)

    def _headline(self) -> None:
        self.configuration.headline.setText(
            f"{self.general.name.text().strip()} · {rules.CATEGORY_TITLES[rules.EMAIL]} · "
            f"{rules.TYPE_TITLES[rules.PROOFPOINT_ON_DEMAND]} · Collect. * required"
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if room := self.screen().availableGeometry().height():
            self.resize(self.width(), min(self.height(), room - 40))

    # what is typed

    def _connector(self) -> CollectConnector:
        values: dict[str, Any] = self.configuration.values()
        return CollectConnector(
            name=self.general.name.text().strip(), tenant=self.general.tenant.text().strip(), **values
        )

    def _key(self) -> Secret | None:
        try:
            return Secret(rules.check_api_key(self.configuration.api_key.text()))
        except UserFault:
            return None

    def _typed(self) -> tuple[object, ...]:
        values = self.configuration.values()
        values["collect_from"] = self.configuration.collect_from.choice.currentIndex()
        return (
            self.general.name.text(),
            self.general.tenant.text(),
            self.configuration.api_key.text(),
            *values.values(),
        )

    def _ask_key_rule(self) -> None:
        """Compare with the keys of other connectors, off this thread; only the newest answer counts."""
        connector, key = self._connector(), self._key()
        self._worker.ask(
            lambda: self._desk.key_notice(connector, key),
            self.configuration.show_key_rule,
            owner=self,
            key="key rule",
        )

    def _rule_allows(self) -> bool:
        """Before leaving Configuration: a key that another connector needs is a fault beside the field."""
        if self.step != CONFIGURATION:
            return True
        try:
            notice: KeyNotice | None = self._desk.key_notice(self._connector(), self._key())
        except Fault:
            return True  # Submit asks again, and can say so.
        self.configuration.show_key_rule(notice)
        if notice and notice.fault:
            self.configuration.show_fault(
                "api_key", UserFault("This key is in use for the same content type.")
            )
            return False
        return True

    # making it

    def _submit(self, *, session_only: bool) -> None:
        if self._saving:
            return
        connector, key = self._connector(), self._key()
        if key is None:
            self._show_tab(CONFIGURATION)
            self.configuration.check_all()
            return
        self.summary.show_problem("")
        self._set_saving(f"Keeping the key in {self._desk.vault.title}…")
        self._worker.ask(
            lambda: self._desk.create(connector, {"api_key": key}, session_only=session_only),
            self._made,
            self._not_made,
            owner=self,
        )

    def _set_saving(self, words: str) -> None:
        self._saving = bool(words)
        self._progress.setText(words)
        for button in (self.cancel_button, self.back_button, self.next_button):
            button.setEnabled(not self._saving)

    def _made(self, connector: CollectConnector) -> None:
        self._set_saving("")
        self._close(made=True)
        self.created.emit(connector)

    def _not_made(self, error: BaseException) -> None:
        self._set_saving("")
        if isinstance(error, UserFault):
            for index, page in enumerate((self.general, self.configuration)):
                if error.where in page.fields:
                    self._show_tab(index)
                    page.show_fault(error.where, error)
                    return
        if isinstance(error, Fault):
            helps = isinstance(error, Outage) and error.where == "keychain"
            self.summary.show_problem(error.what, error.hint, session_helps=helps)
        else:
            self.summary.show_problem(
                "The connector was not made.", "This is a fault of the program; its log says more."
            )
        (
            self.summary.session_button if self.summary.session_button.isVisible() else self.next_button
        ).setFocus()

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
            (self._pages[self.step].first_focus() or self.next_button).setFocus()

    def _close(self, *, made: bool = False) -> None:
        self._finished = True
        # The key does not outlive the question in a widget.
        self.configuration.api_key.clear()
        QDialog.done(self, int(made))


def open_wizard(
    desk: Connectors, worker: Worker, parent: QWidget, *, clock: Clock | None = None
) -> AddConnector:
    """Open the wizard over a window; it goes when it is closed. Listen to `created` for what was made."""
    wizard = AddConnector(desk, worker, clock=clock, parent=parent)
    wizard.finished.connect(lambda _result: wizard.deleteLater())
    wizard.open()
    return wizard


def _row(words: QWidget, *buttons: Button) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(16, 0, 16, 0)
    row.setSpacing(8)
    row.addWidget(words, 1)
    for button in buttons:
        # The focused button takes Enter; where no button has the focus, the default one does.
        button.setAutoDefault(True)
        row.addWidget(button)
    return holder
