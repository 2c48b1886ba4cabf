"""The wizard that adds or edits connectors: General, Configuration, Done. Opened with open(), never exec()."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import Connector
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors, Draft, KeyNotice
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors import plan
from pod_desktop.ui.connectors.configuration import Configuration, where_kept
from pod_desktop.ui.connectors.done import Done
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.connectors.general import General
from pod_desktop.ui.connectors.responding import Responding
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.testpart import TestPart
from pod_desktop.ui.connectors.wizardframe import WizardFrame
from pod_desktop.ui.text import cell

GENERAL: Final = "General"
CONFIGURATION: Final = "Configuration"
RESPONDERS: Final = "Responders"
DONE: Final = "Done"


class AddConnector(WizardFrame):
    """Asks for connectors and makes them; or edits one."""

    created = Signal(object)
    """The connectors that were made or changed, a tuple; the dialog then closes by itself."""

    def __init__(
        self,
        desk: Connectors,
        worker: Worker,
        *,
        tester: Runner | None = None,
        edit: Connector | None = None,
        lacks_secrets: bool = False,
        keeps_second: bool = False,
        template: Connector | None = None,
        clock: Clock | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            desk: Makes the connectors; called on the worker's thread.
            worker: May be busy for as long as a keychain takes to answer.
            tester: Tests what is typed; without one there is no Test.
            edit: The connector to edit; None adds.
            lacks_secrets: The edited connector has none, or not all: they must be given.
            keeps_second: The edited connector has a second API key.
            template: What a new connector begins with; its secrets do not come along.
            clock: Tells the time.
            parent: The window it belongs to.
        """
        super().__init__("Add Connector" if edit is None else f"Edit {cell(edit.name, 60)}", parent)
        self._desk = desk
        self._worker = worker
        self._clock = clock or SystemClock()
        self._edited = edit
        self._lacks_secrets = lacks_secrets
        self._keeps_second = keeps_second
        self.general = General([entry.connector.name for entry in desk.entries()], desk.tenants())
        self.configuration = Configuration(desk.vault, self._clock.now)
        self.configuration.offer_filters(desk.log_filters())
        self.responding = Responding(where_kept(desk.vault))
        self.summary = Done(lambda: self._submit(session_only=True))
        self.testing = TestPart(tester, self._tested)
        lost = "Nothing has been made yet." if edit is None else "Nothing has been changed yet."
        self._build(list(self._pages.values()), self.testing, lost)
        self._connect()
        self._follow_kind()
        if edit is not None:
            self._begin_edit(edit)
        else:
            if template is not None:
                self._begin_copy(template)
            else:
                self.configuration.begin_with_proxy(desk.usual_proxy())
            self._show_step(GENERAL)
        self._untouched = self._typed()

    def _connect(self) -> None:
        self.general.kind_changed.connect(self._follow_kind)
        self.configuration.changed.connect(self._collect_typed)
        self.responding.changed.connect(self._respond_typed)

    @property
    def _pages(self) -> dict[str, Form]:
        return {
            GENERAL: self.general,
            CONFIGURATION: self.configuration,
            RESPONDERS: self.responding,
            DONE: self.summary,
        }

    def _page(self, step: str) -> Form:
        """The form of a step: Configuration is the responder's own where only that is made."""
        return self.responding if step == CONFIGURATION and self.general.responds else self._pages[step]

    # going through it

    def _follow_kind(self) -> None:
        """Which tabs there are depends on what General says."""
        both = not self.general.responds and bool(self.general.types)
        route = (GENERAL, CONFIGURATION, *([RESPONDERS] if both else []), DONE)
        self.responding.share_cluster(self.configuration.cluster_id.text() if both else None)
        if route == self._route:
            return
        self._route = route
        self._reached = min(self._reached, 0)
        self.tabs.blockSignals(True)
        while self.tabs.count():
            self.tabs.removeTab(0)
        for title in route:
            self.tabs.addTab(title)
        self.tabs.blockSignals(False)
        self._label_tabs(0)

    def _next(self) -> None:
        if self._saving:
            return
        step = self.step
        if step == DONE:
            self._submit(session_only=False)
        elif self._page(step).check_all() and self._rule_allows(step):
            self._show_step(self._route[self._route.index(step) + 1])

    def _back(self) -> None:
        place = self._route.index(self.step)
        if place and not self._saving:
            self._show_step(self._route[place - 1])

    def _tab_chosen(self, index: int) -> None:
        """A click on a tab: backward at once, forward only over pages that fit."""
        before = self._shown
        if self._saving:
            self._show_step(before)
            return
        for step in self._route[self._route.index(before) : index]:
            self._show_step(step)
            if not self._page(step).check_all() or not self._rule_allows(step):
                return
        self._show_step(self._route[index])

    def _show_step(self, step: str) -> None:
        index = self._route.index(step)
        self._shown = step
        self._reached = max(self._reached, index)
        page = self._page(step)
        self.stack.setCurrentWidget(page)
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(index)
        self._label_tabs(index)
        self.tabs.blockSignals(False)
        self.back_button.setVisible(index > 0)
        self.next_button.setText("Submit" if step == DONE else "Next")
        self.next_button.setAccessibleName(self.next_button.text())
        self.next_button.setDefault(True)
        self.configuration.api_key.show_button.setChecked(False)
        self.configuration.second_key.show_button.setChecked(False)
        self.responding.client_secret.show_button.setChecked(False)
        words = f"{self.general.name.text().strip()} · {self.general.type_words}. * required"
        self.configuration.headline.setText(words)
        self.responding.headline.setText(words)
        self.testing.show_for(page.test if isinstance(page, Configuration | Responding) else None)
        if step == DONE:
            self._show_summary()
        (page.first_focus() or self.next_button).setFocus(Qt.FocusReason.TabFocusReason)

    def _show_summary(self) -> None:
        self.summary.show_problem("")
        drafts, kept, now = self._drafts(), where_kept(self._desk.vault), self._clock.now()
        if self._edited is not None:
            self.summary.show_changes(self._edited, drafts[0], kept)
        else:
            self.summary.show_summary(drafts, kept, now)

    # what is typed

    def _begin_edit(self, connector: Connector) -> None:
        self.general.fix(connector)
        self._show_values(connector)
        if isinstance(connector, CollectConnector):
            self.configuration.fix_start()
        self._reached = self._route.index(CONFIGURATION)
        self._expect_secrets()
        self._show_step(CONFIGURATION)

    def _begin_copy(self, connector: Connector) -> None:
        self.general.begin_with(connector)
        self._show_values(connector)

    def _show_values(self, connector: Connector) -> None:
        if isinstance(connector, CollectConnector):
            self.configuration.show_connector(connector)
        else:
            self.responding.show_connector(connector)

    def _forget(self) -> None:
        self.testing.leave()
        # Secrets do not outlive the question in a widget.
        self.configuration.forget()
        self.responding.forget()

    def _drafts(self) -> list[Draft]:
        """What Submit makes, as far as it is typed."""
        return plan.drafts(self.general, self.configuration, self.responding, self._edited)

    def _typed(self) -> tuple[object, ...]:
        values = self.configuration.values()
        values["collect_from"] = self.configuration.collect_from.choice.currentIndex()
        return (
            self.general.category.currentIndex(),
            self.general.name.text(),
            self.general.tenant.text(),
            self.general.types,
            self.configuration.api_key.text(),
            self.configuration.second_key.text(),
            self.configuration.remove_second.isChecked(),
            self.responding.client_id.text(),
            self.responding.client_secret.text(),
            *values.values(),
            *self.responding.values().values(),
        )

    def _collect_typed(self) -> None:
        self.testing.outdated(self.configuration.test)
        if self.general.responds:
            return
        if self.general.types:
            self.responding.share_cluster(self.configuration.cluster_id.text())
        self._expect_secrets()
        self._ask_key_rule()

    def _respond_typed(self) -> None:
        self.testing.outdated(self.responding.test)
        self._expect_secrets()

    def _expect_secrets(self) -> None:
        """Editing: secrets that are kept go where they were saved for, and nowhere else."""
        if self._edited is None:
            return
        collects = isinstance(self._edited, CollectConnector)
        form: Configuration | Responding = self.configuration if collects else self.responding
        titles = "the API Key" if collects else "Client ID and Client Secret"
        (draft,) = self._drafts()
        why = plan.moved(self._edited, draft.connector)
        if collects:
            self.configuration.expect_second(self._keeps_second, bool(why))
            titles = "both API keys" if self._keeps_second and not draft.forget else titles
        if why:
            why += f" Enter {titles} again if that is right."
        elif self._lacks_secrets:
            why = f"Nothing is kept for this connector yet: enter {titles}."
        form.expect_stored(not why, why)

    def _ask_key_rule(self) -> None:
        """Compare with the keys of other connectors, off this thread; only the newest answer counts."""
        (connector, key) = self._keyed()
        self._worker.ask(
            lambda: self._desk.key_notice(connector, key),
            self.configuration.show_key_rule,
            owner=self,
            key="key rule",
        )

    def _keyed(self) -> tuple[CollectConnector, Secret | None]:
        draft = self._drafts()[0]
        assert isinstance(draft.connector, CollectConnector)
        return draft.connector, draft.secrets.get("api_key")

    def _rule_allows(self, step: str) -> bool:
        """Before leaving Configuration: a key that another connector needs is a fault beside the field."""
        if step != CONFIGURATION or self.general.responds:
            return True
        try:
            notice: KeyNotice | None = self._desk.key_notice(*self._keyed())
        except Fault:
            return True  # Submit asks again, and can say so.
        self.configuration.show_key_rule(notice)
        if notice and notice.fault:
            self.configuration.show_fault(
                "api_key", UserFault("This key is in use for the same content type.")
            )
            return False
        return True

    def _tested(self) -> list[tuple[Connector, Mapping[str, Secret] | None]] | None:
        """What Test tests; None where something typed does not fit, which is then said beside its field."""
        step = self.step
        page = self._page(step)
        if not page.check_all():
            return None
        drafts = [
            draft
            for draft in self._drafts()
            if isinstance(draft.connector, CollectConnector) == (page is self.configuration)
        ]
        return plan.tested(drafts, edited=self._edited is not None)

    # making it

    def _submit(self, *, session_only: bool) -> None:
        if self._saving:
            return
        for step in self._route[:-1]:
            if not self._page(step).check_all():
                self._show_step(step)
                self._page(step).check_all()
                return
        self.summary.show_problem("")
        drafts, desk = self._drafts(), self._desk
        self._set_saving(f"Keeping what is secret in {desk.vault.title}…")
        if self._edited is None:
            work = lambda: desk.create_all(drafts, session_only=session_only)  # noqa: E731
        else:
            one = drafts[0]
            work = lambda: (  # noqa: E731
                desk.edit(one.connector, one.secrets, forget=one.forget, session_only=session_only),
            )
        self._worker.ask(work, self._made, self._not_made, owner=self)

    def _made(self, connectors: tuple[Connector, ...]) -> None:
        self._set_saving("")
        self._close(made=True)
        self.created.emit(connectors)

    def _not_made(self, error: BaseException) -> None:
        self._set_saving("")
        if isinstance(error, UserFault):
            for step in self._route[:-1]:
                page = self._page(step)
                if error.where in page.fields:
                    self._show_step(step)
                    page.show_fault(error.where, error)
                    return
        if isinstance(error, Fault):
            helps = isinstance(error, Outage) and error.where == "keychain"
            self.summary.show_problem(error.what, error.hint, session_helps=helps)
        else:
            self.summary.show_problem(
                "The connector was not made." if self._edited is None else "Nothing was changed.",
                "This is a fault of the program; its log says more.",
            )
        session = self.summary.session_button
        (session if session.isVisible() else self.next_button).setFocus()


def open_wizard(
    desk: Connectors,
    worker: Worker,
    parent: QWidget,
    *,
    tester: Runner | None = None,
    edit: Connector | None = None,
    lacks_secrets: bool = False,
    keeps_second: bool = False,
    template: Connector | None = None,
    clock: Clock | None = None,
) -> AddConnector:
    """Open the wizard over a window; it goes when it is closed. Listen to `created` for what was made."""
    wizard = AddConnector(
        desk,
        worker,
        tester=tester,
        edit=edit,
        lacks_secrets=lacks_secrets,
        keeps_second=keeps_second,
        template=template,
        clock=clock,
        parent=parent,
    )
    wizard.finished.connect(lambda _result: wizard.deleteLater())
    wizard.open()
    return wizard
