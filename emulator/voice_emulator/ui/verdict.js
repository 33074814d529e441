// Verdict: what the run says of the client under test.

import { bars, columns } from "./charts.js";
import { h, hint, later, put, soft } from "./dom.js";
import { count, noun, OUTCOMES, plural, RECEIPTS, span } from "./format.js";
import { card, facts, howToFix, pill } from "./widgets.js";

const SHOWN = 100;
/** Examples of one group of findings that are shown with their messages. */
const EXAMPLES = 5;

const VERDICTS = { clean: ["No contract violation", "good"], warnings: ["Warnings", "warn"], violations: ["Contract violations", "bad"], empty: ["Nothing judged yet", "dim"] };
/** What happened to accepted numbers: colour, and what it means. */
const FATES = {
	acknowledged: ["good", "a push of the receipt was acknowledged"], reconciled: ["live", "no push was, but the client’s record query showed the call"],
	pending: ["dim", "not ended yet, or its receipt is on its way"], uncertain: ["odd", "in flight when a process died"], orphan: ["bad", "ended; the client never learned how"], dropped: ["warn", "never dialled, by request"],
};
/** Upper bounds of the classes of lateness, in milliseconds; the last class has none. */
const LATE = [100, 500, 1000, 5000, 30000, 120000, 600000, 3600000];

export class VerdictView {
	constructor(app) {
		this.app = app;
		this.root = h("div.verdict", { "aria-busy": "true" }, h("p.empty", "Loading…"));
		this.flush = later(() => this.#load(), 500);
		this.open = new Set();
	}

	follow() {
		this.#load();
	}

	changed() {
		this.flush();
	}

	async #load() {
		const path = this.app.path();
		try {
			const report = await this.app.call("GET", "/report?format=json");
			if (path === this.app.path() && !this.closed) {
				this.#draw(report);
				this.app.readFindings();
			}
		} catch (error) {
			put(this.root, h("p.empty", error.message));
		}
	}

