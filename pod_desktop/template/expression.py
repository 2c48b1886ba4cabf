"""Text with curly-brace expressions: parse it, fill it, list and complete paths."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault

Path = tuple[str | int, ...]
"""Names and list positions from the root of the record."""

_PLAIN: Final = re.compile(r"[^\s.\[\]{}|\"]+")
_PATHS_LISTED: Final = 5_000


@dataclass(slots=True, eq=False)
class TemplateFault(UserFault):
    """An expression that cannot be read or filled; `column` is its 0-based place in the text."""

    column: int = 0


@dataclass(frozen=True, slots=True)
class Expression:
    """`{a | b}`: the first alternative that has a value."""

    alternatives: tuple[Path, ...]
    column: int

    def __str__(self) -> str:
        return "{" + " | ".join(write_path(path) for path in self.alternatives) + "}"


@lru_cache(maxsize=512)
def parse(text: str) -> tuple[str | Expression, ...]:
    """Literal pieces and expressions in their order; of the same few templates again and again.

    Raises:
        TemplateFault: a brace without its partner, or a path that cannot be read.
    """
    pieces: list[str | Expression] = []
    literal: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if text.startswith(("{{", "}}"), at):
            literal.append(char)
            at += 2
        elif char == "}":
            raise TemplateFault(
                "A closing brace stands alone.", hint="Write }} for a literal brace.", column=at
            )
        elif char == "{":
            if literal:
                pieces.append("".join(literal))
                literal = []
            expression, at = _read_expression(text, at)
            pieces.append(expression)
        else:
            literal.append(char)
            at += 1
    if literal:
        pieces.append("".join(literal))
    return tuple(pieces)


def _read_expression(text: str, begin: int) -> tuple[Expression, int]:
    at = begin + 1
    alternatives: list[Path] = []
    while True:
        path, at = _read_path(text, _skip_blanks(text, at), begin)
        alternatives.append(path)
        at = _skip_blanks(text, at)
        if text.startswith("}", at):
            return Expression(tuple(alternatives), begin), at + 1
        if not text.startswith("|", at):
            if at >= len(text):
                raise TemplateFault(
                    "This brace is never closed.", hint="Write {{ for a literal brace.", column=begin
                )
            raise TemplateFault(
                f"{text[at]!r} does not belong in an expression.",
                hint='Write a path such as {envelope.from}; keys with blanks or dots as ["a key"].',
                column=at,
            )
        at += 1


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _read_path(text: str, at: int, begin: int) -> tuple[Path, int]:
    steps: list[str | int] = []
    while at < len(text):
        if text[at] == "[":
            step, at = _read_bracket(text, at)
            steps.append(step)
        elif match := _PLAIN.match(text, at):
            steps.append(match[0])
            at = match.end()
        else:
            break
        if text.startswith(".", at):
            at += 1
            if at >= len(text) or not (_PLAIN.match(text, at) or text[at] == "["):
                raise TemplateFault("A name is missing after the dot.", column=at)
        elif not text.startswith("[", at):
            break
    if not steps:
        if at >= len(text):
            raise TemplateFault(
                "This brace is never closed.", hint="Write {{ for a literal brace.", column=begin
            )
        raise TemplateFault(
            "An expression needs a path here.", hint="For example {envelope.from}.", column=at
        )
    return tuple(steps), at


_BRACKET: Final = re.compile(r'\[\s*(?:(\d{1,9})|"((?:[^"\\]|\\.)*)")\s*\]', re.DOTALL)


def _read_bracket(text: str, at: int) -> tuple[str | int, int]:
    match = _BRACKET.match(text, at)
    if not match:
        raise TemplateFault(
            "This bracket cannot be read.", hint='Write [0] for an item or ["key"] for a key.', column=at
        )
    if match[1] is not None:
        return int(match[1]), match.end()
    return re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL), match.end()


def write_path(path: Path) -> str:
    """The path as an expression holds it, without braces; parse() reads it back."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


_MISSING: Final = object()


