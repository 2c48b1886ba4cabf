"""What a connection test says of itself: a banner, its steps as they pass, what to check, the exchange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.core import blocks, limits
from pod_desktop.core.faults import Fault
from pod_desktop.core.http_words import http_words
from pod_desktop.services.testing import TestReport
from pod_desktop.services.testing_steps import Step
from pod_desktop.ui.connectors.runner import Run
from pod_desktop.ui.text import PlainLabel, block
from pod_desktop.ui.widgets import Button, Notice, hairline

_GLYPH: Final = {True: "✓", False: "✕", None: "–"}
_SAID: Final = {True: "passed", False: "failed", None: "not tried"}
_MARK_ROLE: Final = {True: "", False: "fault", None: "note"}
_EXCHANGE_LINES: Final = 12


class StepRow(QWidget):
    """One step: a mark, what was tried, how long it took; `pending` while it is to come."""

    def __init__(self, step: Step, *, pending: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step = step
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.pending = pending
        words, said = (step.name, "to come") if pending else (step_words(step), _SAID[step.ok])
        mark = PlainLabel("·" if pending else _GLYPH[step.ok], _MARK_ROLE[step.ok])
        mark.setFixedWidth(24)
        self.words = PlainLabel(words, _role(step), wrap=True, selectable=True)
        self.words.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        took = PlainLabel("" if step.ok is None else f"{step.ms:,.0f} ms", "note")
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        row.addWidget(took, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(hairline())
        self.setAccessibleName(f"{words}: {said}{f', {took.text()}' if took.text() else ''}")


def step_words(step: Step) -> str:
    """The step in one line: its name, and what was found where that says more."""
    detail = step.detail.strip()
    tail = " (not tried)" if step.ok is None else ""
    if not detail or detail == step.name:
        return step.name + tail
    return f"{step.name}: {detail}{tail}"


def _role(step: Step) -> str:
    return "strong" if step.ok is False else "note" if step.ok is None else ""


class TestView(QFrame):
    """Shows one test at a time; show_run() begins with the next."""

    __test__ = False  # no test of pytest's

    finished = Signal()

    def __init__(self, *, brief: bool = False, parent: QWidget | None = None) -> None:
        """`brief`: steps are shown only while they are gone through, and under Show more."""
        super().__init__(parent)
        self._brief = brief
        self._run: Run | None = None
        self._steps: list[Step] = []
        self.ok: bool | None = None
        """What came of the last test; None before, and where there was no result."""
        self.report = ""
        """The whole outcome as text, for the clipboard."""
        self.banner = Notice("", blocks.MUTED)
        self.banner.hide()
        self._list = QWidget()
        self._rows = QVBoxLayout(self._list)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._check_title = PlainLabel("What to check", "heading")
        self._check = PlainLabel("", wrap=True, selectable=True)
        self._check.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.more = Button("▸ Show more", "link", self._toggle, name="Show more")
        self.more.setAutoDefault(True)
        self.exchange = QPlainTextEdit(readOnly=True)
        self.exchange.setProperty("role", "code")
        self.exchange.setAccessibleName("Exchange, secrets masked")
        self.exchange.setTabChangesFocus(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.banner, self._list, self._check_title, self._check):
            column.addWidget(part)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.exchange)
        self._clear()

    # what is shown

    def show_run(self, run: Run) -> None:
        """Show this test from its beginning."""
        self._clear()
        self._run = run
        self._say("Testing…", "Steps are shown as they pass.", blocks.INFO)
        self._show_rows([(Step(name, None, "", 0.0), True) for name in run.planned])
        run.stepped.connect(self._step)
        run.reported.connect(self._reported)
        run.failed.connect(self._failed)
        run.cancelled.connect(self._cancelled)

    def say(self, title: str, words: str = "", tone: str = blocks.WARN) -> None:
        """Say why there is no test."""
        self._clear()
        self._say(title, words, tone)

    def forget(self) -> None:
        """Show nothing: what was tested is not what is typed now."""
        self._clear()

    @property
    def running(self) -> bool:
        return self._run is not None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was tried so far."""
        return tuple(self._steps)

    def _clear(self) -> None:
        self._leave_run()
        self._steps, self.ok, self.report = [], None, ""
        self._show_steps(())
        self.exchange.setPlainText("")
        for part in (self.banner, self._check_title, self._check, self.more, self.exchange):
            part.hide()

    def _leave_run(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            for signal, slot in (
                (run.stepped, self._step),
                (run.reported, self._reported),
                (run.failed, self._failed),
                (run.cancelled, self._cancelled),
            ):
                signal.disconnect(slot)

    def _say(self, title: str, words: str, tone: str) -> None:
        self.banner.say(words, tone, title)

    def _step(self, step: Step) -> None:
        self._steps.append(step)
        for place in range(self._rows.count()):
            row = self._row(place)
            if row is not None and row.pending and row.step.name == step.name:
                self._rows.insertWidget(place, StepRow(step))
                row.hide()
                self._rows.removeWidget(row)
                row.deleteLater()
                return
        self._rows.addWidget(StepRow(step))
        self._list.show()

    def _row(self, place: int) -> StepRow | None:
        item = self._rows.itemAt(place)
        widget = item.widget() if item is not None else None
        return widget if isinstance(widget, StepRow) else None

    def _show_steps(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self._show_rows([(step, False) for step in steps])

    def _show_rows(self, rows: Sequence[tuple[Step, bool]]) -> None:
        while item := self._rows.takeAt(0):
            if widget := item.widget():
                widget.setParent(None)
                widget.deleteLater()
        for step, pending in rows:
            self._rows.addWidget(StepRow(step, pending=pending))
        self._list.setVisible(bool(rows))

    # how it ends

    def _reported(self, report: TestReport) -> None:
        self.ok = bool(report.ok)
        self._show_steps([_shown(step, report) for step in report.steps])
        title, words = outcome_words(report)
        if self._brief:
            title = f"Test {'succeeded' if report.ok else 'failed'}{title.removeprefix('Success').removeprefix('Failure')}"
        tone = blocks.GOOD if report.ok else blocks.BAD
        self._end(title, words, tone, report.recommendation, report.exchange)

    def _not_tried(self) -> None:
        """What was still to come is not tried."""
        kept = [row for place in range(self._rows.count()) if (row := self._row(place))]
        self._show_rows([(row.step, False) for row in kept])

    def _failed(self, error: object) -> None:
        self._not_tried()
        if isinstance(error, Fault):
            self._end("There is no result", error.what, blocks.BAD, error.hint, "")
        else:
            self._end(
                "There is no result", "This is a fault of the program; its log says more.", blocks.BAD, "", ""
            )

    def _cancelled(self) -> None:
        self._not_tried()
        self._end("Cancelled", "There is no result.", blocks.MUTED, "", "")

    def _end(self, title: str, words: str, tone: str, recommendation: str, exchange: str) -> None:
        self._leave_run()
        advice = recommendation.strip()
        in_banner = self._brief and advice and self.ok is not None
        self._say(title, f"{words}\n{advice}".strip() if in_banner else words, tone)
        self._check.setText(advice)
        for part in (self._check_title, self._check):
            part.setVisible(bool(advice) and not in_banner)
        self.exchange.setPlainText(block(exchange))
        self._fit_exchange()
        self.report = report_text(title, words, self._steps, recommendation, exchange)
        self.more.setVisible(bool(exchange) or (self._brief and bool(self._steps)))
        self._show_more(False)
        self.finished.emit()

    def _toggle(self) -> None:
        self._show_more(not self._unfolded)

    def _show_more(self, shown: bool) -> None:
        self._unfolded = shown
        words = "Show less" if shown else "Show more"
        self.more.setText(f"{'▾' if shown else '▸'} {words}")
        self.more.setAccessibleName(words)
        self.exchange.setVisible(shown and bool(self.exchange.toPlainText()))
        if self._brief:
            self._list.setVisible(shown and bool(self._steps))

    def _fit_exchange(self) -> None:
        lines = min(_EXCHANGE_LINES, max(2, self.exchange.blockCount()))
        height = QFontMetrics(self.exchange.font()).lineSpacing()
        self.exchange.setFixedHeight(lines * height + 20)


def outcome_words(report: TestReport) -> tuple[str, str]:
    """(title, words) of the banner: `Failure: 401 Unauthorized` and a sentence."""
    words = report.summary.strip()
    if report.ok:
        rest = words.removeprefix("Success:").strip()
        return "Success", rest[:1].upper() + rest[1:]
    name = http_words(int(report.code)).name if report.code.isdecimal() else ""
    if not name:
        return "Failure", words
    status = f"{report.code} {name}"
    return f"Failure: {status}", words.replace(f" ({status})", "")


def _shown(step: Step, report: TestReport) -> Step:
    """A failed step does not repeat what the banner says."""
    return step._replace(detail="") if step.ok is False and step.detail == report.summary else step


def report_text(title: str, words: str, steps: Sequence[Step], recommendation: str, exchange: str) -> str:
    """The outcome as text to pass on; secrets are masked where the exchange was written."""
    lines = [title, *([words] if words else []), ""]
    lines += [
        f"{_GLYPH[step.ok]} {step_words(step)}" + ("" if step.ok is None else f"  {step.ms:,.0f} ms")
        for step in steps
    ]
    if recommendation:
        lines += ["", "What to check", recommendation]
    if exchange:
        lines += ["", "Exchange (secrets masked)", exchange]
    return block("\n".join(lines), limits.VIEWER_PAGE_CHARS)
