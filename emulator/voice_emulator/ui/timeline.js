// A call's life as a lane: what it went through, and below it the pushes. Long waits are drawn shorter than they were.

import { h, s } from "./dom.js";
import { clockTime, receiptOf, span } from "./format.js";

const PADDING = 12;
const CALL_Y = 26;
const BAR = 22;
const PUSH_Y = 84;
const PHASES = { submitted: ["queued", "dim"], scheduled: ["scheduled", "dim"], dialled: ["dialling", "live"], ringing: ["ringing", "warn"], answered: ["talking", "good"] };

/** The lane of `call` with its push attempts; it redraws itself when its width changes. */
export function lane(call, attempts) {
	const own = call.timeline.filter((point) => point.event !== "callback").map((point) => ({ ...point, t: Date.parse(point.at) }));
	const pushes = attempts.map((attempt) => ({ attempt, t: Date.parse(attempt.at) }));
	const figure = h("figure.lane");
	const observer = new ResizeObserver(() => figure.clientWidth && figure.replaceChildren(picture(call, own, pushes, figure.clientWidth)));
	observer.observe(figure);
	figure.stop = () => observer.disconnect();
	return figure;
}

function picture(call, own, pushes, width) {
	const scale = makeScale([...own, ...pushes].map(({ t }) => t), width);
	const words = [...own.map((point) => `${point.event} ${clockTime(point.at)}`), ...pushes.map(({ attempt }) => `push ${attempt.outcome} ${clockTime(attempt.at)}`)];
	const svg = s("svg", { width, height: 118, role: "img", "aria-label": `Timeline: ${words.join(", ")}` });
	const add = (title, ...shapes) => svg.append(s("g", s("title", title), ...shapes.filter(Boolean)));
	const text = (spec, x, y, anchor, content) => s(`text.${spec}`, { x, y, "text-anchor": anchor }, content);
	const end = own.at(-1);
	svg.append(...[CALL_Y + BAR / 2, PUSH_Y].map((y) => s("line.axis", { x1: PADDING, x2: width - PADDING, y1: y, y2: y })));
	own.slice(0, -1).forEach((point, index) => {
		const next = own[index + 1];
		const [word, colour] = PHASES[point.event] ?? [point.event, "dim"];
		const x = scale(point.t);
		const wide = scale(next.t) - x;
		const label = `${word} ${span(next.t - point.t)}`;
		const fitting = [label, word].find((one) => wide > one.length * 6.6);
		if (wide) add(`${label}: ${clockTime(point.at, true)} to ${clockTime(next.at, true)}`, s(`rect.phase.${colour}`, { x, y: CALL_Y, width: wide, height: BAR, rx: 4 }), fitting && text("inside", x + wide / 2, CALL_Y + 15, "middle", fitting));
	});
	if (call.ended_at) {
		const x = scale(end.t);
		for (const { t } of pushes) svg.append(s("path.drop", { d: `M${x} ${CALL_Y + BAR}V${PUSH_Y - 16}H${scale(t)}V${PUSH_Y - 7}` }));
		add(`${end.event} ${clockTime(end.at, true)} ${end.detail}`, s("rect.end", { x: x - 1.5, y: CALL_Y - 4, width: 3, height: BAR + 8, rx: 1 }));
	}
	let right = 0;
	pushes.forEach(({ attempt, t }, index) => {
		const [word, colour] = receiptOf(attempt.outcome);
		const label = `${word} ${attempt.status ?? ""}`.trim();
		const half = label.length * 3.3;
		const x = Math.min(Math.max(scale(t), PADDING + half), width - half - 2);
		const room = x - half > right;
		if (room) right = x + half + 6;
		add(`${attempt.label}: ${label} at ${clockTime(attempt.at, true)}`, s(`circle.push.${colour}`, { cx: scale(t), cy: PUSH_Y, r: 8 }),
			text("in-push", scale(t), PUSH_Y + 4, "middle", index + 1), room && text("under", x, PUSH_Y + 24, "middle", label));
	});
	if (!pushes.length) svg.append(text("under", PADDING, PUSH_Y + 20, "start", call.ended_at ? "no push yet" : "the receipt follows the end of the call"));
	svg.append(text("under", PADDING, 14, "start", clockTime(own[0].at, true)));
	if (end.t > own[0].t) svg.append(text("under", Math.max(scale(end.t), PADDING + 230), 14, "end", `${clockTime(end.at, true)}, ${call.ended_at ? "over" : "going on"} after ${span(end.t - own[0].t)}`));
	return svg;
}

/** Instants to x: the room between two neighbours grows with the logarithm of the time between them. */
function makeScale(instants, width) {
	const known = [...new Set(instants)].sort((a, b) => a - b);
	const weights = known.slice(1).map((t, index) => 0.6 + Math.log2(1 + (t - known[index]) / 1000));
	const unit = (width - 2 * PADDING) / (weights.reduce((sum, one) => sum + one, 0) || 1);
	let x = PADDING;
	const places = new Map(known.map((t, index) => [t, index ? (x += weights[index - 1] * unit) : x]));
	return (t) => places.get(t);
}
