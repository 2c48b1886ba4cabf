"""The rules of API keys between connectors: one session a key and content type. Compared by fingerprint only."""

from __future__ import annotations

import hashlib
import secrets as randomness
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pod_desktop.core.connector import CONTENT_TYPE_TITLES, CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.store import CollectEntry, Ledger

_SALT: Final = "key_salt"
_PRINT: Final = "key_print/"


@dataclass(frozen=True, slots=True)
class KeyNotice:
    """What the rules of API keys say to a connector before it is made."""

    text: str
    fault: bool
    """The service would refuse one of the two connectors; it cannot be made like this."""


def profile_id(ledger: Ledger) -> str:
    """Eight hex digits of this data directory, for telling its keychain entries from another's."""
    return hashlib.blake2b(b"profile", key=_salt(ledger), digest_size=4).hexdigest()


def fingerprint(ledger: Ledger, key: Secret) -> str:
    """Keyed BLAKE2b under this data directory's own salt: equal for equal keys, and says nothing else."""
    return hashlib.blake2b(key.reveal().encode(), key=_salt(ledger), digest_size=16).hexdigest()


def remembered(ledger: Ledger, connector: str) -> str:
    """The fingerprint of the key that was kept for this connector; '' when none was."""
    return str(ledger.setting(_PRINT + connector.casefold()) or "")


def remember(ledger: Ledger, connector: str, key: Secret | None) -> None:
    """Note the fingerprint of a connector's key; None forgets it."""
    ledger.set_setting(_PRINT + connector.casefold(), fingerprint(ledger, key) if key is not None else None)


def notice(
    connector: CollectConnector, mine: str, others: Iterable[tuple[CollectEntry, str]]
) -> KeyNotice | None:
    """What the rules say to this connector beside the others; a fault before a remark.

    Args:
        mine: The fingerprint of its key; '' while there is none.
        others: The other collectors with the fingerprints of their keys.
    """
    calm: KeyNotice | None = None
    for entry, theirs in others:
        same_cluster = entry.connector.cluster_id.casefold() == connector.cluster_id.casefold()
        said = None
        if mine and mine == theirs:
            said = _same_key(entry, connector, same_cluster)
        elif same_cluster:
            said = _same_cluster(entry, connector, bool(mine))
        if said and said.fault:
            return said
        calm = calm or said
    return calm


def _same_key(entry: CollectEntry, mine: CollectConnector, same_cluster: bool) -> KeyNotice:
    """The other connector has the same key: fine for other content types, impossible for the same."""
    name, other = entry.connector.name, entry.connector
    shared = _titles(set(other.content_types) & set(mine.content_types))
    if not shared and same_cluster:
        return KeyNotice(
            f"{name} already uses this API key for {_titles(other.content_types)}. One key can serve one "
            f"Mail Log and one Message stream: this is fine.",
            fault=False,
        )
    if not shared or not same_cluster:
        return KeyNotice(
            f"{name} uses this API key for the cluster {other.cluster_id}. A key belongs to one cluster: "
            "check that this is the right one.",
            fault=False,
        )
    if not entry.enabled:
        return KeyNotice(
            f"{name}, which is disabled, uses this API key for {shared} too. Only one of the two can collect "
            "at a time: leave it disabled, or give each a key of its own.",
            fault=False,
        )
    return KeyNotice(
        f"{name} already collects {shared} with this API key, and the service allows one session a key and "
        "content type. Make another key for this connector, or choose other content types.",
        fault=True,
    )


def _same_cluster(entry: CollectEntry, mine: CollectConnector, has_key: bool) -> KeyNotice | None:
    """The other connector collects the same of the same cluster, with another key or none typed yet."""
    shared = _titles(set(entry.connector.content_types) & set(mine.content_types))
    if not shared:
        return None
    collects = f"{entry.connector.name} already collects {shared} of this cluster"
    if has_key:
        return KeyNotice(
            f"{collects}, with another API key. Both will receive the same records.", fault=False
        )
    return KeyNotice(f"{collects}: this connector needs an API key of its own.", fault=False)


def _titles(kinds: Iterable[str]) -> str:
    chosen = set(kinds)
    return " and ".join(title for kind, title in CONTENT_TYPE_TITLES.items() if kind in chosen)


def _salt(ledger: Ledger) -> bytes:
    """Random bytes of this data directory, made once."""
    found = ledger.setting(_SALT)
    if found is None:
        ledger.set_setting(_SALT, randomness.token_hex(32))
        found = ledger.setting(_SALT)
    return bytes.fromhex(found)
