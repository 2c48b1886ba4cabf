"""Text from outside made safe to look at: what hides in it is named, what imitates is told apart.

Pure functions on the standard library. Nothing here changes what is stored or sent.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

_C0_NAMES: Final = (
    "NULL START-OF-HEADING START-OF-TEXT END-OF-TEXT END-OF-TRANSMISSION ENQUIRY ACKNOWLEDGE BELL BACKSPACE "
    "TAB LINE-FEED VERTICAL-TAB FORM-FEED CARRIAGE-RETURN SHIFT-OUT SHIFT-IN DATA-LINK-ESCAPE "
    "DEVICE-CONTROL-1 DEVICE-CONTROL-2 DEVICE-CONTROL-3 DEVICE-CONTROL-4 NEGATIVE-ACKNOWLEDGE "
    "SYNCHRONOUS-IDLE END-OF-BLOCK CANCEL END-OF-MEDIUM SUBSTITUTE ESCAPE FILE-SEPARATOR GROUP-SEPARATOR "
    "RECORD-SEPARATOR UNIT-SEPARATOR"
).split()
_HIDDEN: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls but tab and line breaks
    "\xad\u034f\u061c\u0600-\u0605\u06dd\u070f\u08e2"  # soft hyphen, joiners, Arabic marks
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # Hangul fillers, Khmer, Mongolian selectors
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi, invisible operators
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # blanks that are letters, selectors, byte order mark
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # format controls, tags, selectors
    "]"
)
_EMOJI: Final = re.compile("[\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\u00a9\u00ae#*0-9]")
_JOINING: Final = (
    "ARABIC",
    "DEVANAGARI",
    "BENGALI",
    "GUJARATI",
    "GURMUKHI",
    "KANNADA",
    "MALAYALAM",
    "ORIYA",
    "SINHALA",
    "TAMIL",
    "TELUGU",
    "SYRIAC",
    "MONGOLIAN",
    "KHMER",
    "MYANMAR",
)


class Hidden(NamedTuple):
    """A character that cannot be seen."""

    place: int
    codepoint: str
    """`U+202E`."""
    name: str


def hides(text: str) -> bool:
    """Does the text hold a character that cannot be seen? Cheap: asked of every record received."""
    if text.isascii() and text.isprintable():
        return False
    return any(not _belongs(text, match.start()) for match in _HIDDEN.finditer(text))


def hidden_characters(text: str) -> list[Hidden]:
    """All characters that cannot be seen, or that change the order of what is seen.

    Left out are those that honest text needs where they stand: joiners and selectors inside emoji, and
    zero-width (non-)joiners between letters of scripts that are written joined. Tabs and line breaks too.
    """
    return [
        Hidden(place, f"U+{ord(match[0]):04X}", character_name(match[0]))
        for match in _HIDDEN.finditer(text)
        if not _belongs(text, place := match.start())
    ]


def visible(text: str) -> str:
    """The text with a mark in place of each hidden character: `pay‹U+200B›pal`."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(
        lambda match: match[0] if _belongs(text, match.start()) else f"‹U+{ord(match[0]):04X}›", text
    )


def character_name(char: str) -> str:
    """The Unicode name, or a name of our own for controls and unnamed characters."""
    code = ord(char)
    if code < 0x20:
        return _C0_NAMES[code].replace("-", " ")
    return unicodedata.name(char, "DELETE" if code == 0x7F else f"UNNAMED {code:04X}")


def _belongs(text: str, place: int) -> bool:
    """Is this hidden character one that honest text has there?"""
    char = text[place]
    before = text[place - 1] if place else ""
    after = text[place + 1] if place + 1 < len(text) else ""
    if char in "\ufe0e\ufe0f":
        return bool(before and _EMOJI.match(before))
    if char not in "\u200c\u200d" or not before or not after:
        return False
    if char == "\u200d" and _EMOJI.match(after):
        return (
            bool(_EMOJI.match(before)) or before in "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
        )
    return _joins(before) and _joins(after)


def _joins(char: str) -> bool:
    return unicodedata.name(char, "").partition(" ")[0] in _JOINING


