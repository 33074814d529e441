"""A recording as a scenario that shows a client the same outcomes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.core.plan import SETUP
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome
from voice_emulator.core.words import counted
from voice_emulator.recording.calls import Calls, Receipt, RecordedCall, acknowledged, course_of, seconds
from voice_emulator.recording.course import ZONE, Course, Courses
from voice_emulator.recording.exchanges import Exchange, Read, Reader, header
from voice_emulator.recording.fitting import fitted
from voice_emulator.recording.values import instant
from voice_emulator.scenarios.flow import flow, rule_lines

#: Seconds below which a push came at once, and a reply too: a network takes some time.
LATE, SLOW = 2, 1
#: Bytes of a reply that a rule repeats verbatim.
VERBATIM = 4_096
Rule = dict[str, Any]


@dataclass(slots=True)
class Distilled:
    """The scenario: ``text`` is the file, ``lost`` says what of the recording is not in it."""

    name: str
    rules: list[tuple[str, Rule]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    @property
    def text(self) -> str:
        """The scenario as YAML, with what could not be expressed as comments."""
        lines = [f"# Distilled from {self.name}: {counted(self.calls, 'call')}."]
        lines += [f"# Not expressed: {what} ({count:,} times)" for what, count in sorted(self.lost.items())]
        lines += [
            "name: distilled",
            f"description: {flow(f'What the providers did in {self.name}.')}",
            "magic_numbers: false",
            "rules:" if self.rules else "rules: []",
        ]
        for comment, rule in self.rules:
            lines += [f"  # {line}" for line in comment.splitlines()]
            lines += rule_lines(rule)
        return "\n".join(lines) + "\n"


def distil(reader: Reader, exchanges: Sequence[Exchange], name: str, *, fit: bool = False) -> Distilled:
    """The scenario of a recording: a rule for each call, or with ``fit`` a mix for each provider."""
    found = Calls(reader, exchanges)
    told = _courses(reader, found)
    made = Distilled(name, calls=len(told))
    for one in found.unmatched:
        made.lost[f"a push of {one.exchange.provider or 'no provider'} reports no call of the recording"] += 1
    for _, course in told:
        if course is None:
            made.lost["no receipt says how a call ended: no rule decides on it"] += 1
    made.rules += _fitted(told) if fit else list(_calls(reader, made, found, told))
    made.rules += list(_replies(made, found))
    return made


def courses_only(reader: Reader, exchanges: Sequence[Exchange]) -> str:
    """A scenario with the course of each call and nothing else: what the emulator itself does shows under it."""
    made = Distilled("the recording")
    found = Calls(reader, exchanges)
    for _, rule in _calls(reader, made, found, _courses(reader, found)):
        rule.pop("receipt", None)
        if "call" in rule:
            made.rules.append(("", rule))
    return made.text


def _courses(reader: Reader, found: Calls) -> list[tuple[RecordedCall, Course | None]]:
    """The calls that were placed, each with how it went."""
    courses = {provider: Courses(each, reader.schemas) for provider, each in reader.providers.items()}
    return [(call, course_of(reader, courses, call)) for call in found.calls if not call.refused]


# --- a rule for each call -----------------------------------------------------------------------


def _calls(
    reader: Reader, made: Distilled, found: Calls, told: Iterable[tuple[RecordedCall, Course | None]]
) -> Iterator[tuple[str, Rule]]:
    often = Counter((call.provider, call.number) for call in found.calls if not call.refused)
    for call, course in told:
        match: Rule = {"provider": call.provider, "number": call.number}
        if often[call.provider, call.number] > 1:
            match["attempt"] = call.attempt
        rule: Rule = {"match": match}
        if course is not None:
            rule["call"] = _call(course)
        receipt = _receipt(reader, made, call, course)
        if receipt:
            rule["receipt"] = receipt
        if len(rule) > 1:
            yield "", rule


def _call(course: Course) -> Rule:
    way = course.way
    effect: Rule = {"outcome": way.outcome.value}
    if course.ring is not None and way.outcome in MAY_RING:
        effect["ring"] = f"{course.ring}s"
    if course.talk is not None and way.outcome in CONNECTED:
        effect["talk"] = f"{course.talk}s"
    if way.hangup is not None and way.outcome is Outcome.ANSWERED:
        effect["hangup"] = way.hangup.value
    if course.keys and way.outcome in CONNECTED:
        effect["keys"] = course.keys
    return effect | ({"cause": way.cause} if way.cause else {})


def _receipt(reader: Reader, made: Distilled, call: RecordedCall, course: Course | None) -> Rule:
    if not call.receipts:
        return {"lost": True} if reader.providers[call.provider].operations[call.operation].receipts else {}
    # What a rule says of receipts is for all of a call: it is read from the one that says how the call went.
    main = max(call.receipts, key=lambda each: len(each.fields))
    effect: Rule = {}
    first = main.pushes[0]
    if first.at < call.request.at + call.request.took:
        effect["before_reply"] = True
    else:
        late = _lateness(call, main, course)
        if late >= LATE:
            effect["delay"] = f"{late}s"
    effect |= _repeats(reader, made, call, main)
    if course is None:
        return effect
    changed = {name: str(value) for name, value in course.unlike.items()}
    added = {name: value for name, value in course.extra.items() if isinstance(value, str)}
    for name in course.extra.keys() - added.keys():
        made.lost[f"{call.provider} sends the field {name}, which is not text"] += 1
    if changed:
        effect["set"] = changed
    if added:
        effect["add"] = added
    if course.missing:
        effect["drop"] = list(course.missing)
    return effect


def _lateness(call: RecordedCall, receipt: Receipt, course: Course | None) -> int:
    """Seconds from the end of a call to its first push, by the latest time in the receipt, whatever its zone.

    A receipt without times leaves the time of the request, and how long the call took.
    """
    pushed = receipt.pushes[0].at / SECOND
    times = [at for at in map(instant, receipt.fields.values()) if at is not None]
    if times:
        late = (pushed - max(times)) % ZONE
        return round(late) if late < ZONE - LATE else 0
    ring, talk = (course.ring, course.talk) if course is not None else (None, None)
    took = (ring or 0) + (talk or 0) or SETUP.value / SECOND
    return max(0, round(pushed - call.request.at / SECOND - took))


def _repeats(reader: Reader, made: Distilled, call: RecordedCall, main: Receipt) -> Rule:
    pushes = main.pushes
    if len(pushes) == 1:
        return {}
    gaps = sorted(after.at - before.at for before, after in pairwise(pushes))
    gap = f"{max(1, seconds(gaps[len(gaps) // 2]))}s"
    if gaps[-1] - gaps[0] > LATE * SECOND:
        made.lost[f"{call.provider} repeats a push after different times: the middle one is taken"] += 1
    if all(acknowledged(reader, call.provider, main.kind, push) for push in pushes[:-1]):
        return {"copies": len(pushes), "gap": gap}
    return {"retry": {"attempts": len(pushes), "every": gap}}


# --- replies ------------------------------------------------------------------------------------


def _replies(made: Distilled, found: Calls) -> Iterator[tuple[str, Rule]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for one in found.read:
        exchange = one.exchange
        if exchange.is_push or not one.name:
            if not exchange.is_push:
                made.lost[f"{exchange.method} {exchange.target.partition('?')[0]}: {one.unclear}"] += 1
            continue
        match: Rule = {"provider": exchange.provider, "operation": one.name}
        if one.numbers:
            match["number"] = one.numbers[0]
        key = tuple(match.values())
        counts[key] += 1
        effect = _reply(found, one)
        if effect:
            yield "", {"match": match | {"nth": counts[key]}} | effect


def _reply(found: Calls, one: Read) -> Rule:
    """The rule effect that makes a reply what it was; empty for a plain one."""
    exchange = one.exchange
    placed = id(exchange) in found.reported
    slow: Rule = {"latency": f"{round(exchange.took / SECOND)}s"} if exchange.took >= SLOW * SECOND else {}
    if not exchange.status:
        return {"fault": {"reset": True, "placed": placed}}
    error = found.error_of(one)
    if error is not None:
        return {"reply": {"error": error}} | ({"fault": slow} if slow else {})
    if one.answer is None:
        if exchange.status >= 500:
            kind: Rule = (
                {"html_error": True}
                if b"<html" in exchange.reply.lower()
                else {"http_status": exchange.status}
            )
            return {"fault": slow | kind | {"placed": placed}}
        if exchange.reply and len(exchange.reply) <= VERBATIM:
            body = exchange.reply.decode("utf-8", "replace")
            reply = {"status": exchange.status, "body": body, "placed": placed}
            content = header(exchange.reply_headers, "content-type")
            return {"reply": reply | ({"headers": {"Content-Type": content}} if content else {})}
    return {"fault": slow} if slow else {}


# --- a mix for each provider --------------------------------------------------------------------


def _fitted(told: Sequence[tuple[RecordedCall, Course | None]]) -> list[tuple[str, Rule]]:
    by_provider: dict[str, list[Course]] = defaultdict(list)
    for call, course in told:
        if course is not None:
            by_provider[call.provider].append(course)
    return [_mix(provider, courses) for provider, courses in by_provider.items()]


def _mix(provider: str, courses: Sequence[Course]) -> tuple[str, Rule]:
    groups: dict[tuple[str, str | None], list[Course]] = defaultdict(list)
    for course in courses:
        groups[course.way.outcome.value, course.way.cause].append(course)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    comment = "\n".join(
        f"{outcome}{f' ({cause})' if cause else ''}: {counted(len(each), 'call')}, {len(each) / len(courses):.1%}"
        for (outcome, cause), each in ranked
    )
    choices = [{"weight": len(each), **_choice(each)} for _, each in ranked]
    return f"{provider}: {counted(len(courses), 'call')}\n{comment}", {
        "match": {"provider": provider},
        "call": {"mix": choices},
    }


def _choice(courses: Sequence[Course]) -> Rule:
    way = courses[0].way
    choice: Rule = {"outcome": way.outcome.value}
    measures: Mapping[str, Callable[[Course], int | None]] = {
        "ring": lambda course: course.ring, "talk": lambda course: course.talk,
    }  # fmt: skip
    for name, measure in measures.items():
        allowed = MAY_RING if name == "ring" else CONNECTED
        known = [value for value in map(measure, courses) if value is not None]
        if known and way.outcome in allowed:
            choice[name] = fitted(known)
    parties = Counter(course.way.hangup.value for course in courses if course.way.hangup is not None)
    if parties and way.outcome is Outcome.ANSWERED:
        choice["hangup"] = dict(parties)
    return choice | ({"cause": way.cause} if way.cause else {})
