"""Repeatable chance: seeds made from parts, and weighted tables that are quick to draw from."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


def seed_of(*parts: int | str) -> int:
    """A 64-bit seed of the parts: equal parts give equal seeds, on every machine and in every process."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


class Weighted(Generic[T]):
    """A table to draw from, each value with its weight."""

    __slots__ = ("_sums", "values")

    def __init__(self, values: Iterable[T], weights: Iterable[float]) -> None:
        self.values: tuple[T, ...] = tuple(values)
        self._sums = list(accumulate(weights))

    def draw(self, rng: Random) -> T:
        return self.values[bisect(self._sums, rng.random() * self._sums[-1])]


def weighted(table: Mapping[T, float]) -> Weighted[T]:
    return Weighted(table.keys(), table.values())


def zipf(values: Sequence[T], exponent: float = 1.0) -> Weighted[T]:
    """The first value most often, the n-th about 1/n as often: how senders and recipients really are."""
    return Weighted(values, [1 / (rank**exponent) for rank in range(1, len(values) + 1)])


def count(rng: Random, mean: float) -> int:
    """A whole number with this mean: the part after the point is a chance of one more."""
    return int(mean + rng.random())


BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def hex_of(rng: Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"
