"""What stands for a dict or a list without being one. The extension asks here when it meets a value that JSON does not know."""

from __future__ import annotations

import collections.abc
import dataclasses


def plain(value: object) -> object:
    """The same as a dict or a list; the value itself if it can't be told."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, collections.abc.Sequence)) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    dump = getattr(value, "model_dump", None)  # of pydantic
    return dump() if callable(dump) else value
