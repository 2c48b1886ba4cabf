"""Where playbooks appear in a window: a page, commands, and the menus of records.

Light on purpose: what works with playbooks is loaded when one of these is first used, or a moment after start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pod_desktop.core.record import EventRow
from pod_desktop.ui.events.cellmenu import RecordCommand
from pod_desktop.ui.events.saved import Saved
from pod_desktop.ui.rail import AUTOMATE, Page
from pod_desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from pod_desktop.ui.automation.wiring import AutomationWiring

AUTOMATION: Final = "automation"
"""Key of the page."""
STOP_KEY: Final = "F12"


def add_automation(window: MainWindow, automating: Callable[[], AutomationWiring]) -> None:
    """Put them there; `automating` makes the one who opens them."""
    window.add_page(
        Page(key=AUTOMATION, group=AUTOMATE, title="Automation", make=lambda: automating().make_page())
    )
    events = window.events

    def from_query() -> None:
        question = events.question()
        window.go(AUTOMATION)
        automating().create_from_query(question.text, question.kinds)

    def from_saved(saved: Saved) -> None:
        window.go(AUTOMATION)
        automating().create_from_query(saved.query, saved.kinds)

    def from_record(row: EventRow | None) -> None:
        if row is not None:
            window.go(AUTOMATION)
            automating().create_from_record(row)

    def stop_all() -> None:
        window.go(AUTOMATION)
        automating().stop_all()

    add = window.menus.add
    add("Tools", "Create Play&book from This Query …", from_query, "Ctrl+Shift+P", gap=True)
    add("Tools", "S&top All Playbooks", stop_all, STOP_KEY)
    add("Record", "Create Playbook from Record …", lambda: from_record(events.table.current()))
    events.toolbar.saved.make_playbook = from_saved
    events.on_records.offer(RecordCommand(words="Create Playbook …", run=from_record))
