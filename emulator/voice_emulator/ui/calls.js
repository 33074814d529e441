// The calls view: query, chips, the live list, and beside it what is open.

import { enc } from "./api.js";
import { CallDetail, EntryDetail } from "./detail.js";
import { h, hint, put, say } from "./dom.js";
import { clockTime, count, MAGIC, outcomeOf, OUTCOMES, receiptOf, talk } from "./format.js";
import { KEYS, parseQuery, withTerm } from "./query.js";
import { VirtualGrid } from "./virtual.js";
import { options } from "./widgets.js";

const TOLD = ["delivered", "reconciled"];
const dot = ([, colour]) => `dot ${colour}`;

export class CallsView {
	constructor(app) {
		this.app = app;
		this.query = "";
		this.matches = () => true;
		this.grid = new VirtualGrid("Calls, newest first", [
			{ name: "time", title: "Time", cell: (row) => clockTime(row.submitted_at) },
			{ name: "provider", title: "Provider", cell: (row) => row.provider },
			{ name: "number", title: "Number", cell: (row) => row.number, link: (row) => app.link({ view: "calls", id: row.id }) },
			{ name: "outcome", title: "Outcome", cell: (row) => outcomeOf(row)[0], look: (row) => dot(outcomeOf(row)) },
			{ name: "talk", title: "Talk", cell: (row) => (row.talk ? talk(row.talk) : "") },
			{ name: "charge", title: "Charge", cell: (row) => (Number(row.charge) ? row.charge : "") },
			{ name: "receipt", title: "Receipt", cell: (row) => (row.ended ? receiptOf(row.receipt)[0] : ""), look: (row) => (row.ended ? dot(receiptOf(row.receipt)) : "") },
			{ name: "cause", title: "Hangup cause", cell: (row) => row.cause },
			{ name: "rule", title: "Rule", cell: (row) => row.rule },
		], (row, byKey) => {
			this.byKey = byKey;
			app.go({ view: "calls", id: row.id });
		}, (row) => this.detail && app.go({ view: "calls", id: row.id }, true));
		this.search = h("input", {
			id: "search", type: "search", placeholder: "provider:nxcloud outcome:busy number:628*", autocomplete: "off", spellcheck: "false",
			"aria-label": "Filter calls", "aria-describedby": "search-error", oninput: () => {
				clearTimeout(this.typing);
				this.typing = setTimeout(() => this.#set(this.search.value), 150);
			}, onkeydown: (event) => this.#searchKey(event),
		});
		this.error = h("p.reason", { id: "search-error", role: "status" });
		this.chips = h("div.chips", { role: "group", "aria-label": "Quick filters" });
		this.empty = h("div.empty");
		this.total = h("span.hint", { id: "total" });
		this.pane = h("section.detail", { id: "detail", hidden: true, "aria-label": "Details" });
		this.root = h("div.calls",
			h("section.list", { "aria-label": "Calls" }, h("div.filter", h("span.search", this.search, h("kbd", { "aria-hidden": "true" }, "/")), this.total),
				this.error, this.chips, this.grid.root, this.empty),
			this.pane);
	}

	follow(route) {
		const { id, entry, q } = route;
		const first = this.open === undefined;
		if (q !== this.query) {
			this.query = q;
			if (this.search.value.trim() !== q.trim()) this.search.value = q;
			this.#judge();
		}
		const open = entry ? `entry ${entry}` : id;
		if (open !== this.open) {
			this.open = open;
			this.detail?.close();
			this.detail = open ? new (entry ? EntryDetail : CallDetail)(this.app, entry || id, () => this.app.go({ view: "calls" })) : null;
			put(this.pane, this.detail?.root);
			this.pane.hidden = !open;
			this.root.classList.toggle("open", Boolean(open));
			if (this.detail && (first || this.byKey || matchMedia("(max-width: 1023px)").matches)) this.detail.focus();
			if (!open && !first) this.grid.root.focus({ preventScroll: true });
			this.byKey = false;
		}
		this.flush();
		if (id) this.grid.activate(id);
	}

	flush() {
		const { rows } = this.app.store;
		const tally = { running: 0, untold: 0 };
		const items = [];
		this.app.store.sort();
		for (let index = rows.length - 1; index >= 0; index--) {
			const row = rows[index];
			if (row.state !== "ended") tally.running++;
			else if (row.outcome) {
				tally[row.outcome] = (tally[row.outcome] ?? 0) + 1;
				if (!TOLD.includes(row.receipt)) tally.untold++;
			}
			if (this.matches(row)) items.push(row);
		}
		this.grid.show(items, Math.max(0, items.indexOf(this.newest)));
		this.newest = items[0];
		say(this.total, this.query.trim() ? `${count(items.length)} of ${count(rows.length)}` : `${count(rows.length)} call${rows.length === 1 ? "" : "s"}`);
		this.#drawChips(tally, rows.length);
		this.#drawEmpty(items.length ? "" : rows.length ? "filtered" : this.app.loading ? "loading" : "none");
	}

	changed(kind, data) {
		this.detail?.changed(kind, data);
	}

	#drawChips(tally, all) {
		const chips = [["All", all, ""], ["In progress", tally.running, "-state:ended", "live"],
			...Object.entries(OUTCOMES).map(([name, [label, colour]]) => [label, tally[name], `outcome:${name}`, colour]),
			["Not delivered", tally.untold, `state:ended -receipt:${TOLD}`, "bad"]].filter(([, number, term]) => number || !term);
		const key = [this.query, this.app.providers, chips.map(([label]) => label)].join();
		if (key !== this.chipKey) {
			this.chipKey = key;
			const base = ["outcome", "state", "receipt"].reduce((text, name) => withTerm(text, name, ""), this.query);
			this.counts = chips.map(() => h("b.mono"));
			const shown = chips.map(([label, , term, colour], index) => {
				const on = this.query.trim() === `${base} ${term}`.trim();
				return h("button.chip", { "aria-pressed": String(on), onclick: () => this.#set(`${base} ${on ? "" : term}`.trim(), true) }, h(`span.dot.${colour ?? "no"}`, label), " ", this.counts[index]);
			});
			put(this.chips, h("select.chip", { "aria-label": "Provider", onchange: (event) => this.#set(withTerm(this.query, "provider", event.target.value), true) },
				h("option", { value: "" }, "every provider"), options(this.app.providers, /(?:^| )provider:(\w+)/.exec(this.query)?.[1])), shown);
		}
		chips.forEach(([, number], index) => say(this.counts[index], count(number)));
	}

	#drawEmpty(kind) {
		if (kind === this.emptyKind) return;
		this.emptyKind = kind;
		this.empty.hidden = !kind;
		put(this.empty, {
			filtered: [h("p", "No call matches."), h("button", { onclick: () => this.#set("", true) }, "Show all calls")],
			loading: "Loading…",
			none: [h("h2", "No calls yet"), h("p", "Point your client at ", h("code", this.app.traffic || "the traffic port"), " with this tenant’s credentials, or place a test call. ", `The last digits of a number decide how its call ends: …${MAGIC.busy} is busy, …${MAGIC.no_answer} rings out.`), h("a.button.primary", { href: this.app.link({ view: "bend" }) }, "Place a test call")],
		}[kind]);
	}

	#set(text, write) {
		clearTimeout(this.typing);
		if (write) this.search.value = text;
		this.app.go({ ...this.app.route, q: text }, true);
	}

	#searchKey(event) {
		if (event.key === "Escape" && this.search.value) this.#set("", true);
		else if (["Escape", "Enter", "ArrowDown"].includes(event.key)) {
			this.#set(this.search.value);
			this.grid.root.focus();
			if (!this.grid.activeItem) this.grid.move(1);
		} else return;
		event.preventDefault();
	}

	/** Reads the query; what cannot be read leaves in force what was understood last. */
	#judge() {
		let problem = "";
		try {
			this.matches = parseQuery(this.query);
		} catch (error) {
			problem = error.message;
		}
		this.search.setAttribute("aria-invalid", Boolean(problem));
		say(this.error, problem);
		this.newest = null;
	}

	key({ key }) {
		if (key === "j" || key === "k") {
			this.grid.move(key === "j" ? 1 : -1);
			if (!this.pane.contains(document.activeElement)) this.grid.root.focus({ preventScroll: true });
		} else if (key === "/") this.search.focus();
		else if (key === "Escape" && this.detail) this.detail.back();
		else if (key === "p" && this.detail?.again) this.detail.again.click();
		else return false;
		return true;
	}

	curls() {
		const path = this.app.path();
		const query = this.query.trim() ? `?q=${enc(this.query.trim())}` : "";
		return [{ label: "This list of calls", path: `${path}/calls${query}` }, { label: "The live stream", path: `${path}/events` }, ...(this.detail?.curls() ?? [])];
	}

	close() {
		this.detail?.close();
		this.grid.close();
		clearTimeout(this.typing);
	}
}

export const queryHelp = () => [
	h("p", "Terms key:value, all of which must hold; the API takes the same as ?q=. A value may have * and ? as wildcards, commas join alternatives, - in front turns a term round, quotes keep blanks together, a bare word is looked for in the number."),
	hint("Keys: ", KEYS.join(", ")),
];
