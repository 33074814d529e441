// The scenario in force: pick a shipped one, or write YAML; findings stand beside their lines.

import { api, enc, pages } from "./api.js";
import { h, put, say } from "./dom.js";
import { act, button, options, toast } from "./widgets.js";

const LINE = 20;

export class ScenarioCard {
	constructor(app) {
		this.app = app;
		this.shipped = new Map();
		this.picker = h("select", { id: "scenario-picker", "aria-label": "Shipped scenario", onchange: () => act(this.picker, () => this.#picked()) });
		this.description = h("p.hint");
		this.gutter = h("div.gutter.mono", { "aria-hidden": "true" });
		this.notes = h("div.notes", { "aria-hidden": "true" });
		this.text = h("textarea.mono", {
			id: "scenario-text", spellcheck: "false", wrap: "off", "aria-label": "Scenario as YAML", "aria-describedby": "scenario-findings",
			oninput: () => this.#number((this.touched = true)), onscroll: () => this.#scrolled(),
			onkeydown: (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.apply.click(),
		});
		this.findings = h("div", { id: "scenario-findings", role: "status" });
		this.apply = button("Put in force", () => this.#apply(), "button.primary", "Ctrl+Enter");
		this.root = h("div.stack", h("div.inline", this.picker, button("Load", async () => this.#loaded(await this.app.call("PUT", "/scenario", { json: { name: this.picker.value } })))), this.description,
			h("div.editor", this.gutter, h("div.paper", this.text, this.notes)), this.findings,
			h("div.buttons", this.apply, button("Back to what is in force", () => this.#fetch(true))));
		this.listed = pages("/v1/scenarios", "scenarios", 1000, (page) => {
			for (const { name, description } of page) this.shipped.set(name, description);
			put(this.picker, options([...this.shipped.keys()]));
		});
	}

	/** Another tenant, or another scenario in force: shows that, unless somebody is writing. */
	async show() {
		const { info, tenant } = this.app;
		const key = `${tenant} ${info.scenario}`;
		if (key === this.key) return;
		if (this.key && !this.key.startsWith(`${tenant} `)) this.touched = false;
		this.key = key;
		await this.listed;
		if (this.shipped.has(info.scenario)) this.picker.value = info.scenario;
		this.#describe();
		if (!this.touched) await this.#fetch();
	}

	async #fetch(over = false) {
		const { key } = this;
		const text = await this.app.call("GET", "/scenario", { text: true });
		if (over || (key === this.key && !this.touched)) this.#write(text);
	}

	async #picked() {
		this.#describe();
		this.#write(await api("GET", `/v1/scenarios/${enc(this.picker.value)}`, { text: true }));
	}

	#describe() {
		say(this.description, this.shipped.get(this.picker.value) ?? "");
	}

	#write(text) {
		this.text.value = text;
		this.touched = false;
		this.text.scrollTop = 0;
		this.#number();
		this.#mark([]);
	}

	#number() {
		this.notes.replaceChildren();
		const lines = this.text.value.split("\n").length;
		if (this.gutter.childElementCount !== lines) put(this.gutter, Array.from({ length: lines }, (_, index) => h("span", index + 1)));
	}

	#scrolled() {
		this.gutter.scrollTop = this.text.scrollTop;
		this.notes.style.transform = `translate(${-this.text.scrollLeft}px, ${-this.text.scrollTop}px)`;
	}

	async #apply() {
		try {
			this.#loaded(await this.app.call("PUT", "/scenario", { yaml: this.text.value }));
		} catch (error) {
			this.#mark(error.errors?.length ? error.errors : [error]);
		}
	}

	#loaded(info) {
		this.touched = false;
		this.key = `${this.app.tenant} `;
		this.#mark([]);
		this.app.setInfo(info);
		toast(`${info.scenario} is in force`);
	}

	/** Puts findings beside their lines, and all of them into a list below. */
	#mark(errors) {
		const lines = this.text.value.split("\n");
		const byLine = Map.groupBy(errors.filter(({ line }) => line), ({ line }) => line);
		this.text.setAttribute("aria-invalid", errors.length > 0);
		put(this.notes, [...byLine].map(([line, found]) => {
			const note = h("div.note", h("span", `← ${found.map(({ message }) => message).join("; ")}`));
			note.style.top = `${(line - 1) * LINE}px`;
			note.style.left = `${(lines[line - 1]?.length ?? 0) + 2}ch`;
			return note;
		}));
		put(this.findings, h("ul.problems", errors.map((error) => h("li", error.line ? h("button.link", { onclick: () => this.#goto(error) }, `Line ${error.line}, column ${error.column}`) : h("b", error.pointer || "Scenario"), `: ${error.message}`))));
		[...this.gutter.children].forEach((one, index) => one.classList.toggle("wrong", byLine.has(index + 1)));
		if (errors[0]?.line) this.text.scrollTop = (errors[0].line - 6) * LINE;
		this.#scrolled();
	}

	#goto({ line, column }) {
		const start = this.text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1) + column - 1;
		this.text.focus();
		this.text.setSelectionRange(start, start);
		this.text.scrollTop = (line - 6) * LINE;
	}

	curls() {
		const path = `${this.app.path()}/scenario`;
		return [{ label: "Load a shipped scenario", method: "PUT", path, body: JSON.stringify({ name: this.picker.value }) },
			{ label: "Put the YAML in force", method: "PUT", path, body: this.text.value, type: "application/yaml" }];
	}
}
