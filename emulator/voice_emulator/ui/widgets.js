// Small things that several views use: dialogs, toasts, copying, pills, blocks of text.

import { api, ApiError, curl, enc } from "./api.js";
import { $, h, put, soft } from "./dom.js";

/** Shows a short sentence for a while; errors stay longer. */
export function toast(text, bad = false) {
	const note = h(bad ? "div.toast.bad" : "div.toast", text);
	$("toasts").append(note);
	setTimeout(() => note.remove(), bad ? 8000 : 2500);
}

/** Opens the dialog; focus goes back where it was when it closes. */
export function openDialog(title, ...content) {
	const dialog = $("dialog");
	dialog.close();
	put(dialog, h("div.dialog-head", h("h2", { id: "dialog-title" }, title), h("button.quiet.icon", { "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
		h("div.dialog-body", { tabindex: 0 }, content));
	dialog.showModal();
	return dialog;
}

/** Puts `text` on the clipboard, also where the browser has no clipboard API (plain http on another host). */
async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		const area = h("textarea.sr", { value: text });
		($("dialog").open ? $("dialog") : document.body).append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	toast("Copied");
}

export const copyButton = (text, label, shown = "copy") => h("button.quiet.small", { type: "button", "aria-label": label, onclick: () => copy(text) }, shown);
export const pill = ([word, colour]) => h(`span.pill.${colour}`, word);
/** A block of text as it is, which can be scrolled with the keyboard. */
export const block = (text, label) => h("pre.block", { tabindex: 0, role: "region", "aria-label": label }, text);

export function command(call) {
	const line = curl(call);
	const label = call.label ?? `${call.method} ${call.path}`;
	return h("div", h("div.block-head", h("span.grow", label), copyButton(line, `Copy curl: ${label}`)), block(line, `curl: ${label}`));
}

/** Runs what a button does: it is busy meanwhile, and what goes wrong is told. */
export async function act(button, work) {
	if (button.hasAttribute("aria-disabled")) return;
	button.setAttribute("aria-disabled", "true");
	try {
		await work();
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		toast(error.message, true);
	} finally {
		button.removeAttribute("aria-disabled");
	}
}

export const button = (label, work, spec = "button", title = null) => h(spec, { type: "button", title, onclick: (event) => act(event.currentTarget, work) }, label);
export function form(label, work, ...content) {
	const submit = h("button.primary", label);
	return h("form.form", { onsubmit: (event) => { event.preventDefault(); act(submit, work); } }, content, h("div.buttons", submit));
}
export const field = (text, input) => h("label.field", h("span", text), input);
export const card = (title, ...content) => h("section.card", { "aria-label": title }, h("h2", title), content);
export const section = (title, ...content) => h("section.section", { "aria-label": title }, h("h3", title), content);
export const more = (summary, ...content) => h("details.more", h("summary", summary), content);
export const options = (values, chosen) => values.map((value) => h("option", { value, selected: value === chosen }, value));

/** Names and values side by side. A value that is one long word (an id, an address) has room for it; one in parts breaks between them. */
export const facts = (pairs) => h("dl.facts", pairs.map(([name, value]) => {
	if (!value) return null;
	const shown = h("dd", typeof value === "string" ? soft(value) : value);
	const long = Math.max(...shown.textContent.split(/[\s_/]/).map((word) => word.length)) > 18;
	return h(long ? "div.wide" : "div", h("dt", name), shown);
}));

/** Nested credentials as pairs of a dotted name and a value; what is unset is left out. */
export const flat = (credentials, before = "") => Object.entries(credentials).flatMap(([name, value]) =>
	!value ? [] : typeof value === "object" && !Array.isArray(value) ? flat(value, `${before}${name}.`) : [[before + name, String(value)]]);

/** Documents of the providers, read once: what fields and receipts mean. */
const documents = new Map();
export function providerDocument(provider) {
	if (!documents.has(provider)) {
		const asked = api("GET", `/openapi/${enc(provider)}.json`);
		asked.catch(() => documents.delete(provider));
		documents.set(provider, asked);
	}
	return documents.get(provider);
}

/** The contract rules by id, read once: what each means, and how to fix a finding. */
let rules;
export const contractRules = () => {
	rules ??= api("GET", "/v1/rules").then(({ rules: found }) => new Map(found.map((one) => [one.id, one])));
	rules.catch(() => (rules = null));
	return rules;
};

/** How to fix findings of `rule`, as soon as it is known. */
export function howToFix(rule) {
	const place = h("p.fix", { hidden: true });
	contractRules().then((known) => {
		const { fix } = known.get(rule) ?? {};
		if (!fix) return;
		put(place, h("b", "How to fix it: "), ...fix.split("`").map((part, index) => (index % 2 ? h("code", part) : part)));
		place.hidden = false;
	}, () => {});
	return place;
}

/** Findings: where the client under test broke the contract, with what shows it. */
export const findingList = (app, findings) => h("ul.findings", findings.map((one) => h("li",
	h("div.inline", pill([one.severity, one.severity === "error" ? "bad" : "warn"]), h("b", one.rule), h("span.hint", [one.provider, one.operation].filter(Boolean).join(" · "))),
	h("p", soft(one.message)), howToFix(one.rule),
	h("p.hint", one.source ? `Stated in: ${one.source} ` : "",
		one.call_id && [app.a({ id: one.call_id }, "the call"), " "],
		one.entry && app.a({ entry: one.entry }, `entry ${one.entry}`)))));
