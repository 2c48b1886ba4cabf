"""The page of a window that has nothing to show yet, and the help it opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.ui.connectors import guide
from pod_desktop.ui.connectors.guide import GuideDialog
from pod_desktop.ui.firstrun import FirstRun, dropped_files

pytestmark = pytest.mark.usefixtures("worn")


@pytest.fixture
def page(qtbot: QtBot) -> FirstRun:
    made = FirstRun()
    qtbot.addWidget(made)
    made.resize(950, 640)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel)).replace("\u200b", "")


def mime(*addresses: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(address) for address in addresses])
    return data


def dragged(page: FirstRun, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(page, event)
    return event


def dropped(page: FirstRun, data: QMimeData) -> None:
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(page, event)


def test_three_ways_in_are_offered(qtbot: QtBot, page: FirstRun) -> None:
    said = words(page)
    for part in ("Nothing is collected yet", "Connect to Proofpoint", "Try the demo", "Open log files"):
        assert part in said
    with qtbot.waitSignal(page.createConnector):
        qtbot.mouseClick(page.create_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.startDemo):
        page.demo_button.setFocus()
        qtbot.keyClick(page.demo_button, Qt.Key.Key_Space)


def test_all_words_are_readable_at_the_smallest_size(page: FirstRun) -> None:
    for label in page.findChildren(QLabel):
        if label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()), label.text()


def test_files_are_chosen_without_blocking(qtbot: QtBot, page: FirstRun, tmp_path: Path) -> None:
    file = tmp_path / "mail.ndjson"
    file.write_text("{}\n")
    page.files_button.click()
    (dialog,) = page.findChildren(QFileDialog)
    with qtbot.waitSignal(page.openFiles) as signal:
        dialog.filesSelected.emit([str(file)])
    assert signal.args == [[file]]
    dialog.close()


def test_files_that_are_dropped_are_opened(qtbot: QtBot, page: FirstRun, tmp_path: Path) -> None:
    one, two = tmp_path / "a b.ndjson", tmp_path / "ü.zst"
    data = mime(QUrl.fromLocalFile(str(one)).toString(), QUrl.fromLocalFile(str(two)).toString())
    assert dragged(page, data).isAccepted()
    assert page._drop_card.property("chosen") is True
    with qtbot.waitSignal(page.openFiles) as signal:
        dropped(page, data)
    assert signal.args == [[one, two]]
    assert page._drop_card.property("chosen") is False


@pytest.mark.parametrize(
    "address", ["https://evil.example/x.ndjson", "smb://host/share/x", "file://host/share/x", "data:,x"]
)
def test_what_is_elsewhere_is_not_opened(qtbot: QtBot, page: FirstRun, address: str) -> None:
    assert dropped_files(mime(address)) == []
    assert not dragged(page, mime(address)).isAccepted()
    with qtbot.assertNotEmitted(page.openFiles):
        dropped(page, mime(address))


def test_help_opens_in_the_program_and_only_once(qtbot: QtBot, page: FirstRun) -> None:
    qtbot.mouseClick(page.help_link, Qt.MouseButton.LeftButton)
    (help_page,) = page.findChildren(GuideDialog)
    assert help_page.isVisible()
    said = words(help_page)
    for part in ("Remote Syslog", "API Key Management", "Cluster ID", "View Details", "msg_class"):
        assert part in said
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in help_page.findChildren(QLabel))
    assert not any(label.openExternalLinks() for label in help_page.findChildren(QLabel))
    help_page.close()
    page.help_link.click()
    assert page.findChildren(GuideDialog) == [help_page] and help_page.isVisible()
    qtbot.keyClick(help_page, Qt.Key.Key_Escape)
    assert not help_page.isVisible()


def test_the_sections_that_fields_show_are_there() -> None:
    for heading in (guide.BEFORE, guide.CLUSTER_ID, guide.API_KEY, guide.KEY_RULES):
        assert guide.paragraphs(heading)
    assert len(guide.paragraphs(guide.API_KEY)[0].splitlines()) == 5
