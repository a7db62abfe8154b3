/* global Dygraph */
// At a glance: a card each with a number, a moving graph of the last minutes, and what its lines are
// at this moment (or where the pointer is).

import { byId, count, duration, el, percent, rate, setText } from "./dom.js";
import { buckets, hits, percentile, rcodes } from "./figures.js";
import { GROUPS, unnamed } from "./reasons.js";

const KEPT_MS = 15 * 60 * 1000;

const tick = (n) => n >= 1e6 ? `${n / 1e6}M` : n >= 1e3 ? `${n / 1e3}k` : String(n);
const LEAST_US = 10; // the first bound: an answer from the packet cache is counted below it

const latency = (us) => us <= LEAST_US ? `< ${duration(LEAST_US)}` : duration(us);

// Powers of ten of a microsecond, as many as there are.
function decades(min, max) {
	const ticks = [];

	for (let us = 1; us <= max; us *= 10)
		if (us >= min)
			ticks.push({ v: us,
				label: us < 1e3 ? `${us} µs` : us < 1e6 ? `${us / 1e3} ms` : `${us / 1e6} s` });
	return ticks;
}

const sumRates = (d, names) => names.reduce((sum, name) => sum + d.rate(name), 0);

function groupRates(d) {
	const rates = GROUPS.map((group) => sumRates(d, Object.keys(group.reasons)));

	rates[rates.length - 1] += sumRates(d, unnamed(d.names()));
	return rates;
}

// values() of a card: one for each line.  NaN: there is none at this moment.
const CARDS = [
	{
		id: "queries", title: "Questions", unit: "a second", show: rate, fill: true,
		lines: [["all", "blue"], ["TCP", "teal"], ["IPv6", "violet"]],
		values: (d) => [d.rate("questions"), d.rate("tcp-questions"), d.rate("ipv6-questions")],
	},
	{
		id: "rcodes", title: "Answers", unit: "a second", show: rate, stacked: true,
		lines: [["NOERROR", "green"], ["NXDOMAIN", "amber"], ["SERVFAIL", "red"],
			["REFUSED", "violet"], ["other", "grey"]],
		values: (d) => Object.values(rcodes(d)),
		head: (values) => values.reduce((sum, v) => sum + v, 0),
	},
	{
		id: "hits", title: "From the caches", unit: "of the questions", show: percent, range: [0, 1.02],
		lines: [["both", "blue"], ["packet cache", "green"], ["record cache", "amber"]],
		values: (d) => {
			const h = hits(d);

			return [h.all, h.packet, h.record];
		},
		axis: (n) => `${Math.round(n * 100)}`,
	},
	{
		id: "latency", title: "Latency", unit: "median", show: latency, log: true,
		range: [LEAST_US * 0.9, 1e7],
		lines: [["50 %", "green"], ["95 %", "amber"], ["99 %", "red"]],
		values: (d) => {
			const steps = buckets(d.delta, d.names(), "cumul-clientanswers");

			return [0.5, 0.95, 0.99].map((part) => percentile(steps, part));
		},
	},
	{
		id: "outqueries", title: "Outqueries", unit: "a second, to servers", show: rate, fill: true,
		lines: [["all", "blue"], ["TCP", "teal"], ["timed out", "red"], ["throttled", "grey"]],
		values: (d) => ["all-outqueries", "tcp-outqueries", "outgoing-timeouts", "throttled-out"]
			.map(d.rate),
	},
	{
		id: "drops", title: "Drops and errors", unit: "a second, each for one reason", show: rate, stacked: true,
		lines: GROUPS.map((g) => [g.label, g.colour]),
		values: groupRates,
		head: (values) => values.reduce((sum, v) => sum + v, 0),
	},
];

const still = matchMedia("(prefers-reduced-motion: reduce)");
const cards = [];
let spanMs = 300000;

const colour = (name) =>
	getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function showValues(card, values) {
	values.forEach((value, i) => setText(card.figures[i], card.show(value ?? NaN)));
}

function hover(card, at) {
	const row = card.rows.find((r) => r[0].getTime() === at);

	if (row)
		showValues(card, row.slice(1));
	card.hovered = row !== undefined;
	setText(card.when, row ? row[0].toLocaleTimeString("en-GB") : "");
}

