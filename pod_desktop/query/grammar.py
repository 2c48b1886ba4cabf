"""Query text -> tree. The grammar, by falling strength: `( )`, `field:`; NOT, `-`, `!`, `+`; AND; OR.

Terms side by side are ANDed: this is a filter, and who types one word more wants fewer records (Lucene's own
default is OR). `+` therefore changes nothing. Every call has a parser of its own, so threads do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from pod_desktop.core.limits import QUERY_CHARS, QUERY_DEPTH, QUERY_REGEXES, QUERY_TERMS
from pod_desktop.query.fault import QueryFault, fault, nearest, quoted
from pod_desktop.query.fields import ALIASES, EXISTS, RAW, resolve, suggestions
from pod_desktop.query.lexer import Kind, Token, tokens
from pod_desktop.query.ranges import compare_node, range_node
from pod_desktop.query.tree import ANY, Equals, Everything, Exists, Like, Node, Not, Or, Regex, Term
from pod_desktop.query.values import Now, either, every, free_text, value_node

_VALUES: Final = {Kind.WORD, Kind.PHRASE, Kind.REGEX}
_ENDS: Final = {Kind.OR, Kind.CLOSE}


def parse(text: str, now: int, zone: tzinfo = UTC) -> Node:
    """The tree of a query.

    Args:
        text: as typed; blank means everything.
        now: microseconds UTC that `now` stands for.
        zone: of times written without an offset.

    Raises:
        QueryFault: it cannot be understood; with the place and, where there is one, the nearest that can.
    """
    if len(text) > QUERY_CHARS:
        raise fault(
            QUERY_CHARS, len(text), f"The query is longer than {QUERY_CHARS} characters.", "Shorten it."
        )
    if any("\ud800" <= char <= "\udfff" for char in text):
        at = next(place for place, char in enumerate(text) if "\ud800" <= char <= "\udfff")
        raise fault(at, at + 1, "Half a character stands here.", "Delete it and type it again.")
    return _Parser(tokens(text), len(text), Now(now, zone)).run()


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a bare value belongs to."""

    names: tuple[str, ...] = ()
    """Fields of the tree; none: free text."""
    exists: bool = False
    typed: str = ""


_FREE: Final = _Scope()


