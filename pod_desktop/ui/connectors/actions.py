"""What is done to connectors from their page: test, edit, duplicate, switch, export, import, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import Connector
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.services.connectors import Connectors
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.testdialog import TestDialog, open_test
from pod_desktop.ui.connectors.wizard import open_wizard
from pod_desktop.ui.widgets import Button, Notice

_FILTERS = ["Connector definitions (*.json)", "All files (*)"]


class Actions(QObject):
    """Asks what has to be asked, has it done off this thread, and says what went wrong on the page."""

    changed = Signal()
    secretsChanged = Signal()
    viewEvents = Signal(str)

    def __init__(
        self, desk: Connectors, worker: Worker, tester: Runner | None, clock: Clock, page: QWidget
    ) -> None:
        super().__init__(page)
        self._desk = desk
        self._worker = worker
        self._tester = tester
        self._clock = clock
        self._page = page
        self._offered = ""
        self.offer = Button("", clicked=self._take_offer)
        self.offer.hide()
        self.notice = Notice("", blocks.BAD, button=self.offer)

    @property
    def can_test(self) -> bool:
        return self._tester is not None

    # one connector

    def test(self, entry: ConnectorEntry) -> TestDialog | None:
        """Open the test of this connector and begin."""
        if self._tester is None:
            return None
        return open_test(entry.connector, self._tester, self._page, self.edit)

    def edit(self, name: str) -> None:
        """Open the wizard on this connector, once it is known which secrets it lacks."""

        def lacking() -> tuple[Connector, tuple[str, ...], tuple[str, ...]]:
            connector = self._desk.entry(name).connector
            try:
                return connector, self._desk.missing_secrets(name), self._desk.optional_secrets_kept(name)
            except Outage:
                # The keychain does not answer now; what it keeps is left as it is.
                return connector, (), ()

        self.say("")
        self._worker.ask(lacking, lambda found: self._open_edit(*found), self.failed, owner=self)

    def _open_edit(
        self, connector: Connector, missing: tuple[str, ...], beside: tuple[str, ...] = ()
    ) -> None:
        wizard = open_wizard(
            self._desk,
            self._worker,
            self._page,
            tester=self._tester,
            edit=connector,
            lacks_secrets=bool(missing),
            keeps_second=bool(beside),
            clock=self._clock,
        )
        wizard.created.connect(self._edited)

    def duplicate(self, name: str) -> None:
        """Open the wizard with the values of this connector under a free name; its secrets are not copied."""

        def begin(copy: Connector) -> None:
            wizard = open_wizard(
                self._desk,
                self._worker,
                self._page,
                tester=self._tester,
                template=copy,
                clock=self._clock,
            )
            wizard.created.connect(self._edited)

        self.say("")
        self._worker.ask(lambda: self._desk.copy_of(name), begin, self.failed, owner=self)

    def _edited(self, made: tuple[Connector, ...]) -> None:
        self.secretsChanged.emit()
        self.changed.emit()
        name = made[0].name
        if any(entry.connector.name == name and not entry.enabled for entry in self._desk.entries()):
            self._say_disabled(name, f"{name} is disabled")

    def switch(self, name: str, on: bool) -> None:
        """Enable or disable."""
        self.do(lambda: self._desk.enable(name) if on else self._desk.disable(name))

    def try_now(self, name: str) -> None:
        """Ask the service to try the connector's streams at once."""
        self.do(lambda: self._desk.try_now(name))

    # deleting

    def ask_delete(self, entry: ConnectorEntry) -> None:
        """Ask once, in words that say what will happen."""
        name, kept_in = entry.connector.name, self._desk.vault.title
        if isinstance(entry.connector, CollectConnector):
            words = (
                f"It stops collecting and is forgotten. Its API key is deleted from {kept_in}. "
                "The records it collected stay, and can still be searched."
            )
        else:
            words = (
                f"It is forgotten, and playbooks can no longer act with it. Its Client ID and Client Secret are "
                f"deleted from {kept_in}. Entries on the lists and the Action History stay."
            )
        question = Confirm(f"Delete {name}?", words, "Delete", self._page)
        question.agreed.connect(lambda: self._delete(name))
        question.open()

    def _delete(self, name: str) -> None:
        self.do(lambda: self._desk.remove(name), lambda error: self._not_deleted(name, error))

    def _not_deleted(self, name: str, error: BaseException) -> None:
        if not isinstance(error, Outage):
            self.failed(error)
            return
        question = Confirm(
            f"The secrets of {name} could not be deleted.",
            f"{error.what} Delete the connector all the same, and leave its secrets in {self._desk.vault.title}?",
            "Delete, keep the secrets",
            self._page,
        )
        question.agreed.connect(lambda: self.do(lambda: self._desk.remove(name, keep_secrets=True)))
        question.open()

    # files

    def choose_export(self, name: str) -> None:
        """Ask where the definition is written."""
        dialog = self._dialog("Export Definition")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix("json")
        dialog.selectFile(f"{name}.json")
        dialog.fileSelected.connect(lambda path: self.export_to(name, Path(path)))
        dialog.open()

    def export_to(self, name: str, path: Path) -> None:
        """Write the definition, without secrets."""

        def write() -> None:
            data = self._desk.export(name)
            try:
                path.write_bytes(data)
            except OSError as error:
                raise Outage(
                    f"The file could not be written ({error.strerror}).", str(path), "Choose another place."
                ) from None

        def written(_done: object) -> None:
            self.say(f"{path} holds its definition, without secrets.", blocks.GOOD, f"{name} was exported")

        self.say("")
        self._worker.ask(write, written, self.failed, owner=self)

    def choose_import(self) -> None:
        """Ask which definition is read."""
        dialog = self._dialog("Import Definition")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.import_from(Path(path)))
        dialog.open()

    def import_from(self, path: Path) -> None:
        """Make the connector that a file defines, disabled, then ask for its secrets."""

        def made(connector: Connector) -> None:
            self.changed.emit()
            self._say_disabled(
                connector.name,
                f"{connector.name} was imported, disabled and without secrets",
                "Enter its secrets, then enable it.",
            )
            self.edit_imported(connector)

        self.say("")
        self._worker.ask(lambda: self._desk.import_file(path), made, self.failed, owner=self)

    def edit_imported(self, connector: Connector) -> None:
        """Ask for the secrets of a connector that arrived without."""
        self._open_edit(connector, ("imported",))

    def _dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._page, title)
        dialog.setNameFilters(_FILTERS)
        dialog.finished.connect(lambda _result: dialog.deleteLater())
        return dialog

    # what is said

    def do(self, work: Callable[[], Any], failed: Callable[[BaseException], None] | None = None) -> None:
        """Have it done off this thread; say what went wrong on the page."""
        self.say("")
        self._worker.ask(work, lambda _done: self.changed.emit(), failed or self.failed, owner=self)

    def say(self, words: str, tone: str = blocks.BAD, title: str = "") -> None:
        """Say something above the table; '' takes it away."""
        self._offered = ""
        self.offer.hide()
        self.notice.say(words, tone, title)

    def failed(self, error: BaseException) -> None:
        """Say what went wrong."""
        if isinstance(error, Fault):
            self.say(error.hint, blocks.BAD, error.what)
        else:
            self.say("The log says more.", blocks.BAD, "That was not done: a fault of the program.")

    def _say_disabled(
        self, name: str, title: str, words: str = "It does nothing until it is enabled."
    ) -> None:
        self.say(words, blocks.INFO, title)
        self._offered = name
        self.offer.setText("Enable")
        self.offer.setAccessibleName(f"Enable {name}")
        self.offer.show()

    def _take_offer(self) -> None:
        if self._offered:
            self.switch(self._offered, True)
