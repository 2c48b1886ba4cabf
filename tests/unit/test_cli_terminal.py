"""Text on a terminal: nothing out of a record steers it, and columns stay straight."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.cli.terminal import Out, fit, visible, width_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 東京 👍", "Grüße, 東京 👍"),
        ("\x1b[2Jgone", "‹U+001B›[2Jgone"),
        ("a\nb\rc\x00", "a‹U+000A›b‹U+000D›c‹U+0000›"),
        ("\x9b31m", "‹U+009B›31m"),
        ("exe.\u202efdp", "exe.‹U+202E›fdp"),
        ("pay\u200bpal\u00ad", "pay‹U+200B›pal‹U+00AD›"),
        ("\u2028", "‹U+2028›"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_fitted_cell_fills_its_columns_exactly(text: str, width: int) -> None:
    assert width_of(fit(text, width)) == width


@given(st.text())
def test_visible_text_holds_no_control_character(text: str) -> None:
    assert not any(character < " " or "\x7f" <= character <= "\x9f" for character in visible(text))


def test_wide_and_combining_characters_are_counted_as_a_terminal_does() -> None:
    assert width_of("東京") == 4
    assert width_of("e\u0301") == 1
    assert fit("東京都", 4) == "東… "


def test_output_is_utf8_whatever_the_locale() -> None:
    stream = io.BytesIO()
    Out(stream).table(("NAME",), [("Zoë",), ("\x1b]0;x\x07",)])
    assert stream.getvalue().decode() == "NAME\nZoë\n‹U+001B›]0;x‹U+0007›\n"
