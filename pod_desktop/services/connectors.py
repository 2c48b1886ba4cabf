"""Connectors of both kinds made, edited, copied, switched and removed, with their secrets: what wizard and
command line both do."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from pod_desktop.core import definition, limits
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import SECRET_TITLES, Connector, secret_names
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import StreamStatus
from pod_desktop.services import key_rules
from pod_desktop.services.connector_file import read_connector_file, read_json_file, read_secrets
from pod_desktop.services.key_rules import KeyNotice, profile_id
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
    "read_connector_file",
    "read_json_file",
    "read_secrets",
]

TRY_NOW: Final = "try_now"
"""The command's name as services.collect knows it; importing that would load the stream's library here."""
_C = TypeVar("_C", bound=Connector)
_SHORT: Final = dict(zip(TYPES, ("block", "safe", "unblock", "unsafe"), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A connector that is to be made, with its secrets by name."""

    connector: Connector
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    enabled: bool = True


def all_four(base: RespondConnector, name: str = "") -> tuple[RespondConnector, ...]:
    """The four responders that one set of credentials can serve.

    Args:
        base: Everything but name and type counts.
        name: What their names begin with; by default the base's own: `acme` gives `acme-block`, `acme-safe`,
            `acme-unblock`, `acme-unsafe`.
    """
    stem = (name or base.name).strip()
    longest = max(map(len, _SHORT.values())) + 1
    stem = stem[: limits.NAME_CHARS - longest]
    return tuple(replace(base, name=f"{stem}-{short}", type=kind) for kind, short in _SHORT.items())


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

    def secrets(self, connector: Connector) -> dict[str, Secret]:
        """The secrets that are kept for this connector as it is; those that are missing are not in it.

        Raises:
            UserFault: a secret was saved for another origin.
            Outage: the vault does not answer.
        """
        origin = connector.secret_origin()
        found = {name: self.vault.get(connector.name, name, origin) for name in secret_names(connector)}
        return {name: secret for name, secret in found.items() if secret is not None}

    def missing_secrets(self, name: str) -> tuple[str, ...]:
        """Names of the secrets that the connector has yet to be given, or given again.

        Raises:
            UserFault: there is no such connector.
            Outage: the vault does not answer.
        """
        connector = self.entry(name).connector
        missing = []
        for secret in secret_names(connector):
            try:
                if self.vault.get(connector.name, secret, connector.secret_origin()) is None:
                    missing.append(secret)
            except UserFault:
                missing.append(secret)
        return tuple(missing)

    def credentials(self, connector: RespondConnector) -> Credentials:
        """Client ID and Client Secret of a responder, for webhook.Sender.

        Raises:
            UserFault: they are missing, or were saved for another origin.
            Outage: the vault does not answer.
        """
        from pod_desktop.webhook import Credentials

        found = self.secrets(connector)
        for name in secret_names(connector):
            if name not in found:
                raise _no_secret(connector, name)
        return Credentials(client_id=found["client_id"], client_secret=found["client_secret"])

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
        if must_last and given and not self.vault.lasting:
            raise Outage(
                f"The secrets would be lost at once: {_first_lower(self.vault.why) or 'there is no keychain.'}",
                "keychain",
                "Name a folder for secrets with POD_DESKTOP_SECRETS_DIR.",
            )
        vault: Vault = self.vault.session if session_only else self.vault
        kept: list[tuple[str, str]] = []
        try:
            for draft in checked:
                for name, secret in draft.secrets.items():
                    kept.append((draft.connector.name, name))
                    vault.put(draft.connector.name, name, draft.connector.secret_origin(), secret)
            self._ledger.add_connectors(
                [(draft.connector, draft.enabled) for draft in checked], now=self._clock.now()
            )
        except BaseException:
            _undo(vault, kept)
            raise
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
            secrets = _checked_secrets(connector, draft.secrets)
            if isinstance(connector, CollectConnector):
                self._obey_key_rules(connector, secrets.get("api_key"))
            found.append(replace(draft, connector=connector, secrets=secrets))
        return found

    def _obey_key_rules(self, connector: CollectConnector, key: Secret | None) -> None:
        if key and (said := self.key_notice(connector, key)) and said.fault:
            raise UserFault(said.text, "api_key")

    # changing

    def edit(
        self, connector: _C, secrets: Mapping[str, Secret] | None = None, *, session_only: bool = False
    ) -> _C:
        """Replace the definition of the connector of that name; what General holds cannot change.

        Secrets stay as they are unless new ones are given. Where the edit changes what they are bound to
        (host, port, protocol, token address, certificate checks) they are not carried over: all have to be
        given again.

        Raises:
            UserFault: a value does not fit, a General value would change, or secrets have to be given again
                (`where` names the first). Nothing was changed.
            Outage: keychain or ledger does not answer. Nothing was changed.
        """
        old = self.entry(connector.name).connector
        connector = self.checked(connector, editing=old.name)
        definition.check_general_unchanged(old, connector)
        given = _checked_secrets(connector, secrets or {})
        unbound = old.secret_origin() != connector.secret_origin()
        if unbound and (lacking := [name for name in secret_names(connector) if name not in given]):
            raise UserFault(
                f"The connector now goes to another place, and its {SECRET_TITLES[lacking[0]]} was saved for "
                "the old one. It is not sent there by itself.",
                lacking[0],
                "Enter it again if the new address is right.",
            )
        if isinstance(connector, CollectConnector):
            self._check_key_of_edit(connector, given.get("api_key"))
        self._replace(old, connector, given, session_only)
        if key := given.get("api_key"):
            key_rules.remember(self._ledger, connector.name, key)
        return connector

    def _check_key_of_edit(self, connector: CollectConnector, key: Secret | None) -> None:
        mine = key_rules.fingerprint(self._ledger, key) if key else ""
        said = self._notice(connector, mine or key_rules.remembered(self._ledger, connector.name))
        if said and said.fault:
            raise UserFault(said.text, "api_key" if key else "content_types")

    def _replace(
        self, old: Connector, new: Connector, given: Mapping[str, Secret], session_only: bool
    ) -> None:
        vault: Vault = self.vault.session if session_only else self.vault
        before = self._kept_before(old, given)
        put: list[str] = []
        try:
            for name, secret in given.items():
                put.append(name)
                vault.put(new.name, name, new.secret_origin(), secret)
            self._ledger.update_connector(new, now=self._clock.now())
        except BaseException:
            _put_back(vault, old, put, before)
            raise

    def _kept_before(self, old: Connector, names: Iterable[str]) -> dict[str, Secret]:
        """What an edit that fails half-way is undone to."""
        found = {}
        for name in names:
            try:
                secret = self.vault.get(old.name, name, old.secret_origin())
            except Fault:
                continue
            if secret is not None:
                found[name] = secret
        return found

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
            for secret_name in secret_names(connector):
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
        return replace(connector, name=_free_name(connector.name, self.names()))

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


