"""What tests of the wizard share: a desk with a keychain that can be locked, and hands to walk with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.store import Ledger
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.wizard import CONFIGURATION, DONE, AddConnector
from pod_desktop.vault import SessionVault

CANARY = "canary-3d7c"
NOW = 1_764_000_000_000_000


class Clock:
    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Keychain:
    """A keychain that can be locked, or made to wait until it is let go."""

    title, lasting, why = "GNOME Keyring", True, ""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Secret] = {}
        self.locked = False
        self.go = threading.Event()
        self.go.set()

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        return self.kept.get((connector, name))

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        self.go.wait(5)
        if self.locked:
            raise Outage("GNOME Keyring is locked.", "keychain", "Unlock the keychain and try again.")
        self.kept[connector, name] = secret

    def delete(self, connector: str, name: str) -> None:
        self.kept.pop((connector, name), None)


@pytest.fixture
def keychain() -> Keychain:
    return Keychain()


@pytest.fixture
def desk(tmp_path: Path, keychain: Keychain) -> Iterator[Connectors]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield Connectors(ledger, SessionVault(keychain), Clock())
    ledger.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("connectors of a test")
    yield made
    assert made.stop(10)


@pytest.fixture
def wizard(qtbot: QtBot, desk: Connectors, worker: Worker) -> AddConnector:
    return opened(qtbot, desk, worker)


def opened(qtbot: QtBot, desk: Connectors, worker: Worker, **more: Any) -> AddConnector:
    dialog = AddConnector(desk, worker, clock=Clock(), **more)
    qtbot.addWidget(dialog, before_close_func=lambda made: setattr(made, "_finished", True))
    with qtbot.waitExposed(dialog):
        dialog.open()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    return dialog


def made(desk: Connectors, name: str, kinds: tuple[str, ...], key: str = "other-key") -> None:
    connector = CollectConnector(name=name, tenant="acme", cluster_id="acme_hosted", content_types=kinds)
    desk.create(connector, {"api_key": Secret(key)})


def paste(edit: QLineEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    edit.selectAll()
    edit.paste()


def words(widget: QWidget) -> str:
    """All that is written on it, without the places where long words may break."""
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return "\n".join(shown).replace("\u200b", "")


def press(qtbot: QtBot, key: Qt.Key) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    qtbot.keyClick(focus, key)


def type_into(qtbot: QtBot, wizard: AddConnector, text: str) -> None:
    focus = QApplication.focusWidget()
    assert isinstance(focus, QLineEdit | QComboBox) and wizard.isAncestorOf(focus)
    qtbot.keyClicks(focus, text)


def tab_to(qtbot: QtBot, target: QWidget) -> None:
    for _ in range(40):
        if QApplication.focusWidget() is target:
            return
        press(qtbot, Qt.Key.Key_Tab)
    pytest.fail(f"Tab never reaches {target.accessibleName()}")


def to_configuration(wizard: AddConnector, name: str = "acme-message") -> None:
    wizard.general.tenant.setText("acme")
    wizard.general.name.setText(name)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION


def to_done(wizard: AddConnector, key: str = CANARY) -> None:
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("acme_hosted")
    wizard.configuration.api_key.setText(key)
    wizard.next_button.click()
    assert wizard.step == DONE


def wait_for_rule(qtbot: QtBot, wizard: AddConnector, part: str) -> None:
    qtbot.waitUntil(lambda: part in words(wizard.configuration.key_rule))
