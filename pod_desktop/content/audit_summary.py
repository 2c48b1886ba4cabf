"""What an audit record says, for reading."""

from __future__ import annotations

from typing import Any

from pod_desktop.core.blocks import Block
from pod_desktop.core.record import Columns, EventRow


def summary(value: Any, columns: Columns | EventRow) -> tuple[Block, ...]:
    return ()
