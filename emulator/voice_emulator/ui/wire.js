// What went over the wire, as it was: requests, replies, pushes; and what the fields of a receipt mean.

import { curl, variables } from "./api.js";
import { h, hint, mono, put } from "./dom.js";
import { clockTime, pretty, receiptOf, span } from "./format.js";
import { block, copyButton, facts, pill, providerDocument } from "./widgets.js";

/** Headers that belong to a connection, not to a request worth repeating. */
const OF_THE_CONNECTION = /^(host|content-length|connection|accept-encoding|transfer-encoding|keep-alive|expect)$/i;
const lasting = (headers) => headers.filter(([name]) => !OF_THE_CONNECTION.test(name));

export const asText = (start, headers, body) => `${[start, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\n")}\n\n${pretty(body ?? "")}`.trimEnd();
const wire = (title, text, call) => [h("div.block-head", h("h4", title), call && copyButton(curl(call), `Copy as curl: ${title}`, "copy as curl")), block(text, title)];

/** The request of a journal entry as a call to be copied. */
export const repeat = (app, { request, operation }) =>
	({ label: `${operation ?? "The request"}, again`, method: request.method, path: app.traffic + request.target, headers: lasting(request.headers), body: request.body || undefined });

export function exchange(app, entry) {
	const { request, reply } = entry;
	const call = repeat(app, entry), unset = variables(curl(call));
	return h("div.exchange",
		facts([["Operation", entry.operation], ["Result", entry.code], ["Took", span(entry.duration_ms)], ["From", request.peer],
			["Reply rule", entry.rule?.reply], ["Fault rule", entry.rule?.fault], ["Fault", entry.fault], ["Tenant", entry.attributed === false && "not recognised by its credentials"]]),
		!entry.refused && h("ul.problems", entry.violations.map((one) => h("li", h("b", one.code), ` ${one.place}: ${one.message}`))),
		wire("Request as received", asText(`${request.method} ${request.target} HTTP/1.1`, request.headers, request.body), call),
		unset.length > 0 && hint(`Secrets are masked. Set ${unset.map((name) => `$${name}`).join(", ")} before you run the copied line.`),
		reply ? wire("Reply as sent", reply.status === null ? `no reply: ${reply.note}` : asText(`HTTP/1.1 ${reply.status}`, reply.headers, reply.body)) : hint("Not answered yet."),
		reply?.note && hint(reply.note));
}

export function push(one, number, open) {
	const fields = h("div.fields");
	receiptFields(one, fields);
	return h("details.push", { open, "data-push": one.id },
		h("summary", h("span.number", number), pill(receiptOf(one.outcome)), h("span.grow", `${one.label}${one.status ? ` → ${one.status}` : ""}`), mono(clockTime(one.at, true))),
		one.reason && h("p.reason", one.reason),
		facts([["Took", one.method && span(one.duration_ms)], ["Rule", one.rule], ["Faults", one.faults.join(", ")], ["To", one.url?.split("?")[0]]]),
		fields,
		one.method && [
			wire("Push as sent", asText(`${one.method} ${one.url}`, one.headers, one.body), { method: one.method, path: one.url, headers: lasting(one.headers), body: one.body || undefined }),
			wire("Answer of the receiver", one.status ? asText(`HTTP ${one.status}`, [], one.reply) : one.reason || "none"),
		]);
}

/** Fills in the receipt's fields, each with its meaning, and the page that says so. */
async function receiptFields({ provider, kind, fields }, place) {
	const names = Object.entries(fields);
	if (!names.length) return;
	// Without the document the values still stand for themselves.
	const document = await providerDocument(provider).catch(() => ({}));
	const described = document.webhooks?.[kind]?.post ?? {};
	const schema = resolve(document, Object.values(described.requestBody?.content ?? {})[0]?.schema);
	const known = Object.assign({}, ...[schema, ...(schema.oneOf ?? schema.anyOf ?? [])].map((one) => one.properties));
	const meaning = ({ description, "x-provenance": provenance = "documented" } = {}) => (description ? description + (provenance === "documented" ? "" : ` (${provenance})`) : "not documented");
	put(place, h("div.scroll-x", { tabindex: 0, role: "region", "aria-label": "Receipt fields" }, h("table",
		h("thead", h("tr", ["Field", "Value", "Meaning"].map((title) => h("th", { scope: "col" }, title)))),
		h("tbody", names.map(([name, value]) => h("tr", h("th", { scope: "row" }, name), h("td.mono", typeof value === "string" ? value : JSON.stringify(value)), h("td", meaning(known[name]))))))),
	described["x-source"] && hint("Documented in: ", described["x-source"]));
}

function resolve(document, schema = {}) {
	for (let depth = 0; schema.$ref && depth < 8; depth++) schema = schema.$ref.split("/").slice(1).reduce((place, part) => place?.[part], document) ?? {};
	return schema;
}
