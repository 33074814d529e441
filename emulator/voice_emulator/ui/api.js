// The control API. Whatever the page does is one call of it, and is kept to be copied as curl.

export const enc = encodeURIComponent;
/** The newest calls made, newest first, one per method and path. */
export const made = [];

export class ApiError extends Error {
	constructor(status, problem) {
		super(problem.detail ?? problem.title ?? `HTTP ${status}`);
		this.status = status;
		this.errors = problem.errors ?? [];
	}
}

/** One call. `json` or `yaml` is the body; gives the JSON (or `text`) of the reply, or throws ApiError. */
export async function api(method, path, { json, yaml, text = false, signal } = {}) {
	const type = yaml === undefined ? "application/json" : "application/yaml";
	const body = yaml ?? (json && JSON.stringify(json));
	const same = made.findIndex((one) => one.method === method && one.path === path);
	if (same >= 0) made.splice(same, 1);
	made.unshift({ method, path, body, type });
	made.splice(12);
	let response;
	try {
		response = await fetch(path, { method, body, signal, headers: body === undefined ? {} : { "Content-Type": type }, cache: "no-store" });
	} catch (error) {
		throw error.name === "AbortError" ? error : new ApiError(0, { detail: "the emulator does not answer" });
	}
	if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})));
	if (response.status === 204) return null;
	return text ? response.text() : response.json();
}

/** Reads a list page by page, up to `limit` items; `each` is given every page as it comes. */
export async function pages(path, plural, limit, each, signal) {
	let cursor = null;
	do {
		const page = await api("GET", `${path}?limit=1000${cursor === null ? "" : `&after=${enc(cursor)}`}`, { signal });
		each(page[plural]);
		cursor = page.next;
		limit -= page[plural].length;
	} while (cursor !== null && limit > 0);
}

/** What is masked, behind the name that it has; of a token the end is shown. */
const MASKED = /((?:([A-Za-z]\w*)["']?\s*[:=]\s*["']?(?:Bearer ?|Basic )?)?)\*\*\*(?:[0-9A-Za-z]{4}\b)?/g;
const literal = (text) => (/^[\w\/:.,@%+=-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** `text` as one word of a POSIX shell; what is masked in it is a variable called as the secret is. */
function quote(text) {
	let word = "", done = 0;
	for (const found of text.matchAll(MASKED)) {
		word += literal(text.slice(done, found.index) + found[1]) + `"$${(found[2] ?? "SECRET").toUpperCase()}"`;
		done = found.index + found[0].length;
	}
	return word + literal(text.slice(done)) || "''";
}

/** The variables that a command line of {@link curl} leaves to be set. */
export const variables = (line) => [...new Set([...line.matchAll(/"\$([A-Z]\w*)"/g)].map(([, name]) => name))];

export function curl({ method = "GET", path, body, type = "application/json", headers }) {
	const words = ["curl", "-sS"];
	if (method !== (body === undefined ? "GET" : "POST")) words.push("-X", method);
	if (path.endsWith("/events")) words.push("-N");
	words.push(quote(path.startsWith("/") ? location.origin + path : path));
	for (const [name, value] of headers ?? (body === undefined ? [] : [["Content-Type", type]])) words.push("-H", quote(`${name}: ${value}`));
	// curl would read a file for a body that begins with @.
	if (body !== undefined) words.push(body.startsWith("@") ? "--data-raw" : "--data-binary", quote(body));
	return words.join(" ");
}
