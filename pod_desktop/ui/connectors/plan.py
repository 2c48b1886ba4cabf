"""What was typed into the wizard as connectors with their secrets, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pod_desktop.core import responder as webhook
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import Connector
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Draft

if TYPE_CHECKING:
    from pod_desktop.ui.connectors.configuration import Configuration
    from pod_desktop.ui.connectors.general import General
    from pod_desktop.ui.connectors.responding import Responding

_UNLIKE: Final = (webhook.TYPES[0], webhook.TYPES[1])
"""One responder of each list: a key may be allowed to read one and not the other."""


def drafts(
    general: General, collecting: Configuration, responding: Responding, edited: Connector | None
) -> list[Draft]:
    """Everything that Submit makes, in that order; values that do not fit are in it as typed."""
    values: dict[str, Any] = collecting.values()
    respond: dict[str, Any] = responding.values()
    if isinstance(edited, CollectConnector):
        values.pop("collect_from")
        changed = replace(edited, **values)
        return [Draft(connector=changed, secrets=collecting.secrets(), forget=collecting.removes())]
    if edited is not None:
        return [Draft(connector=replace(edited, **respond), secrets=responding.secrets())]
    tenant, found = general.tenant.text().strip(), []
    if not general.responds:
        collector = CollectConnector(name=general.name.text().strip(), tenant=tenant, **values)
        found.append(Draft(connector=collector, secrets=collecting.secrets()))
    for kind, name in general.responder_names().items():
        responder = RespondConnector(name=name, tenant=tenant, type=kind, **respond)
        found.append(Draft(connector=responder, secrets=responding.secrets()))
    return found


def tested(typed: Sequence[Draft], *, edited: bool) -> list[tuple[Connector, Mapping[str, Secret] | None]]:
    """Which of them are tested, with which secrets; None: those that are kept."""
    several = len(typed) > 1
    return [
        (draft.connector, draft.secrets if draft.secrets or not edited else None)
        for draft in typed
        if not several or draft.connector.type in _UNLIKE
    ]


def moved(old: Connector, new: Connector) -> str:
    """Why secrets that were saved for the old definition are not sent by the new one; '' if they are."""
    if old.secret_origin() == new.secret_origin():
        return ""
    if isinstance(old, CollectConnector) and isinstance(new, CollectConnector):
        pairs = [("stream address", old.stream_url, new.stream_url), ("CA file", old.ca_file, new.ca_file)]
    elif isinstance(old, RespondConnector) and isinstance(new, RespondConnector):
        pairs = [
            ("host", old.hostname, new.hostname),
            ("protocol", old.protocol, new.protocol),
            ("Token URL", old.token_url, new.token_url),
            ("CA file", old.ca_file, new.ca_file),
            ("certificate verification", _on_off(old.verify_tls), _on_off(new.verify_tls)),
        ]
    else:
        pairs = []
    what, before, after = next(
        ((what, before, after) for what, before, after in pairs if before != after), ("address", "", "")
    )
    return (
        f"The {what} changed from {before or 'none'} to {after or 'none'}: "
        "what is kept was saved for the old one and is not sent to the new one."
    )


def _on_off(on: bool) -> str:
    return "on" if on else "off"
