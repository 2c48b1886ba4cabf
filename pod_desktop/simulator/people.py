"""Who writes and who is written to: the cluster's own people, partners, newsletters, services.

Addresses lie in ranges reserved for documentation and measurement (RFC 5737, RFC 2544, RFC 3849).
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from pod_desktop.simulator import names
from pod_desktop.simulator.chance import hex_of, seed_of, weighted, zipf


class Site(NamedTuple):
    """An organisation that sends or takes mail."""

    name: str
    domain: str
    lang: str
    country: str
    host: str
    ip: str
    tls: bool
    selector: str
    subjects: tuple[str, ...] = ()


class Person(NamedTuple):
    name: str
    address: str
    lang: str
    site: Site


LANGS: Final = weighted(names.LANG_WEIGHTS)
_FOLD: Final = str.maketrans(
    {char: plain for plain, chars in {
        "a": "äàâáãåÄÁÂÀÅ", "e": "éèêëÉÈÊ", "i": "îïíìÎÍ", "o": "öôóòõÓÖÔ", "u": "üûùúÚÜ", "c": "çÇ", "n": "ñÑ",
        "ss": "ß",
    }.items() for char in chars}
)  # fmt: skip


def ip_in(country: str, rng: Random) -> str:
    """An address of this country's slice, now and then an IPv6 one; none or loopback for `**`."""
    if country not in names.BLOCKS:
        return rng.choice(("", "127.0.0.1"))
    place = names.BLOCKS.index(country)
    if rng.random() < 0.04:
        return f"2001:db8:{place:x}:{rng.getrandbits(16):x}::{rng.getrandbits(12):x}"
    return f"198.{18 + rng.randrange(2)}.{place * 9 + rng.randrange(9)}.{rng.randrange(1, 255)}"


def people_of(lang: str) -> list[tuple[str, str]]:
    """Display names of one language, each with the local part of its address."""
    if lang in names.NATIVE:
        return [
            (name, local)
            for name, _, local in (pair.rpartition("=") for pair in names.NATIVE[lang].split(", "))
        ]
    given, family = names.LATIN[lang]
    return [
        (f"{first} {last}", f"{first}.{last}".translate(_FOLD).lower())
        for first in given.split()
        for last in family.split()
    ]


class World:
    """The cluster and everyone who writes to it; the same for the same seed and cluster id."""

    def __init__(self, seed: int, cluster_id: str) -> None:
        rng = Random(seed_of(seed, "world", cluster_id))
        stem = (
            "".join(c for c in cluster_id.lower().removesuffix("_hosted") if c.isascii() and c.isalnum())
            or "acme"
        )
        self.cluster_id = cluster_id
        self.company = stem.capitalize()
        self.domains = (f"{stem}.example", f"{stem}-labs.example")
        self.customer = f"{hex_of(rng, 8)}-{hex_of(rng, 4)}-354f-8d3c-{hex_of(rng, 12)}"
        self.agents = _agents(rng)
        self.home = Site(
            self.company, self.domains[0], "en", "us", f"mail.{self.domains[0]}", "198.51.100.25", True, "s1"
        )
        self.staff = zipf(self._staff(rng), 0.7)
        self.chiefs = tuple(
            Person(name, address, "en", self.home)
            for name, address in (
                ("Margaret Whitfield", f"m.whitfield@{self.domains[0]}"),
                ("Rajesh Menon", f"r.menon@{self.domains[0]}"),
                ("Jürgen Köhler", f"j.koehler@{self.domains[0]}"),
            )
        )
        self.partners = zipf(self._partners(rng), 0.95)
        self.newsletters = zipf([_site(rng, *line) for line in names.NEWSLETTERS], 0.8)
        self.services = zipf([_site(rng, *line) for line in names.SERVICES], 0.6)
        self.attack_countries = weighted(names.ATTACK_COUNTRIES)

    def _staff(self, rng: Random) -> list[Person]:
        pool = [(lang, *pair) for lang in LANGS.values for pair in people_of(lang)]
        rng.shuffle(pool)
        pool.sort(key=lambda entry: entry[0] != "en" and rng.random() < 0.7)
        staff = []
        for lang, name, local in pool[:260]:
            domain = self.domains[rng.random() < 0.15]
            staff.append(Person(name, f"{local}@{domain}", lang, self.home))
        return staff

    def _partners(self, rng: Random) -> list[Person]:
        partners = []
        for lang, companies in names.COMPANIES.items():
            for company, domain in companies:
                site = _site(rng, company, domain, lang)
                pool = people_of(lang)
                for name, local in rng.sample(pool, min(len(pool), 9)):
                    partners.append(Person(name, f"{local}@{domain}", lang, site))
        rng.shuffle(partners)
        return partners


def _agents(rng: Random) -> tuple[tuple[str, str], ...]:
    """The filter hosts and their releases; one runs an older release, which names fields otherwise."""
    number = rng.randrange(100_000, 169_000)
    return (
        (f"m{number:07d}.ppops.example", "8.21.0.1358"),
        (f"m{number + 7:07d}.ppops.example", "8.21.0.1358"),
        (f"m{number + 19:07d}.ppops.example", "8.14.0.396"),
    )


def _site(rng: Random, name: str, domain: str, lang: str, subjects: tuple[str, ...] = ()) -> Site:
    country = rng.choice(names.COUNTRIES[lang].split())
    return Site(
        name=name,
        domain=domain,
        lang=lang,
        country=country,
        host=f"{rng.choice(('mx1', 'mail', 'smtp', 'out'))}.{domain}",
        ip=ip_in(country, rng),
        tls=rng.random() < 0.93,
        selector=rng.choice(("s1", "google", "selector1", "dkim2024", "mta")),
        subjects=subjects,
    )
