// A live list with its search box, chips, sorting, and beside it what is open. The lists of calls and of requests are two of these.

import { h, put, say } from "./dom.js";
import { count, plural } from "./format.js";
import { parseQuery, withTerm } from "./query.js";
import { SearchBox } from "./search.js";
import { VirtualGrid } from "./virtual.js";
import { options } from "./widgets.js";

export class ListView {
	/** `spec` has view, noun, label, placeholder, keys, columns, chipKeys. The other parts of a list are methods of the classes below. */
	constructor(app, spec) {
		Object.assign(this, { app, spec, query: "", sorting: null, matches: () => true });
		this.grid = new VirtualGrid(spec.label, spec.columns, {
			open: (item, byKey) => this.opened(item, byKey), moved: (item) => this.detail && !item.members && this.#go(item, true),
			sorted: (column) => this.#sort(column), toggle: this.toggle && ((item, open) => this.toggle(item, open)),
		});
		this.search = new SearchBox({
			label: `Search ${spec.noun}s`, placeholder: spec.placeholder, keys: spec.keys, valuesOf: (key) => this.completions(key), changed: (text) => this.#set(text),
			leave: () => {
				this.grid.root.focus();
				if (!this.grid.activeItem) this.grid.move(1);
			},
		});
		this.chips = h("div.chips", { role: "group", "aria-label": "Quick filters" });
		this.empty = h("div.empty");
		this.total = h("span.hint", { id: "total", role: "status" });
		this.pane = h("section.detail", { id: "detail", hidden: true, "aria-label": "Details" });
		this.root = h("div.lists",
			h("section.list", { "aria-label": spec.label }, h("div.filter", this.search.root, this.total), this.search.error, this.chips, this.grid.root, this.empty),
			this.pane);
	}

	/** Opens an item: by default its details, beside the list. */
	opened(item, byKey) {
		this.byKey = byKey;
		this.#go(item);
	}

	#go(item, replace) {
		this.app.go({ view: this.spec.view, ...this.place(item) }, replace);
	}

	follow(route) {
		const { id, entry, q } = route;
		const first = this.open === undefined;
		if (q !== this.query) {
			this.query = q;
			if (this.search.text.trim() !== q.trim()) this.search.text = q;
			this.#judge();
		}
		const open = entry ? `entry ${entry}` : id;
		if (open !== this.open) {
			this.open = open;
			this.detail?.close();
			this.detail = open ? this.makeDetail(route, () => this.app.go({ view: this.spec.view })) : null;
			put(this.pane, this.detail?.root);
			this.pane.hidden = !open;
			this.root.classList.toggle("open", Boolean(open));
			if (this.detail && (first || this.byKey || matchMedia("(max-width: 1023px)").matches)) this.detail.focus();
			if (!open && !first) this.grid.root.focus({ preventScroll: true });
			this.byKey = false;
		}
		this.flush();
		if (open) this.grid.activate(this.spec.view === "requests" ? entry : id);
	}

	flush() {
		const { store } = this;
		const { rows } = store;
		store.sort();
		const found = [];
		for (let index = rows.length - 1; index >= 0; index--) if (this.matches(rows[index])) found.push(rows[index]);
		const items = this.arranged(found);
		this.grid.show(items, this.sorting ? 0 : Math.max(0, items.indexOf(this.newest)));
		this.newest = items[0];
		const { noun } = this.spec;
		const all = rows.length;
		const told = this.query.trim() ? `${count(found.length)} of ${count(all)}` : plural(all, noun);
		say(this.total, this.loading ? (all ? `${told}, loading…` : "Loading…") : told);
		this.#drawChips(this.chipRows(rows), all);
		this.#drawEmpty(items.length ? "" : this.loading ? "loading" : all ? "filtered" : "none");
	}

	/** The items to show, of the rows found (newest first): as they are, or sorted by a column. */
	arranged(found) {
		return this.sorted(found);
	}

	sorted(items) {
		if (!this.sorting) return items;
		const { column, down } = this.sorting;
		const sign = down ? -1 : 1;
		return items.map((item) => [column.sort(item), item]).sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0)).map(([, item]) => item);
	}

	/** A click sorts, the next one turns round, the third goes back to the newest first. */
	#sort(column) {
		const { sorting } = this;
		const first = column.down ?? false;
		this.sorting = sorting?.column !== column ? { column, down: first } : sorting.down === first ? { column, down: !first } : null;
		this.grid.mark(this.sorting);
		this.flush();
	}

	changed(kind, data) {
		this.detail?.changed(kind, data);
	}

	#drawChips(rows, all) {
		const chips = [["All", all, ""], ...rows.filter(([, number]) => number)];
		const { providers } = this.app;
		const key = [this.query, providers, chips.map(([label]) => label)].join();
		if (key !== this.chipKey) {
			this.chipKey = key;
			const base = this.spec.chipKeys.reduce((text, name) => withTerm(text, name, ""), this.query);
			this.counts = chips.map(() => h("b.mono"));
			const shown = chips.map(([label, , term, colour], index) => {
				const on = this.query.trim() === `${base} ${term}`.trim();
				return h("button.chip", { "aria-pressed": String(on), onclick: () => this.#set(`${base} ${on ? "" : term}`.trim(), true) }, h(`span.dot.${colour ?? "no"}`, label), " ", this.counts[index]);
			});
			put(this.chips, h("select.chip", { "aria-label": "Provider", onchange: (event) => this.#set(withTerm(this.query, "provider", event.target.value), true) },
				h("option", { value: "" }, "every provider"), options(providers, /(?:^| )provider:(\w+)/.exec(this.query)?.[1])), shown);
		}
		chips.forEach(([, number], index) => say(this.counts[index], count(number)));
	}

	#drawEmpty(kind) {
		const key = kind === "none" ? `none ${this.app.traffic} ${this.app.info?.id}` : kind;
		if (key === this.emptyKind) return;
		this.emptyKind = key;
		this.empty.hidden = !kind;
		put(this.empty, {
			filtered: () => [h("p", `No ${this.spec.noun} matches.`), h("button", { onclick: () => this.#set("", true) }, `Show all ${this.spec.noun}s`)],
			loading: () => "Loading…",
			none: () => this.nothing(),
		}[kind]?.());
	}

	#set(text, write) {
		if (write) this.search.text = text;
		this.app.go({ ...this.app.route, q: text }, true);
	}

	/** Reads the query; what cannot be read leaves in force what was understood last. */
	#judge() {
		let problem = "";
		try {
			this.matches = parseQuery(this.search.settled(this.query), this.spec.keys, (row, key) => this.valuesOf(row, key));
		} catch (error) {
			problem = error.message;
		}
		this.search.complain(problem);
		this.newest = null;
	}

	/** Values to complete for a key: [value, how many rows have it], the most frequent first. */
	completions(key) {
		const tally = new Map();
		const { rows } = this.store;
		for (let index = rows.length - 1; index >= Math.max(0, rows.length - 5000); index--) {
			const found = this.valuesOf(rows[index], key);
			for (const value of Array.isArray(found) ? found.slice(0, 3) : [found]) if (value !== "" && value !== null && value !== undefined) tally.set(String(value), (tally.get(String(value)) ?? 0) + 1);
		}
		return [...tally].sort(([, a], [, b]) => b - a).map(([value, number]) => [value, count(number)]);
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

	close() {
		this.detail?.close();
		this.grid.close();
		this.search.close();
	}
}
