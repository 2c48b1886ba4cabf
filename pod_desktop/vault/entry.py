"""How one secret and what it is bound to become texts that a keychain can hold, and back.

Windows takes 2,560 bytes of UTF-16 in one entry, less than a long token: there a secret is split.
Each part carries its number, how many there are, and a digest of the whole, so that parts of two
secrets (a write that was interrupted) are never put together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from pod_desktop.core.secret import Secret

VERSION: Final = 1
PARTS: Final = 64
"""Most parts that are believed; limits.SECRET_CHARS in pieces of 1,000 are far fewer."""


def pack(origin: str, secret: Secret, part_chars: int) -> list[str]:
    """The texts to keep, each of at most `part_chars` characters (at least 100)."""
    whole = json.dumps({"v": VERSION, "origin": origin, "value": secret.reveal()})
    room = part_chars - len(_head(PARTS, PARTS, ""))
    pieces = [whole[at : at + room] for at in range(0, len(whole), room)]
    digest = _digest(whole)
    return [_head(number, len(pieces), digest) + piece for number, piece in enumerate(pieces, 1)]


def count(first: str) -> int:
    """How many parts belong to the secret whose first part this is.

    Raises:
        ValueError: this is no first part.
    """
    number, total, _, _ = _split(first)
    if number != 1 or not 1 <= total <= PARTS:
        raise ValueError("no first part")
    return total


def unpack(parts: Sequence[str]) -> tuple[str, Secret]:
    """(origin, secret) of all parts in order.

    Raises:
        ValueError: parts are missing, mixed or changed; the words hold nothing of them.
    """
    whole = ""
    for place, part in enumerate(parts, 1):
        number, total, digest, piece = _split(part)
        if (number, total) != (place, len(parts)):
            raise ValueError("parts are missing")
        whole += piece
    if _digest(whole) != digest:
        raise ValueError("parts do not belong together")
    entry = json.loads(whole)
    return str(entry["origin"]), Secret(str(entry["value"]))


def _head(number: int, total: int, digest: str) -> str:
    return f"{number}/{total}:{digest or '-' * 12}:"


def _digest(whole: str) -> str:
    return hashlib.blake2b(whole.encode(), digest_size=6).hexdigest()


def _split(part: str) -> tuple[int, int, str, str]:
    place, _, rest = part.partition(":")
    digest, colon, piece = rest.partition(":")
    number, slash, total = place.partition("/")
    if not (slash and colon and number.isdecimal() and total.isdecimal() and len(place) < 12):
        raise ValueError("no part of a secret")
    return int(number), int(total), digest, piece
