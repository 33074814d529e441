// The search box of a list: one field for everything, with completion of keys and values.

import { h, put, say } from "./dom.js";
import { quoted } from "./query.js";

const SHOWN = 12;

export class SearchBox {
	/** `changed(text)` is told what to search for; `valuesOf(key)` gives values to complete, `leave()` goes on to the list. */
	constructor({ label, placeholder, keys, valuesOf, changed, leave }) {
		Object.assign(this, { keys, valuesOf, changed, leave, offers: [], active: -1 });
		this.field = h("input", {
			id: "search", type: "search", placeholder, autocomplete: "off", spellcheck: "false", autocapitalize: "off", role: "combobox", "aria-expanded": "false",
			"aria-autocomplete": "list", "aria-controls": "search-offers", "aria-label": label, "aria-describedby": "search-error",
			oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onblur: () => this.#close(),
		});
		this.list = h("ul.offers", { id: "search-offers", role: "listbox", "aria-label": "Completions", hidden: true });
		this.error = h("p.reason", { id: "search-error", role: "status" });
		this.root = h("span.search", this.field, h("kbd", { "aria-hidden": "true" }, "/"), this.list);
	}

	get text() {
		return this.field.value;
	}

	set text(value) {
		this.field.value = value;
		this.#close();
	}

	/** `query` without a key at its end whose value is still to be written. */
	settled(query) {
		const [, before, key] = /^(.*?)(?:^|(?<=\s))-?([A-Za-z_]+):$/s.exec(query) ?? [];
		return key && this.keys.includes(key) && document.activeElement === this.field ? before : query;
	}

	complain(problem) {
		this.field.setAttribute("aria-invalid", Boolean(problem));
		say(this.error, problem);
	}

	focus() {
		this.field.focus();
		this.field.select();
	}

	#typed() {
		clearTimeout(this.typing);
		this.typing = setTimeout(() => this.changed(this.text), 150);
		this.#offer();
	}

	/** The term that is being written: where it begins, and its parts. */
	#term() {
		const before = this.text.slice(0, this.field.selectionStart ?? this.text.length);
		const [, lead, minus, key, value] = /^(.*?)(-?)(?:([A-Za-z_]+):)?((?:"[^"]*"?|[^\s"])*)$/s.exec(before) ?? [];
		if (lead === undefined || (lead && !/\s$/.test(lead))) return null;
		const last = key === undefined ? value : value.split(",").at(-1);
		return { key, last, start: before.length - last.length, empty: !minus && key === undefined && !value };
	}

	#offer() {
		const term = this.#term();
		this.offers = [];
		if (term && !term.empty) {
			const wanted = term.last.replaceAll('"', "").toLowerCase();
			if (term.key === undefined) this.offers = this.keys.filter((key) => key.startsWith(wanted)).map((key) => [`${key}:`, ""]);
			else if (this.keys.includes(term.key)) {
				this.offers = this.valuesOf(term.key).filter(([value]) => value.toLowerCase().includes(wanted) && value !== term.last).map(([value, count]) => [quoted(value), count]);
			}
		}
		this.offers = this.offers.slice(0, SHOWN);
		this.active = -1;
		this.#draw();
	}

	#draw() {
		const open = this.offers.length > 0;
		this.list.hidden = !open;
		this.field.setAttribute("aria-expanded", open);
		put(this.list, this.offers.map(([text, count], index) => h("li", {
			id: `offer-${index}`, role: "option", "aria-selected": String(index === this.active), onmousedown: (event) => {
				event.preventDefault(); // the field keeps the focus
				this.#accept(index);
			},
		}, h("span.grow", text), h("small", count))));
		if (this.active >= 0) this.field.setAttribute("aria-activedescendant", `offer-${this.active}`);
		else this.field.removeAttribute("aria-activedescendant");
	}

	#close() {
		this.offers = [];
		this.#draw();
	}

	#accept(index) {
		const { start } = this.#term();
		const [text] = this.offers[index];
		const done = !text.endsWith(":");
		const end = this.field.selectionStart;
		this.field.setRangeText(text + (done && end === this.text.length ? " " : ""), start, end, "end");
		this.#typed();
	}

	#key(event) {
		const { key } = event;
		const open = this.offers.length > 0;
		if (open && (key === "ArrowDown" || key === "ArrowUp")) {
			const count = this.offers.length;
			this.active = (this.active + (key === "ArrowDown" ? 1 : this.active < 0 ? 0 : -1) + count) % count;
			this.#draw();
		} else if (open && ((key === "Enter" && this.active >= 0) || (key === "Tab" && !event.shiftKey && this.active >= 0))) this.#accept(this.active);
		else if (open && key === "Escape") this.#close();
		else if (key === "Escape" && this.text) {
			this.text = "";
			this.#now();
		} else if (["Escape", "Enter", "ArrowDown"].includes(key)) {
			this.#now();
			this.#close();
			this.leave();
		} else return;
		event.preventDefault();
		event.stopPropagation();
	}

	#now() {
		clearTimeout(this.typing);
		this.changed(this.text);
	}

	close() {
		clearTimeout(this.typing);
	}
}
