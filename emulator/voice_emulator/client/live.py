"""Parts of a tenant as mappings: credentials to read, callback URLs and settings to read and change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NoReturn

from voice_emulator.client.errors import ClientError

__tracebackhide__ = True


class Attributes(dict[str, Any]):
    """A mapping whose keys are attributes as well, all the way down. Read only: it is a copy."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(
            (name, Attributes(value) if isinstance(value, Mapping) else value)
            for name, value in values.items()
        )

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {name!r} here; there are {', '.join(map(repr, self))}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this is a copy: change the tenant with voice_emulator.change(credentials=...)")

    __setattr__ = __setitem__ = __delattr__ = __delitem__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse


class Live(MutableMapping[str, Any]):
    """A part of a tenant, read from the emulator each time it is asked; an assignment is a PATCH.

    Nested mappings come back as their own Live part. Deleting a key takes back what was set here.
    """

    def __init__(
        self, read: Callable[[], Mapping[str, Any]], change: Callable[[Mapping[str, Any]], object], name: str
    ) -> None:
        """``read`` gets the present values, ``change`` sends a merge patch, ``name`` is for messages."""
        self._read = read
        self._change = change
        self._name = name

    def __getitem__(self, key: str) -> Any:
        value = self._read()[key]
        return self._part(key) if isinstance(value, Mapping) else value

    def _part(self, key: str) -> Live:
        def read() -> Mapping[str, Any]:
            found = self._read()[key]
            if not isinstance(found, Mapping):
                raise ClientError(f"{self._name}[{key!r}] is not a mapping any more")
            return found

        return Live(read, lambda values: self._change({key: values}), f"{self._name}[{key!r}]")

    def __setitem__(self, key: str, value: Any) -> None:
        # A receiver's address is often a URL object (yarl, httpx): its text is meant.
        plain = value if value is None or isinstance(value, str | int | float | bool | list | dict) else None
        if plain is None and value is not None:
            plain = dict(value) if isinstance(value, Mapping) else str(value)
        self._change({key: plain})

    def __delitem__(self, key: str) -> None:
        if key not in self._read():
            raise KeyError(key)
        self._change({key: None})

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return f"<{self._name}: {dict(self._read())!r}>"
