// The query language of lists, as emulator/voice_emulator/wire/control/query.py has it; tests hold the two to the same answers.

export const CALL_KEYS = "id provider operation number caller state outcome cause ended_by keys rule provider_id batch_id receipt has finding".split(" ");
export const REQUEST_KEYS = "id kind provider operation number code rule fault outcome status method path has finding".split(" ");

/** A predicate over things, or throws an Error that says what is wrong. `valuesOf(thing, key)` gives one value or several; the key "text" stands for everything. */
export function parseQuery(text, keys, valuesOf) {
	if (text.length > 1000) throw new Error("a query has at most 1000 characters");
	const stripped = text.trimEnd();
	const term = /\s*(-?)(?:([A-Za-z_]+):)?((?:"[^"]*"|[^\s"])*)/y;
	const terms = [];
	while (term.lastIndex < stripped.length) {
		const start = term.lastIndex;
		const [, minus, key, raw] = term.exec(stripped);
		if (term.lastIndex === start || (!raw && !key)) throw new Error(`cannot read “${stripped.slice(start, start + 40).trim()}”; write key:value`);
		terms.push({ negated: minus === "-", ...readTerm(key, raw, keys) });
		if (terms.length > 50) throw new Error("a query has at most 50 terms");
	}
	return (thing) => terms.every(({ key, tests, negated }) => {
		const found = valuesOf(thing, key);
		const values = Array.isArray(found) ? (found.length ? found : [""]) : [String(found ?? "")];
		const texts = key === "text" ? values.map((value) => String(value).toLowerCase()) : values.map(String);
		return texts.some((value) => tests.some((test) => test(value))) !== negated;
	});
}

function readTerm(key, raw, keys) {
	const values = raw.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((part) => part.replaceAll('"', ""));
	if (key === undefined) {
		if (!values.some(Boolean)) throw new Error("there is no text to search for");
		return { key: "text", tests: values.map((one) => glob(`*${one.toLowerCase()}*`)) };
	}
	if (!keys.includes(key)) throw new Error(`unknown key “${key.slice(0, 40)}”${nearest(key.slice(0, 40), keys)}`);
	if (!values.some(Boolean)) throw new Error(`${key} has no value`);
	return { key, tests: values.map(glob) };
}

/** The end of a sentence about an unknown word: the choice that is most like it, or all of them. */
export function nearest(word, choices) {
	const ranked = choices.map((one) => [distance(word.toLowerCase(), one), one]).sort(([a], [b]) => a - b);
	const [[steps, best]] = ranked;
	return steps <= Math.max(2, word.length / 2) ? `; did you mean “${best}”?` : `; keys: ${choices.join(", ")}`;
}

/** How many letters must be added, removed, changed or swapped with their neighbour to make `b` of `a`. */
function distance(a, b) {
	const rows = [[...Array(b.length + 1).keys()]];
	for (let i = 1; i <= a.length; i++) {
		rows[i] = [i];
		for (let j = 1; j <= b.length; j++) {
			rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] !== b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a.length][b.length];
}

/** A predicate for a glob of `*` and `?`; goes back to the latest star only, so it is never exponential. */
function glob(pattern) {
	if (!/[*?]/.test(pattern)) return (text) => text === pattern;
	const inner = /^\*([^*?]*)\*$/.exec(pattern);
	if (inner) return (text) => text.includes(inner[1]);
	const wanted = [...pattern];
	return (text) => {
		const given = [...text];
		let p = 0, t = 0, star = -1, mark = 0;
		while (t < given.length) {
			if (wanted[p] === "*") {
				star = p++;
				mark = t;
			} else if (wanted[p] === "?" || wanted[p] === given[t]) {
				p++;
				t++;
			} else if (star >= 0) {
				p = star + 1;
				t = ++mark;
			} else return false;
		}
		return wanted.slice(p).every((one) => one === "*");
	};
}

/** `text` with the term `key:value` in place of any other of that key; an empty value only removes. */
export const withTerm = (text, key, value) =>
	`${text.replace(new RegExp(`(^|\\s)-?${key}:(?:"[^"]*"|[^\\s"])*`, "g"), "").trim()} ${value && `${key}:${value}`}`.trim();

/** `value` as a query takes it whole. */
export const quoted = (value) => (/^[^\s",]+$/.test(value) ? value : `"${value.replaceAll('"', "?")}"`);
