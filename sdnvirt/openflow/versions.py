"""What there is for each version of OpenFlow, imported when it is first spoken.

Few networks speak OpenFlow 1.0, whose messages take 60 ms to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

_T = TypeVar("_T")


class ByVersion(Mapping[int, _T]):
    """Something for each wire version.

    Args:
        loaders: for each wire version what imports and returns it.
    """

    def __init__(self, loaders: Mapping[int, Callable[[], _T]]) -> None:
        self._loaders = loaders
        self._loaded: dict[int, _T] = {}

    def __getitem__(self, version: int) -> _T:
        if version not in self._loaded:
            self._loaded[version] = self._loaders[version]()
        return self._loaded[version]

    def __contains__(self, version: object) -> bool:
        return version in self._loaders  # which Mapping would find out by loading

    def __iter__(self) -> Iterator[int]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)
