"""The signs in our own words: each is in a face that we bring, whatever fonts the computer has."""

from __future__ import annotations

import ast
from pathlib import Path

from PySide6.QtGui import QRawFont
from pytestqt.qtbot import QtBot

import pod_desktop.ui
from pod_desktop.ui import fonts
from pod_desktop.ui.theme import Theme

_NOT_WORDS = {"text.py"}
"""Names the characters that are never drawn as they are."""


def _signs() -> dict[str, str]:
    """Characters beyond ASCII in the texts of ui's code (not in its docstrings), and where."""
    found: dict[str, str] = {}
    for path in sorted(Path(pod_desktop.ui.__file__).parent.rglob("*.py")):
        if path.name in _NOT_WORDS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
                for sign in node.value:
                    if ord(sign) > 126 and sign.isprintable():
                        found.setdefault(sign, f"{path.name}:{node.lineno}")
    return found


def test_every_sign_in_our_words_is_in_a_face_that_we_bring(qtbot: QtBot, worn: Theme) -> None:
    faces = [QRawFont(str(file), 13) for file in sorted((fonts.resources() / "fonts").glob("Inter-R*.otf"))]
    faces += [QRawFont(str(file), 13) for file in sorted((fonts.resources() / "fonts").glob("*-Regular.ttf"))]
    assert len(faces) == 2 and all(face.isValid() for face in faces)
    missing = {sign: where for sign, where in _signs().items() if not any(map(_has(sign), faces))}
    assert missing == {}


def _has(sign: str):
    return lambda face: face.supportsCharacter(ord(sign))
