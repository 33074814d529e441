"""Account settings of a Huawei Cloud CEC tenant: one for each gap or disagreement of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.providers.huawei_cec.errors import STORE_TROUBLES
from voice_emulator.providers.huawei_cec.signing import HMAC_SHA256, MINIMUM_KEY_LENGTH, PLAIN_SHA256
from voice_emulator.providers.kit.checks import networks
from voice_emulator.providers.settings import Setting, SettingTable

_FILE = {
    "name": (), "type": ("audio", "text"), "status": ("approved", "pending", "rejected", "unsubmitted"),
    "scene": ("0", "1", "2", "3"), "text": (),
}  # fmt: skip


_RELEASE = "Release Event Callback API (cec_07_2805, cec_07_0080)"
_CREATE_B = "Creating a Voice Notification (V2.0.0) (cec_07_2802, cec_07_0077)"

SETTINGS = SettingTable(
    Setting("shared_key", "text", None,
            "Shared key of the release event's signature, at least 16 characters; none: unsigned.",
            "documented", optional=True, source=_RELEASE,
            # The console refuses a shorter one ("Configuring the Voice Notification Function").
            pattern=rf"([^\r\n]{{{MINIMUM_KEY_LENGTH},}})?", form=f"at least {MINIMUM_KEY_LENGTH} characters"),
    Setting("signature_algorithm", "choice", HMAC_SHA256,
            "The page's code is HMAC-SHA256, its prose says SHA256.", "inferred",
            choices=(HMAC_SHA256, PLAIN_SHA256), source=_RELEASE),
    Setting("access_codes", "texts", [], "Access codes of the tenant. None: any callerPresent is accepted.",
            "documented", source=_CREATE_B),
    Setting("caller_transparency", "boolean", False,
            "Whether callerPresent may also be any 11 to 14 digits.", "documented", source=_CREATE_B),
    Setting("shown_caller", "text", "960003",
            "Number shown when the request has no callerPresent and no access codes are set."),
    Setting("callback_trustlist", "texts", [],
            "Hosts, or host:port, a callBackUrl of a call may name. None: all.", "documented",
            source=_CREATE_B),
    Setting("upload_trustlist", "texts", [],
            "The same for the callBackUrl of an upload: a list of its own.", "documented",
            source="Uploading IVR Voice Files (cec_07_1039, cec_07_0049)"),
    Setting("callback_url_form", "choice", "any",
            "plain: as on the Voice Outbound Call pages; base64: as on the Voice Notification pages, "
            "with their rule on characters; any: both.", "choice", choices=("any", "plain", "base64")),
    Setting("app_key_header", "choice", "optional",
            "Whether X-APP-Key must be there; the two families of pages disagree.", "choice",
            choices=("optional", "required")),
    Setting("content_type", "choice", "any",
            "json: anything but application/json is a bad request; any: JSON is read under any name, "
            "since the Voice Outbound Call pages list no such header.", "choice", choices=("any", "json")),
    Setting("auth_failure_status", "choice", "403",
            "HTTP status of an authentication failure; the pages disagree.", "inferred",
            choices=("403", "401")),
    Setting("account_status", "choice", "active", "suspended: every business interface answers 401.",
            "inferred", choices=("active", "suspended")),
    Setting("allowed_ips", "texts", [], "Addresses or networks that may ask for a token. None: all.",
            "inferred", check=networks),
    Setting("token_lifetime", "integer", 3600,
            "Seconds a token lives when X-Token-Expire is absent or no number; no page says.", "inferred",
            minimum=1, maximum=3600, source="a production client keeps a token for 3,300 s"),
    Setting("lenient_types", "boolean", True, "Whether playTimes may be text and priority a number."),
    Setting("voice_content_limit", "integer", 1024,
            "Longest voiceContent: 1024 on one page, 1000 on the other.", "documented", minimum=1,
            maximum=1024),
    Setting("vdn", "choice", "enabled", "State of the tenant's virtual call centre.", "documented",
            choices=("enabled", "disabled", "missing")),
    Setting("trial_allow_list", "texts", None, "Numbers a trial tenant may call; null: no trial tenant.",
            "documented", optional=True),
    Setting("one_open_call_per_number", "boolean", False,
            "Whether a second call to a number whose call has not ended is refused (code 1).", "inferred"),
    Setting("catalogue", "choice", "auto",
            "strict: only approved files can be played; permissive: any id; auto: strict once "
            "voice_files has an entry.", "choice", choices=("auto", "permissive", "strict")),
    Setting("voice_files", "entries", {},
            "Files by id: {name, type: audio|text, status: approved|pending|rejected|unsubmitted, "
            "scene: 0..3, text}.", members=_FILE),
    Setting("check_template_values", "boolean", False,
            "Whether a strict catalogue holds templateParams against the template's variables: their "
            "number (code 15) and form (code 13).", "inferred"),
    Setting("review_verdict", "choice", "approved", "How the review of an upload ends.", "choice",
            choices=("approved", "rejected")),
    Setting("review_delay", "integer", 5, "Seconds from an upload to the end of its review.", minimum=1),
    Setting("review_comment", "text", "审核通过", "The reviewer's comment."),
    Setting("review_attempts", "integer", 6, "How often the review is pushed until it is acknowledged.",
            "documented", minimum=1, maximum=60,
            source="Uploading IVR Voice Files (cec_07_1039, cec_07_0049)"),
    Setting("review_interval", "integer", 60, "Seconds between two pushes of a review; no page says.",
            minimum=1),
    Setting("release_attempts", "integer", 1,
            "How often the release event is pushed until it is acknowledged; no page says.", "choice",
            minimum=1, maximum=60),
    Setting("release_interval", "integer", 60, "Seconds between two pushes of a release event.", minimum=1),
    Setting("upload_rate", "integer", 10, "Uploads per second before flow control; 0: no limit.",
            "documented", minimum=0, source="Uploading IVR Voice Files (cec_07_1039, cec_07_0049)"),
    Setting("recording_details", "choice", "full",
            "full: the 16 fields of the newer pages; short: the 7 of the older ones.", "documented",
            choices=("full", "short"),
            source="Querying Voice Notification Recording Files (cec_07_2800, cec_07_0075)"),
    Setting("recording", "boolean", True,
            "Whether answered calls are recorded (recordfile, getRecordingAddress)."),
    Setting("recording_store", "choice", "ok",
            "What is wrong with the store of recordings; each word is a code of getRecordingAddress.",
            "documented", choices=("ok", *STORE_TROUBLES)),
    Setting("location_id", "integer", 0, "Recording node named by locationId.", minimum=0),
    Setting("utc_offset_hours", "decimal", "0",
            "Offset of the wall-clock times in the release event; the sample's are UTC.", "inferred",
            minimum=-14, maximum=14),
)  # fmt: skip


def shared_key(credentials: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The tenant's shared key, empty when unset; a credential overrides the setting."""
    return str(credentials.get("shared_key") or settings["shared_key"] or "")


def access_codes(credentials: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The tenant's access codes, none when unset; credentials override the setting."""
    own = credentials.get("access_codes")
    if isinstance(own, str):
        return (own,)
    return tuple(map(str, own)) if own else tuple(settings["access_codes"])
