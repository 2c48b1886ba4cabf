"""Every field that a query can name, once: its type decides what its values mean, its words help who types.

What a value means, by type of the field:
- text: words inside the value (tree.Words): `subject:invoice` finds "Your Invoice no. 7", the last word may go
  on; in quotes the words must stand next to each other and be whole.
- address, domain, name, choice: the whole value; `*` and `?` for parts of it.
- number: a number; sizes also with a unit (`10MB`, of 1024), lengths of time too (`5m`, `00:05:00`).
- time: a moment, or all of a day, hour, minute … when less is written.
- ip: an address or a network (`10.0.0.0/8`).
A field of any other name is a path into the raw record: the whole value, numbers by value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pod_desktop.core import interflow
from pod_desktop.core.record import (
    AUDIT,
    CONTENT_TYPES,
    FLAG_HIDDEN_CHARACTERS,
    FLAG_NO_ID,
    FLAG_REPAIRED,
    FLAG_TIME_GUESSED,
    FLAG_TRUNCATED,
    MAILLOG,
    MESSAGE,
    OUTCOMES,
    UNREADABLE,
)

FieldType = Literal["text", "address", "domain", "name", "choice", "number", "time", "ip"]
"""`name` is a whole value whose possible values nobody can list beforehand: rules, hosts, ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One searchable field."""

    name: str
    title: str
    """For column heads and forms."""
    type: FieldType
    help: str
    """One sentence."""
    kinds: tuple[str, ...] = (*CONTENT_TYPES, UNREADABLE)
    """Content types whose records can have it."""
    choices: tuple[str, ...] = ()
    """For type choice: all its values. For others: common ones, offered while typing."""
    unit: Literal["", "bytes", "seconds"] = ""
    many: bool = False
    """One record may have several values; any of them may match."""


_MAIL: Final = (MESSAGE, MAILLOG)
_FILTERED: Final = (MESSAGE,)
_LOGGED: Final = (MAILLOG,)
_AUDITED: Final = (AUDIT,)
_VERDICTS: Final = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror")

FLAGS: Final = {
    "repaired": FLAG_REPAIRED,
    "hidden": FLAG_HIDDEN_CHARACTERS,
    "no_id": FLAG_NO_ID,
    "time_guessed": FLAG_TIME_GUESSED,
    "truncated": FLAG_TRUNCATED,
}
"""Values of the field `flag`: bits of core.record.Columns.flags."""

_ALL: Final = (
    Field(name="time", title="Time", type="time", help="When the record says it happened."),
    Field(
        name="type",
        title="Type",
        type="choice",
        choices=(*CONTENT_TYPES, UNREADABLE),
        help="What the record is: a filtered message, a mail-log line, an administrator's action, or unreadable.",
    ),
    Field(name="tenant", title="Tenant", type="name", help="Tenant of the connector that collected it."),
    Field(name="connector", title="Connector", type="name", help="Connector that collected it."),
    Field(
        name="id",
        title="Record id",
        type="name",
        help="The record's own guid or id; message:<guid> works too.",
    ),
    Field(name="cluster", title="Cluster", type="name", help="Cluster id as the record states it."),
    Field(
        name="flag",
        title="Flag",
        type="choice",
        choices=tuple(FLAGS),
        many=True,
        help="Something to know before reading on: hidden characters, repaired text, a guessed time.",
    ),
    Field(
        name="marked",
        title="Marked",
        type="choice",
        choices=("true", "false"),
        help="Whether somebody marked the record here.",
    ),
    Field(
        name="comment",
        title="Comment",
        type="text",
        help="Words of the comment that somebody wrote about the record here.",
    ),
    Field(name="sender", title="Sender", type="address", kinds=_MAIL, help="Envelope sender (MAIL FROM)."),
    Field(
        name="sender.domain",
        title="Sender domain",
        type="domain",
        kinds=_MAIL,
        help="Domain of the envelope sender; *.example.com for its sub-domains.",
    ),
    Field(
        name="header_from",
        title="Header from",
        type="address",
        kinds=_FILTERED,
        many=True,
        help="Address in the From header, which the reader of the mail sees.",
    ),
    Field(
        name="header_from.domain",
        title="Header from domain",
        type="domain",
        kinds=_FILTERED,
        many=True,
        help="Domain of the address in the From header.",
    ),
    Field(
        name="recipient",
        title="Recipient",
        type="address",
        kinds=_MAIL,
        many=True,
        help="Any envelope recipient.",
    ),
    Field(
        name="recipient.domain",
        title="Recipient domain",
        type="domain",
        kinds=_MAIL,
        many=True,
        help="Domain of any envelope recipient.",
    ),
    Field(
        name="subject",
        title="Subject",
        type="text",
        help="Words of the subject; of other records, their line.",
    ),
    Field(
        name="outcome",
        title="Outcome",
        type="choice",
        choices=OUTCOMES,
        help="What became of the mail, in one word.",
    ),
    Field(
        name="disposition",
        title="Disposition",
        type="name",
        kinds=_FILTERED,
        choices=("accept", "continue", "discard", "reject", "retry"),
        help="The filter's own word for what it did.",
    ),
    Field(name="rule", title="Rule", type="name", kinds=_FILTERED, help="Rule that decided."),
    Field(
        name="module",
        title="Module",
        type="name",
        kinds=_FILTERED,
        choices=("av", "spam", "pdr", "dmarc", "spf", "access", "urldefense", "zerohour"),
        help="Filter module of the rule that decided.",
    ),
    Field(name="folder", title="Folder", type="name", kinds=_FILTERED, help="Quarantine folder."),
    Field(name="score", title="Score", type="number", kinds=_FILTERED, help="Overall spam score, 0 to 100."),
    Field(
        name="ip",
        title="IP",
        type="ip",
        kinds=(*_MAIL, AUDIT),
        help="Source address, or a network of them. Not of a delivery line: its relay took the mail (`relay`).",
    ),
    Field(
        name="host", title="Host", type="name", kinds=_FILTERED, help="Name of the sending host, as resolved."
    ),
    Field(name="helo", title="HELO", type="name", kinds=_FILTERED, help="Name the sending host gave itself."),
    Field(
        name="country",
        title="Country",
        type="name",
        kinds=_FILTERED,
        help="Country of the source, two letters.",
    ),
    Field(
        name="direction",
        title="Direction",
        type="choice",
        kinds=_FILTERED,
        choices=("inbound", "outbound", "internal"),
        help="Which way the mail went.",
    ),
    Field(
        name="route",
        title="Route",
        type="name",
        kinds=_FILTERED,
        many=True,
        help="Any policy route that applied.",
    ),
    Field(
        name="qid", title="Queue id", type="name", kinds=_MAIL, help="Joins a message to its mail-log lines."
    ),
    Field(
        name="message_id",
        title="Message-ID",
        type="name",
        kinds=_MAIL,
        help="Message-ID header, without brackets.",
    ),
    Field(
        name="size",
        title="Size",
        type="number",
        unit="bytes",
        kinds=_MAIL,
        help="Size of the message: 10MB, 500KB.",
    ),
    Field(
        name="attachment.name",
        title="Attachment name",
        type="text",
        kinds=_FILTERED,
        many=True,
        help="Words of any attachment's file name; *.iso for endings.",
    ),
    Field(
        name="attachment.sha256",
        title="Attachment SHA-256",
        type="name",
        kinds=_FILTERED,
        many=True,
        help="Hash of any attachment.",
    ),
    Field(
        name="url",
        title="URL",
        type="text",
        kinds=_FILTERED,
        many=True,
        help="Words inside any URL of the mail.",
    ),
    Field(name="spf", title="SPF", type="name", kinds=_FILTERED, choices=_VERDICTS, help="Result of SPF."),
    Field(
        name="dkim",
        title="DKIM",
        type="name",
        kinds=_FILTERED,
        choices=_VERDICTS,
        many=True,
        help="Any DKIM result.",
    ),
    Field(
        name="dmarc", title="DMARC", type="name", kinds=_FILTERED, choices=_VERDICTS, help="Result of DMARC."
    ),
    Field(
        name="virus",
        title="Virus",
        type="text",
        kinds=_FILTERED,
        many=True,
        help="Words of any virus name found.",
    ),
    Field(
        name="stat",
        title="Status",
        type="name",
        kinds=_LOGGED,
        choices=(
            "Sent",
            "Deferred",
            "queued",
            "Data format error",
            "User unknown",
            "Host unknown",
            "Service unavailable",
        ),
        help="First words of a delivery's status in the mail log.",
    ),
    Field(
        name="dsn",
        title="DSN",
        type="name",
        kinds=_LOGGED,
        help="Delivery status code: 2.0.0; 5.* for refusals.",
    ),
    Field(
        name="relay", title="Relay", type="text", kinds=_LOGGED, help="Words of the relay's name or address."
    ),
    Field(
        name="mailer",
        title="Mailer",
        type="name",
        kinds=_LOGGED,
        help="Mailer of the delivery: esmtp, local.",
    ),
    Field(
        name="delay",
        title="Delay",
        type="number",
        unit="seconds",
        kinds=_LOGGED,
        help="Time since the mail was taken in: 90, 5m or 00:05:00.",
    ),
    Field(
        name="action",
        title="Action",
        type="name",
        kinds=_AUDITED,
        choices=("login", "logout", "create", "edit", "delete", "read", "execute"),
        help="What the administrator did.",
    ),
    Field(
        name="user",
        title="User",
        type="name",
        kinds=_AUDITED,
        many=True,
        help="Who did it: e-mail address or id.",
    ),
    Field(
        name="resource",
        title="Resource",
        type="text",
        kinds=_AUDITED,
        many=True,
        help="Words of the type or name of what it was done to.",
    ),
    Field(
        name="index",
        title="Index",
        type="name",
        choices=(interflow.INDEX,),
        help="Index of a SIEM's record: `Syslog`. A content type here means `type`.",
    ),
    Field(
        name="msg_class",
        title="Message class",
        type="name",
        choices=tuple(interflow.MSG_CLASS.values()),
        help="Class by which a SIEM's users look records up.",
    ),
    *(
        Field(name=name, title=title, type="name", choices=(interflow.ORIGIN[name],), help=words)
        for name, title, words in (
            ("msg_origin.source", "Origin source", "Product that the records come from."),
            ("msg_origin.vendor", "Origin vendor", "Vendor of that product."),
            ("msg_origin.category", "Origin category", "Category of that product."),
        )
    ),
    Field(name="tenant_name", title="Tenant name", type="name", help="The tenant, by its SIEM name."),
)

FIELDS: Final[dict[str, Field]] = {field.name: field for field in _ALL}
"""All fields by name (lower case), in the order in which they are offered."""

EXISTS: Final = "_exists_"

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    # Two senders, and telling them apart is what phishing is about: the careless word asks for both.
    "from": ("sender", "header_from"),
    "from.domain": ("sender.domain", "header_from.domain"),
    "domain": ("sender.domain", "header_from.domain", "recipient.domain"),
    "mail_from": ("sender",),
    "mailfrom": ("sender",),
    "envelope_from": ("sender",),
    "sender_domain": ("sender.domain",),
    "header_from_domain": ("header_from.domain",),
    "to": ("recipient",),
    "rcpt": ("recipient",),
    "rcpts": ("recipient",),
    "rcpt_to": ("recipient",),
    "recipients": ("recipient",),
    "recipient_domain": ("recipient.domain",),
    "to.domain": ("recipient.domain",),
    "ts": ("time",),
    "timestamp": ("time",),
    "@timestamp": ("time",),
    "date": ("time",),
    "kind": ("type",),
    "title": ("subject",),
    "status": ("stat",),
    "spam": ("score",),
    "spamscore": ("score",),
    "src_ip": ("ip",),
    "srcip": ("ip",),
    "source_ip": ("ip",),
    "client_ip": ("ip",),
    "queue_id": ("qid",),
    "queueid": ("qid",),
    "messageid": ("message_id",),
    "message-id": ("message_id",),
    "msgid": ("message_id",),
    "quarantine": ("folder",),
    "attachment": ("attachment.name",),
    "attachments": ("attachment.name",),
    "filename": ("attachment.name",),
    "sha256": ("attachment.sha256",),
    "hash": ("attachment.sha256",),
    "urls": ("url",),
    "link": ("url",),
    "flags": ("flag",),
    "cid": ("cluster",),
}
"""Names from other tools and the fields they stand for; several: a match in any of them.

