"""The requests that are sent: whole, as bytes, so that the load costs little and is the same for everybody."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ceilings import PATH

APP_KEY = "cec-app-key"


def post(path: str, body: bytes, content_type: str = "application/json", headers: str = "") -> bytes:
    """One POST over a keep-alive connection; ``headers`` are whole lines, each with its line end."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def notification(number: int) -> bytes:
    """The body of a createVoiceNotification, as a typical client sends it."""
    return (
        b'{"called":"%010d","playList":[{"voiceId":"100001","templateParams":["100","200"]}],"playTimes":1,'
        b'"callerPresent":"2222201"}' % number
    )


def notifications(token: str, first: int = 8_800_000_000, app_key: str = APP_KEY) -> Callable[[int], bytes]:
    """Makes the n-th createVoiceNotification, each to a number of its own."""
    headers = f"Authorization: Bearer {token}\r\nX-APP-Key: {app_key}\r\n"
    return lambda index: post(PATH, notification(first + index), headers=headers)


def token_requests() -> Callable[[int], bytes]:
    """Requests that are answered, journalled and place no call."""
    body = b'{"app_key":"cec-app-key","app_secret":"cec-app-secret"}'
    return lambda index: post("/apigovernance/api/oauth/tokenByAkSk", body)


def batch(numbers: int, first: int = 6_200_000_000) -> bytes:
    """A PlayVoice (infin8linx) to so many numbers at once."""
    destinations = ",".join(str(first + index) for index in range(numbers))
    body = (
        "service=App.Sip_Call.PlayVoice&appid={appid}&accesskey={accesskey}&nationcode=id"
        f"&voicetype=1&voicefile=welcome&destnumber={destinations}"
    )
    return body.encode()
