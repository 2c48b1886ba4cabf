"""Tests of the window: no display needed, and a fixed theme and font for every one of them."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("POD_DESKTOP_TEST_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

import pytest
from PySide6.QtWidgets import QApplication

from pod_desktop.ui.theme import LIGHT, Theme


@pytest.fixture(scope="session")
def worn(qapp: QApplication) -> Theme:
    """The application dressed as the user sees it."""
    return Theme(qapp, LIGHT)
