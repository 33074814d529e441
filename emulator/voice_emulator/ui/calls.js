// The list of calls. The calls of a large submission are one row, which opens.

import { enc } from "./api.js";
import { CallDetail, EntryDetail } from "./detail.js";
import { clockTime, count, outcomeOf, OUTCOMES, plural, receiptOf, RECEIPTS, talk } from "./format.js";
import { ListView } from "./listview.js";
import { CALL_KEYS } from "./query.js";
import { firstCalls } from "./start.js";
import { BATCH } from "./store.js";

/** Words for how the client learnt of the end: it did; it may still; it did not. */
const TOLD = ["delivered", "reconciled"];
const OPEN = ["pending", "none"];
const UNTOLD = Object.keys(RECEIPTS).filter((word) => !TOLD.includes(word) && !OPEN.includes(word));
const dot = ([, colour]) => `dot ${colour}`;

/** The calls of one submission as a row of the list. */
class Batch {
	constructor(key) {
		Object.assign(this, { id: `batch:${key}`, members: [], open: false });
	}

	/** Replaces the calls, the newest first. */
	take(members) {
		const [first] = members;
		Object.assign(this, { members, provider: first.provider, submitted_at: first.submitted_at, rule: first.rule, tally: null });
	}

	/** How many ended, how, and of how many the client has learnt. */
	get sums() {
		if (this.tally) return this.tally;
		const sums = (this.tally = { ended: 0, told: 0, untold: 0, talk: 0, charge: 0, outcomes: new Map() });
		for (const { state, outcome, receipt, talk: seconds, charge } of this.members) {
			if (state !== "ended") continue;
			sums.ended++;
			sums.talk += seconds ?? 0;
			sums.charge += Number(charge) || 0;
			sums.outcomes.set(outcome, (sums.outcomes.get(outcome) ?? 0) + 1);
			if (TOLD.includes(receipt)) sums.told++;
			else if (UNTOLD.includes(receipt)) sums.untold++;
		}
		return sums;
	}

	get outcome() {
		const { ended } = this.sums;
		const all = this.members.length;
		return ended === all ? [`${count(all)} ended`, "dim"] : [`${count(ended)} of ${count(all)} ended`, "live"];
	}

	get receipt() {
		const { told, untold } = this.sums;
		if (!told && !untold) return ["", "no"];
		return untold ? [`${count(untold)} not delivered`, "bad"] : told === this.members.length ? [`${count(told)} delivered`, "good"] : [`${count(told)} delivered`, "dim"];
	}

	get outcomes() {
		return [...this.sums.outcomes].sort(([, a], [, b]) => b - a).map(([word, number]) => `${outcomeOf({ outcome: word, state: "ended" })[0]} ${count(number)}`).join(", ");
	}
}

const either = (of, single) => (row) => (row.members ? of(row) : single(row));
const money = (value) => (value ? String(Number(value.toFixed(6))) : "");

