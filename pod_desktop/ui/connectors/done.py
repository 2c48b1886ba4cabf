"""The wizard's third tab: everything that will be made, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from pod_desktop.core import blocks, definition, interflow
from pod_desktop.core import connector as rules
from pod_desktop.core.connector import SECOND_KEY, CollectConnector
from pod_desktop.core.definition import CATEGORY_TITLES, SECRET_TITLES, Connector
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.connectors import Draft
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Notice

Facts = list[tuple[str, str]]
_TITLES: Final = {
    "cluster_id": "Cluster ID", "content_types": "Content Type", "stream_url": "Stream", "ca_file": "CA file",
    "hostname": "Hostname", "protocol": "Protocol", "verify_tls": "Certificate verification",
    "token_url": "Token URL", "proxy": "HTTP proxy", "backfill_order": "Backfill order",
    "reconcile": "Reconciliation", "log_filters": "Log filters",
}  # fmt: skip
"""What an edit can change."""


class Done(Form):
    """A summary, and what went wrong when it was submitted."""

    def __init__(self, keep_for_session: Callable[[], None], parent: QWidget | None = None) -> None:
        """`keep_for_session` is called when the user takes that way out of a keychain's fault."""
        super().__init__(parent)
        self.headline = self.add_words("")
        self.problem = Notice("", blocks.BAD)
        self.add(self.problem)
        self.session_button = Button("Keep the secrets for this session only", clicked=keep_for_session)
        self.session_button.setAutoDefault(True)
        self._way_out = QWidget()
        row = QHBoxLayout(self._way_out)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.session_button)
        row.addStretch(1)
        self.add(self._way_out)
        self._facts = QWidget()
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(1, 1)
        self.add(self._facts)
        self.finish()
        self.show_problem("")

    def show_summary(self, drafts: Sequence[Draft], kept: str, now: int) -> None:
        """
        Args:
            drafts: What will be made.
            kept: Where the secrets will be kept, in words.
            now: Microseconds UTC, the moment that spans are counted from.
        """
        names = [draft.connector.name for draft in drafts]
        collects = any(isinstance(draft.connector, CollectConnector) for draft in drafts)
        made = names[0] if len(names) == 1 else f"{len(names)} connectors: {', '.join(names)}"
        after = (
            "Collecting starts at once." if collects else "They act when you or a playbook submits an action."
        )
        if len(names) == 1 and not collects:
            after = "It acts when you or a playbook submits an action."
        self.headline.setText(f"Submit makes {made}. {after}")
        sections: list[tuple[str, Facts]] = []
        for draft in drafts:
            if isinstance(draft.connector, CollectConnector):
                sections.append(
                    (
                        draft.connector.name,
                        facts(draft.connector, kept, now, second_key=SECOND_KEY in draft.secrets),
                    )
                )
        responders = [draft.connector for draft in drafts if isinstance(draft.connector, RespondConnector)]
        if responders:
            title = responders[0].name if len(responders) == 1 else f"{len(responders)} responders"
            sections.append((title, responder_facts(responders, kept)))
        self._show(sections if len(sections) > 1 else [("", sections[0][1])])

    def show_changes(self, old: Connector, draft: Draft, kept: str) -> None:
        """What an edit changes, and nothing else."""
        changes = changed_facts(old, draft.connector)
        for name, secret in draft.secrets.items():
            if secret.reveal():
                changes.append((SECRET_TITLES[name], f"A new one. {kept}"))
        removed = "The one that is kept is removed; live pauses while hours of the archive are fetched."
        changes += [(SECRET_TITLES[name], removed) for name in draft.forget]
        self.headline.setText(
            f"Submit changes {old.name}; it goes on with the new values at once."
            if changes
            else f"Nothing is changed of {old.name}."
        )
        self._show([("", changes)])

    def _show(self, sections: Sequence[tuple[str, Facts]]) -> None:
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.setParent(None)
                widget.deleteLater()
        row = 0
        for title, rows in sections:
            if title:
                heading = PlainLabel(title, "heading", wrap=True)
                heading.setContentsMargins(0, 10 if row else 0, 0, 0)
                self._grid.addWidget(heading, row, 0, 1, 2)
                row += 1
            for label, value in rows:
                name = PlainLabel(label, "note")
                said = PlainLabel(value, wrap=True, selectable=True)
                said.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
                said.setAccessibleName(f"{label}: {value}")
                self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(said, row, 1)
                name.show()
                said.show()
                row += 1

    def show_problem(self, what: str, hint: str = "", *, session_helps: bool = False) -> None:
        """Say what went wrong; '' takes it away."""
        self.problem.say(hint, blocks.BAD, what)
        self._way_out.setVisible(session_helps)


