"""The wizard's second tab: the cluster, its key, what is collected and from when."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from pod_desktop.core import blocks
from pod_desktop.core import connector as rules
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import KeyNotice
from pod_desktop.ui.connectors import guide
from pod_desktop.ui.connectors.advanced import Advanced
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.connectors.inputs import CollectFrom, ContentTypes, SecretEdit
from pod_desktop.ui.connectors.testview import TestView
from pod_desktop.ui.widgets import Button, Field, Notice
from pod_desktop.vault import Vault


class Configuration(Form):
    """Cluster ID, API Key, Content Type, Collect from, and what few will change."""

    changed = Signal()

    def __init__(self, vault: Vault, now: Callable[[], int], parent: QWidget | None = None) -> None:
        """`now` tells the time in microseconds UTC."""
        super().__init__(parent)
        self._now = now
        self._stored = False
        self.headline = self.add_words("")
        self.cluster_id = QLineEdit()
        self.cluster_id.setPlaceholderText("For example acme_hosted")
        self.api_key = SecretEdit()
        self.content_types = ContentTypes()
        self.collect_from = CollectFrom(now)
        self._cluster = Field(
            "Cluster ID",
            self.cluster_id,
            required=True,
            note="At the top of the Proofpoint on Demand management interface.",
        )
        self._key = Field("API Key", self.api_key, required=True, note=where_kept(vault))
        self._types = Field("Content Type", self.content_types, required=True)
        self._from = Field(
            "Collect from",
            self.collect_from,
            note="On a busy cluster it can take days until the records are current.",
        )
        self.add_guided(
            self._cluster,
            "cluster_id",
            lambda: rules.check_cluster_id(self.cluster_id.text()),
            guide.Steps(guide.CLUSTER_ID),
        )
        self.add_guided(
            self._key,
            "api_key",
            self._check_key,
            guide.Steps(guide.API_KEY),
        )
        self.moved = Notice("", blocks.WARN)
        self.add(self.moved)
        self.key_notes = Notice("", blocks.INFO)
        self.add(self.key_notes)
        self.add_checked(
            self._types, "content_types", lambda: rules.check_content_types(self.content_types.chosen())
        )
        self.key_rule = Notice("", blocks.WARN)
        self.add(self.key_rule)
        self.add_checked(
            self._from, "collect_from", lambda: rules.check_collect_from(self.collect_from.value())
        )
        self._add_advanced()
        self.test = TestView(brief=True)
        self.add(self.test)
        self.finish()
        self._listen()

    def _add_advanced(self) -> None:
        """What few will change, folded."""
        self.advanced = Button("▸ Advanced", "link", checkable=True, name="Advanced")
        self.advanced.setAutoDefault(True)
        self.advanced.toggled.connect(self._unfold)
        self.add_left(self.advanced)
        self._folded = Advanced(self, self.api_key.text)
        self.stream_url, self.ca_file = self._folded.stream_url, self._folded.ca_file
        self.proxy, self.second_key = self._folded.proxy, self._folded.second_key
        self.remove_second, self.expect_second = self._folded.remove_second, self._folded.expect_second
        self.filters, self.order, self.reconcile = (
            self._folded.filters,
            self._folded.order,
            self._folded.reconcile,
        )
        self.offer_filters = self._folded.offer_filters
        self.add(self._folded)
        self._unfold(False)

    def _listen(self) -> None:
        for edit, field in (
            (self.cluster_id, self._cluster),
            (self.api_key, self._key),
        ):
            edit.textChanged.connect(lambda _text, field=field: self._typed(field))
        self.content_types.changed.connect(lambda: self._typed(self._types))
        self.collect_from.changed.connect(lambda: self._typed(self._from))
        self._folded.changed.connect(self._typed)
        self.api_key.editingFinished.connect(self._trim_key)

    def first_focus(self) -> QWidget:
        return self.cluster_id

    def values(self) -> dict[str, object]:
        """What is typed, as CollectConnector names it; the key is not in it."""
        return {
            "cluster_id": self.cluster_id.text().strip(),
            "content_types": self.content_types.chosen(),
            "collect_from": self.collect_from.value(),
            **self._folded.values(),
        }

    def secrets(self) -> dict[str, Secret]:
        """The keys that are typed and fit."""
        try:
            first = {"api_key": Secret(rules.check_api_key(self.api_key.text()))}
        except UserFault:
            first = {}
        return first | self._folded.secrets()

    def removes(self) -> tuple[str, ...]:
        """Names of kept secrets that are to go."""
        return self._folded.removes

    def forget(self) -> None:
        """Let go of what was typed as a secret."""
        self.api_key.clear()
        self.second_key.clear()

    def show_connector(self, connector: CollectConnector) -> None:
        """Show these values; a key is not among them."""
        self.cluster_id.setText(connector.cluster_id)
        self.content_types.choose(connector.content_types)
        self.collect_from.show_value(connector.collect_from)
        self.advanced.setChecked(self._folded.show_connector(connector))

    def begin_with_proxy(self, proxy: str) -> None:
        """Offer the settings' proxy for a new connector, in sight, so that it is never used unnoticed."""
        if proxy:
            self.proxy.setText(proxy)
            self.advanced.setChecked(True)

    def fix_start(self) -> None:
        """The start cannot be changed any more."""
        self.collect_from.choice.setEnabled(False)
        self._from.say("Collecting began there; this cannot be changed.")

    def expect_stored(self, stored: bool, why: str = "") -> None:
        """Whether no key means the one that is kept already; `why` tells why not any more."""
        self._stored = stored
        self.api_key.setPlaceholderText("Unchanged: the one that is kept" if stored else "")
        self.moved.say(why, blocks.WARN)
        self.check_typed(self._key)

    def check_all(self) -> bool:
        fits = super().check_all()
        if not fits and self._folded.faulty:
            self.advanced.setChecked(True)
        return fits

    def show_fault(self, where: str, fault: UserFault) -> bool:
        if where in self._folded.places:
            self.advanced.setChecked(True)
        return super().show_fault(where, fault)

    def show_key_rule(self, notice: KeyNotice | None) -> None:
        """What the rules of API keys say to what is typed so far."""
        tone = blocks.BAD if notice and notice.fault else blocks.WARN
        self.key_rule.say(notice.text if notice else "", tone)

    def _check_key(self) -> str:
        if self._stored and not self.api_key.text():
            return ""
        return rules.check_api_key(self.api_key.text())

    def _typed(self, field: Field) -> None:
        self.check_typed(field)
        if field is self._key or self._folded.faulty:
            self._folded.check_again()
        if field is self._key:
            self.key_notes.say(" ".join(rules.api_key_notes(self.api_key.text(), self._now())), blocks.INFO)
        self.changed.emit()

    def _trim_key(self) -> None:
        """Show the key as it will be kept; what is taken off was told while it was there."""
        try:
            clean = rules.check_api_key(self.api_key.text())
        except UserFault:
            return
        if clean != self.api_key.text():
            told = self.key_notes.accessibleName()
            self.api_key.setText(clean)
            self.key_notes.say(told, blocks.INFO)

    def _unfold(self, shown: bool) -> None:
        self.advanced.setText(f"{'▾' if shown else '▸'} Advanced")
        self._folded.setVisible(shown)
        if shown and self.isVisible():  # not while a form is filled: it begins at its top
            # After the layout has grown, or there is nothing to scroll to yet.
            QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(self._folded))


def where_kept(vault: Vault) -> str:
    """Where a key will be kept, honestly."""
    if not vault.lasting:
        why = f" ({vault.why.rstrip('.')})" if vault.why else ""
        return f"No keychain here{why}: kept for this session only, to be entered again after the next start."
    if vault.title.startswith("the folder "):
        return f"Kept in {vault.title}, in a file that only you can read."
    return f"Kept in this computer's keychain ({vault.title}), never in a file."
