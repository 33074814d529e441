"""The requests that are sent: whole, as bytes, so that the load costs little and is the same for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.ceilings import GPSEND, PATH, PLAY_VOICE

APP_KEY = "cec-app-key"


def post(path: str, body: bytes, content_type: str = "application/json", headers: str = "") -> bytes:
    """One POST over a keep-alive connection; ``headers`` are whole lines, each with its line end."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True)
class Kind:
    """Requests that differ in one called number, which stands for ``NUMBER`` in ``body``; it has ten digits.

    ``headers`` are those beside Content-Type; ``expected`` is in every good reply, ``carried_out`` in every reply of the
    emulator that has placed the call.
    """

    name: str
    path: str
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body: str
    expected: str
    carried_out: str

    def requests(self, first: int) -> Callable[[int], bytes]:
        """Makes the n-th request, to the number ``first + n``."""
        before, _, after = self.body.encode().partition(b"NUMBER")
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = post(self.path, before + b"0000000000" + after, self.content_type, lines)
        head = head[: -len(before + b"0000000000" + after)] + before
        return lambda index: b"%b%010d%b" % (head, first + index, after)


NOTIFICATION = (
    '{"called":"NUMBER","playList":[{"voiceId":"100001","templateParams":["100","200"]}],"playTimes":1,'
    '"callerPresent":"2222201"}'
)


def notification(number: int) -> bytes:
    """The body of a createVoiceNotification, as a typical client sends it."""
    return NOTIFICATION.replace("NUMBER", f"{number:010d}").encode()


def notify(token: str, app_key: str = APP_KEY) -> Kind:
    """createVoiceNotification (huawei_cec): JSON."""
    headers = (("Authorization", f"Bearer {token}"), ("X-APP-Key", app_key))
    reply = '"retCode"', '"retCode":"0"'
    return Kind("createVoiceNotification", PATH, "application/json", headers, NOTIFICATION, *reply)


def group_call() -> Kind:
    """gpsend (nxcloud): a urlencoded form."""
    body = (
        "appkey=nx-appkey&secretkey=nx-secretkey&phone=62NUMBER&country_code=62&show_phone=123456"
        "&url=https%3A%2F%2Fnxcloud.com%2F1963370420.m4a"
    )
    form = "application/x-www-form-urlencoded"
    return Kind("urlencoded gpsend", GPSEND, form, (), body, '"messageid"', '"code":"0"')


def play_voice(credentials: Mapping[str, str]) -> Kind:
    """PlayVoice (infin8linx) to one number: a multipart form, as PHP's cURL sends an array."""
    fields = {
        "service": "App.Sip_Call.PlayVoice", "appid": credentials["appid"], "accesskey": credentials["accesskey"],
        "nationcode": "id", "voicetype": "1", "voicefile": "welcome", "destnumber": "NUMBER",
    }  # fmt: skip
    boundary = "------------------------d74496d66958873e"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = f"{''.join(parts)}--{boundary}--\r\n"
    form = f"multipart/form-data; boundary={boundary}"
    return Kind("multipart PlayVoice", PLAY_VOICE, form, (), body, '"desc"', '"code":200')


def notifications(token: str, first: int = 8_800_000_000, app_key: str = APP_KEY) -> Callable[[int], bytes]:
    """Makes the n-th createVoiceNotification, each to a number of its own."""
    return notify(token, app_key).requests(first)


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
