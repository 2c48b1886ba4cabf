"""The second step of a playbook: what it would have done is shown before it is let act, or run on history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.playbook import WEBHOOK_RESPONDER, Playbook
from pod_desktop.core.playbook_limits import ACT
from pod_desktop.core.text import plural
from pod_desktop.store import PlaybookEntry
from pod_desktop.ui.automation import wording
from pod_desktop.ui.automation.backtestpane import BacktestPane
from pod_desktop.ui.automation.desk import AutomationDesk
from pod_desktop.ui.automation.dialogs import TitledDialog
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, Notice, hairline

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Report


class TryFirst(TitledDialog):
    """What will happen, a backtest, and a button that wakes when the backtest has been through."""

    recordsAsked = Signal(object, object)
    """(Playbook, Fired)"""

    def __init__(
        self,
        title: str,
        will: str,
        go: str,
        entry: PlaybookEntry,
        desk: AutomationDesk,
        worker: Worker,
        trying: Worker,
        clock: Clock,
        zone: Zone,
        *,
        stopped: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`go`: the button's words. `stopped`: why nothing acts now."""
        super().__init__(title, parent)
        self.entry = entry
        self.will = PlainLabel(will, wrap=True)
        self.column.addWidget(self.will)
        self.warning = Notice()
        self.column.addWidget(self.warning)
        self._stopped = stopped
        self._warn(())
        self.column.addWidget(hairline())
        self.backtest = BacktestPane(desk, trying, clock, zone, name=title)
        self.backtest.recordsAsked.connect(self.recordsAsked)
        self.column.addWidget(self.backtest, 1)
        self.column.addWidget(hairline())
        self.means = PlainLabel("", "strong", wrap=True)
        self.column.addWidget(self.means)
        self.go_button = Button(go, "danger", self._go, name=title)
        self.go_button.setEnabled(False)
        self.go_button.setToolTip("It wakes when the backtest has been through.")
        self.cancel_button = Button("Cancel", clicked=self.reject)
        self.add_buttons(self.cancel_button, self.go_button)
        self.cancel_button.setFocus()
        self.backtest.range.chosen.connect(lambda: self._tried(None))
        self.backtest.finished.connect(self._tried)
        worker.ask(lambda: desk.warnings(entry.playbook), self._warn, owner=self)
        self.backtest.try_soon(entry.playbook)
        self.resize(720, min(700, parent.height() - 24 if parent is not None else 700))

    def _warn(self, words: Sequence[str]) -> None:
        told = list(words)
        if self._stopped:
            told.append(f"All playbooks are stopped now: {self._stopped} What fires is held meanwhile.")
        self.warning.say("\n".join(told), blocks.WARN)

    def _tried(self, report: Report | None) -> None:
        self.go_button.setEnabled(report is not None and self.allows(report))
        self.means.setText("Let the backtest go through." if report is None else self.meaning(report))

    def allows(self, report: Report) -> bool:
        """Whether the button wakes after this report."""
        return True

    def meaning(self, report: Report) -> str:
        """What the report means, in a sentence."""
        raise NotImplementedError

    def act(self) -> None:
        """The button was pressed."""
        raise NotImplementedError

    def _go(self) -> None:
        self.accept()
        self.act()

    def done(self, result: int) -> None:
        self.backtest.stop()
        super().done(result)


class ArmDialog(TryFirst):
    """Lets a playbook act from now on."""

    armed = Signal(object)
    """The PlaybookEntry to arm."""

    def __init__(
        self,
        entry: PlaybookEntry,
        desk: AutomationDesk,
        worker: Worker,
        trying: Worker,
        clock: Clock,
        zone: Zone,
        *,
        stopped: str = "",
        parent: QWidget | None = None,
    ) -> None:
        title = f"Arm {cell(entry.playbook.name, 80)}"
        super().__init__(
            title, will_words(entry.playbook), "Arm", entry, desk, worker, trying, clock, zone,
            stopped=stopped, parent=parent,
        )  # fmt: skip

    def meaning(self, report: Report) -> str:
        if not report.fired:
            return f"In {self.backtest.range.words} it would have done nothing."
        acts = plural(sum(wording.outcome(one) == ACT for one in report.firings), "time")
        return f"In {self.backtest.range.words} it would have acted {acts} without asking anybody."

    def act(self) -> None:
        self.armed.emit(self.entry)


class RunDialog(TryFirst):
    """Does now what a playbook would have done: the one way in which old records make it act."""

    runAsked = Signal(object, object)
    """(PlaybookEntry, the Report whose actions are to be done)"""

    def __init__(
        self,
        entry: PlaybookEntry,
        desk: AutomationDesk,
        worker: Worker,
        trying: Worker,
        clock: Clock,
        zone: Zone,
        *,
        stopped: str = "",
        parent: QWidget | None = None,
    ) -> None:
        title = f"Run {cell(entry.playbook.name, 80)} on History"
        will = (
            "Stored records fire nothing by themselves. Here you decide that what the backtest shows as done is done "
            "now, as your own decision, at the pace of the playbook's limits. What is held, muted or over the limits "
            "there is not done."
        )
        super().__init__(
            title,
            will,
            "Run on history",
            entry,
            desk,
            worker,
            trying,
            clock,
            zone,
            stopped=stopped,
            parent=parent,
        )

    def allows(self, report: Report) -> bool:
        return self._actions(report) > 0

    def _actions(self, report: Report) -> int:
        from pod_desktop.services.playbooks import count_of_run

        return count_of_run(report)

    def meaning(self, report: Report) -> str:
        count = self._actions(report)
        return f"{plural(count, 'action')} will be done." if count else "There is nothing to do."

    def act(self) -> None:
        self.runAsked.emit(self.entry, self.backtest.report)


def will_words(playbook: Playbook) -> str:
    """What happens once it is armed."""
    does = [wording.action_words(action) for action in playbook.actions]
    sends = any(action.type == WEBHOOK_RESPONDER for action in playbook.actions)
    limits = playbook.limits
    words = [
        f"From now on, while the collector service runs, with the window open or closed: on "
        f"{wording.condition_words(playbook)} it does without asking: {'; '.join(does)}."
    ]
    if sends:
        words.append(
            f"At most {plural(limits.per_minute, 'action')} a minute and {limits.per_day:,} a day. "
            "What a guard objects to is held for approval. Records from before, backfilled or imported ones fire nothing."
        )
    return " ".join(words)
