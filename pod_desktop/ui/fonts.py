"""The faces the program brings along, and which of them is used for what."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from PySide6.QtGui import QFont, QFontDatabase

from pod_desktop.core.resources import resource

TEXT_FAMILIES: Final = ["Inter", "Noto Sans", "Segoe UI", "DejaVu Sans"]
MONO_FAMILIES: Final = ["JetBrains Mono", "Noto Sans Mono", "DejaVu Sans Mono", "monospace"]
CONTENT: Final = 13
NOTE: Final = 12
SMALL: Final = 11
TITLE: Final = 15
"""Pixels at 100 %; Qt scales them with the screen."""


def resources() -> Path:
    """The folder of everything that comes with the program."""
    return resource("")


@cache
def load() -> tuple[str, ...]:
    """Register the shipped faces once; needs an application. Returns the families that came."""
    families: list[str] = []
    for file in sorted(resource("fonts").glob("*.[ot]tf")):
        number = QFontDatabase.addApplicationFont(str(file))
        if number >= 0:
            families += QFontDatabase.applicationFontFamilies(number)
    return tuple(dict.fromkeys(families))


def text(pixels: int = CONTENT, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The face for reading."""
    return _font(TEXT_FAMILIES, pixels, weight)


def mono(pixels: int = NOTE, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The face for addresses, ids, queries."""
    font = _font(MONO_FAMILIES, pixels, weight)
    font.setStyleHint(QFont.StyleHint.Monospace)
    # Ligatures would draw `!=` and `->` as other characters than the record holds.
    if hasattr(font, "setFeature"):
        font.setFeature(QFont.Tag("calt"), 0)
        font.setFeature(QFont.Tag("liga"), 0)
    return font


def _font(families: list[str], pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(families)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    return font
