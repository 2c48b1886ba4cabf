"""Mail-log records: what sendmail writes of the same mail, one from= line and its to= lines."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any, Final

from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.core.record import MAILLOG
from pod_desktop.simulator import localtime
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.mail import Mail
from pod_desktop.simulator.people import World

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TLS: Final = (
    ("TLSv1.3", "OK", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.2", "OK", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("TLSv1.2", "NO", "ECDHE-RSA-AES128-GCM-SHA256"),
)
_NO_TLS: Final = ("NONE", "NONE", "NONE")
_DEFERRED: Final = (
    ("4.7.1", "Deferred: 451 4.7.1 Greylisting in action, please come back in 00:05:00"),
    ("4.4.1", "Deferred: Connection timed out with {host}"),
    ("4.2.2", "Deferred: 452 4.2.2 Mailbox full"),
    ("4.3.2", "Deferred: 421 4.3.2 Service not available, closing transmission channel"),
    ("4.4.3", "Deferred: Name server: {host}: host name lookup failure"),
)
_BOUNCED: Final = (
    ("5.1.1", "User unknown"),
    ("5.1.2", "Host unknown (Name server: {host}: host not found)"),
    ("5.7.1", "Service unavailable (550 5.7.1 Message rejected as spam)"),
    ("5.2.2", "Data format error (552 5.2.2 Mailbox full)"),
)
_RETRIES: Final = (
    (6 * MINUTE,),
    (11 * MINUTE, 34 * MINUTE),
    (16 * MINUTE, 48 * MINUTE, 112 * MINUTE),
    (15 * MINUTE, 46 * MINUTE, 107 * MINUTE, 229 * MINUTE),
)
LONGEST_DELAY: Final = 240 * MINUTE
"""No line comes later than this after its mail."""


def items(mail: Mail, world: World) -> list[Item]:
    """The lines of this mail, in order of time; none where it stopped in the filter."""
    if mail.fate == "stopped":
        return []
    rng = Random(mail.seed ^ 0x6D61696C6C6F67)
    writer = _Writer(mail, world, rng)
    writer.received()
    if mail.split and rng.random() < 0.5:
        writer.received(again=True)
    if mail.fate == "nowhere":
        writer.dropped()
    elif mail.fate == "sent":
        writer.handed_over()
    else:
        writer.struggled()
    return writer.lines


class _Writer:
    """The lines of one mail as they come."""

    def __init__(self, mail: Mail, world: World, rng: Random) -> None:
        self.lines: list[Item] = []
        self._mail = mail
        self._rng = rng
        self._agent = world.agents[mail.agent][0]
        self._older = world.agents[mail.agent][1].startswith("8.14")
        self._world = world
        self._pid = rng.randrange(1000, 65000)
        self._now = mail.start + 20_000

    def received(self, again: bool = False) -> None:
        """The from= line."""
        mail, peer = self._mail, self._mail.peer
        self._now += 30_000 * again
        relay = "localhost [127.0.0.1]" if again or not peer.ip else _relay(peer.host, peer.ip)
        self._line(
            {
                "from": f"<{mail.sender.strip('<>')}>" if self._rng.random() < 0.85 else mail.sender,
                "size": str(mail.size),
                "class": "-60" if mail.occasion == "newsletter" and self._rng.random() < 0.3 else "0",
                "nrcpts": str(len(mail.rcpts)),
                "msgid": f"<{mail.message_id}>",
                "proto": "ESMTPS" if peer.tls and not again else "ESMTP",
                "daemon": "MTA-v4" if mail.direction == "inbound" else "MSA",
                "relay": relay,
            },
            _TLS[mail.seed % 3] if peer.tls and not again else _NO_TLS,
            auth="NONE",
        )

    def dropped(self) -> None:
        """Kept or thrown away by the filter: to /dev/null."""
        self._now = self._mail.filtered_at + 3_000
        self._to(
            "/dev/null",
            {
                "ctladdr": f"<{self._mail.rcpts[0]}> (8/0)",
                "delay": "00:00:00",
                "xdelay": "00:00:00",
                "mailer": "*file*",
                "dsn": "2.0.0",
                "stat": "Sent",
            },
            _NO_TLS,
        )

    def handed_over(self) -> None:
        """Delivered: one line a recipient, or one for all of a domain."""
        self._now = self._mail.filtered_at
        if self._rng.random() < 0.3:
            self._now += 4_000
            self._to(
                self._mail.rcpts,
                {
                    "delay": "00:00:00",
                    "xdelay": "00:00:00",
                    "mailer": "esmtp",
                    "relay": "localhost. [127.0.0.1]",
                    "dsn": "2.0.0",
                    "stat": "Sent (ok)",
                },
                _NO_TLS,
            )
        for group in self._groups():
            self._now += self._rng.randrange(80_000, 2 * SECOND)
            reply = self._rng.choice(
                (
                    "Ok: queued as 4XsT{n}",
                    "OK {n}",
                    "2.0.0 {n} Message accepted for delivery",
                    "2.6.0 <{n}> Queued mail for delivery",
                )
            )
            text = reply.format(n=f"{self._rng.getrandbits(40):010X}")
            self._attempt(group, "2.0.0", f"Sent ({text})")

    def struggled(self) -> None:
        """Deferred again and again; in the end sent, or given up."""
        rng, mail = self._rng, self._mail
        host = f"mx.{mail.rcpts[0].rpartition('@')[2]}"
        dsn, stat = rng.choice(_DEFERRED)
        retries = rng.choice(_RETRIES)
        self._now = mail.filtered_at + rng.randrange(200_000, 9 * SECOND)
        for retry in retries:
            self._attempt(mail.rcpts, dsn, stat.format(host=host), wait=rng.randrange(1, 31))
            self._now = mail.filtered_at + retry + rng.randrange(9 * SECOND)
        if mail.fate == "deferred":
            self._attempt(mail.rcpts, "2.0.0", "Sent (ok)")
        else:
            dsn, stat = rng.choice(_BOUNCED)
            self._attempt(mail.rcpts, dsn, stat.format(host=host))

    def _groups(self) -> list[tuple[str, ...]]:
        rcpts = self._mail.rcpts
        if len(rcpts) <= 4 or self._rng.random() < 0.5:
            return [(rcpt,) for rcpt in rcpts]
        by_domain: dict[str, list[str]] = {}
        for rcpt in rcpts:
            by_domain.setdefault(rcpt.rpartition("@")[2], []).append(rcpt)
        return [tuple(group) for group in by_domain.values()]

    def _attempt(self, rcpts: tuple[str, ...], dsn: str, stat: str, wait: int = 0) -> None:
        domain = rcpts[0].rpartition("@")[2]
        connected = not stat.startswith(("Deferred: Connection", "Deferred: Name", "Host unknown"))
        fields: dict[str, Any] = {
            "delay": _delay((self._now - self._mail.start) // SECOND),
            "xdelay": _delay(wait or self._rng.randrange(3)),
            "mailer": "esmtp",
            "relay": _relay(f"mx.{domain}", f"198.18.254.{sum(domain.encode()) % 250 + 1}")
            if connected
            else f"mx.{domain}.",
            "dsn": dsn,
            "stat": stat,
        }
        self._to(rcpts, fields, _TLS[sum(domain.encode()) % 3] if connected else _NO_TLS)

    def _to(self, rcpts: str | tuple[str, ...], fields: dict[str, Any], tls: tuple[str, str, str]) -> None:
        addresses = [rcpts] if isinstance(rcpts, str) else [f"<{rcpt}>" for rcpt in rcpts]
        priority: int | str = self._mail.size + 30_000 * len(addresses)
        self._line(
            {"to": addresses, **fields, "pri": priority if self._rng.random() < 0.1 else str(priority)}, tls
        )

    def _line(self, fields: dict[str, Any], tls: tuple[str, str, str], auth: str = "") -> None:
        mail, time = self._mail, self._now
        version, verify, cipher = tls
        rid = base64.b64encode(self._rng.randbytes(16)).decode().rstrip("=")
        shown = dict(fields)
        if "to" in shown:
            shown["to"] = ",".join(shown["to"])
        tls_text = f"tls_verify={verify}, tls_version={version}, cipher={cipher}"
        words = ", ".join(f"{key}={value}" for key, value in shown.items())
        host = self._agent.partition(".")[0]
        if "size" in fields:
            fields["sizeBytes"] = fields.pop("size")
        if auth:
            fields["auth"] = auth
        record: dict[str, Any] = {
            "id": rid,
            "ts": localtime.stamp(time),
            "data": f"{localtime.stamp(time, colon=True)} {host} sendmail[{self._pid}]: {mail.qid}: {words}, {tls_text}",
            "sm": {"qid": mail.qid, **fields},
            "tls": {"version": version, "verify": verify, "cipher": cipher},
            "metadata": {
                "customerId": self._world.customer,
                "origin": {
                    "schemaVersion": "20200420",
                    "data": {"agent": self._agent, "cid": self._world.cluster_id},
                },
            },
        }
        if self._older:
            record["sm"]["tls"] = {"verify": verify}
            record["pps"] = {"agent": self._agent, "cid": self._world.cluster_id}
        self.lines.append(
            Item(time, MAILLOG, rid, _ENCODE(record).encode(), time + self._rng.randrange(500_000))
        )


def _relay(host: str, ip: str) -> str:
    address = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
    return address if host.startswith("[") else f"{host}. {address}"


def _delay(seconds: int) -> str:
    """`HH:MM:SS`, with days in front where there are any."""
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}+{clock}" if days else clock
