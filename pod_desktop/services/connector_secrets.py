"""The secrets of connectors in the vault: read, checked, and put with a way back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from pod_desktop.core import definition
from pod_desktop.core.connector import SECOND_KEY
from pod_desktop.core.definition import SECRET_TITLES, Connector, optional_secrets, secret_names
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.vault import SessionVault, Vault

if TYPE_CHECKING:
    from pod_desktop.webhook import Credentials


def kept(vault: Vault, connector: Connector) -> dict[str, Secret]:
    """The secrets that are kept for this connector as it is; those that are missing are not in it.

    Raises:
        UserFault: a secret was saved for another origin.
        Outage: the vault does not answer.
    """
    origin = connector.secret_origin()
    found = {name: vault.get(connector.name, name, origin) for name in secret_names(connector)}
    return {name: secret for name, secret in found.items() if secret is not None}


def missing(vault: Vault, connector: Connector) -> tuple[str, ...]:
    """Names of the secrets that it has yet to be given, or given again because it goes elsewhere now.

    Raises:
        Outage: the vault does not answer.
    """
    lacking = []
    for name in secret_names(connector):
        try:
            if vault.get(connector.name, name, connector.secret_origin()) is None:
                lacking.append(name)
        except UserFault:
            lacking.append(name)
    return tuple(lacking)


def optional_kept(vault: Vault, connector: Connector) -> tuple[str, ...]:
    """Names of the secrets beside those it needs that are kept for it, wherever they were saved for.

    Raises:
        Outage: the vault does not answer.
    """
    found = []
    for name in optional_secrets(connector):
        try:
            if vault.get(connector.name, name, connector.secret_origin()) is not None:
                found.append(name)
        except UserFault:
            found.append(name)
    return tuple(found)


def credentials(vault: Vault, connector: RespondConnector) -> Credentials:
    """Client ID and Client Secret of a responder, for webhook.Sender.

    Raises:
        UserFault: they are missing, or were saved for another origin.
        Outage: the vault does not answer.
    """
    from pod_desktop.webhook import Credentials

    found = kept(vault, connector)
    for name in secret_names(connector):
        if name not in found:
            raise UserFault(
                f"There is no {SECRET_TITLES[name]} for {connector.name}.",
                name,
                "Edit the connector and enter it.",
            )
    return Credentials(client_id=found["client_id"], client_secret=found["client_secret"])


def checked(connector: Connector, secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    """The secrets as they are sent.

    Raises:
        UserFault: one that this kind of connector has not, or that cannot be one.
    """
    known = (*secret_names(connector), *optional_secrets(connector))
    for name in secrets:
        if name not in known:
            raise UserFault(f"A {connector.function} connector has no secret {name[:80]!r}.", name[:80])
    sent = {name: Secret(definition.check_secret(name, secret.reveal())) for name, secret in secrets.items()}
    first, second = sent.get("api_key"), sent.get(SECOND_KEY)
    if first is not None and second is not None and first.reveal() == second.reveal():
        raise UserFault(
            "The second API key is the first one again.", SECOND_KEY, "Make another, or leave it out."
        )
    return sent


def check_lasting(vault: SessionVault) -> None:
    """Raises Outage where secrets would not outlive this process."""
    if not vault.lasting:
        why = vault.why[:1].lower() + vault.why[1:]
        raise Outage(
            f"The secrets would be lost at once: {why or 'there is no keychain.'}",
            "keychain",
            "Name a folder for secrets with POD_DESKTOP_SECRETS_DIR.",
        )


def check_rebound(
    vault: Vault, old: Connector, new: Connector, given: Mapping[str, Secret], forget: Collection[str]
) -> None:
    """Raises UserFault when an edit goes elsewhere and a secret of the old place is not given again."""
    if old.secret_origin() == new.secret_origin():
        return
    needed = [name for name in secret_names(new) if name not in given]
    beside = [name for name in optional_kept(vault, old) if name not in given and name not in forget]
    for name in (*needed, *beside):
        raise UserFault(
            f"The connector now goes to another place, and its {SECRET_TITLES[name]} was saved for the old "
            "one. It is not sent there by itself.",
            name,
            "Enter it again if the new address is right" + (", or remove it." if name in beside else "."),
        )


@contextmanager
def forgotten(vault: Vault, connector: Connector, names: Collection[str]) -> Iterator[None]:
    """Let go of secrets that it may be without; where the block fails they are kept after all.

    Raises:
        UserFault: one that it cannot be without, or that this program may not delete.
        Outage: the vault does not answer.
    """
    for name in names:
        if name not in optional_secrets(connector):
            raise UserFault(f"{connector.name} cannot be without its {SECRET_TITLES.get(name, name)}.", name)
    before = _before(vault, [Item(connector, name, Secret("")) for name in names], connector)
    try:
        for name in names:
            vault.delete(connector.name, name)
        yield
    except BaseException:
        for name, secret in before.items():
            _put_back(vault, Item(connector, name, secret), connector, secret)
        raise


class Item(NamedTuple):
    """A secret that is to be kept."""

    connector: Connector
    name: str
    secret: Secret


@contextmanager
def put(vault: Vault, items: Sequence[Item], replacing: Connector | None = None) -> Iterator[None]:
    """Keep secrets for as long as the block succeeds: where it fails they are as they were before.

    Args:
        replacing: The connector that an edit replaces: its secrets are what is gone back to.

    Raises:
        UserFault, Outage: as vault.put(). Nothing is kept.
    """
    before = _before(vault, items, replacing) if replacing is not None else {}
    touched: list[Item] = []
    try:
        for item in items:
            touched.append(item)
            vault.put(item.connector.name, item.name, item.connector.secret_origin(), item.secret)
        yield
    except BaseException:
        for item in touched:
            _put_back(vault, item, replacing, before.get(item.name))
        raise


def _before(vault: Vault, items: Sequence[Item], replacing: Connector) -> dict[str, Secret]:
    found = {}
    for item in items:
        try:
            secret = vault.get(replacing.name, item.name, replacing.secret_origin())
        except Fault:
            continue
        if secret is not None:
            found[item.name] = secret
    return found


def _put_back(vault: Vault, item: Item, replacing: Connector | None, before: Secret | None) -> None:
    try:
        if replacing is not None and before is not None:
            vault.put(replacing.name, item.name, replacing.secret_origin(), before)
        else:
            vault.delete(item.connector.name, item.name)
    except Fault:
        # What failed first is what is told; a secret nobody refers to is the lesser harm.
        return
