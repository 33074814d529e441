// The editor of scenarios: CodeMirror (loaded with this file, on first use) with colours, completion from the schema, and findings beside their lines.

import {
	autocompletion, completionKeymap, Decoration, defaultKeymap, EditorState, EditorView, gutterLineClass, GutterMarker, highlightActiveLine, HighlightStyle, history, historyKeymap,
	indentUnit, keymap, lineNumbers, RangeSet, StateEffect, StateField, syntaxHighlighting, tags, WidgetType, yaml,
} from "/ui/codemirror.js";
import { complete } from "./completion.js";

const setErrors = StateEffect.define();

class Note extends WidgetType {
	constructor(text) {
		super();
		this.text = text;
	}

	toDOM() {
		const note = document.createElement("span");
		note.className = "note";
		note.textContent = `← ${this.text}`;
		return note;
	}

	eq(other) {
		return other.text === this.text;
	}
}

class Wrong extends GutterMarker {
	elementClass = "wrong";
}
const wrong = new Wrong();

/** The findings in force: notes behind lines, and their line numbers in red. They go with the first change. */
const errors = StateField.define({
	create: () => ({ notes: Decoration.none, gutter: RangeSet.empty }),
	update(known, transaction) {
		for (const effect of transaction.effects) {
			if (!effect.is(setErrors)) continue;
			const { doc } = transaction.state;
			const byLine = Map.groupBy(effect.value.filter(({ line }) => line >= 1 && line <= doc.lines), ({ line }) => line);
			const found = [...byLine].sort(([a], [b]) => a - b).map(([line, all]) => [doc.line(line), all.map(({ message }) => message).join("; ")]);
			return {
				notes: Decoration.set(found.map(([line, text]) => Decoration.widget({ widget: new Note(text), side: 1 }).range(line.to))),
				gutter: RangeSet.of(found.map(([line]) => wrong.range(line.from))),
			};
		}
		return transaction.docChanged ? { notes: Decoration.none, gutter: RangeSet.empty } : known;
	},
	provide: (field) => [EditorView.decorations.from(field, ({ notes }) => notes), gutterLineClass.from(field, ({ gutter }) => gutter)],
});

const theme = EditorView.theme({
	"&": { height: "100%", color: "var(--text)", backgroundColor: "var(--panel)", fontSize: "12px" },
	"&.cm-focused": { outline: "none" },
	".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
	".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
	".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--soft)", border: "none" },
	".cm-lineNumbers .cm-gutterElement": { padding: "0 8px", minWidth: "34px" },
	".cm-gutterElement.wrong": { backgroundColor: "var(--bad)", color: "var(--panel)" },
	".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--select) 45%, transparent)" },
	".note": { color: "var(--bad)", fontFamily: "var(--font)", paddingLeft: "14px", whiteSpace: "pre" },
	".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px", overflow: "hidden" },
	".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "220px" },
	".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--select)", color: "var(--text)" },
	".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
	".cm-completionInfo": { padding: "6px 8px", maxWidth: "300px", fontFamily: "var(--font)", lineHeight: "1.5" },
});

const colours = HighlightStyle.define([
	{ tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
	{ tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
	{ tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.atom], color: "var(--odd)" },
	{ tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
	{ tag: [tags.meta, tags.labelName, tags.typeName], color: "var(--warn)" },
]);

/** An editor in `host`, in a shadow root: there its style sheets need no inline styles. `on` has changed() and apply(). */
export function openEditor(host, schema, on) {
	const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
	let quiet = false;
	const view = new EditorView({
		root,
		parent: root,
		state: EditorState.create({
			doc: "",
			extensions: [
				// Before the others: what completion does not take of Escape leaves the field, so that the keyboard is not caught in it.
				keymap.of([{ key: "Mod-Enter", run: () => (on.apply(), true) }]), history(), lineNumbers(), highlightActiveLine(), yaml(), indentUnit.of("  "), syntaxHighlighting(colours), theme, errors,
				autocompletion({ override: [(context) => complete(schema, context)], icons: false }),
				keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, { key: "Escape", run: () => (view.contentDOM.blur(), true) }]),
				EditorView.contentAttributes.of(({ state }) => ({ id: "scenario-text", "aria-label": "Scenario as YAML", "aria-invalid": String(state.field(errors).notes.size > 0), spellcheck: "false" })),
				EditorView.updateListener.of((update) => update.docChanged && !quiet && on.changed()),
			],
		}),
	});
	Object.defineProperty(host, "value", { configurable: true, get: () => view.state.doc.toString() });
	return {
		get text() {
			return view.state.doc.toString();
		},
		/** Another text; it is nobody's change. */
		set text(text) {
			if (text === view.state.doc.toString()) return;
			quiet = true;
			view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
			quiet = false;
		},
		mark(found) {
			view.dispatch({ effects: setErrors.of(found) });
			if (found[0]?.line) this.show(found[0]);
		},
		show({ line, column = 1 }) {
			const place = view.state.doc.line(Math.min(line, view.state.doc.lines));
			view.dispatch({ effects: EditorView.scrollIntoView(place.from, { y: "center" }), selection: { anchor: Math.min(place.to, place.from + column - 1) } });
		},
		focus: () => view.focus(),
		close: () => view.destroy(),
	};
}
