"""The picture of hours: every hour has its place, colour, words and key."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from pod_desktop.core.clock import HOUR, parse_iso
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.status import LIVE as IS_LIVE
from pod_desktop.core.status import StreamStatus
from pod_desktop.services import hours
from pod_desktop.services.hours import ARCHIVED, GAP, LIVE, OUT_OF_REACH, PARTIAL, Hour
from pod_desktop.store import CollectEntry
from pod_desktop.ui.connectors.details import Details
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.statepopup import explained
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets.hourstrip import HourPicture, HourStrip, colour, summary, told

NOON = parse_iso("2026-11-24T12:00Z")


def month() -> list[Hour]:
    states = [OUT_OF_REACH, *[ARCHIVED] * 600, GAP, GAP, PARTIAL, *[LIVE] * 117]
    return [
        Hour(NOON + number * HOUR, state, number, 2 * number if state == ARCHIVED else None, 3)
        for number, state in enumerate(states)
    ]


@pytest.fixture
def strip(qtbot: QtBot) -> Any:
    made = HourStrip(Zone(utc=True))
    qtbot.addWidget(made)
    made.resize(560, 10)
    made.show_hours(month())
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_hour_has_a_place_of_its_own_and_is_found_there(strip: HourStrip) -> None:
    seen = set()
    for place in range(len(month())):
        cell = strip.cell(place)
        assert strip.rect().contains(cell) and cell.width() >= 2
        assert strip.at(cell.center()) == place
        seen.add((cell.x(), cell.y()))
    assert len(seen) == len(month())
    assert strip.at(QPoint(-1, 0)) is None and strip.at(QPoint(0, 100_000)) is None


def test_states_are_told_apart_by_colour_and_by_height(strip: HourStrip) -> None:
    picture = QImage(strip.size(), QImage.Format.Format_RGB32)
    strip.render(picture)

    def pixel(place: int, *, top: bool) -> str:
        cell = strip.cell(place)
        return picture.pixelColor(cell.left(), cell.top() + 1 if top else cell.bottom()).name()

    by_state = {hour.state: place for place, hour in enumerate(month())}
    for state, place in by_state.items():
        assert pixel(place, top=False) == colour(state).name()
    assert pixel(by_state[LIVE], top=True) == colour(LIVE).name()
    assert pixel(by_state[GAP], top=True) != colour(GAP).name()
    assert len({colour(state).name() for state in hours.STATES}) == len(hours.STATES)


def test_arrow_keys_say_what_hover_says(strip: HourStrip, qtbot: QtBot) -> None:
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert strip.chosen == month()[-1]
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    assert strip.chosen == month()[0]
    assert strip.accessibleDescription() == told(month()[0], Zone(utc=True))
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert strip.chosen == month()[0]
    strip.show_hours(month()[:3])
    assert "1 out of reach" in strip.accessibleName()


def test_an_hour_is_told_with_its_counts_and_difference() -> None:
    words = told(Hour(NOON, ARCHIVED, 40, 43, 3), Zone(utc=True))
    assert "2026-11-24 12:00" in words and "40 live · 43 from the archive · 3 added" in words
    assert "The archive added 3" in words
    assert "not fetched" in told(Hour(NOON, GAP, 0, None, 0), Zone(utc=True))


def test_the_picture_has_a_legend_and_hides_while_there_is_nothing(qtbot: QtBot) -> None:
    picture = HourPicture(Zone(utc=True))
    qtbot.addWidget(picture)
    picture.show_hours([])
    assert picture.isHidden()
    picture.show_hours(month())
    assert not picture.isHidden()
    assert next(one.text() for one in picture.findChildren(PlainLabel)).startswith(
        "Hours of the last 30 days: "
    )
    picture.show_hours(month()[-9:])
    words = "Hours since 2026-12-24 04:00, where collecting begins: 9 live."
    assert next(one.text() for one in picture.findChildren(PlainLabel)) == words
    assert picture.strip.accessibleName() == words.removesuffix(".")
    assert summary(month()) == "117 live, 600 archived, 1 partial, 2 gap, 1 out of reach"


def test_the_status_bar_explains_hours_notices_and_what_is_left() -> None:
    stream = StreamStatus(
        connector="acme",
        kind="message",
        state=IS_LIVE,
        since=NOON,
        hours=hours.states_of(month()),
        hours_left=7,
        time_left_s=90.0,
        notice="The disk is nearly full: 1.4 GB are free.",
        last_activity=NOON + 400_000,  # within the second that is told
    )
    words = "\n".join(explained(stream, Zone(utc=True), NOON))
    assert "600 archived" in words and "1 out of reach" in words
    assert "Last heard of 0 s ago." in words
    assert "7 hours of the archive left" in words and "nearly full" in words


def test_details_show_each_stream_its_hours_and_what_was_dropped(qtbot: QtBot) -> None:
    connector = CollectConnector(
        name="acme",
        tenant="acme",
        cluster_id="acme_hosted",
        content_types=("message", "maillog"),
        proxy="http://p:1",
    )
    entry = CollectEntry(connector=connector, enabled=True, created=NOON, changed=NOON)
    details = Details(entry, lambda _name: None)
    qtbot.addWidget(details)
    streams = [
        StreamStatus(
            connector="acme",
            kind=kind,
            state=IS_LIVE,
            since=NOON,
            filters=(("loud", 1_200),),
            notice="Little room.",
        )
        for kind in connector.content_types
    ]
    zone = Zone(utc=True)
    details.refresh(entry, streams, NOON, zone)
    details.show_hours({"message": month()}, zone)
    message, maillog = details._cards["message"], details._cards["maillog"]
    assert message.picture is not None and message.picture.strip.hours == tuple(month())
    assert maillog.picture is None
    assert message.notice.text() == "Little room. Dropped by log filters: loud 1,200."
    assert "unreliable" in details.warning.accessibleName() + details.warning.accessibleDescription()
