"""Text from outside reaches the screen as it is: nothing interpreted, nothing hidden, nothing endless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication, Qt
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.core import limits
from pod_desktop.ui import text

MARKUP = "<b>x</b><img src='file:///etc/passwd'>"
HIDDEN = [0x00, 0x07, 0x1B, 0x7F, 0x85, 0x9F, 0xAD, 0x034F, 0x061C, 0x115F, 0x17B4, 0x180E, 0x200B, 0x200C,
          0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060, 0x2061, 0x2062,
          0x2063, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x206A, 0x206F, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF,
          0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB, 0xD800, 0xDFFF, 0xE0001, 0xE0020, 0xE0041, 0xE007F, 0xE0100]  # fmt: skip


@pytest.mark.parametrize("code", HIDDEN)
def test_a_hidden_character_is_shown_with_its_code_point(code: int) -> None:
    assert text.cell(f"pay{chr(code)}pal") == f"pay‹U+{code:04X}›pal"
    assert text.hidden_count(f"pay{chr(code)}pal") == 1


@given(st.text(max_size=200))
def test_a_cell_is_one_line_without_anything_hidden(outside: str) -> None:
    shown = text.cell(outside)
    assert "\n" not in shown and "\r" not in shown
    assert text.hidden_count(shown) == 0


@pytest.mark.parametrize("emoji", ["👩‍💻", "❤️", "1️⃣", "👨‍👩‍👧"])
def test_an_emoji_is_not_taken_apart(emoji: str) -> None:
    assert text.cell(emoji) == emoji


def test_ten_megabytes_become_a_cell_in_no_time() -> None:
    huge = "é" * 10_000_000
    with quick(0.05):
        shown = text.cell(huge)
    assert len(shown) == limits.CELL_CHARS


def test_a_pile_of_combining_marks_is_cut_and_counted() -> None:
    assert text.cell("a" + "\u0301" * 50) == "a" + "\u0301" * 4 + "‹+46 marks›"


def test_a_tooltip_shows_markup_as_it_is() -> None:
    shown = text.tip(f"{MARKUP}\nnext")
    assert shown.startswith("<qt>&lt;b&gt;") and "<br>next" in shown
    assert Qt.mightBeRichText(shown)
    assert "<img" not in shown


def test_a_label_shows_markup_as_it_is(qtbot: QtBot) -> None:
    label = text.PlainLabel(MARKUP)
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == MARKUP


def test_copied_text_has_no_control_characters_and_says_how_many_it_had(qapp: object) -> None:
    assert text.copy("a\x1b[31mb\u202ec\nd") == 2
    assert QGuiApplication.clipboard().text() == "a[31mbc\nd"


def test_a_long_address_wraps_in_a_label_but_copies_whole(qtbot: QtBot) -> None:
    address = "a" * 80 + "@" + "b" * 40 + ".example"
    label = text.PlainLabel(address, wrap=True, selectable=True)
    qtbot.addWidget(label)
    label.setSelection(0, len(label.text()))
    assert label.minimumSizeHint().width() < 400
    assert text.copyable(label.selectedText())[0] == address


def test_a_defanged_address_is_no_link() -> None:
    assert text.defanged("https://evil.example/a") == "hxxps://evil[.]example/a"


def test_an_isolated_address_shows_no_mark_of_its_isolation_in_a_label(qtbot: QtBot) -> None:
    label = text.PlainLabel()
    qtbot.addWidget(label)
    address = "jürgen@\u202eexample"
    label.set_shown(f"{text.isolated(address)} → you")
    assert label.text() == "\u2068jürgen@‹U+202E›example\u2069 → you"
