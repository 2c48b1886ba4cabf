"""Light and dark: named colours, the palette made of them, and who decides which is worn.

Own painters ask tokens() while they paint; everything else is dressed by the palette and by stylesheet.py.
A change repaints all widgets by itself (PaletteChange); caches of pixmaps listen to Theme.changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from pod_desktop.core import blocks, record, status
from pod_desktop.ui import fonts

SYSTEM: Final = "system"
LIGHT: Final = "light"
DARK: Final = "dark"
CHOICES: Final = (SYSTEM, LIGHT, DARK)


class Ink(NamedTuple):
    """A colour for words and the ground it stands on."""

    fore: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The colours of one theme, by what they are for."""

    name: str
    window: str
    sunken: str
    line: str
    """Edges of panes and controls."""
    hair: str
    """Between rows."""
    hover: str
    text: str
    note: str
    accent: str
    on_accent: str
    accent_hover: str
    accent_soft: str
    selection: str
    good: Ink
    warn: Ink
    bad: Ink
    info: Ink
    muted: Ink
    special: Ink
    dot_good: str
    dot_warn: str
    dot_bad: str
    dot_muted: str
    bar_good: str
    bar_warn: str
    bar_bad: str
    bar_muted: str
    shadow: str
    scroll: str

    def tone(self, name: str) -> Ink:
        """The ink of a block's tone (core.blocks)."""
        return {
            blocks.GOOD: self.good,
            blocks.WARN: self.warn,
            blocks.BAD: self.bad,
            blocks.INFO: self.info,
            "special": self.special,
        }.get(name, self.muted)


_LIGHT: Final = Tokens(
    name=LIGHT,
    window="#ffffff", sunken="#f7f8fa", line="#e2e5ea", hair="#eef0f3", hover="#f3f5f9",
    text="#1b2330", note="#667085",
    accent="#2f5bea", on_accent="#ffffff", accent_hover="#264fd6", accent_soft="#e8eeff", selection="#dbe6ff",
    good=Ink("#1d7a46", "#e5f5ec"), warn=Ink("#9a5b00", "#fff3dc"), bad=Ink("#c0362c", "#fdecea"),
    info=Ink("#2f5bea", "#e8eeff"), muted=Ink("#55606f", "#eceff3"), special=Ink("#6b3fc4", "#f0eafc"),
    dot_good="#3fa66b", dot_warn="#d39a2f", dot_bad="#d2463b", dot_muted="#a5adba",
    bar_good="#9fc5ae", bar_warn="#e3bd76", bar_bad="#d98079", bar_muted="#c3cad4",
    shadow="#d9dce0", scroll="#cfd4dc",
)  # fmt: skip
_DARK: Final = Tokens(
    name=DARK,
    window="#1b1f26", sunken="#161a20", line="#2c323c", hair="#242a33", hover="#232932",
    text="#e6e9ef", note="#98a2b3",
    accent="#7c9bff", on_accent="#10141c", accent_hover="#95aeff", accent_soft="#24304f", selection="#26355c",
    good=Ink("#74d39b", "#1a3226"), warn=Ink("#f3bd6a", "#392c17"), bad=Ink("#ff8a80", "#3a2021"),
    info=Ink("#7c9bff", "#24304f"), muted=Ink("#aab4c2", "#2a303a"), special=Ink("#b79bf5", "#2d2447"),
    dot_good="#3fa66b", dot_warn="#d39a2f", dot_bad="#e0655b", dot_muted="#667085",
    bar_good="#9fc5ae", bar_warn="#e3bd76", bar_bad="#d98079", bar_muted="#5b6473",
    shadow="#0d1014", scroll="#3a424f",
)  # fmt: skip

OUTCOME_TONE: Final = {
    record.DELIVERED: blocks.GOOD,
    record.QUARANTINED: blocks.BAD,
    record.REJECTED: blocks.BAD,
    record.DISCARDED: blocks.WARN,
    record.BOUNCED: blocks.WARN,
    record.DEFERRED: blocks.WARN,
    record.OTHER: blocks.MUTED,
}
"""The tone of an outcome's chip; the word beside it says the same."""

