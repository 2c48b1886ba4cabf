"""The test dialog: steps as they pass, one test at a time, an outcome that stays until it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from faketester import EXCHANGE, FakeTester
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import testing
from pod_desktop.services.connectors import Connectors
from pod_desktop.simulator import ThreadedSimulator, faults, running
from pod_desktop.store import Ledger
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.testdialog import TestDialog, open_test
from pod_desktop.ui.connectors.testview import StepRow
from pod_desktop.vault import MemoryVault, SessionVault
from tests.flow.trying import certificate

pytestmark = pytest.mark.usefixtures("worn")

COLLECTOR = CollectConnector(
    name="beta-both", tenant="beta", cluster_id="beta_hosted", content_types=("message", "maillog")
)
RESPONDER = RespondConnector(name="acme-block", tenant="acme", cluster_id="acme_hosted", type=TYPES[0])


@pytest.fixture
def fake() -> FakeTester:
    return FakeTester()


@pytest.fixture
def runner(fake: FakeTester) -> Iterator[Runner]:
    made = Runner(fake.test)
    yield made
    fake.go.set()
    assert made.stop(10)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def opened(qtbot: QtBot, window: QWidget, runner: Runner, connector: object = COLLECTOR) -> TestDialog:
    edited: list[str] = []
    dialog = open_test(connector, runner, window, edited.append)  # type: ignore[arg-type]
    dialog.edited = edited  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: active(dialog))
    return dialog


def active(dialog: QWidget) -> bool:
    """Is it the active window? Asks for it again and again: the offscreen platform forgets the first time."""
    dialog.activateWindow()
    return dialog.isActiveWindow() and QApplication.focusWidget() is not None


def finished(qtbot: QtBot, dialog: TestDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.running)


def words(widget: QWidget) -> str:
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return "\n".join(shown).replace("\u200b", "")


def rows(dialog: TestDialog) -> list[str]:
    shown = [row for row in dialog.findChildren(StepRow) if row.isVisibleTo(dialog)]
    return [row.accessibleName() for row in sorted(shown, key=lambda row: row.y())]


def banner(dialog: TestDialog) -> str:
    return words(dialog.view.banner)


# what it shows


def test_steps_are_shown_as_they_pass_and_the_others_as_to_come(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.waits_at = "TLS"
    dialog = opened(qtbot, window, runner)
    qtbot.waitUntil(lambda: len(dialog.view.steps) == 2)
    qtbot.waitUntil(
        lambda: (
            rows(dialog)
            == [
                "Resolve host: passed, 12 ms",
                "Connect: passed, 12 ms",
                "TLS: to come",
                "Authorise Message: to come",
                "Authorise Mail Log: to come",
            ]
        )
    )
    assert "Testing…" in banner(dialog) and "30 s" in dialog.time.text()
    assert not dialog.again_button.isVisible() and not dialog.copy_button.isVisible()
    fake.go.set()
    finished(qtbot, dialog)
    assert "Success" in banner(dialog)
    assert [row.rpartition(":")[2] for row in rows(dialog)] == [" passed, 12 ms"] * 5


def test_a_failure_says_what_to_check_and_stays(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.fails_at = "Authorise Message"
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert banner(dialog) == "Failure: 401 Unauthorized\nThe service refused the credentials."
    said = words(dialog.view)
    assert "What to check" in said and "Did you enter your credentials correctly?" in said
    assert rows(dialog)[3:] == [
        "Authorise Message: failed, 12 ms",
        "Authorise Mail Log (not tried): not tried",
    ]
    qtbot.wait(50)
    assert dialog.isVisible()


def test_show_more_unfolds_the_exchange_and_show_less_folds_it(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert not dialog.view.exchange.isVisible() and dialog.view.more.accessibleName() == "Show more"
    dialog.view.more.click()
    assert dialog.view.exchange.isVisible() and dialog.view.exchange.toPlainText() == EXCHANGE
    assert dialog.view.more.text() == "▾ Show less"
    dialog.view.more.click()
    assert not dialog.view.exchange.isVisible()


def test_copy_report_holds_the_whole_outcome(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.fails_at = "Connect"
    fake.details["Resolve host"] = "192.0.2.1"
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    for part in (
        "Failure: 401 Unauthorized",
        "✓ Resolve host: 192.0.2.1  12 ms",
        "✕ Connect",
        "– TLS (not tried)",
        "What to check",
        EXCHANGE,
    ):
        assert part in copied


def test_outside_words_are_shown_as_they_are(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    evil = "<img src='file:///etc/passwd'>\u202e\x1b[31m<b>" + "A" * 50_000
    fake.fails_at, fake.summary, fake.code = "Connect", evil, "dns"
    fake.details["Resolve host"] = evil
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Failure\n<img") and "‹U+202E›" in banner(dialog)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in dialog.findChildren(QLabel))
    dialog.grab()


def test_a_code_that_is_no_known_status_is_shown_all_the_same(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.fails_at, fake.code, fake.summary = "Connect", "799", "It said 799."
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Failure") and "It said 799." in banner(dialog)


def test_what_keeps_a_test_from_being_made_is_said(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.raises = Outage("One test runs at a time.", "test", "Try again when it has ended.")
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert banner(dialog) == "There is no result\nOne test runs at a time."
    assert "Try again when it has ended." in words(dialog.view)


def test_a_fault_of_the_program_is_said_without_its_words(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.raises = RuntimeError("canary-secret")
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert "fault of the program" in banner(dialog) and "canary-secret" not in words(dialog)
    assert dialog.again_button.isEnabled()


# one at a time, again, cancel, close


def test_one_test_runs_at_a_time(qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester) -> None:
    fake.waits_at = "Connect"
    first = opened(qtbot, window, runner)
    second = opened(qtbot, window, runner, RESPONDER)
    assert "beta-both is being tested" in banner(second)
    assert not second.again_button.isEnabled()
    fake.go.set()
    finished(qtbot, first)
    qtbot.waitUntil(second.again_button.isEnabled)
    second.again_button.click()
    finished(qtbot, second)
    assert banner(second).startswith("Success")
    assert [asked.name for asked, _ in fake.asked] == ["beta-both", "acme-block"]


def test_secrets_are_those_that_are_kept_and_the_window_never_waits(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    assert fake.asked == [(COLLECTOR, None)]
    assert fake.threads == {"connection test"}


def test_test_again_begins_anew(qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester) -> None:
    fake.fails_at = "Resolve"
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is dialog.again_button)
    fake.fails_at = ""
    qtbot.keyClick(dialog.again_button, Qt.Key.Key_Return)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Success") and "What to check" not in words(dialog.view)
    assert len(rows(dialog)) == 5


def test_cancel_stops_it_and_says_so(qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester) -> None:
    fake.waits_at = "Connect"
    dialog = opened(qtbot, window, runner)
    qtbot.waitUntil(lambda: len(dialog.view.steps) == 1)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is dialog.cancel_button)
    qtbot.keyClick(dialog.cancel_button, Qt.Key.Key_Space)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Cancelled") and fake.cancelled == 1
    assert rows(dialog)[1] == "Connect (not tried): not tried"
    assert runner.busy == "" and dialog.again_button.isEnabled()


def test_escape_closes_a_finished_test_only(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.waits_at = "Connect"
    dialog = opened(qtbot, window, runner)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible() and "still running" in banner(dialog)
    fake.go.set()
    finished(qtbot, dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(TestDialog))


def test_the_cross_closes_and_cancels(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.waits_at = "Connect"
    dialog = opened(qtbot, window, runner)
    qtbot.waitUntil(lambda: len(dialog.view.steps) == 1)
    qtbot.mouseClick(dialog.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.findChildren(TestDialog) and runner.busy == "")
    assert fake.cancelled == 1


def test_a_window_that_goes_while_a_test_runs_takes_it_along(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.waits_at = "Connect"
    dialog = opened(qtbot, window, runner)
    dialog.deleteLater()
    qtbot.waitUntil(lambda: not window.findChildren(TestDialog))
    assert runner.stop(10)
    qtbot.waitUntil(lambda: runner.busy == "")


def test_a_run_that_is_gone_before_its_end_is_told_keeps_no_other_from_beginning(
    qtbot: QtBot, runner: Runner, fake: FakeTester
) -> None:
    fake.waits_at = "Connect"
    run = runner.start((COLLECTOR, None))
    assert run is not None
    steps: list[object] = []
    run.stepped.connect(steps.append)
    qtbot.waitUntil(lambda: len(steps) == 1)
    shiboken6.delete(run)
    fake.go.set()
    qtbot.waitUntil(lambda: runner.busy == "")
    assert len(steps) == 1
    again = runner.start((COLLECTOR, None))
    assert again is not None
    with qtbot.waitSignal(again.reported):
        pass


def test_edit_connector_leads_there(qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester) -> None:
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    edited: list[str] = dialog.edited  # type: ignore[attr-defined]
    dialog.edit_button.click()
    assert edited == ["beta-both"]
    qtbot.waitUntil(lambda: not window.findChildren(TestDialog))


# for everybody


def test_by_keyboard_alone_one_reads_copies_and_closes(
    qtbot: QtBot, window: QWidget, runner: Runner, fake: FakeTester
) -> None:
    fake.fails_at = "Connect"
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    reached: list[QWidget] = []
    for _ in range(12):
        focus = QApplication.focusWidget()
        assert focus is not None
        if focus not in reached:
            reached.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    for control in (
        dialog.view.more,
        dialog.copy_button,
        dialog.edit_button,
        dialog.again_button,
        dialog.close_button,
    ):
        assert control in reached, control.accessibleName()
    dialog.view.more.setFocus()
    qtbot.keyClick(dialog.view.more, Qt.Key.Key_Space)
    assert dialog.view.exchange.isVisible()
    dialog.close_button.setFocus()
    qtbot.keyClick(dialog.close_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not window.findChildren(TestDialog))


def test_every_control_has_a_name(qtbot: QtBot, window: QWidget, runner: Runner) -> None:
    dialog = opened(qtbot, window, runner)
    finished(qtbot, dialog)
    for control in [*dialog.findChildren(QAbstractButton), dialog.view.exchange]:
        assert QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name), control


# with the real thing


@pytest.fixture(scope="module")
def cluster() -> Iterator[ThreadedSimulator]:
    with running(seed=5) as sim:
        yield sim


class World:
    """A data directory, and the tester that the program has."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "ledger.db")
        self.desk = Connectors(self.ledger, SessionVault(MemoryVault()))
        real = testing.Tester(self.desk, self.ledger, testing.lock_path(folder))
        self.runner = Runner(real.test)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    assert made.runner.stop(10)
    made.ledger.close()


