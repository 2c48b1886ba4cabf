"""A record's summary blocks as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from pod_desktop.cli.terminal import visible
from pod_desktop.core.blocks import Block, Chips, Fact, Facts, Lines, Notice, Score, Scores

LABEL_WIDTH = 18


def as_text(blocks: Iterable[Block]) -> Iterator[str]:
    """Lines of plain text, a blank line between blocks; notices stand together."""
    before: Block | None = None
    for block in blocks:
        if before and not (isinstance(before, Notice) and isinstance(block, Notice)):
            yield ""
        before = block
        yield from _lines(block)


def as_json(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """The blocks as objects that name their kind."""
    return [{"block": type(block).__name__.casefold(), **asdict(block)} for block in blocks]


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Notice(text=text):
            yield f"! {visible(text)}"
        case Facts(rows=rows, title=title):
            yield from _title(title)
            yield from (line for fact in rows for line in _fact(fact))
        case Chips(title=title, chips=chips):
            yield from _title(title)
            yield "  " + "  ".join(f"[{visible(chip.text)}]" for chip in chips)
        case Scores(title=title, rows=scores):
            yield from _title(title)
            yield from (_score(score) for score in scores)
        case Lines(title=title, lines=lines):
            yield from _title(title)
            yield from (f"  {visible(line)}" for line in lines)


def _title(title: str) -> Iterator[str]:
    if title:
        yield visible(title)


def _fact(fact: Fact) -> Iterator[str]:
    first, *rest = fact.value.splitlines() or [""]
    pieces = [visible(first), *(f"[{visible(chip.text)}]" for chip in fact.chips)]
    yield f"  {visible(fact.label):<{LABEL_WIDTH}}{'  '.join(filter(None, pieces))}".rstrip()
    yield from (" " * (LABEL_WIDTH + 2) + visible(line) for line in rest)


def _score(score: Score) -> str:
    return f"  {visible(score.label):<{LABEL_WIDTH}}{score.value:g} of {score.most:g}"