def clip(text: str, limit: int) -> str:
    """At most `limit` characters; an ellipsis stands for what was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def printable(raw: bytes, limit: int) -> str:
    """The beginning of any bytes as text, with escapes for what cannot be seen; at most `limit` characters."""
    text = raw[: limit * 4].decode("utf-8", "backslashreplace")[:limit]
    shown = "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
    return visible(shown)[:limit]


def plural(count: int, thing: str) -> str:
    """`1 record`, `3 records`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def domain_of(address: str) -> str:
    """What stands behind the last @ of an address; '' where there is none."""
    return address.rpartition("@")[2] if "@" in address else ""


_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_WEB: Final = re.compile(r"h(tt)p(?=s?(?::|%3a))", re.IGNORECASE)


def defang(text: str) -> str:
    """A URL or address that no program will turn into a link: `hxxps://evil[.]example/login`.

    Dots are wrapped in the host, addresses lose their @, every scheme loses its power; the path is kept.
    """
    text = _WEB.sub(lambda match: match[0][0] + ("xx" if match[1].islower() else "XX") + match[0][3], text)
    scheme, rest = "", text
    if match := _SCHEME.match(text):
        scheme, rest = match[1], text[match.end() :]
        if not rest.startswith(("//", "\\\\")) and rest[:1].isdigit() and "." in scheme:
            scheme, rest = "", text  # host:port
    slashes = rest[: len(rest) - len(rest.lstrip("/\\"))]
    rest = rest[len(slashes) :]
    end = next((place for place, char in enumerate(rest) if char in "/\\?#"), len(rest))
    host, path = rest[:end].replace(".", "[.]").replace("@", "[@]"), rest[end:].replace("@", "[@]")
    if scheme and not scheme.lower().startswith("hxxp") and scheme.lower() != "mailto":
        return f"{scheme}[:]{slashes}{host}{path}"
    return f"{scheme}{':' if scheme else ''}{slashes}{host}{path}"


_SCRIPTS: Final = {
    "LATIN": "Latin",
    "FULLWIDTH": "full-width",
    "HALFWIDTH": "half-width",
    "MATHEMATICAL": "mathematical letters",
    "CIRCLED": "circled letters",
    "SQUARED": "squared letters",
    "NEGATIVE": "squared letters",
    "PARENTHESIZED": "parenthesized letters",
    "MODIFIER": "modifier letters",
    "SCRIPT": "mathematical letters",
    "DOUBLE-STRUCK": "mathematical letters",
    "BLACK-LETTER": "mathematical letters",
    "CJK": "Han",
    "KANGXI": "Han",
    "IDEOGRAPHIC": "Han",
}
_TOGETHER: Final = (
    frozenset({"Latin", "Han", "Hiragana", "Katakana", "Katakana-Hiragana"}),
    frozenset({"Latin", "Han", "Hangul"}),
    frozenset({"Latin", "Han", "Bopomofo"}),
)
"""Scripts that honest names mix (Unicode Technical Standard 39, highly restrictive level)."""

_LOOKS_LIKE: Final = str.maketrans(
    {
        # Cyrillic, then Greek, Armenian, and Latin letters that pass for plain ones.
        **dict(zip("аАвВсСԁеЕһНіІјЈкКӏⅼмМоОрРԛтТѕЅуУхХԝѡгпьъ", "aabbccdeehhiijjkkllmmooppqttssyyxxwwrnbb")),
        **dict(zip("αΑΒβεΕηιΙκΚΜνΝοΟρΡσςτΤυΥχΧωΖ", "aabbeeniikkmvnooppocttuyxxwz")),
        **dict(zip("օսոհցզյաք", "ounhgqjwp")),
        **dict(zip("ıɩɪɑɡɢʀᴀʙᴄᴅᴇꜰʜᴊᴋʟᴍɴᴏᴘꜱᴛᴜᴠᴡʏᴢƅƖ", "iiiaggrabcdefhjklmnopstuvwyzbl")),
        **dict(zip("ⅰⅴⅹⅽⅾⅿ", "ivxcdm")),
        **dict(zip("øđħłŧƀɓɗƙɱɲŋƥɾʂƭʋƴȥ", "odhltbbdkmnnprstvyz")),
    }
)
_DIGITS: Final = (
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("0", "o"),
    ("1", "l"),
    ("3", "e"),
    ("5", "s"),
    ("8", "b"),
    ("i", "l"),
)


