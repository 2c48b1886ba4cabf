"""Values of one column for many records at once: what a row does not carry, without opening raw records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pod_desktop.store.segment import Segment

_CODES: Final = ("cluster", "country", "module", "folder", "direction")
_TEXTS: Final = {"qid": "qid", "message_id": "message_id"}
_ADDRESSES: Final = {"header_from": "address", "header_from.domain": "domain"}
COLUMNS: Final = frozenset({*_CODES, *_TEXTS, *_ADDRESSES})
"""Fields that are found so."""
_OF: Final = "ev.seq in (select value from json_each(?))"


def values_of(segment: Segment, seqs: Sequence[int], name: str) -> dict[int, str]:
    """The field's value of each of these records that has one, by seq. `name` is one of COLUMNS."""
    if name in _CODES:
        statement = (
            f"select ev.seq, value from ev join code on code.id = ev.{name} where ev.{name} != 0 and {_OF}"
        )
    elif name in _TEXTS:
        statement = f"select ev.seq, {_TEXTS[name]} from ev where {_OF}"
    else:
        wanted = _ADDRESSES[name]
        statement = f"select ev.seq, {wanted} from ev join addr on addr.id = ev.header_from where {_OF}"
    found = segment.execute(statement, (json.dumps(list(seqs)),))
    return {seq: value for seq, value in found if value}