def _checked_secrets(connector: Connector, secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    known = secret_names(connector)
    for name in secrets:
        if name not in known:
            raise UserFault(f"A {connector.function} connector has no secret {name[:80]!r}.", name[:80])
    return {name: Secret(definition.check_secret(name, secret.reveal())) for name, secret in secrets.items()}


def _no_secret(connector: Connector, name: str) -> UserFault:
    return UserFault(
        f"There is no {SECRET_TITLES[name]} for {connector.name}.", name, "Edit the connector and enter it."
    )


def _undo(vault: Vault, kept: Iterable[tuple[str, str]]) -> None:
    for connector, name in kept:
        try:
            vault.delete(connector, name)
        except Fault:
            # What failed first is what is told; a secret nobody refers to is the lesser harm.
            continue


def _put_back(vault: Vault, old: Connector, names: Iterable[str], before: Mapping[str, Secret]) -> None:
    for name in names:
        try:
            if name in before:
                vault.put(old.name, name, old.secret_origin(), before[name])
            else:
                vault.delete(old.name, name)
        except Fault:
            continue


def _free_name(name: str, taken: Iterable[str]) -> str:
    used = {other.casefold() for other in taken}
    stem = name[: limits.NAME_CHARS - 10]
    number, free = 1, f"{stem}-copy"
    while free.casefold() in used:
        number += 1
        free = f"{stem}-copy-{number}"
    return free


def _first_lower(words: str) -> str:
    return words[:1].lower() + words[1:]
