// The scenario in force: pick a shipped one, or write YAML. What is written and not in force is a draft: kept in the browser for each tenant, and marked.

import { api, enc, pages } from "./api.js";
import { h, put, say } from "./dom.js";
import { act, button, toast } from "./widgets.js";

/** The entry of the list that stands for what is in force. */
const IN_FORCE = "";
/** Drafts where the browser keeps nothing: they hold until the page is left. */
const memory = new Map();

/** The drafts of a tenant, by what they were made from: the name of a shipped scenario, or IN_FORCE. */
class Drafts {
	constructor(tenant) {
		this.key = `drafts:${tenant}`;
		try {
			this.known = JSON.parse(localStorage[this.key] ?? "{}");
		} catch {
			this.known = memory.get(this.key) ?? {};
		}
	}

	get(source) {
		return Object.hasOwn(this.known, source) ? this.known[source] : undefined;
	}

	/** Keeps a draft; `undefined` forgets it. */
	set(source, text) {
		if (text === undefined) delete this.known[source];
		else this.known[source] = text;
		memory.set(this.key, this.known);
		try {
			localStorage[this.key] = JSON.stringify(this.known);
		} catch {
			// kept in memory alone
		}
	}
}

export class ScenarioCard {
	constructor(app) {
		this.app = app;
		this.shipped = new Map();
		this.source = IN_FORCE;
		this.picker = h("select", { id: "scenario-picker", "aria-label": "Scenario to show", onchange: () => act(this.picker, () => this.#show(this.picker.value)) });
		this.state = h("span.pill", { id: "scenario-state", role: "status" });
		this.description = h("p.hint");
		this.host = h("div.editor", { id: "scenario-editor" });
		this.findings = h("div", { id: "scenario-findings", role: "status" });
		this.apply = button("Put in force", () => this.#apply(), "button.primary", "Ctrl+Enter");
		this.discard = button("Discard the draft", () => this.#discard());
		this.root = h("div.stack", h("div.inline", this.picker, this.state), this.description, this.host, this.findings, h("div.buttons", this.apply, this.discard));
		this.listed = pages("/v1/scenarios", "scenarios", 1000, (page) => {
			for (const { name, description } of page) this.shipped.set(name, description);
		});
		this.opened = this.#open();
	}

	async #open() {
		// The editor is large, and needed here alone.
		const [{ openEditor }, schema] = await Promise.all([import("/ui/editor.js"), api("GET", "/scenario.schema.json")]);
		if (!this.closed) this.editor = openEditor(this.host, schema, { changed: () => this.#changed(), apply: () => this.apply.click() });
	}

	/** Another tenant, or another scenario in force. A draft stays as it is. */
	async show() {
		const { info, tenant } = this.app;
		const key = `${tenant} ${info.scenario}`;
		if (key === this.key) return;
		const other = this.tenant !== tenant;
		this.key = key;
		await Promise.all([this.listed, this.opened]);
		if (!this.editor || this.app.tenant !== tenant) return;
		if (other) {
			this.tenant = tenant;
			this.drafts = new Drafts(tenant);
			this.source = IN_FORCE;
		}
		const text = await this.app.call("GET", "/scenario", { text: true });
		if (this.app.tenant !== tenant) return;
		this.inForce = text;
		if (this.source === IN_FORCE) this.#write(text);
		this.#draw();
	}

	/** Shows an entry of the list: its draft, where there is one. */
	async #show(source) {
		const { tenant } = this;
		const text = source === IN_FORCE ? this.inForce : await api("GET", `/v1/scenarios/${enc(source)}`, { text: true });
		if (tenant !== this.tenant) return;
		this.source = source;
		this.#write(text);
		this.#draw();
	}

	/** Puts a text into the editor, or the draft that was made of it. */
	#write(text) {
		this.original = text;
		this.editor.text = this.drafts.get(this.source) ?? text;
		this.#mark([]);
	}

	#changed() {
		const { text } = this.editor;
		this.drafts.set(this.source, text === this.original ? undefined : text);
		this.#draw();
	}

	#discard() {
		this.drafts.set(this.source, undefined);
		this.#write(this.original);
		this.#draw();
		this.editor.focus();
	}

	/** The list says what is in force and what has a draft; so does the mark beside it. */
	#draw() {
		const { info } = this.app;
		const option = (source, label) => h("option", { value: source, selected: source === this.source }, label + (this.drafts.get(source) === undefined ? "" : " (unsaved draft)"));
		const key = JSON.stringify([info.scenario, this.source, Object.keys(this.drafts.known)]);
		if (key !== this.drawn) {
			this.drawn = key;
			put(this.picker, h("optgroup", { label: "In force" }, option(IN_FORCE, info.scenario)),
				h("optgroup", { label: "Shipped" }, [...this.shipped.keys()].map((name) => option(name, name === info.scenario ? `${name} (in force)` : name))));
		}
		const draft = this.drafts.get(this.source) !== undefined;
		const [word, colour] = draft ? ["unsaved draft", "warn"] : this.source === IN_FORCE ? ["in force", "good"] : ["not in force", "dim"];
		say(this.state, word);
		this.state.className = `pill ${colour}`;
		this.discard.hidden = !draft;
		say(this.description, this.shipped.get(this.source || info.scenario) ?? "");
	}

	async #apply() {
		if (!this.editor) return;
		const { source, tenant } = this;
		let info;
		try {
			info = await this.app.call("PUT", "/scenario", { yaml: this.editor.text });
		} catch (error) {
			return this.#mark(error.errors?.length ? error.errors : [error]);
		}
		if (tenant !== this.tenant) return;
		this.inForce = this.editor.text;
		this.key = `${tenant} ${info.scenario}`;
		this.app.setInfo(info);
		if (source === IN_FORCE || this.drafts.get(IN_FORCE) === undefined) {
			this.drafts.set(source, undefined);
			this.source = IN_FORCE;
			this.#write(this.inForce);
		} else this.#mark([]); // another draft waits where this one would go: both stay
		this.#draw();
		toast(`${info.scenario} is in force`);
	}

	/** Puts findings beside their lines, and all of them into a list below. */
	#mark(errors) {
		this.editor.mark(errors);
		put(this.findings, h("ul.problems", errors.map((error) => h("li", error.line ? h("button.link", { onclick: () => this.#goto(error) }, `Line ${error.line}, column ${error.column}`) : h("b", error.pointer || "Scenario"), `: ${error.message}`))));
	}

	#goto(error) {
		this.editor.show(error);
		this.editor.focus();
	}

	curls() {
		const path = `${this.app.path()}/scenario`;
		return [{ label: "Load a shipped scenario", method: "PUT", path, body: JSON.stringify({ name: this.source || this.app.info?.scenario }) },
			{ label: "Put the YAML in force", method: "PUT", path, body: this.editor?.text ?? "", type: "application/yaml" }];
	}

	close() {
		this.closed = true;
		this.editor?.close();
	}
}
