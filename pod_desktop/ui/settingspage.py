"""The Settings page, where the window looks for it; it is made in ui.settings."""

from pod_desktop.ui.settings import THEME_WORDS, SettingsPage

__all__ = ["THEME_WORDS", "SettingsPage"]
