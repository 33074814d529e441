"""The tables of a provider: operations, receipts, routes and error codes, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from voice_emulator.core.accounts import ISSUED, Key
from voice_emulator.providers.provider import ErrorCode, ReceiptKind, Route
from voice_emulator.providers.request import Operation, Reply, Request


def operations(provider: str, *each: Operation) -> Mapping[str, Operation]:
    """Operations by name. Schemas default to ``<provider>/<name>.request`` and ``<provider>/<name>.reply``."""
    return {
        one.name: replace(
            one,
            request=one.request or f"{provider}/{one.name}.request",
            reply=one.reply or f"{provider}/{one.name}.reply",
        )
        for one in each
    }


def receipts(provider: str, *each: ReceiptKind) -> Mapping[str, ReceiptKind]:
    """Receipts by name. Defaults: schema ``<provider>/<name>.receipt``, URL key ``<provider>``."""
    return {
        one.name: replace(
            one,
            schema=one.schema or f"{provider}/{one.name}.receipt",
            url_key=one.url_key or provider,
        )
        for one in each
    }


def route(path: str, operation: str, claims: Callable[[Request], bool] | None = None) -> Route:
    """A path that serves one operation by POST; ``claims`` as in :class:`Route`."""
    return Route(path, select=lambda request: operation, operations=(operation,), claims=claims)


def download(path: str, serve: Callable[[Request], Reply], *spaces: str, methods: str = "GET") -> Route:
    """A path, or a prefix that ends in ``/``, under which ``serve`` hands out files, by GET as a rule.

    What follows the prefix, with or without its extension, is an id that was issued in one of ``spaces``.
    """

    def identify(request: Request) -> Iterator[Key]:
        name = request.path.removeprefix(path)
        for space in spaces:
            for value in dict.fromkeys((name, name.partition(".")[0])):
                yield ISSUED, space, value

    return Route(path, serve=serve, methods=frozenset(methods.split()), identify=identify)


def errors(operations: str | Iterable[str], *each: ErrorCode) -> Iterator[ErrorCode]:
    """The codes of one operation, or of those that share them."""
    where = frozenset({operations} if isinstance(operations, str) else operations)
    return (replace(one, operations=where) for one in each)
