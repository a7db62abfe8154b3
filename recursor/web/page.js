// The live page: asks for the statistics each second, and has the parts show what came.

import { ask, isSignedOut, Refused, startLogin } from "./api.js";
import { refreshDefender, startDefender } from "./defender.js";
import { age, byId, bytes, count, el, percent, say, setText } from "./dom.js";
import { between, reading } from "./figures.js";
import { addFigures, recolour, setSpan, startGraphs } from "./graphs.js";
import { filterClient, refreshTables, startTables } from "./rings.js";
import { startSheet } from "./sheet.js";

const PERIOD_MS = 1000;

let before = null; // the last reading
let paused = false;
let version = "";

// ---- the line of facts ----

const SECURITY = ["", "", "upgrade recommended", "upgrade mandatory"];

const FACTS = [
	["up", (d) => age(d.value("uptime"))],
	["CPU", (d) => percent((d.delta("user-msec") + d.delta("sys-msec")) / 1000 / d.seconds)],
	["memory", (d) => bytes(d.value("real-memory-usage"))],
	["in flight", (d) => count(d.value("concurrent-queries"))],
	["TCP clients", (d) => count(d.value("tcp-clients"))],
	["cached", (d) => count(d.value("cache-entries"))],
	["state", (d) => d.value("draining") ? "draining" : d.has("ready") && !d.value("ready") ? "not ready"
		: SECURITY[d.value("security-status")] || "ready"],
].map(([term, text]) => ({ term, text, value: el("dd", {}, "–") }));

function showFacts(d) {
	for (const fact of FACTS)
		setText(fact.value, fact.text(d));
}

// ---- the connection ----

let reachable = true;

function showConnection(is, why) {
	const bar = byId("lost");

	if (!is)
		setText(bar, `No connection to the server. ${why} Trying again each second.`);
	else if (!reachable)
		say("The connection to the server is back.");
	bar.hidden = is;
	document.body.classList.toggle("stale", !is);
	reachable = is;
}

// ---- each second ----

async function refreshStatistics() {
	const now = reading(await ask("/statistics"), Date.now());

	if (before) {
		const d = between(before, now);

		if (d.restarted)
			say("The daemon has been started anew.");
		else {
			addFigures(d, now.at);
			showFacts(d);
		}
	}
	before = now;
	if (!version) {
		({ version } = await ask(""));
		setText(byId("version"), version);
	}
}

function refreshAll() {
	refreshTables();
	refreshDefender();
}

async function turn() {
	const began = performance.now();

	// A page that nobody sees draws its graphs all the same, and asks for no tables.
	if (!paused && !isSignedOut()) {
		try {
			await refreshStatistics();
			showConnection(true);
			if (!document.hidden)
				refreshAll();
		} catch (e) {
			if (!(e instanceof Refused))
				throw e;
			showConnection(e.status > 0 && e.status < 500, e.message);
		}
	}
	setTimeout(turn, Math.max(100, PERIOD_MS - (performance.now() - began)));
}

// ---- controls ----

function startControls() {
	const theme = byId("theme"), span = byId("span"), pause = byId("pause");

	theme.value = document.documentElement.dataset.theme ?? "";
	theme.addEventListener("change", () => {
		if (theme.value)
			document.documentElement.dataset.theme = theme.value;
		else
			delete document.documentElement.dataset.theme;
		localStorage.setItem("recursor-theme", theme.value);
		recolour();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
	span.addEventListener("change", () => setSpan(Number(span.value)));
	pause.addEventListener("click", () => {
		paused = !paused;
		pause.setAttribute("aria-pressed", String(paused));
		before = paused ? null : before;
		say(paused ? "Paused." : "It goes on.");
	});
}

byId("facts").append(...FACTS.map((f) => el("div", {}, el("dt", {}, f.term), f.value)));
startControls();
startLogin(() => { before = null; });
startSheet(filterClient);
startGraphs();
startTables();
startDefender();
turn();
