"""An action as it is shown before it is submitted: templates filled, the exact request, and the judgement on it.

Sends nothing and records nothing.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pod_desktop import content, responders, template, webhook
from pod_desktop.core import guards
from pod_desktop.core.action import ADD, COMMENT_CHARS, Entry, Request
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.template import TemplateFault

_OURS: Final = ("connector", "playbook")
"""Names in expressions that are not the record's."""
_BODY_KEYS: Final = frozenset({"action", "attribute", "operator", "value", "comment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An action as it is shown before it is submitted."""

    connector: RespondConnector
    responder: responders.Responder
    request: Request
    entry: Entry
    judgement: guards.Judgement
    record_id: str = ""
    tenant: str = ""


def scope_of(
    record: Mapping[str, object], connector: RespondConnector, *, playbook: str = ""
) -> dict[str, object]:
    """What expressions may name: the record's fields (addresses without angle brackets), the connector's
    public ones, and the playbook's name; never secrets."""
    fields = {
        name: value
        for name, value in content.fillable(record).items()
        # A dotted name would be found before ours.
        if name.partition(".")[0].partition("[")[0] not in _OURS
    }
    fields["connector"] = {
        "name": connector.name,
        "tenant": connector.tenant,
        "cluster_id": connector.cluster_id,
        "hostname": connector.hostname,
    }
    if playbook:
        fields["playbook"] = {"name": playbook}
    return fields


def prepare(
    connector: RespondConnector,
    *,
    path_and_query: str,
    body: str,
    scope: Mapping[str, object],
    around: guards.Surroundings,
    record_id: str = "",
    tenant: str = "",
    hints: bool = True,
) -> Prepared:
    """Fill both templates and judge what they would do.

    Args:
        tenant: of the record; '' where there is none.
        hints: see template.fill_text().

    Raises:
        UserFault: an expression has no value, the body is not what the list takes, the path leaves the
            responder's list, or the responder does not act on this tenant.
    """
    if tenant and not connector.may_act_on(tenant):
        raise UserFault(
            f"{connector.name} acts on the tenant {connector.tenant}; this record is of {tenant}.",
            "responder",
            "Choose a responder of that tenant, or one for All Tenants.",
        )
    responder = responders.RESPONDERS[connector.type]
    path = template.fill_text(path_and_query, scope, encode=webhook.encode_value, hints=hints)
    filled = template.fill_body(body, scope, hints=hints)
    expected = responders.LIST_PATHS[responder.list]
    if path.partition("?")[0] != expected:
        raise UserFault(f"The path must be {expected}.", "Path and Query", "Restore the template.")
    entry = read_body(filled, responder)
    request = webhook.build(connector, path, filled)
    judgement = guards.judge(responder.action, responder.list, entry, around)
    return Prepared(
        connector=connector,
        responder=responder,
        request=request,
        entry=entry,
        judgement=judgement,
        record_id=record_id,
        tenant=tenant or connector.tenant,
    )


def prepare_entry(
    connector: RespondConnector,
    entry: Entry,
    *,
    around: guards.Surroundings,
    record_id: str = "",
    tenant: str = "",
) -> Prepared:
    """An action on exactly this entry, by the responder's own templates; see prepare()."""
    responder = responders.RESPONDERS[connector.type]
    return prepare(
        connector,
        path_and_query=responder.path_and_query,
        body=body_for(responder, entry),
        scope=scope_of({}, connector),
        around=around,
        record_id=record_id,
        tenant=tenant,
    )


def read_body(body: bytes, responder: responders.Responder) -> Entry:
    """The list entry that a filled body is about.

    Raises:
        TemplateFault: not an object of the list's fields, or another action than the responder's.
    """
    data = json.loads(body)
    if not isinstance(data, dict):
        raise TemplateFault("The body must be a JSON object.", "JSON Body", "Restore the template.")
    for key, value in data.items():
        if key not in _BODY_KEYS:
            raise TemplateFault(f"The list knows no field {key!r}.", "JSON Body", "Leave it out.")
        if not isinstance(value, str):
            raise TemplateFault(f"{key!r} must be text in quotes.", "JSON Body")
    for key in ("action", "attribute", "operator", "value"):
        if key not in data:
            raise TemplateFault(f"The field {key!r} is missing.", "JSON Body", "Restore the template.")
    if data["action"] != responder.action:
        raise TemplateFault(
            f"This responder can only {responder.action}, not {data['action']!r}.",
            "JSON Body",
            "Choose the responder of the other action.",
        )
    return Entry(
        attribute=data["attribute"],
        operator=data["operator"],
        value=data["value"],
        comment=data.get("comment", ""),
    )


def literal(text: str) -> str:
    """Text as a template that means exactly this text."""
    return text.replace("{", "{{").replace("}", "}}")


def body_for(responder: responders.Responder, entry: Entry) -> str:
    """A body template that holds this entry literally."""
    fields = {
        "action": responder.action,
        "attribute": entry.attribute,
        "operator": entry.operator,
        "value": literal(entry.value),
    }
    if responder.action == ADD and entry.comment:
        fields["comment"] = literal(entry.comment)
    return json.dumps(fields, indent=2, ensure_ascii=False)


def body_with(
    responder: responders.Responder,
    *,
    attribute: str,
    operator: str,
    value: str,
    comment: str = "",
) -> str:
    """A body template of these pieces, each a template itself: what the pickers and chips write.

    An empty comment is left out, as it is on delete.
    """
    fields = {"action": responder.action, "attribute": attribute, "operator": operator, "value": value}
    if responder.action == ADD and comment:
        fields["comment"] = comment
    return json.dumps(fields, indent=2, ensure_ascii=False)


def comment_left(comment: str) -> int:
    """How many characters a comment may still have; negative when it is too long."""
    return COMMENT_CHARS - len(comment)


def needs(prepared: Prepared, answer: str) -> str:
    """The reasons for this answer (guards.CONFIRM, guards.REFUSE) as one text."""
    return " ".join(reason.text for reason in prepared.judgement.reasons if reason.answer == answer)


def shown_request(request: Request) -> str:
    """Method, address, headers and body as they will be sent; the token masked."""
    head = f"{request.method} {request.url}\nAuthorization: Bearer ********\nAccept: application/json\n"
    return f"{head}Content-Type: application/json\n\n{request.body.decode()}"


def as_curl(request: Request) -> str:
    """The request as a command for a POSIX shell. The token is a variable, never the token itself."""
    return " \\\n  ".join(
        (
            f"curl --request {request.method} {_quoted(request.url.encode())}",
            '--header "Authorization: Bearer $TOKEN"',
            "--header 'Accept: application/json'",
            "--header 'Content-Type: application/json'",
            f"--data-raw {_quoted(request.body)}",
        )
    )


def _quoted(data: bytes) -> str:
    """One shell word of exactly these bytes; what cannot be seen is spelt out."""
    text = data.decode("utf-8", "backslashreplace")
    if text.isprintable() and text.encode() == data:
        return shlex.quote(text)
    spelt = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"\\'" else f"\\x{byte:02x}" for byte in data
    )
    return f"$'{spelt}'"