	#draw(report) {
		const { summary, conservation } = report;
		const focused = document.activeElement?.closest("details[data-name]")?.dataset.name;
		for (const one of this.root.querySelectorAll("details[data-name]")) this.open[one.open ? "add" : "delete"](one.dataset.name);
		const total = (found) => Object.values(found).reduce((sum, one) => sum + one, 0);
		const tile = (value, label, colour = "dim") => h(`div.tile.${colour}`, h("b", value), h("span", label));
		const bar = (title, words, found, key) => bars(title, Object.entries(words).filter(([name]) => found[name]).map(([name, [label, colour]]) => [label, found[name], colour, this.app.link({ view: "calls", q: `${key}:${name}` })]));
		const [verdict, colour] = VERDICTS[summary.verdict];
		this.root.setAttribute("aria-busy", "false");
		put(this.root,
			h("div.tiles", tile(summary.requests ? verdict : "Nothing judged yet", `${plural(summary.errors, "error")}, ${plural(summary.warnings, "warning")}`, `first.${summary.requests ? colour : "dim"}`), tile(count(summary.requests), noun(summary.requests, "request")), tile(count(summary.accepted), `${noun(summary.accepted, "number")} accepted`),
				tile(count(total(summary.calls)), `${noun(total(summary.calls), "call")} ended`), tile(count(total(summary.pushes)), noun(total(summary.pushes), "push")), tile(count(conservation.orphan), noun(conservation.orphan, "orphan"), conservation.orphan ? "bad" : "dim")),
			h("div.panels",
				card("Conservation", this.#conservation(conservation)),
				card("Findings", this.#findings(report)),
				card("Outcomes", bar("Calls by outcome", OUTCOMES, summary.calls, "outcome"), bar("Pushes by outcome", RECEIPTS, summary.pushes, "receipt")),
				card("Over time", this.#overTime(report.timeline), this.#lateness(), facts(Object.entries(report.latency).map(([name, one]) =>
					[`${name} receiver`, one.count && `half within ${one.p50_ms ?? ">10000"} ms, 95 % within ${one.p95_ms ?? ">10000"} ms`]))),
				card("Coverage", this.#coverage(report.coverage))),
			h("p.hint", "The same as a file: ", ["report?format=json", "report?format=junit", "report?format=html", "report?format=markdown", "har"].map((name) => [h("a", { href: `${this.app.path()}/${name}`, target: "_blank" }, name.split("=").at(-1)), " "])));
		if (focused) [...this.root.querySelectorAll("details[data-name]")].find((one) => one.dataset.name === focused)?.firstChild.focus({ preventScroll: true });
	}

	/** The findings of one rule are one group: how many, what to do, and which calls and requests they are about. */
	#findings({ violations, summary }) {
		if (!violations.length) return hint(summary.requests ? "None: everything the client did is as the providers’ pages want it." : "No request has been judged yet.");
		const groups = Map.groupBy(violations, ({ rule, severity }) => `${severity} ${rule}`);
		return h("ul.findings", [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, found]) => {
			const [{ rule, severity }] = found;
			const providers = [...new Set(found.map(({ provider, operation }) => [provider, operation].filter(Boolean).join(" ")))].filter(Boolean);
			const sources = [...new Set(found.map(({ source }) => source))].filter(Boolean);
			const calls = [...new Set(found.map(({ call_id }) => call_id))].filter(Boolean);
			const entries = [...new Set(found.map(({ entry }) => entry))].filter(Boolean);
			const [view, number, noun] = calls.length ? ["calls", calls.length, "call"] : ["requests", entries.length, "request"];
			return h("li", { "data-rule": rule },
				h("div.inline", pill([severity, severity === "error" ? "bad" : "warn"]), h("b", rule), h("span.hint", `${count(found.length)}×`), h("span.hint.grow", providers.slice(0, 3).join(" · ")),
					number ? h("a", { href: this.app.link({ view, q: `finding:${rule}` }) }, `show ${plural(number, noun)}`) : null),
				howToFix(rule),
				this.#details(key, [h("span.grow", found.length === 1 ? "The finding" : found.length > EXAMPLES ? `The first ${EXAMPLES} of ${count(found.length)}` : `All ${found.length}`)],
					h("ul", found.slice(0, EXAMPLES).map((one) => h("li", soft(one.message), " ", one.call_id && [this.app.a({ id: one.call_id }, "the call"), " "], one.entry && this.app.a({ entry: one.entry }, `entry ${one.entry}`)))),
					calls.length > EXAMPLES ? h("ul.links", calls.slice(0, SHOWN).map((id) => h("li", this.app.a({ id }, this.app.calls.byId.get(id)?.number ?? id)))) : null,
					sources.length ? hint(`Stated in: ${sources.join("; ")}`) : null));
		}));
	}

	#conservation(found) {
		const shown = Object.entries(FATES).filter(([fate]) => found[fate]);
		return [
			hint(found.accepted ? `What happened to the ${plural(found.accepted, "accepted number")}.` : "No number has been accepted yet."),
			h("div.share", { role: "img", "aria-label": shown.map(([fate]) => `${found[fate]} ${fate}`).join(", ") || "nothing accepted" }, shown.map(([fate, [colour]]) => {
				const part = h(`span.${colour}`);
				part.style.flexGrow = found[fate];
				return part;
			})),
			facts(shown.map(([fate, [colour, meaning]]) => [h(`span.dot.${colour}`, { title: meaning }, fate), h("span.mono", count(found[fate]))])),
			found.orphan ? this.#details("Orphans", [h("span.grow", `Orphans: ${FATES.orphan[1]}`)], h("ul.links", found.orphans.slice(0, SHOWN).map((id) =>
				h("li", this.app.a({ id }, this.app.calls.byId.get(id)?.number ?? id))))) : null,
			facts(Object.entries(found.providers).map(([name, { charges }]) => [`${name} charges`, [`${charges.ledger} `, h(`span.dot.${charges.agree ? "good" : "bad"}`, charges.agree ? "agrees with the ledger" : "differs from the ledger")]])),
		];
	}

	#overTime({ start, bar_seconds: width, series, bars: found }) {
		const at = (bar, name) => bar[series.indexOf(name)] / width;
		const time = (index) => new Date(Date.parse(start) + index * width * 1000 + zone(start)).toISOString().slice(11, 19);
		return columns("Pushes per second: delivered, and in red not delivered", "pushes per second", found.map((bar) => [[at(bar, "pushes_delivered"), "good"], [at(bar, "pushes_undelivered"), "bad"]]), start ? [time(0), time(found.length)] : []);
	}

	#lateness() {
		const classes = [...LATE, Infinity].map(() => 0);
		for (const row of this.app.calls.rows) if (row.ended && row.pushed.length) classes[[...LATE, Infinity].findIndex((bound) => row.pushed[0] - row.ended < bound)]++;
		return columns("Lateness: from the end of a call to its first push, while this page is open", "calls", classes.map((value) => [[value, "accent"]]), [...LATE.map((bound) => `<${span(bound)}`), "later"]);
	}

	#coverage(found) {
		const row = (name, { exercised, never, of }, label = (one) => one) => {
			const done = Array.isArray(exercised) ? exercised.map(label) : Object.entries(exercised).map(([one, times]) => `${one} ${count(times)}×`);
			return this.#details(name, [h("span.grow", name), h("progress", { max: of, value: done.length, "aria-label": name }), h("span.mono", `${done.length}/${of}`)],
				h("p", h("b", "Exercised: "), soft(done.join(", ") || "none")), h("p", h("b", "Never: "), soft(never.map(label).join(", ") || "none")));
		};
		const error = (one) => `${one.operation ?? ""} ${one.code} ${one.names.join("/")}`;
		const { unused, of } = found.rules;
		return [row("Outcomes", found.outcomes), row("Faults", found.faults),
			Object.entries(found.providers).map(([name, one]) => [row(`${name} operations`, one.operations), row(`${name} hangup causes`, one.causes), row(`${name} error codes`, one.errors, error)]),
			unused.length ? this.#details("Rules that never applied", [h("span.grow", "Rules that never applied"), h("span.mono", `${unused.length}/${of}`)],
				h("ul", unused.map((one) => h("li", h("b", one.rule), `: ${one.nearest?.join("; ") ?? "nothing came near"}`)))) : null];
	}

	#details(name, summary, ...content) {
		return h("details.more", { "data-name": name, open: this.open.has(name) }, h("summary", summary), content);
	}

	key() {
		return false;
	}

	curls() {
		const path = this.app.path();
		return [["The report", "report?format=json"], ["The report as JUnit XML", "report?format=junit"], ["Findings", "violations"], ["The journal as HAR", "har"]].map(([label, name]) => ({ label, path: `${path}/${name}` }));
	}

	close() {
		this.closed = true;
		this.flush.cancel();
	}
}

/** Milliseconds that the zone of an RFC 3339 time is ahead of UTC. */
export function zone(text) {
	const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
	return sign ? Number(`${sign}${hours * 60 + Number(minutes)}`) * 60000 : 0;
}
