"""Audit records: what administrators and services do in the management interface."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any, Final

from pod_desktop.core.clock import iso
from pod_desktop.core.record import AUDIT
from pod_desktop.simulator.chance import hex_of, weighted
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.people import World, ip_in

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ACTIONS: Final = weighted(
    {"read": 34, "login": 16, "logout": 12, "edit": 14, "create": 9, "delete": 5, "execute": 10}
)
_RESOURCES: Final = {
    "read": (("quarantine.message", "Quarantine"), ("smartSearch", ""), ("report", "Top senders")),
    "login": (("session", ""),),
    "logout": (("session", ""),),
    "edit": (
        ("policy.route", "default_inbound"),
        ("spam.rule", "spam_definite"),
        ("firewall.rule", "block_ip_reputation"),
    ),
    "create": (("orgBlockList.entry", "$from"), ("user", "helpdesk-2"), ("apiKey", "SIEM")),
    "delete": (("orgSafeList.entry", "$hfrom"), ("user", "temp-admin")),
    "execute": (("quarantine.release", "Phish"), ("digest.send", "all")),
}


def items(world: World, start: int, seed: int) -> list[Item]:
    """One thing that someone did."""
    rng = Random(seed)
    guid = f"{hex_of(rng, 8)}-{hex_of(rng, 4)}-{hex_of(rng, 4)}-{hex_of(rng, 4)}-{hex_of(rng, 12)}"
    action = _ACTIONS.draw(rng)
    resource, name = rng.choice(_RESOURCES[action])
    audit: dict[str, Any] = {
        "action": action,
        "level": "INFO" if action not in ("delete", "edit") else "WARN",
        "resourceType": resource,
        "tags": [
            {"name": "eventCategory", "value": resource.partition(".")[0]},
            {"name": "eventSubCategory", "value": action},
        ],
    }
    if name:
        audit["resourceName"] = name
    if rng.random() < 0.8:
        admin = world.staff.values[rng.randrange(5)]
        audit["user"] = {
            "email": admin.address,
            "id": base64.b64encode(admin.address.encode()).decode(),
            "ipAddress": ip_in("us", rng),
        }
    else:
        audit["service"] = {
            "id": "threatprotection-api",
            "cid": world.cluster_id,
            "customerId": world.customer,
            "ipAddress": ip_in("us", rng),
        }
    record = {
        "guid": guid,
        "ts": iso(start),
        "audit": audit,
        "metadata": {
            "customerId": world.customer,
            "origin": {"schemaVersion": "20230926", "data": {"cid": world.cluster_id, "version": "1.0.0"}},
        },
    }
    return [Item(start, AUDIT, guid, _ENCODE(record).encode(), start + rng.randrange(400_000))]