def scripts(text: str) -> tuple[str, ...]:
    """The scripts that the letters of a text belong to, in order of appearance; digits and marks have none."""
    found: dict[str, None] = {}
    for char in text:
        if char.isascii():
            if char.isalpha():
                found["Latin"] = None
        elif unicodedata.category(char)[0] == "L" or unicodedata.category(char) in ("Nl", "So"):
            first = unicodedata.name(char, "unknown").partition(" ")[0]
            name = _SCRIPTS.get(first, first.capitalize())
            if unicodedata.category(char) != "So" or first in _SCRIPTS:
                found[name] = None
    return tuple(found)


def skeleton(text: str) -> str:
    """What a text looks like at a glance: look-alike letters, marks and digits become plain letters.

    Two different texts with one skeleton can be taken for each other.
    """
    plain = unicodedata.normalize("NFKD", _HIDDEN.sub("", text).translate(_LOOKS_LIKE).casefold())
    plain = plain.translate(_LOOKS_LIKE)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    for pair, letter in _DIGITS:
        plain = plain.replace(pair, letter)
    return plain


def unicode_domain(domain: str) -> str:
    """The domain as people read it: `xn--` labels decoded; a label that cannot be decoded stays."""
    return ".".join(_unicode_label(label) for label in domain[:1_000].split("."))


def ascii_domain(domain: str) -> str:
    """The domain as it travels: labels that are not ASCII as `xn--…`."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode", "replace").decode("ascii")
        for label in unicodedata.normalize("NFKC", domain[:1_000]).lower().split(".")
    )


def _unicode_label(label: str) -> str:
    if label[:4].lower() != "xn--" or len(label) > 63:  # no label is longer (RFC 1035)
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


class Disguise(NamedTuple):
    """Why a domain may not be what it seems."""

    shown: str
    """As people read it."""
    punycode: str
    """As it travels."""
    scripts: tuple[str, ...]
    reason: str
    """A phrase: `mixes Latin and Cyrillic letters`."""


def disguise(domain: str) -> Disguise | None:
    """The judgement on one domain by itself; None where its letters are plain.

    Told: hidden characters, mixed scripts, letters that look like Latin ones, full-width and styled letters,
    and any other name that is not plain ASCII (then without suspicion, so that it is never mistaken).
    """
    shown = unicode_domain(domain)
    if shown.isascii() and shown == domain and "xn--" not in domain.lower():
        return None
    found = scripts(shown)
    return Disguise(shown, ascii_domain(shown), found, _reason(shown, found))


def _reason(shown: str, found: tuple[str, ...]) -> str:
    if hides(shown):
        return "holds hidden characters"
    if shown.isascii():
        return "is encoded, and cannot be decoded" if "xn--" in shown.lower() else "is encoded plain ASCII"
    if unicodedata.normalize("NFKC", shown) != unicodedata.normalize("NFC", shown):
        return "is written with styled letters that stand for plain ones"
    for label in shown.split("."):
        mixed = scripts(label)
        if len(mixed) > 1 and not any(set(mixed) <= together for together in _TOGETHER):
            return f"mixes {' and '.join(mixed)} letters"
    for label in shown.split("."):
        if not label.isascii() and re.fullmatch(r"[a-z0-9-]+", skeleton(label)):
            return f"looks like {skeleton_of_domain(shown)}, with other letters"
    return f"is written in {' and '.join(found) or 'unusual characters'}"


def skeleton_of_domain(domain: str) -> str:
    """The domain that this one looks like, letter for letter (digits are kept as they are)."""
    plain = unicodedata.normalize("NFKD", domain.translate(_LOOKS_LIKE).casefold()).translate(_LOOKS_LIKE)
    return "".join(char for char in plain if not unicodedata.combining(char))


def resembles(domain: str, known: str) -> bool:
    """Can this domain be taken for the known one, without being it or below it?"""
    one, other = unicode_domain(domain).casefold().rstrip("."), unicode_domain(known).casefold().rstrip(".")
    if not one or not other or one == other or one.endswith("." + other) or other.endswith("." + one):
        return False
    return skeleton(one) == skeleton(other)


_MOVING: Final = {ord(character): f"‹U+{ord(character):04X}›" for character in "\t\n\r"}
"""What text on several lines may hold, and one line may not."""


def one_line(text: str) -> str:
    """The text on one line; each control, bidi or zero-width character is a mark with its code point."""
    if text.isascii() and text.isprintable():
        return text
    return visible(text).translate(_MOVING)
