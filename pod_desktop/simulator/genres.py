"""Which kinds of mail there are, how common each is, and how each reads. One function, one genre."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from pod_desktop.simulator import localtime, mail, subjects
from pod_desktop.simulator.chance import BASE64URL, hex_of, weighted
from pod_desktop.simulator.mail import Mail, Part, Peer, Verdict
from pod_desktop.simulator.names import CITIES, LOOK_ALIKES, THROWAWAY_WORDS
from pod_desktop.simulator.people import LANGS, Person, Site, World, ip_in

_RECIPIENT_COUNTS: Final = weighted({1: 73, 2: 14, 3: 6, 4: 3, 6: 2, 9: 1, 14: 0.5, 30: 0.15})
_MAILERS: Final = (
    "",
    "",
    "",
    "Microsoft Outlook 16.0",
    "Apple Mail (2.3774)",
    "Thunderbird 128.4",
    "PHPMailer 6.9",
    "Roundcube Webmail",
)
_FREE_MAIL: Final = ("freemail.example", "webpost.example", "inboxly.example")
_ALPHABET: Final = BASE64URL[26:-2]


def _scores(rng: Random, overall: int, **classes: int) -> tuple[int, dict[str, int]]:
    odd = {name: value for name, value in classes.items() if value}
    odd["mlxlog"] = rng.randrange(-1000, 900) if overall < 50 else rng.randrange(-60, 130)
    return overall, odd


def _peer(rng: Random, site: Site) -> Peer:
    resolved = "ok" if rng.random() < 0.96 else "[unknown]"
    return Peer(site.host, site.host, site.ip, site.country, resolved, site.tls)


def _bad_peer(rng: Random, world: World) -> Peer:
    country = world.attack_countries.draw(rng)
    ip = ip_in(country, rng)
    if not ip or ip.startswith("127."):
        return Peer("localhost", "localhost", ip, "**", "[unknown]", False)
    dashed = ip.replace(".", "-").replace(":", "-")
    host, resolved = (f"host-{dashed}.isp.example", "ok") if rng.random() < 0.6 else (f"[{ip}]", "[unknown]")
    return Peer(
        host,
        rng.choice((host, "WIN-7K2QD", "[10.0.0.4]", "localhost.localdomain")),
        ip,
        country,
        resolved,
        rng.random() < 0.4,
    )


def _recipients(rng: Random, world: World, most: int = 30) -> list[Person]:
    wanted = min(most, _RECIPIENT_COUNTS.draw(rng))
    chosen: dict[str, Person] = {}
    for _ in range(wanted * 2):
        person = world.staff.draw(rng)
        chosen[person.address] = person
        if len(chosen) >= wanted:
            break
    return list(chosen.values())


def _throwaway(rng: Random) -> str:
    return f"{rng.choice(THROWAWAY_WORDS)}-{rng.choice(THROWAWAY_WORDS)}{rng.randrange(1, 99)}.example"


def _base(
    rng: Random, world: World, start: int, seed: int, sender: Person, to: list[Person], /, **facts: Any
) -> Mail:
    """A clean inbound mail from this person; `facts` say what is different."""
    domain = sender.address.rpartition("@")[2]
    parts: tuple[Part, ...] = facts.pop("parts", None) or (mail.body(rng, ()),)
    known: dict[str, Any] = {
        "start": start,
        "seed": seed,
        "occasion": "work",
        "direction": "inbound",
        "lang": sender.lang,
        "sender": sender.address,
        "from_name": sender.name,
        "from_address": sender.address,
        "reply_to": "",
        "rcpts": tuple(person.address for person in to),
        "to_name": to[0].name,
        "cc": (),
        "message_id": f"{hex_of(rng, 20)}.{rng.randrange(10**9)}@{domain}",
        "mailer": rng.choice(_MAILERS),
        "size": sum(part.size for part in parts) * 4 // 3 + rng.randrange(900, 5000),
        "peer": _peer(rng, sender.site),
        "parts": parts,
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
        "selector": sender.site.selector,
        "scores": _scores(rng, 0 if rng.random() < 0.8 else rng.randrange(1, 30)),
        "verdict": mail.CLEAN,
        "fate": "sent",
        "qid": localtime.queue_id(start, seed & 0xFFFFFF),
        "sid": "".join(rng.choices(_ALPHABET, k=10)),
        "agent": seed % 3,
    }
    known.update(facts)
    if known["fate"] == "stopped":
        known["qid"] = f"{known['sid']}-{rng.randrange(1, 4)}"
    return Mail(**known)


def _files(rng: Random, odds: float) -> tuple[Part, ...]:
    files: list[Part] = []
    while rng.random() < odds and len(files) < 5:
        files.append(mail.attachment(rng))
        odds *= 0.35
    return tuple(files)


def _links(rng: Random, domain: str, most: int) -> tuple[str, ...]:
    return tuple(
        f"https://{rng.choice(('www', 'link', 'img'))}.{domain}/{rng.choice(('c', 'view', 'a/b', 'page'))}?id={hex_of(rng, 12)}"
        for _ in range(rng.randrange(most + 1))
    )


def partner(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Someone we know writes to our people."""
    sender = world.partners.draw(rng)
    to = _recipients(rng, world)
    occasion = "work" if rng.random() < 0.75 else "invoice"
    copies = tuple(p.address for p in _recipients(rng, world, 3)) if rng.random() < 0.2 else ()
    return _base(
        rng, world, start, seed, sender, to,
        occasion=occasion,
        subject=subjects.subject(rng, occasion, sender.lang, company=world.company),
        cc=copies,
        parts=(mail.body(rng, _links(rng, sender.site.domain, 2)), *_files(rng, 0.25 if occasion == "work" else 0.9)),
        dmarc="pass" if rng.random() < 0.85 else "none",
        dkim="pass" if rng.random() < 0.9 else "none",
        verdict=mail.AUDITED if rng.random() < 0.01 else mail.CLEAN,
    )  # fmt: skip


