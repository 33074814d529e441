// A test call, placed through the traffic port as a client would.

import { h, hint, put, say, soft } from "./dom.js";
import { inOrder, MAGIC, OUTCOMES } from "./format.js";
import { block, field, form, more } from "./widgets.js";
import { asText } from "./wire.js";

const name = (offer) => `${offer.provider} · ${offer.operation}`;

export class PlaceCard {
	constructor(app) {
		this.app = app;
		this.offers = [];
		this.operation = h("select", { onchange: () => this.#choose() });
		this.about = h("p.hint", { id: "place-about" });
		this.number = h("input.mono", { id: "place-number", value: "6281200017531", autocomplete: "off", spellcheck: "false", "aria-describedby": "place-about" });
		this.ends = h("select", { onchange: () => this.ends.value && (this.number.value = this.number.value.slice(0, -4) + this.ends.value) },
			h("option", { value: "" }, "by digits and rules"), Object.entries(MAGIC).map(([outcome, digits]) => h("option", { value: digits }, `${OUTCOMES[outcome][0]} (…${digits})`)));
		this.fields = h("textarea.mono", { rows: 7, spellcheck: "false", "aria-label": "Fields of the request as JSON" });
		this.result = h("div.stack.result", { role: "status" });
		this.root = h("div", form("Place the call", () => this.#place(), field("Operation", this.operation), this.about, field("Number", this.number), field("Ends", this.ends),
			more("Fields of the request", hint("Credentials and number are filled in; null leaves a field out."), this.fields)), this.result);
	}

	/** Reads what can be placed, once; after a failure again with the next thing that happens. */
	show() {
		return (this.shown ??= this.#load().catch(() => (this.shown = null)));
	}

	async #load() {
		const { offers } = await this.app.offers();
		this.offers = inOrder(new Set(offers.map(({ provider }) => provider))).flatMap((provider) => offers.filter((offer) => offer.provider === provider));
		put(this.operation, this.offers.map((offer) => h("option", name(offer))));
		if (this.offers.length) this.#choose();
	}

	get offer() {
		return this.offers[this.operation.selectedIndex];
	}

	#choose() {
		this.fields.value = JSON.stringify(this.offer.fields, null, 2);
		say(this.about, `${this.offer.title}. Number: ${this.offer.numbering}.`);
	}

	/** The body of the call: of the fields only what differs from the example. */
	get body() {
		const { provider, operation, fields } = this.offer;
		const given = JSON.parse(this.fields.value || "{}");
		const changed = Object.entries(given).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(fields[key]));
		const left = Object.keys(fields).filter((key) => !(key in given)).map((key) => [key, null]);
		return { provider, operation, number: this.number.value, fields: Object.fromEntries([...changed, ...left]) };
	}

	async #place() {
		await this.show();
		let json;
		try {
			json = this.body;
		} catch (error) {
			return put(this.result, h("p.reason", `The fields are not valid JSON: ${error.message}`));
		}
		const { exchanges, calls } = await this.app.call("POST", "/place", { json });
		put(this.result, calls.length ? h("p", "Placed: ", calls.map((id) => this.app.a({ id }, json.number))) : h("p.reason", "No call was placed."),
			exchanges.map(({ method, path, status, reply, error, entry }) => [
				h("p.hint", soft(`${method} ${path} `), entry && this.app.a({ entry }, `entry ${entry}`)), block(error ?? asText(`HTTP ${status}`, [], reply), `Reply to ${path}`)]));
	}

	curls() {
		try {
			return [{ label: "Place this test call", method: "POST", path: `${this.app.path()}/place`, body: JSON.stringify(this.body) }];
		} catch {
			return []; // the fields are half written
		}
	}
}
