"""Query text -> tokens. Takes anything: what is wrong with a piece is noted on its token, for the parser to
raise, the colours to show and the completion to live with while somebody is typing.

Own code, not luqum's: its lexer ends values at a colon and takes `/`, `<`, `+` and `-` as operators inside a
value, so that IPv6 addresses, URLs, times with an offset and `<message-id>` fail or, worse, are misread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from pod_desktop.query.fault import is_invisible, quoted
from pod_desktop.query.fields import ALIASES, EXISTS, FIELDS
from pod_desktop.query.tree import ANY, ONE, Mark


class Kind(Enum):
    AND = auto()
    OR = auto()
    NOT = auto()
    MINUS = auto()
    """`-` or `!` right before a term."""
    PLUS = auto()
    OPEN = auto()
    CLOSE = auto()
    FIELD = auto()
    """A name with its colon."""
    COMPARE = auto()
    RANGE_OPEN = auto()
    RANGE_CLOSE = auto()
    TO = auto()
    WORD = auto()
    PHRASE = auto()
    REGEX = auto()
    ODD = auto()
    """What can stand nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kind: Kind
    start: int
    end: int
    text: str
    """As typed; of a FIELD the name without escapes and colon, of a PHRASE or REGEX what is inside."""
    pieces: tuple[str | Mark, ...] = ()
    """Of a WORD or PHRASE: its meaning, literal text and wildcards."""
    problem: str = ""
    hint: str = ""
    glued: bool = False
    """It follows the colon or comparison before it without a blank."""