def outbound(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Our people write to someone we know."""
    sender = world.staff.draw(rng)
    to = [world.partners.draw(rng) for _ in range(min(6, _RECIPIENT_COUNTS.draw(rng)))]
    to = list({person.address: person for person in to}.values())
    lang = to[0].lang
    roll = rng.random()
    verdict: Verdict = mail.LEAK if roll < 0.004 else mail.ENCRYPTED if roll < 0.02 else mail.CLEAN
    return _base(
        rng, world, start, seed, sender, to,
        direction="outbound",
        lang=lang,
        subject=subjects.subject(rng, "work", lang, company=world.company),
        parts=(mail.body(rng, _links(rng, world.domains[0], 1)), *_files(rng, 0.2)),
        peer=Peer("localhost", world.home.host, "127.0.0.1", "**", "ok", False) if rng.random() < 0.15 else _peer(rng, world.home),
        spf="none", dkim="none", dmarc="none",
        scores=_scores(rng, 0),
        verdict=verdict,
        fate="nowhere" if verdict is mail.LEAK else "sent",
    )  # fmt: skip


def internal(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Colleague to colleague."""
    sender = world.staff.draw(rng)
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world),
        direction="internal",
        subject=subjects.subject(rng, "work", sender.lang, company=world.company),
        parts=(mail.body(rng), *_files(rng, 0.2)),
        spf="none", dkim="none", dmarc="none",
        verdict=mail.RELAYED,
    )  # fmt: skip


def newsletter(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Bulk mail: each copy comes from a bounce address of its own."""
    site = world.newsletters.draw(rng)
    to = _recipients(rng, world, 1)
    tag = to[0].address.replace("@", "=")
    sender = Person(site.name, f"news@{site.domain}", site.lang, site)
    verdict = mail.BULK if rng.random() < 0.12 else mail.CLEAN
    return _base(
        rng, world, start, seed, sender, to,
        occasion="newsletter",
        sender=f"bounce-{rng.getrandbits(40):x}-{tag}@bounces.{site.domain}",
        reply_to=f"no-reply@{site.domain}",
        subject=subjects.fill(rng, rng.choice(site.subjects)),
        parts=(mail.body(rng, _links(rng, site.domain, 3)),),
        scores=_scores(rng, rng.randrange(5, 45), bulk=rng.randrange(60, 100), lowpriority=rng.randrange(0, 100)),
        verdict=verdict,
        fate="nowhere" if verdict is mail.BULK else "sent",
    )  # fmt: skip


def notification(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A service our people use."""
    site = world.services.draw(rng)
    to = _recipients(rng, world, 1)
    sender = Person(site.name, f"noreply@{site.domain}", site.lang, site)
    return _base(
        rng, world, start, seed, sender, to,
        occasion="notification",
        sender=sender.address if rng.random() < 0.6 else f"bounces+{rng.getrandbits(44):x}@em.{site.domain}",
        subject=subjects.fill(rng, rng.choice(site.subjects), company=world.company, person=to[0].name),
        parts=(mail.body(rng, _links(rng, site.domain, 3)),),
    )  # fmt: skip


def spam(rng: Random, world: World, start: int, seed: int) -> Mail:
    """What nobody asked for; now and then it gets through."""
    domain = _throwaway(rng)
    lang = LANGS.draw(rng)
    local = rng.choice(("info", "win", "sales", "contact", "Hallo")) + str(rng.randrange(99))
    sender = Person(
        rng.choice(("Prize Team", "Dr. Slim", "Crypto Insider", "", "客服", "Банк")),
        f"{local}@{domain}",
        lang,
        world.home,
    )
    overall = rng.randrange(55, 101)
    roll = rng.random()
    verdict = mail.DROPPED if roll < 0.25 else mail.CLEAN if roll < 0.32 else mail.SPAM
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 6),
        occasion="spam",
        subject=subjects.subject(rng, "spam", lang) if rng.random() > 0.02 else "",
        peer=_bad_peer(rng, world),
        parts=(mail.body(rng, _links(rng, domain, 1)),),
        spf=rng.choice(("pass", "softfail", "fail", "none", "temperror")), dkim=rng.choice(("none", "fail", "pass")), dmarc=rng.choice(("none", "fail")),
        scores=_scores(rng, overall if verdict is not mail.CLEAN else rng.randrange(35, 55), spam=overall, bulk=rng.randrange(0, 90), adult=rng.choice((0, 0, 0, 96))),
        verdict=verdict,
        fate="sent" if verdict is mail.CLEAN else "nowhere",
    )  # fmt: skip


