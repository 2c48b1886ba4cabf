"""JSON bodies as templates: every string leaf is filled on its own, so structure cannot change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NoReturn

from pod_desktop.core import limits
from pod_desktop.template.expression import TemplateFault, fill_text, parse

_REMEMBERED_CHARS: Final = 16 * limits.KIB


def check_body(template: str) -> object:
    """The template as a JSON value whose strings are readable templates.

    Raises:
        TemplateFault: not JSON (with the place), a key twice, an expression in a key, or one that
            cannot be read.
    """
    value = _load(template)
    _walk(value, lambda leaf: "".join(str(piece) for piece in parse(leaf)))
    return value


def fill_body(template: str, scope: Mapping[str, object], *, hints: bool = True) -> bytes:
    """The exact bytes to send: compact UTF-8 JSON with the template's own keys and structure.

    Args:
        hints: see fill_text().

    Raises:
        TemplateFault: see check_body(), or an expression has no value.
    """
    loaded = _loaded(template) if len(template) <= _REMEMBERED_CHARS else _load(template)
    filled = _walk(loaded, lambda leaf: fill_text(leaf, scope, hints=hints))
    try:
        return json.dumps(filled, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, UnicodeEncodeError):
        # Lone surrogates cannot be sent as UTF-8; records are repaired, typed text may not be.
        raise TemplateFault(
            "The body holds characters that cannot be sent as UTF-8.", "JSON Body", "Type the value again."
        ) from None


def _load(template: str) -> object:
    if len(template) > limits.MIB:
        raise TemplateFault(f"The body has {len(template):,} characters; 1 MiB is the most.", "JSON Body")
    try:
        return json.loads(template, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise TemplateFault(
            f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            "JSON Body",
            'Expressions stand inside quotes: "value": "{envelope.from}".',
            column=error.pos,
        ) from None
    except RecursionError:
        raise TemplateFault("The body is nested too deeply.", "JSON Body") from None


_loaded = lru_cache(maxsize=64)(_load)
"""For the same few templates again and again; nobody changes what it gives."""


def _no_constant(name: str) -> NoReturn:
    raise TemplateFault(f"{name} is not JSON.", "JSON Body")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise TemplateFault(f"The key {key!r} stands twice.", "JSON Body", "Keep one of them.")
        if "{" in key or "}" in key:
            raise TemplateFault(
                f"The key {key!r} holds a brace.", "JSON Body", "Expressions fill values, never keys."
            )
        members[key] = value
    return members


def _walk(value: object, fill: Callable[[str], str], depth: int = 0) -> object:
    if depth > limits.JSON_DEPTH:
        raise TemplateFault("The body is nested too deeply.", "JSON Body")
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {key: _walk(child, fill, depth + 1) for key, child in value.items()}
    if isinstance(value, list):
        return [_walk(child, fill, depth + 1) for child in value]
    return value
