"""What a provider tells the receiver checks (:mod:`voice_emulator.verify`): which field is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from voice_emulator.core.values import plain_value


@plain_value
class LateNews:
    """A push about a call in progress, which may arrive after the push about its end.

    ``operation`` places such calls, with ``fields`` added to its example request. ``last`` and ``late``
    are receipt kinds; ``identity`` is the field that both have.
    """

    operation: str
    last: str
    late: str
    identity: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@plain_value
class Grading:
    """One provider's receipts as the checks see them.

    * ``operation`` places the reported calls; ``others`` are operations with different receipts.
    * ``identity``: the field by which a receiver knows the call.
    * ``cause``: a field, and a value for it that is in no table.
    * ``words``: fields with text beyond ASCII.
    * ``customer``: fields of ``customer_operation`` that receipts repeat, with characters that need escaping.
    * ``empty``: a required field that is sent empty.
    * ``encodings``: other documented encodings, with the page that documents each.
    * ``older``: settings that select an older documented body.
    * ``signed``: whether receipts can be signed, with the credential ``key``. ``nonce`` and ``signature``
      are the fields of the signature.
    * ``news``: pushes about calls in progress.
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
    signed: bool = False
    key: str = ""
    nonce: str = ""
    signature: str = ""
    news: LateNews | None = None
