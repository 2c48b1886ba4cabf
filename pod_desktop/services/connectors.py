"""Connectors made, switched and removed, with their secrets: what wizard and command line both do."""

from __future__ import annotations

import hashlib
import secrets as randomness
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pod_desktop.core import connector as rules
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CONTENT_TYPE_TITLES, SECRET_NAMES, CollectConnector
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.connector_file import read_connector_file, read_json_file, read_secrets
from pod_desktop.store import ConnectorEntry, Ledger
from pod_desktop.vault import SessionVault, Vault

__all__ = [
    "Connectors",
    "KeyNotice",
    "check_ca_file",
    "profile_id",
    "read_connector_file",
    "read_json_file",
    "read_secrets",
]

TRY_NOW: Final = "try_now"
"""The command's name as services.collect knows it; importing that would load the stream's library here."""
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


class Connectors:
    """Everything that is done to connectors. Safe to use from several threads.

    Calls that touch the vault may take limits.VAULT_SECONDS: not for the thread that paints.
    """

    def __init__(self, ledger: Ledger, vault: SessionVault, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self.vault = vault
        self._clock = clock or SystemClock()

    def entries(self) -> list[ConnectorEntry]:
        """All connectors in the order of creation."""
        return self._ledger.connectors()

    def statuses(self) -> list[StreamStatus]:
        """What every stream last said."""
        return self._ledger.statuses()

    def names(self) -> tuple[str, ...]:
        return tuple(entry.connector.name for entry in self.entries())

    def checked(self, connector: CollectConnector) -> CollectConnector:
        """The connector with every value checked and cleaned.

        Raises:
            UserFault: the first value that does not fit; `where` names it.
        """
        cleaned = rules.from_file(rules.to_file(connector), self.names())
        return replace(cleaned, ca_file=check_ca_file(cleaned.ca_file))

    def create(
        self,
        connector: CollectConnector,
        secrets: Mapping[str, Secret],
        *,
        enabled: bool = True,
        session_only: bool = False,
        must_last: bool = False,
    ) -> CollectConnector:
        """Check everything, keep the secrets, then make the connector active.

        Without secrets it is made all the same: a service may be given them later by its credentials
        directory, and says so in its state while there are none.

        Args:
            connector: As typed; values are cleaned.
            secrets: By name (core.connector.SECRET_NAMES).
            enabled: False for imported definitions.
            session_only: Keep the secrets for this session only, whatever vault there is.
            must_last: Refuse where secrets would not outlive this process.

        Raises:
            UserFault: a value does not fit, or the key rules forbid it. Nothing was made.
            Outage: keychain or ledger does not answer. Nothing was made.
        """
        connector = self.checked(connector)
        secrets = {name: _checked_secret(name, secret) for name, secret in secrets.items()}
        if must_last and secrets and not self.vault.lasting:
            raise Outage(
                f"The API key would be lost at once: {_first_lower(self.vault.why) or 'there is no keychain.'}",
                "keychain",
                "Name a folder for secrets with POD_DESKTOP_SECRETS_DIR.",
            )
        key = secrets.get("api_key")
        if key and (notice := self.key_notice(connector, key)) and notice.fault:
            raise UserFault(notice.text, "api_key")
        vault: Vault = self.vault.session if session_only else self.vault
        kept: list[str] = []
        try:
            for name, secret in secrets.items():
                kept.append(name)
                vault.put(connector.name, name, connector.secret_origin(), secret)
            self._ledger.add_connector(connector, now=self._clock.now(), enabled=enabled)
        except BaseException:
            self._undo(vault, connector.name, kept)
            raise
        if key:
            self._ledger.set_setting(_PRINT + connector.name.casefold(), self._fingerprint(key))
        return connector

    def remove(self, name: str, *, keep_secrets: bool = False) -> None:
        """Forget the connector and its secrets; its records stay.

        Args:
            name: Whatever its case.
            keep_secrets: Do not touch the vault, for example when the keychain does not answer.

        Raises:
            UserFault: there is no such connector.
            Outage: the keychain does not answer; the connector is still there.
        """
        name = self._ledger.connector(name).connector.name
        if not keep_secrets:
            for secret_name in SECRET_NAMES:
                try:
                    self.vault.delete(name, secret_name)
                except UserFault:
                    # A read-only credentials directory is its administrator's to tidy.
                    continue
        self._ledger.remove_connector(name)
        self._ledger.set_setting(_PRINT + name.casefold(), None)

    def enable(self, name: str) -> None:
        """Collect again. Raises UserFault when there is no such connector."""
        self._ledger.set_enabled(name, True, now=self._clock.now())

    def disable(self, name: str) -> None:
        """Stop collecting; nothing is deleted. Raises UserFault when there is no such connector."""
        self._ledger.set_enabled(name, False, now=self._clock.now())

    def try_now(self, name: str) -> None:
        """Ask the collector service to try the connector's streams at once."""
        self._ledger.post(TRY_NOW, {"connector": name}, now=self._clock.now())

    def key_notice(self, connector: CollectConnector, key: Secret | None) -> KeyNotice | None:
        """What the rules of API keys say to this connector beside the others; None when all is plain.

        One key serves each content type once: in one connector or in two. Keys are compared by
        fingerprint (keyed BLAKE2b under this data directory's own salt), never shown.

        Args:
            connector: As far as it is typed: cluster id and content types count.
            key: The API key, or None while there is none.
        """
        others = [entry for entry in self.entries() if entry.connector.name != connector.name]
        mine = self._fingerprint(key) if key else ""
        calm: KeyNotice | None = None
        for entry in others:
            theirs = self._ledger.setting(_PRINT + entry.connector.name.casefold())
            same_cluster = entry.connector.cluster_id.casefold() == connector.cluster_id.casefold()
            notice = None
            if mine and mine == theirs:
                notice = _same_key(entry, connector, same_cluster)
            elif same_cluster:
                notice = _same_cluster(entry, connector, bool(mine))
            if notice and notice.fault:
                return notice
            calm = calm or notice
        return calm

    def _fingerprint(self, key: Secret) -> str:
        return hashlib.blake2b(key.reveal().encode(), key=_salt(self._ledger), digest_size=16).hexdigest()

    @staticmethod
    def _undo(vault: Vault, connector: str, names: Iterable[str]) -> None:
        for name in names:
            try:
                vault.delete(connector, name)
            except Fault:
                # What failed first is what is told; a secret nobody refers to is the lesser harm.
                continue


def check_ca_file(text: str) -> str:
    """The absolute path of a file of CA certificates, or '' for the system's own.

    Raises:
        UserFault: no such file, not readable, or no PEM certificates in it.
    """
    from pod_desktop.core.tls import client_context

    text = text.strip()
    if not text:
        return ""
    hint = "Choose a file of certificates in PEM form, or leave it empty."
    try:
        path = Path(text).expanduser().absolute()
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserFault("The CA file is no plain file.", "ca_file", hint)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise UserFault(f"The CA file cannot be read ({reason}).", "ca_file", hint) from None
    client_context(str(path))
    return str(path)


def _checked_secret(name: str, secret: Secret) -> Secret:
    if name not in SECRET_NAMES:
        raise UserFault(f"A collect connector has no secret {name[:80]!r}.", name[:80])
    return Secret(rules.check_api_key(secret.reveal()))


def _same_key(entry: ConnectorEntry, mine: CollectConnector, same_cluster: bool) -> KeyNotice:
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


def _same_cluster(entry: ConnectorEntry, mine: CollectConnector, has_key: bool) -> KeyNotice | None:
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


def _first_lower(words: str) -> str:
    return words[:1].lower() + words[1:]
