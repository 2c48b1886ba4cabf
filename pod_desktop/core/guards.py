"""What may be put on an org list: pure rules, in one table each, that explain themselves.

Three answers: go on, ask for the value to be typed as a confirmation, or refuse. A playbook takes anything
but "go on" as a reason to hold.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core.action import ATTRIBUTES, BLOCK, COMMENT_CHARS, DELETE, NEGATED, OPERATORS, Entry
from pod_desktop.core.addresses import ip_of, is_internal, is_loopback
from pod_desktop.core.freemail import FREE_MAIL

GO: Final = "go"
CONFIRM: Final = "confirm"
REFUSE: Final = "refuse"
_RANK: Final = {GO: 0, CONFIRM: 1, REFUSE: 2}
VALUE_CHARS: Final = 500
PARTNER_MESSAGES: Final = 50
"""Delivered messages in 30 days that make a domain a partner."""
SHORT_CONTAIN: Final = 4
"""`contain` with fewer characters matches by accident."""
DOUBTFUL_CONTAIN: Final = 6
_ADDRESSES: Final = frozenset({"$from", "$hfrom", "$rcpt"})
_HOSTS: Final = frozenset({"$host", "$helo"})
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?!\d+$)[\w-]{2,63}")
"""Labels of letters (of any script), digits and hyphens, the last one no number; `_` is seen in host names."""
_HOST: Final = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_NUMBERS: Final = re.compile(r"[\d.]+")
_IP_PIECE: Final = re.compile(r"[0-9A-Fa-f:./]+")
_PUBLIC_SUFFIXES: Final = frozenset(
    """
    com net org info biz edu gov mil int io co me tv app dev xyz top online site shop club eu de fr uk us ca au jp cn
    ru in br it es nl se no fi dk pl ch at be cz pt gr ie hu ro tr ua kr tw hk sg nz za mx ar cl il ae co.uk org.uk
    ac.uk com.au co.jp co.in com.br com.cn co.nz co.za com.mx com.tr co.kr example local
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of this tenant when a value is judged."""

    own_domains: frozenset[str] = frozenset()
    """Set by the user, and learned from recipients."""
    protected: frozenset[str] = frozenset()
    """Values and domains that the user protects."""
    partners: Mapping[str, int] = field(default_factory=dict)
    """Sender domain -> messages delivered in the last 30 days."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a value is not simply let through."""

    code: str
    answer: str
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The strictest answer and every reason for it."""

    answer: str
    reasons: tuple[Reason, ...]


def judge(action: str, which: str, entry: Entry, around: Surroundings) -> Judgement:
    """Judge one entry for one list ("block" or "safe") and one action ("add" or "delete")."""
    reasons = tuple(_form(which, entry))
    if action != DELETE and not any(reason.answer == REFUSE for reason in reasons):
        reasons += tuple(reason for rule in _RULES for reason in rule(which, entry, around))
    answer = max((reason.answer for reason in reasons), key=_RANK.__getitem__, default=GO)
    return Judgement(answer, reasons)


def _form(which: str, entry: Entry) -> Iterator[Reason]:
    """What the service would not accept, for every action."""
    if entry.attribute not in ATTRIBUTES:
        yield Reason("attribute", REFUSE, f"{entry.attribute!r} is no attribute of the list.")
    if entry.operator not in OPERATORS[which]:
        allowed = ", ".join(OPERATORS[which])
        yield Reason("operator", REFUSE, f"{entry.operator!r} is no operator of this list ({allowed}).")
    if not entry.value.strip():
        yield Reason(
            "empty", REFUSE, "The value is empty: it would match mail without a sender, or everything."
        )
    elif entry.value != entry.value.strip() or not entry.value.isprintable():
        yield Reason(
            "blanks", REFUSE, "The value has outer blanks or invisible characters and would never match."
        )
    elif entry.attribute in _ADDRESSES and entry.value[0] == "<" and entry.value[-1] == ">":
        yield Reason(
            "brackets", CONFIRM, "Addresses are compared without angle brackets: it would never match."
        )
    if len(entry.value) > VALUE_CHARS:
        yield Reason(
            "long", REFUSE, f"The value has {len(entry.value):,} characters; {VALUE_CHARS} is the most."
        )
    if len(entry.comment) > COMMENT_CHARS:
        yield Reason(
            "comment",
            REFUSE,
            f"The comment has {len(entry.comment)} characters; {COMMENT_CHARS} is the most.",
        )


def domain_of(value: str) -> str:
    """The domain that a list value names: of an address, of `@domain`, or the value itself."""
    return value.casefold().rpartition("@")[2].strip(".")


def _within(domain: str, domains: frozenset[str]) -> str:
    """The one of `domains` that this domain is, or is below; '' if none."""
    parts = domain.split(".")
    return next((name for at in range(len(parts)) if (name := ".".join(parts[at:])) in domains), "")


def _whole_domain(entry: Entry) -> bool:
    """Whether the entry is about a whole domain, not one address."""
    return "@" not in entry.value or entry.value.startswith("@") or entry.operator != "equal"


def _is_suffix(value: str, bare: str) -> bool:
    """A public suffix we know, or one label behind `.` or `@`: `.ninja`, `@com`, `*.zip`."""
    return domain_of(bare) in _PUBLIC_SUFFIXES or ("." not in bare and value.lstrip("*%? ")[:1] in (".", "@"))


def _breadth(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    bare = entry.value.strip("*@.%?_- ")
    if not bare:
        yield Reason("everything", REFUSE, f"{entry.value!r} would match every message.")
        return
    if entry.attribute in _ADDRESSES | _HOSTS and "@" not in bare and _is_suffix(entry.value, bare):
        yield Reason("suffix", REFUSE, f"{entry.value!r} is a whole top-level domain.")
    if any(char in entry.value for char in "*?"):
        yield Reason("wildcard", CONFIRM, "The list knows no wildcards: * and ? would be taken literally.")
    if entry.operator == "contain":
        if len(bare) < SHORT_CONTAIN:
            yield Reason("short", REFUSE, f"contain {entry.value!r} is so short that it matches by accident.")
        elif len(bare) < DOUBTFUL_CONTAIN:
            yield Reason(
                "shortish", CONFIRM, f"contain {entry.value!r} is short and may match more than is meant."
            )
    if entry.operator in NEGATED:
        verb = "block" if which == BLOCK else "let through"
        yield Reason("negated", CONFIRM, f"{entry.operator} would {verb} everything except this value.")
    if entry.operator == "is_in_list":
        yield Reason("in_list", CONFIRM, "What is_in_list compares with is not documented.")


def _shape(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    """Whether the whole value can be what the attribute holds; pieces of it (contain) may be anything."""
    if entry.operator in ("contain", "not_contain", "is_in_list"):
        return
    value = entry.value
    if entry.attribute in _ADDRESSES:
        if problem := _no_sender(value):
            yield Reason("no_address", CONFIRM, problem)
    elif entry.attribute in _HOSTS and not _HOST.fullmatch(value):
        yield Reason("no_host", CONFIRM, f"{value!r} is no host name: it would likely never match.")


def _no_sender(value: str) -> str:
    """Why this is neither an address nor a domain; '' where it can be one.

    Of an address nothing but its @ is asked: what senders write before it has no limits in practice.
    """
    if ip_of(value) is not None:
        return f"{value} is an IP address, and senders are not: choose the attribute Source IP ($ip)."
    if _NUMBERS.fullmatch(value):
        return f"{value!r} is no address and no domain, and no IP address either: it would never match."
    if "@" in value.strip("<>"):
        return (
            "" if domain_of(value.strip("<>")) else f"{value!r} is no address: nothing stands behind its @."
        )
    if value == "<>" or any(char in value for char in "*?") or _DOMAIN.fullmatch(value.strip(".")):
        return ""
    return f"{value!r} is neither an address nor a domain: it would likely never match."


def _touched(entry: Entry, domains: Iterable[str]) -> str:
    """The one of `domains` whose mail this entry would match; '' if none."""
    domain = domain_of(entry.value)
    known = frozenset(domains)
    if found := _within(domain, known):
        return found
    value = entry.value.casefold()
    if entry.operator == "contain":
        return next((name for name in sorted(known) if value in f"@{name}"), "")
    if _whole_domain(entry) and not value.startswith("@"):
        # A bare domain means its sub-domains too.
        return next((name for name in sorted(known) if name.endswith(f".{domain}")), "")
    return ""


def _ours(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    domain = domain_of(entry.value)
    if entry.attribute in _ADDRESSES and (own := _touched(entry, around.own_domains)):
        if entry.attribute == "$rcpt":
            yield Reason(
                "own_recipient", CONFIRM, f"This is a recipient of yours ({own}): nobody could mail it."
            )
        elif which == BLOCK:
            yield Reason("own", CONFIRM, f"{own} is your own domain: this blocks yourself.")
        else:
            yield Reason(
                "own_safe", CONFIRM, f"{own} is your own domain: forged mail in your name would pass."
            )
    elif entry.attribute in _HOSTS and which == BLOCK and (own := _touched(entry, around.own_domains)):
        yield Reason("own_host", CONFIRM, f"{own} is your own domain: this is likely a server of yours.")
    named = {entry.value.casefold(), domain}
    if found := next(iter(sorted(named & around.protected)), "") or _touched(entry, around.protected):
        yield Reason("protected", CONFIRM, f"{found} is on the list of protected values.")


def _company(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    if entry.attribute not in _ADDRESSES:
        return
    domain = domain_of(entry.value)
    if domain in FREE_MAIL and _whole_domain(entry):
        yield Reason(
            "free_mail", CONFIRM, f"{domain} gives addresses to anybody: all of its users are meant."
        )
    if which == BLOCK and _whole_domain(entry):
        large = [name for name, messages in around.partners.items() if messages >= PARTNER_MESSAGES]
        if partner := _touched(entry, large):
            yield Reason(
                "partner",
                CONFIRM,
                f"{around.partners[partner]:,} messages from {partner} were delivered in the last 30 days.",
            )


def _source(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    if entry.attribute in _HOSTS and is_loopback(domain_of(entry.value)):
        yield Reason("localhost", REFUSE, "localhost is the filter itself, not a sender.")
    if entry.attribute != "$ip":
        return
    address = ip_of(entry.value)
    try:
        network = ipaddress.ip_network(address or entry.value, strict=False)
    except ValueError:
        yield from _no_ip(entry)
        return
    if is_loopback(str(network.network_address)):
        yield Reason("loopback", REFUSE, f"{entry.value} is the filter itself: all mail comes from there.")
    elif network.num_addresses > 1 and network.prefixlen < (16 if network.version == 4 else 48):
        yield Reason("wide_network", REFUSE, f"{entry.value} covers {network.num_addresses:,} addresses.")
    elif network.num_addresses > 1:
        yield Reason("network", CONFIRM, f"{entry.value} covers {network.num_addresses:,} addresses.")
    elif is_internal(str(network.network_address)):
        yield Reason(
            "private", CONFIRM, f"{entry.value} is not a public address: it is likely a machine of yours."
        )


def _no_ip(entry: Entry) -> Iterator[Reason]:
    if entry.operator == "is_in_list":
        return
    if entry.operator in ("contain", "not_contain") and _IP_PIECE.fullmatch(entry.value):
        yield Reason(
            "ip_piece", CONFIRM, f"{entry.value!r} is a piece of an address: it is compared as text."
        )
    else:
        yield Reason("no_ip", REFUSE, f"{entry.value!r} is no IP address and no network (192.0.2.0/24).")


def _forgeable(which: str, entry: Entry, around: Surroundings) -> Iterator[Reason]:
    if which != BLOCK and entry.attribute in ("$hfrom", "$helo"):
        yield Reason(
            "forgeable", CONFIRM, f"{ATTRIBUTES[entry.attribute]} can be forged: anybody could pass as this."
        )
    if which != BLOCK and entry.operator == "contain":
        yield Reason(
            "safe_contain", CONFIRM, "contain on the safe list lets through whatever holds this text."
        )


_Rule = Callable[[str, Entry, Surroundings], Iterator[Reason]]
_RULES: Final[tuple[_Rule, ...]] = (_breadth, _shape, _ours, _company, _source, _forgeable)
