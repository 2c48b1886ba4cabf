"""Tests on single values: words, wildcards, numbers, networks, and the one door to RE2.

Both meanings of the tree use these, so that what SQL cannot decide is decided the same way everywhere.
"""

from __future__ import annotations

import ipaddress
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from pod_desktop.query.tree import ANY, ONE, Mark

StrTest = Callable[[str], bool]

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_INT64: Final = 2**63
_WORD: Final = r"\pL\pN\pM\p{Co}"
_PATTERN_BYTES: Final = 8 << 20
SPACES: Final = re.compile(r"\s+")
"""What stands between two words: folded headers hold line ends and tabs, senders pad with blanks."""


def as_number(value: str | int | float) -> int | float | None:
    """A number, or text that is written as one; None for anything else.

    Whole numbers below 2**63 are int, all others float, so that both sides of a comparison lose the same.
    """
    if isinstance(value, str):
        if len(value) > 400 or not _NUMBER.fullmatch(value):
            return None
        number = float(value)
        if math.isinf(number):
            return None
        if not value.lstrip("+-").isdecimal() or abs(number) > _INT64:
            return number
        value = int(value)
    if isinstance(value, int) and abs(value) >= _INT64:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def is_word_char(char: str) -> bool:
    """A letter, digit, mark or private-use character: a superset of what FTS5's unicode61 keeps in a token."""
    return char.isalnum() or unicodedata.category(char) in _WORD_CATEGORIES


_WORD_CATEGORIES: Final = {"Mn", "Mc", "Me", "Co", "Nl", "No", "Nd", "Lu", "Ll", "Lt", "Lm", "Lo"}


def words_test(words: str, phrase: bool) -> StrTest:
    """Whether text holds these words, by the rules of tree.Text."""
    folded = words.casefold()
    if not phrase and ("*" in folded or "?" in folded):
        return _wild_words_test(folded)
    return _plain_words_test(folded, phrase)


def _plain_words_test(folded: str, phrase: bool) -> StrTest:
    spaced = SPACES.search(folded) is not None
    if spaced:
        folded = SPACES.sub(" ", folded)
    size = len(folded)
    begins = bool(folded) and is_word_char(folded[0])
    ends = phrase and bool(folded) and is_word_char(folded[-1])

    def test(text: str) -> bool:
        text = text.casefold()
        if spaced:
            text = SPACES.sub(" ", text)
        at = text.find(folded)
        while at >= 0:
            after = at + size
            if not (begins and at and is_word_char(text[at - 1])) and not (
                ends and after < len(text) and is_word_char(text[after])
            ):
                return True
            at = text.find(folded, at + 1)
        return False

    return test


def _wild_words_test(folded: str) -> StrTest:
    start = folded[0]
    if start == "?":
        before = f"(?:(?:^|[^{_WORD}])[{_WORD}]|[^{_WORD}])"
        folded = folded[1:]
    elif start == "*" or not is_word_char(start):
        before = ""
    else:
        before = f"(?:^|[^{_WORD}])"
    search = _compiled(before + _wild_pattern(_pieces(folded))).search

    def test(text: str) -> bool:
        return search(_encoded(text.casefold())) is not None

    return test


def _pieces(wild: str) -> list[str | Mark]:
    return [{"*": ANY, "?": ONE}.get(piece, piece) for piece in re.split(r"([*?])", wild) if piece]


def _wild_pattern(pieces: Sequence[str | Mark]) -> str:
    import re2

    return "".join(
        re2.escape(_repaired(piece))
        if isinstance(piece, str)
        else ".*"
        if piece is ANY or piece == ANY
        else "."
        for piece in pieces
    )


def like_test(pattern: Sequence[str | Mark]) -> StrTest:
    """Whether a whole value fits the pattern of a tree.Like."""
    folded = [piece.casefold() if isinstance(piece, str) else piece for piece in pattern]
    if len(folded) == 2 and isinstance(folded[0], Mark) and folded[0] == ANY and isinstance(folded[1], str):
        suffix = folded[1]
        return lambda value: value.casefold().endswith(suffix)
    if len(folded) == 2 and isinstance(folded[0], str) and isinstance(folded[1], Mark) and folded[1] == ANY:
        prefix = folded[0]
        return lambda value: value.casefold().startswith(prefix)
    match = _compiled(_wild_pattern(folded)).fullmatch
    return lambda value: match(_encoded(value.casefold())) is not None


def regex_test(pattern: str) -> StrTest:
    """Whether a whole value matches a regular expression of a tree.Regex.

    Raises:
        ValueError: it is not valid.
    """
    match = compile_regex(pattern).fullmatch
    return lambda value: match(_encoded(value)) is not None


def compile_regex(pattern: str) -> Any:
    """An RE2 expression on UTF-8, without regard to case, `.` matching line ends too.

    Raises:
        ValueError: it is not valid, or would take more than 8 MiB.
    """
    return _compiled(pattern, fold=True)


@lru_cache(maxsize=64)
def _compiled(pattern: str, *, fold: bool = False) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _PATTERN_BYTES
    options.dot_nl = True
    options.case_sensitive = not fold
    try:
        return re2.compile(_encoded(pattern), options)
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(text) from None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _repaired(text: str) -> str:
    return _encoded(text).decode()


def network_test(network: str) -> StrTest:
    """Whether an address lies inside a CIDR network; IPv4 written as IPv6 (`::ffff:…`) counts as IPv4."""
    inside = ipaddress.ip_network(network, strict=False)
    if isinstance(inside, ipaddress.IPv6Network) and inside.prefixlen >= 96:
        mapped = inside.network_address.ipv4_mapped
        if mapped is not None:
            inside = ipaddress.ip_network(f"{mapped}/{inside.prefixlen - 96}")

    def test(value: str) -> bool:
        address = parse_address(value)
        return address is not None and address.version == inside.version and address in inside

    return test


@lru_cache(maxsize=4096)
def parse_address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address as records write it, also `[IPv6:…]`; None for anything else."""
    text = value.strip().strip("[]")
    if text[:5].casefold() == "ipv6:":
        text = text[5:]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None) or address