STATE_TONE: Final = {
    status.LIVE: blocks.GOOD,
    status.STARTING: blocks.INFO,
    status.CONNECTING: blocks.INFO,
    status.CATCHING_UP: blocks.WARN,
    status.WAITING: blocks.WARN,
    status.STOPPED_FAULT: blocks.BAD,
    status.DISABLED: blocks.MUTED,
    status.STOPPED: blocks.MUTED,
}
"""The tone of a collector's state."""

STATE_WORD: Final = {
    status.LIVE: "live",
    status.STARTING: "starting",
    status.CONNECTING: "connecting",
    status.CATCHING_UP: "catching up",
    status.WAITING: "waiting",
    status.STOPPED_FAULT: "needs attention",
    status.DISABLED: "disabled",
    status.STOPPED: "not running",
}


class _Worn:
    tokens: Tokens = _LIGHT


def tokens() -> Tokens:
    """The colours worn at this moment."""
    return _Worn.tokens


def dot(tone: str) -> str:
    """The colour of a state's dot."""
    worn = tokens()
    return {
        blocks.GOOD: worn.dot_good,
        blocks.WARN: worn.dot_warn,
        blocks.BAD: worn.dot_bad,
        blocks.INFO: worn.accent,
    }.get(tone, worn.dot_muted)


def bar(tone: str) -> str:
    """The colour of a bar (histogram, scores)."""
    worn = tokens()
    return {blocks.GOOD: worn.bar_good, blocks.WARN: worn.bar_warn, blocks.BAD: worn.bar_bad}.get(
        tone, worn.bar_muted
    )


class Theme(QObject):
    """Dresses the application: by the desktop's wish, or by the user's choice."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice if choice in CHOICES else SYSTEM
        fonts.load()
        app.setStyle("Fusion")
        app.setFont(fonts.text())
        app.styleHints().colorSchemeChanged.connect(lambda _scheme: self._wear())
        self._wear(force=True)

    @property
    def choice(self) -> str:
        """system, light or dark."""
        return self._choice

    def choose(self, choice: str) -> None:
        """Wear it now; `system` follows the desktop from here on."""
        if choice not in CHOICES:
            raise ValueError(f"{choice!r} is no theme")
        self._choice = choice
        self._wear()

    def _wanted(self) -> Tokens:
        if self._choice == SYSTEM:
            dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return _DARK if dark else _LIGHT
        return _DARK if self._choice == DARK else _LIGHT

    def _wear(self, *, force: bool = False) -> None:
        wanted = self._wanted()
        if wanted is _Worn.tokens and not force:
            return
        from pod_desktop.ui import stylesheet

        _Worn.tokens = wanted
        self._app.setPalette(palette(wanted))
        self._app.setStyleSheet(stylesheet.sheet(wanted))
        self.changed.emit()


def palette(worn: Tokens) -> QPalette:
    """The Qt palette of these colours."""
    made = QPalette()
    role = QPalette.ColorRole
    for name, colour in (
        (role.Window, worn.window), (role.WindowText, worn.text),
        (role.Base, worn.window), (role.AlternateBase, worn.sunken),
        (role.Text, worn.text), (role.PlaceholderText, worn.note),
        (role.Button, worn.window), (role.ButtonText, worn.text), (role.BrightText, worn.on_accent),
        (role.Highlight, worn.selection), (role.HighlightedText, worn.text),
        (role.Link, worn.accent), (role.LinkVisited, worn.accent), (role.Accent, worn.accent),
        (role.ToolTipBase, worn.window), (role.ToolTipText, worn.text),
        (role.Light, worn.line), (role.Midlight, worn.hair), (role.Mid, worn.line),
        (role.Dark, worn.note), (role.Shadow, worn.shadow),
    ):  # fmt: skip
        made.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(worn.dot_muted))
    return made
