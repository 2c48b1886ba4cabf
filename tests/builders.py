"""Records to test with, built instead of pasted: a plausible one by default, anything else by keyword.

message(), maillog_from(), maillog_to() and audit() give the record as a dict; as_bytes() gives what the
service sends. Nested members are set by dotted names: message(**{"filter.disposition": "discard"}), and left
out with MISSING. Shared by all tests: `from builders import message, as_bytes`.
"""

from __future__ import annotations

import itertools
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

MISSING: Final = object()
"""As a value: the member is left out."""
NOW: Final = 1_795_513_267_412_345
"""2026-11-24T09:41:07.412345Z, when builders' records happen; microseconds UTC."""
DATA: Final = Path(__file__).parent / "data"
_count = itertools.count(1)


def as_bytes(record: object) -> bytes:
    """The record as the service sends it: compact JSON, UTF-8."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def stamp(micros: int = NOW, hours: int = -7) -> str:
    """A time as the service writes it: microseconds, offset without colon, the cluster's own zone."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    local = moment + timedelta(hours=hours)
    return f"{local:%Y-%m-%dT%H:%M:%S.%f}{'-' if hours < 0 else '+'}{abs(hours):02d}00"


def _changed(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    record = deepcopy({name: value for name, value in record.items() if value is not MISSING})
    for name, value in changes.items():
        *parents, last = name.split(".")
        place = record
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is MISSING:
            place.pop(last, None)
        else:
            place[last] = value
    return record


def message(
    *,
    guid: str | None = None,
    time: int = NOW,
    sender: str = "billing@supplier.example",
    header_from: str | None = None,
    recipients: tuple[str, ...] | list[str] = ("j.meyer@acme.example",),
    subject: str = "Invoice 20931 attached",
    ip: str = "198.51.100.23",
    country: str = "de",
    disposition: str = "continue",
    folder: str = "",
    rule: str = "notspam",
    module: str = "spam",
    score: int | None = 2,
    size: int = 48_204,
    qid: str | None = None,
    cluster: str = "acme_hosted",
    direction: str = "inbound",
    parts: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A `message` record. `changes` by dotted name win over everything."""
    number = next(_count)
    author = header_from if header_from is not None else sender
    address = author.rpartition("<")[2].rstrip(">") if "<" in author else author
    message_id = f"{number}.{time}@mail.supplier.example"
    headers = {"from": [author], "to": list(recipients), "subject": [subject]}
    found: dict[str, Any] = {
        "disposition": disposition,
        "routeDirection": direction,
        "routes": ["default_inbound"],
        "qid": qid if qid is not None else f"4TkQz{number:09d}",
        "msgSizeBytes": size,
        "durationSecs": 0.169678,
        "actions": [
            {"module": module, "rule": rule, "action": disposition, "isFinal": True},
            {"module": "av", "rule": "clean", "action": "add-header"},
        ],
        "delivered": {"rcpts": list(recipients)},
        "modules": {
            "spf": {"domain": sender.rpartition("@")[2], "result": "pass"},
            "dkimv": [{"domain": sender.rpartition("@")[2], "selector": "s1", "result": "pass"}],
            "dmarc": {"filterdResult": "pass", "records": [{"record": "v=DMARC1; p=reject"}]},
        },
    }
    if folder:
        found["quarantine"] = {"folder": folder, "folderId": "f1", "rule": rule, "module": module}
    if score is not None:
        scores = {
            "overall": score,
            "engine": score,
            "classifiers": {"phish": 0, "bulk": score, "mlxlog": -93},
        }
        found["modules"]["spam"] = {"scores": scores, "version": {"engine": "8.19.0"}}
    record = {
        "guid": guid if guid is not None else f"guid-{number:027d}",
        "ts": stamp(time),
        "connection": {
            "ip": ip,
            "host": "mail.supplier.example",
            "helo": "mail.supplier.example",
            "country": country,
            "protocol": "smtp:smtp",
            "sid": "3j6jew035h",
            "tls": {"inbound": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "cipherBits": 256}},
        },
        "envelope": {"from": sender, "rcpts": list(recipients)},
        "filter": found,
        "msg": {
            "header": {**headers, "message-id": [f"<{message_id}>"]},
            "normalizedHeader": {**headers, "message-id": [message_id]},
            "parsedAddresses": {"from": [address], "to": list(recipients)},
            "lang": "en",
            "sizeBytes": size - 400,
        },
        "msgParts": parts if parts is not None else [part("text.txt", urls=())],
        "metadata": {
            "origin": {"data": {"agent": "m0000123.ppops.net", "cid": cluster, "version": "8.21.0"}}
        },
    }
    return _changed(record, changes)


def part(
    name: str = "Statement_0924.html",
    *,
    detected: str | None = None,
    size: int = 12_100,
    urls: tuple[str, ...] | list[str] = ("https://paypa1-secure.example/login",),
    **changes: Any,
) -> dict[str, Any]:
    """One item of msgParts; `detected` is the ending that the filter found."""
    ending = name.rpartition(".")[2]
    record = {
        "structureId": "0",
        "labeledName": name,
        "detectedName": name,
        "labeledExt": ending,
        "detectedExt": (detected or ending).upper(),
        "labeledMime": "text/html",
        "detectedMime": "text/html",
        "detectedSizeBytes": size,
        "sizeDecodedBytes": size,
        "md5": "f3226e81da52c0cb05d4a7599827b70c",
        "sha256": "3b9778951a276e13059b1d2254cc93ab9744b6e71081c29918ba20ccaa80db9d",
        "disposition": "inline" if name.startswith("text.") else "attached",
        "isArchive": False,
        "isProtected": False,
        "metadata": {},
        "urls": [{"url": url, "src": ["filter"]} for url in urls],
    }
    return _changed(record, changes)


def _line(pairs: dict[str, Any], time: int, qid: str, cluster: str, record_id: str | None) -> dict[str, Any]:
    names = {"sizeBytes": "size"}
    written = ", ".join(
        f"{names.get(name, name)}={','.join(value) if isinstance(value, list) else value}"
        for name, value in pairs.items()
    )
    moment = stamp(time)
    number = next(_count)
    return {
        "id": record_id if record_id is not None else f"line/{number:016d}+",
        "ts": moment,
        "data": f"{moment[:-2]}:{moment[-2:]} m0000123 sendmail[22003]: {qid}: {written}",
        "sm": {"qid": qid, **pairs},
        "tls": {"version": "TLSv1.2", "verify": "OK", "cipher": "ECDHE-RSA-AES256-GCM"},
        "metadata": {
            "customerId": "6ae809da-7151-354f-8d3c-40fe90ec6eca",
            "origin": {"schemaVersion": "20200420", "data": {"agent": "m0000123.ppops.net", "cid": cluster}},
        },
        "pps": {"agent": "m0000123.ppops.net", "cid": cluster},
    }


def maillog_from(
    *,
    record_id: str | None = None,
    time: int = NOW,
    qid: str = "4TkQz81bqz",
    sender: str = "billing@supplier.example",
    size: int | str = "48204",
    nrcpts: int | str = "2",
    msgid: str = "<1.2@mail.supplier.example>",
    relay: str = "m0000123.ppops.net [127.0.0.1]",
    cluster: str = "acme_hosted",
    **changes: Any,
) -> dict[str, Any]:
    """A `maillog` record of a from= line."""
    pairs = {
        "from": f"<{sender}>",
        "sizeBytes": size,
        "class": "0",
        "nrcpts": nrcpts,
        "msgid": msgid,
        "proto": "ESMTP",
        "daemon": "MTA",
        "auth": "NONE",
        "relay": relay,
    }
    return _changed(_line(pairs, time, qid, cluster, record_id), changes)


def maillog_to(
    *,
    record_id: str | None = None,
    time: int = NOW,
    qid: str = "4TkQz81bqz",
    to: str | list[str] = ("<j.meyer@acme.example>",),  # type: ignore[assignment]
    stat: str = "Sent (Ok: queued)",
    dsn: str = "2.0.0",
    relay: str = "mx1.acme.example. [192.0.2.41]",
    delay: str = "00:00:01",
    mailer: str = "esmtp",
    cluster: str = "acme_hosted",
    **changes: Any,
) -> dict[str, Any]:
    """A `maillog` record of a to= line."""
    pairs = {
        "to": list(to) if isinstance(to, tuple) else to,
        "delay": delay,
        "xdelay": "00:00:01",
        "mailer": mailer,
        "pri": "120812",
        "relay": relay,
        "dsn": dsn,
        "stat": stat,
    }
    return _changed(_line(pairs, time, qid, cluster, record_id), changes)


def audit(
    *,
    guid: str | None = None,
    time: int = NOW,
    action: str = "edit",
    user: str = "admin@acme.example",
    ip: str = "203.0.113.9",
    resource: str = "default_inbound",
    resource_type: str = "policy_routes",
    cluster: str = "acme_hosted",
    **changes: Any,
) -> dict[str, Any]:
    """An `audit` record."""
    record = {
        "guid": guid if guid is not None else f"{next(_count):08d}-72f4-4f4b-984e-8338a585c011",
        "ts": stamp(time, 0),
        "audit": {
            "action": action,
            "level": "INFO",
            "resourceType": resource_type,
            "resourceName": resource,
            "tags": [{"name": "eventSubCategory", "value": "policyRoutes"}],
            "user": {"email": user, "id": "a7e6abcd-1234-4621-1234-abcdefc3b3e6", "ipAddress": ip},
        },
        "metadata": {"origin": {"data": {"agent": "192.0.2.7", "cid": cluster, "version": "1.0"}}},
    }
    return _changed(record, changes)


def real(kind: str) -> list[bytes]:
    """The published real records of a content type, one raw record each."""
    return (DATA / f"{kind}.ndjson").read_bytes().splitlines()