def phish(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A look-alike domain wants a password."""
    name, domain, brand = rng.choice(LOOK_ALIKES)
    lang = LANGS.draw(rng)
    sender = Person(
        name, f"{rng.choice(('service', 'security', 'no-reply', 'support'))}@{domain}", lang, world.home
    )
    caught = rng.random() < 0.85
    score = rng.randrange(88, 101) if caught else rng.randrange(30, 49)
    shown = sender.address if rng.random() < 0.5 else f"service@{brand.split()[0].lower()}.example"
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 3),
        occasion="phish",
        from_address=shown,
        reply_to=f"claims{rng.randrange(99)}@{_throwaway(rng)}" if rng.random() < 0.4 else "",
        subject=subjects.subject(rng, "phish", lang, brand=brand),
        peer=_bad_peer(rng, world),
        parts=(mail.body(rng, (f"http://{domain}/{hex_of(rng, 6)}/login?u={hex_of(rng, 10)}", *_links(rng, domain, 2))),),
        spf=rng.choice(("pass", "fail", "softfail")), dkim=rng.choice(("none", "fail")), dmarc="fail",
        scores=_scores(rng, score, phish=score, spam=rng.randrange(20, score + 1), suspect=rng.randrange(0, 60)),
        verdict=mail.PHISH if caught else mail.CLEAN,
        fate="nowhere" if caught else "sent",
    )  # fmt: skip


def impostor(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A chief's name over someone else's address."""
    chief = rng.choice(world.chiefs)
    local = chief.name.split()[0].lower().translate(str.maketrans("üö", "uo"))
    sender = Person(
        chief.name, f"{local}.office{rng.randrange(999)}@{rng.choice(_FREE_MAIL)}", "en", world.home
    )
    caught = rng.random() < 0.9
    score = rng.randrange(75, 101) if caught else rng.randrange(25, 50)
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 2),
        occasion="impostor",
        subject=subjects.subject(rng, "impostor", rng.choice(("en", "en", "de", "fr"))),
        peer=_bad_peer(rng, world),
        reply_to=f"{local}.ceo@{_throwaway(rng)}" if rng.random() < 0.6 else "",
        scores=_scores(rng, score, impostor=score, suspect=rng.randrange(30, 90)),
        verdict=mail.IMPOSTOR if caught else mail.CLEAN,
        fate="nowhere" if caught else "sent",
    )  # fmt: skip


