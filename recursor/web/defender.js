// Who is accused of being flooded, with the evidence: the figures against their thresholds, what
// was done with the questions, and who asked what.

import { ask, Refused } from "./api.js";
import { byId, count, el, moment, rate, say, setText } from "./dom.js";
import { openDomain, openRemote } from "./sheet.js";

const SHOWN = 6; // until more are asked for

const MODES = {
	off: "off",
	observe: "observes, and does nothing",
	rules: "observes; acts where a rule says so",
	act: "acts",
};

// What a figure is called, and how it is read.
const FIGURES = {
	labels: ["labels", count],
	qps: ["questions a second", rate],
	children: ["different names", count],
	"queries-per-child": ["questions a name", (n) => n.toFixed(2)],
	"cache-hit-ratio": ["answered from cache", (n) => `${(n * 100).toFixed(0)} %`],
	"failure-ratio": ["failed", (n) => `${(n * 100).toFixed(0)} %`],
};

const known = new Map(); // what is on the page, by domain and since when
let all = false;
let last = { accused: [], ended: [] };

const keyOf = (a) => `${a.domain} ${a.since}`;

function figures(a) {
	return el("table", { class: "figures" },
		el("caption", { class: "aside" }, `Why ${a.domain} is accused`),
		el("thead", {}, el("tr", {}, ["", "now", "when accused", "limit"].map((text, i) =>
			i === 0 ? el("td") : el("th", { scope: "col", class: "n" }, text)))),
		el("tbody", {}, Object.entries(a.figures).map(([name, f]) => {
			const [label, show] = FIGURES[name] ?? [name, count];
			const limit = "minimum" in f ? `≥ ${show(f.minimum)}` : `≤ ${show(f.maximum)}`;

			return el("tr", {}, el("th", { scope: "row" }, label), el("td", { class: "n" }, show(f.now)),
				el("td", { class: "n" }, show(f["when-accused"])), el("td", { class: "n" }, limit));
		})));
}

const doneWith = (a) => Object.entries(a.queries).filter(([, n]) => n > 0)
	.map(([word, n]) => `${word} ${count(n)}`).join(", ") || "none yet";

function buttons(list, title, open) {
	return list.map((item) => {
		const button = el("button", { type: "button", class: "open" }, title(item));

		button.addEventListener("click", () => open(item, () => button.focus()));
		return el("li", {}, button);
	});
}

function evidence(a) {
	return [
		el("dl", { class: "pairs" },
			el("div", {}, el("dt", {}, "since"), el("dd", {}, moment(a.since))),
			el("div", {}, el("dt", {}, "until"),
				el("dd", {}, `${moment(a.until)}, then looked at again`)),
			el("div", {}, el("dt", {}, "questions"), el("dd", {}, doneWith(a)))),
		figures(a),
		el("div", {}, el("h4", {}, "Names asked for"),
			el("ul", {}, buttons(a.names, (name) => name, (name, back) => openDomain(name, "A", back)))),
		el("div", {}, el("h4", {}, "Clients"),
			el("ul", {}, buttons(a.clients, (c) => `${c.client}  ${count(c.queries)}`,
				(c, back) => openRemote(c.client, back)))),
	];
}

function newAccusation(a) {
	const body = el("div", { class: "evidence" });
	const element = el("article", { class: "card accusation", "aria-label": a.domain },
		el("header", {}, el("h3", {}, a.domain),
			el("p", { class: "head" }, el("span", { class: a.observe ? "mark" : "mark acts" },
				a.observe ? `observed, else ${a.action}` : a.action), " ",
			el("span", { class: "quiet" }, `rule ${a.rule}${a.comment ? `: ${a.comment}` : ""}`))),
		body);

	return { element, body, text: "" };
}

// The evidence is written anew when it has changed, but not below the reader's fingers.
function update(shown, a) {
	const text = JSON.stringify(a);

	if (text === shown.text || shown.text !== "" && (byId("sheet").open ||
		shown.body.matches(":hover") || shown.body.contains(document.activeElement)))
		return;
	shown.text = text;
	shown.body.replaceChildren(...evidence(a));
}

function showAccused(list) {
	const now = new Set(list.map(keyOf));

	for (const [key, shown] of known)
		if (!now.has(key)) {
			shown.element.remove();
			known.delete(key);
		}
	for (const a of list) {
		const key = keyOf(a);

		if (!known.has(key)) {
			known.set(key, newAccusation(a));
			byId("accused").append(known.get(key).element);
		}
		update(known.get(key), a);
	}
}

function showEnded(list) {
	byId("ended").hidden = list.length === 0;
	setText(byId("ended-count"), count(list.length));
	const body = byId("ended").querySelector("tbody");
	const text = list.map((a) => `${keyOf(a)} ${doneWith(a)}`).join("\n");

	if (body.dataset.text === text)
		return;
	body.dataset.text = text;
	body.replaceChildren(...list.map((a) => el("tr", {}, el("th", { scope: "row" }, a.domain),
		el("td", {}, `rule ${a.rule}`), el("td", {}, moment(a.since)), el("td", {}, doneWith(a)))));
}

function announce(answer) {
	const before = new Set(last.accused.map(keyOf));
	const fresh = answer.accused.filter((a) => !before.has(keyOf(a)));

	if (fresh.length === 1)
		say(`${fresh[0].domain} is accused of being flooded.`);
	else if (fresh.length > 1)
		say(`${fresh.length} domains are newly accused of being flooded.`);
	else if (answer.accused.length === 0 && last.accused.length > 0)
		say("Nobody is accused any more.");
}

function show(answer) {
	const more = answer.accused.length - SHOWN;

	setText(byId("defender-mode"), MODES[answer.mode] ?? answer.mode);
	byId("defender-none").hidden = answer.accused.length > 0;
	setText(byId("defender-none"), answer.mode === "off" ? "Nobody is looked at." : "Nobody is accused.");
	showAccused(all ? answer.accused : answer.accused.slice(0, SHOWN));
	byId("accused-more").hidden = more <= 0;
	setText(byId("accused-more"), all ? `Show ${SHOWN}` : `Show all ${count(answer.accused.length)}`);
	byId("accused-more").setAttribute("aria-expanded", String(all));
	showEnded(answer.ended);
	announce(answer);
	last = answer;
}

let notBefore = 0, asking = false;

export async function refreshDefender() {
	const began = performance.now();

	if (asking || began < notBefore)
		return;
	asking = true;
	try {
		show(await ask("/defender"));
	} catch (e) {
		if (!(e instanceof Refused))
			throw e;
	} finally {
		asking = false;
		notBefore = began + 10 * (performance.now() - began);
	}
}

export function startDefender() {
	byId("accused-more").addEventListener("click", () => {
		all = !all;
		show(last);
	});
}

