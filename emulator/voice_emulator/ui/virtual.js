// A list of which only the visible rows exist, as a grid: one active row, moved by key.

import { h, say } from "./dom.js";

const SPARE = 6;

export class VirtualGrid {
	/** `columns` are {name, title, cell(item), look?(item), link?(item)}: text, class and address of a cell. */
	constructor(label, columns, open, moved) {
		Object.assign(this, { columns, open, moved, items: [], active: null, height: 34, pool: new Map(), made: 0 });
		this.body = h("div.grid-body", { role: "rowgroup" });
		this.root = h("div.grid", { role: "grid", tabindex: 0, "aria-label": label, "aria-readonly": "true", onkeydown: (event) => this.#key(event) },
			h("div.grid-head", { role: "rowgroup" }, h("div.row", { role: "row", "aria-rowindex": 1 },
				columns.map(({ name, title }) => h(`span.cell.${name}`, { role: "columnheader" }, title)))),
			this.body);
		this.root.addEventListener("scroll", () => this.draw(), { passive: true });
		this.observer = new ResizeObserver(() => this.#resize());
		this.observer.observe(this.root);
	}

	/** Takes what is to be shown; with `added` new ones above, the rows in view stay where they are. */
	show(items, added) {
		const scrolled = this.root.scrollTop > this.height / 2;
		this.items = items;
		this.root.setAttribute("aria-rowcount", items.length + 1);
		this.body.style.height = `${items.length * this.height}px`;
		if (scrolled && added) this.root.scrollTop += added * this.height;
		this.draw();
	}

	#resize() {
		const width = this.root.clientWidth;
		this.root.classList.toggle("narrow", width < 520);
		this.root.classList.toggle("wide", width > 1000);
		this.height = width < 520 ? 54 : 34;
		this.show(this.items, 0);
	}

	/** Makes `id` the active row and brings it into view. */
	activate(id) {
		this.active = id;
		const index = this.items.findIndex((item) => item.id === id);
		const { root, height } = this;
		const room = root.clientHeight - root.firstChild.offsetHeight - height;
		if (index >= 0) root.scrollTop = Math.min(index * height, Math.max(root.scrollTop, index * height - room));
		this.draw();
	}

	move(step) {
		if (!this.items.length) return;
		const index = this.items.findIndex((item) => item.id === this.active);
		const item = this.items[Math.max(0, Math.min(this.items.length - 1, index + step))];
		this.activate(item.id);
		this.moved(item);
	}

	get activeItem() {
		return this.items.find((item) => item.id === this.active);
	}

	#key(event) {
		const page = Math.max(1, Math.floor(this.root.clientHeight / this.height) - 2);
		const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 }[event.key];
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		if (step) this.move(step);
		else if (event.key === "Enter" && this.activeItem) this.open(this.activeItem, true);
		else return;
		event.preventDefault();
	}

	draw() {
		const { root, items, height, pool } = this;
		const first = Math.max(0, Math.floor(root.scrollTop / height) - SPARE);
		const shown = items.slice(first, Math.ceil((root.scrollTop + root.clientHeight) / height) + SPARE);
		const wanted = new Set(shown.map(({ id }) => id));
		const free = [];
		for (const [id, row] of pool) if (!wanted.has(id) && pool.delete(id)) free.push(row);
		root.removeAttribute("aria-activedescendant");
		shown.forEach((item, index) => {
			const row = pool.get(item.id) ?? free.pop() ?? this.#make();
			pool.set(item.id, row);
			this.#fill(row, item, first + index);
			if (item.id === this.active) root.setAttribute("aria-activedescendant", row.element.id);
		});
		for (const row of free) row.element.remove();
	}

	#make() {
		const cells = this.columns.map(({ link }) => (link ? h("a", { tabindex: -1 }) : h("span")));
		const row = { cells, element: h("div.row", { role: "row", id: `row-${++this.made}`, onclick: (event) => {
			if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link like any other
			event.preventDefault();
			this.open(row.item, false);
		} }, cells.map((cell, index) => h(`span.cell.${this.columns[index].name}`, { role: "gridcell" }, cell))) };
		this.body.append(row.element);
		return row;
	}

	#fill(row, item, index) {
		const top = index * this.height;
		if (row.top !== top) {
			row.element.style.transform = `translateY(${(row.top = top)}px)`;
			row.element.setAttribute("aria-rowindex", index + 2);
		}
		row.item = item;
		row.element.setAttribute("aria-selected", item.id === this.active);
		this.columns.forEach(({ cell, look, link }, position) => {
			const place = row.cells[position];
			say(place, cell(item));
			if (look && place.className !== look(item)) place.className = look(item);
			if (link) place.setAttribute("href", link(item));
		});
	}

	close() {
		this.observer.disconnect();
	}
}
