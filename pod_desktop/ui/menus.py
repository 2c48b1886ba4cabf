"""The window's menus: which commands there are, under which words and keys."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QAction, QActionGroup

from pod_desktop.ui.commands import WORDS, Command, Commands, plain_words
from pod_desktop.ui.detail.pane import FIELDS, JSON, SUMMARY
from pod_desktop.ui.events.onrecords import NOT_IN_MENU
from pod_desktop.ui.settingspage import THEME_WORDS

if TYPE_CHECKING:
    from pod_desktop.ui.window import MainWindow

EVENTS = "events"
SETTINGS = "settings"
PAGES: Final = ("Statistics", "Automation", "Action History", "Connectors", "Lists")
"""What stands between Events and Settings in the rail, from its top; their keys go by it."""


class Menus:
    """Makes them; keeps the switches whose state others change."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.commands = Commands(window, window.menu_bar)
        self.themes: dict[str, QAction] = {}
        self._later_pages: list[int] = []
        self._file()
        self._edit()
        self._view()
        self._go()
        self._record()
        self._tools_and_help()
        self._crowd_no_menu(
            "Copy Rows as JSON", "Copy Rows as CSV", "Select All Rows", "Next Mark", "Previous Mark"
        )

    def _add(self, menu: str, words: str, run: Callable[[], object], *keys: str, **more: object) -> QAction:
        return self.commands.add(Command(menu=menu, words=words, run=run, keys=keys, **more))  # type: ignore[arg-type]

    def add(self, menu: str, words: str, run: Callable[[], object], *keys: str, **more: object) -> QAction:
        """A command of a part of the window that comes later; `more` as in Command."""
        return self._add(menu, words, run, *keys, **more)

    def _file(self) -> None:
        window = self._window
        self._add("File", "&Create Connector …", window.createConnector.emit, "Ctrl+N")
        self._add("File", "&Open Log Files …", window.files.choose_files, "Ctrl+O", gap=True)
        self._add("File", "Open Log &Folder …", window.files.choose_folder)
        self._add("File", "&Export as CSV …", lambda: window.files.export("csv"), "Ctrl+E", gap=True)
        self._add("File", "Export as &NDJSON, raw …", lambda: window.files.export("ndjson"), "Ctrl+Shift+E")
        self._add("File", "Export as &Parquet …", lambda: window.files.export("parquet"))
        self._add("File", "Export Se&lected as CSV …", lambda: window.files.export("csv", "selected"))
        self._add("File", "Export &Marked as CSV …", lambda: window.files.export("csv", "marked"))
        self._add("File", "&Quit", lambda: window.quit(stop_collecting=False), "Ctrl+Q", gap=True)
        self._add(
            "File", "Quit and &Stop Collecting", lambda: window.quit(stop_collecting=True), "Ctrl+Shift+Q"
        )

    def _edit(self) -> None:
        window = self._window
        events, table = window.events, window.events.table
        self._add("Edit", "&Copy Rows as Text", window.copy_rows, "Ctrl+C", within=table)
        self._add("Edit", "Copy Rows as &JSON", window.copy_json, "Ctrl+Shift+C", within=table)
        self._add("Edit", "Copy Rows as CS&V", events.on_records.copy_csv, within=table)
        self._add("Edit", "Select &All Rows", table.selectAll, "Ctrl+A", within=table)
        self._add("Edit", "&Find", window.to_query, "Ctrl+F", "/", gap=True)
        self._add(
            "Edit",
            "Clear &Query",
            lambda: window.on_events(lambda: events.query.set_text("")),
            "Ctrl+Shift+F",
        )
        self._add("Edit", "&Save Query …", lambda: window.on_events(events.toolbar.saved.ask_name), "Ctrl+S")
        self._add("Edit", "&Time Range …", self._choose_range, "Ctrl+T")

    def _choose_range(self) -> None:
        """Of the page in front, if it has one; else of Events."""
        window = self._window
        here = getattr(window.stack.currentWidget(), "choose_range", None)
        if here is not None:
            here()
        else:
            window.on_events(window.events.choose_range)

    def _view(self) -> None:
        window = self._window
        table = window.events.table
        self.follow = self._add("View", "&Follow New Records", table.pause, "Ctrl+L", checkable=True)
        self.follow.setChecked(True)
        self.detail = self._add("View", "Record Pa&ne", window.toggle_detail, "F9", checkable=True)
        self.histogram = self._add("View", "&Histogram", window.toggle_histogram, "F8", checkable=True)
        self.facets = self._add("View", "F&acets", window.toggle_facets, "F7", checkable=True)
        columns = self.commands.menus["View"].addMenu("&Columns")
        columns.aboutToShow.connect(lambda: table.columns.fill_menu(columns))
        self._add("View", "Add Column of An&y Field …", window.events.on_records.choose_column)
        self._add("View", "Colour &Rules …", window.events.on_records.edit_rules)
        profiles = self.commands.menus["View"].addMenu("&Profile")
        profiles.aboutToShow.connect(lambda: window.profiles.fill_menu(profiles))
        self._theme_menu()
        self.utc = self._add(
            "View", "Times in &UTC", lambda: window.use_utc(not window.zone.utc), "Ctrl+U", checkable=True
        )
        self.utc.setChecked(window.zone.utc)
        self._add("View", "Full &Screen", window.toggle_full_screen, "F11")

    def _go(self) -> None:
        window = self._window
        table = window.events.table
        self._add("Go", "&Events", lambda: window.go(EVENTS), "Ctrl+1")
        self._add("Go", "&Settings", lambda: window.go(SETTINGS), "Ctrl+,")
        self._add("Go", "&Newest Record", lambda: window.on_events(table.to_newest), "Ctrl+Home", gap=True)
        self._add("Go", "Ne&xt Record", lambda: window.on_events(lambda: table.go(1)), "Ctrl+Down")
        self._add("Go", "&Previous Record", lambda: window.on_events(lambda: table.go(-1)), "Ctrl+Up")

    def add_page(self, title: str, show: Callable[[], object]) -> None:
        """A command for a page that was registered later: Ctrl+2, Ctrl+3, … from the top of the rail."""
        number = PAGES.index(title) if title in PAGES else len(PAGES)
        action = self._add("Go", title.replace("&", "&&"), show, f"Ctrl+{number + 2}")
        menu = self.commands.menus["Go"]
        menu.removeAction(action)
        bisect.insort(self._later_pages, number)
        menu.insertAction(menu.actions()[self._later_pages.index(number) + 1], action)

    def _crowd_no_menu(self, *words: str) -> None:
        """Commands of the table that the menu of a cell leaves to the menu bar."""
        for action in self._window.events.table.actions():
            if plain_words(action) in words:
                action.setProperty(NOT_IN_MENU, True)

    def _record(self) -> None:
        window = self._window
        events, detail = window.events, window.events.detail
        self._add("Record", "&Open Record", lambda: window.on_events(events.open_detail), "Ctrl+Return")
        self._add("Record", "&Summary", lambda: window.show_tab(SUMMARY), "Alt+1", gap=True)
        self._add("Record", "&Fields", lambda: window.show_tab(FIELDS), "Alt+2")
        self._add("Record", "&JSON", lambda: window.show_tab(JSON), "Alt+3")
        self._add("Record", "&Copy Record as Received", detail.copy_raw, gap=True)
        on_records, table = events.on_records, events.table
        self._add("Record", "&Mark, or Take the Mark Away", on_records.mark, "M", within=table, gap=True)
        self._add("Record", "Commen&t …", on_records.comment, "C", within=table)
        self._add("Record", "&Next Mark", lambda: on_records.next_mark(1), "N", within=table)
        self._add("Record", "&Previous Mark", lambda: on_records.next_mark(-1), "Shift+N", within=table)
        self._add("Record", "Open in Own &Window", window.float_current, "Ctrl+Shift+O", gap=True)
        self._add("Record", "Comp&are Two Selected", window.compare_selected, "Ctrl+D")

    def _tools_and_help(self) -> None:
        window = self._window
        events = window.events
        self._add("Tools", "Command &Palette …", window.open_palette, "Ctrl+K")
        self._add("Tools", "Search &Again", lambda: window.on_events(events.ask), "F5")

        self._add("Help", "&Keyboard Shortcuts", window.show_shortcuts, "?", "F1")
        self._add("Help", "How to &Get the Cluster ID and API Key", window.helpRequested.emit, gap=True)
        self._add("Help", "&About POD Desktop", window.show_about, gap=True)

    def _theme_menu(self) -> None:
        window, menu = self._window, self.commands.menus["View"].addMenu("&Theme")
        group = QActionGroup(window)
        for choice, words in THEME_WORDS.items():
            action = menu.addAction(words)
            action.setProperty(WORDS, f"Theme: {words.replace('&', '')}")
            action.setCheckable(True)
            action.setChecked(choice == window.preferences.theme)
            action.triggered.connect(lambda _on=False, choice=choice: window.choose_theme(choice))
            group.addAction(action)
            self.themes[choice] = action
            self.commands.actions.append(action)
