// Where nothing has happened yet: the base URL, the credentials, and a first call at each provider, all to copy.

import { h, hint, mono, put } from "./dom.js";
import { inOrder, MAGIC } from "./format.js";
import { block, copyButton, flat } from "./widgets.js";

export function firstCalls(app, title) {
	const places = h("div.stack");
	fill(app, places);
	return h("div.start", h("h2", title),
		h("p", "Give your client this base URL and these credentials, paste one of the commands, or ", h("a", { href: app.link({ view: "simulate" }) }, "place a test call"), "."),
		h("p.inline.center", h("b", "Base URL"), mono(app.traffic), app.traffic && copyButton(app.traffic, "Copy the base URL")),
		places,
		hint(`The last digits of a number decide how its call ends: …${MAGIC.busy} is busy, …${MAGIC.no_answer} rings out.`));
}

/** The shell lines of an offer, with the credentials that its variables stand for in front. */
function lines({ lines: found, variables }, credentials) {
	const values = new Map(flat(credentials));
	return [...Object.entries(variables).map(([name, path]) => `${name}='${String(values.get(path) ?? "").replaceAll("'", "'\\''")}'`), ...found].join("\n");
}

async function fill(app, place) {
	const { tenant } = app;
	let offers = [];
	try {
		({ offers } = await app.offers());
	} catch {
		return; // the base URL stands for itself
	}
	if (tenant !== app.tenant || !app.info) return;
	const firsts = inOrder(Object.keys(app.info.credentials)).map((provider) => offers.find((offer) => offer.provider === provider)).filter(Boolean);
	put(place, firsts.map((offer) => {
		const { provider, operation } = offer;
		const credentials = app.info.credentials[provider];
		const text = lines(offer.curl, credentials);
		return h("section.card", { "aria-label": provider }, h("h2", provider),
			h("p.inline", flat(credentials).filter(([name]) => !name.includes(".")).map(([name, value]) => h("span.inline", h("span.hint", name), mono(value), copyButton(value, `Copy ${provider} ${name}`)))),
			...(offer.curl.lines.length
				? [h("div.block-head", h("span.hint", operation), copyButton(text, `Copy curl: ${provider} ${operation}`, "copy as curl")), block(text, `curl: ${provider} ${operation}`)]
				: [hint("Requests are signed: use your client, or place a test call under Simulate.")]));
	}));
}
