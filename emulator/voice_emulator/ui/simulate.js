// Simulate: clock, test calls, scenario, tenants, reset.

import { h, hint, put, say } from "./dom.js";
import { clockTime, span } from "./format.js";
import { PlaceCard } from "./test-call.js";
import { ScenarioCard } from "./scenario.js";
import { TenantCard } from "./tenants.js";
import { button, card, form, openDialog, toast } from "./widgets.js";

const STEPS = [["1 s", 1], ["10 s", 10], ["1 min", 60], ["10 min", 600], ["1 h", 3600], ["1 day", 86400]];

export class SimulateView {
	constructor(app) {
		this.app = app;
		this.clock = h("div.stack");
		this.result = h("p.hint", { role: "status" });
		this.place = new PlaceCard(app);
		this.scenario = new ScenarioCard(app);
		this.tenants = new TenantCard(app);
		this.root = h("div.simulate",
			h("div.stack", card("Clock", this.clock, this.result), card("Place a test call", this.place.root),
				card("Reset", hint("Forgets calls, tokens, journal and rule counters; a manual clock goes back to its start. Credentials and scenario stay."), h("div.buttons",
					h("button", { onclick: () => this.#reset("Reset this tenant?", "") }, "Reset…"), h("button", { onclick: () => this.#reset("Back to the start, also of scenario and settings?", "?to=start") }, "Back to the start…")))),
			card("Scenario", this.scenario.root), card("Tenant", this.tenants.root));
	}

	follow() {
		this.flush();
	}

	/** The tenant may be another one, or have another clock. */
	flush() {
		const { info, tenant } = this.app;
		if (!info) return;
		const key = `${tenant} ${info.clock}`;
		if (key !== this.clockKey) {
			this.clockKey = key;
			say(this.result, "");
			this.#drawClock(info.clock);
		}
		say(this.time, `${info.now.slice(0, 10)} ${clockTime(info.now)}`);
		this.place.show();
		this.scenario.show();
		this.tenants.show();
	}

	changed() {}

	#drawClock(clock) {
		this.time = h("b.mono.big");
		if (clock !== "manual") {
			return put(this.clock, h("p", clock === "real" ? "The clock runs in real time." : `The clock runs at ${clock} real time.`, " Only a manual clock can be advanced."),
				button("Create a tenant with a manual clock", () => this.tenants.create("manual")));
		}
		const by = h("input", { type: "number", min: 0, step: "any", value: 90, "aria-label": "Seconds to advance" });
		put(this.clock, this.time,
			h("div.buttons", { role: "group", "aria-label": "Advance by" }, STEPS.map(([label, seconds]) => button(`+ ${label}`, () => this.advance({ seconds })))),
			h("div.buttons", button("To the next thing due", () => this.advance({ to: "next" }), "button.primary"), button("Until idle", () => this.advance({ to: "idle" }), "button", "Until nothing is pending, a day at most")),
			form("Advance by so many seconds", () => this.advance({ seconds: Number(by.value) }), by));
	}

	async advance(json) {
		const before = Date.parse(this.app.info.now);
		const done = await this.app.call("POST", "/clock/advance", { json });
		this.app.setNow(done.now);
		say(this.result, [`${span(Date.parse(done.now) - before)} passed: steps ${done.fired}, pushes ${done.callbacks.length}.`, done.complete ? "" : "Not complete: the wall limit was reached.",
			done.next_due ? `Next thing due at ${clockTime(done.next_due, true)}.` : "Nothing is pending."].join(" "));
		this.flush();
	}

	#reset(title, query) {
		const dialog = openDialog(title, h("p", "Calls, tokens, journal and rule counters are forgotten."), h("div.buttons", button("Reset", async () => {
			await this.app.call("POST", `/reset${query}`);
			dialog.close();
			toast("Reset");
			this.app.reload();
		}, "button.danger")));
	}

	key() {
		return false;
	}

	curls() {
		const path = this.app.path();
		const post = (label, place, json) => ({ label, method: "POST", path: path + place, body: json && JSON.stringify(json) });
		return [...this.place.curls(), post("Advance to the next thing due", "/clock/advance", { to: "next" }), post("Advance by 90 seconds", "/clock/advance", { seconds: 90 }),
			...this.scenario.curls(), ...this.tenants.curls(), post("Reset", "/reset")];
	}

	close() {
		this.scenario.close();
	}
}