def _look_up(scope: object, path: Path) -> object:
    """The value at a path, or _MISSING. Keys with dots are found by their longest match."""
    value = scope
    index = 0
    while index < len(path):
        step = path[index]
        if isinstance(value, Mapping) and isinstance(step, str):
            for end in range(len(path), index, -1):
                names = path[index:end]
                key = ".".join(str(name) for name in names)
                if all(isinstance(name, str) for name in names) and key in value:
                    value = value[key]
                    index = end
                    break
            else:
                return _MISSING
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int):
            if step >= len(value):
                return _MISSING
            value = value[step]
            index += 1
        else:
            return _MISSING
    return value


def _as_text(value: object) -> str | None:
    """A leaf as it is written into text; None for what is no leaf or holds nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float):
        return str(value)
    return None


def _fill_expression(expression: Expression, scope: Mapping[str, object], hints: bool) -> str:
    first_problem = ""
    hint = ""
    for path in expression.alternatives:
        value = _look_up(scope, path)
        if (text := _as_text(value)) is not None:
            return text
        if not first_problem:
            first_problem, hint = _explain(path, value, scope, hints)
    raise TemplateFault(first_problem, hint=hint, column=expression.column)


def _explain(path: Path, value: object, scope: Mapping[str, object], hints: bool) -> tuple[str, str]:
    written = write_path(path)
    if isinstance(value, Mapping):
        inside = ", ".join(write_path((*path, key)) for key in list(value)[:4])
        return f"{{{written}}} holds several fields.", f"Choose one: {inside}." if inside else ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if not value:
            return f"{{{written}}} is an empty list in this record.", ""
        return f"{{{written}}} is a list.", f"Choose an item: {{{written}[0]}}."
    if value is None or value == "":
        return f"{{{written}}} is empty in this record.", "Type the value, or name another field."
    if not hints:
        return f"{{{written}}} is not in this record.", ""
    known = [write_path(known) for known, _ in paths_of(scope)]
    near = difflib.get_close_matches(written, known, n=1, cutoff=0.5)
    return (
        f"{{{written}}} is not in this record.",
        f"The nearest that is: {{{near[0]}}}." if near else "Name a field that the record has.",
    )


def fill_text(
    text: str,
    scope: Mapping[str, object],
    *,
    encode: Callable[[str], str] = lambda value: value,
    hints: bool = True,
) -> str:
    """The text with every expression replaced by its value, passed through `encode`.

    Args:
        hints: whether a fault is to name what comes near; that takes ten milliseconds.

    Raises:
        TemplateFault: an expression cannot be read, or has no value; never an empty string instead.
    """
    pieces: list[str] = []
    for piece in parse(text):
        pieces.append(piece if isinstance(piece, str) else encode(_fill_expression(piece, scope, hints)))
    return "".join(pieces)


def paths_of(scope: object, most: int = _PATHS_LISTED) -> Iterator[tuple[Path, str]]:
    """Paths of all leaves that have a value, with the value as text; bounded, iterative."""
    stack: list[tuple[Path, object]] = [((), scope)]
    listed = 0
    while stack and listed < most:
        path, value = stack.pop()
        if isinstance(value, Mapping):
            if len(path) < limits.JSON_DEPTH:
                stack.extend(((*path, str(key)), child) for key, child in reversed(list(value.items())))
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            if len(path) < limits.JSON_DEPTH:
                stack.extend(((*path, index), child) for index, child in reversed(list(enumerate(value))))
        elif path and (text := _as_text(value)) is not None:
            listed += 1
            yield path, text


def complete(text: str, cursor: int, scope: Mapping[str, object]) -> tuple[int, list[tuple[str, str]]]:
    """What may be typed inside the braces at the cursor.

    Returns:
        Where the word being typed begins, and (path, value) of the leaves that begin with it or hold it;
        nothing outside braces.
    """
    begin = cursor
    while begin > 0 and text[begin - 1] not in "{}|":
        begin -= 1
    if begin == 0 or text[begin - 1] == "}":
        return cursor, []
    begin = _skip_blanks(text[:cursor], begin)
    typed = text[begin:cursor].casefold()
    found = [(write_path(path), value) for path, value in paths_of(scope)]
    starting = [item for item in found if item[0].casefold().startswith(typed)]
    holding = [item for item in found if typed in item[0].casefold() and item not in starting]
    return begin, (starting + holding)[:50]
