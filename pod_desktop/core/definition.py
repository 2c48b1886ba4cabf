"""Either kind of connector: which it is, its file, its secrets, and what people call what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from pod_desktop.core import connector as collect_rules
from pod_desktop.core import responder as respond_rules
from pod_desktop.core.connector import EMAIL, CollectConnector
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import WEBHOOK, RespondConnector

Connector: TypeAlias = CollectConnector | RespondConnector

CATEGORY_TITLES: Final = {EMAIL: "Email", WEBHOOK: "Webhook"}
SECRET_TITLES: Final = {
    "api_key": "API Key",
    "api_key_2": "Second API Key",
    "client_id": "Client ID",
    "client_secret": "Client Secret",
}
GENERAL: Final = ("category", "type", "function", "name", "tenant", "run_on")
"""What the General tab holds; it cannot be changed once the connector is made."""
_GENERAL_TITLES: Final = {
    "category": "Category", "type": "Type", "function": "Function", "name": "Name",
    "tenant": "Tenant Name", "run_on": "Run On",
}  # fmt: skip


def connector_from_file(data: Mapping[str, object], taken: Iterable[str] = ()) -> Connector:
    """A connector of either category from its file's JSON object; without a category it is Email.

    Args:
        taken: Names of connectors that exist.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    category = data.get("category", EMAIL)
    if category == WEBHOOK:
        return respond_rules.respond_from_file(data, taken)
    if category != EMAIL:
        shown = repr(category[:80]) if isinstance(category, str) else "That"
        raise UserFault(f"{shown} is no category.", "category", f"Use {EMAIL!r} or {WEBHOOK!r}.")
    return collect_rules.from_file(data, taken)


def connector_to_file(connector: Connector) -> dict[str, object]:
    """The connector as its file's JSON object; connector_from_file() reads it back. No secrets."""
    if isinstance(connector, RespondConnector):
        return respond_rules.respond_to_file(connector)
    return collect_rules.to_file(connector)


def secret_names(connector: Connector) -> tuple[str, ...]:
    """Names of the secrets that this kind of connector needs."""
    if isinstance(connector, RespondConnector):
        return respond_rules.SECRET_NAMES
    return collect_rules.SECRET_NAMES


def optional_secrets(connector: Connector) -> tuple[str, ...]:
    """Names of the secrets that this kind of connector may have beside those it needs."""
    return () if isinstance(connector, RespondConnector) else collect_rules.OPTIONAL_SECRETS


def check_secret(name: str, text: str) -> str:
    """The secret as it is sent.

    Raises:
        UserFault: no such secret, or a value that cannot be one. The words never hold it.
    """
    if name in (*collect_rules.SECRET_NAMES, *collect_rules.OPTIONAL_SECRETS):
        return collect_rules.check_api_key(text, name)
    if name in respond_rules.SECRET_NAMES:
        return respond_rules.check_credential(text, name, SECRET_TITLES[name])
    raise UserFault("There is a secret of an unknown name.", "secrets", f"Known: {', '.join(SECRET_TITLES)}.")


def check_general_unchanged(old: Connector, new: Connector) -> None:
    """Raises UserFault for the first value of the General tab that an edit would change."""
    for field in GENERAL:
        if getattr(old, field) != getattr(new, field):
            raise UserFault(
                f"{_GENERAL_TITLES[field]} cannot be changed after the connector was made.",
                field,
                "Duplicate the connector under another name, and remove this one.",
            )


def warnings(connector: Connector) -> tuple[str, ...]:
    """What stays visible on the connector as long as it is so."""
    if isinstance(connector, RespondConnector):
        return respond_rules.warnings(connector)
    return collect_rules.warnings(connector)


def content_type_titles(connector: Connector) -> tuple[str, ...]:
    """`Message`, `Mail Log`: what a collector collects; nothing for a responder."""
    return tuple(collect_rules.CONTENT_TYPE_TITLES[kind] for kind in connector.content_types)


def type_title(connector: Connector) -> str:
    """The type as people know it."""
    return collect_rules.TYPE_TITLES.get(connector.type, connector.type)
