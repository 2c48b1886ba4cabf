"""Message records: one mail as the filter tells of it, with the fields of the published samples."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from pod_desktop.core.record import MESSAGE
from pod_desktop.simulator import localtime
from pod_desktop.simulator.chance import hex_of
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.mail import Mail, Part
from pod_desktop.simulator.people import World
from pod_desktop.simulator.subjects import encoded

_CIPHERS: Final = (
    ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", 128),
    ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", 256),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256),
)
_CLASSES: Final = (
    "adult",
    "bulk",
    "impostor",
    "lowpriority",
    "malware",
    "mlx",
    "mlxlog",
    "phish",
    "spam",
    "suspect",
)
_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ESCAPED: Final = json.JSONEncoder(separators=(",", ":")).encode


def items(mail: Mail, world: World) -> list[Item]:
    """The record of this mail; more than one where the filter split it."""
    rng = Random(mail.seed ^ 0x6D657373616765)
    if not mail.split:
        return [_item(mail, world, rng, mail.rcpts, "")]
    first = _item(mail, world, rng, mail.rcpts[:1], "")
    others = _item(mail, world, rng, mail.rcpts[1:], first.rid)
    return [first, others._replace(time=others.time, release=others.release + 40_000)]


def _item(mail: Mail, world: World, rng: Random, rcpts: tuple[str, ...], parent: str) -> Item:
    guid = base64.urlsafe_b64encode(rng.randbytes(24)).decode()
    record = _record(mail, world, rng, rcpts, guid, parent)
    text = (_ESCAPED if rng.random() < 0.1 else _PLAIN)(record)
    if rng.random() < 0.5:
        text += "\n"
    release = mail.filtered_at + rng.randrange(300_000)
    return Item(mail.filtered_at, MESSAGE, guid, text.encode(), release)


def _record(
    mail: Mail, world: World, rng: Random, rcpts: tuple[str, ...], guid: str, parent: str
) -> dict[str, Any]:
    agent, version = world.agents[mail.agent]
    older = version.startswith("8.14")
    origin = {"agent": agent, "cid": world.cluster_id, "version": version}
    record: dict[str, Any] = {
        "guid": guid,
        "ts": localtime.stamp(mail.filtered_at, colon=older),
        "connection": _connection(mail, rng),
        "envelope": {"from": mail.sender, "rcpts": list(rcpts)},
        "filter": _filter(mail, rng, rcpts, parent),
        "msg": _msg(mail, rng, older),
        "msgParts": _parts(mail, rng),
        "metadata": {"origin": {"data": origin}},
    }
    if older:
        record["pps"] = origin
        record["envelope"]["fromHashed"] = f"{hex_of(rng, 32)}@{mail.sender.rpartition('@')[2]}"
        record["envelope"]["rcptsHashed"] = [f"{hex_of(rng, 32)}@{rcpt.rpartition('@')[2]}" for rcpt in rcpts]
    return record


def _connection(mail: Mail, rng: Random) -> dict[str, Any]:
    peer = mail.peer
    connection: dict[str, Any] = {
        "protocol": "smtp:smtp",
        "ip": peer.ip,
        "host": peer.host,
        "sid": mail.sid,
        "resolveStatus": peer.resolved,
        "helo": peer.helo,
        "country": peer.country,
    }
    if peer.tls:
        version, cipher, bits = _CIPHERS[mail.seed % 3]
        connection["tls"] = {"inbound": {"version": version, "cipher": cipher, "cipherBits": bits}}
        if rng.random() < 0.1:
            connection["tls"]["inbound"]["policy"] = "required"
    return connection


def _filter(mail: Mail, rng: Random, rcpts: tuple[str, ...], parent: str) -> dict[str, Any]:
    verdict = mail.verdict
    told: dict[str, Any] = {
        "qid": mail.qid,
        "mid": rng.randrange(10**6, 10**8) if rng.random() < 0.5 else str(rng.randrange(10**6, 10**8)),
        "startTime": localtime.stamp(mail.start),
        "durationSecs": round((mail.filtered_at - mail.start) / 1e6, 6),
        "disposition": verdict.disposition,
        "actions": _actions(mail),
        "routes": _routes(mail),
        "routeDirection": mail.direction,
        "delivered": {"rcpts": list(rcpts)},
        "suborgs": {"sender": "0", "rcpts": ["0"]},
        "msgSizeBytes": mail.size,
        "isMsgEncrypted": verdict.name == "encrypted",
        "isMsgReinjected": bool(parent),
        "modules": _modules(mail, rng),
    }
    if mail.seed % 4:
        told["verified"] = {"rcpts": list(rcpts)}
    if parent:
        told["origGuid"] = parent
    if verdict.folder:
        told["quarantine"] = {
            "folder": verdict.folder,
            "folderId": str(sum(verdict.folder.encode()) % 40),
            "module": verdict.module,
            "rule": verdict.rule,
            "type": "group" if verdict.folder in ("DLP", "Audit") else "system",
        }
        told["isMsgInDigest"] = verdict.folder in ("Quarantine", "Bulk")
    if verdict.name == "encrypted":
        told["pe"] = (
            {"rcpts": list(rcpts)}
            if rng.random() < 0.5
            else {"rcpts": [{"address": rcpt, "smime": False} for rcpt in rcpts]}
        )
    return told


def _actions(mail: Mail) -> list[dict[str, Any]]:
    actions = []
    for module, rule, action, final in mail.verdict.actions:
        entry: dict[str, Any] = {"module": module, "rule": rule, "action": action}
        if final:
            entry["isFinal"] = True
        actions.append(entry)
    return actions


def _routes(mail: Mail) -> list[str]:
    if mail.direction == "outbound":
        return ["allow_relay", "firewallsafe", "internalnet", "outbound"]
    if mail.direction == "internal":
        return ["allow_relay", "internalnet"]
    return ["default_inbound", "spfsafe"] if mail.spf == "pass" else ["default_inbound"]


def _modules(mail: Mail, rng: Random) -> dict[str, Any]:
    if mail.fate == "stopped":
        return {"pdr": {"v1": {"rscore": rng.randrange(60, 101), "spamscore": 0}, "v2": {"response": "b,1"}}}
    overall, odd = mail.scores
    modules: dict[str, Any] = {
        "spam": {
            "version": {"engine": "8.21.0-2410160000", "definitions": f"main-{mail.seed % 10**10:010d}"},
            "langs": [mail.lang] if mail.lang != "und" else [],
            "charsets": ["utf-8"],
            "triggeredClassifier": _classifier(mail),
            "scores": {
                "overall": overall,
                "engine": overall,
                "classifiers": {name: odd.get(name, 0) for name in _CLASSES},
            },
        }
    }
    if mail.verdict.name == "dropped":
        modules["spam"]["safeBlockedListMatches"] = [{"listType": "blocked", "rule": "orgblock"}]
    if mail.direction == "inbound":
        domain = mail.sender.rpartition("@")[2] or mail.peer.helo
        modules["spf"] = {"domain": domain, "result": mail.spf}
        modules["dkimv"] = (
            [{"domain": mail.from_address.rpartition("@")[2], "selector": mail.selector, "result": mail.dkim}]
            if mail.dkim != "none"
            else []
        )
        modules["dmarc"] = _dmarc(mail, domain)
        if mail.seed % 2:
            modules["zerohour"] = {"score": "0"}
        if mail.seed % 2 and any(part.urls for part in mail.parts):
            modules["urldefense"] = _urldefense(mail)
    if mail.viruses:
        modules["av"] = {"virusNames": list(mail.viruses)}
    if mail.verdict.name == "sandbox":
        modules["sandbox"] = {"errorStatus": "ok"}
    return modules


def _classifier(mail: Mail) -> str:
    return mail.verdict.name if mail.verdict.name in _CLASSES else "none"


def _dmarc(mail: Mail, domain: str) -> dict[str, Any]:
    author = mail.from_address.rpartition("@")[2]
    results: list[dict[str, Any]] = [
        {
            "method": "spf",
            "result": mail.spf,
            "emailIdentities": {"smtp.mailfrom": mail.sender, "smtp.helo": mail.peer.helo},
        },
    ]
    if mail.dkim != "none":
        results.append(
            {
                "method": "dkim",
                "result": mail.dkim,
                "propspec": {"header.d": author, "header.s": mail.selector},
            }
        )
    if mail.dmarc != "none":
        results.append(
            {
                "method": "dmarc",
                "result": mail.dmarc,
                "reason": "",
                "emailIdentities": {"header.from": author},
            }
        )
    return {
        "filterdResult": mail.dmarc,
        "srvid": mail.peer.host,
        "records": [{"query": f"_dmarc.{author}", "record": "v=DMARC1; p=reject; pct=100"}]
        if mail.dmarc != "none"
        else [],
        "authResults": results if mail.seed % 5 > 1 or mail.dmarc == "fail" else [],
        "alignment": [
            {
                "fromDomain": author,
                "results": [{"identity": domain, "identityOrg": domain, "method": "spf", "result": mail.spf}],
            }
        ]
        if mail.dmarc == "fail"
        else [],
    }


def _urldefense(mail: Mail) -> dict[str, Any]:
    urls = [url for part in mail.parts for url in part.urls]
    rewritten = [] if mail.fate == "nowhere" else urls
    return {
        "counts": {
            "total": len(urls),
            "rewritten": len(rewritten),
            "unique": len(set(urls)),
            "noRewriteIsEmail": 0,
        },
        "rewrittenUrls": rewritten,
    }


def _parts(mail: Mail, rng: Random) -> list[dict[str, Any]]:
    """What the mail consists of; the filter does not list a body that it saw nothing in."""
    if mail.fate == "stopped":
        return []
    if len(mail.parts) == 1 and not mail.parts[0].urls and mail.seed % 3:
        return []
    return [_part(part, place, rng, mail) for place, part in enumerate(mail.parts)]


def _part(part: Part, place: int, rng: Random, mail: Mail) -> dict[str, Any]:
    told: dict[str, Any] = {
        "structureId": str(place),
        "labeledName": part.name,
        "labeledExt": part.ext,
        "labeledMime": part.mime,
        "detectedName": part.name,
        "detectedExt": part.ext.upper(),
        "detectedMime": part.mime,
        "detectedSizeBytes": part.size if rng.random() < 0.97 else -1,
        "sizeDecodedBytes": part.size,
        "md5": part.md5,
        "sha256": part.sha256,
        "disposition": part.disposition,
        "isArchive": part.ext in ("zip", "iso"),
        "isCorrupted": False,
        "isDeleted": False,
        "isProtected": part.protected,
        "isTimedOut": False,
        "isVirtual": False,
        "metadata": {},
    }
    if part.disposition == "inline":
        told["labeledCharset"], told["detectedCharset"] = "utf-8", "UTF-8"
    if part.sandbox:
        told["sandboxStatus"] = part.sandbox
        told["metadata"] = {"dc.creator": mail.from_name, "pdf:pages": "3"} if part.ext == "pdf" else {}
    if part.urls:
        kept = mail.fate != "nowhere"
        told["urls"] = [_url(url, kept) for url in part.urls]
    if rng.random() < 0.1:
        told["dataBase64"] = base64.b64encode(rng.randbytes(60)).decode()
    return told


def _url(url: str, rewritten: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"url": url, "src": ["urldefense", "spam"], "isRewritten": rewritten}
    if not rewritten:
        told["notRewrittenReason"] = "quarantined"
    return told


def _msg(mail: Mail, rng: Random, older: bool) -> dict[str, Any]:
    if mail.fate == "stopped":
        return {"header": {}, "normalizedHeader": {}, "parsedAddresses": {}, "lang": "", "sizeBytes": 0}
    shown_to = _shown_to(mail)
    name = mail.from_name
    choice = mail.seed % 7
    header = {
        "from": [_address(encoded(name, mail.lang, choice), mail.from_address)],
        "to": [
            _address(encoded(mail.to_name, "en", choice), shown_to[0])
            + "".join(f",\r\n\t{rcpt}" for rcpt in shown_to[1:])
        ],
        "subject": [encoded(mail.subject, mail.lang, choice)],
        "message-id": [f"<{mail.message_id}>"],
    }
    normal = {
        "from": [_address(name, mail.from_address)],
        "to": [", ".join((_address(mail.to_name, shown_to[0]), *shown_to[1:]))],
        "subject": [mail.subject],
        "message-id": [mail.message_id],
    }
    addresses: dict[str, Sequence[str]] = {"from": [mail.from_address], "to": shown_to}
    if name:
        addresses["fromDisplayNames"] = [name]
    for key, value in (("reply-to", mail.reply_to), ("cc", ", ".join(mail.cc))):
        if value:
            header[key] = normal[key] = [value]
            addresses[key] = value.split(", ")
    if mail.sender and choice < 2:
        header["return-path"] = normal["return-path"] = [f"<{mail.sender}>"]
    if mail.mailer:
        header["x-mailer"] = normal["x-mailer"] = [mail.mailer]
    if choice == 3:
        header["x-originating-ip"] = normal["x-originating-ip"] = [
            f"[10.1.{mail.seed % 200}.{mail.seed % 250}]"
        ]
    return {
        "header": header,
        "normalizedHeader": {} if older else normal,
        "parsedAddresses": {} if older else addresses,
        "lang": mail.lang,
        "sizeBytes": mail.size,
    }


def _shown_to(mail: Mail) -> list[str]:
    """Recipients as To shows them: many are hidden behind a list's address."""
    if len(mail.rcpts) > 8:
        return [f"everyone@{mail.rcpts[0].rpartition('@')[2]}"]
    return list(mail.rcpts)


def _address(name: str, address: str) -> str:
    if not name:
        return address
    return f'"{name}" <{address}>' if name.isascii() and not name.startswith("=?") else f"{name} <{address}>"
