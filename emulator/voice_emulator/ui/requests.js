// The list of requests: every one that came, also those that were refused or that nobody serves.

import { enc } from "./api.js";
import { EntryDetail } from "./detail.js";
import { clockTime, count } from "./format.js";
import { ListView } from "./listview.js";
import { REQUEST_KEYS } from "./query.js";
import { firstCalls } from "./start.js";

const dot = (row) => `dot ${row.outcome === "refused" ? "bad" : "good"}`;
const what = (row) => row.operation || `${row.method} ${row.path}`;

export class RequestsView extends ListView {
	constructor(app) {
		super(app, {
			view: "requests", noun: "request", label: "Requests", placeholder: "Search: any id, a number, outcome:refused, code:…, fault:…", keys: REQUEST_KEYS, chipKeys: ["outcome", "fault", "has"],
			columns: [
				{ name: "time", title: "Time", width: 68, area: "c", sort: (row) => row.id, cell: (row) => clockTime(row.at) },
				{ name: "provider", title: "Provider", width: 92, drop: 4, area: "c", sort: (row) => row.provider, cell: (row) => row.provider || "none" },
				{ name: "operation", title: "Operation", width: 150, grow: 1, area: "a", sort: what, cell: what, link: (row) => app.link({ view: "requests", entry: row.id }) },
				{ name: "status", title: "Status", width: 50, drop: 5, sort: (row) => Number(row.status), cell: (row) => row.status || "none" },
				{ name: "code", title: "Code", width: 104, area: "b", sort: (row) => row.code, cell: (row) => row.code || row.outcome, look: dot },
				{ name: "ms", title: "ms", width: 56, drop: 7, down: true, sort: (row) => row.ms, cell: (row) => (row.ms < 10 ? row.ms.toFixed(1) : Math.round(row.ms)) },
				{ name: "numbers", title: "Numbers", width: 124, drop: 9, sort: (row) => row.numbers.length, cell: ({ numbers }) => (numbers.length > 1 ? `${count(numbers.length)} numbers` : (numbers[0] ?? "")) },
				{ name: "fault", title: "Fault", width: 96, drop: 8, sort: (row) => row.fault, cell: (row) => row.fault },
				{ name: "why", title: "Why refused", width: 180, grow: 2, drop: 2, area: "d", sort: (row) => row.why[0] ?? "", cell: (row) => row.why[0] ?? "" },
			],
		});
	}

	get store() {
		return this.app.requests;
	}

	get loading() {
		return this.app.loading.requests;
	}

	valuesOf(row, key) {
		const { findings } = this.app;
		if (key === "id") return [String(row.id), ...row.words];
		if (key === "kind") return "request";
		if (key === "number") return row.numbers;
		if (key === "has") return findings.has(row.id);
		if (key === "finding") return findings.rules(row.id);
		if (key === "text") return [String(row.id), row.provider, row.operation, row.path, row.code, row.outcome, row.fault, row.rule, ...row.numbers, ...row.words, ...findings.rules(row.id)];
		return row[key];
	}

	place({ id }) {
		return { entry: id };
	}

	makeDetail({ entry }, back) {
		return new EntryDetail(this.app, entry, back);
	}

	chipRows(rows) {
		const tally = { accepted: 0, refused: 0, fault: 0, found: 0 };
		const { findings } = this.app;
		for (const row of rows) {
			tally[row.outcome]++;
			if (row.fault) tally.fault++;
			if (findings.about.has(row.id)) tally.found++;
		}
		return [["Refused", tally.refused, "outcome:refused", "bad"], ["Accepted", tally.accepted, "outcome:accepted", "good"], ["With a fault", tally.fault, "fault:?*", "odd"], ["With findings", tally.found, "has:finding", "warn"]];
	}

	nothing() {
		return firstCalls(this.app, "No requests yet");
	}

	curls() {
		const path = this.app.path();
		const query = this.query.trim() ? `&q=${enc(this.query.trim())}` : "";
		return [{ label: "This list of requests", path: `${path}/journal?kind=request&brief=true${query}` }, { label: "The live stream", path: `${path}/events?kind=request&brief=true` }, ...(this.detail?.curls() ?? [])];
	}
}
