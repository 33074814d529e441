// Builds elements. Data reaches the page as text nodes and attributes only, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: `tag.class`, perhaps an object of attributes and `on…` listeners, then children. */
export const h = (spec, ...rest) => make(document.createElement(spec.split(".")[0]), spec, rest);
export const s = (spec, ...rest) => make(document.createElementNS(SVG, spec.split(".")[0]), spec, rest);

function make(element, spec, rest) {
	const classes = spec.split(".").slice(1).join(" ");
	if (classes) element.setAttribute("class", classes);
	const plain = rest[0] && Object.getPrototypeOf(rest[0]) === Object.prototype;
	for (const [name, value] of Object.entries(plain ? rest.shift() : {})) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (name === "value") element.value = value;
		else element.setAttribute(name, value === true ? "" : value);
	}
	append(element, rest);
	return element;
}

function append(element, children) {
	for (const child of children) {
		if (Array.isArray(child)) append(element, child);
		else if (child !== null && child !== undefined && child !== false) element.append(child);
	}
}

export function put(element, ...children) {
	element.replaceChildren();
	append(element, children);
}

/** Sets text only where it differs, so that nothing is laid out again in vain. */
export const say = (element, text) => element.textContent === text || (element.textContent = text);

/** `text` that may go on in the next line behind each of its parts, rather than in the middle of a word: addresses, names with underscores. */
export const soft = (text) => text.split(/(?<=[_/&?,])(?=[^\s_/&?,])/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));

export const $ = (id) => document.getElementById(id);
export const hint = (...content) => h("p.hint", ...content);
export const mono = (...content) => h("span.mono", ...content);

/** A function that runs `work` once, `wait` milliseconds after it was first asked to. */
export function later(work, wait) {
	let timer = 0;
	const ask = () => {
		timer ||= setTimeout(() => {
			timer = 0;
			work();
		}, wait);
	};
	ask.cancel = () => clearTimeout(timer);
	return ask;
}
