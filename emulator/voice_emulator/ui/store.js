// What is known of the tenant that is shown: its newest calls and requests, kept small, merged from lists and from the stream; and the findings about them.

export const LIMIT = 20000;
/** A request that placed more calls than this is one row of the list of calls. */
export const BATCH = 20;
const SPARE = 1000;
const PUSHES = 100;
const ORDER = { queued: 0, dialling: 1, ringing: 2, talking: 3, ended: 4 };
const SHARED = ["provider", "operation", "state", "outcome", "cause", "ended_by", "rule", "caller", "batch_id"];
const NONE = [];

/** One text for each of the same, so that thousands of rows share them. */
class Words {
	#known = new Map();

	one(text) {
		if (!text) return "";
		if (this.#known.size > LIMIT) this.#known.clear();
		return this.#known.get(text) ?? (this.#known.set(text, text), text);
	}
}

class Rows {
	constructor() {
		this.clear();
	}

	clear() {
		this.byId = new Map();
		this.rows = []; // oldest first
		this.words = new Words();
		this.unsorted = false;
	}

	add(row) {
		// A list may bring older ones after the stream has brought newer ones.
		this.unsorted ||= this.rows.at(-1)?.order > row.order;
		this.byId.set(row.id, row);
		this.rows.push(row);
		if (this.rows.length > LIMIT + SPARE) {
			this.sort();
			for (const old of this.rows.splice(0, SPARE)) this.forget(old);
		}
	}

	forget(row) {
		this.byId.delete(row.id);
	}

	sort() {
		if (this.unsorted) this.rows.sort((a, b) => a.order - b.order);
		this.unsorted = false;
	}
}

export class Calls extends Rows {
	/** Takes a call as the API shows it; an older picture of it never replaces a newer one. */
	take(call) {
		const known = this.byId.get(call.id);
		if (known && ORDER[call.state] < ORDER[known.state]) return;
		const row = known ?? { id: call.id, number: call.number, submitted_at: call.submitted_at, order: Date.parse(call.submitted_at), receipt: "pending", pushed: [] };
		if (!known) this.add(row);
		for (const name of SHARED) row[name] = this.words.one(call[name]);
		row.keys = call.keys ?? "";
		row.provider_id = call.provider_id ?? "";
		row.references = call.references?.length ? call.references : NONE;
		row.talk = call.talk_seconds;
		row.charge = call.billing?.charge ?? "";
		row.ended = call.ended_at ? Date.parse(call.ended_at) : 0;
		if (row.receipt === "pending") row.receipt = call.receipt;
		const pushes = call.timeline.filter((point) => point.event === "callback");
		if (pushes.length > row.pushed.length) row.pushed = pushes.slice(0, PUSHES).map((point) => Date.parse(point.at));
	}

	/** Takes a push attempt of the stream: how the newest one went is the receipt of each call that it reports. */
	push(attempt) {
		for (const row of attempt.call_ids.map((id) => this.byId.get(id))) {
			if (!row) continue;
			if (row.receipt !== "delivered") row.receipt = attempt.outcome;
			if (row.pushed.length < PUSHES) row.pushed.push(Date.parse(attempt.at));
		}
	}
}

export class Requests extends Rows {
	clear() {
		super.clear();
		this.refused = 0;
		/** Calls of large submissions: which request placed them. */
		this.ofCall = new Map();
	}

	/** Takes a request as a row of the journal (`brief`). */
	take(entry) {
		if (this.byId.has(entry.id)) return;
		const { words } = this;
		const row = {
			id: entry.id, order: entry.id, at: entry.at, provider: words.one(entry.provider), operation: words.one(entry.operation), method: words.one(entry.request.method), path: words.one(entry.request.path),
			status: entry.reply?.status ?? "", code: words.one(entry.code), outcome: entry.refused ? "refused" : "accepted", fault: words.one(entry.fault), rule: words.one(entry.rule.reply ?? entry.rule.fault),
			ms: entry.duration_ms, attributed: entry.attributed, numbers: entry.numbers, words: entry.words, why: entry.why, fix: entry.fix, calls: entry.calls.length,
		};
		this.add(row);
		this.refused += entry.refused;
		if (entry.calls.length > BATCH) for (const id of entry.calls) this.ofCall.set(id, entry.id);
	}

	forget(row) {
		super.forget(row);
		this.refused -= row.outcome === "refused";
	}
}

/** The rules broken by a call (its id) or shown by an entry of the journal (its number), with the severity of each. */
export class Findings {
	constructor() {
		this.clear();
	}

	clear() {
		this.about = new Map();
		this.count = 0;
	}

	take({ rule, severity, call_id, entry }) {
		this.count++;
		for (const thing of [call_id, entry]) {
			if (thing === null || thing === undefined) continue;
			if (!this.about.has(thing)) this.about.set(thing, new Map());
			this.about.get(thing).set(rule, severity);
		}
	}

	rules(thing) {
		const found = this.about.get(thing);
		return found ? [...found.keys()] : NONE;
	}

	has(thing) {
		const found = this.about.get(thing);
		return found ? ["finding", ...new Set(found.values())] : NONE;
	}
}
