"""Text on a terminal and in a pipe: always UTF-8, never a control sequence out of a record."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import BinaryIO

from pod_desktop.core import text as core_text

PIPE_WIDTH = 240
"""Columns of a table that does not go to a terminal."""
visible = core_text.one_line
"""The text on one line; each control, bidi or zero-width character is a mark with its code point."""


@lru_cache(maxsize=4_096)
def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width_of(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def fit(text: str, width: int) -> str:
    """The visible text in exactly `width` columns: cut with an ellipsis, or padded."""
    # A long value is cut before it is looked at character by character.
    text = visible(text[: width + 1])
    taken = width_of(text)
    if taken <= width:
        return text + " " * (width - taken)
    kept, room = [], width - 1
    for character in text:
        room -= _character_width(character)
        if room < 0:
            break
        kept.append(character)
    cut = "".join(kept) + "…"
    return cut + " " * (width - width_of(cut))


def _nowhere() -> BinaryIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb")


class Out:
    """Standard output as the commands use it: text as UTF-8 whatever the locale, or bytes as they are."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        # Where it is closed (`>&-`) Python has None; nobody hears the answer then.
        self.stream: BinaryIO = stream or (sys.stdout.buffer if sys.stdout else _nowhere())

    def bytes(self, data: bytes) -> None:
        self.stream.write(data)

    def line(self, text: str = "") -> None:
        """One line of our own words; text out of a record has gone through visible() before."""
        self.stream.write(text.encode("utf-8", "replace") + b"\n")

    def flush(self) -> None:
        self.stream.flush()

    @property
    def is_terminal(self) -> bool:
        return self.stream.isatty()

    @property
    def width(self) -> int:
        """Columns to fill: the terminal's, or $COLUMNS, or wide in a pipe."""
        if self.is_terminal or os.environ.get("COLUMNS"):
            return max(40, shutil.get_terminal_size().columns)
        return PIPE_WIDTH

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table, each column as wide as its widest cell."""
        cells = [[visible(cell) for cell in row] for row in (titles, *rows)]
        widths = [max(width_of(row[column]) for row in cells) for column in range(len(titles))]
        for row in cells:
            padded = [cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)]
            self.line("  ".join(padded).rstrip())


def warn(words: str) -> None:
    """A sentence on standard error; nothing happens where that is closed."""
    try:
        sys.stderr.buffer.write(visible_lines(words).encode("utf-8", "replace") + b"\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass


def visible_lines(text: str) -> str:
    """As visible(), but line breaks stay."""
    return "\n".join(visible(line) for line in text.split("\n"))


def progress(words: str) -> None:
    """How far something is, on one line of standard error that the next one overwrites; on a terminal only."""
    if sys.stderr is not None and sys.stderr.isatty():
        clear_line()
        print(words, end="", file=sys.stderr, flush=True)


def clear_line() -> None:
    """Take the progress off the terminal again."""
    if sys.stderr is not None and sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
