"""Fields that users of SIEM connectors look records up by; derived, so they cost no storage.

Source of names and values: the SIEM connector guide (Collected Data, Locating Records).
"""

from __future__ import annotations

from typing import Final

INDEX: Final = "Syslog"
MSG_CLASS: Final = {
    "message": "proofpoint_on_demand_message",
    "maillog": "proofpoint_on_demand_maillog",
    "audit": "proofpoint_on_demand_audit",
    "unreadable": "proofpoint_on_demand_unreadable",
}
ORIGIN: Final = {
    "msg_origin.source": "proofpoint_on_demand",
    "msg_origin.vendor": "proofpoint",
    "msg_origin.category": "email",
}
FIELDS: Final = ("index", "msg_class", *ORIGIN, "tenant_name")


def interflow(kind: str, tenant: str) -> dict[str, str]:
    """The Interflow fields of a record of this kind and tenant, by dotted name."""
    return {"index": INDEX, "msg_class": MSG_CLASS[kind], **ORIGIN, "tenant_name": tenant}
