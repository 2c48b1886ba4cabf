"""Which questions are answered so quickly that they may be asked with every letter that is typed."""

from __future__ import annotations

from typing import Final

from pod_desktop.query.fault import QueryFault
from pod_desktop.query.grammar import parse
from pod_desktop.query.sql import NOT_INDEXED, compile_tree

_LONGEST: Final = 1_000
"""Characters; what is longer was pasted, and takes a while to understand."""


def is_quick(text: str) -> bool:
    """Do the store's columns and indexes answer it, or find the few records to be opened for it?

    False for what is not understood.
    """
    if len(text) > _LONGEST:
        return False
    try:
        condition = compile_tree(parse(text, 0))
    except QueryFault:
        return False
    return condition.exact or condition.indexed > NOT_INDEXED
