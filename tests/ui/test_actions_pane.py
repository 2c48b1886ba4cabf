"""Views that other parts add to the record pane are made late and never lag behind the record."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from pod_desktop.ui.bridge import Record


class Probe(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int | None] = []

    def show_record(self, record: Record | None) -> None:
        self.seen.append(None if record is None else record.row.seq)


def test_an_added_tab_is_made_when_it_is_looked_at(make_window, desk, qtbot) -> None:
    window = make_window(desk)
    made: list[Probe] = []

    def make() -> Probe:
        made.append(Probe())
        return made[-1]

    tab = window.events.detail.add_view("Probe", make)
    window.events.table.go_to(0)
    qtbot.waitUntil(lambda: window.events.detail._record is not None)
    assert not made
    window.show_tab(tab)
    assert made[0].seen == [299] and made[0].isVisible()


def test_an_added_tab_forgets_a_record_before_the_next_one_is_read(make_window, desk, qtbot) -> None:
    window = make_window(desk)
    probe = Probe()
    tab = window.events.detail.add_view("Probe", lambda: probe)
    window.events.table.go_to(0)
    window.show_tab(tab)
    qtbot.waitUntil(lambda: probe.seen == [299])
    desk.record_seconds = 0.1
    window.events.table.go_to(1)
    assert probe.seen == [299, None], "the old record must not be acted on under the new one's head"
    qtbot.waitUntil(lambda: probe.seen == [299, None, 298])
    window.events.detail.clear()
    assert probe.seen[-1] is None
