"""Account settings of an NXCloud customer; docs/providers/nxcloud.md lists them for readers."""

from __future__ import annotations

from voice_emulator.providers.kit.checks import networks
from voice_emulator.providers.settings import Setting, SettingTable

ACCOUNT_STATES = (
    "ok", "missing", "missing_1006", "locked", "unregistered", "unregistered_1004", "unregistered_1005",
    "stale", "data_error",
)  # fmt: skip

_GROUP = {"cycle": 60, "price": "0.036", "basic_price": "0.005"}
_VOICE = {"cycle": 1, "price": "0.012", "basic_price": "0"}

SETTINGS = SettingTable(
    # --- how replies and receipts are worded ---------------------------------------------------
    Setting(
        "dialect", "choice", "result", "Send replies carry the text under this key, with that page's texts.",
        "documented", ("result", "message"),
        source="Send Voice Broadcast, English (result) and newer Chinese page (message)",
    ),
    Setting("language", "choice", "en", "Language of result in receipts and record rows.",
            "documented", ("en", "zh"), source="Voice Receipt Callback, English and Chinese page"),
    Setting(
        "reply_language", "choice", "en", "Language of reply texts that have a documented Chinese form.",
        "documented", ("en", "zh"), source="Upload and Query of recording files, English and Chinese pages",
    ),
    Setting(
        "utc_offset", "integer", 8, "Hours east of UTC of every wall-clock text.", "inferred",
        minimum=-12, maximum=14,
        source="Query Uploaded Recording Files: a file name's epoch against its gmt_create",
    ),
    Setting(
        "public_url", "text", "",
        "Base of the file and recording addresses handed out; empty: the address the client used.",
    ),
    Setting(
        "messageid_form", "choice", "hex",
        "hex: 32 hexadecimal digits; dated: 16 and the time in milliseconds, the older form.", "documented",
        ("hex", "dated"), source="Send Voice Broadcast; Voice Receipt Callback",
    ),
    Setting(
        "messageid_suffix", "boolean", False,
        "In a batch every receipt's messageid ends in - and ten digits of its own.", "inferred",
        source="the provider's text message receipts do so",
    ),
    # --- receipts --------------------------------------------------------------------------------
    Setting(
        "dr_transport", "choice", "query",
        "Receipt fields in the query string of a POST without body, or as its form body.", "inferred",
        ("query", "form"), source="Voice Receipt Callback: the sample is a query string",
    ),
    Setting(
        "strict_acknowledgement", "boolean", False,
        "Whether the text success in JSON quotes, as a real receiver answers, acknowledges nothing. Otherwise the "
        "receipt is delivered, with a warning.", "inferred",
        source="a production receiver",
    ),
    Setting(
        "receipt_revision", "choice", "current",
        "current: the English page; 2022: the Chinese page, with show_phone and without hangup_cause (and "
        "hangup_disposition in the V block).", "documented", ("current", "2022"),
        source="Voice Receipt Callback, English and Chinese page",
    ),
    Setting(
        "receipt_ext", "boolean", True, "Return ext in the receipt (the 2023 page has no such field).",
        "documented", source="Voice Receipt Callback",
    ),
    Setting(
        "unanswered_times", "choice", "omit",
        "start_time and end_time of a call not connected: left out, or both the moment of hang-up.", "choice",
        ("omit", "hangup"),
    ),
    Setting(
        "sched_hangup_cause", "choice", "ALLOTTED_TIMEOUT", "hangup_cause of a call that sched_hangup cut.",
        "inferred", ("ALLOTTED_TIMEOUT", "NORMAL_CLEARING"),
    ),
    # --- money -----------------------------------------------------------------------------------
    Setting(
        "tariff", "tariff", _GROUP, "Tariff of group calls.", "documented",
        source="Voice Receipt Callback, sample",
    ),
    Setting(
        "tariffs", "tariffs", {}, "Tariffs of group calls by country_code, where they differ from tariff.",
    ),
    Setting("voice_tariff", "tariff", _VOICE, "Tariff of verification and notification calls.", "documented",
            source="Voice Record Query, sample"),
    Setting("voice_tariffs", "tariffs", {}, "The same by country_code, where they differ from voice_tariff."),
    Setting(
        "balance", "decimal", None,
        "Money in the account since the last reset; null: without limit, and getBalance counts from 3788.32, the "
        "page's sample.",
        optional=True,
    ),
    Setting(
        "credit_balance", "decimal", "500",
        "What getBalance shows as credit_balance. No page says that calls may use it, so they may not.",
        "documented", minimum=0, source="Balance Inquiry, sample",
    ),
    # --- what is accepted ------------------------------------------------------------------------
    Setting(
        "application", "choice", "active",
        "A disabled application is refused (1; uploads 102 and 9003; agents 1101).", "inferred",
        ("active", "disabled"), source="Upload Voice Recording File",
    ),
    Setting("outage", "choice", "none", "Valid requests fail with 88, or 99 and its like.", "choice",
            ("none", "request_failed", "system_error")),
    Setting(
        "allowed_ips", "texts", [], "Addresses or networks that may call; empty: all.", "documented",
        check=networks, source="Send Voice Broadcast, code 9",
    ),
    Setting(
        "routes", "texts", [], "Country codes that can be dialled; empty: all.", "documented",
        source="Send Voice Broadcast, code 22",
    ),
    Setting("batch_limit", "integer", 100, "Most numbers in one gpsend.", "inferred", minimum=1,
            source="the provider's Java client; a production client sends no more"),
    Setting("notsend_batch_limit", "integer", 5000, "Most numbers in one notsend.", "inferred", minimum=1,
            source="no page has a limit; a production client sends 500"),
    Setting("batch_limit_code", "choice", "2", "Code of a batch over the limit.", "inferred", ("2", "7"),
            source="the provider's Java client (7)"),
    Setting(
        "show_phone_max", "integer", 50, "Most digits of show_phone; null: any (the 2023 page).",
        "documented", minimum=1, optional=True, source="Send Voice Broadcast",
    ),
    Setting("show_phones", "texts", [], "Caller ids of the account; empty: any."),
    Setting(
        "content_max", "integer", 1000, "Most characters of content and msg_content.", "inferred", minimum=1,
        source="the provider's text message page",
    ),
    Setting(
        "illegal_keywords", "texts", [], "Words that content must not hold.", "documented",
        source="Send Voice Broadcast, code 4",
    ),
    Setting(
        "notsend_lang", "choice", "optional",
        "Whether notsend needs lang (its table says so, its sample leaves it out).", "documented",
        ("optional", "required"), source="Send Voice Notification",
    ),
    Setting(
        "voice_files", "texts", [], "Addresses gpsend may play, beside uploaded files; empty: any.", "choice",
    ),
    Setting(
        "broken_files", "texts", [], "Addresses whose file cannot be played (77, in the result dialect 20).",
        "documented", source="Send Voice Broadcast, newer Chinese page",
    ),
    Setting(
        "frequency_limit", "integer", None, "versend calls per number and hour; null: no limit.",
        "documented", minimum=1, optional=True, source="Send Voice Verification Code, code 27",
    ),
    Setting(
        "tps_limit", "integer", None, "versend requests per second; null: no limit.", "documented", minimum=1,
        optional=True, source="Send Voice Verification Code, code 28",
    ),
    Setting(
        "conversion_of", "choice", "versend", "Whose messageid a fill report may name.", "inferred",
        ("versend", "any"), source="Voice Verification Code Fill Report",
    ),
    Setting(
        "upload_limit", "integer", 2 * 1024 * 1024, "Most bytes of an uploaded file.", "documented",
        minimum=1, source="Upload voice file v1",
    ),
    Setting(
        "upload_biz_types", "texts", ["7", "8"], "bizType of the signed upload (the page says both).",
        "documented", source="Upload voice file v1",
    ),
    # --- record queries --------------------------------------------------------------------------
    Setting(
        "strict_queries", "boolean", False,
        "getVoiceCdr refuses spans over 24 hours and looking back too far.", "documented",
        source="Voice Record Query, newer Chinese page",
    ),
    Setting(
        "lookback_days", "integer", 7, "How far getVoiceCdr looks back in strict mode (older pages: 21).",
        "documented", minimum=1, source="Voice Record Query, Chinese pages",
    ),
    Setting(
        "cdr_messageid_required", "boolean", False, "getVoiceCdr needs a messageid (older Chinese pages).",
        "documented", source="Voice Record Query, Chinese pages",
    ),
    Setting(
        "query_rate_limits", "boolean", False,
        "Record queries are limited to one a second (getSipCdr: one in two).", "documented",
        source="Voice Record Query; Call Detail Records Query Interface",
    ),
    # --- the agent family ------------------------------------------------------------------------
    Setting(
        "token_lifetime", "integer", 1200, "Seconds an agent token lives.", "documented", minimum=1,
        source="Agent API V1.0",
    ),
    Setting(
        "token_failure_code", "choice", "1101",
        "Code of refused agent credentials: the page's sample (1101) or its table (1).", "documented",
        ("1101", "1"), source="Agent API V1.0",
    ),
    Setting(
        "phone_accounts", "entries", {},
        "More phone accounts, or states of known ones: {username: {state, sipid, mobile_name}}.",
        "documented", members={"state": ACCOUNT_STATES, "sipid": (), "mobile_name": ()},
        source="Agent API V1.0, table of codes",
    ),
    Setting(
        "agent_country_code", "text", "86", "Field code of agent call records.", "inferred",
        source="CDR Callback, sample",
    ),
    Setting(
        "agent_recording", "boolean", True, "Agent calls are recorded.", "documented", source="CDR Callback",
    ),
    Setting(
        "effective_called_number", "boolean", False, "The agent record push carries effective_called_number.",
        "documented", source="WebCall CDR callback page of 2022",
    ),
    Setting(
        "cdr_attempts", "integer", 1,
        "How often an agent record is pushed until HTTP 200 (the WebCall page: 5).", "documented", minimum=1,
        source="WebCall CDR callback page of 2022",
    ),
    Setting("cdr_retry_seconds", "integer", 60, "Seconds between those pushes.", "documented", minimum=1,
            source="WebCall CDR callback page of 2022"),
    Setting(
        "call_status_push", "boolean", False,
        "Push the states of agent calls (the page says it is not available).", "documented",
        source="Call Status Callback Push Interface V1.0",
    ),
)  # fmt: skip
