"""The wizard's third tab: everything that will be made, in words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from pod_desktop.core import blocks, interflow
from pod_desktop.core import connector as rules
from pod_desktop.core.connector import CollectConnector
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Notice


class Done(Form):
    """A summary, and what went wrong when it was submitted."""

    def __init__(self, keep_for_session: Callable[[], None], parent: QWidget | None = None) -> None:
        """`keep_for_session` is called when the user takes that way out of a keychain's fault."""
        super().__init__(parent)
        self.headline = self.add_words("")
        self.problem = Notice("", blocks.BAD)
        self.add(self.problem)
        self.session_button = Button("Keep the key for this session only", clicked=keep_for_session)
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

    def show_summary(self, connector: CollectConnector, kept: str, now: int) -> None:
        """
        Args:
            connector: What will be made.
            kept: Where the key will be kept, in words.
            now: Microseconds UTC, the moment that spans are counted from.
        """
        self.headline.setText(f"Submit makes {connector.name} and starts it at once.")
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.setParent(None)
                widget.deleteLater()
        for row, (label, value) in enumerate(facts(connector, kept, now)):
            name = PlainLabel(label, "note")
            said = PlainLabel(value, wrap=True, selectable=True)
            said.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            said.setAccessibleName(f"{label}: {value}")
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(said, row, 1)

    def show_problem(self, what: str, hint: str = "", *, session_helps: bool = False) -> None:
        """Say what went wrong; '' takes it away."""
        self.problem.say(hint, blocks.BAD, what)
        self._way_out.setVisible(session_helps)


def facts(connector: CollectConnector, kept: str, now: int) -> list[tuple[str, str]]:
    """(label, value) of all that will be made."""
    kinds = connector.content_types
    titles = [rules.CONTENT_TYPE_TITLES[kind] for kind in kinds]
    rows = [
        ("Name", connector.name),
        (
            "Connector",
            f"{rules.CATEGORY_TITLES[connector.category]} · {rules.TYPE_TITLES[connector.type]} · "
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
    if connector.ca_file:
        rows.append(("CA file", connector.ca_file))
    rows += [
        ("Index", interflow.INDEX),
        ("msg_class", "\n".join(interflow.MSG_CLASS[kind] for kind in kinds)),
        *interflow.ORIGIN.items(),
    ]
    return rows


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
