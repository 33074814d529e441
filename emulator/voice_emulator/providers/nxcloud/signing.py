"""The signature of the newer API ("API Interface Invocation Convention", NXCloud wiki)."""

from __future__ import annotations

from hashlib import md5


def signing_text(access_key: str, action: str, biz_type: str, ts: str, body: str, secret: str) -> str:
    """The text that is signed. ``body`` is the exact JSON text sent, empty for any other content type."""
    text = f"accessKey={access_key}&action={action}&bizType={biz_type}&ts={ts}"
    if body:
        text += f"&body={body}"
    return f"{text}&accessSecret={secret}"


def sign(access_key: str, action: str, biz_type: str, ts: str, body: str, secret: str) -> str:
    """The signature: lower-case hexadecimal MD5 of the UTF-8 text."""
    text = signing_text(access_key, action, biz_type, ts, body, secret)
    # The provider's algorithm; nothing here relies on MD5 being strong.
    return md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
