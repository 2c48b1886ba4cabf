"""What any vault does, and the rules that all of them keep.

A secret is kept under a connector's name and its own (`api_key`), and bound to its origin: where it may
be sent. Whoever asks for it on behalf of another origin does not get it.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret

_SECRET_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CONNECTOR: Final = re.compile(r"[\x20-\x7e]+")
RESERVED: Final = "origin"
"""No secret has this name: the folder uses it for what a secret is bound to."""


class Vault(Protocol):
    """Keeps secrets. Safe to use from several threads; calls may take limits.VAULT_SECONDS."""

    @property
    def title(self) -> str:
        """What people call it, for example `GNOME Keyring`."""
        ...

    @property
    def lasting(self) -> bool:
        """Does it still hold the secret after this program has ended?"""
        ...

    @property
    def why(self) -> str:
        """Why this vault and not a better one, in words; empty when there is nothing to explain."""
        ...

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        """The secret, or None when there is none.

        Raises:
            UserFault: it was saved for another origin, or is kept in a way that others can read.
            Outage: the vault does not answer, is locked or failing.
        """
        ...

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        """Keep the secret, in place of an older one.

        Raises:
            UserFault: a name that cannot be kept, or a read-only vault.
            Outage: the vault does not answer, is locked or failing.
        """
        ...

    def delete(self, connector: str, name: str) -> None:
        """Forget the secret; nothing happens when there is none. Raises as put()."""
        ...


def check_entry(connector: str, name: str) -> None:
    """Raises UserFault for names that could mean something else to a folder or a keychain."""
    if (
        not _CONNECTOR.fullmatch(connector)
        or len(connector) > limits.NAME_CHARS
        or set(connector) & set("/\\")
    ):
        raise UserFault(
            "A secret cannot be kept under this connector's name.",
            "name",
            "Use printable ASCII without slashes.",
        )
    if not _SECRET_NAME.fullmatch(name) or name == RESERVED:
        raise UserFault(f"{name!r} is no name of a secret.", "name")


def check_size(secret: Secret) -> None:
    """Raises UserFault for an empty secret or one that is too long to be one."""
    length = len(secret.reveal())
    if not length:
        raise UserFault("The secret is empty.")
    if length > limits.SECRET_CHARS:
        raise UserFault(f"The secret has {length:,} characters; {limits.SECRET_CHARS:,} is the most.")


def other_origin(connector: str, name: str, saved: str, asked: str) -> UserFault:
    """The fault of a secret that was saved for another origin."""
    return UserFault(
        f"The {name.replace('_', ' ')} of {connector} was saved for {saved}; the connector now goes to {asked}.",
        name,
        "It is not sent there. Enter it again if the new address is right.",
    )
