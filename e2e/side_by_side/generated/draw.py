"""Dice that fall the same way for the same seed, on every machine and version of Python."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A sequence of draws that its seed alone decides."""

    def __init__(self, seed: str):
        self._seed = seed
        self._count = 0

    def below(self, end: int) -> int:
        self._count += 1
        digest = hashlib.blake2b(f"{self._seed}/{self._count}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % end

    def chance(self, percent: float) -> bool:
        return self.below(100_000) < percent * 1000

    def one(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def weighted(self, weights: dict[T, int]) -> T:
        at = self.below(sum(weights.values()))
        for value, weight in weights.items():
            at -= weight
            if at < 0:
                return value
        raise AssertionError("weights add up")

    def some(self, options: dict[str, tuple[float, Sequence[object]]]) -> dict:
        """Of members with their chance in percent and their values: those that are there this time."""
        return {name: self.one(values) for name, (percent, values) in options.items() if self.chance(percent)}

    def word(self, length: int) -> str:
        return "".join(self.one("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))
