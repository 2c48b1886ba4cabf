"""Settings on the screen: built from core.settings, each taking effect at once, faults beside the field."""

from pod_desktop.ui.settings.desk import SettingsDesk
from pod_desktop.ui.settings.keymap import Keymap
from pod_desktop.ui.settings.page import THEME_WORDS, SettingsPage
from pod_desktop.ui.settings.retention import Plan, RetentionDesk

__all__ = ["THEME_WORDS", "Keymap", "Plan", "RetentionDesk", "SettingsDesk", "SettingsPage"]
