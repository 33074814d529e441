"""What the provider's pages leave open, or answer in two ways: settings of the account."""

from __future__ import annotations

from voice_emulator.providers.settings import Setting, SettingTable


def _seconds(values: tuple[str, ...]) -> None:
    for value in values:
        if not value.isdigit() or not 0 < int(value) <= 86_400:
            raise ValueError(f"{value!r} is not a number of seconds from 1 to 86400")


SETTINGS = SettingTable(
    # Both are in use: hand-written clients and older SDKs sign in the older way (V2).
    Setting(
        "signatures", "choice", "both", "Which signatures are accepted.", choices=("both", "v2", "v3"),
        source="V2 RPC request syntax and signature; V3 request structure and signature",
    ),
    # The V2 page says 31 minutes; a list of the gateway's codes says 15, in both directions; the V3 page was not read.
    Setting("timestamp_past", "integer", 31, "How old a time stamp may be, in minutes.", "inferred", minimum=0),
    Setting("timestamp_future", "integer", 15, "How early a time stamp may be, in minutes.", "inferred", minimum=0),
    # How long the provider remembers a nonce is unstated; here, as long as its time stamp is good.
    Setting("nonce_check", "boolean", True, "Refuse a nonce that was used before.", "inferred"),
    # The V2 page says XML; every client that was seen asks for JSON.
    Setting(
        "default_format", "choice", "JSON", "Format of replies to requests without Format.", choices=("JSON", "XML"),
        source="V2 RPC request syntax and signature",
    ),
    # No page states it; clients test Code on an ordinary reply.
    Setting("business_error_status", "integer", 200, "HTTP status of isv.* and isp.* codes.", "inferred",
            minimum=200, maximum=599),
    # The page says 1 to 15 bytes, and its own samples of receipts are longer.
    Setting("out_id_limit", "integer", 0, "Most bytes of OutId; 0 accepts any length.", minimum=0),
    # Whether the limit shows as a code or as a later report is not settled.
    Setting("throttle", "boolean", False, "Refuse more than 1 call a minute, 5 an hour and 20 a day to one number.",
            source="Throttling FAQ (2680293, 149826)"),
    Setting("lag", "integer", 0, "Seconds after its end until the query shows a call. The page advises to wait 3 to 5 "
            "minutes.", minimum=0, maximum=86_400),
    Setting("answer_limit", "integer", 700, "Milliseconds that a push waits for its answer, connecting included.",
            "documented", minimum=1, source="Receipt messages and configuration (112503)"),
    # Read as gaps between attempts. Counted from the first attempt they would be 60, 240 and 300.
    Setting("retry_gaps", "texts", ["60", "300", "600"], "Seconds from one attempt of a push to the next.", "inferred",
            source="HTTP batch push pattern (214639): after 1, 5 and 10 minutes", check=_seconds),
    # The page's two sentences about HTTP 200 without a code pull apart.
    Setting("acknowledgement_code_required", "boolean", True, "HTTP 200 acknowledges only with a numeric code.", "inferred",
            source="HTTP batch push pattern (214639)"),
    # "Batch" is all that the page says: neither length nor waiting time.
    Setting("batch_maximum", "integer", 1, "Most receipts in one push.", minimum=1, maximum=1_000),
    Setting("batch_wait", "integer", 1_000, "Milliseconds that a receipt waits for others.", minimum=0),
    # Whether an empty time is "" or absent is not said; one page's sample leaves it out.
    Setting("empty_times", "choice", "left_out", "How a receipt has a time that did not come.",
            choices=("left_out", "empty")),
    Setting("language", "choice", "chinese", "Language of hangup_direction.", "inferred", choices=("chinese", "english")),
    # Deprecated on the newer pages, which say UNKNOWN.
    Setting("toll_type", "choice", "UNKNOWN", "toll_type of receipts.",
            choices=("UNKNOWN", "LOCAL", "PROVINCE", "DOMESTIC", "INTERNATIONAL")),
    Setting("shared_caller", "text", "05710000000", "The caller shown when a request names none (public mode)."),
)  # fmt: skip
