"""The editor of one playbook: three cards, and the backtest beside them.

What the cards hold is the playbook's file and nothing else, judged by the rules that files are judged by. Submit
makes it a dry run; arming is a second step (arming.py), offered here once it is saved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from pod_desktop import content
from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import OFF, Playbook, playbook_to_file
from pod_desktop.core.responder import RespondConnector
from pod_desktop.store import PlaybookEntry
from pod_desktop.ui.automation import draft, wording
from pod_desktop.ui.automation.backtestpane import BacktestPane
from pod_desktop.ui.automation.cards import ActionsCard, LimitsCard
from pod_desktop.ui.automation.desk import AutomationDesk, Setup
from pod_desktop.ui.automation.whencard import Query, WhenCard
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell, tip
from pod_desktop.ui.widgets import Button, Chip, Notice, PageHeader

JUDGE_MS: Final = 90


class PlaybookEditor(QWidget):
    """Edits a new playbook or one that is kept."""

    left = Signal()
    """Back to the list; what was changed is given up."""
    backAsked = Signal()
    """Back to the list, unless something would be lost."""
    saved = Signal(object)
    """The PlaybookEntry."""
    armAsked = Signal(object)
    """The PlaybookEntry as saved."""
    recordsAsked = Signal(object, object)
    """(Playbook, Fired)"""

    def __init__(
        self,
        desk: AutomationDesk,
        worker: Worker,
        helping: Worker,
        trying: Worker,
        query: Query,
        clock: Clock,
        zone: Zone,
        parent: QWidget | None = None,
    ) -> None:
        """`worker` keeps and reads quickly, `helping` may take a second, `trying` is for backtests."""
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._helping = helping
        self._entry: PlaybookEntry | None = None
        self._state = OFF
        self._taken: Collection[str] = ()
        self._setup = Setup()
        self._sampled: object = None
        self._scope: Mapping[str, object] = _scope({}, "", ())
        self._before: dict[str, Any] = {}
        self._touched = False
        self._filling = False
        self._saving = False
        self.flaws: list[draft.Flaw] = []
        self.when = WhenCard(query)
        self.actions_card = ActionsCard()
        self.limits = LimitsCard()
        self.backtest = BacktestPane(desk, trying, clock, zone)
        self._build()
        self._pause = QTimer(self, singleShot=True, interval=JUDGE_MS)
        self._pause.timeout.connect(self.judge)
        for card in (self.when, self.actions_card, self.limits):
            card.changed.connect(self._changed)
        self.backtest.recordsAsked.connect(self.recordsAsked)

    def _build(self) -> None:
        self.back_button = Button("Automation", "link", self.backAsked.emit, name="Back to Automation")
        self.name_label = PlainLabel("", "note")
        self.chip = Chip("Dry run", blocks.WARN)
        self.discard_button = Button("Discard", "plain", self.leave)
        self.arm_button = Button("Arm …", "plain", self._arm)
        self.submit_button = Button("Submit", "primary", self.save)
        header = PageHeader("Automation", self.chip, self.discard_button, self.arm_button, self.submit_button)
        header.title.hide()
        header.row.insertWidget(1, self.back_button)
        header.row.insertWidget(2, self.name_label)
        self.header = header
        self.notice = Notice()
        self.warning = Notice()
        cards = QWidget()
        cards.setProperty("role", "sunken")
        column = QVBoxLayout(cards)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(14)
        for part in (self.notice, self.warning, self.when, self.actions_card, self.limits):
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(cards)
        self.scroller = scroll
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(scroll)
        self.splitter.addWidget(self.backtest)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([820, 450])
        scroll.setMinimumWidth(470)
        self.backtest.setMinimumWidth(330)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(header)
        whole.addWidget(self.splitter, 1)

    # beginning

    def begin(
        self, data: Mapping[str, Any], taken: Collection[str] = (), entry: PlaybookEntry | None = None
    ) -> None:
        """Edit this file: of `entry`, or of a playbook that is not kept yet. `taken`: names of the others."""
        self._entry = entry
        self._state = entry.state if entry is not None else OFF
        self._taken = taken
        self._touched = entry is not None
        self._saving = False
        self._sampled = None
        self.when.offer(self._setup.tenants)
        self.actions_card.offer(self._setup.responders, self._scope)
        for notice in (self.notice, self.warning):
            notice.say("")
        self.backtest.clear()
        self.show_file(data)
        self._before = self.file()
        self._tell()
        self._worker.ask(self._desk.setup, self._offered, owner=self, key="setup")
        self.scroller.verticalScrollBar().setValue(0)

    def show_file(self, data: Mapping[str, Any]) -> None:
        """Put another definition into the cards, as if it had been typed."""
        self._filling = True
        self.when.show_file(data)
        self.actions_card.show_file(data["actions"])
        self.limits.show_file(data.get("limits") or {})
        self._filling = False
        self.judge()

    def show_unmapped(self, unmapped: Sequence[str]) -> None:
        """What a Sigma rule holds that the query here does not."""
        if unmapped:
            words = "\n".join(f"•  {cell(one, 300)}" for one in unmapped)
            self.notice.say(words, blocks.WARN, "Not everything of the Sigma rule is in the query")
        else:
            self.notice.say(
                "Look at its backtest, and choose what it does.", blocks.GOOD, "The whole rule is here"
            )

    def begin_entry(self, entry: PlaybookEntry, taken: Collection[str]) -> None:
        """Edit a playbook that is kept."""
        others = [name for name in taken if name != entry.playbook.name]
        self.begin(playbook_to_file(entry.playbook), others, entry)

    def _offered(self, setup: Setup) -> None:
        self._setup = setup
        self._filling = True
        unchanged = self.file() == self._before
        self.when.offer(setup.tenants)
        self.actions_card.offer(setup.responders, self._scope)
        self._filling = False
        if unchanged:
            self._before = self.file()
        self.judge()

    # judging

    @property
    def changed(self) -> bool:
        """Whether anything differs from what was begun with."""
        return self.file() != self._before

    def file(self) -> dict[str, Any]:
        """The playbook's file as the cards have it."""
        return self.when.file() | {"actions": self.actions_card.file(), "limits": self.limits.file()}

    def _changed(self) -> None:
        if not self._filling:
            self._touched = self._touched or bool(self.when.name_edit.text())
            self._tell()
            self._pause.start()

    def judge(self) -> None:
        """Show what is wrong, and try what is right."""
        self._pause.stop()
        data = self.file()
        self.flaws = draft.flaws(data, self._desk.check, self._taken)
        self.when.show_faults(
            {flaw.key: flaw.fault for flaw in self.flaws if flaw.key != "actions"}, name_too=self._touched
        )
        self.actions_card.show_faults(
            {flaw.number: flaw.fault for flaw in self.flaws if flaw.key == "actions"}
        )
        self._tell()
        if any(flaw.key != "name" for flaw in self.flaws):
            self.backtest.try_soon(None)
            return
        playbook = draft.made(data)
        self.backtest.try_soon(playbook)
        self._look(playbook)

    def _look(self, playbook: Playbook) -> None:
        """Ask what would keep it from acting, and for a record to complete by."""

        def warned(words: Any) -> None:
            self.warning.say("\n".join(words), blocks.WARN)

        self._helping.ask(lambda: self._desk.warnings(playbook), warned, owner=self, key="warnings")
        wanted = playbook.query, playbook.index
        if wanted == self._sampled:
            return
        self._sampled = wanted

        def sampled(record: Mapping[str, object]) -> None:
            self._scope = _scope(record, playbook.name, self._setup.responders)
            self.actions_card.offer(self._setup.responders, self._scope)

        self._helping.ask(
            lambda: self._desk.sample(playbook.query, playbook.index), sampled, owner=self, key="sample"
        )

    def _tell(self) -> None:
        name = self.when.name_edit.text().strip()
        self.name_label.setText(f"› {cell(name or 'New playbook', 80)}")
        entry = self._entry
        words, tone = wording.state_words(entry) if entry is not None else ("New", blocks.INFO)
        self.chip.setText(words)
        self.chip.setProperty("chip", tone)
        self.chip.style().unpolish(self.chip)
        self.chip.style().polish(self.chip)
        changed = entry is None or self.changed
        self.submit_button.setEnabled(changed and not self._saving)
        self.discard_button.setText("Discard" if changed else "Close")
        self.discard_button.setAccessibleName(self.discard_button.text())
        self.arm_button.setVisible(entry is not None)
        self.arm_button.setEnabled(entry is not None and not changed and words != "On")
        self.arm_button.setToolTip(tip("Submit it first: what is armed is what is kept." if changed else ""))

    # ending

    def save(self) -> None:
        """Keep it, in dry run; what acted is in dry run again."""
        self._touched = True
        self.judge()
        if self.flaws or self._saving:
            self._to_first_fault()
            return
        try:
            playbook = draft.made(self.file())
        except UserFault as fault:
            self._failed(fault)
            return
        entry = self._entry
        self._saving = True
        self._tell()
        if entry is None:
            self._worker.ask(
                lambda: self._desk.add(playbook, state="dry_run"), self._kept, self._failed, owner=self
            )
        else:
            self._worker.ask(
                lambda: self._desk.update(entry.playbook.name, playbook),
                self._kept,
                self._failed,
                owner=self,
            )

    def _kept(self, entry: PlaybookEntry) -> None:
        self._saving = False
        was_on = self._entry is not None and self._entry.state == "on"
        self._entry = entry
        self._before = self.file()
        self._tell()
        words = "It only says what it would do until you arm it."
        if was_on:
            words = "It acted before; with this change it is in dry run again until you arm it."
        if entry.state == OFF:
            words = "It is off. Put it in dry run, or arm it."
        self.notice.say(words, blocks.GOOD, f"Version {entry.version} is kept")
        self.scroller.verticalScrollBar().setValue(0)
        self.saved.emit(entry)

    def _failed(self, error: BaseException) -> None:
        self._saving = False
        self._tell()
        what, hint = wording.fault_words(error)
        self.notice.say(hint, blocks.BAD, what)
        self.scroller.verticalScrollBar().setValue(0)

    def _to_first_fault(self) -> None:
        if not self.flaws:
            return
        first = self.flaws[0]
        if first.key == "actions":
            target: QWidget = self.actions_card.forms[first.number].first_fault()
        else:
            target = {
                "name": self.when.name_edit, "query": self.when.query.line, "group_by": self.when.key,
                "tenant": self.when.tenant, "index": self.when.index, "within": self.when.within.number,
                "every": self.when.every.number, "at_least": self.when.at_least,
            }.get(first.key, self.limits.per_minute)  # fmt: skip
        target.setFocus(Qt.FocusReason.OtherFocusReason)
        self.scroller.ensureWidgetVisible(target)

    def leave(self) -> None:
        """Back to the list."""
        self.left.emit()

    def end(self) -> None:
        """Nothing is wanted any more of what is edited."""
        self._pause.stop()
        self.backtest.stop()

    def _arm(self) -> None:
        if self._entry is not None:
            self.armAsked.emit(self._entry)

    def show_entry(self, entry: PlaybookEntry) -> None:
        """The kept one is in another state by now."""
        if self._entry is not None and entry.id == self._entry.id and entry.version == self._entry.version:
            self._entry = entry
            self._tell()

    @property
    def entry(self) -> PlaybookEntry | None:
        """The kept playbook that is edited; None: a new one."""
        return self._entry

    def focus_first(self) -> None:
        """Go to the name, or to the query where there is one."""
        (self.when.query.line if self.when.name_edit.text() else self.when.name_edit).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.when.query.restyle()
        self.actions_card.restyle()
        self.backtest.restyle()


def _scope(
    record: Mapping[str, object], name: str, connectors: Sequence[RespondConnector]
) -> dict[str, object]:
    """What expressions may name, what is a playbook's own first; the values are examples."""
    own: dict[str, object] = {
        "key": "what the records have in common",
        "count": "number of records",
        "playbook": {"name": name or draft.STAND_IN, "version": 1},
    }
    if connectors:
        own["connector"] = {"cluster_id": connectors[0].cluster_id, "name": connectors[0].name}
    shown = {name: value for name, value in content.fillable(record).items() if name not in own}
    return own | shown | {"records": [shown]}
