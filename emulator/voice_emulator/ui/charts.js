// Charts as inline SVG. Their words are HTML, so that they keep their size.

import { h, mono, s } from "./dom.js";
import { count } from "./format.js";

const stretched = (width, height, label, ...shapes) => s("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, shapes);
const chart = (title, content) => h("figure.chart", h("figcaption", title), content ?? h("p.hint", "No data yet."));

/** Horizontal bars: `rows` are [label, value, colour, href]. */
export function bars(title, rows) {
	const total = rows.reduce((sum, [, value]) => sum + value, 0);
	return chart(title, rows.length ? rows.map(([label, value, colour, href]) => h("div.bar-row", h("a", { href }, label),
		stretched(100, 1, `${label}: ${value}`, s("rect.track", { width: 100, height: 1 }), s(`rect.${colour}`, { width: (value / total) * 100, height: 1 })),
		mono(count(value)), mono(`${Number(((value / total) * 100).toFixed(1))} %`))) : null);
}

/** Columns: `stacks` are lists of [value, colour], from the bottom up; `ticks` are labels under the columns, evenly. */
export function columns(title, unit, stacks, ticks) {
	const sums = stacks.map((stack) => stack.reduce((sum, [value]) => sum + value, 0));
	const most = Math.max(...sums);
	if (!(most > 0)) return chart(title);
	const shapes = stacks.map((stack, index) => {
		let y = 100;
		return stack.map(([value, colour]) => value ? s(`rect.${colour}`, { x: index + 0.08, y: (y -= (value / most) * 100), width: 0.84, height: (value / most) * 100 }) : null);
	});
	return chart(title, h("div.columns", h("div.scale", mono(Number(most.toFixed(1))), mono("0")),
		h("div", stretched(stacks.length, 100, `${title}: at most ${Number(most.toFixed(1))} ${unit}`, shapes), h("div.ticks", ticks.map((tick) => mono(tick))))));
}
