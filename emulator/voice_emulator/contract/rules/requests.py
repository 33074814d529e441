"""Rules about single requests as they are on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from voice_emulator.core.words import counted
from voice_emulator.providers.contract import Hit, When, finding
from voice_emulator.providers.request import Problem
from voice_emulator.providers.rule_context import RuleContext

#: Bytes that a form may hold as they are: everything a URI may hold. All others must be percent-encoded.
FORM_BYTES = bytes(byte for byte in range(0x21, 0x7F) if chr(byte) not in '"<>\\^`{|}')
#: A percent sign without two hexadecimal digits after it.
HALF_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
#: A field whose value is a number with a plus sign in front.
_PLUS_NUMBER = re.compile(rb"(?:^|&)([^=&]*)=\+[0-9]{5}")
#: Codes of problems that the gateway itself finds, before any provider's code looks at a request.
_ENCODING = frozenset({"malformed", "encoding", "method", "unknown-path", "no-operation"})


def _listed(problems: Sequence[Problem], limit: int = 5) -> str:
    shown = [
        f"{problem.place}: {problem.message}" if problem.place else problem.message for problem in problems
    ]
    more = f"; and {len(shown) - limit} more" if len(shown) > limit else ""
    return "; ".join(shown[:limit]) + more


@finding("schema-violation", "error", When.REFUSED)
def schema_violation(context: RuleContext) -> Iterator[str]:
    """A request broke the schema of its operation.

    A required field is missing or empty, or a value has the wrong type, is too long or is not allowed. The
    finding lists every field that is wrong, not only the one that the provider's reply names.

    How to fix it: compare the request in the journal with the operation's page, or with the schema
    that `voice-emulator openapi PROVIDER` prints.
    """
    hides = context.seen.masker.is_secret
    wrong = [
        Problem("", f"does not satisfy {each.keyword}" if hides(each.field) else each.message, each.pointer)
        for each in context.violations
    ]
    if wrong:
        yield _listed(wrong)


@finding("body-undecodable", "error", When.REFUSED)
def body_undecodable(context: RuleContext) -> Iterator[str]:
    """The body of a request could not be read at all.

    It is neither JSON nor a form, is not UTF-8, holds half of a surrogate pair, or is nested too deeply.

    How to fix it: let a library write the body, and send it with the matching Content-Type.
    """
    if context.request.faulty:
        yield _listed(context.request.faulty)


@finding("wrong-body-encoding", "error", When.REFUSED)
def wrong_body_encoding(context: RuleContext) -> Iterator[str]:
    """The body was in an encoding that the operation does not read.

    For instance JSON where the page asks for a form, or a form where it asks for JSON.

    How to fix it: send the Content-Type that the operation's page names, and a body that matches it.
    """
    for problem in context.seen.problems:
        if problem.code == "encoding":
            yield problem.message


@finding("wrong-method", "error", When.REFUSED)
def wrong_method(context: RuleContext) -> Iterator[str]:
    """The request used an HTTP method that the operation does not have.

    All three providers document POST for every operation.

    How to fix it: use POST.
    """
    for problem in context.seen.problems:
        if problem.code == "method":
            yield problem.message


@finding("unknown-path", "error", When.REFUSED, source="the base URLs and paths of the providers' pages")
def unknown_path(context: RuleContext) -> Iterator[str]:
    """The request went to a path, or named a service, that no provider has.

    The reply carries the header `Emulator-Error`; a real provider would answer with some error page.

    How to fix it: compare the path with the provider's page; often the client adds a part of the path that
    the base URL already has.
    """
    if context.request.operation is None:
        wrong = [each for each in context.seen.problems if each.code != "malformed"]
        yield _listed(wrong) or f"no operation at {context.request.path}"


@finding("parameter-refused", "warning", When.REFUSED)
def parameter_refused(context: RuleContext) -> Iterator[str]:
    """The provider refused a value of a well-formed request.

    An invalid number, a file that was never uploaded, a schedule in the past: the schema cannot see it, but the
    operation's own checks do. It is a warning, since a test may do it on purpose.

    How to fix it: look up the code of the reply with `voice-emulator errors PROVIDER`.
    """
    contract = context.contract
    if context.request.faulty or context.violations:
        return
    limit = contract.batches.get(context.operation)
    if limit is not None and len(context.request.numbers) > limit[0]:
        return
    others = contract.refusals | contract.limited | contract.temporary | _ENCODING
    wrong = [each for each in context.seen.problems if each.place.startswith("/") and each.code not in others]
    if wrong and not context.refused_for(contract.refusals):
        yield _listed(wrong)


@finding(
    "batch-too-large",
    "error",
    When.REFUSED,
    judges=lambda contract, operation: operation.name in contract.batches,
)
def batch_too_large(context: RuleContext) -> Iterator[Hit]:
    """One submission had more numbers than the provider accepts at once.

    Infin8linx documents at most 5,000 numbers per submission. It refuses a longer list as a whole.

    How to fix it: submit in batches of at most that many numbers.
    """
    limit = context.contract.batches.get(context.operation)
    if limit is not None and len(context.request.numbers) > limit[0]:
        count = len(context.request.numbers)
        yield Hit(f"{count:,} numbers in one submission; the limit is {limit[0]:,}", source=limit[1])


@finding(
    "secret-in-url", "error", When.QUERY, source="HTTP Form Submission Method (NXCloud wiki); RFC 9110, 17.9"
)
def secret_in_url(context: RuleContext) -> Iterator[str]:
    """A secret was sent in the URL of a request.

    URLs end up in access logs of proxies and servers, in browser histories and in monitoring, where others can
    read a secret key, password or token. The providers document these fields as part of the body or of a header.

    How to fix it: move the field into the body of the POST.
    """
    provider = context.provider
    if provider is None:
        return
    secret = sorted(
        name for name in context.request.query if name in provider.secrets and context.request.query[name]
    )
    if secret:
        yield f"the query string holds {', '.join(secret)}"


@finding(
    "form-not-encoded",
    "error",
    When.FORM,
    judges=lambda contract, operation: "urlencoded" in operation.accepts,
    source="HTTP Form Submission Method (NXCloud wiki): values are URL-encoded in UTF-8",
)
def form_not_encoded(context: RuleContext) -> Iterator[str]:
    """A form was built without percent-encoding its values.

    It works for plain words and digits, and breaks on the first value with a blank, an ampersand, a plus
    sign or a letter beyond ASCII: the value is cut, or another value arrives.

    How to fix it: let a library encode the form (`urlencode`, `FormBody`, `URLSearchParams`), never
    join `name=value` by hand.
    """
    body = context.request.body
    raw = body.translate(None, FORM_BYTES)
    if raw:
        first = raw.decode("utf-8", "replace")[:1]
        yield f"the form holds {first!r} unencoded" + (
            f" and {counted(len(raw) - 1, 'more such byte')}" if len(raw) > 1 else ""
        )
    elif b"%" in body and (half := HALF_ESCAPE.search(body)) is not None:
        yield f"the form holds a percent sign without two hexadecimal digits after it, at byte {half.start()}"
    elif (plus := _PLUS_NUMBER.search(body)) is not None:
        name = plus[1].decode("utf-8", "replace")
        yield f"the number in {name} begins with a plus sign, which means a blank in a form; write %2B"


RULES = (
    schema_violation, body_undecodable, wrong_body_encoding, wrong_method, unknown_path, parameter_refused,
    batch_too_large, secret_in_url, form_not_encoded,
)  # fmt: skip
