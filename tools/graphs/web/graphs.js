/*
 * The boards: a chart for each row of api/boards, of one source or a fleet's sum.
 *
 * What is shown stands in the address: source or fleet, range, or from and to after a zoom.  The
 * server decides how fine the steps are.
 */
const RANGES = { "10 min": 600, hour: 3600, day: 86400, week: 7 * 86400, month: 30 * 86400, year: 365 * 86400 };
const REFRESH_MS = 30000;
const AT_ONCE = 4; /* questions to the server */

const $ = (id) => document.getElementById(id);
const state = { source: null, fleet: "*", range: "hour", from: null, to: null, peaks: false, metric: null };
let boards = [];
let sources = [];
let charts = [];
let round = 0; /* answers to an earlier one are thrown away */

/* ---- state and address ---- */

function readAddress() {
	const query = new URLSearchParams(location.search);

	state.source = query.get("source");
	state.fleet = query.get("fleet") || "*";
	state.range = query.get("range") in RANGES ? query.get("range") : "hour";
	state.from = Number(query.get("from")) || null;
	state.to = Number(query.get("to")) || null;
	state.peaks = query.get("peaks") === "1";
	state.metric = query.get("metric");
}

function address(change) {
	const query = new URLSearchParams();

	for (const [name, value] of Object.entries({ ...state, ...change }))
		if (value && !(name === "fleet" && value === "*") && !(name === "range" && value === "hour"))
			query.set(name, value === true ? "1" : value);
	return "?" + query;
}

function go(change, replace) {
	history[replace ? "replaceState" : "pushState"](null, "", address(change));
	readAddress();
	draw();
}

function span() {
	const now = Math.floor(Date.now() / 1000);

	if (state.from && state.to)
		return { from: state.from, to: state.to };
	return { from: now - RANGES[state.range], to: now };
}

/* ---- numbers ---- */

function figure(value, unit) {
	const step = unit === "bytes" ? 1024 : 1000;
	const signs = unit === "bytes" ? ["", "K", "M", "G", "T"] : ["", "k", "M", "G", "T"];
	let i = 0;

	if (value === null || value === undefined || Number.isNaN(value))
		return "–";
	while (Math.abs(value) >= step && i < signs.length - 1) {
		value /= step;
		i++;
	}
	const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;

	return Number(value.toFixed(digits)) + signs[i];
}

