"""Header text as people read it: folded lines, encoded words (RFC 2047), addresses. Never raises."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

_WORD: Final = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
"""Each part ends at the next question mark, so that no header makes the search slow."""
_BETWEEN_WORDS: Final = re.compile(r"(?<=\?=)[ \t\r\n]+(?==\?[^?\s]{1,40}\?[bBqQ]\?)")
_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT: Final = re.compile(r"\([^()]*\)")
_ANGLE: Final = re.compile(r"<([^<>]*)>\s{0,100}(?:[,;]|$)")
"""What stands in angle brackets at the end of a mailbox; `Bank <a@bank> <b@else>` is from b@else."""
_UNWANTED: Final = re.compile("[\x00\ud800-\udfff]")
_REFUSED: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
"""Python codecs that are no character sets of mail, or slow on hostile input."""
_CHARSETS: Final = (frozenset(aliases) | frozenset(aliases.values())) - _REFUSED
HEADER_CHARS: Final = 16_384
"""A header is read up to here; none in honest mail is longer."""


def readable(text: str) -> str:
    """A header value unfolded, its encoded words decoded."""
    folded = "\n" in text or "\r" in text
    if not folded and "=?" not in text:
        return text
    text = text[:HEADER_CHARS]
    if folded:
        text = _FOLD.sub(" ", text).strip(" ")
    if "=?" not in text:
        return text
    pieces: list[str] = []
    place = 0
    pending, charset = b"", ""
    for match in _WORD.finditer(_BETWEEN_WORDS.sub("", text)):
        text = match.string
        before = text[place : match.start()]
        if pending and (before or match[1].lower() != charset):
            pieces.append(_decode(pending, charset))
            pending = b""
        pieces.append(before)
        # A character may be split over two words of one charset; they are decoded together.
        pending += _word_bytes(match[2], match[3])
        charset = match[1].lower()
        place = match.end()
    pieces.append(_decode(pending, charset))
    pieces.append(text[place:])
    return _UNWANTED.sub("\ufffd", _FOLD.sub(" ", "".join(pieces)))


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    data = bytes(byte for byte in data if byte not in b"= \t\r\n")
    try:
        return b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        try:
            return b64decode(data[: len(data) // 4 * 4])
        except binascii.Error:
            return b""


def _decode(data: bytes, charset: str) -> str:
    if not data:
        return ""
    name = normalize_encoding(charset.partition("*")[0]).removesuffix("_i").lower()
    if name not in _CHARSETS:
        name = "utf_8"
    try:
        return data.decode(name, "replace")
    except (LookupError, UnicodeError):  # a codec that is no text encoding, or gives up
        return data.decode("utf-8", "replace")


def bare(text: str) -> str:
    """An envelope address without angle brackets; '' for the null sender."""
    if "<" not in text:
        return text.strip() if text[:1].isspace() or text[-1:].isspace() else text
    if text[0] == "<" and text[-1] == ">" and text.count("<") == 1:
        return text[1:-1].strip()
    if text.count("<") == 1 and text.count("@") == 1:  # a name before it
        return header_address(text)
    return text.strip()  # odd on purpose, as `<b>x</b>@bad.example`: whole, or it would be hidden what it is


def header_address(text: str) -> str:
    """The address of the first mailbox in a From, To or Reply-To header; '' where there is none."""
    text = text[:2_000]
    outside = _COMMENT.sub(" ", _QUOTED.sub(" ", text))
    if match := _ANGLE.search(outside):
        address = match[1].strip()
        if address.startswith("@") and (quoted := _ANGLE.search(text)):  # "john doe"@host
            return quoted[1].strip()
        return address
    for word in re.split(r"[\s,;]+", outside):
        if "@" in word:
            return word.strip("<>") if not word.startswith("@") else text.strip()
    return ""


def display_name(text: str) -> str:
    """The name before the address, without quotes; '' where there is none."""
    text = readable(text)[:2_000]
    outside = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    start = outside.find("<")
    if start < 0:
        comment = _COMMENT.search(outside)
        return comment[0][1:-1].strip() if comment else ""
    return re.sub(r"\\(.)", r"\1", text[:start].strip().strip('"')).strip()


def split_addresses(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Bare addresses; one text may hold several, as in `<a@b>,<c@d>`."""
    if len(texts) == 1 and "," not in texts[0]:
        address = bare(texts[0])
        return (address,) if address else ()
    for text in texts:
        if not text or "," in text or "<" in text or text[:1].isspace() or text[-1:].isspace():
            break
    else:
        return texts
    parts: list[str] = []
    for text in texts:
        if '"' in text and "," in text:
            text = _QUOTED.sub(lambda match: match[0].replace(",", "\x00"), text[:HEADER_CHARS])
        parts += text.split(",")
    found = (bare(part.replace("\x00", ",").strip()) for part in parts)
    return tuple(address for address in found if address)