export class CallsView extends ListView {
	constructor(app) {
		super(app, {
			view: "calls", noun: "call", label: "Calls", placeholder: "Search: a number, any id, outcome:busy, has:finding …", keys: CALL_KEYS, chipKeys: ["outcome", "state", "receipt", "has"],
			columns: [
				{ name: "time", title: "Time", width: 68, area: "c", down: false, sort: (row) => row.submitted_at, cell: (row) => clockTime(row.submitted_at) },
				{ name: "provider", title: "Provider", width: 92, drop: 4, area: "c", sort: (row) => row.provider, cell: (row) => row.provider },
				{ name: "number", title: "Number", width: 128, grow: 1.4, area: "a", sort: either((row) => row.members[0].number, (row) => row.number),
					cell: either((row) => `${row.open ? "▾" : "▸"} ${plural(row.members.length, "number")}`, (row) => row.number), link: either((row) => this.#request(row), (row) => app.link({ view: "calls", id: row.id })) },
				{ name: "outcome", title: "Outcome", width: 112, grow: 1, area: "b", sort: either((row) => row.outcome[0], (row) => outcomeOf(row)[0]), cell: either((row) => row.outcome[0], (row) => outcomeOf(row)[0]), look: either((row) => dot(row.outcome), (row) => dot(outcomeOf(row))) },
				{ name: "talk", title: "Talk", width: 48, drop: 7, down: true, sort: either((row) => row.sums.talk, (row) => row.talk ?? -1), cell: either((row) => (row.sums.talk ? talk(row.sums.talk) : ""), (row) => (row.talk ? talk(row.talk) : "")) },
				{ name: "charge", title: "Charge", width: 64, drop: 6, down: true, sort: either((row) => row.sums.charge, (row) => Number(row.charge)), cell: either((row) => money(row.sums.charge), (row) => (Number(row.charge) ? row.charge : "")) },
				{ name: "receipt", title: "Receipt", width: 104, grow: 1, drop: 1, area: "d", sort: either((row) => row.receipt[0], (row) => (row.ended ? row.receipt : "")),
					cell: either((row) => row.receipt[0], (row) => (row.ended ? receiptOf(row.receipt)[0] : "")), look: either((row) => dot(row.receipt), (row) => (row.ended ? dot(receiptOf(row.receipt)) : "")) },
				{ name: "cause", title: "Hangup cause", width: 150, grow: 1.2, drop: 8, sort: either((row) => row.outcomes, (row) => row.cause), cell: either((row) => row.outcomes, (row) => row.cause) },
				{ name: "rule", title: "Rule", width: 120, grow: 1, drop: 9, sort: (row) => row.rule, cell: (row) => row.rule },
			],
		});
		this.batches = new Map();
	}

	get store() {
		return this.app.calls;
	}

	get loading() {
		return this.app.loading.calls;
	}

	valuesOf(row, key) {
		const { findings } = this.app;
		if (key === "id") return [row.id, row.provider_id, row.batch_id, ...row.references];
		if (key === "has") return findings.has(row.id);
		if (key === "finding") return findings.rules(row.id);
		if (key === "text") return [row.id, row.provider_id, row.batch_id, row.number, row.provider, row.operation, row.caller, row.state, row.outcome, row.cause, row.ended_by, row.keys, row.rule, row.receipt, ...row.references, ...findings.rules(row.id)];
		return row[key];
	}

	place({ id }) {
		return { id };
	}

	makeDetail({ id, entry }, back) {
		return new (entry ? EntryDetail : CallDetail)(this.app, entry || id, back);
	}

	chipRows(rows) {
		const tally = { running: 0, open: 0, untold: 0, found: 0 };
		const { findings } = this.app;
		for (const row of rows) {
			if (row.state !== "ended") tally.running++;
			else if (row.outcome) {
				tally[row.outcome] = (tally[row.outcome] ?? 0) + 1;
				if (row.receipt === "pending") tally.open++;
				else if (UNTOLD.includes(row.receipt)) tally.untold++;
			}
			if (findings.about.has(row.id)) tally.found++;
		}
		return [["In progress", tally.running, "-state:ended", "live"], ...Object.entries(OUTCOMES).map(([name, [label, colour]]) => [label, tally[name], `outcome:${name}`, colour]),
			["Receipt pending", tally.open, "state:ended receipt:pending", "dim"], ["Not delivered", tally.untold, `state:ended receipt:${UNTOLD}`, "bad"], ["With findings", tally.found, "has:finding", "warn"]];
	}

	/** Large submissions are one row each, unless a query picks calls out of them. */
	arranged(found) {
		if (this.query.trim()) {
			for (const row of found) row.inside = false;
			return this.sorted(found);
		}
		const groups = new Map();
		for (const row of found) {
			const key = this.#key(row);
			if (!key) continue;
			if (!groups.has(key)) groups.set(key, []);
			groups.get(key).push(row);
		}
		const items = [];
		const taken = new Set();
		for (const row of found) {
			const key = this.#key(row);
			const members = key && groups.get(key);
			if (!members || members.length <= BATCH) items.push(row);
			else if (!taken.has(key)) {
				taken.add(key);
				if (!this.batches.has(key)) this.batches.set(key, new Batch(key));
				const batch = this.batches.get(key);
				batch.take(members);
				items.push(batch);
			}
			row.inside = Boolean(members?.length > BATCH);
		}
		return this.sorted(items).flatMap((item) => (item.open ? [item, ...item.members] : [item]));
	}

	#key(row) {
		return row.batch_id ? `${row.provider} ${row.batch_id}` : this.app.requests.ofCall.get(row.id);
	}

	#request(batch) {
		const entry = this.app.requests.ofCall.get(batch.members[0].id);
		return entry ? this.app.link({ view: "requests", entry }) : null;
	}

	opened(item, byKey) {
		if (item.members) this.toggle(item, !item.open);
		else super.opened(item, byKey);
	}

	toggle(item, open) {
		const batch = item.members ? item : this.batches.get(this.#key(item));
		if (!batch?.members.length || batch.open === open) return;
		batch.open = open;
		this.flush();
		this.grid.activate(batch.id);
	}

	nothing() {
		return firstCalls(this.app, "No calls yet");
	}

	curls() {
		const path = this.app.path();
		const query = this.query.trim() ? `?q=${enc(this.query.trim())}` : "";
		return [{ label: "This list of calls", path: `${path}/calls${query}` }, { label: "The live stream", path: `${path}/events` }, ...(this.detail?.curls() ?? [])];
	}
}