def facts(connector: CollectConnector, kept: str, now: int, *, second_key: bool = False) -> Facts:
    """(label, value) of all that will be made; `second_key`: one is given."""
    kinds = connector.content_types
    titles = [rules.CONTENT_TYPE_TITLES[kind] for kind in kinds]
    rows = [
        ("Name", connector.name),
        (
            "Connector",
            f"{CATEGORY_TITLES[connector.category]} · {rules.TYPE_TITLES[connector.type]} · "
            f"{rules.FUNCTION_TITLES[connector.function]}",
        ),
        ("Tenant Name", connector.tenant),
        ("Run On", rules.RUN_ON_TITLES[connector.run_on]),
        ("Cluster ID", connector.cluster_id),
        ("API Key", kept),
        ("Content Type", f"{', '.join(titles)} ({_streams(len(kinds))})"),
        ("Collect from", first_records(connector, now)),
        ("Stream", rules.full_address(connector.stream_url)),
    ]
    if second_key:
        rows.insert(6, ("Second API Key", f"{kept} For the archive beside live."))
    if connector.ca_file:
        rows.append(("CA file", connector.ca_file))
    if connector.proxy:
        rows += [("HTTP proxy", connector.proxy), ("Warning", rules.PROXY_WARNING)]
    if connector.backfill_order != rules.NEWEST:
        rows.append(("Backfill order", "Oldest hours first"))
    if connector.reconcile:
        rows.append(("Reconciliation", "Every finished hour is compared with the archive."))
    if connector.log_filters:
        rows.append(("Log filters", "\n".join(connector.log_filters)))
    rows += [
        ("Index", interflow.INDEX),
        ("msg_class", "\n".join(interflow.MSG_CLASS[kind] for kind in kinds)),
        *interflow.ORIGIN.items(),
    ]
    return rows


def responder_facts(responders: Sequence[RespondConnector], kept: str) -> Facts:
    """(label, value) of responders that are made from the same values."""
    one = responders[0]
    rows = [("Name" if len(responders) == 1 else "Names", "\n".join(made.name for made in responders))]
    rows += [
        ("Category", CATEGORY_TITLES[one.category]),
        ("Type", "\n".join(made.type for made in responders)),
        ("Function", rules.FUNCTION_TITLES[one.function]),
        ("Tenant Name", one.tenant),
        ("Run On", rules.RUN_ON_TITLES[one.run_on]),
        ("Hostname", one.hostname),
        ("Protocol", one.protocol),
        ("Token URL", one.token_url),
        ("Client ID, Client Secret", kept),
        ("Cluster ID", one.cluster_id),
    ]
    if one.ca_file:
        rows.append(("CA file", one.ca_file))
    return rows + [("Warning", words) for words in definition.warnings(one)]


def changed_facts(old: Connector, new: Connector) -> Facts:
    """(label, `old → new`) of every value that differs."""
    return [
        (title, f"{_shown(old, name)} → {_shown(new, name)}")
        for name, title in _TITLES.items()
        if hasattr(old, name) and getattr(old, name) != getattr(new, name)
    ]


def _shown(connector: Connector, name: str) -> str:
    value = getattr(connector, name)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        titles = rules.CONTENT_TYPE_TITLES
        return ", ".join(titles[one] if one in titles else str(one) for one in value) or "none"
    return str(value) or "none"


def _streams(count: int) -> str:
    return "one stream" if count == 1 else f"{count} streams"


def first_records(connector: CollectConnector, now: int) -> str:
    """From when on records are fetched."""
    if connector.collect_from == "now":
        return "The moment it is made; nothing from before."
    start = rules.collect_start(connector.collect_from, now)
    zone = Zone()
    words = f"{zone.local(start):%Y-%m-%d %H:%M} ({zone.name()})"
    return f"{words}, from the archive; then live."