KEYWORDS: Final = {
    "and": Kind.AND,
    "or": Kind.OR,
    "not": Kind.NOT,
    "&&": Kind.AND,
    "||": Kind.OR,
}
_BLANKS: Final = re.compile(r"\s+")
_BARE: Final = re.compile(r'(?:[^\s:()"\\]|\\.)*\\?', re.DOTALL)
"""A word outside a value; ends before a colon."""
_VALUE: Final = re.compile(r'(?:[^\s()"\\]|\\.)*\\?', re.DOTALL)
"""A word as a value; holds colons."""
_BOUND: Final = re.compile(r'(?:[^\s()"\\\]}]|\\.)*\\?', re.DOTALL)
"""A word inside a range; ends before its bracket."""
_PHRASE: Final = re.compile(r'"((?:[^"\\]|\\.)*)(\\?"?)', re.DOTALL)
_REGEX: Final = re.compile(r"/((?:[^/\\]|\\.)*)(\\?/?)i?", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_WEIGHT: Final = re.compile(r"[~^][0-9.]*$")
_COMPARED: Final = re.compile(r"([^<>=]+)([<>]=?|=)(.*)", re.DOTALL)
_CURLY_QUOTES: Final = "“”„«»"


def tokens(text: str) -> list[Token]:
    """All tokens of a query, in order; never raises. Linear in the length of the text."""
    return _Lexer(text).run()


@dataclass(slots=True)
class _Lexer:
    text: str
    at: int = 0
    found: list[Token] = field(default_factory=list)
    groups: list[bool] = field(default_factory=list)
    """For each open parenthesis: does it hold the values of a field?"""
    in_range: bool = False

    def run(self) -> list[Token]:
        while True:
            blanks = _BLANKS.match(self.text, self.at)
            if blanks:
                self.at = blanks.end()
            if self.at >= len(self.text):
                return self.found
            self.found.append(self._token(glued=not blanks))
            self.at = self.found[-1].end

    def _token(self, *, glued: bool) -> Token:
        char = self.text[self.at]
        before = self.found[-1].kind if self.found else None
        value = before in {Kind.FIELD, Kind.COMPARE}
        if char == '"':
            return self._phrase(glued)
        if self.in_range:
            return self._in_range(char, glued)
        if char in "()":
            return self._parenthesis(char, before)
        if char in "[{" and (before is Kind.FIELD or (self._in_group() and self._begins_term(glued))):
            self.in_range = True
            return self._simple(Kind.RANGE_OPEN, 1, glued)
        if char == "/" and (value or self._begins_term(glued)):
            return self._regex(glued)
        if char in "<>" and self._may_compare(before) and not self._is_bracketed():
            return self._simple(Kind.COMPARE, 2 if self.text.startswith("=", self.at + 1) else 1, glued)
        if value and glued:
            return self._word(_VALUE, glued)
        if char in "+-!" and not value and (sign := self._sign(char, glued)):
            return sign
        return self._bare(glued, value=value)

    def _simple(
        self, kind: Kind, length: int, glued: bool = False, problem: str = "", hint: str = ""
    ) -> Token:
        end = self.at + length
        return Token(
            kind=kind,
            start=self.at,
            end=end,
            text=self.text[self.at : end],
            glued=glued,
            problem=problem,
            hint=hint,
        )

    def _begins_term(self, glued: bool) -> bool:
        return not glued or not self.found or self.found[-1].kind in {Kind.OPEN, Kind.MINUS, Kind.PLUS}

    def _in_group(self) -> bool:
        return bool(self.groups) and self.groups[-1]

    def _may_compare(self, before: Kind | None) -> bool:
        return before is Kind.FIELD or (self._in_group() and before is not Kind.COMPARE)

    def _is_bracketed(self) -> bool:
        """`<user@host>`, as addresses and message ids are copied: a value, not a comparison."""
        word = _VALUE.match(self.text, self.at)
        return word is not None and word[0].startswith("<") and word[0].endswith(">")

    def _parenthesis(self, char: str, before: Kind | None) -> Token:
        if char == "(":
            self.groups.append(before is Kind.FIELD or self._in_group())
            return self._simple(Kind.OPEN, 1)
        if self.groups:
            self.groups.pop()
        return self._simple(Kind.CLOSE, 1)

    def _sign(self, char: str, glued: bool) -> Token | None:
        if not self._begins_term(glued):
            return None
        following = self.text[self.at + 1 : self.at + 2]
        if not following or following.isspace() or following == ")":
            return self._simple(
                Kind.ODD,
                1,
                problem=f"A lone {quoted(char)} means nothing.",
                hint=f'Write {char}word without a blank, or "{char}" to look for the character.',
            )
        return self._simple(Kind.PLUS if char == "+" else Kind.MINUS, 1)

    def _in_range(self, char: str, glued: bool) -> Token:
        if char in "]}":
            self.in_range = False
            return self._simple(Kind.RANGE_CLOSE, 1)
        word = _BOUND.match(self.text, self.at)
        if word is None or not word[0]:
            self.in_range = False
            return self._simple(
                Kind.ODD,
                1,
                problem=f"{quoted(char)} does not belong into a range.",
                hint="Write [low TO high].",
            )
        if word[0].casefold() == "to" and self.found[-1].kind in {Kind.WORD, Kind.PHRASE}:
            return self._simple(Kind.TO, 2)
        return self._word(_BOUND, glued)

    def _bare(self, glued: bool, *, value: bool) -> Token:
        word = _BARE.match(self.text, self.at)
        typed = word[0] if word else ""
        end = self.at + len(typed)
        if self.text[end : end + 1] == ":" and self._is_field(typed, value=value):
            name = "".join(piece for piece in pieces(typed, wildcards=False)[0] if isinstance(piece, str))
            problem = "" if name else "A field's name is missing before the colon."
            if any(is_invisible(char) for char in typed):
                problem = f"The name {quoted(typed)} holds an invisible character."
            return Token(kind=Kind.FIELD, start=self.at, end=end + 1, text=name, problem=problem)
        if kind := KEYWORDS.get(typed.casefold()):
            return self._simple(kind, len(typed), glued)
        return self._word(_VALUE if value or self._in_group() else _BARE, glued)

    def _is_field(self, typed: str, *, value: bool) -> bool:
        """Where a value may stand only known names are fields: `url:(https://a OR https://b)`."""
        name = typed.casefold()
        return not (value or self._in_group()) or name in FIELDS or name in ALIASES or name == EXISTS

    def _word(self, shape: re.Pattern[str], glued: bool) -> Token:
        word = shape.match(self.text, self.at)
        typed = word[0] if word and word[0] else self.text[self.at]
        end = self.at + len(typed)
        meaning, problem = pieces(typed, wildcards=True)
        hint = 'Put the value in quotes: "…".'
        if not problem and self.text[end : end + 1] == '"':
            problem = "A quotation mark stands in the middle of a word."
        if not problem and typed[0] in _CURLY_QUOTES:
            problem, hint = "This quotation mark is typographic.", 'Write the straight one: ".'
        if not problem and (weight := _WEIGHT.search(typed)) and not typed[: weight.start()].endswith("\\"):
            problem, hint = _weight_problem(weight[0][0]), "Leave it out, or put the value in quotes."
        if not problem and shape is _BARE:
            problem, hint = _misplaced(typed)
        return Token(
            kind=Kind.WORD,
            start=self.at,
            end=end,
            text=typed,
            pieces=meaning,
            problem=problem,
            hint=hint if problem else "",
            glued=glued,
        )

    def _phrase(self, glued: bool) -> Token:
        found = _PHRASE.match(self.text, self.at)
        inside, closing = (found[1], found[2]) if found else ("", "")
        end = found.end() if found else self.at + 1
        problem, hint = ("", "")
        if closing != '"':
            problem, hint = "The quotation mark is never closed.", 'Add " at the end.'
            inside += closing.removesuffix('"')
        elif follows := self._stuck(end):
            problem, hint = follows
        return Token(
            kind=Kind.PHRASE,
            start=self.at,
            end=end,
            text=inside,
            pieces=(unquote(inside),),
            problem=problem,
            hint=hint,
            glued=glued,
        )

    def _stuck(self, end: int) -> tuple[str, str] | None:
        """What is wrong where something follows a closing quote without a blank."""
        char = self.text[end : end + 1]
        if char in {"~", "^"}:
            return _weight_problem(char), "Leave it out."
        if not char or char.isspace() or char == ")" or (self.in_range and char in "]}"):
            return None
        if char == ":":
            return "A field's name needs no quotes.", r"Write a blank in a name as \ and the blank."
        return (
            "A blank is missing after the closing quotation mark.",
            r"Write a quotation mark in a phrase as \".",
        )

    def _regex(self, glued: bool) -> Token:
        found = _REGEX.match(self.text, self.at)
        end = found.end() if found else self.at + 1
        problem, hint = "", ""
        if not found or found[2] != "/":
            problem, hint = (
                "The regular expression is never closed.",
                'Add / at the end, or write "/…" for a path.',
            )
        elif self.text[end : end + 1] and not self.text[end].isspace() and self.text[end] != ")":
            word = _VALUE.match(self.text, self.at)
            problem = "Something follows the regular expression without a blank."
            hint = f'A value that begins with / needs quotes: "{word[0] if word else "/"}".'
            end = max(end, word.end()) if word else end
        return Token(
            kind=Kind.REGEX,
            start=self.at,
            end=end,
            text=found[1].replace("\\/", "/") if found else "",
            problem=problem,
            hint=hint,
            glued=glued,
        )


def _weight_problem(char: str) -> str:
    return f"Inexact matches and weights ({quoted(char)}) are not supported."


def _misplaced(typed: str) -> tuple[str, str]:
    """`score>40` would look for the word "score>40", `[a` for a bracket: nobody means that."""
    if typed[0] in "[{" and typed[-1] not in "]}":
        return "A range needs a field.", 'Write field:[low TO high], or put the words in quotes: "…".'
    found = _COMPARED.fullmatch(typed)
    if not found or (found[1].casefold() not in FIELDS and found[1].casefold() not in ALIASES):
        return "", ""
    sign = "" if found[2] == "=" else found[2]
    return "A colon is missing after the field's name.", f"Write {found[1]}:{sign}{found[3][:40]}"


def pieces(typed: str, *, wildcards: bool) -> tuple[tuple[str | Mark, ...], str]:
    r"""The meaning of a word as typed, and what is wrong with it or ''.

    `\` takes the special meaning from the character behind it; before a letter or digit it stands for itself
    (`DOMAIN\user`), but `\uXXXX` and `\u{X…}` are the character of that number.
    """
    result: list[str | Mark] = []
    literal: list[str] = []
    at, problem = 0, ""
    while at < len(typed):
        char = typed[at]
        if char == "\\":
            meant, at, wrong = _escaped(typed, at)
            problem = problem or wrong
            literal.append(meant)
            continue
        at += 1
        if wildcards and char in "*?":
            mark = ANY if char == "*" else ONE
            if literal:
                result.append("".join(literal))
                literal = []
            if not (mark is ANY and result and result[-1] is ANY):
                result.append(mark)
        else:
            literal.append(char)
    if literal:
        result.append("".join(literal))
    return tuple(result), problem


def unquote(inside: str) -> str:
    r"""The meaning of the inside of quotes: `\"`, `\\` and `\uXXXX` are escapes, any other backslash is itself."""
    if "\\" not in inside:
        return inside
    return _ESCAPE.sub(
        lambda found: _character(found) or (found[3] if found[3] in {'"', "\\"} else found[0]), inside
    )


def _escaped(typed: str, at: int) -> tuple[str, int, str]:
    found = _ESCAPE.match(typed, at)
    if found is None:
        return "\\", at + 1, "Nothing follows the backslash."
    meant = _character(found)
    if meant is None:
        meant = found[3] if found[3] and not found[3].isalnum() else found[0]
    return meant, found.end(), ""


def _character(found: re.Match[str]) -> str | None:
    """The character of a `\\u` escape; None where it is none."""
    number = found[1] or found[2]
    if number is None or int(number, 16) > 0x10FFFF:
        return None
    return chr(int(number, 16))
