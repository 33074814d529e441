from __future__ import annotations

from voice_emulator.core.attempts import Attempt, Attempts, PushReply
from voice_emulator.core.masking import Masker
from voice_emulator.core.pushes import Push
from voice_emulator.core.vocabulary import PushOutcome


class Subject:
    id = "c1"
    number = "6281"


def attempt(number: int, call: object | None = None) -> Attempt:
    push = Push("p", "acme", "bill", None, call, 0)  # type: ignore[arg-type]
    return Attempt(
        f"p.{number}", push, number, 0, "http://h", "POST", (("secret", "s3cret"),), b"secret=s3cret&a=1",
        {"secret": "s3cret", "a": "1"}, PushOutcome.DELIVERED,
        reply=PushReply(200, (), b"success"), masker=Masker(["secret"]),
    )  # fmt: skip


def test_an_attempt_is_shown_without_its_secrets():
    shown = attempt(1).shown()
    assert "s3cret" not in str(shown)
    assert (shown["outcome"], shown["status"], shown["reply"], shown["call_id"]) == (
        "delivered",
        200,
        "success",
        None,
    )
    assert attempt(1, Subject()).shown()["number"] == "6281"
    weighed = attempt(1)
    weighed.weigh()
    assert weighed.weight > 400


def test_the_oldest_attempts_are_forgotten_and_the_others_keep_their_numbers():
    attempts = Attempts(limit=2)
    call = Subject()
    for number in range(1, 5):
        attempts.add(attempt(number, call if number % 2 else None))
    assert (len(attempts), attempts.total) == (2, 4)
    assert [(index, found.number) for index, found in attempts.after(0)] == [(3, 3), (4, 4)]
    assert [found.number for found in attempts.of_call("c1")] == [3]
    assert [found.number for found in attempts] == [3, 4]
    attempts.add(attempt(5))
    attempts.add(attempt(6))
    assert attempts.of_call("c1") == []
    attempts.clear()
    assert attempts.total == 0


def test_of_a_long_answer_only_the_beginning_is_kept():
    usual = PushReply(200, (("Content-Type", "text/plain"),), b"success")
    usual.shorten()
    assert usual == PushReply(200, (("Content-Type", "text/plain"),), b"success")
    long = PushReply(200, tuple((f"X{number}", "y" * 5_000) for number in range(100)), b"s" * 60_000)
    long.shorten()
    assert len(long.body) == 4_096
    assert sum(len(name) + len(value) for name, value in long.headers) < 8_192
