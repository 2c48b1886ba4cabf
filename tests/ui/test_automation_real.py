"""The automation desk over real rooms: simulated records, real backtests, the playbooks' file, the kill file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop import content
from pod_desktop.app import Home, open_home
from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import Outage, Unwanted, UserFault
from pod_desktop.core.guards import Reason
from pod_desktop.core.playbook import DRY_RUN, OFF, ON, playbook_from_file, playbook_to_file
from pod_desktop.core.playbook_limits import ACT, HELD
from pod_desktop.core.record import Arrival
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.settings import NOTIFICATIONS
from pod_desktop.services import playbooks as service
from pod_desktop.services.asking import ask
from pod_desktop.services.settings import Settings
from pod_desktop.services.surroundings import surroundings
from pod_desktop.simulator.generator import Generator
from pod_desktop.store import Part, Turn
from pod_desktop.store.playbook_rows import APPROVED, DISMISSED, OPEN
from pod_desktop.store.port import LIVE, Commit, Source
from pod_desktop.ui.automation.desk import Range
from pod_desktop.ui.automation.realdesk import StoppableReader as Stoppable
from pod_desktop.ui.automation.realdesk import StoreAutomation
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.automation.wiring import AutomationWiring
from pod_desktop.ui.bridge import Job
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme

NOW = SystemClock().now()
DAYS = 2
WAVE = {
    "name": "Wave", "tenant": "Acme", "query": "direction:inbound AND outcome:quarantined", "group_by": "ip",
    "at_least": 2, "within": "6h", "actions": [{"type": "webhook_responder", "responder": "acme-block"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two days of a simulated cluster's messages and a responder."""
    folder = tmp_path_factory.mktemp("home")
    home = open_home(folder)
    writer = home.open_writer()
    frames = [item.frame for item in Generator(1, "acme_hosted").records("message", NOW - DAYS * DAY, NOW)]
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    for at in range(0, len(frames), 2_000):
        records = [Arrival(content.read("message", raw, NOW), raw) for raw in frames[at : at + 2_000]]
        writer.commit(Commit(source=source, lane=LIVE, records=records, stream="acme/message"))
    writer.close()
    responder = RespondConnector(name="acme-block", tenant="Acme", type=TYPES[0], cluster_id="acme_hosted")
    home.ledger.add_connector(responder, now=NOW)
    home.close()
    return folder


@pytest.fixture
def home(stored: Path) -> Iterator[Home]:
    made = open_home(stored)
    yield made
    made.close()
    for name in ("playbooks.db", "playbooks.db-wal", "playbooks.db-shm", "automation.stop"):
        (stored / name).unlink(missing_ok=True)


@pytest.fixture
def desk(home: Home) -> Iterator[StoreAutomation]:
    made = StoreAutomation(home)
    yield made
    made.close()


def wave(**changes: object) -> service.Playbook:
    return playbook_from_file({**WAVE, **changes})