def collector(cluster: ThreadedSimulator) -> CollectConnector:
    return CollectConnector(
        name="real",
        tenant="acme",
        cluster_id=cluster.cluster_id,
        content_types=("message", "maillog"),
        stream_url=cluster.stream_url,
    )


def test_a_simulated_cluster_accepts_the_right_key(
    qtbot: QtBot, window: QWidget, world: World, cluster: ThreadedSimulator
) -> None:
    made = world.desk.create(collector(cluster), {"api_key": Secret(cluster.api_keys[0])})
    dialog = opened(qtbot, window, world.runner, made)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Success"), dialog.view.report
    assert cluster.api_keys[0] not in dialog.view.report


def test_a_simulated_cluster_refuses_the_wrong_key(
    qtbot: QtBot, window: QWidget, world: World, cluster: ThreadedSimulator
) -> None:
    made = world.desk.create(collector(cluster), {"api_key": Secret("wrong-key-canary")})
    dialog = opened(qtbot, window, world.runner, made)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Failure: 401 Unauthorized"), dialog.view.report
    assert "wrong-key-canary" not in dialog.view.report and "What to check" in words(dialog.view)


def test_a_simulated_list_is_read(
    qtbot: QtBot, window: QWidget, world: World, cluster: ThreadedSimulator
) -> None:
    made = RespondConnector(
        name="real-block",
        tenant="acme",
        type=TYPES[0],
        cluster_id=cluster.cluster_id,
        hostname=cluster.hostname,
        protocol="HTTP",
        token_url=cluster.token_url,
    )
    world.desk.create(
        made, {"client_id": Secret(cluster.client_id), "client_secret": Secret(cluster.client_secret)}
    )
    dialog = opened(qtbot, window, world.runner, made)
    finished(qtbot, dialog)
    assert banner(dialog).startswith("Success"), dialog.view.report
    assert cluster.client_secret not in dialog.view.report


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (faults.answer(400), "400 Bad Request"),
        (faults.answer(403), "403 Forbidden"),
        (faults.answer(404), "404 Not Found"),
        (faults.answer(409), "409 Conflict"),
        (faults.answer(429), "429 Too Many Requests"),
        (faults.answer(500), "500"),
        (faults.answer(503), "503"),
        (faults.proxy_page(), "page"),
        (faults.redirect("https://evil.example/"), "never followed"),
        (faults.ABORT, "Failure"),
    ],
)
def test_whatever_a_cluster_answers_has_a_summary_and_something_to_check(
    qtbot: QtBot, window: QWidget, world: World, cluster: ThreadedSimulator, given: object, part: str
) -> None:
    made = world.desk.create(collector(cluster), {"api_key": Secret(cluster.api_keys[0])})
    with cluster.faults.every_handshake(given):
        dialog = opened(qtbot, window, world.runner, made)
        qtbot.waitUntil(lambda: not dialog.running)
    assert banner(dialog).startswith("Failure"), dialog.view.report
    assert part in words(dialog.view), dialog.view.report
    assert "What to check" in words(dialog.view)
    assert cluster.api_keys[0] not in dialog.view.report


