"""Qt's traps, kept shut: None references, text that becomes markup, dialogs that stop the loop."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pod_desktop"
TEXT_DOOR = PACKAGE / "ui" / "text.py"

MARKUP_CLASSES = {
    "QLabel": "PlainLabel of ui/text.py",
    "QMessageBox": "a dialog of our own with PlainLabel",
    "QTextEdit": "QPlainTextEdit and block() of ui/text.py",
    "QTextBrowser": "QPlainTextEdit and block() of ui/text.py",
    "QErrorMessage": "a dialog of our own with PlainLabel",
    "QProgressDialog": "a dialog of our own with PlainLabel",
    "QInputDialog": "a dialog of our own with PlainLabel",
    "QWizard": "a dialog of our own with PlainLabel",
    "QWhatsThis": "help pages of our own",
    "QDesktopServices": "copy() of ui/text.py; nothing of a record is opened",
}
"""Classes that take a text for HTML when it looks so, and open what it links to -> what to use."""
MARKUP_CALLS = {
    "setHtml": "setPlainText",
    "insertHtml": "insertPlainText",
    "appendHtml": "appendPlainText",
    "setMarkdown": "setPlainText",
    "setWhatsThis": "setToolTip(tip(…)) of ui/text.py",
    "setInformativeText": "PlainLabel of ui/text.py",
    "setDetailedText": "PlainLabel of ui/text.py",
    "setOpenExternalLinks": "copy() of ui/text.py; nothing of a record is opened",
}
TIPS = {"setToolTip", "showText"}
STOPPING_CALLS = {"exec", "exec_"}
"""Nested loops: inside a coroutine they kill other tasks for good (qasync)."""


def problems(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what to do instead) of everything in a file that could interpret outside text or stop the loop."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PySide6"):
            for alias in node.names:
                if alias.name in MARKUP_CLASSES:
                    yield node.lineno, f"{alias.name}: use {MARKUP_CLASSES[alias.name]}"
        elif isinstance(node, ast.Attribute) and node.attr in MARKUP_CLASSES:
            yield node.lineno, f"{node.attr}: use {MARKUP_CLASSES[node.attr]}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in MARKUP_CALLS:
                yield node.lineno, f"{name}(): use {MARKUP_CALLS[name]}"
            elif name in STOPPING_CALLS:
                yield node.lineno, f"{name}(): use open() and its finished signal"
            elif name in TIPS and not any(map(is_safe_tip, node.args)):
                yield node.lineno, f"{name}(): give it tip(…) of ui/text.py or plain words of ours"


def is_safe_tip(argument: ast.expr) -> bool:
    """Words of ours without markup, or what comes out of the text door."""
    match argument:
        case ast.Constant(value=str(words)):
            return "<" not in words
        case ast.Call(func=ast.Name(id="tip") | ast.Attribute(attr="tip")):
            return True
    return False


def test_outside_text_reaches_the_screen_through_one_door() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {advice}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != TEXT_DOOR
        for line, advice in problems(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


def test_the_lint_finds_what_it_is_for() -> None:
    bad = """
from PySide6.QtWidgets import QLabel, QWidget
QtWidgets.QMessageBox.warning(None, "a", text)
view.setHtml(text)
dialog.exec()
row.setToolTip(subject)
row.setToolTip("<b>x</b>")
QToolTip.showText(point, subject)
"""
    good = """
row.setToolTip("plain words")
row.setToolTip(tip(subject))
item.setToolTip(0, text.tip(subject))
QToolTip.showText(point, tip(subject), row)
view.setPlainText(text)
dialog.open()
"""
    assert sorted(line for line, _ in problems(ast.parse(bad))) == [2, 3, 4, 5, 6, 7, 8]
    assert not list(problems(ast.parse(good)))


def test_void_calls_do_not_use_none_up() -> None:
    """PySide6 6.12 on Python 3.11 loses a reference to None with each void call, and aborts after 5,200."""
    probe = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication, QLineEdit\n"
        "application = QApplication([])\n"
        "field = QLineEdit()\n"
        "before = sys.getrefcount(None)\n"
        "for number in range(2_000): field.setText(str(number))\n"
        "print(abs(sys.getrefcount(None) - before))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False,
        env={"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    # From 3.12 on None is immortal and its count says nothing; not to have aborted is the proof.
    assert sys.version_info >= (3, 12) or int(answer.stdout) < 100
