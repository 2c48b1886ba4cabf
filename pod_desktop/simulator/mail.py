"""One mail before it becomes records: what message.py and maillog.py both tell of, so that they agree."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from pod_desktop.core.clock import SECOND
from pod_desktop.simulator.chance import hex_of, weighted


class Verdict(NamedTuple):
    """What the filter decided, and the words it used."""

    name: str
    disposition: str
    module: str
    rule: str
    folder: str
    actions: tuple[tuple[str, str, str, bool], ...]
    """module, rule, action, final"""


class Peer(NamedTuple):
    """The other end of the SMTP connection."""

    host: str
    helo: str
    ip: str
    country: str
    resolved: str
    tls: bool


class Part(NamedTuple):
    name: str
    ext: str
    mime: str
    size: int
    md5: str
    sha256: str
    disposition: str
    urls: tuple[str, ...]
    sandbox: str = ""
    protected: bool = False


class Mail(NamedTuple):
    start: int
    """Microseconds UTC when the connection brought it."""
    seed: int
    occasion: str
    direction: str
    lang: str
    sender: str
    """Envelope sender; '' is the null sender."""
    from_name: str
    from_address: str
    reply_to: str
    rcpts: tuple[str, ...]
    to_name: str
    cc: tuple[str, ...]
    subject: str
    message_id: str
    mailer: str
    size: int
    peer: Peer
    parts: tuple[Part, ...]
    spf: str
    dkim: str
    dmarc: str
    selector: str
    scores: tuple[int, dict[str, int]]
    """overall, and the classes that are not 0"""
    verdict: Verdict
    fate: str
    """sent, nowhere (kept or dropped by the filter), stopped (no queue file), deferred, bounced"""
    qid: str
    sid: str
    agent: int
    viruses: tuple[str, ...] = ()
    split: bool = False

    @property
    def filtered_at(self) -> int:
        """Microseconds UTC when the filter was done: the time of the message record."""
        return self.start + 60_000 + self.seed % (2 * SECOND)


CLEAN: Final = Verdict(
    "clean", "continue", "", "", "",
    (("av", "clean", "add-header", False), ("av", "clean", "continue", True), ("spam", "notspam", "add-header", False)),
)  # fmt: skip
RELAYED: Final = Verdict(
    "relayed", "accept", "access", "pod-relay", "", (("access", "pod-relay", "accept", True),)
)
AUDITED: Final = Verdict(
    "audited", "accept", "access", "", "Audit", (("access", "pod-maillive", "accept", True),)
)
BULK: Final = Verdict(
    "bulk", "continue", "spam", "bulk", "Bulk",
    (("av", "clean", "continue", False), ("spam", "bulk", "quarantine", False), ("spam", "bulk", "discard", True)),
)  # fmt: skip
SPAM: Final = Verdict(
    "spam", "discard", "spam", "spam_definite", "Quarantine",
    (("spam", "spam_definite", "quarantine", False), ("spam", "spam_definite", "discard", True), ("av", "clean", "continue", False)),
)  # fmt: skip
DROPPED: Final = Verdict(
    "dropped", "discard", "spam", "blocklist", "", (("spam", "blocklist", "discard", True),)
)
PHISH: Final = Verdict(
    "phish", "discard", "spam", "phish", "Phish",
    (("av", "clean", "continue", False), ("spam", "phish", "quarantine", False), ("spam", "phish", "discard", True)),
)  # fmt: skip
IMPOSTOR: Final = Verdict(
    "impostor", "discard", "spam", "impostor", "Impostor",
    (("spam", "impostor", "quarantine", False), ("spam", "impostor", "discard", True)),
)  # fmt: skip
VIRUS: Final = Verdict(
    "virus", "discard", "av", "infected", "Virus",
    (("av", "infected", "quarantine", False), ("av", "infected", "discard", True)),
)  # fmt: skip
SANDBOX: Final = Verdict(
    "sandbox", "discard", "sandbox", "malicious", "Attachment Defense",
    (("av", "clean", "continue", False), ("sandbox", "malicious", "quarantine", False), ("sandbox", "malicious", "discard", True)),
)  # fmt: skip
DMARC_FAILED: Final = Verdict(
    "dmarc", "discard", "dmarc", "dmarc_reject", "DMARC Failures",
    (("dmarc", "dmarc_reject", "quarantine", False), ("dmarc", "dmarc_reject", "discard", True)),
)  # fmt: skip
REFUSED: Final = Verdict(
    "refused",
    "reject",
    "access",
    "block_ip_reputation",
    "",
    (("pdr", "pdr", "tempfail", False), ("access", "block_ip_reputation", "reject", True)),
)
LATER: Final = Verdict("later", "retry", "access", "greylist", "", (("access", "greylist", "retry", True),))
ENCRYPTED: Final = Verdict(
    "encrypted", "continue", "dlpp", "dlp_pci_encrypt", "Encryption",
    (("dlpp", "dlp_pci_encrypt", "encrypt-message", False), ("access", "encryption_required", "continue", True)),
)  # fmt: skip
LEAK: Final = Verdict(
    "leak", "discard", "dlpp", "dlp_pii_block", "DLP",
    (("dlpp", "dlp_pii_block", "quarantine", False), ("dlpp", "dlp_pii_block", "discard", True)),
)  # fmt: skip

_KINDS: Final = weighted(
    {
        ("pdf", "application/pdf", 180_000): 40,
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 90_000): 16,
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 60_000): 14,
        ("png", "image/png", 40_000): 18,
        ("jpg", "image/jpeg", 900_000): 8,
        ("ics", "text/calendar", 2_000): 5,
        ("zip", "application/zip", 400_000): 3,
    }
)
DANGEROUS: Final = weighted(
    {
        ("zip", "application/zip", 60_000): 4,
        ("iso", "application/x-iso9660-image", 1_300_000): 2,
        ("html", "text/html", 9_000): 3,
        ("xlsm", "application/vnd.ms-excel.sheet.macroenabled.12", 80_000): 2,
        ("exe", "application/x-dosexec", 300_000): 1,
        ("one", "application/onenote", 150_000): 1,
    }
)
_STEMS: Final = "report offer minutes plan invoice photo drawing contract Übersicht Rechnung facture résumé 請求書 报价单 договор عرض".split()
VIRUSES: Final = (
    "EICAR-Test-File",
    "W97M/Downloader.abc",
    "Trojan.Agent.XQZ",
    "HTML/Phish.FakeLogin",
    "JS/Nemucod.ZZ",
)


def body(rng: Random, urls: tuple[str, ...] = ()) -> Part:
    """The text of the mail."""
    html = rng.random() < 0.8
    return Part(
        name="text.html" if html else "text.txt",
        ext="html" if html else "txt",
        mime="text/html" if html else "text/plain",
        size=rng.randrange(300, 24_000),
        md5=hex_of(rng, 32),
        sha256=hex_of(rng, 64),
        disposition="inline",
        urls=urls,
    )


def attachment(rng: Random, dangerous: bool = False, name: str = "") -> Part:
    """Something attached; files travel, so a part of them is the same file again with the same hashes."""
    ext, mime, size = (DANGEROUS if dangerous else _KINDS).draw(rng)
    if rng.random() < 0.35:
        rng = Random(rng.randrange(40) + 1000 * dangerous)
    return Part(
        name=f"{name or rng.choice(_STEMS)}_{rng.randrange(1, 400)}.{ext}",
        ext=ext,
        mime=mime,
        size=int(size * rng.lognormvariate(0, 0.7)) + 100,
        md5=hex_of(rng, 32),
        sha256=hex_of(rng, 64),
        disposition="attached",
        urls=(),
        sandbox="threat" if dangerous else "clean",
        protected=rng.random() < 0.03,
    )
