"""Where actions appear in a window: two pages, a tab of the record pane, commands, buttons below the summary.

Light on purpose: what carries actions out is loaded when one of these is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pod_desktop.core.action import BLOCK, SAFE
from pod_desktop.ui.bridge import Record
from pod_desktop.ui.events.onrecords import ON_FIELDS
from pod_desktop.ui.rail import AUTOMATE, MANAGE, Page
from pod_desktop.ui.text import tip
from pod_desktop.ui.widgets import Button
from pod_desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from pod_desktop.ui.actions.wiring import ActionsWiring

HISTORY: Final = "history"
LISTS: Final = "lists"
"""Keys of the pages."""
NO_SENDER: Final = "This record names no sender. Actions offers what else it holds."


def add_actions(window: MainWindow, acting: Callable[[], ActionsWiring]) -> int:
    """Put them there; `acting` makes the one who opens them. Returns the number of the Actions tab."""
    window.add_page(
        Page(
            key=HISTORY, group=AUTOMATE, title="Action History", make=lambda: acting().history(), place=10
        )
    )  # fmt: skip
    window.add_page(Page(key=LISTS, group=MANAGE, title="Lists", make=lambda: acting().lists(), place=10))
    tab = window.events.detail.add_view("Actions", lambda: acting().make_tab())

    def block() -> None:
        acting().act(BLOCK)

    def safelist() -> None:
        acting().act(SAFE)

    add, table, detail = window.menus.add, window.events.table, window.events.detail
    add("Record", "&Actions", lambda: window.show_tab(tab), "Alt+5")
    # Within the table: its context menu shows them too.
    commands = (
        add("Record", "&Block Sender …", block, "Ctrl+B", within=table, gap=True),
        add("Record", "Safe&list Sender …", safelist, "Ctrl+Shift+B", within=table),
    )
    for command in commands:
        command.setProperty(ON_FIELDS, True)
    buttons = (Button("Block sender…", "danger", block), Button("Safelist sender…", clicked=safelist))

    def fit(record: Record) -> None:
        for button in buttons:
            button.setEnabled(bool(record.row.sender))
            button.setToolTip(tip("" if record.row.sender else NO_SENDER))

    def fit_commands() -> None:
        row = table.current()
        # Of several selected records those without a sender are left out when it comes to it.
        fits = row is None or bool(row.sender) or table.chosen_count() > 1
        for command in commands:
            command.setEnabled(fits)
            command.setToolTip(tip("" if fits else NO_SENDER))

    detail.came.connect(fit)
    table.chosen.connect(lambda _row: fit_commands())
    table.selectionModel().selectionChanged.connect(lambda *_ranges: fit_commands())
    for button in buttons:
        detail.add_to_footer(button)
    return tab