`ts` is a key of the records too, but its text carries the cluster's own offset: as a time it compares right.
"""

TOP_KEYS: Final = (
    "guid",
    "connection",
    "envelope",
    "filter",
    "msg",
    "msgParts",
    "metadata",
    "pps",
    "data",
    "tls",
    "sm",
    "audit",
)
"""Top-level keys of the service's records that are paths although they have no dot (`id`, `ts`: see above)."""

RAW: Final = "$."
"""Before a name: this is a path of the raw record, whatever else the name could mean. It stays in the tree only
where the rest is not a path by itself (`$.subject`, `$.newKey`); who reads the record takes it off."""

_OUR_HEADS: Final = {name.split(".")[0] for name in (*FIELDS, *ALIASES)} - set(TOP_KEYS)


def is_path(name: str) -> bool:
    """Whether a field of the tree is a path of the raw record, not one of FIELDS."""
    return name not in FIELDS


def resolve(name: str) -> tuple[str, ...]:
    """The tree's names for a name as typed: one field, the fields of an alias, or a path; () if unknown.

    A name whose first part is a field of ours (`sender.domian`) is no path but a slip; `$.` says otherwise.
    """
    folded = name.casefold()
    if folded in FIELDS:
        return (folded,)
    if folded in ALIASES:
        return ALIASES[folded]
    if name.startswith(RAW):
        return _raw_path(name)
    head = name.partition(".")[0].partition("[")[0]
    if name in TOP_KEYS or (head != name and (head in TOP_KEYS or head.casefold() not in _OUR_HEADS)):
        return (name,)
    return ()


def _raw_path(name: str) -> tuple[str, ...]:
    """Without `$.` where the rest can only be a path, so that one path has one name."""
    rest = name.removeprefix(RAW)
    if not rest:
        return ()
    plain = not rest.startswith(RAW) and resolve(rest) == (rest,) and is_path(rest)
    return (rest,) if plain else (name,)


def suggestions() -> list[str]:
    """Every name that could have been meant."""
    return [*FIELDS, *ALIASES, *TOP_KEYS]
