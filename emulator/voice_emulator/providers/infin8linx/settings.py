"""Account settings of Infin8linx: what the console or the provider's staff would configure, and
the points on which its documents disagree or are silent.
"""

from __future__ import annotations

from voice_emulator.providers.kit.checks import networks
from voice_emulator.providers.settings import Setting, SettingTable

#: Hours from UTC of every wall-clock text: the samples prove UTC+8, whatever the country called.
UTC_OFFSET = 8

#: What ``modules`` may name, and the operations behind each name.
MODULES = {"ivr": "PlayVoice", "cdr": "GetBill", "record": "GetRecodeFile"}

CALLER_STATES = ("enabled", "disabled", "missing")
EXTENSION_STATES = ("registered", "exception", "foreign", "missing", "disabled", "unregistered")


_DAY = (
    "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
)
_WALL_TIME = f"(?!0000)({_DAY}) ([01][0-9]|2[0-3])(:[0-5][0-9]){{2}}"

_ACCOUNT = (
    Setting(
        "company_code", "digits", "9513923",
        "Company code: Login's companycode, the record's companycode, part of the caller numbers.",
    ),
    Setting(
        "company_name", "text", "test",
        "Company name, in Login's answer.",
    ),
    Setting(
        "licence_until", "text", "2099-12-31 23:59:59",
        "End of the licence, UTC+8, YYYY-MM-DD HH:MM:SS; Login shows it as authtime. From then on "
        "every request is answered with 602.",
        "inferred", pattern=_WALL_TIME, form="a time such as 2099-12-31 23:59:59",
    ),
    Setting(
        "modules", "texts", None,
        "Licensed modules (ivr: PlayVoice, cdr: GetBill, record: GetRecodeFile); Login shows them as "
        "authmodel. Others are answered with 603. Unset: all.",
        optional=True, choices=tuple(MODULES),
    ),
    Setting(
        "allowed_ips", "texts", None,
        "Addresses or networks that may call; others are answered with 604. Unset: any.",
        optional=True, check=networks,
    ),
    Setting(
        "voice_files", "texts", None,
        "Offline voice files uploaded in the console, with or without extension. Unset: any name "
        "passes.",
        optional=True,
    ),
    Setting(
        "unknown_voice_file", "choice", "refuse",
        "An offline file not in voice_files: refuse the submission with 400, or accept it and let "
        "every call end with cause 10020.",
        choices=("refuse", "fail_calls"),
    ),
    Setting(
        "caller_pool", "words", None,
        "Caller numbers of the account and their state (enabled, disabled, missing). Unset: any "
        "disnumber passes, and an empty one becomes 21 + company code + three digits.",
        optional=True, choices=CALLER_STATES,
    ),
    Setting(
        "agent_groups", "words", None,
        "Groups that a key press may lead to, and the extension that picks up. Unset: any group "
        "passes, with no extension.",
        optional=True,
    ),
    Setting(
        "extension_states", "words", {},
        "State of extensions that are not registered: exception, foreign, missing, disabled, "
        "unregistered. A transfer to one is answered with 1010 to 1014.",
        choices=EXTENSION_STATES,
    ),
)  # fmt: skip

_REQUESTS = (
    Setting(
        "language", "choice", "english",
        "Language of the texts: of the English or of the Chinese books.",
        "inferred", choices=("english", "chinese"),
    ),
    Setting(
        "accept_get", "boolean", False,
        "Accept GET, which the framework would; the documents say POST. Otherwise GET is answered "
        "with 400.",
    ),
    Setting(
        "unknown_service", "choice", "404",
        "What an unknown service is answered with: 404 as in newer versions of the framework, 400 as "
        "in older ones.",
        "inferred", choices=("404", "400"),
    ),
    Setting(
        "empty_data", "choice", "list",
        "The empty data of a refusal: [] as in the documents, or {} as in newer versions of the "
        "framework.",
        "documented", choices=("list", "object"),
    ),
    Setting(
        "numeric_error_codes", "boolean", False,
        "Send errors.code as a number, as one client expects, instead of text as in the documents.",
        "inferred",
    ),
    Setting(
        "token_hours", "integer", 12,
        "Life of a token in hours, from its issue; use does not prolong it.",
        "documented", minimum=1,
    ),
    Setting(
        "single_token", "boolean", False,
        "A new Login makes the account's older tokens worthless.",
    ),
    Setting(
        "accept_plus", "boolean", False,
        "Accept numbers with a leading +.",
    ),
)  # fmt: skip

_CALLS = (
    Setting(
        "dial_concurrency", "integer", None,
        "How many calls may be up at once; the others wait in submission order. Unset: no limit.",
        minimum=1, optional=True,
    ),
    Setting(
        "dropped_records", "boolean", False,
        "Push a record, cause 10002, for numbers that todayonly took out of the queue; they were never "
        "called, so by default there is none.",
    ),
    Setting(
        "default_waittime", "integer", 60,
        "Ringing time in seconds when waittime is absent or not positive.",
        minimum=1,
    ),
    Setting(
        "default_conntime", "integer", 60,
        "Talk time in seconds when conntime is absent or not positive.",
        minimum=1,
    ),
    Setting(
        "userkey_digits", "choice", "first",
        "What the record's userkey shows of the keys pressed.",
        choices=("first", "all"),
    ),
    Setting(
        "single_call_method", "choice", "6",
        "callmethod of calls placed with a token: 6 IVR or group call, 3 API call.",
        choices=("6", "3"),
    ),
    Setting(
        "recordings", "boolean", False,
        "Record answered calls: the record names a file, which can be fetched.",
    ),
    Setting(
        "recording_format", "choice", "mp3",
        "Format of recordings.",
        "inferred", choices=("mp3", "wav"),
    ),
    Setting(
        "recording_days", "integer", 90,
        "Days for which recordings are kept; the documents say 3 months.",
        "documented", minimum=1,
    ),
)  # fmt: skip

_RECORDS = (
    Setting(
        "record_version", "choice", "2025",
        "Body of the call record push: of the newer page, of the older one, or with the camelCase keys and "
        "hang-up codes that a receiver of 2018 has logged (2017).",
        "documented", choices=("2025", "2018", "2017"),
    ),
    Setting(
        "userkey_2018", "choice", "text",
        "userkey of the 2018 body: text, as the one client of that body declares it, or a number, as in the "
        "page's sample.",
        "inferred", choices=("text", "number"),
    ),
    Setting(
        "callback_transport", "choice", "json",
        "How the record travels: json, a JSON body; form or multipart, its text in the field detail, "
        "as the page on predictive calls has it.",
        "inferred", choices=("json", "form", "multipart"),
    ),
    Setting(
        "callback_attempts", "integer", 1,
        "Pushes of one record at most, until a 2xx answers; the documents promise no repetition.",
        minimum=1, maximum=100,
    ),
    Setting(
        "callback_interval", "integer", 60,
        "Seconds from one such push to the next.",
        minimum=1,
    ),
    Setting(
        "duration_is_total", "boolean", False,
        "Let duration of answered calls be the whole call instead of the waiting time.",
        "inferred",
    ),
    Setting(
        "getbill_userkey", "boolean", False,
        "Show userkey in GetBill's records.",
    ),
)  # fmt: skip


SETTINGS = SettingTable(*_ACCOUNT, *_REQUESTS, *_CALLS, *_RECORDS)
