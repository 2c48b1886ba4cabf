"""How found records are printed: a table for people; for programs as services.exporting writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pod_desktop.cli.terminal import Out, fit, visible
from pod_desktop.core import clock
from pod_desktop.core.faults import UserFault
from pod_desktop.services.exporting import FORMS, Found, Printer, dumps

__all__ = ["PRINTERS", "Table", "dumps"]


class Table(Printer):
    """One line a record, in columns that fill the terminal; the record id where there is room for it."""

    ID_FROM = 132

    def __init__(self, out: Out, raw: bool) -> None:
        super().__init__(out.stream, raw)
        self._out = out
        width = out.width
        self._with_id = width >= self.ID_FROM
        room = width - 20 - 2 - 11 - 2 - 4 - (42 if self._with_id else 0)
        self._who = max(8, room // 4)
        self._subject = max(8, room - 2 * self._who)
        self._begun = False

    def add(self, found: Found) -> None:
        if not self._begun:
            self._begun = True
            self._line("TIME (UTC)", "OUTCOME", "SENDER", "RECIPIENTS", "SUBJECT", "ID")
        row = found.row
        more = f" +{row.recipient_count - 1}" if row.recipient_count > 1 else ""
        recipient = fit(row.recipients[0], self._who - len(more)).rstrip() + more if row.recipients else ""
        time = clock.iso(row.time)[:19].replace("T", " ") + "Z"
        self._line(time, row.outcome, row.sender, recipient, row.subject, row.record_id)
        if self._raw:
            # Not byte for byte, unlike every other format: a terminal would obey what is in it.
            self._out.line("    " + visible(found.raw().decode("utf-8", "backslashreplace").strip()))

    def _line(self, time: str, outcome: str, sender: str, recipient: str, subject: str, rid: str) -> None:
        cells = [fit(time, 20), fit(outcome, 11), fit(sender, self._who), fit(recipient, self._who)]
        cells.append(fit(subject, self._subject))
        if self._with_id:
            cells.append(visible(rid))
        self._out.line("  ".join(cells).rstrip())


def _for_programs(name: str, out: Out, raw: bool) -> Printer:
    if name == "parquet" and out.is_terminal:
        raise UserFault("Parquet is no text for a terminal.", "--format parquet", "Add --output FILE.")
    return FORMS[name](out.stream, raw)


PRINTERS: dict[str, Callable[[Out, bool], Printer]] = {
    "table": Table,
    **{name: partial(_for_programs, name) for name in FORMS},
}
