// What is open beside the list: a call with its timeline, receipts, request and findings; or an entry of the journal.

import { api, enc } from "./api.js";
import { h, hint, later, mono, put, soft } from "./dom.js";
import { clockTime, outcomeOf, talk } from "./format.js";
import { lane } from "./timeline.js";
import { button, copyButton, facts, findingList, pill, section, toast } from "./widgets.js";
import { exchange, push, repeat } from "./wire.js";

class Detail {
	constructor(app, id, back) {
		Object.assign(this, { app, id, back, base: app.path(), abort: new AbortController() });
		this.root = h("article", { "aria-busy": "true" }, h("p.empty", "Loading…"));
		this.reload = later(() => this.load(), 250);
		this.load();
	}

	get(path) {
		return api("GET", this.base + path, { signal: this.abort.signal });
	}

	async load() {
		try {
			await this.app.ready; // where the traffic port is
			await this.read();
		} catch (error) {
			if (error.name !== "AbortError") this.draw("Not here", [], h("p.empty", error.message));
		}
	}

	draw(title, marks, ...content) {
		const held = this.root.querySelector("h2") === document.activeElement;
		put(this.root, h("header.detail-head", h("button.quiet.icon", { "aria-label": "Close (Escape)", onclick: this.back }, "←"), h("h2", { tabindex: -1 }, title), marks), content);
		this.root.setAttribute("aria-busy", "false");
		if (held || this.wanted) this.focus();
		this.wanted = false;
	}

	focus() {
		this.wanted = true;
		this.root.querySelector("h2")?.focus({ preventScroll: true });
	}

	changed() {}

	close() {
		this.abort.abort();
		this.reload.cancel();
		this.lane?.stop();
	}
}

export class CallDetail extends Detail {
	get path() {
		return `/calls/${enc(this.id)}`;
	}

	/** Something happened: if it is about this call, it is read again. */
	changed(kind, data) {
		if (kind === "resync" || (data.call_ids ?? [data.call?.id ?? data.call_id]).includes(this.id)) this.reload();
	}

	async read() {
		const id = enc(this.id);
		const [call, { callbacks }, { entries }, { violations }] = await Promise.all([
			this.get(this.path), this.get(`/callbacks?limit=200&call_id=${id}`), this.get(`/journal?kind=request&limit=1&call_id=${id}`), this.get(`/violations?q=call_id:${id}`),
		]);
		[this.entry] = entries;
		const ended = call.state === "ended";
		const open = new Map([...this.root.querySelectorAll("details[data-push]")].map((one) => [one.dataset.push, one.open]));
		const bill = call.billing;
		this.lane?.stop();
		this.lane = lane(call, callbacks.filter((one) => one.outcome !== "pending"));
		this.again = ended && button("Push again", () => this.pushAgain(), "button.primary", "Push the receipt again, now (p)");
		this.draw(call.number, [pill(outcomeOf(call)), h("span.tag", call.provider), h("span.grow"), h("button.quiet", { onclick: () => this.app.showCurls() }, "curl"), this.again],
			this.lane,
			facts([
				["Talk", call.talk_seconds && talk(call.talk_seconds)],
				["Charge", bill && [bill.charge, Number(bill.charge) > 0 && h("small", ` ${bill.cycles} × ${bill.cycle} s at ${bill.unit_price}`)]],
				["Hangup cause", call.cause], ["Ended by", call.ended_by], ["Keys pressed", call.keys], ["Rule", call.rule ?? "none: answered by default"],
				["Operation", call.operation], ["Caller", call.caller], ["Submitted", clockTime(call.submitted_at, true)],
				["Provider’s id", call.provider_id && mono(call.provider_id, " ", copyButton(call.provider_id, "Copy the provider’s id"))],
				["Batch", call.batch_id !== call.provider_id && call.batch_id && mono(call.batch_id)],
			]),
			violations.length ? section("Findings", findingList(this.app, violations)) : null,
			section(callbacks.length > 1 ? `Receipt, ${callbacks.length} pushes` : "Receipt", callbacks.length
				? callbacks.map((one, index) => push(one, index + 1, open.get(one.id) ?? index === callbacks.length - 1)) : hint(ended ? "Not pushed." : "Pushed when the call has ended.")),
			section("Request and reply", this.entry ? exchange(this.app, this.entry) : hint("The journal has forgotten the request.")),
			section("Everything in order", h("ol.steps", call.timeline.map((point) => h("li", mono(clockTime(point.at, true)), h("b", point.event), h("span", soft(point.detail)))))));
	}

	async pushAgain() {
		const { callbacks } = await api("POST", `${this.base + this.path}/push`);
		toast(callbacks.length ? `Pushed: ${callbacks.map((one) => `${one.outcome} ${one.status ?? ""}`).join(", ")}` : "Pushed; the answer is still out");
		this.reload();
	}

	curls() {
		const path = this.base + this.path;
		return [{ label: "This call", path }, { label: "Its pushes", path: `${this.base}/callbacks?call_id=${enc(this.id)}` },
			{ label: "Push its receipt again", method: "POST", path: `${path}/push` }, ...(this.entry ? [repeat(this.app, this.entry), { label: "Why it went so", path: `${this.base}/journal/${this.entry.id}/explain` }] : [])];
	}
}

export class EntryDetail extends Detail {
	get path() {
		return `/journal?after=${this.id - 1}&limit=1`;
	}

	async read() {
		const [{ entries: [entry] }, { entries: [row] }, { violations }] = await Promise.all([this.get(this.path), this.get(`${this.path}&brief=true`), this.get(`/violations?q=entry:${this.id}`)]);
		// Later ones exist: it was there once.
		if (entry?.id !== this.id) return this.draw(`Entry ${this.id}`, [], h("p.empty", entry ? "The journal no longer keeps this entry." : "There is no such entry."));
		if (entry.kind === "request") this.entry = entry;
		const title = entry.kind !== "request" ? `Entry ${this.id}` : (entry.operation ?? `${entry.request.method} ${entry.request.path}`);
		const marks = entry.kind !== "request" ? [h("span.tag", entry.kind)] : [pill(entry.refused ? ["refused", "bad"] : ["accepted", "good"]), entry.provider && h("span.tag", entry.provider)];
		this.draw(title, [marks, h("span.grow"), mono(clockTime(entry.at, true)), h("button.quiet", { onclick: () => this.app.showCurls() }, "curl")],
			row.why?.length ? section("Why it was refused", h("ul.problems", row.why.map((one) => h("li", soft(one)))), row.fix.length ? [h("h3", "How to fix it"), h("ul.advice", row.fix.map((one) => h("li", soft(one))))] : null) : null,
			violations.length ? section("Findings", findingList(this.app, violations)) : null,
			entry.kind === "request" ? section("Request and reply", exchange(this.app, entry))
				: entry.kind === "callback" ? section("Push", push(entry.callback, 1, true))
					: section("Entry", h("pre.block", { tabindex: 0 }, JSON.stringify(entry[entry.kind], null, 2))),
			entry.calls?.length ? section("Calls it placed", h("ul.links", entry.calls.slice(0, 50).map((id) => h("li", this.app.a({ id }, this.app.calls.byId.get(id)?.number ?? id))))) : null);
	}

	curls() {
		return [{ label: "This entry", path: this.base + this.path }, ...(this.entry ? [repeat(this.app, this.entry)] : [])];
	}
}
