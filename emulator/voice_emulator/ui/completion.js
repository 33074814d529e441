// Completion of scenarios: where in the document the cursor is, and what the JSON Schema allows there. Pure.

/** What may stand at the cursor, as CodeMirror wants it. */
export function complete(schema, context) {
	const text = context.state.sliceDoc(0, context.pos);
	const place = placeAt(text);
	if (!place || !(context.explicit || place.word || place.key !== null)) return null;
	const options = place.key === null ? keysAt(schema, place.path) : valuesAt(schema, [...place.path, place.key]);
	return options.length ? { from: context.pos - place.word.length, options, validFor: /^[\w.$*-]*$/ } : null;
}

/**
 * The cursor at the end of `text`: {path, key, word}. `path` leads to the mapping it is in ("-" is an item of a list), `key` is the key whose value is being written, or
 * null where a key is, `word` the part of it that is there.
 */
export function placeAt(text) {
	const lines = text.split("\n");
	const line = lines.pop();
	if (/^\s*#|\s#/.test(line)) return null;
	const [, lead, rest] = /^(\s*(?:-\s+)*)(.*)$/.exec(line);
	let place;
	const flow = /^(?:([\w$.-]+):\s+)?(\{.*)$/s.exec(rest);
	if (flow) place = inFlow(flow[1], flow[2]);
	else {
		const pair = /^([\w$.-]+):\s+([\w.$*-]*)$/.exec(rest);
		if (pair) place = { inner: [], key: pair[1], word: pair[2] };
		else if (/^[\w$.-]*$/.test(rest)) place = { inner: [], key: null, word: rest };
	}
	return place ? { path: [...above(lines, lead), ...place.inner], key: place.key, word: place.word } : null;
}

/** Within `{…` on one line: keys that lead in, and what is being written. */
function inFlow(outer, text) {
	const inner = outer ? [outer] : [];
	let key = null;
	let word = "";
	for (const [token] of text.matchAll(/"[^"]*"?|'[^']*'?|[{}[\],]|[\w$.-]+:(?=\s|$)|[^\s{}[\],"']+|\s+/g)) {
		if (token === "{") {
			if (key !== null) inner.push(key);
			[key, word] = [null, ""];
		} else if (token === "[") {
			if (key !== null) inner.push(key);
			inner.push("-");
			[key, word] = [null, ""];
		} else if (token === "}" || token === "]") {
			if (inner.pop() === "-") inner.pop();
			[key, word] = [null, ""];
		} else if (token === ",") [key, word] = [null, ""];
		else if (token.endsWith(":") && key === null) [key, word] = [token.slice(0, -1), ""];
		else word = token.trim() ? token : "";
	}
	return /[}\]]\s*$/.test(text) ? null : { inner, key, word };
}

/** The keys and lists around a line that begins with `lead`. */
function above(lines, lead) {
	const path = [];
	let column = enter(path, lead, lead.length);
	for (let index = lines.length - 1; index >= 0 && column >= 0; index--) {
		const [, before, key] = /^(\s*(?:-\s+)*)(?:([\w$.-]+):(?:\s|$))?/.exec(lines[index]);
		if (!lines[index].trim() || /^\s*#/.test(lines[index])) continue;
		const opens = column % 1 ? before.length <= column : before.length < column;
		if (key !== undefined && opens) {
			path.unshift(key);
			column = enter(path, before, before.length);
		} else if (/-/.test(before) && before.length === column) column = enter(path, before, column);
	}
	return path;
}

/** The list that a dash in `lead` opens. Its column has a half added: a key above may stand in the same column as the dash. */
function enter(path, lead, column) {
	const dash = lead.lastIndexOf("-");
	if (dash < 0) return column;
	path.unshift("-");
	return dash + 0.5;
}

const target = (schema, { $ref }) => $ref?.split("/").slice(1).reduce((place, part) => place?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")], schema);

/** A schema with all that it consists of, references followed. */
function alternatives(schema, node, depth = 0) {
	if (!node || typeof node !== "object" || depth > 12) return [];
	return [node, ...[target(schema, node), ...(node.allOf ?? []), ...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((one) => alternatives(schema, one, depth + 1))];
}

/** The schemas of what stands at `path`. */
function schemasAt(schema, path) {
	let found = [schema];
	for (const step of path) {
		found = found.flatMap((one) => alternatives(schema, one)).map((node) => (step === "-" ? (node.items ?? node.prefixItems?.[0]) : (node.properties?.[step] ?? node.additionalProperties)));
	}
	return found;
}

/** The properties of a mapping as [name, schema]: those of any choice, but none that the same choice refuses. */
function properties(schema, node, depth = 0) {
	if (!node || typeof node !== "object" || depth > 12) return [];
	const own = [...Object.entries(node.properties ?? {}), ...[target(schema, node), ...(node.allOf ?? [])].flatMap((one) => properties(schema, one, depth + 1))];
	const refused = new Set(own.filter(([, value]) => value === false).map(([name]) => name));
	return [...own, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((one) => properties(schema, one, depth + 1))].filter(([name, value]) => value !== false && !refused.has(name));
}

export function keysAt(schema, path) {
	const found = new Map();
	for (const [label, value] of schemasAt(schema, path).flatMap((node) => properties(schema, node))) {
		if (found.has(label)) continue;
		const [{ type, description } = {}] = alternatives(schema, value).filter((one) => one.type || one.description);
		found.set(label, { label, apply: `${label}: `, type: "property", detail: [type].flat().filter(Boolean).join(" or "), info: value.description ?? description });
	}
	return [...found.values()];
}

export function valuesAt(schema, path) {
	const found = new Map();
	for (const node of schemasAt(schema, path).flatMap((one) => alternatives(schema, one))) {
		const values = [...(node.enum ?? []), ...("const" in node ? [node.const] : []), ...(node.type === "boolean" ? [true, false] : []), ...(node.examples ?? [])];
		for (const value of values) if (typeof value !== "object") found.set(String(value), { label: String(value), type: "enum", info: node.description });
	}
	return [...found.values()];
}
