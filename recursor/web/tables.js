// Tables that live: their rows are written anew each second, but a row that has the focus keeps it,
// and none moves away below a finger.

import { count, el, percent, setText } from "./dom.js";

const HOLD_MS = 600; // between pressing and letting go

// `columns`: of a row's cells after the first, { text(row, all), class }.  `open(row, back)`: the row is
// opened; back() gives it the focus again.  `key(row)`: what makes it the same row a second later.
export function liveTable(section, { columns, title, key, share, open }) {
	const body = section.querySelector("tbody"), caption = section.querySelector("caption");
	const rows = [];
	let heldUntil = 0;

	function newRow() {
		const button = el("button", { type: "button", class: "open", "aria-haspopup": "dialog" });
		const cells = columns.map((c) => el("td", { class: c.class ?? null }));
		const element = el("tr", {}, el("th", { scope: "row" }, button), cells);
		const row = { element, button, cells, of: null };

		element.addEventListener("click", () => {
			const opened = key(row.of);

			// The row may be elsewhere by then.
			open(row.of, () => (rows.find((r) => key(r.of) === opened) ?? row).button
				.focus({ preventScroll: true }));
		});
		return row;
	}

	body.addEventListener("pointerdown", () => { heldUntil = performance.now() + HOLD_MS; });
	body.addEventListener("keydown", (event) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const at = rows.findIndex((r) => r.button === event.target);

		if (step === undefined || at < 0)
			return;
		event.preventDefault();
		rows[at + step]?.button.focus();
	});

	function fill(row, of, all) {
		row.of = of;
		setText(row.button, title(of));
		columns.forEach((c, i) => setText(row.cells[i], c.text(of, all)));
		row.element.style.setProperty("--share", share(of, all));
	}

	// The line for those that have no row of their own.
	const rest = el("tr", { class: "rest" }, el("th", { scope: "row" }, "the rest"),
		columns.map((c) => el("td", { class: c.class ?? null })));

	return {
		update(list, all) {
			const focused = rows.find((r) => r.button === document.activeElement);
			const focusedKey = focused && key(focused.of);

			if (performance.now() < heldUntil)
				return;
			while (rows.length < list.length) {
				rows.push(newRow());
				body.append(rows.at(-1).element);
			}
			// The focus stays in the table when its row has left it.
			if (focused && rows.indexOf(focused) >= list.length)
				(rows[list.length - 1] ?? { button: section }).button?.focus();
			while (rows.length > list.length)
				rows.pop().element.remove();
			list.forEach((of, i) => fill(rows[i], of, all));
			if (focused)
				rows.find((r) => key(r.of) === focusedKey)?.button.focus({ preventScroll: true });
			rest.remove();
			if (all.rest) {
				columns.forEach((c, i) => setText(rest.cells[i + 1], c.rest?.(all) ?? ""));
				body.append(rest);
			}
		},
		caption(text) {
			setText(caption, text);
		},
		clear(text) {
			rows.splice(0).forEach((r) => r.element.remove());
			rest.remove();
			setText(caption, text);
		},
	};
}

export const shareColumn = {
	class: "n share",
	text: (row) => percent(row.share),
	rest: (all) => percent(all.rest / all.entries),
};
export const countColumn = {
	class: "n",
	text: (row) => count(row.count),
	rest: (all) => count(all.rest),
};
