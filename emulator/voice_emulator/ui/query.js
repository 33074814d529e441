// The query language of lists, as emulator/voice_emulator/wire/control/query.py has it; tests hold the two to the same answers.

export const KEYS = "id provider operation number caller state outcome cause ended_by keys rule provider_id batch_id receipt".split(" ");

/** A predicate over rows, or throws an Error that says what is wrong. */
export function parseQuery(text) {
	if (text.length > 1000) throw new Error("a query has at most 1000 characters");
	const stripped = text.trimEnd();
	const term = /\s*(-?)(?:([A-Za-z_]+):)?((?:"[^"]*"|[^\s"])*)/y;
	const terms = [];
	while (term.lastIndex < stripped.length) {
		const start = term.lastIndex;
		const [, minus, key, raw] = term.exec(stripped);
		if (term.lastIndex === start || (!raw && !key)) throw new Error(`cannot read “${stripped.slice(start, start + 40).trim()}”; write key:value`);
		terms.push({ negated: minus === "-", ...readTerm(key, raw) });
		if (terms.length > 50) throw new Error("a query has at most 50 terms");
	}
	return (row) => terms.every(({ key, tests, negated }) => {
		const value = String(row[key] ?? "");
		return tests.some((test) => test(value)) !== negated;
	});
}

function readTerm(key, raw) {
	const values = raw.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((part) => part.replaceAll('"', ""));
	if (key === undefined) return { key: "number", tests: values.map((one) => glob(`*${one}*`)) };
	if (!KEYS.includes(key)) throw new Error(`unknown key “${key.slice(0, 40)}”; keys: ${KEYS.join(", ")}`);
	if (!values.some(Boolean)) throw new Error(`${key} has no value`);
	return { key, tests: values.map(glob) };
}

/** A predicate for a glob of `*` and `?`; goes back to the latest star only, so it is never exponential. */
function glob(pattern) {
	if (!/[*?]/.test(pattern)) return (text) => text === pattern;
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
