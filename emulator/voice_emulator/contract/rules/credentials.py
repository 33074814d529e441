"""Rules about credentials and tokens: how a client gets them, how long it uses them, when it stops."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from voice_emulator.contract.memory import Memory, Recent
from voice_emulator.core.accounts import Key
from voice_emulator.core.tokens import Standing
from voice_emulator.providers.contract import Contract, Hit, When, finding
from voice_emulator.providers.request import Operation
from voice_emulator.providers.rule_context import RuleContext

#: So many tokens in a row, each used only once while it was good, are a habit.
HABIT = 3


def _uses_token(contract: Contract, operation: Operation) -> bool:
    return operation.name in contract.uses_token


def _credentials(context: RuleContext) -> bytes:
    """A fingerprint of what the request identifies itself with; the secrets themselves are not kept."""
    request, operation = context.request, context.request.operation
    if operation is None or context.provider is None:
        return b""
    parts: list[object] = list(operation.identify(request))
    parts += [request.fields.get(name) for name in sorted(context.provider.secrets)]
    parts.append(request.headers.get("authorization", ""))
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@finding("refused-credentials-reused", "error", When.REFUSED, occasional=True)
def refused_credentials_reused(context: RuleContext) -> Iterator[str]:
    """Credentials or a token were used again after the provider had refused them.

    The provider said that the key, secret or token is wrong. Sending the same again cannot succeed; a
    client that does so hides the cause from its operator, and real platforms lock accounts and addresses
    that keep trying. Requests that were already under way when the refusal came do not count, and neither
    does a refusal that a rule of the scenario made or kept from the client: right credentials may be sent again then.

    How to fix it: after such a refusal get a new token, or stop and raise an alarm; never repeat the
    request as it was.
    """
    if context.seen.reply_rule is not None or context.why_lost:
        return
    if not context.refused_for(context.contract.refusals):
        return
    memory: Memory = context.memory
    refused: Recent[bytes, int] = memory.room("refused-credentials", Recent)
    mark = _credentials(context)
    told = refused.get(mark)
    memory.occasions["refused-credentials-reused", context.request.provider] += 1
    for key in context.tokens():
        if key not in memory.refused_tokens:
            memory.refused_tokens.put(key, context.tenant.journal.last_id)
            memory.occasions["refused-token-reused", context.request.provider] += 1
    if told is None:
        refused.put(mark, context.tenant.journal.last_id)
    elif context.seen.entry_id > told:
        yield f"refused before, and sent again unchanged ({_what(context)})"


@finding("refused-token-reused", "error", When.REMEMBERED, occasional=True)
def refused_token_reused(context: RuleContext) -> Iterator[str]:
    """A token was used again after the provider had called it expired or unknown.

    A scenario may expire a token early (`fault: token_expired`), as a provider does when it restarts or
    revokes it. From then on the client must not use the token, whatever lifetime its reply stated; a client
    that goes on with it fails at the real provider. A refusal that a rule's `reply` made does not count.

    How to fix it: throw a token away as soon as it is refused, and fetch another one.
    """
    memory: Memory = context.memory
    if context.request.operation is None or context.refused_for(context.contract.refusals):
        return  # refused again: refused-credentials-reused says so
    for key in context.tokens():
        told = memory.refused_tokens.get(key)
        if told is not None and context.seen.entry_id > told:
            memory.refused_tokens.forget(key)
            yield "the token was refused before and is used again"


@finding("expired-token-used", "warning", When.REFUSED, judges=_uses_token)
def expired_token_used(context: RuleContext) -> Iterator[Hit]:
    """A token was used after the end of its stated lifetime.

    The reply with a token says how long it lasts (`Expires`, `expireinterval`, 12 hours at Infin8linx). A
    client that ignores it pays for every expiry with a failed request, and loses the call if it does not
    handle that.

    How to fix it: store the lifetime with the token, and fetch a new one shortly before its end.
    """
    for key in context.tokens():
        standing = context.tenant.tokens.check(key[2], context.seen.at)
        if standing is not Standing.EXPIRED or not _first_time(context, "expired-token-used", key):
            continue
        token = context.tenant.tokens.get(key[2])
        if token is not None:
            late = (context.seen.at - token.expires_at) / 1e6
            life = token.lifetime / 1e6
            yield Hit(
                f"used {late:g} s after its end; it was issued for {life:g} s",
                source=context.contract.token_source or None,
            )


@finding(
    "revoked-token-used",
    "error",
    When.REFUSED,
    judges=lambda contract, operation: operation.name in contract.revokes_token,
)
def revoked_token_used(context: RuleContext) -> Iterator[Hit]:
    """A token was used after the client itself had logged out.

    A logout ends the token at once. Usually another thread or process still holds it.

    How to fix it: share one token per account among all workers, and forget it before logging out.
    """
    for key in context.tokens():
        revoked = context.tenant.tokens.check(key[2], context.seen.at) is Standing.REVOKED
        if revoked and _first_time(context, "revoked-token-used", key):
            yield Hit("a logout had ended the token", source=context.contract.token_source or None)


def _first_time(context: RuleContext, rule: str, key: Key) -> bool:
    """Whether this rule has not reported this token yet: one finding per token is enough."""
    memory: Memory = context.memory
    told: Recent[Key, bool] = memory.room(rule, Recent)
    if key in told:
        return False
    told.put(key, True)
    return True


class _Habit:
    """Tokens fetched in a row that were hardly used."""

    __slots__ = ("expires_at", "fetched", "requests")

    def __init__(self) -> None:
        self.fetched = 0
        self.requests = 0
        self.expires_at = 0


@finding("token-per-call", "warning", When.ARRIVED, judges=lambda contract, operation: operation.issues_token)
def token_per_call(context: RuleContext) -> Iterator[Hit]:
    """A new token was fetched for every call.

    Tokens last minutes to hours and serve any number of requests. Fetching one per call doubles the
    traffic and the delay of every call, and is the first thing a provider throttles.

    The finding comes when three tokens are fetched in a row, each while the one before was still good and
    had been used once. Several workers that each fetch a token when they start are fine.

    How to fix it: keep the token until shortly before its end and share it among all workers.
    """
    reply, provider, operation = context.seen.reply, context.provider, context.request.operation
    if reply is None or reply.refused or provider is None or operation is None or not operation.issues_token:
        return
    memory: Memory = context.memory
    keys = list(operation.identify(context.request))
    holder = keys[0] if keys else ("", "", "")
    habits: Recent[Key, _Habit] = memory.room("token-per-call", Recent)
    habit = habits.get(holder) or _Habit()
    used = sum(
        count
        for (name, op), count in context.tenant.totals.requests.items()
        if name == provider.id and op in context.contract.uses_token
    )
    between = used - habit.requests
    if habit.fetched and between == 1 and context.seen.at < habit.expires_at:
        habit.fetched += 1
    elif between or not habit.fetched:
        habit.fetched = 1
    habit.requests = used
    issued = context.tenant.tokens.newest()
    habit.expires_at = issued.expires_at if issued is not None else 0
    habits.put(holder, habit)
    if habit.fetched == HABIT:
        yield Hit(
            f"{HABIT} tokens in a row, each while the one before was good and had been used once",
            source=context.contract.token_source or None,
        )


def _what(context: RuleContext) -> str:
    names = (
        [name for name in sorted(context.provider.secrets) if context.request.fields.get(name)]
        if context.provider
        else []
    )
    if context.request.headers.get("authorization"):
        names.append("Authorization")
    return ", ".join(names) or "credentials"


RULES = (
    refused_credentials_reused, refused_token_reused, expired_token_used, revoked_token_used, token_per_call,
)  # fmt: skip
