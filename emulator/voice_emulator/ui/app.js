// The page: address, header, live data, keys. The views do the rest.

import { api, enc, made, pages } from "./api.js";
import { BendView } from "./simulate.js";
import { CallsView, queryHelp } from "./calls.js";
import { $, h, hint, later, put, say } from "./dom.js";
import { LIMIT, Store } from "./store.js";
import { Stream } from "./stream.js";
import { VerdictView, zone } from "./verdict.js";
import { command, openDialog, toast } from "./widgets.js";

const VIEWS = { calls: CallsView, bend: BendView, verdict: VerdictView };
const KEYS = {
	"j k ↓ ↑": "next and previous call", Enter: "open the call", Esc: "close it, leave a field", "/": "filter", p: "push the open call’s receipt again",
	"1 2 3": "Calls, Bend, Verdict", c: "this page as curl commands", "?": "this help",
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
		Object.assign(this, { store: new Store(), tenant: "", info: null, providers: [], receivers: [], traffic: "", loading: true });
		this.flush = later(() => this.view?.flush(), 150);
	}

	/** The address of a place; the tenant and, within the calls, the query stay as they are. */
	link({ tenant = this.tenant, view, id, entry, q = view === "calls" && this.route?.view === view && tenant === this.tenant ? this.route.q : "" }) {
		const place = entry ? `/entry/${entry}` : id ? `/${enc(id)}` : "";
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
		const place = id === "entry" && Number(entry) ? { entry: Number(entry) } : { id };
		return { tenant: tenant || "default", view: Object.hasOwn(VIEWS, view ?? "") ? view : "calls", ...place, q: new URLSearchParams(query).get("q") ?? "" };
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
		document.title = `${route.view} · ${route.tenant} · voice-emulator`;
		this.view.follow(route);
	}

	#enter(tenant) {
		Object.assign(this, { tenant, info: null, loading: true });
		this.store.clear();
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

	/** Reads everything anew: the stream tells only what is new. */
	async reload() {
		this.reading?.abort();
		const { signal } = (this.reading = new AbortController());
		const { store } = this;
		this.refresh();
		store.clear();
		try {
			await pages(`${this.path()}/calls`, "calls", LIMIT, (page) => {
				for (const call of page) store.take(call);
				this.flush();
			}, signal);
		} catch (error) {
			if (signal.aborted) return;
		}
		this.loading = false;
		this.view.changed("resync", {});
		this.flush();
	}

	#take(kind, data) {
		if (kind === "call") this.store.take(data.call);
		else if (kind === "callback") this.store.push(data);
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
			if (!this.traffic) ({ receivers: this.receivers, traffic: this.traffic } = await api("GET", `${path}/place`));
			if (path === this.path()) this.setInfo(info);
		} catch (error) {
			if (error.status === 404 && path === this.path()) this.#tell("lost", "no such tenant", `There is no tenant “${this.tenant}”. `, this.a({ tenant: "default" }, "Go to the tenant default"));
		}
	}

	setInfo(info) {
		this.info = info;
		this.providers = Object.keys(info.credentials);
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
			h("h3", "Filtering calls"), queryHelp());
	}

	#theme(choice) {
		document.documentElement.style.colorScheme = choice === "system" ? "light dark" : choice;
		$("theme").setAttribute("aria-label", `Theme: ${choice}`);
		say($("theme"), { system: "◐", light: "☀", dark: "☾" }[choice]);
		$("theme").onclick = () => this.#theme((storage.theme = { system: "light", light: "dark", dark: "system" }[choice]));
	}

	#key(event) {
		if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || $("dialog").open) return;
		if (event.target.closest?.("input, textarea, select")) {
			if (event.key === "Escape") event.target.blur();
			return;
		}
		if (event.key.length === 1 && storage.keys === "off") return;
		const view = { 1: "calls", 2: "bend", 3: "verdict" }[event.key];
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
