"""Connectors of both kinds made, edited, copied, switched and removed, with their secrets: what wizard and
command line both do."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from pod_desktop.core import definition, logfilter
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import Connector, optional_secrets, secret_names
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.logfilter import check_attached
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.settings import PROXY
from pod_desktop.core.status import StreamStatus
from pod_desktop.services import connector_secrets, key_rules
from pod_desktop.services.connector_drafts import Draft, all_four, free_name
from pod_desktop.services.connector_file import (
    check_ca_file,
    read_connector,
    read_connector_file,
    read_json_file,
    read_secrets,
)
from pod_desktop.services.connector_secrets import Item
from pod_desktop.services.key_rules import KeyNotice, profile_id
from pod_desktop.services.settings import Settings
from pod_desktop.store import CollectEntry, ConnectorEntry, Ledger
from pod_desktop.vault import SessionVault, Vault

if TYPE_CHECKING:
    from pod_desktop.webhook import Credentials

__all__ = [
    "Connectors",
    "Draft",
    "KeyNotice",
    "all_four",
    "check_ca_file",
    "profile_id",
    "read_connector",
    "read_connector_file",
    "read_json_file",
    "read_secrets",
]

TRY_NOW: Final = "try_now"
"""The command's name as services.collect knows it; importing that would load the stream's library here."""
FORGET: Final = "forget_secret"
"""Command to the collector service: `{"connector": NAME, "secret": NAME}` is not to be used any more."""
_C = TypeVar("_C", bound=Connector)


class Connectors:
    """Everything that is done to connectors. Safe to use from several threads.

    Calls that touch the vault may take limits.VAULT_SECONDS: not for the thread that paints.
    """

    def __init__(self, ledger: Ledger, vault: SessionVault, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self.vault = vault
        self._clock = clock or SystemClock()

    # what there is

    def entries(self) -> list[ConnectorEntry]:
        """All connectors of both kinds in the order of creation."""
        return self._ledger.connectors()

    def entry(self, name: str) -> ConnectorEntry:
        """The connector of that name, whatever its case. Raises UserFault when there is none."""
        return self._ledger.connector(name)

    def statuses(self) -> list[StreamStatus]:
        """What every stream, and every responder (kind core.status.RESPOND), last said."""
        return self._ledger.statuses()

    def names(self) -> tuple[str, ...]:
        return tuple(entry.connector.name for entry in self.entries())

    def tenants(self) -> list[str]:
        """Tenants to choose from: those of the settings and those in use."""
        return self._ledger.tenants()

    def usual_proxy(self) -> str:
        """What the settings offer as HTTP proxy of a new collector; '' for none."""
        return str(Settings(self._ledger).get(PROXY))

    def log_filters(self) -> tuple[str, ...]:
        """Names of log filters that collectors may be given."""
        return tuple(one.name for one in logfilter.defined(self._ledger.setting(logfilter.SETTING)))

    # checks while one types

    def checked(self, connector: _C, editing: str = "") -> _C:
        """The connector with every value checked and cleaned.

        Args:
            editing: The name of the connector that this is an edit of; '' for a new one.

        Raises:
            UserFault: the first value that does not fit; `where` names it.
        """
        taken = [name for name in self.names() if name.casefold() != editing.casefold()]
        cleaned = definition.connector_from_file(definition.connector_to_file(connector), taken)
        if isinstance(cleaned, CollectConnector):
            check_attached(cleaned.log_filters, logfilter.defined(self._ledger.setting(logfilter.SETTING)))
        return cast(_C, replace(cleaned, ca_file=check_ca_file(cleaned.ca_file)))

    def key_notice(self, connector: CollectConnector, key: Secret | None) -> KeyNotice | None:
        """What the rules of API keys say to this connector beside the others; None when all is plain.

        One key serves each content type once: in one connector or in two. Keys are compared by
        fingerprint, never shown.

        Args:
            connector: As far as it is typed: name, cluster id and content types count.
            key: The API key, or None while there is none.
        """
        mine = key_rules.fingerprint(self._ledger, key) if key else ""
        return self._notice(connector, mine)

    def _notice(self, connector: CollectConnector, mine: str) -> KeyNotice | None:
        others = [
            (entry, key_rules.remembered(self._ledger, entry.connector.name))
            for entry in self._ledger.collectors()
            if entry.connector.name.casefold() != connector.name.casefold()
        ]
        return key_rules.notice(connector, mine, others)

    def key_holder(self, connector: CollectConnector, kind: str, key: Secret) -> CollectEntry | None:
        """The connector that collects this content type of the same cluster with the same key; also itself."""
        mine = key_rules.fingerprint(self._ledger, key)
        for entry in self._ledger.collectors():
            other = entry.connector
            if (
                kind in other.content_types
                and other.cluster_id.casefold() == connector.cluster_id.casefold()
                and other.secret_origin() == connector.secret_origin()
                and self._print_of(other) == mine
            ):
                return entry
        return None

    def _print_of(self, connector: CollectConnector) -> str:
        """The fingerprint of its key, also where an administrator put the key into the credentials directory."""
        if found := key_rules.remembered(self._ledger, connector.name):
            return found
        try:
            key = self.vault.get(connector.name, "api_key", connector.secret_origin())
        except Fault:
            return ""
        return key_rules.fingerprint(self._ledger, key) if key else ""

    def unbinds(self, connector: Connector) -> bool:
        """Would this edit send the secrets elsewhere, so that they have to be entered again?

        Raises:
            UserFault: there is no connector of that name.
        """
        return self.entry(connector.name).connector.secret_origin() != connector.secret_origin()

    # secrets

    # secrets

    def secrets(self, connector: Connector) -> dict[str, Secret]:
        """The secrets that are kept for this connector as it is. Raises as connector_secrets.kept()."""
        return connector_secrets.kept(self.vault, connector)

    def missing_secrets(self, name: str) -> tuple[str, ...]:
        """Names of the secrets that a connector has yet to be given, or given again.

        Raises:
            UserFault: there is no such connector.
            Outage: the vault does not answer.
        """
        return connector_secrets.missing(self.vault, self.entry(name).connector)

    def optional_secrets_kept(self, name: str) -> tuple[str, ...]:
        """Names of the secrets that a connector has beside those it needs. Raises as missing_secrets()."""
        return connector_secrets.optional_kept(self.vault, self.entry(name).connector)

    def credentials(self, connector: RespondConnector) -> Credentials:
        """What webhook.Sender sends a responder's actions with. Raises as connector_secrets.credentials()."""
        return connector_secrets.credentials(self.vault, connector)

    # making

    def create(
        self,
        connector: _C,
        secrets: Mapping[str, Secret],
        *,
        enabled: bool = True,
        session_only: bool = False,
        must_last: bool = False,
    ) -> _C:
        """Check everything, keep the secrets, then make the connector active.

        Without secrets it is made all the same: a service may be given them later by its credentials
        directory, and says so in its state while there are none.

        Args:
            connector: As typed; values are cleaned.
            secrets: By name (core.definition.secret_names).
            enabled: False for imported definitions.
            session_only: Keep the secrets for this session only, whatever vault there is.
            must_last: Refuse where secrets would not outlive this process.

        Raises:
            UserFault: a value does not fit, or the key rules forbid it. Nothing was made.
            Outage: keychain or ledger does not answer. Nothing was made.
        """
        draft = Draft(connector=connector, secrets=secrets, enabled=enabled)
        (made,) = self.create_all([draft], session_only=session_only, must_last=must_last)
        return cast(_C, made)

    def create_all_four(
        self,
        base: RespondConnector,
        secrets: Mapping[str, Secret],
        *,
        enabled: bool = True,
        session_only: bool = False,
        must_last: bool = False,
    ) -> tuple[RespondConnector, ...]:
        """All four responders from the same credentials, named after the base; all or nothing. See create()."""
        drafts = [Draft(connector=one, secrets=secrets, enabled=enabled) for one in all_four(base)]
        made = self.create_all(drafts, session_only=session_only, must_last=must_last)
        return cast("tuple[RespondConnector, ...]", made)

    def create_all(
        self, drafts: Sequence[Draft], *, session_only: bool = False, must_last: bool = False
    ) -> tuple[Connector, ...]:
        """Make several connectors of either kind: all of them, or none. See create()."""
        checked = self._checked_drafts(drafts)
        given = any(draft.secrets for draft in checked)
        if must_last and given:
            connector_secrets.check_lasting(self.vault)
        vault: Vault = self.vault.session if session_only else self.vault
        items = [
            Item(draft.connector, name, secret) for draft in checked for name, secret in draft.secrets.items()
        ]
        with connector_secrets.put(vault, items):
            self._ledger.add_connectors(
                [(draft.connector, draft.enabled) for draft in checked], now=self._clock.now()
            )
        for draft in checked:
            if key := draft.secrets.get("api_key"):
                key_rules.remember(self._ledger, draft.connector.name, key)
        return tuple(draft.connector for draft in checked)

    def _checked_drafts(self, drafts: Sequence[Draft]) -> list[Draft]:
        found: list[Draft] = []
        for draft in drafts:
            connector = self.checked(draft.connector)
            if connector.name.casefold() in {one.connector.name.casefold() for one in found}:
                raise UserFault(
                    f"Two connectors would be named {connector.name}.", "name", "Name each of them."
                )
            secrets = connector_secrets.checked(connector, draft.secrets)
            if isinstance(connector, CollectConnector):
                self._obey_key_rules(connector, secrets.get("api_key"))
            found.append(replace(draft, connector=connector, secrets=secrets))
        return found

    def _obey_key_rules(self, connector: CollectConnector, key: Secret | None) -> None:
        if key and (said := self.key_notice(connector, key)) and said.fault:
            raise UserFault(said.text, "api_key")

    # changing

    def edit(
        self,
        connector: _C,
        secrets: Mapping[str, Secret] | None = None,
        *,
        forget: Collection[str] = (),
        session_only: bool = False,
    ) -> _C:
        """Replace the definition of the connector of that name; what General holds cannot change.

        Secrets stay as they are unless new ones are given. Where the edit changes what they are bound to
        (host, port, protocol, token address, certificate checks) they are not carried over: all have to be
        given again, the second API key as well unless it is forgotten.

        Args:
            forget: Names of secrets to let go of, where the connector can be without (the second API key).

        Raises:
            UserFault: a value does not fit, a General value would change, or secrets have to be given again
                (`where` names the first). Nothing was changed.
            Outage: keychain or ledger does not answer. Nothing was changed.
        """
        old = self.entry(connector.name).connector
        connector = self.checked(connector, editing=old.name)
        definition.check_general_unchanged(old, connector)
        given = connector_secrets.checked(connector, secrets or {})
        forget = [name for name in forget if name not in given]
        connector_secrets.check_rebound(self.vault, old, connector, given, forget)
        if isinstance(connector, CollectConnector):
            self._check_key_of_edit(connector, given.get("api_key"))
        vault: Vault = self.vault.session if session_only else self.vault
        items = [Item(connector, name, secret) for name, secret in given.items()]
        with (
            connector_secrets.put(vault, items, replacing=old),
            connector_secrets.forgotten(self.vault, old, forget),
        ):
            self._ledger.update_connector(connector, now=self._clock.now())
        for name in forget:
            # The service may have been handed one for this session.
            self._ledger.post(FORGET, {"connector": old.name, "secret": name}, now=self._clock.now())
        if key := given.get("api_key"):
            key_rules.remember(self._ledger, connector.name, key)
        return connector

    def _check_key_of_edit(self, connector: CollectConnector, key: Secret | None) -> None:
        mine = key_rules.fingerprint(self._ledger, key) if key else ""
        said = self._notice(connector, mine or key_rules.remembered(self._ledger, connector.name))
        if said and said.fault:
            raise UserFault(said.text, "api_key" if key else "content_types")

    def set_secrets(self, name: str, secrets: Mapping[str, Secret], *, session_only: bool = False) -> None:
        """Give a connector its secrets, for example after an import. Raises as edit()."""
        self.edit(self.entry(name).connector, secrets, session_only=session_only)

    def enable(self, name: str) -> None:
        """Collect again, or respond again.

        Raises:
            UserFault: there is no such connector, or another one already collects the same with its key.
        """
        entry = self.entry(name)
        if isinstance(entry, CollectEntry) and not entry.enabled:
            said = self._notice(entry.connector, key_rules.remembered(self._ledger, entry.connector.name))
            if said and said.fault:
                raise UserFault(said.text, "api_key", "Disable the other one first, or give it another key.")
        self._ledger.set_enabled(name, True, now=self._clock.now())

    def disable(self, name: str) -> None:
        """Stop collecting or responding; nothing is deleted. Raises UserFault when there is none."""
        self._ledger.set_enabled(name, False, now=self._clock.now())

    def try_now(self, name: str) -> None:
        """Ask the collector service to try the connector's streams at once."""
        self._ledger.post(TRY_NOW, {"connector": name}, now=self._clock.now())

    def remove(self, name: str, *, keep_secrets: bool = False) -> None:
        """Forget the connector and its secrets; its records and its actions' history stay.

        Args:
            name: Whatever its case.
            keep_secrets: Do not touch the vault, for example when the keychain does not answer.

        Raises:
            UserFault: there is no such connector.
            Outage: the keychain does not answer; the connector is still there.
        """
        connector = self.entry(name).connector
        if not keep_secrets:
            for secret_name in (*secret_names(connector), *optional_secrets(connector)):
                try:
                    self.vault.delete(connector.name, secret_name)
                except UserFault:
                    # A read-only credentials directory is its administrator's to tidy.
                    continue
        self._ledger.remove_connector(connector.name)
        key_rules.remember(self._ledger, connector.name, None)

    # copies and files

    def copy_of(self, name: str) -> Connector:
        """The same definition under a name that is free, for a form to begin with. Makes nothing.

        Raises:
            UserFault: there is no such connector.
        """
        connector = self.entry(name).connector
        return replace(connector, name=free_name(connector.name, self.names()))

    def duplicate(self, name: str, new_name: str = "", *, tenant: str = "") -> Connector:
        """A copy under another name: disabled, and without secrets: collecting the same needs another key.

        Args:
            new_name: '' takes a free one: `acme-copy`.
            tenant: '' keeps the tenant.

        Raises:
            UserFault: there is no such connector, or the new name or tenant does not fit.
        """
        copy = self.copy_of(name)
        copy = replace(copy, name=new_name or copy.name, tenant=tenant or copy.tenant)
        (made,) = self.create_all([Draft(connector=copy, enabled=False)])
        return made

    def export(self, name: str) -> bytes:
        """The definition as a file that import_file() reads, without secrets.

        Raises:
            UserFault: there is no such connector.
        """
        connector = self.entry(name).connector
        return (
            json.dumps(definition.connector_to_file(connector), indent=2, ensure_ascii=False).encode() + b"\n"
        )

    def import_file(self, path: Path) -> Connector:
        """Make the connector that a file defines: disabled, and without secrets.

        Raises:
            UserFault: the file or a value does not fit, or the name is taken. Nothing was made.
        """
        connector = read_connector_file(path, self.names())
        (made,) = self.create_all([Draft(connector=connector, enabled=False)])
        return made
