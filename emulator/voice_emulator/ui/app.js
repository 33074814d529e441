// The page: address, header, live data, keys. The views do the rest.

import { api, enc, made, pages } from "./api.js";
import { CallsView } from "./calls.js";
import { $, h, hint, later, put, say } from "./dom.js";
import { count, inOrder } from "./format.js";
import { CALL_KEYS, REQUEST_KEYS } from "./query.js";
import { RequestsView } from "./requests.js";
import { SimulateView } from "./simulate.js";
import { Calls, Findings, LIMIT, Requests } from "./store.js";
import { Stream } from "./stream.js";
import { VerdictView, zone } from "./verdict.js";
import { command, openDialog, toast } from "./widgets.js";

const VIEWS = { calls: CallsView, requests: RequestsView, simulate: SimulateView, verdict: VerdictView };
const TITLES = { calls: "Calls", requests: "Requests", simulate: "Simulate", verdict: "Verdict" };
const KEYS = {
	"j k ↓ ↑": "next and previous row", Enter: "open it", "→ ←": "open and close a batch", Esc: "close it, leave a field", "/": "search", p: "push the open call’s receipt again",
	"1 2 3 4": "Calls, Requests, Simulate, Verdict", c: "this page as curl commands", "?": "this help",
};

/** Choices are kept where the browser allows it. */
let storage = {};
try {
	storage = localStorage;
} catch {
	// else they hold until the page is left
}

/** An address is #/tenant/view/id?q=… */
class App {
	constructor() {
		Object.assign(this, { calls: new Calls(), requests: new Requests(), findings: new Findings(), tenant: "", info: null, providers: [], receivers: [], traffic: "", loading: { calls: true, requests: true } });
		this.flush = later(() => {
			this.#countRefusals();
			this.view?.flush();
		}, 150);
	}

	/** The address of a place; the tenant and, within a list, the query stay as they are. An entry that is a request stands in the list of requests. */
	link({ tenant = this.tenant, view, id, entry, q }) {
		if (entry && view === "calls" && this.requests.byId.has(entry)) view = "requests";
		q ??= this.route?.view === view && tenant === this.tenant ? this.route.q : "";
		const place = entry ? (view === "requests" ? `/${entry}` : `/entry/${entry}`) : id ? `/${enc(id)}` : "";
		return `#/${enc(tenant)}/${view}${place}${q && `?q=${enc(q)}`}`;
	}

	a(place, text) {
		return h("a", { href: this.link({ view: "calls", ...place }) }, text);
	}

	go(place, replace = false) {
		if (replace) {
			history.replaceState(null, "", this.link(place));
			this.#follow();
		} else location.hash = this.link(place);
	}

	path() {
		return `/v1/tenants/${enc(this.tenant)}`;
	}

	/** A call about the tenant. */
	call(method, place = "", options) {
		return api(method, this.path() + place, options);
	}

