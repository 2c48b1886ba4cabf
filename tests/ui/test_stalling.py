"""A connector that stops: its badge in the rail, one strip however many, and nothing where nobody wants it."""

from __future__ import annotations

import pytest
from fakedesk import FakeDesk
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from pod_desktop.core import status
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.status import StreamStatus
from pod_desktop.store import CollectEntry
from pod_desktop.ui.rail import MANAGE, Page
from pod_desktop.ui.stalling import Stalling
from pod_desktop.ui.telling import Tray
from pod_desktop.ui.widgets.activity import ActivityPanel
from pod_desktop.ui.window import CONNECTORS

NOW = 1_764_000_000_000_000


def entry(name):
    connector = CollectConnector(name=name, tenant="t", cluster_id="c", content_types=("message",))
    return CollectEntry(connector=connector, enabled=True, created=NOW, changed=NOW)


def stream(name, state):
    return StreamStatus(connector=name, kind="message", state=state, since=NOW, what="<b>said outside</b>")


@pytest.fixture
def window(make_window):
    made = make_window(FakeDesk())
    made.add_page(Page(key=CONNECTORS, group=MANAGE, title="Connectors", make=QWidget))
    return made


@pytest.fixture
def tray(monkeypatch):
    told = []
    monkeypatch.setattr(Tray, "able", lambda: True)
    monkeypatch.setattr(Tray, "tell", lambda _self, title, words, page: told.append((title, words, page)))
    return told


def panels(window):
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [one.accessibleDescription() for one in window.findChildren(ActivityPanel)]


def claim(stalls, then):
    """Nobody else tells anything."""
    then(stalls)


def test_a_stop_is_a_badge_and_one_strip_that_grows(window, tray):
    stalling = Stalling(window, window.zone, lambda: True, claim)
    entries, button = [entry("acme"), entry("beta")], window.rail.button(CONNECTORS)
    stalling.look(entries, [stream("acme", status.LIVE), stream("beta", status.LIVE)], NOW)
    assert (button._badge, panels(window)) == ("", [])
    stalling.look(entries, [stream("acme", status.STOPPED_FAULT), stream("beta", status.LIVE)], NOW)
    assert (button._badge, button.accessibleDescription()) == ("1", "1 connector needs attention")
    assert panels(window) == ["acme (Message) has stopped and needs attention."]
    stalling.look(entries, [stream(name, status.STOPPED_FAULT) for name in ("acme", "beta")], NOW)
    assert button._badge == "2"
    assert panels(window) == ["beta (Message) has stopped and needs attention. (and 1 more)"]
    assert tray[0] == ("Connectors", "acme (Message) has stopped and needs attention.", CONNECTORS)
    assert "outside" not in str(tray)
    stalling.look(entries, [stream("acme", status.LIVE), stream("beta", status.LIVE)], NOW)
    assert (button._badge, len(tray)) == ("", 2)


def test_what_was_so_before_the_window_opened_is_a_badge_only(window, tray):
    stalling = Stalling(window, window.zone, lambda: True, claim)
    stalling.look([], [], NOW)
    for _ in range(2):
        stalling.look([entry("acme")], [stream("acme", status.STOPPED_FAULT)], NOW)
    assert window.rail.button(CONNECTORS)._badge == "1"
    assert (panels(window), tray) == ([], [])


def test_where_the_settings_want_none_only_the_badge_tells(window, tray):
    stalling = Stalling(window, window.zone, lambda: False, claim)
    stalling.look([entry("acme")], [stream("acme", status.LIVE)], NOW)
    stalling.look([entry("acme")], [stream("acme", status.STOPPED_FAULT)], NOW)
    assert window.rail.button(CONNECTORS)._badge == "1"
    assert (panels(window), tray) == ([], [])


def test_what_the_service_has_told_on_the_desktop_is_a_strip_only(window, tray):
    stalling = Stalling(window, window.zone, lambda: True, lambda stalls, then: then([]))
    stalling.look([entry("acme")], [stream("acme", status.LIVE)], NOW)
    stalling.look([entry("acme")], [stream("acme", status.STOPPED_FAULT)], NOW)
    assert panels(window) == ["acme (Message) has stopped and needs attention."]
    assert tray == []
