"""The JSON body's text and its members: pickers and chips change one member, all else stays as written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from pod_desktop.core import limits

BODY_CHARS: Final = limits.MIB
_UNSEEN: Final = re.compile(r"[^\x20-\x7e]")


def read_members(text: str) -> dict[str, str] | None:
    """The body's members, where it is an object of texts; None while it is being typed, or is something else."""
    if len(text) > BODY_CHARS:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        return None
    return data


def write_members(members: Mapping[str, str]) -> str:
    """The members as text for the editor.

    What cannot be seen is written as an escape: it shows, and the editor (which turns no-break spaces and
    line separators into others) gives back exactly what was put in.
    """
    return show_unseen(json.dumps(dict(members), ensure_ascii=False, indent=2))


def show_unseen(text: str) -> str:
    """JSON text with characters that cannot be seen as escapes; line breaks between members stay."""
    return _UNSEEN.sub(
        lambda match: match[0] if match[0] == "\n" or match[0].isprintable() else _escape(match[0]), text
    )


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1]


def with_member(text: str, key: str, value: str, fallback: Mapping[str, str]) -> str:
    """The body with one member changed ('' takes a comment out); a body that cannot be read begins anew."""
    members = read_members(text) or dict(fallback)
    if value or key != "comment":
        members[key] = value
    else:
        members.pop(key, None)
    return write_members(members)