def virus(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Something nasty is attached: known to the scanner, or found by the sandbox."""
    sender = Person(
        rng.choice(("Scanner", "Accounting", "Voice Mail", "Bewerbung")),
        f"scan@{_throwaway(rng)}",
        LANGS.draw(rng),
        world.home,
    )
    known = rng.random() < 0.6
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 3),
        occasion="virus",
        subject=subjects.subject(rng, "virus", sender.lang),
        peer=_bad_peer(rng, world),
        parts=(mail.body(rng), mail.attachment(rng, dangerous=True)),
        spf="softfail", dkim="none", dmarc="none",
        scores=_scores(rng, 100, malware=100, spam=rng.randrange(40, 100)),
        verdict=mail.VIRUS if known else mail.SANDBOX,
        viruses=(rng.choice(mail.VIRUSES),) if known else (),
        fate="nowhere",
    )  # fmt: skip


def spoof(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Our own domain in From, sent by a stranger: DMARC stops it."""
    victim = world.staff.draw(rng)
    sender = Person(victim.name, f"x{rng.randrange(999)}@{_throwaway(rng)}", "en", world.home)
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 2),
        from_address=victim.address,
        subject=subjects.subject(rng, "invoice", "en", company=world.company),
        peer=_bad_peer(rng, world),
        spf="fail", dkim="none", dmarc="fail",
        scores=_scores(rng, rng.randrange(50, 90), spam=50, suspect=rng.randrange(50, 100)),
        verdict=mail.DMARC_FAILED,
        fate="nowhere",
    )  # fmt: skip


def refused(rng: Random, world: World, start: int, seed: int) -> Mail:
    """Turned away at the door: no content was read, and there is no queue file."""
    sender = Person("", f"{hex_of(rng, 6)}@{_throwaway(rng)}", "und", world.home)
    later = rng.random() < 0.25
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 3),
        occasion="refused",
        subject="", lang="und", message_id="", mailer="",
        peer=_bad_peer(rng, world), size=0,
        spf="none", dkim="none", dmarc="none", scores=(0, {}),
        verdict=mail.LATER if later else mail.REFUSED,
        fate="stopped",
    )  # fmt: skip


def bounce(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A report from a mail system: null sender."""
    site = world.partners.draw(rng).site
    sender = Person("Mail Delivery Subsystem", f"MAILER-DAEMON@{site.host}", "en", site)
    return _base(
        rng, world, start, seed, sender, _recipients(rng, world, 1),
        occasion="bounce",
        sender="" if rng.random() < 0.7 else "<>",
        subject=subjects.subject(rng, "bounce", "en"),
        spf="none", dmarc="none",
    )  # fmt: skip


def split(rng: Random, world: World, start: int, seed: int) -> Mail:
    """One message for several people, which the filter split by their policies."""
    mine = partner(rng, world, start, seed)
    while len(mine.rcpts) < 2:
        mine = partner(rng, world, start, seed)
    return mine._replace(split=True)


Genre = Callable[[Random, World, int, int], Mail]
GENRES: Final = weighted(
    {
        partner: 25.0,
        outbound: 22.0,
        internal: 15.0,
        newsletter: 11.0,
        notification: 11.0,
        spam: 7.0,
        phish: 1.6,
        impostor: 0.5,
        virus: 0.5,
        spoof: 0.5,
        refused: 2.5,
        bounce: 1.6,
        split: 1.0,
    }
)


def everyday(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A mail of any genre, each as often as it comes."""
    return GENRES.draw(rng)(rng, world, start, seed)


def slow(rng: Random, world: World, start: int, seed: int) -> Mail:
    """A mail that the other side does not take at once."""
    genre = outbound if rng.random() < 0.7 else partner
    mine = genre(rng, world, start, seed)
    if mine.fate != "sent":
        mine = partner(rng, world, start, seed)
    return mine._replace(fate="deferred" if rng.random() < 0.7 else "bounced")


def lure(wave: int, world: World) -> Genre:
    """The genre of one phishing wave: many senders, one address to click, one story."""
    dice = Random(wave)
    name, domain, brand = dice.choice(LOOK_ALIKES)
    url = f"https://{domain}/{hex_of(dice, 8)}/verify"
    titles = [subjects.subject(dice, "phish", "en", brand=brand) for _ in range(3)]

    def wave_mail(rng: Random, world: World, start: int, seed: int) -> Mail:
        caught = rng.random() < 0.7
        score = rng.randrange(80, 101) if caught else rng.randrange(20, 49)
        sender = Person(
            name,
            f"{hex_of(rng, 7)}@{rng.choice(CITIES).lower().translate(str.maketrans('üéóöãİ', 'ueooai'))}-{rng.randrange(99)}.{_throwaway(rng)}",
            "en",
            world.home,
        )
        return _base(
            rng, world, start, seed, sender, _recipients(rng, world, 4),
            occasion="phish",
            subject=rng.choice(titles),
            peer=_bad_peer(rng, world),
            parts=(mail.body(rng, (url,)),),
            spf=rng.choice(("pass", "none")), dkim="none", dmarc="none",
            scores=_scores(rng, score, phish=score, suspect=rng.randrange(0, 80)),
            verdict=mail.PHISH if caught else mail.CLEAN,
            fate="nowhere" if caught else "sent",
        )  # fmt: skip

    return wave_mail
