"""What the receiver checks (:mod:`voice_emulator.verify`) are told about a provider: which field is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LateNews:
    """A push about a call that goes on, which may arrive after the one about its end.

    ``operation`` places such calls (``fields`` stand over its example request), ``last`` and ``late``
    are receipt kinds, ``identity`` is the field both carry.
    """

    operation: str
    last: str
    late: str
    identity: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grading:
    """One provider's receipts as the checks see them.

    ``operation`` places the calls that are reported, ``others`` are further operations whose receipts
    look different. ``identity`` is the field by which a receiver knows the call. ``cause`` is a field
    with a value in no table, ``words`` are fields with text beyond ASCII, ``customer`` fields that echo
    what the customer sent with ``customer_operation``, with characters that need care: all of them what
    the real provider may send one day.
    ``empty`` is a required field that is sent empty. ``encodings`` are further documented ways of
    sending, with where they are documented. ``older`` are settings that select an older documented body.
    ``signed`` is whether receipts can be signed (with the credential ``key``).
    """

    operation: str
    identity: str
    cause: tuple[str, Any]
    words: Mapping[str, Any]
    customer: Mapping[str, str] = field(default_factory=dict)
    customer_operation: str = ""
    empty: str | None = None
    others: tuple[str, ...] = ()
    encodings: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[str, Any] = field(default_factory=dict)
    older_source: str = ""
    signed: bool = False
    key: str = ""
    nonce: str = ""
    signature: str = ""
    news: LateNews | None = None