function options(card) {
	return {
		labels: ["time", ...card.lines.map(([label]) => label)],
		colors: card.lines.map(([, name]) => colour(name)),
		strokeWidth: 1.5,
		fillGraph: Boolean(card.fill || card.stacked),
		fillAlpha: card.stacked ? 0.55 : 0.12,
		stackedGraph: card.stacked ?? false,
		stackedGraphNaNFill: "none",
		logscale: card.log ?? false,
		valueRange: card.range ?? [0, null],
		xRangePad: 0,
		axisLabelFontSize: 11,
		axisLineColor: colour("line"),
		gridLineColor: colour("grid"),
		highlightCircleSize: 3,
		// The page is scrolled over the graphs: they take no drags and no wheel.
		interactionModel: {
			mousemove: (event, g) => g.mouseMove_(event),
			mouseout: (event, g) => g.mouseOut_(event),
		},
		highlightCallback: (_, at) => hover(card, at),
		unhighlightCallback: () => {
			card.hovered = false;
			setText(card.when, "");
			showValues(card, card.last);
		},
		axes: {
			x: { drawGrid: false, axisLabelWidth: 56, pixelsPerLabel: 70 },
			y: { axisLabelFormatter: card.axis ?? tick, axisLabelWidth: 44, pixelsPerLabel: 28,
				...(card.log ? { ticker: decades } : {}) },
		},
	};
}

function build(definition) {
	const id = `${definition.id}-title`;
	const card = { ...definition, rows: [], last: [] };

	card.number = el("span", { class: "number" }, "–");
	card.when = el("span", { class: "when" });
	card.figures = card.lines.map(() => el("dd", {}, "–"));
	card.canvas = el("div", { class: "graph", role: "img",
		"aria-label": `Graph of ${card.lines.map(([l]) => l).join(", ")}: the last minutes, ending ` +
			"with the figures that follow" });
	card.element = el("article", { class: "card", id: `card-${card.id}`, "aria-labelledby": id },
		el("header", {}, el("h3", { id }, card.title), card.when,
			el("p", { class: "head" }, card.number, " ", el("span", { class: "unit" }, card.unit))),
		card.canvas,
		el("dl", { class: "legend" }, card.lines.map(([label, name], i) =>
			el("div", {}, el("dt", { class: `key ${name}` }, label), card.figures[i]))));
	return card;
}

// ---- all reasons, below the graph of their groups ----

function reasonsTable() {
	const rows = GROUPS.flatMap((group) => Object.entries(group.reasons).map(([name, label]) => {
		const now = el("td", { class: "n" }), ever = el("td", { class: "n" });

		return { name, now, ever, element: el("tr", {},
			el("th", { scope: "row" }, el("span", { class: `key ${group.colour}` }, label),
				el("code", {}, name)), now, ever) };
	}));

	return {
		element: el("details", { class: "reasons" }, el("summary", {}, "All reasons"),
			el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "All reasons" },
				el("table", {}, el("caption", { class: "aside" }, "Dropped, refused or failed, by reason"),
					el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Reason"),
						el("th", { scope: "col", class: "n" }, "a second"),
						el("th", { scope: "col", class: "n" }, "ever"))),
					el("tbody", {}, rows.map((r) => r.element))))),
		update(d) {
			for (const row of rows) {
				row.element.hidden = !d.has(row.name);
				setText(row.now, rate(d.rate(row.name)));
				setText(row.ever, count(d.value(row.name)));
			}
		},
	};
}

const reasons = reasonsTable();

// ---- for page.js ----

export function startGraphs() {
	// The page has legends of its own, and dygraphs' would set style attributes, which the
	// Content-Security-Policy forbids.
	Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
	for (const definition of CARDS) {
		const card = build(definition);

		if (card.id === "drops")
			card.element.append(reasons.element);
		byId("glance").append(card.element);
		card.graph = new Dygraph(card.canvas, [[new Date(), ...card.lines.map(() => null)]],
			options(card));
		cards.push(card);
	}
	still.addEventListener("change", recolour);
}

let drawn = 0;

function draw(at) {
	// Whoever wants less motion sees the graphs move every five seconds; numbers are no motion.
	if (still.matches && at - drawn < 5000)
		return;
	drawn = at;
	for (const card of cards) {
		// While there is little yet it has the whole width, if it is a minute.
		const from = Math.max(at - spanMs, Math.min(card.rows[0][0].getTime(), at - 60000));

		card.graph.updateOptions({ file: card.rows, dateWindow: [from, at] });
	}
}

export function addFigures(d, at) {
	for (const card of cards) {
		const values = card.values(d);

		card.last = values;
		card.rows.push([new Date(at), ...values.map((v) => Number.isFinite(v) ? v : null)]);
		while (card.rows.length > 1 && at - card.rows[0][0] > KEPT_MS)
			card.rows.shift();
		setText(card.number, card.show(card.head ? card.head(values) : values[0]));
		if (!card.hovered)
			showValues(card, values);
	}
	reasons.update(d);
	draw(at);
}

export function setSpan(seconds) {
	spanMs = seconds * 1000;
	drawn = 0;
	if (cards[0].rows.length > 0)
		draw(cards[0].rows.at(-1)[0].getTime());
}

// The colours of the theme that is on now.
export function recolour() {
	for (const card of cards)
		card.graph.updateOptions(options(card));
}
