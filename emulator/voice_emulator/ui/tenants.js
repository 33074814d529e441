// The tenant: its credentials and receivers, and others: create, delete. The header switches.

import { api } from "./api.js";
import { h, hint, put } from "./dom.js";
import { inOrder } from "./format.js";
import { button, copyButton, field, flat, form, openDialog, options, toast } from "./widgets.js";

export class TenantCard {
	constructor(app) {
		this.app = app;
		this.root = h("div.stack");
	}

	show() {
		const { info, receivers } = this.app;
		const key = JSON.stringify([info.id, info.credentials, info.callback_urls, info.seed, receivers]);
		if (key === this.key) return;
		this.key = key;
		const urls = new Map([...new Set([...receivers, ...Object.keys(info.callback_urls)])].map((name) => [name, h("input.mono", { type: "url", value: info.callback_urls[name] ?? "", placeholder: "http://127.0.0.1:9000/…" })]));
		put(this.root,
			h("div.inline", h("b.mono.grow", info.id), hint(`seed ${info.seed}`), button("New…", () => this.create("real")), info.id !== "default" && button("Delete…", () => this.#delete(info.id))),
			h("h3", "Credentials"),
			inOrder(Object.keys(info.credentials)).map((provider) => [provider, info.credentials[provider]]).map(([provider, credentials]) => h("details.more", { open: true }, h("summary", provider), h("table.keys", h("tbody", flat(credentials).map(([name, value]) =>
				h("tr", h("th", { scope: "row" }, name), h("td.mono", value), h("td", copyButton(value, `Copy ${provider} ${name}`)))))))),
			h("h3", "Receivers"), hint("Where receipts are pushed to. A request’s own callback URL beats these."),
			form("Save receivers", async () => {
				const changed = [...urls].filter(([name, { value }]) => value !== (info.callback_urls[name] ?? "")).map(([name, { value }]) => [name, value || null]);
				this.app.setInfo(await this.app.call("PATCH", "", { json: { callback_urls: Object.fromEntries(changed) } }));
				toast("Receivers saved");
			}, [...urls].map(([name, input]) => field(name, input))));
	}

	async create(clock) {
		const { scenarios } = await api("GET", "/v1/scenarios?limit=1000");
		const id = h("input.mono", { autocomplete: "off", placeholder: "chosen for you" });
		const scenario = h("select", options(scenarios.map(({ name }) => name), "happy-path"));
		const seed = h("input", { type: "number", placeholder: "the scenario’s" });
		const speed = h("input", { value: clock, "aria-describedby": "clock-hint" });
		const problem = h("p.reason", { role: "alert" });
		const dialog = openDialog("New tenant", hint("A tenant is one customer of all providers, with credentials, scenario, clock and calls of its own."), form("Create", async () => {
			const json = { scenario: scenario.value, ...(id.value && { id: id.value }), ...(seed.value && { seed: Number(seed.value) }), ...(speed.value && { clock: speed.value }) };
			let tenant;
			try {
				tenant = await api("POST", "/v1/tenants", { json });
			} catch (error) {
				problem.textContent = error.message;
				return;
			}
			dialog.close();
			this.app.go({ tenant: tenant.id, view: "simulate" });
			toast(`Tenant ${tenant.id} created`);
		}, field("Id", id), field("Scenario", scenario), field("Seed", seed), field("Clock", speed), h("p.hint", { id: "clock-hint" }, "real, manual, or a speed such as 60x"), problem));
		id.focus();
	}

	#delete(id) {
		const dialog = openDialog(`Delete tenant ${id}?`, h("p", "Its calls, pushes under way and credentials go with it."), h("div.buttons", button("Delete", async () => {
			await this.app.call("DELETE");
			dialog.close();
			this.app.go({ tenant: "default", view: "simulate" });
		}, "button.danger")));
	}

	curls() {
		const path = this.app.path();
		return [{ label: "This tenant", path }, { label: "Create a tenant", method: "POST", path: "/v1/tenants", body: '{"scenario": "happy-path", "clock": "manual"}' },
			{ label: "Set a receiver", method: "PATCH", path, body: '{"callback_urls": {"nxcloud": "http://127.0.0.1:9000/nx"}}' }];
	}
}
