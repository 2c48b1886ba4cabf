"""Reading what can be read: JSON values of any shape into the typed structs of the fast path.

Where the value has the type that the struct declares, fit() gives what the typed decode gives; elsewhere it
takes what is meant (a number written as text, one text where a list is usual) or leaves the member out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)
Fitter = Callable[[Any], Any]
_INT64 = 2**63


def fit(shape: type[Record], value: object) -> Record:
    """A struct of this type with all that the value has for it; never raises on JSON values."""
    fitters = _fitters(shape)
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    if not isinstance(value, Mapping):
        if len(fitters) == 1 and isinstance(value, str | int | float):
            [(name, attribute, fitter)] = fitters
            return shape(**{attribute: fitter(value)})
        return shape()
    found = {}
    for name, attribute, fitter in fitters:
        member = value.get(name)
        if member is not None:
            found[attribute] = fitter(member)
    return shape(**found)


def text_of(value: object) -> str:
    """A scalar as text, the first item of a list, '' for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return text_of(value[0]) if value else ""
    return ""


def texts_of(value: object) -> tuple[str, ...]:
    """The texts of a list, or of what stands where a list is usual."""
    if isinstance(value, list):
        if len(value) == 1 and type(value[0]) is str:
            return (value[0],)
        return tuple(text for item in value if (text := _text_in(item)) is not None)
    text = _text_in(value)
    return () if text is None else (text,)


def number_of(value: object) -> int | None:
    """A whole number of 64 bits, from a number or its digits; None for all else."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or not 0 < len(value) <= 24:
            return None
        try:
            value = float(value) if "." in value or "e" in value.lower() else int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -_INT64 <= value < _INT64:  # also what is no number at all
        return None
    return int(value)


def _text_in(item: object) -> str | None:
    if isinstance(item, dict):  # {"address": "a@b", …} where a plain address is usual
        members = [member for member in item.values() if isinstance(member, str)]
        return next((member for member in members if "@" in member), None)
    return None if item is None or isinstance(item, list) else text_of(item)


def _truth_of(value: object) -> bool:
    return text_of(value).casefold() in {"true", "1", "yes"}


@cache
def _fitters(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, Fitter], ...]:
    return tuple(
        (field.encode_name, field.name, _fitter(field.type)) for field in msgspec.structs.fields(shape)
    )


def _fitter(kind: Any) -> Fitter:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        [kind] = [argument for argument in arguments if argument is not NoneType]
        return _fitter(kind)
    if origin is tuple:
        item = arguments[0]
        return texts_of if item is str else _many(item)
    simple: dict[Any, Fitter] = {str: text_of, int: number_of, bool: _truth_of}
    if kind in simple:
        return simple[kind]
    if origin is dict:
        return lambda value: value if isinstance(value, dict) else {}
    return lambda value: fit(kind, value)


def _many(shape: type[msgspec.Struct]) -> Fitter:
    def several(value: object) -> tuple[msgspec.Struct, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(fit(shape, item) for item in items if item is not None)

    return several
