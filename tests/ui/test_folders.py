"""Folders shown by the computer's own file manager: one fixed command, one argument, nothing of a record."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.ui import folders
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.widgets import Notice
from pod_desktop.ui.widgets.activity import ActivityPanel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file manager that writes down what it was started with."""
    told, programs = tmp_path / "asked.txt", tmp_path / "programs"
    programs.mkdir()
    manager = programs / folders._OPENERS.get(sys.platform, folders._OTHER)
    manager.write_text(
        f"""#!/bin/sh
{{ echo "$#"; echo "$1"; echo "[$LD_LIBRARY_PATH]"; }} > '{told}.part' && /bin/mv '{told}.part' '{told}'
"""
    )
    manager.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return told


def buttons(widget: QWidget) -> list[str]:
    return [button.text() for button in widget.findChildren(QPushButton)]


def test_the_folder_is_one_argument_whatever_it_is_called(qtbot: QtBot, asked: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a b; $(touch x) 'q' --help"
    odd.mkdir()
    assert folders.open_folder(odd)
    qtbot.waitUntil(asked.exists)
    assert asked.read_text().splitlines()[:2] == ["1", str(odd)]


def test_only_folders_that_there_are_and_that_are_named_whole(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "gone", tmp_path / "file", Path("programs"), Path("--help")):
        assert not folders.open_folder(path)
    assert not asked.exists()


def test_a_packed_program_gives_the_user_s_own_libraries_on(
    qtbot: QtBot, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere/packed")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/nowhere/own")
    assert folders.open_folder(tmp_path)
    qtbot.waitUntil(asked.exists)
    assert asked.read_text().splitlines()[2] == "[/nowhere/own]"


def test_without_a_file_manager_the_path_can_be_copied(
    qtbot: QtBot, worn: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = folders.path_buttons(tmp_path / "records.csv")
    qtbot.addWidget(made)
    assert buttons(made) == ["Copy path"]
    made.findChildren(QPushButton)[0].click()
    assert QGuiApplication.clipboard().text() == str(tmp_path / "records.csv")
    assert not folders.open_folder(tmp_path)


def test_an_export_that_has_ended_leads_to_its_folder(
    qtbot: QtBot, worn: Theme, asked: Path, tmp_path: Path
) -> None:
    panel = ActivityPanel("Exporting")
    qtbot.addWidget(panel)
    panel.finish("3 records written", written=tmp_path / "records.csv")
    (button,) = [one for one in panel.findChildren(QPushButton) if one.text() == "Open folder"]
    button.click()
    qtbot.waitUntil(asked.exists)
    assert asked.read_text().splitlines()[1] == str(tmp_path)


def test_what_a_notice_offers_goes_with_its_words(qtbot: QtBot, worn: Theme, tmp_path: Path) -> None:
    notice = Notice("Written")
    qtbot.addWidget(notice)
    offered = folders.path_buttons(tmp_path / "x.csv")
    notice.offer(offered)
    assert "Copy path" in buttons(notice)
    notice.say("Something else")
    assert offered.isHidden()
