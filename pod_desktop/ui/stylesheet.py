"""The one stylesheet, written with the theme's colours. Looks are picked by the properties kind and role."""

from __future__ import annotations

from string import Template
from typing import Final

from pod_desktop.core.resources import resource
from pod_desktop.ui import fonts
from pod_desktop.ui.theme import Tokens


def sheet(worn: Tokens) -> str:
    """The application's stylesheet in these colours."""
    values = {name: getattr(worn, name) for name in worn.__slots__ if isinstance(getattr(worn, name), str)}
    for tone in ("good", "warn", "bad", "info", "muted", "special"):
        ink = getattr(worn, tone)
        values |= {f"{tone}_fore": ink.fore, f"{tone}_back": ink.back}
    icons = resource("icons").as_posix()
    mono = ", ".join(f'"{family}"' for family in fonts.MONO_FAMILIES)
    return Template(_SHEET).substitute(values, icons=icons, mono=mono)


_SHEET: Final = """
QToolTip { background: $window; color: $text; border: 1px solid $line; padding: 4px 6px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 15px; font-weight: 600; }
QLabel[role="display"] { font-size: 20px; font-weight: 600; }
QLabel[role="heading"], QLabel[role="strong"] { font-weight: 600; }
QLabel[role="label"] { font-weight: 500; }
QLabel[role="note"] { color: $note; }
QLabel[role="small"] { color: $note; font-size: 12px; }
QLabel[role="mono"] { font-family: $mono; font-size: 12px; }
QLabel[role="fault"] { color: $bad_fore; font-size: 12px; }
QLabel[role="help"] { color: $note; font-size: 12px; }

QMenuBar { background: $window; border-bottom: 1px solid $line; padding: 0; spacing: 0; }
QMenuBar::item { background: transparent; padding: 5px 9px; margin: 0; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $accent_soft; color: $accent; }
QLabel[role="brand"] { font-weight: 600; padding: 0 8px 0 14px; background: $window; border-bottom: 1px solid $line; }
QMenu { background: $window; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 22px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $accent; }
QMenu::item:disabled { color: $dot_muted; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px 6px; }
QMenu::indicator { width: 12px; height: 12px; left: 6px; }

QPushButton { background: $window; color: $text; border: 1px solid $line; border-radius: 6px; padding: 5px 11px; font-weight: 500; min-height: 16px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $accent_soft; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $dot_muted; background: $sunken; }
QPushButton:checked { background: $accent_soft; border-color: $accent; color: $accent; }
QPushButton[kind="menu"] { font-weight: 400; padding: 5px 9px; }
QPushButton[kind="menu"]::menu-indicator { width: 0; image: none; }
QPushButton[kind="primary"] { background: $accent; border-color: $accent; color: $on_accent; }
QPushButton[kind="primary"]:hover { background: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; padding: 4px 10px; }
QPushButton[kind="primary"]:disabled { background: $sunken; border-color: $line; color: $dot_muted; }
QPushButton[kind="danger"] { color: $bad_fore; }
QPushButton[kind="danger"]:focus { border-color: $bad_fore; }
QPushButton[kind="danger"]:disabled { color: $dot_muted; }
QPushButton[kind="link"] { border: 1px solid transparent; background: transparent; color: $accent; padding: 2px 3px; font-weight: 400; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border-color: $accent; }
QPushButton[kind="flat"] { border-color: transparent; background: transparent; font-weight: 400; color: $note; padding: 2px 6px; }
QPushButton[kind="flat"]:hover { background: $hover; color: $text; }
QPushButton[kind="flat"]:focus { border-color: $accent; }
QPushButton[kind="facet"] { border: 1px solid transparent; border-radius: 4px; background: transparent; font-weight: 400; font-size: 11px; color: $note; padding: 0 3px; min-height: 12px; }
QPushButton[kind="facet"]:hover { color: $accent; }
QPushButton[kind="facet"]:focus { border-color: $accent; }
QPushButton[kind="state"] { border: 1px solid transparent; border-radius: 4px; background: transparent; font-weight: 400; font-size: 12px; color: $note; padding: 1px 5px; min-height: 14px; }
QPushButton[kind="state"][dot="true"] { padding-left: 18px; }
QPushButton[kind="state"]:hover { background: $hover; color: $text; }
QPushButton[kind="state"]:focus { border-color: $accent; }
QPushButton[kind="pill"] { background: $accent; color: $on_accent; border: 1px solid $accent; border-radius: 13px; padding: 4px 14px; }
QPushButton[kind="pill"]:hover { background: $accent_hover; }
QPushButton[kind="pill"]:focus { border: 2px solid $text; padding: 3px 13px; }

QLineEdit, QPlainTextEdit, QSpinBox, QDateTimeEdit { background: $window; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 9px; selection-background-color: $selection; selection-color: $text; }
QLineEdit { min-height: 18px; }
QSpinBox QLineEdit, QDateTimeEdit QLineEdit { border: none; padding: 0 8px; background: transparent; }
/* ButtonSymbols.NoButtons leaves a styled spin box no room for its text. */
QSpinBox::up-button, QSpinBox::down-button { width: 0; border: none; }
QLineEdit:focus, QPlainTextEdit:focus, QSpinBox:focus, QDateTimeEdit:focus, QComboBox:focus { border-color: $accent; }
QLineEdit:disabled, QPlainTextEdit:disabled, QSpinBox:disabled, QDateTimeEdit:disabled, QComboBox:disabled { background: $sunken; color: $note; }
QLineEdit[fault="true"], QPlainTextEdit[fault="true"], QComboBox[fault="true"] { border-color: $dot_bad; }
QPlainTextEdit[role="code"] { font-family: $mono; font-size: 12px; }
QPlainTextEdit[role="code"][readOnly="true"] { background: $sunken; }
QPlainTextEdit[role="viewer"] { font-family: $mono; font-size: 12px; border: none; border-radius: 0; padding: 4px; }
QPlainTextEdit[role="query"] { font-family: $mono; font-size: 12px; padding: 6px 6px 5px 6px; border-radius: 6px; border-left-width: 4px; border-left-color: $line; }
QPlainTextEdit[role="query"][state="valid"] { border-color: $dot_good; }
QPlainTextEdit[role="query"][state="fault"] { border-color: $dot_bad; }
QPlainTextEdit[role="query"][state="empty"]:focus { border-color: $accent; }
QLineEdit[role="mono"] { font-family: $mono; font-size: 12px; }
QComboBox { background: $window; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 9px; min-height: 18px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url($icons/chevron-$name.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $window; border: 1px solid $line; selection-background-color: $accent_soft; selection-color: $accent; outline: none; }
QCheckBox, QRadioButton { spacing: 7px; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $dot_muted; background: $window; }
QCheckBox::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($icons/check-$name.svg); }
QRadioButton::indicator:checked { border: 5px solid $accent; width: 6px; height: 6px; background: $window; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus, QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $sunken; border-color: $line; }
QCheckBox::indicator:checked:disabled { background: $dot_muted; border-color: $dot_muted; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QAbstractScrollArea::corner { background: $window; border: none; }

QFrame[role="card"] { background: $window; border: 1px solid $line; border-radius: 8px; }
QFrame[role="card"][chosen="true"] { background: $accent_soft; border-color: $accent; }
QFrame[role="line"] { background: $line; border: none; }
QFrame[role="sunken"], QWidget[role="sunken"] { background: $sunken; }
QWidget[role="bar"] { background: $window; border: none; border-bottom: 1px solid $line; }
QWidget[role="pane"] { background: $window; }
QScrollArea, QScrollArea > QWidget > QWidget[role="page"] { background: $window; border: none; }
QScrollArea > QWidget > QWidget[role="sunken"] { background: $sunken; }

QFrame[notice="good"] { background: $good_back; border-radius: 6px; }
QFrame[notice="warn"] { background: $warn_back; border-radius: 6px; }
QFrame[notice="bad"] { background: $bad_back; border-radius: 6px; }
QFrame[notice="info"] { background: $info_back; border-radius: 6px; }
QFrame[notice="muted"] { background: $muted_back; border-radius: 6px; }
QFrame[notice="good"] QLabel { color: $good_fore; }
QFrame[notice="warn"] QLabel { color: $warn_fore; }
QFrame[notice="bad"] QLabel { color: $bad_fore; }
QFrame[notice="info"] QLabel { color: $info_fore; }
QFrame[notice="muted"] QLabel { color: $muted_fore; }
QLabel[chip="good"] { background: $good_back; color: $good_fore; }
QLabel[chip="warn"] { background: $warn_back; color: $warn_fore; }
QLabel[chip="bad"] { background: $bad_back; color: $bad_fore; }
QLabel[chip="info"] { background: $info_back; color: $info_fore; }
QLabel[chip="muted"] { background: $muted_back; color: $muted_fore; }
QLabel[chip="special"] { background: $special_back; color: $special_fore; }
QLabel[role="chip"] { border-radius: 4px; padding: 1px 7px 2px 7px; font-size: 12px; font-weight: 500; }

QTabBar { background: transparent; font-weight: 500; }
QTabBar::tab { background: transparent; color: $note; padding: 7px 12px 8px 12px; border: none; border-bottom: 2px solid transparent; }
QTabBar[narrow="true"]::tab { padding: 7px 6px 8px 6px; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $accent; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { background: $accent_soft; }
QTabBar::tab:disabled { color: $dot_muted; }

QHeaderView { background: $window; border: none; }
QHeaderView::section { background: $window; color: $note; border: none; border-bottom: 1px solid $line; padding: 0 8px; font-size: 12px; font-weight: 600; }
QTableView, QTreeView, QListView { background: $window; border: none; outline: none; gridline-color: $hair; selection-background-color: $selection; selection-color: $text; }
QTableView::item { border-bottom: 1px solid $hair; padding: 0 8px; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected { background: $selection; color: $text; }
QTreeView::item { padding: 3px 4px; }
QListView::item { padding: 6px 10px; border-radius: 4px; }
QTableCornerButton::section { background: $window; border: none; }

QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar[role="thin"]:vertical { width: 7px; }
QScrollBar::handle { background: $scroll; border-radius: 4px; margin: 2px; }
QScrollBar[role="thin"]::handle { background: $line; border-radius: 2px; margin: 1px 2px 1px 1px; }
QScrollBar[role="thin"]::handle:hover { background: $dot_muted; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $dot_muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }
QProgressBar { background: $muted_back; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QDialog { background: $window; }
QFrame[role="popup"] { background: $window; border: 1px solid $line; border-radius: 8px; }
"""
