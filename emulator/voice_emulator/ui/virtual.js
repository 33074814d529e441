// A list of which only the visible rows exist, as a grid: one active row, moved by key; columns that do not fit are left out.

import { h, say } from "./dom.js";

const SPARE = 6;
const GAP = 14;
const EDGE = 32;

export class VirtualGrid {
	/**
	 * `columns` are {name, title, width, grow?, drop?, area?, sort?(item), cell(item), look?(item), link?(item)}: text, class and address of a cell. The
	 * higher `drop`, the earlier a column goes when there is no room; those with an `area` stand in the two lines of a narrow list.
	 * `on` has open(item, byKey), moved(item), sorted(column), and where rows open toggle(item, open).
	 */
	constructor(label, columns, on) {
		Object.assign(this, { columns, on, items: [], active: null, height: 34, pool: new Map(), made: 0, shown: columns, sorting: null });
		this.body = h("div.grid-body", { role: "rowgroup" });
		this.heads = columns.map((column) => {
			const { name, title, sort, area } = column;
			return h(`span.cell.${name}.at-${area ?? "none"}`, { role: "columnheader" }, sort ? h("button.link", { type: "button", title: `Sort by ${title}`, onclick: () => on.sorted(column) }, title) : title);
		});
		this.root = h("div.grid", { role: on.toggle ? "treegrid" : "grid", tabindex: 0, "aria-label": label, "aria-readonly": "true", onkeydown: (event) => this.#key(event) },
			h("div.grid-head", { role: "rowgroup" }, h("div.row", { role: "row", "aria-rowindex": 1 }, this.heads)),
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

	/** Says by which column the items are sorted: {column, down}. */
	mark(sorting) {
		this.columns.forEach((column, index) => {
			const head = this.heads[index];
			if (sorting?.column === column) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
			else head.removeAttribute("aria-sort");
		});
	}

	#resize() {
		const width = this.root.clientWidth;
		const narrow = width < 520;
		this.root.classList.toggle("narrow", narrow);
		this.height = narrow ? 54 : 34;
		this.shown = narrow ? this.columns.filter(({ area }) => area) : [...this.columns];
		const needed = () => this.shown.reduce((sum, one) => sum + one.width + GAP, EDGE - GAP);
		while (!narrow && needed() > width) {
			const least = this.shown.reduce((most, one) => ((one.drop ?? 0) > (most.drop ?? 0) ? one : most));
			if (!least.drop) break;
			this.shown.splice(this.shown.indexOf(least), 1);
		}
		this.root.style.setProperty("--columns", this.shown.map((one) => (one.grow ? `minmax(${one.width}px, ${one.grow}fr)` : `${one.width}px`)).join(" "));
		this.#hide(this.heads);
		for (const row of this.pool.values()) this.#hide(row.boxes);
		this.show(this.items, 0);
	}

	#hide(boxes) {
		boxes.forEach((box, index) => (box.hidden = !this.shown.includes(this.columns[index])));
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
		this.on.moved(item);
	}

	get activeItem() {
		return this.items.find((item) => item.id === this.active);
	}

	#key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.root) return;
		const page = Math.max(1, Math.floor(this.root.clientHeight / this.height) - 2);
		const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 }[event.key];
		const turn = { ArrowRight: true, ArrowLeft: false }[event.key];
		const { activeItem } = this;
		if (step) this.move(step);
		else if (event.key === "Enter" && activeItem) this.on.open(activeItem, true);
		else if (turn !== undefined && activeItem && this.on.toggle) this.on.toggle(activeItem, turn);
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
		const boxes = cells.map((cell, index) => h(`span.cell.${this.columns[index].name}.at-${this.columns[index].area ?? "none"}`, { role: "gridcell" }, cell));
		const row = { cells, boxes, element: h("div.row", { role: "row", id: `row-${++this.made}`, onclick: (event) => {
			if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link like any other
			event.preventDefault();
			this.on.open(row.item, false);
		} }, boxes) };
		this.#hide(boxes);
		this.body.append(row.element);
		return row;
	}

	#fill(row, item, index) {
		const { element } = row;
		const top = index * this.height;
		if (row.top !== top) {
			element.style.transform = `translateY(${(row.top = top)}px)`;
			element.setAttribute("aria-rowindex", index + 2);
		}
		row.item = item;
		element.setAttribute("aria-selected", item.id === this.active);
		if (this.on.toggle) {
			element.setAttribute("aria-level", item.inside ? 2 : 1);
			element.classList.toggle("inside", Boolean(item.inside));
			if (item.members) element.setAttribute("aria-expanded", item.open);
			else element.removeAttribute("aria-expanded");
		}
		this.columns.forEach(({ cell, look, link }, position) => {
			const place = row.cells[position];
			say(place, String(cell(item) ?? ""));
			if (look && place.className !== look(item)) place.className = look(item);
			if (!link) return;
			const address = link(item);
			if (address) place.setAttribute("href", address);
			else place.removeAttribute("href");
		});
	}

	close() {
		this.observer.disconnect();
	}
}
