"""Where playbooks come from and go to: nothing, a query, a template, a file, another playbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from pod_desktop.core.playbook import OFF, Playbook, playbook_to_file
from pod_desktop.core.responder import ALL_TENANTS, TYPES, RespondConnector
from pod_desktop.store import PlaybookEntry
from pod_desktop.ui.automation import draft
from pod_desktop.ui.automation.desk import AutomationDesk, Setup
from pod_desktop.ui.automation.dialogs import TemplatesDialog
from pod_desktop.ui.bridge import Worker

if TYPE_CHECKING:
    from pod_desktop.services.playbooks import Template


class Creating(QObject):
    """Makes drafts for the editor, and takes in and gives out whole playbooks."""

    drafted = Signal(object)
    """The file of a playbook to be edited; nothing is kept yet."""
    translated = Signal(object)
    """What the Sigma rule of the last draft holds that its query does not, in words."""
    arrived = Signal(object, str)
    """(PlaybookEntry, verb) of a playbook that was taken in; it is off."""
    written = Signal(object, object)
    """(Playbook, Path)"""
    failed = Signal(object)
    """The error."""

    def __init__(
        self, desk: AutomationDesk, worker: Worker, names: Callable[[], Sequence[str]], parent: QWidget
    ) -> None:
        """`names`: those that are taken."""
        super().__init__(parent)
        self._page = parent
        self._desk = desk
        self._worker = worker
        self._names = names

    def _with_setup(self, then: Callable[[Setup], None]) -> None:
        self._worker.ask(self._desk.setup, then, self.failed.emit, owner=self)

    def _draft(self, data: Mapping[str, Any]) -> None:
        self.drafted.emit(data)

    # drafts

    def blank(self) -> None:
        """A new playbook."""
        self.of_query()

    def of_query(
        self, text: str = "", kinds: tuple[str, ...] = (), group_by: str | None = "sender", tenant: str = ""
    ) -> None:
        """A new playbook, for a query where there is one."""

        def begin(setup: Setup) -> None:
            whose = tenant if tenant in setup.tenants else first_tenant(setup)
            self._draft(draft.blank(whose, blocker(setup, whose), text, kinds, group_by))

        self._with_setup(begin)

    def of_template(self) -> None:
        """Choose one of the templates."""

        def open_dialog(templates: Sequence[Template]) -> None:
            dialog = TemplatesDialog(templates, self._page.window())
            dialog.chosen.connect(self.begin_template)
            dialog.open()

        self._worker.ask(self._desk.templates, open_dialog, self.failed.emit, owner=self)

    def begin_template(self, one: Template) -> None:
        """A new playbook as the template has it, for this tenant and its responder."""

        def begin(setup: Setup) -> None:
            tenant = first_tenant(setup)
            acts = blocker(setup, tenant)
            playbook = one.for_tenant(tenant, acts.name if acts is not None else "")
            name = draft.free_name(playbook.name, self._names())
            self._draft(playbook_to_file(replace(playbook, name=name)))

        self._with_setup(begin)

    def ask_sigma(self) -> QFileDialog:
        """Choose a Sigma rule to begin with."""
        dialog = QFileDialog(self._page, "Create from a Sigma Rule")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Sigma rules (*.yml *.yaml)", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.of_sigma(Path(name)))
        dialog.open()
        return dialog

    def of_sigma(self, path: Path) -> None:
        """A new playbook for a Sigma rule's query, told with what the query leaves out."""
        names = self._names()

        def work() -> tuple[Mapping[str, Any], Sequence[str]]:
            from pod_desktop.services.sigma_file import sigma_playbook

            rule = self._desk.read_sigma(path)
            playbook = sigma_playbook(rule, first_tenant(self._desk.setup()), names)
            return playbook_to_file(playbook), rule.unmapped

        def begin(found: tuple[Mapping[str, Any], Sequence[str]]) -> None:
            data, unmapped = found
            self.drafted.emit(data)
            self.translated.emit(unmapped)

        self._worker.ask(work, begin, self.failed.emit, owner=self)

    # whole ones; they arrive off, and begin in dry run

    def ask_import(self) -> QFileDialog:
        """Choose a file to import."""
        dialog = QFileDialog(self._page, "Import a Playbook")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Playbooks (*.json)", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.import_from(Path(name)))
        dialog.open()
        return dialog

    def import_from(self, path: Path) -> None:
        """Take in a file; a name that is taken gets a number."""
        names = self._names()

        def work() -> PlaybookEntry:
            playbook = self._desk.read_file(path)
            return self._desk.add(replace(playbook, name=draft.free_name(playbook.name, names)), state=OFF)

        self._worker.ask(
            work, lambda entry: self.arrived.emit(entry, "Imported"), self.failed.emit, owner=self
        )

    def clone(self, playbook: Playbook) -> None:
        """The same under another name."""
        name = draft.free_name(f"{playbook.name} copy", self._names())
        self._worker.ask(
            lambda: self._desk.add(replace(playbook, name=name), state=OFF),
            lambda entry: self.arrived.emit(entry, "Cloned"),
            self.failed.emit,
            owner=self,
        )

    def ask_export(self, playbook: Playbook) -> QFileDialog:
        """Choose where to write a playbook's file."""
        dialog = QFileDialog(self._page, "Export the Playbook")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix("json")
        plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in playbook.name)
        dialog.selectFile(f"{plain.strip('-').lower()[:60] or 'playbook'}.json")
        dialog.fileSelected.connect(lambda name: self.export_to(playbook, Path(name)))
        dialog.open()
        return dialog

    def export_to(self, playbook: Playbook, path: Path) -> None:
        """Write its file."""
        self._worker.ask(
            lambda: self._desk.write_file(playbook, path),
            lambda _done: self.written.emit(playbook, path),
            self.failed.emit,
            owner=self,
        )


def first_tenant(setup: Setup) -> str:
    """The tenant that a new playbook is of."""
    return setup.tenants[0] if setup.tenants else ALL_TENANTS


def blocker(setup: Setup, tenant: str) -> RespondConnector | None:
    """A responder that adds to the block list and may act on this tenant; else the next best."""

    def rank(one: RespondConnector) -> tuple[bool, bool]:
        fits = tenant == one.tenant or one.may_act_on(tenant)
        return one.type != TYPES[0], not fits

    return min(setup.responders, key=rank, default=None)