	#read() {
		const [path, query] = location.hash.slice(1).split("?");
		const [, tenant, view, id = "", entry] = path.split("/").map((part) => {
			try {
				return decodeURIComponent(part);
			} catch {
				return part; // a stray % is itself
			}
		});
		const known = Object.hasOwn(VIEWS, view ?? "") ? view : "calls";
		const number = known === "requests" ? Number(id) : id === "entry" && Number(entry);
		return { tenant: tenant || "default", view: known, ...(Number.isSafeInteger(number) && number > 0 ? { entry: number } : { id: known === "calls" ? id : "" }), q: new URLSearchParams(query).get("q") ?? "" };
	}

	#follow() {
		const before = this.route;
		const route = (this.route = this.#read());
		if (route.tenant !== this.tenant) this.#enter(route.tenant);
		if (before?.view !== route.view || before.tenant !== route.tenant) {
			this.view?.close();
			this.view = new VIEWS[route.view](this);
			put($("main"), this.view.root);
			if (before) $("main").focus({ preventScroll: true });
		}
		for (const one of $("views").children) {
			one.href = this.link({ view: one.dataset.view, q: "" });
			if (one.dataset.view === route.view) one.setAttribute("aria-current", "page");
			else one.removeAttribute("aria-current");
		}
		document.title = `${TITLES[route.view]} · ${route.tenant} · voice-emulator`;
		this.view.follow(route);
	}

	#enter(tenant) {
		Object.assign(this, { tenant, info: null, loading: { calls: true, requests: true }, placeable: null });
		for (const known of [this.calls, this.requests, this.findings]) known.clear();
		this.stream?.close();
		this.stream = new Stream(this.path(), {
			open: (again) => {
				this.#tell("live", "live");
				if (again) toast("Connected again");
				this.reload();
			},
			lost: () => this.#lost(),
			data: (kind, data) => this.#take(kind, data),
		});
		this.ready = this.refresh();
	}

	#tell(state, text, ...banner) {
		$("connection").dataset.state = state;
		say($("connection"), text);
		$("banner").hidden = !banner.length;
		put($("banner"), banner);
	}

	#lost() {
		this.#tell("lost", "connection lost", "The connection to the emulator is lost. What is shown may be old; the page tries again by itself.");
		this.refresh();
	}

	/** Reads everything again: the stream tells only what is new. */
	async reload() {
		this.reading?.abort();
		const { signal } = (this.reading = new AbortController());
		const path = this.path();
		this.refresh();
		for (const known of [this.calls, this.requests, this.findings]) known.clear();
		this.loading = { calls: true, requests: true };
		this.#countRefusals();
		const read = async (place, plural, known, done) => {
			try {
				await pages(`${path}/${place}`, plural, LIMIT, (page) => {
					for (const one of page) known.take(one);
					this.flush();
				}, signal);
			} catch (error) {
				if (signal.aborted) return;
			}
			this.loading[done] = false;
			this.flush();
		};
		await Promise.all([read("calls", "calls", this.calls, "calls"), read("journal?kind=request&brief=true", "entries", this.requests, "requests"), this.readFindings(signal)]);
		if (!signal.aborted) this.view.changed("resync", {});
	}

	/** Reads the findings again: those that follow from where things stand come and go without an event. */
	async readFindings(signal) {
		const found = [];
		try {
			await pages(`${this.path()}/violations`, "violations", LIMIT, (page) => found.push(...page), signal);
		} catch {
			return;
		}
		this.findings.clear();
		for (const one of found) this.findings.take(one);
		this.flush();
	}

	/** The number of refusals, in red on the tab. */
	#countRefusals() {
		const { refused } = this.requests;
		if (refused === this.told) return;
		this.told = refused;
		const tab = $("views").querySelector("[data-view=requests]");
		put(tab, TITLES.requests, refused ? [" ", h("b.count", count(refused)), h("span.sr", " refused")] : null);
	}

	/** What test calls can be placed, read once for each tenant. */
	offers() {
		this.placeable ??= this.call("GET", "/place");
		this.placeable.catch(() => (this.placeable = null));
		return this.placeable;
	}

	#take(kind, data) {
		if (kind === "call") this.calls.take(data.call);
		else if (kind === "callback") this.calls.push(data);
		else if (kind === "request") this.requests.take(data);
		else if (kind === "violation") this.findings.take(data);
		else if (kind === "gap" || data.note === "reset") (this.resync ??= later(() => this.reload(), 300))();
		else if (kind === "scenario") this.refresh();
		else if (kind === "clock") data.note === "advanced" ? this.setNow(data.now) : this.refresh();
		this.view.changed(kind, data);
		this.flush();
	}

	async refresh() {
		const path = this.path();
		try {
			const ids = [];
			await pages("/v1/tenants", "tenants", 5000, (page) => ids.push(...page.map(({ id }) => id)));
			if (!ids.includes(this.tenant)) ids.push(this.tenant);
			put($("tenant"), ids.map((id) => h("option", { value: id, selected: id === this.tenant }, id)));
			const info = await api("GET", path);
			this.#tellReplica();
			if (!this.traffic) ({ receivers: this.receivers, traffic: this.traffic } = await this.offers());
			if (path === this.path()) this.setInfo(info);
		} catch (error) {
			if (error.status === 404 && path === this.path()) this.#tell("lost", "no such tenant", `There is no tenant “${this.tenant}”. `, this.a({ tenant: "default" }, "Go to the tenant default"));
		}
	}

	/** Which of several replicas answers; they are one emulator, so this is only a fact. */
	async #tellReplica() {
		const { nodes } = await fetch("/v1/nodes").then((reply) => reply.json()).catch(() => ({ nodes: [] }));
		$("replica-fact").hidden = !nodes?.length || nodes[0].name === "local";
		if (nodes?.length) say($("replica"), nodes[0].name);
	}

	setInfo(info) {
		this.info = info;
		this.providers = inOrder(Object.keys(info.credentials));
		say($("scenario"), info.scenario);
		say($("clock-mode"), info.clock === "real" ? "Clock" : `Clock ${info.clock}`);
		this.setNow(info.now);
		this.flush();
	}

	setNow(now) {
		if (!this.info) return;
		this.info.now = now;
		this.anchor = { ms: Date.parse(now) + zone(now), zone: now.endsWith("+00:00") ? "UTC" : now.slice(-6), here: performance.now() };
		this.#tick();
	}

	/** The tenant's time goes on as its clock says. */
	#tick() {
		if (!this.info) return;
		const { clock } = this.info;
		const speed = clock === "manual" ? 0 : clock === "real" ? 1 : parseFloat(clock);
		say($("clock"), `${new Date(this.anchor.ms + (performance.now() - this.anchor.here) * speed).toISOString().slice(11, 19)} ${this.anchor.zone}`);
	}

	showCurls() {
		openDialog("As curl", hint("Everything this page does is a call of the control API. With --control-token, add -H \"Authorization: Bearer …\"."),
			h("h3", "What this view can do"), this.view.curls().map(command), h("h3", "What the page asked last"), made.map((call) => command(call)));
	}

	showHelp() {
		openDialog("Keys and queries",
			h("dl.keys-help", Object.entries(KEYS).map(([keys, meaning]) => h("div", h("dt", keys.split(" ").map((one) => h("kbd", one))), h("dd", meaning)))),
			h("label.check", h("input", { type: "checkbox", checked: storage.keys !== "off", onchange: (event) => (storage.keys = event.target.checked ? "on" : "off") }), " single-key shortcuts"),
			h("h3", "Searching"),
			h("p", "A word is looked for in everything: numbers, ids of every kind (messageid, callSerialNo, orderid, customuuid, the last four characters of a token), outcomes, codes, rules. Terms key:value narrow it down, and all of them must hold; the API takes the same as ?q=. A value may have * and ? as wildcards, commas join alternatives, - in front negates a term, quotes keep blanks together."),
			hint("Keys of calls: ", CALL_KEYS.join(", ")), hint("Keys of requests: ", REQUEST_KEYS.join(", ")));
	}

	#theme(choice) {
		document.documentElement.style.colorScheme = choice === "system" ? "light dark" : choice;
		$("theme").setAttribute("aria-label", `Theme: ${choice}`);
		say($("theme"), { system: "◐", light: "☀", dark: "☾" }[choice]);
		$("theme").onclick = () => this.#theme((storage.theme = { system: "light", light: "dark", dark: "system" }[choice]));
	}

	#key(event) {
		if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || $("dialog").open) return;
		if (event.target.closest?.("input, textarea, select, .editor")) {
			if (event.key === "Escape") event.target.blur();
			return;
		}
		if (event.key.length === 1 && storage.keys === "off") return;
		const view = Object.keys(VIEWS)[Number(event.key) - 1];
		if (view) this.go({ view });
		else if (event.key === "?") this.showHelp();
		else if (event.key === "c") this.showCurls();
		else if (!this.view.key(event)) return;
		event.preventDefault();
	}

	start() {
		this.#theme(storage.theme ?? "system");
		$("curl").onclick = () => this.showCurls();
		$("help").onclick = () => this.showHelp();
		$("skip").onclick = (event) => {
			event.preventDefault();
			$("main").focus();
		};
		$("dialog").onclick = (event) => {
			if (event.target === $("dialog")) event.target.close();
		};
		$("tenant").onchange = (event) => this.go({ tenant: event.target.value, view: this.route.view });
		addEventListener("hashchange", () => this.#follow());
		addEventListener("keydown", (event) => this.#key(event));
		setInterval(() => this.#tick(), 1000);
		this.#follow();
	}
}

new App().start();
