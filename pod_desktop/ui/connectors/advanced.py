"""The folded part of Configuration: where the stream is, how it is reached, and what few collectors need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import connector as rules
from pod_desktop.core.connector import SECOND_KEY, CollectConnector
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import check_ca_file
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.connectors.inputs import FilePath, SecretEdit
from pod_desktop.ui.text import cell
from pod_desktop.ui.widgets import Field

ORDER_TITLES: Final = {
    rules.NEWEST: "Newest hours first (default)",
    rules.OLDEST: "Oldest hours first",
}
_KEY_NOTE: Final = (
    "Of the same cluster. Used for the archive beside live: one key allows one session of a content type, so "
    "without a second one live pauses while hours are fetched. Empty: none, or the one that is kept."
)
_NO_FILTERS: Final = "There are none yet: Log filters… on the Connectors page makes them."
_FILTERS_NOTE: Final = "Records that match a chosen filter are dropped before they are stored, and counted. They cannot be searched."
_RECONCILE_NOTE: Final = (
    "Fetches every finished hour from the archive too, adds what live did not give and shows the difference. "
    "Every record then travels twice."
)


class Advanced(QWidget):
    """Stream address, CA file, proxy, second key, order, reconciliation and log filters."""

    changed = Signal(object)
    """The Field that was typed into."""

    def __init__(self, form: Form, first_key: Callable[[], str], parent: QWidget | None = None) -> None:
        """
        Args:
            form: Judges the fields.
            first_key: Gives the API key as it is typed; the second one must be another.
        """
        super().__init__(parent)
        self.setProperty("role", "page")
        self._form = form
        self._first_key = first_key
        self.stream_url = QLineEdit()
        self.stream_url.setPlaceholderText(rules.DEFAULT_STREAM_URL)
        self.ca_file = FilePath("CA file")
        self.proxy = QLineEdit()
        self.proxy.setPlaceholderText("None; for example http://proxy.example:3128")
        self.second_key = SecretEdit("second API key")
        self.remove_second = QCheckBox("Remove the second key that is kept")
        self._kept = self._moved = False
        self.order = QComboBox()
        for value, words in ORDER_TITLES.items():
            self.order.addItem(words, value)
        self.reconcile = QCheckBox("Compare every finished hour with the archive")
        self.filters = FilterList()
        self._url = Field(
            "Stream address", self.stream_url, note="Empty: Proofpoint's own. wss:// and host, with a port."
        )
        self._ca = Field(
            "CA file",
            self.ca_file,
            note="Empty: the certificates that this computer trusts. Else a PEM file.",
        )
        self._proxy = Field(
            "HTTP proxy", self.proxy, note="Empty: none. The environment's proxies never apply by themselves."
        )
        self._second = Field("Second API Key", self._second_row(), note=_KEY_NOTE)
        self._order = Field("Backfill order", self.order, note="Which hours of the archive come first.")
        self._reconcile = Field("Reconciliation", self.reconcile, note=_RECONCILE_NOTE)
        self._filters = Field("Log filters", self.filters, note=_NO_FILTERS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        form.add_checked(
            self._url, "stream_url", lambda: rules.check_stream_url(self.stream_url.text()), into=column
        )
        form.add_checked(self._ca, "ca_file", lambda: check_ca_file(self.ca_file.edit.text()), into=column)
        form.add_checked(self._proxy, "proxy", self._check_proxy, into=column)
        form.add_checked(self._second, SECOND_KEY, self._check_second, into=column)
        column.addWidget(self._order)
        column.addWidget(self._reconcile)
        form.add_checked(self._filters, "log_filters", self.filters.chosen, into=column)
        self._listen()

    def _second_row(self) -> QWidget:
        """The key, and the box that takes away the one that is kept."""
        row = QWidget()
        row.setProperty("role", "page")
        self.second_key.setAccessibleName("Second API Key")
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.second_key)
        column.addWidget(self.remove_second)
        self.remove_second.hide()
        row.setFocusProxy(self.second_key)
        return row

    def _listen(self) -> None:
        for edit, field in (
            (self.stream_url, self._url),
            (self.ca_file.edit, self._ca),
            (self.proxy, self._proxy),
            (self.second_key, self._second),
        ):
            edit.textChanged.connect(lambda _text, field=field: self.changed.emit(field))
        self.proxy.textChanged.connect(lambda _text: self._warn())
        self.order.currentIndexChanged.connect(lambda _at: self.changed.emit(self._order))
        self.remove_second.toggled.connect(self._remove_toggled)
        self.reconcile.toggled.connect(lambda _on: self.changed.emit(self._reconcile))
        self.filters.changed.connect(lambda: self.changed.emit(self._filters))

    def expect_second(self, kept: bool, moved: bool) -> None:
        """Whether a second key is kept already, and whether it was saved for another address than is typed."""
        self._kept, self._moved = kept, moved
        self.second_key.setPlaceholderText("Unchanged: the one that is kept" if kept and not moved else "")
        self.remove_second.setVisible(kept)
        self._form.check_typed(self._second)

    @property
    def removes(self) -> tuple[str, ...]:
        """Names of kept secrets that are to go."""
        return (SECOND_KEY,) if self._kept and self.remove_second.isChecked() else ()

    def _remove_toggled(self, on: bool) -> None:
        self.second_key.setEnabled(not on)
        if on:
            self.second_key.clear()
        self.changed.emit(self._second)

    @property
    def faulty(self) -> bool:
        """Whether a field here shows a fault."""
        return any(field.faulty for field in (self._url, self._ca, self._proxy, self._second, self._filters))

    def check_again(self) -> None:
        """Judge once more what hangs on another field."""
        for field in (self._proxy, self._second):
            self._form.check_typed(field)

    @property
    def places(self) -> tuple[str, ...]:
        """What faults of these fields name."""
        return ("stream_url", "ca_file", "proxy", SECOND_KEY, "log_filters")

    def offer_filters(self, names: Iterable[str]) -> None:
        """Filters to choose from."""
        self.filters.offer(names)
        self._filters.say(_FILTERS_NOTE if self.filters.count() else _NO_FILTERS)

    def values(self) -> dict[str, object]:
        """What is typed, as CollectConnector names it; the key is not in it."""
        return {
            "stream_url": self.stream_url.text().strip() or rules.DEFAULT_STREAM_URL,
            "ca_file": self.ca_file.edit.text().strip(),
            "proxy": self.proxy.text().strip(),
            "backfill_order": self.order.currentData(),
            "reconcile": self.reconcile.isChecked(),
            "log_filters": self.filters.chosen(),
        }

    def secrets(self) -> dict[str, Secret]:
        """The second key, if one is typed that fits."""
        try:
            key = self._check_second()
        except UserFault:
            return {}
        return {SECOND_KEY: Secret(key)} if key else {}

    def show_connector(self, connector: CollectConnector) -> bool:
        """Show these values; whether any of them is not as it comes."""
        if connector.stream_url != rules.DEFAULT_STREAM_URL:
            self.stream_url.setText(connector.stream_url)
        self.ca_file.edit.setText(connector.ca_file)
        self.proxy.setText(connector.proxy)
        self.order.setCurrentIndex(max(0, self.order.findData(connector.backfill_order)))
        self.reconcile.setChecked(connector.reconcile)
        self.filters.choose(connector.log_filters)
        return bool(
            self.stream_url.text()
            or connector.ca_file
            or connector.proxy
            or connector.reconcile
            or connector.log_filters
            or connector.backfill_order != rules.NEWEST
        )

    def _check_proxy(self) -> str:
        try:
            stream = rules.check_stream_url(self.stream_url.text())
        except UserFault:
            stream = rules.DEFAULT_STREAM_URL  # its own field says so
        return rules.check_proxy(self.proxy.text(), stream)

    def _check_second(self) -> str:
        if not self.second_key.text().strip():
            if self._kept and self._moved and not self.removes:
                raise UserFault(
                    "The second API key that is kept was saved for the old address.",
                    SECOND_KEY,
                    "Enter it again, or remove it.",
                )
            return ""
        key = rules.check_api_key(self.second_key.text(), SECOND_KEY)
        try:
            same = key == rules.check_api_key(self._first_key())
        except UserFault:
            same = False
        if same:
            raise UserFault(
                "The second API key is the first one again.", SECOND_KEY, "Make another, or leave it out."
            )
        return key

    def _warn(self) -> None:
        note = "Empty: none. The environment's proxies never apply by themselves."
        self._proxy.say(rules.PROXY_WARNING if self.proxy.text().strip() else note)


class FilterList(QListWidget):
    """Log filters, each with a box; Space turns it."""

    changed = Signal()
    _ROWS: Final = 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabKeyNavigation(False)
        self.itemChanged.connect(lambda _item: self.changed.emit())
        self.offer(())

    def offer(self, names: Iterable[str]) -> None:
        """Offer these; what is chosen stays chosen, also where it is offered no more."""
        kept = self.chosen()
        with QSignalBlocker(self):
            self.clear()
            for name in names:
                self._add(name, chosen=False)
        self.choose(kept)

    def choose(self, names: Sequence[str]) -> None:
        """Choose these and no others."""
        wanted = {name.casefold(): name for name in names}
        with QSignalBlocker(self):
            for item in self._items():
                known = wanted.pop(item.data(Qt.ItemDataRole.UserRole).casefold(), None)
                item.setCheckState(Qt.CheckState.Unchecked if known is None else Qt.CheckState.Checked)
            for name in wanted.values():
                self._add(name, chosen=True)
        self._fit()

    def chosen(self) -> tuple[str, ...]:
        """Names whose boxes are on."""
        return tuple(
            item.data(Qt.ItemDataRole.UserRole)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        )

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _add(self, name: str, *, chosen: bool) -> None:
        item = QListWidgetItem(cell(name, 80), self)
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
        )
        item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)

    def _fit(self) -> None:
        rows = min(self._ROWS, self.count())
        self.setVisible(bool(rows))
        # Tab would not get past a hidden list that takes the focus for its field.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if rows else Qt.FocusPolicy.NoFocus)
        self.setFixedHeight(max(1, rows) * max(24, self.sizeHintForRow(0)) + 8)