class Window:
    """The page over the real desk."""

    def __init__(self, qtbot: QtBot, home: Home, desk: StoreAutomation) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(1290, 845)
        self.wiring = AutomationWiring(
            self.window, desk=desk, clock=home.clock, zone=Zone(utc=True), make_query=lambda: Query(lambda _text: (), list)
        )  # fmt: skip
        self.page = self.wiring.make_page()
        QVBoxLayout(self.window).addWidget(self.page)
        self._qtbot = qtbot
        self.window.show()
        self.wiring.start()

    def until(self, true: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(true)


@pytest.fixture
def shown(qtbot: QtBot, worn: Theme, home: Home, desk: StoreAutomation) -> Iterator[Window]:
    made = Window(qtbot, home, desk)
    yield made
    made.wiring.stop()


def test_the_editor_shows_what_the_backtest_of_the_service_finds(shown: Window, home: Home) -> None:
    shown.page.edit_file(playbook_to_file(wave()))
    pane = shown.page.editor.backtest
    shown.until(lambda: pane.report is not None)
    expected = service.try_out(
        wave(), reader=home.new_reader(), connectors=[one.connector for one in home.ledger.responders()],
        surroundings=surroundings(home.ledger, home.reader, NOW), now=NOW, journal=home.journal,
    )  # fmt: skip
    assert expected.fired > 3
    assert pane.report is not None
    assert [(one.time, one.key, one.records) for one in pane.report.firings] == [
        (one.time, one.key, one.records) for one in expected.firings
    ]
    assert pane.model.rowCount() == expected.fired
    assert f"{expected.fired:,} times on {len(expected.keys):,} source IPs" in pane.fired.text()
    assert sum(sum(bar.values()) for bar in pane.picture.bars.values()) == expected.fired
    sent = json.loads(pane.report.firings[0].rows[0].body)
    assert sent["value"] == pane.report.firings[0].rows[0].entry.value  # type: ignore[union-attr]


def test_the_records_behind_a_firing_are_found_by_the_search_that_it_opens(
    shown: Window, home: Home, desk: StoreAutomation
) -> None:
    report = desk.try_out(wave(), Range(span=7 * DAY), Job(), lambda _report: None)
    assert report is not None
    asked: list[tuple[str, object, object]] = []
    shown.wiring.searchAsked.connect(lambda *what: asked.append(what))
    shown.wiring.show_fired(wave(), report.firings[0])
    found = [row.record_id for row in home.new_reader().search(ask(asked[0][0], now=NOW))]
    assert sorted(found) == sorted(report.firings[0].records)


def test_a_firing_of_very_many_records_is_searched_by_query_key_and_time(
    shown: Window, home: Home, desk: StoreAutomation
) -> None:
    made = wave(query="", group_by="tenant", at_least=60, within="1d")
    report = desk.try_out(made, Range(span=7 * DAY), Job(), lambda _report: None)
    assert report is not None
    asked: list[tuple[str, int | None, int | None]] = []
    shown.wiring.searchAsked.connect(lambda *what: asked.append(what))
    one = report.firings[0]
    shown.wiring.show_fired(made, one)
    text, since, until = asked[0]
    found = {row.record_id for row in home.new_reader().search(ask(text, now=NOW, since=since, until=until))}
    assert set(one.records) <= found


def test_a_search_that_nothing_matches_is_given_up_as_soon_as_nobody_waits(
    home: Home, desk: StoreAutomation
) -> None:
    asked = ask("connection.helo:nothing.test", now=NOW)  # read record by record
    with pytest.raises(Unwanted):
        list(Stoppable(home.new_reader(), lambda: False).search(asked))
    assert list(Stoppable(home.new_reader(), lambda: True).search(asked)) == []
    job = Job()
    job.cancel()
    told: list[object] = []
    assert desk.try_out(wave(query="sender:nobody@nowhere.test"), Range(), job, told.append) is None
    assert told == []


def test_all_that_is_stored_is_tried_from_the_oldest_record_on(desk: StoreAutomation) -> None:
    report = desk.try_out(wave(), Range(), Job(), lambda _report: None)
    assert report is not None
    assert report.since >= NOW - DAYS * DAY - HOUR
    week = desk.try_out(wave(), Range(span=7 * DAY), Job(), lambda _report: None)
    assert week is not None
    assert report.fired == week.fired
    none = desk.try_out(wave(), Range(since=NOW - 9 * DAY, until=NOW - 8 * DAY), Job(), lambda _report: None)
    assert none is not None
    assert (none.records, none.fired) == (0, 0)


def test_a_record_of_the_query_is_offered_to_complete_by(desk: StoreAutomation) -> None:
    record = desk.sample("outcome:quarantined", ("message",))
    assert "envelope" in record
    assert desk.sample("sender:nobody@nowhere.test", ("message",)) != {}  # any record, where none matches
    assert desk.sample("((", ("message",)) != {}


def test_looking_makes_no_file_where_nobody_has_playbooks(desk: StoreAutomation, home: Home) -> None:
    found = desk.see(None)
    assert found is not None
    assert found[1].entries == ()
    assert desk.see(found[0]) is None
    assert not home.data_dir.playbooks.exists()


def test_looking_again_tells_only_what_changed(desk: StoreAutomation) -> None:
    desk.add(wave(), state=DRY_RUN)
    found = desk.see(None)
    assert found is not None
    mark, seen = found
    assert [entry.playbook for entry in seen.entries] == [wave()]
    assert desk.see(mark) is None
    desk.set_state("Wave", OFF)
    again = desk.see(mark)
    assert again is not None
    assert again[1].entries[0].state == OFF


def test_the_switch_and_the_kill_file_are_seen_and_lifted(desk: StoreAutomation) -> None:
    desk.add(wave(), state=DRY_RUN)
    desk.stop()
    found = desk.see(None)
    assert found is not None
    assert found[1].stopped.endswith("stopped them.")
    desk.stop_file.touch()
    found = desk.see(found[0])
    assert found is not None
    assert found[1].by_file
    desk.go()
    found = desk.see(found[0])
    assert found is not None
    assert (found[1].stopped, desk.stop_file.exists()) == ("", False)


def test_what_is_held_is_approved_or_dismissed_in_the_file(
    shown: Window, home: Home, desk: StoreAutomation
) -> None:
    entry = desk.add(wave(), state=DRY_RUN)
    desk.set_state("Wave", ON)
    report = desk.try_out(wave(), Range(span=7 * DAY), Job(), lambda _report: None)
    assert report is not None
    acts = [one.rows[0] for one in report.firings if one.outcome == ACT][:2]
    why = (Reason("free_mail", "hold", "Anybody can have an address there."),)
    rows = [
        replace(
            row, playbook_id=entry.id, playbook="Wave", version=1, outcome=HELD, status=OPEN, reasons=why,
            reason=why[0].text, expires=NOW + DAY,
        )
        for row in acts
    ]  # fmt: skip
    kept, _ = desk._playbooks.commit(
        Turn(now=NOW, parts=[Part(playbook_id=entry.id, version=1, state=ON, rows=rows)])
    )
    view = shown.wiring.held_view()
    shown.until(lambda: view.count == 2)
    view.choose(kept[0].id)
    view.approve()
    view.choose(kept[1].id)
    view.dismiss()
    shown.until(lambda: shown.wiring.seen.held == [])
    found = {row.id: row.status for row in desk.rows("Wave")}
    assert found == {kept[0].id: APPROVED, kept[1].id: DISMISSED}


def test_a_backtest_is_run_on_history_once_it_is_armed(desk: StoreAutomation) -> None:
    desk.add(wave(), state=DRY_RUN)
    report = desk.try_out(wave(), Range(span=7 * DAY), Job(), lambda _report: None)
    assert report is not None
    with pytest.raises(UserFault, match="not armed"):
        desk.run_on_history("Wave", report)
    desk.set_state("Wave", ON)
    assert desk.run_on_history("Wave", report) == sum(one.outcome == ACT for one in report.firings)


def test_a_whole_way_from_a_template_to_an_armed_playbook(shown: Window, desk: StoreAutomation) -> None:
    template = next(one for one in desk.templates() if one.playbook.name == "Quarantine wave by IP")
    shown.page.creating.begin_template(template)
    editor = shown.page.editor
    shown.until(lambda: editor.isVisible() and editor.backtest.report is not None)
    assert editor.flaws == []
    editor.submit_button.click()
    shown.until(lambda: editor.entry is not None)
    shown.until(editor.arm_button.isEnabled)
    dialog = shown.page.arm(editor.entry)  # type: ignore[arg-type]
    shown.until(dialog.go_button.isEnabled)
    dialog.go_button.click()
    shown.until(lambda: [one.state for one in shown.wiring.seen.entries] == [ON])
    assert editor.chip.text() == "On"
    assert [one.note for one in desk.history("Quarantine wave by IP")] == ["armed", "created"]


def test_an_export_is_imported_again_as_the_same_definition(desk: StoreAutomation, tmp_path: Path) -> None:
    path = tmp_path / "wave.json"
    desk.write_file(wave(), path)
    assert desk.read_file(path) == wave()
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(Outage, match="cannot be written"):
        desk.write_file(wave(), tmp_path / "none" / "wave.json")


def test_a_responder_that_lets_mail_through_is_not_offered_and_refused_by_name(
    desk: StoreAutomation, home: Home
) -> None:
    for number, kind in enumerate(TYPES):
        one = RespondConnector(name=f"r{number}", tenant="Acme", type=kind, cluster_id="acme_hosted")
        home.ledger.add_connector(one, now=NOW)
    try:
        assert [one.name for one in desk.setup().responders] == ["acme-block", "r0", "r3"]
        safelists = wave(actions=[{"type": "webhook_responder", "responder": "R1"}])
        with pytest.raises(UserFault, match="lets mail through") as caught:
            desk.check(safelists)
        assert caught.value.where == "actions[0]: responder"
        desk.add(safelists, state=DRY_RUN)
        with pytest.raises(UserFault, match="lets mail through"):
            desk.set_state("Wave", ON)
    finally:
        for number in range(len(TYPES)):
            home.ledger.remove_connector(f"r{number}")


def test_what_the_window_claims_it_tells_unless_nobody_wants_notifications(
    desk: StoreAutomation, home: Home
) -> None:
    assert [desk.claim_told(3), desk.claim_told(3), desk.claim_told(5)] == [0, 3, 3]
    Settings(home.ledger).set(NOTIFICATIONS, False)
    try:
        assert desk.claim_told(9) == 9
    finally:
        Settings(home.ledger).reset(NOTIFICATIONS)
    assert desk.claim_told(9) == 5
