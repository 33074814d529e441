// The calls of the tenant that is shown: the newest ones, kept small, merged from lists and from the stream.

export const LIMIT = 20000;
const SPARE = 1000;
const PUSHES = 100;
const ORDER = { queued: 0, dialling: 1, ringing: 2, talking: 3, ended: 4 };
const SHARED = ["provider", "operation", "state", "outcome", "cause", "ended_by", "rule", "caller", "batch_id"];

export class Store {
	constructor() {
		this.clear();
	}

	clear() {
		this.byId = new Map();
		this.rows = []; // oldest first
		this.words = new Map();
	}

	/** Takes a call as the API shows it; an older picture of it never replaces a newer one. */
	take(call) {
		const known = this.byId.get(call.id);
		if (known && ORDER[call.state] < ORDER[known.state]) return;
		const row = known ?? this.#add(call);
		for (const name of SHARED) row[name] = this.#shared(call[name]);
		row.keys = call.keys ?? "";
		row.provider_id = call.provider_id ?? "";
		row.talk = call.talk_seconds;
		row.charge = call.billing?.charge ?? "";
		row.ended = call.ended_at ? Date.parse(call.ended_at) : 0;
		if (row.receipt === "pending") row.receipt = call.receipt;
		const pushes = call.timeline.filter((point) => point.event === "callback");
		if (pushes.length > row.pushed.length) row.pushed = pushes.slice(0, PUSHES).map((point) => Date.parse(point.at));
	}

	/** Takes a push attempt of the stream: how the newest one went is the call's receipt. */
	push(attempt) {
		const row = this.byId.get(attempt.call_id);
		if (!row) return;
		if (row.receipt !== "delivered") row.receipt = attempt.outcome;
		if (row.pushed.length < PUSHES) row.pushed.push(Date.parse(attempt.at));
	}

	#add({ id, number, submitted_at }) {
		const row = { id, number, submitted_at, submitted: Date.parse(submitted_at), receipt: "pending", pushed: [] };
		// A list may bring older calls after the stream has brought newer ones.
		this.unsorted ||= this.rows.at(-1)?.submitted > row.submitted;
		this.byId.set(id, row);
		this.rows.push(row);
		if (this.rows.length > LIMIT + SPARE) {
			this.sort();
			for (const old of this.rows.splice(0, SPARE)) this.byId.delete(old.id);
		}
		return row;
	}

	sort() {
		if (this.unsorted) this.rows.sort((a, b) => a.submitted - b.submitted);
		this.unsorted = false;
	}

	#shared(text) {
		if (!text) return "";
		if (this.words.size > LIMIT) this.words.clear();
		return this.words.get(text) ?? (this.words.set(text, text), text);
	}
}
