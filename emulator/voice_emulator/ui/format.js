// How things are written and coloured. Times stay in the zone the API tells them in: they are cut from the text.

export const OUTCOMES = {
	answered: ["answered", "good"], no_answer: ["no answer", "warn"], busy: ["busy", "warn"], rejected: ["rejected", "odd"],
	unreachable: ["unreachable", "bad"], invalid_number: ["invalid number", "bad"], barred: ["barred", "bad"],
	network_failure: ["network failure", "bad"], time_limit: ["time limit", "good"],
};
/** How the client learnt of the end: the newest push, or the record query. */
export const RECEIPTS = {
	delivered: ["delivered", "good"], reconciled: ["reconciled", "good"], pending: ["pending", "dim"], uncertain: ["uncertain", "odd"],
	refused: ["refused", "bad"], failed: ["failed", "bad"], blocked: ["blocked", "bad"], lost: ["lost", "bad"],
	no_url: ["no receiver", "warn"], none: ["none", "dim"],
};
/** The digits a number ends in to have its call end so (scenarios/magic-numbers.yaml). */
export const MAGIC = {
	answered: "0000", busy: "0486", no_answer: "0480", rejected: "0603", invalid_number: "0404", barred: "0403",
	network_failure: "0503", unreachable: "0408", time_limit: "0602",
};

export const outcomeOf = ({ outcome, state }) => OUTCOMES[outcome] ?? [outcome || (state === "ended" ? "not dialled" : state), state === "ended" || state === "queued" ? "dim" : "live"];
export const receiptOf = (word) => RECEIPTS[word] ?? [word, "dim"];

/** Providers as the documentation lists them; others follow. */
const ORDER = ["nxcloud", "huawei_cec", "infin8linx"];
const rank = (provider) => (ORDER.indexOf(provider) + 1 || ORDER.length + 1);
export const inOrder = (providers) => [...providers].sort((a, b) => rank(a) - rank(b));

/** `2026-01-05T09:00:00.123+08:00` → `09:00:00`; with `precise`, `09:00:00.123`. */
export const clockTime = (text, precise) => (text ?? "").slice(11, 19) + (precise && text ? `${/\.\d+/.exec(text)?.[0] ?? "."}000`.slice(0, 4) : "");

export function span(ms) {
	if (ms < 1) return "<1 ms";
	if (ms < 1000) return `${Math.round(ms)} ms`;
	const seconds = ms / 1000;
	if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} min${seconds % 60 >= 1 ? ` ${Math.floor(seconds % 60)} s` : ""}`;
	const hours = Math.floor(minutes / 60);
	return hours < 48 ? `${hours} h${minutes % 60 ? ` ${minutes % 60} min` : ""}` : `${Math.floor(hours / 24)} d`;
}

/** Talk time as a telephone bill has it: `1:05`. */
export const talk = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
export const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** `call` for 1, `calls` for 2. */
export const noun = (number, word) => (number === 1 ? word : word + (/(s|x|ch|sh)$/.test(word) ? "es" : "s"));
/** `1 call`, `2 calls`. */
export const plural = (number, word) => `${count(number)} ${noun(number, word)}`;

export function pretty(text) {
	try {
		return /^\s*[{[]/.test(text) ? JSON.stringify(JSON.parse(text), null, 2) : text;
	} catch {
		return text;
	}
}
