"""The main window: menu bar, rail, pages, status bar. It is built of a desk and of pages; it opens nothing.

window = MainWindow(desk, Preferences(QSettings(…)), theme, data_dir="…")
window.add_page(Page(key="connectors", group=MANAGE, title="Connectors", make=…))
window.set_first_run(make)            what stands there while nothing is configured and nothing stored
window.createConnector, window.importRequested(list[Path]), window.quitRequested(stop_collecting)
panel = window.start_activity("Importing 2 files"); panel.progress(…); panel.finish(…, bad_lines)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QMenuBar,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from pod_desktop import __version__
from pod_desktop.core.resources import resource
from pod_desktop.core.text import plural
from pod_desktop.ui import bugs
from pod_desktop.ui.bridge import Desk, Overview, Worker
from pod_desktop.ui.detail.windows import RecordWindows
from pod_desktop.ui.events.page import EventsPage
from pod_desktop.ui.files import Files, dropped
from pod_desktop.ui.menus import EVENTS, SETTINGS, Menus
from pod_desktop.ui.moments import Zone, amount
from pod_desktop.ui.palette import CommandPalette, ShortcutsDialog
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.profiles import Profiles
from pod_desktop.ui.rail import HUNT, MANAGE, Page, Rail
from pod_desktop.ui.settingspage import SettingsPage
from pod_desktop.ui.statusbar import StatusBar
from pod_desktop.ui.text import PlainLabel, copy
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.widgets import Button, Notice, hairline
from pod_desktop.ui.widgets.activity import ActivityPanel

OVERVIEW_MS: Final = 1_000
CONNECTORS: Final = "connectors"
_COMPARED: Final = 2
_FIRST_SIZE: Final = QSize(1440, 900)
# The desktop tells how large its title bar and borders are only after the window is shown;
# this is as much as the common ones take, in pixels of the toolkit.
_FRAME: Final = QSize(8, 40)


def first_size(available: QSize) -> QSize:
    """The size of a window never shown before, in pixels: with its frame it fits into `available`."""
    return _FIRST_SIZE.boundedTo(available - _FRAME)


class MainWindow(QMainWindow):
    """The program's window."""

    createConnector = Signal()
    importRequested = Signal(object)
    """A list of Paths: files and folders."""
    quitRequested = Signal(bool)
    """True: stop collecting too."""
    helpRequested = Signal()
    reloaded = Signal()
    """Another profile is in use."""
    preferenceChosen = Signal(str, object)
    """(key of core.settings, value) of what was chosen outside the Settings page."""

    def __init__(
        self,
        desk: Desk,
        preferences: Preferences,
        theme: Theme,
        *,
        data_dir: str = "",
        zone: Zone | None = None,
        make_settings: Callable[[], SettingsPage] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.preferences = preferences
        self.theme = theme
        self.zone = zone or Zone(utc=preferences.utc)
        self._settings_page = make_settings or (lambda: SettingsPage(preferences, data_dir))
        self._pages: dict[str, Page] = {}
        self._made: dict[str, QWidget] = {}
        self._first_run: QWidget | None = None
        self._current = ""
        self._overview: Overview | None = None
        self._closing = False
        self._when_painted: list[Callable[[], None]] = []
        self.setWindowTitle("POD Desktop")
        self.setWindowIcon(QIcon(str(resource("icons/pod-desktop.svg"))))
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 560)
        # Never larger than the screen; a remembered geometry comes later.
        self.resize(first_size(self.screen().availableSize()))
        self._overview_worker = Worker("overview", self)
        self.events = EventsPage(desk, preferences, self.zone)
        self._build()
        self.files = Files(self, desk, self.events, self.start_activity)
        self.records = RecordWindows(self.events)
        self.profiles = Profiles(self)
        self.menus = Menus(self)
        self.commands = self.menus.commands
        self._show_panes()
        self._connect()
        self.restoreGeometry(preferences.state("window/geometry"))
        self._watch = QTimer(self, interval=OVERVIEW_MS)
        self._watch.timeout.connect(self.refresh_overview)
        self._watch.start()
        self.refresh_overview()

    # Building

    def _build(self) -> None:
        self.rail = Rail()
        self.stack = QStackedWidget()
        self.status = StatusBar(self.zone)
        self.bug_bar = Notice(
            tone="bad",
            button=Button("Copy details", "link", self._copy_bug, name="Copy details of the error"),
        )
        self.bug_bar.hide()
        self._bug = ""
        self.activities = QVBoxLayout()
        self.activities.setSpacing(6)
        self.activities.setContentsMargins(12, 0, 12, 0)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.bug_bar)
        middle.addWidget(self.stack, 1)
        middle.addLayout(self.activities)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(hairline(vertical=True))
        row.addLayout(middle, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(hairline())
        column.addWidget(self.status)
        self.setCentralWidget(whole)
        self.setMenuWidget(self._top_line())
        self.add_page(Page(key=EVENTS, group=HUNT, title="Events", make=lambda: self.events))
        self.add_page(Page(key=SETTINGS, group=MANAGE, title="Settings", make=self._make_settings, place=99))
        self.go(EVENTS)

    def _top_line(self) -> QWidget:
        self.menu_bar = QMenuBar()
        self.menu_bar.setNativeMenuBar(False)
        self.menu_bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.menu_bar.setFixedHeight(28)
        line = QWidget()
        line.setFixedHeight(28)
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(PlainLabel("POD Desktop", "brand"))
        row.addWidget(self.menu_bar, 1)
        return line

    def _make_settings(self) -> QWidget:
        page = self._settings_page()
        page.theme_chosen.connect(self.choose_theme)
        page.zone_chosen.connect(self.use_utc)
        return page

    def _connect(self) -> None:
        self.rail.chosen.connect(self.go)
        self.status.zone_clicked.connect(lambda: self.use_utc(not self.zone.utc))
        self.events.counted.connect(lambda _total: self._badge_events())
        self.events.export_asked.connect(self.files.export)
        self.events.facets_shown.connect(self.menus.facets.setChecked)
        self.events.float_asked.connect(self.records.open)
        self.files.chosen.connect(self.importRequested)
        self.events.following_changed.connect(self.menus.follow.setChecked)
        self.theme.changed.connect(self.restyle)
        bugs.bugs().seen.connect(self._bug_seen)
        self.events.detail.closed.connect(lambda: self.menus.detail.setChecked(False))
        self.events.table.opened.connect(lambda: self.menus.detail.setChecked(True))

    def _show_panes(self) -> None:
        self.show_detail_pane(self.preferences.flag("events/detail", True))
        shown = self.preferences.flag("events/histogram", True)
        self.events.strip.setVisible(shown)
        self.menus.histogram.setChecked(shown)
        self.menus.facets.setChecked(not self.events.facets.isHidden())

    def reload(self) -> None:
        """Another profile: sizes, panes and queries as they were left there."""
        self.restoreGeometry(self.preferences.state("window/geometry"))
        self._show_panes()
        self.events.reload()
        self.reloaded.emit()

    # Pages

    def add_page(self, page: Page) -> None:
        """Show a page in the rail; it is made when first shown."""
        self._pages[page.key] = page
        self.rail.add(page)
        if page.key not in (EVENTS, SETTINGS):
            self.menus.add_page(page.title, lambda: self.go(page.key))

    def page(self, key: str) -> QWidget:
        """A page's widget, made now if it never was."""
        if key not in self._made:
            self._made[key] = self._pages[key].make()
            self.stack.addWidget(self._made[key])
        return self._made[key]

    def has_page(self, key: str) -> bool:
        """Whether the page is registered."""
        return key in self._pages

    def go(self, key: str) -> None:
        """Show a page."""
        self._current = key
        self.rail.show_chosen(key)
        first_run = self._first_run
        welcome = key == EVENTS and first_run is not None and self._nothing_yet()
        front = first_run if welcome and first_run is not None else self.page(key)
        # A page that was left gets its focus back from Qt; a new one would get it at its first button, whatever
        # that does.
        left = front.focusWidget() is not None
        self.stack.setCurrentWidget(front)
        if not left or not front.isAncestorOf(self.focusWidget() or self):
            # No focus proxies on pages: a proxy inside its own widget bends the tab order into a circle.
            getattr(front, "focus_first", front.setFocus)()

    def set_first_run(self, make: Callable[[], QWidget]) -> None:
        """What stands on Events while no connector is configured and no record stored."""
        self._first_run = make()
        self.stack.addWidget(self._first_run)
        self.go(self._current)

    def _nothing_yet(self) -> bool:
        seen = self._overview
        return (
            seen is not None and seen.connectors == 0 and seen.records == 0 and self.events.model.total == 0
        )

    def on_events(self, run: Callable[[], object]) -> None:
        """Go to Events, then do it."""
        self.go(EVENTS)
        run()

    # What the frame shows

    def refresh_overview(self) -> None:
        """Ask the desk how the whole is."""
        self._overview_worker.ask(self.desk.overview, self._overviewed, owner=self, key="overview")

    def _overviewed(self, overview: Overview) -> None:
        self._overview = overview
        self.status.show_overview(overview)
        self.events.overview(overview)
        self._badge_events()
        first_run = self._first_run
        if self._current == EVENTS and first_run is not None:
            shown = self.stack.currentWidget() is first_run
            if shown != self._nothing_yet():
                self.go(EVENTS)

    def _badge_events(self) -> None:
        if (button := self.rail.button(EVENTS)) is not None:
            records = self._overview.records if self._overview is not None else 0
            count = max(records, self.events.model.total)
            button.badge(amount(count), meaning=plural(count, "record"))

    def _bug_seen(self, line: str, whole: str) -> None:
        self._bug = whole
        self.bug_bar.say(
            f"{line[:300]} Collecting goes on. Details are in the log.",
            "bad",
            "Something unexpected happened",
        )

    def _copy_bug(self) -> None:
        copy(self._bug)
        self.bug_bar.hide()

    # Looks

    def choose_theme(self, choice: str) -> None:
        """Wear it now and keep it."""
        self.preferences.theme = choice
        self.preferenceChosen.emit("theme", choice)
        self.theme.choose(choice)
        self.menus.themes[choice].setChecked(True)
        self._refresh_settings()

    def use_utc(self, utc: bool) -> None:
        """Show times in UTC or in the computer's zone, everywhere."""
        self.preferences.utc = utc
        self.preferenceChosen.emit("time_zone", "utc" if utc else "local")
        self.zone.use_utc(utc)
        self.menus.utc.setChecked(utc)
        self.status.show_zone()
        self._refresh_settings()
        self.restyle()

    def _refresh_settings(self) -> None:
        page = self._made.get(SETTINGS)
        if isinstance(page, SettingsPage):
            page.refresh()

    def restyle(self) -> None:
        """Colours or times are others from now on."""
        for page in self._made.values():
            getattr(page, "restyle", page.update)()

    def toggle_detail(self) -> None:
        """Show or hide the record pane."""
        self.show_detail_pane(self.events.detail.isHidden())

    def show_detail_pane(self, shown: bool) -> None:
        """Show or hide the record pane."""
        self.events.show_detail(shown)
        self.menus.detail.setChecked(shown)

    def toggle_facets(self) -> None:
        """Show or hide the facets."""
        self.events.choose_facets(self.events.facets.isHidden())
        self.menus.facets.setChecked(not self.events.facets.isHidden())

    def toggle_histogram(self) -> None:
        """Show or hide the histogram."""
        shown = self.events.strip.isHidden()
        self.events.strip.setVisible(shown)
        self.menus.histogram.setChecked(shown)
        self.preferences.set_flag("events/histogram", shown)

    def toggle_full_screen(self) -> None:
        """Full screen or not."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_tab(self, tab: int) -> None:
        """A tab of the record pane."""
        self.go(EVENTS)
        self.show_detail_pane(True)
        self.events.detail.show_tab(tab)

    # Commands

    def to_query(self) -> None:
        """Go to the query bar."""
        self.go(EVENTS)
        self.events.query.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.events.query.line.selectAll()

    def copy_rows(self) -> None:
        """The selected rows as text, tabs between the visible columns."""
        self.events.on_records.copy_text()

    def copy_json(self) -> None:
        """The selected records as JSON, one a line, as the command line prints them."""
        self.events.on_records.copy_json()

    def float_current(self) -> None:
        """The record that is read, in a window of its own."""
        if (row := self.events.table.current()) is not None:
            self.records.open(row)

    def compare_selected(self) -> None:
        """Two selected records beside each other."""
        rows = self.events.table.chosen_rows()
        if len(rows) == _COMPARED:
            self.records.compare(*rows)
        else:
            self.bug_bar.say("Select two rows (Ctrl+click), then compare them.", "info", "Compare")

    def open_palette(self) -> None:
        """All commands, to be typed."""
        CommandPalette(self.commands.actions, self).open_over(self)

    def show_shortcuts(self) -> None:
        """All keys."""
        menus = {name: menu.actions() for name, menu in self.commands.menus.items()}
        ShortcutsDialog(menus, self).open()

    def show_about(self) -> None:
        """What this is, in the bug bar's place."""
        self.bug_bar.say(
            f"Version {__version__}. Collects Proofpoint on Demand mail logs, shows and searches them. MIT licence; "
            "the fonts Inter and JetBrains Mono are under the SIL Open Font License.",
            "info",
            "POD Desktop",
        )

    def start_activity(self, title: str) -> ActivityPanel:
        """A strip at the bottom for something long."""
        panel = ActivityPanel(title)
        self.activities.addWidget(panel)
        panel.show()
        self.activities.setContentsMargins(12, 6, 12, 8)
        panel.destroyed.connect(self._activity_gone)
        return panel

    def _activity_gone(self) -> None:
        if self.activities.count() == 0:
            self.activities.setContentsMargins(12, 0, 12, 0)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := dropped(event.mimeData()):
            event.acceptProposedAction()
            self.importRequested.emit(paths)

    # The end

    def quit(self, *, stop_collecting: bool) -> None:
        """Close the window; collecting goes on or stops."""
        self._closing = True
        self.keep_state()
        self.quitRequested.emit(stop_collecting)

    def when_painted(self, run: Callable[[], None]) -> None:
        """Run it once, right after the window has first been painted."""
        self._when_painted.append(run)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        waiting, self._when_painted = self._when_painted, []
        for run in waiting:
            QTimer.singleShot(0, run)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.events.isAncestorOf(self.focusWidget() or self):
            self.events.focus_first()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing asks to quit; whoever composed the window stops what runs and then hides it."""
        if not self._closing:
            event.ignore()
            self.quit(stop_collecting=not self.preferences.keep_collecting)
        else:
            event.accept()

    def keep_state(self) -> None:
        """Remember geometry, splits, columns."""
        self.preferences.keep("window/geometry", QByteArray(self.saveGeometry()))
        self.events.keep_splits()
        self.preferences.sync()

    def stop(self) -> None:
        """Stop asking; after this the desk may be closed."""
        self._watch.stop()
        self.records.close_all()
        self.events.stop()
        self.files.stop()
        self._overview_worker.stop()