function ago(seconds) {
	if (seconds < 90)
		return `${Math.max(0, seconds)} s ago`;
	if (seconds < 5400)
		return `${Math.round(seconds / 60)} min ago`;
	return seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} d ago`;
}

/* ---- small parts ---- */

function element(name, properties, ...children) {
	const e = Object.assign(document.createElement(name), properties);

	e.append(...children);
	return e;
}

async function ask(path, query) {
	const reply = await fetch(`api/${path}?${new URLSearchParams(query)}`);
	const answer = await reply.json();

	if (!reply.ok)
		throw new Error(answer.error);
	return answer;
}

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

/* ---- charts ---- */

function last(values) {
	for (let k = values.length - 1; k >= 0; k--)
		if (values[k] !== null)
			return values[k];
	return null;
}

function legendOf(lines) {
	const figures = lines.map(() => element("b"));
	const list = element("ul", { className: "legend" }, ...lines.map((line, i) =>
		element("li", { className: line.colour }, element("i"), line.label + " ", figures[i])));

	return { list, show(values, unit) {
		figures.forEach((f, i) => { f.textContent = figure(values[i], unit); });
	} };
}

function chartOptions(board, lines, legend, window) {
	const latest = lines.map((line) => last(line.values));

	return {
		labels: ["time", ...lines.map((line) => line.label)],
		colors: lines.map((line) => colour(line.colour)),
		stackedGraph: board.stacked, stackedGraphNaNFill: "none", fillGraph: board.stacked, fillAlpha: 0.35,
		strokeWidth: 1.5, includeZero: true, legend: "never", dateWindow: window, rightGap: 2,
		gridLineColor: colour("line"), axisLineColor: colour("line"), highlightCircleSize: 3,
		axes: {
			x: { drawGrid: false },
			y: { labelsKMG2: board.unit === "bytes", axisLabelWidth: 42, axisLabelFormatter: (value) => figure(value, board.unit) },
		},
		highlightCallback: (event, x, points) => legend.show(lines.map((line) => {
			const row = Math.round((x / 1000 - line.from) / line.step - 0.5);

			return points.length > 0 ? line.values[row] : null;
		}), board.unit),
		unhighlightCallback: () => legend.show(latest, board.unit),
		zoomCallback: (from, to) => {
			const full = window[0] >= from && window[1] <= to;

			go(full ? { from: null, to: null } : { from: Math.floor(from / 1000), to: Math.ceil(to / 1000) });
		},
	};
}

function drawChart(place, board, answer, asked) {
	const lines = board.lines.map((line, i) => ({ ...line, values: answer.lines[i], from: answer.from, step: answer.step }))
		.filter((line) => line.values.some((value) => value !== null));
	const old = charts.find((chart) => chart.place === place);

	charts = charts.filter((chart) => chart !== old);
	if (old)
		old.graph.destroy();
	if (lines.length === 0) {
		place.replaceChildren(element("p", { className: "nothing", textContent: "nothing was told of this in that time" }));
		return;
	}
	const legend = legendOf(lines);
	const chart = element("div", { className: "chart" });
	/* A value is of a step: it stands in its middle. */
	const rows = lines[0].values.map((_, k) =>
		[new Date((answer.from + (k + 0.5) * answer.step) * 1000), ...lines.map((line) => line.values[k])]);

	chart.setAttribute("role", "img");
	chart.setAttribute("aria-label", `${board.title}: a graph; the last figures stand below`);
	place.replaceChildren(chart, legend.list);
	legend.show(lines.map((line) => last(line.values)), board.unit);
	charts.push({ place, graph: new Dygraph(chart, rows, chartOptions(board, lines, legend, [asked.from * 1000, asked.to * 1000])) });
}

/* ---- boards ---- */

function kindOf(source) {
	return source.endsWith(".host") || source === "host" ? "host" : "resolver";
}

/* A resolver's own, and those of the host that it runs on. */
function shownBoards() {
	return boards.filter((board) => state.source === null || kindOf(state.source) === "resolver" || board.of === "host");
}

const placeOf = (board) => $("board-" + board.id);

function makePlace(board) {
	$("boards").append(element("section", { id: "board-" + board.id, className: "board" },
		element("h2", {}, board.title + " ", element("small", { textContent: board.unit })),
		element("div", { className: "place" }, element("p", { className: "nothing", textContent: "…" }))));
}

async function drawBoard(board, asked, mine) {
	const what = state.source === null ? { fleet: state.fleet } : { source: state.source };
	const answer = await ask("board", { id: board.id, ...what, ...asked, peaks: state.peaks ? 1 : 0 });

	if (mine !== round)
		return;
	/* Where no host tells anything, there are no boards of hosts. */
	placeOf(board).hidden = answer.sources === 0;
	if (answer.sources > 0)
		drawChart(placeOf(board).querySelector(".place"), board, answer, asked);
}

async function drawBoards(asked, mine) {
	const shown = shownBoards();
	const waiting = [...shown];

	for (const board of boards)
		if (!shown.includes(board))
			placeOf(board).hidden = true;
	await Promise.all(Array.from({ length: AT_ONCE }, async () => {
		while (waiting.length > 0 && mine === round)
			await drawBoard(waiting.shift(), asked, mine);
	}));
}

/* ---- any metric ---- */

async function drawExplorer(asked, mine) {
	const metrics = state.source === null ? [] : await ask("metrics", { source: state.source });

	if (mine !== round)
		return;
	$("explorer").hidden = metrics.length === 0;
	if (metrics.length === 0)
		return;
	const metric = metrics.find((m) => m.name === state.metric) || metrics[0];

	$("metric").replaceChildren(...metrics.map((m) => new Option(m.name, m.name, false, m === metric)));
	$("rate-field").hidden = metric.kind !== "unknown";
	const rate = metric.kind === "counter" || (metric.kind === "unknown" && $("rate").checked);
	const answer = await ask("metric", { source: state.source, metric: metric.name, rate: rate ? 1 : 0, ...asked, peaks: state.peaks ? 1 : 0 });
	const board = { title: metric.name, unit: rate ? "per second" : "", stacked: false, lines: [{ label: metric.name + (rate ? " per second" : ""), colour: "blue" }] };

	if (mine === round)
		drawChart($("explored"), board, answer, asked);
}

/* ---- what there is ---- */

function sourceRow(source, now) {
	const link = element("a", { href: address({ source: source.name, from: null, to: null }), textContent: source.name });
	const percent = source.cache === null ? "–" : Math.round(source.cache) + " %";
	const cells = [link, figure(source.queries), percent, source.latency === null ? "–" : figure(source.latency) + " ms",
		figure(source.failures), source.cpu === null ? "–" : Math.round(source.cpu) + " %",
		source.last === 0 ? "not yet" : ago(now - source.last)];
	const row = element("tr", { className: source.live ? "" : "silent" },
		...cells.map((cell, i) => element("td", { className: i >= 3 && i <= 5 ? "wide" : "" }, cell)));

	link.addEventListener("click", (event) => { event.preventDefault(); go({ source: source.name, from: null, to: null, metric: null }); });
	return row;
}

function showSources(answer) {
	const chosen = state.source === null ? "" : state.source;
	const group = (of, label) => element("optgroup", { label },
		...sources.filter((s) => s.of === of).map((s) => new Option(s.name, s.name, false, s.name === chosen)));
	const resolvers = sources.filter((s) => s.of === "resolver");
	const silent = sources.filter((s) => !s.live).length;

	$("source").replaceChildren(new Option("the sum of all", "", false, chosen === ""), group("resolver", "resolvers"), group("host", "hosts"));
	$("sources").replaceChildren(...resolvers.map((s) => sourceRow(s, answer.now)));
	$("status").textContent = sources.length === 0 ? "nobody has sent anything yet" :
		`${sources.length - silent} sources heard` + (silent > 0 ? `, ${silent} silent` : "");
}

function showReceived(status) {
	const refused = Object.entries(status.refused).filter(([, n]) => n > 0).map(([why, n]) => `${why} ${n}`);

	$("received").textContent = `${status.taken} values over ${status.connections} connections since the start; ` +
		`${status.metrics} metrics of ${status.sources} sources; refused: ${refused.join(", ") || "nothing"}`;
}

function showControls() {
	for (const button of $("ranges").children)
		button.setAttribute("aria-pressed", String(!state.from && button.dataset.range === state.range));
	$("peaks").checked = state.peaks;
	$("back").hidden = !state.from;
	$("fleet-field").hidden = state.source !== null;
	$("overview").hidden = state.source !== null;
	if (document.activeElement !== $("fleet"))
		$("fleet").value = state.fleet;
	document.title = (state.source || "all") + " – recursor graphs";
}

/* ---- all ---- */

async function draw() {
	const mine = ++round;
	const asked = span();

	showControls();
	try {
		const overview = await ask("overview", {});

		if (mine !== round)
			return;
		sources = overview.sources;
		showSources(overview);
		await drawBoards(asked, mine);
		await drawExplorer(asked, mine);
		showReceived(await ask("status", {}));
	} catch (e) {
		if (mine === round)
			$("status").textContent = "no answer: " + e.message;
	}
}

function listen() {
	for (const range of Object.keys(RANGES)) {
		const button = element("button", { type: "button", textContent: range });

		button.dataset.range = range;
		button.addEventListener("click", () => go({ range, from: null, to: null }));
		$("ranges").append(button);
	}
	$("source").addEventListener("change", () => go({ source: $("source").value || null, metric: null }));
	$("fleet").addEventListener("change", () => go({ fleet: $("fleet").value.trim() || "*" }));
	$("peaks").addEventListener("change", () => go({ peaks: $("peaks").checked }));
	$("metric").addEventListener("change", () => go({ metric: $("metric").value }, true));
	$("rate").addEventListener("change", draw);
	$("back").addEventListener("click", () => go({ from: null, to: null }));
	addEventListener("popstate", () => { readAddress(); draw(); });
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
	setInterval(() => { if (!document.hidden && !state.from) draw(); }, REFRESH_MS);
}

readAddress();
listen();
/* Its legends set style attributes, which the Content-Security-Policy forbids; ours do not. */
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
boards = await ask("boards", {});
boards.forEach(makePlace);
draw();