@pytest.mark.parametrize(
    ("made", "trusted", "part"),
    [
        ({"expired": True}, True, "expired"),
        ({"host": "elsewhere.example"}, True, "another host"),
        ({}, False, "not from an authority"),
    ],
)
@pytest.mark.parametrize("kind", ["collect", "respond"])
def test_a_certificate_that_is_not_right_is_told_in_the_window(
    qtbot: QtBot,
    window: QWidget,
    world: World,
    tmp_path: Path,
    kind: str,
    made: dict[str, Any],
    trusted: bool,
    part: str,
) -> None:
    with certificate(tmp_path, **made) as (tls, ca_file), running(seed=5, tls=tls) as sim:
        trust = ca_file if trusted else ""
        if kind == "collect":
            connector: CollectConnector | RespondConnector = replace(collector(sim), ca_file=trust)
            secrets = {"api_key": Secret(sim.api_keys[0])}
        else:
            connector = RespondConnector(
                name="real-block", tenant="acme", type=TYPES[0], cluster_id=sim.cluster_id,
                hostname=sim.hostname, protocol="HTTPS", token_url=sim.token_url, ca_file=trust,
            )  # fmt: skip
            secrets = {"client_id": Secret(sim.client_id), "client_secret": Secret(sim.client_secret)}
        world.desk.create(connector, secrets)
        dialog = opened(qtbot, window, world.runner, connector)
        qtbot.waitUntil(lambda: not dialog.running, timeout=20_000)
        # Nothing that is secret has left: the connection ended before it was asked for.
        asked = len(sim.handshakes) + len(sim.api.exchanges)
    assert banner(dialog).startswith("Failure"), dialog.view.report
    assert part in words(dialog.view).lower(), dialog.view.report
    assert "What to check" in words(dialog.view) and asked == 0
    assert "✕ TLS" in dialog.view.report
    assert not any(secret.reveal() in dialog.view.report for secret in secrets.values())