@dataclass(slots=True)
class _Parser:
    found: list[Token]
    length: int
    now: Now
    at: int = 0
    opened: list[Token] = field(default_factory=list)
    terms: set[Node] = field(default_factory=set)
    regexes: set[Node] = field(default_factory=set)

    def run(self) -> Node:
        if not self.found:
            return Everything()
        node = self._or(_FREE, 0)
        if extra := self._peek():
            raise self._unexpected(extra)
        return node

    def _peek(self) -> Token | None:
        """The next token; what the lexer found wrong with it is raised here."""
        if self.at >= len(self.found):
            return None
        token = self.found[self.at]
        if token.problem:
            raise fault(token.start, token.end, token.problem, token.hint)
        return token

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise fault(self.length, self.length, "The query ends too early.")
        self.at += 1
        return token

    def _unexpected(self, token: Token) -> QueryFault:
        if token.kind is Kind.CLOSE:
            hint = r"Delete it, or write \) to look for it."
            return fault(token.start, token.end, "This parenthesis was never opened.", hint)
        if token.kind in {Kind.AND, Kind.OR}:
            hint = "Write a term on both sides, or put the word in quotes to look for it."
            return fault(token.start, token.end, f"{quoted(token.text)} has nothing before it.", hint)
        return fault(
            token.start, token.end, f"{quoted(token.text)} cannot stand here.", 'Put it in quotes: "…".'
        )

    # ---- operators

    def _or(self, scope: _Scope, depth: int) -> Node:
        parts = [self._and(scope, depth)]
        while (token := self._peek()) and token.kind is Kind.OR:
            self.at += 1
            self._need_term(token)
            parts.append(self._and(scope, depth))
        if any(isinstance(part, Everything) for part in parts):
            return Everything()
        return either(parts)

    def _and(self, scope: _Scope, depth: int) -> Node:
        parts = [self._unary(scope, depth)]
        while (token := self._peek()) and token.kind not in _ENDS:
            if token.kind is Kind.AND:
                self.at += 1
                self._need_term(token)
                parts.append(self._unary(scope, depth))
                continue
            part = self._unary(scope, depth)
            self._refuse_two_values(scope, parts[-1], part, token)
            parts.append(part)
        kept = [part for part in parts if not isinstance(part, Everything)]
        return every(kept) if kept else Everything()

    def _need_term(self, operator: Token) -> None:
        following = self._peek()
        if following is None or following.kind in {Kind.AND, Kind.OR, Kind.CLOSE}:
            hint = "Write a term on both sides, or put the word in quotes to look for it."
            raise fault(operator.start, operator.end, f"{quoted(operator.text)} has nothing behind it.", hint)

    def _refuse_two_values(self, scope: _Scope, left: Node, right: Node, token: Token) -> None:
        """`type:(message maillog)` would ask for records that are both: say so instead of finding none."""
        if scope.names and _is_whole_value(left) and _is_whole_value(right):
            hint = f"Write {scope.typed}:(a OR b) for any of them, (a AND b) for all."
            raise fault(token.start, token.end, "OR is missing between two values.", hint)

    def _unary(self, scope: _Scope, depth: int) -> Node:
        token = self._peek()
        if token is None or token.kind not in {Kind.NOT, Kind.MINUS, Kind.PLUS}:
            return self._primary(scope, depth)
        self.at += 1
        self._check_depth(token, depth)
        following = self._peek()
        if following is None or following.kind in {Kind.AND, Kind.OR, Kind.CLOSE}:
            raise fault(
                token.start,
                token.end,
                f"{quoted(token.text)} has nothing behind it.",
                "Write a term behind it.",
            )
        part = self._unary(scope, depth + 1)
        return part if token.kind is Kind.PLUS else Not(part)

    def _check_depth(self, token: Token, depth: int) -> None:
        if depth >= QUERY_DEPTH:
            raise fault(
                token.start, token.end, f"More than {QUERY_DEPTH} levels.", "Take some parentheses away."
            )

    # ---- terms

    def _primary(self, scope: _Scope, depth: int) -> Node:
        token = self._next()
        match token.kind:
            case Kind.OPEN:
                return self._group(token, scope, depth)
            case Kind.FIELD:
                return self._field(token, depth)
            case Kind.COMPARE | Kind.RANGE_OPEN if scope.names:
                return self._counted(token, self._ranged(token, scope))
            case Kind.WORD | Kind.PHRASE | Kind.REGEX:
                return self._counted(token, self._value(token, scope))
            case _:
                raise self._unexpected(token)

    def _group(self, opening: Token, scope: _Scope, depth: int) -> Node:
        self._check_depth(opening, depth)
        following = self._peek()
        if following and following.kind is Kind.CLOSE:
            raise fault(
                opening.start,
                following.end,
                "There is nothing in these parentheses.",
                "Write a term in them.",
            )
        if following is None:
            raise fault(opening.start, opening.end, "This parenthesis is never closed.", "Add ) at the end.")
        node = self._or(scope, depth + 1)
        closing = self._peek()
        if closing is None:
            raise fault(opening.start, opening.end, "This parenthesis is never closed.", "Add ) at the end.")
        if closing.kind is not Kind.CLOSE:
            raise self._unexpected(closing)
        self.at += 1
        return node

    def _field(self, name: Token, depth: int) -> Node:
        scope = self._scope(name)
        following = self._peek()
        if following is None or following.kind not in {*_VALUES, Kind.OPEN, Kind.COMPARE, Kind.RANGE_OPEN}:
            hint = "Write a value behind the colon, or * for any."
            raise fault(name.start, name.end, f"{quoted(name.text)} has no value.", hint)
        if name.text == "*" and following.pieces == (ANY,):
            self.at += 1
            return Everything()
        if following.kind is Kind.OPEN:
            self.at += 1
            return self._group(following, scope, depth)
        self.at += 1
        if following.kind in _VALUES:
            return self._counted(following, self._value(following, scope))
        return self._counted(following, self._ranged(following, scope))

    def _counted(self, token: Token, node: Node) -> Node:
        """The node, unless it is one more than a search can take on. The same term again costs nothing."""
        for part in node.parts if isinstance(node, Or) else (node,):
            if isinstance(part, Term) and isinstance(part.test, Equals):
                continue
            is_regex = isinstance(part, Term) and isinstance(part.test, Regex)
            (self.regexes if is_regex else self.terms).add(part)
        if len(self.regexes) > QUERY_REGEXES:
            hint = "Join some of them into one: /(one|two)/."
            what = f"More than {QUERY_REGEXES} regular expressions."
            raise fault(token.start, token.end, what, hint)
        if len(self.terms) > QUERY_TERMS:
            hint = "Ask in several searches. Whole values, as in sender:(a OR b), may be more."
            raise fault(token.start, token.end, f"More than {QUERY_TERMS:,} different terms.", hint)
        return node

    def _scope(self, name: Token) -> _Scope:
        if name.text == "*":
            return _FREE
        if name.text.casefold() == EXISTS:
            return _Scope(names=(EXISTS,), exists=True, typed=EXISTS)
        return _Scope(names=_resolved(name, name.text), typed=name.text)

    def _value(self, token: Token, scope: _Scope) -> Node:
        if not scope.names:
            return self._bare(token)
        if not scope.exists:
            return either(value_node(name, token, self.now) for name in scope.names)
        if token.kind is Kind.REGEX or len(token.pieces) != 1 or not isinstance(token.pieces[0], str):
            raise fault(token.start, token.end, "This is no field's name.", f"Write {EXISTS}:subject.")
        return either(Term(name, Exists()) for name in _resolved(token, token.pieces[0]))

    def _bare(self, token: Token) -> Node:
        if token.kind is Kind.REGEX:
            hint = f"Write for example subject:/{token.text[:40]}/"
            raise fault(token.start, token.end, "A regular expression needs a field.", hint)
        if token.pieces == (ANY,):
            return Everything()
        if token.kind is Kind.PHRASE and not token.text.strip():
            raise fault(
                token.start,
                token.end,
                "There is nothing between these quotation marks.",
                "Write words in them.",
            )
        return free_text(token)

    def _ranged(self, token: Token, scope: _Scope) -> Node:
        if scope.exists:
            raise fault(token.start, token.end, "This is no field's name.", f"Write {EXISTS}:subject.")
        if token.kind is Kind.COMPARE:
            value = self._bound(token)
            return either(compare_node(name, token, value, self.now) for name in scope.names)
        return self._range(token, scope)

    def _bound(self, before: Token) -> Token:
        following = self._peek()
        if following is None or following.kind not in {Kind.WORD, Kind.PHRASE}:
            raise fault(
                before.start, before.end, f"{quoted(before.text)} has no value behind it.", "Write one: >=40."
            )
        self.at += 1
        return following

    def _range(self, opening: Token, scope: _Scope) -> Node:
        what, hint = (
            "A range looks like [low TO high].",
            "{ } leave the ends out; put a value with brackets in quotes.",
        )
        parts: list[Token] = []
        for kinds in ({Kind.WORD, Kind.PHRASE}, {Kind.TO}, {Kind.WORD, Kind.PHRASE}, {Kind.RANGE_CLOSE}):
            following = self._peek()
            if following is None or following.kind not in kinds:
                raise fault(opening.start, following.end if following else self.length, what, hint)
            parts.append(following)
            self.at += 1
        low, _, high, closing = parts
        included = (opening.text == "[", closing.text == "]")
        whole = Token(kind=Kind.RANGE_OPEN, start=opening.start, end=closing.end, text="")
        return either(range_node(name, low, high, included, whole, self.now) for name in scope.names)


def _is_whole_value(node: Node) -> bool:
    return isinstance(node, Term) and isinstance(node.test, Equals | Like)


def _resolved(token: Token, name: str) -> tuple[str, ...]:
    names = resolve(name)
    if names:
        return names
    end = token.end - 1 if token.kind is Kind.FIELD else token.end
    near = nearest(name, suggestions())
    if near:
        hint = f"Did you mean {near}?"
        if len(ALIASES.get(near, ())) == 1:
            hint = f"Did you mean {ALIASES[near][0]}?"
    elif "." in name:
        hint = f"Write {RAW}{name} for a path of the raw record."
    else:
        hint = f"A path of the raw record has a dot ({RAW}{name[:40]}); text with a colon goes in quotes."
    raise fault(token.start, end, f"There is no field {quoted(name)}.", hint)
