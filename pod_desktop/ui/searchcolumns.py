"""Search columns as the window asks for them: what one would cost, making it, how far each is, removing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.query import parse
from pod_desktop.services import columns
from pod_desktop.services.columns import ColumnState, Cost
from pod_desktop.store import DataDir, Ledger
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.text import cell

_PATH_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsDesk:
    """What is asked; every call runs on a worker's thread and raises Fault."""

    states: Callable[[], Sequence[ColumnState]]
    cost: Callable[[str], Cost]
    add: Callable[[str], object]
    remove: Callable[[str], object]
    slow: Callable[[str], Sequence[str]]
    """(a query) -> its fields that are no columns and are not on the way to be."""


def columns_desk(data_dir: DataDir, ledger: Ledger, clock: Clock) -> ColumnsDesk:
    """The desk over a store and its ledger."""

    def slow(text: str) -> Sequence[str]:
        known = {one.path for one in columns.defined(ledger)}
        return [path for path in columns.promotable(parse(text, clock.now())) if path not in known]

    return ColumnsDesk(
        states=columns.ColumnStates(data_dir, ledger).all,
        cost=lambda path: columns.cost(data_dir.events, path),
        add=lambda path: columns.add(ledger, path, clock),
        remove=lambda path: columns.remove(ledger, path),
        slow=slow,
    )


class Columns(QObject):
    """Asks the desk on a thread of its own, which begins with the first question."""

    def __init__(self, desk: ColumnsDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker:
        if self._worker is None:
            self._worker = Worker("search columns", self)
        return self._worker

    def offer(self, path: str, parent: QWidget, then: Callable[[], None]) -> None:
        """Ask whether to make a search column, once it is known what that costs."""

        def ask(title: str, words: str, way_on: str) -> None:
            from pod_desktop.ui.connectors.confirm import Confirm  # late: the window starts without that room

            question = Confirm(title, words, way_on, parent, harmless=True)
            if way_on:
                question.agreed.connect(
                    lambda: self.worker.ask(
                        lambda: self.desk.add(path), lambda _added: then(), failed, owner=parent
                    )
                )
            question.open()

        def told(cost: Cost) -> None:
            ask(
                f"Make {shown(path)} a search column?",
                f"Its values are copied out of the stored records, with an index. {cost.words()} The newest records "
                "come first; searching and collecting go on meanwhile. Settings lists search columns and removes them.",
                "Make it a column",
            )

        def failed(error: BaseException) -> None:
            ask(f"{shown(path)} cannot be made a search column", fault_words(error), "")

        self.worker.ask(lambda: self.desk.cost(path), told, failed, owner=parent, key="cost")

    def stop(self) -> None:
        """The window closes."""
        if self._worker is not None:
            self._worker.stop()


def shown(path: str) -> str:
    """A path in a sentence; its end says more than its beginning."""
    clean = cell(path)
    return clean if len(clean) <= _PATH_CHARS else "…" + clean[1 - _PATH_CHARS :]


def fault_words(error: BaseException) -> str:
    return str(error) if isinstance(error, Fault) else "A fault of the program; the log says more."
