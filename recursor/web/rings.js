// The rings (who asks what) and what it costs: three tables, what they show, and of whom.

import { ask, Refused } from "./api.js";
import { byId, count, duration, say } from "./dom.js";
import { openDomain, openRemote, openServer } from "./sheet.js";
import { countColumn, liveTable, shareColumn } from "./tables.js";

const ROWS = 20;

const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
const filter = { client: "" };

const NOUNS = {
	queries: "questions",
	"servfail-queries": "questions answered SERVFAIL",
	"bogus-queries": "questions whose answer failed validation",
	remotes: "packets and connections",
	"servfail-remotes": "questions answered SERVFAIL",
	"large-answer-remotes": "answers of more than 1,000 bytes",
	"bogus-remotes": "questions whose answer failed validation",
	timeouts: "questions to servers that timed out",
};

// "Of the last 10,000 questions"
function captionOf(ring, answer) {
	const of = filter.client === "" ? "" : ` of ${filter.client}`;

	return answer.entries === 0 ? `No ${NOUNS[ring]}${of} yet`
		: `Of the last ${count(answer.entries)} ${NOUNS[ring]}${of}`;
}

function ringPanel(id, table, query) {
	return {
		id,
		async load() {
			const ring = chosen(id);
			const answer = await ask(`/rings/${ring}`, { ...query(), client: filter.client, limit: ROWS });

			return () => {
				if (ring !== chosen(id))
					return;
				table.update(answer.rows, answer);
				table.caption(captionOf(ring, answer));
			};
		},
		clear: () => table.clear("…"),
	};
}

function questionsPanel() {
	const table = liveTable(byId("questions"), {
		title: (row) => row.key,
		key: (row) => `${row.key} ${row.type}`,
		share: (row) => row.share,
		columns: [{ text: (row) => row.type }, shareColumn, countColumn],
		open: (row, back) => openDomain(row.key, row.type, back),
	});

	return ringPanel("questions", table, () => ({ group: chosen("group") }));
}

function remotesPanel() {
	const table = liveTable(byId("remotes"), {
		title: (row) => row.key,
		key: (row) => row.key,
		share: (row) => row.share,
		columns: [shareColumn, countColumn],
		open: (row, back) => chosen("remotes") === "timeouts" ? openServer(row.key, back)
			: openRemote(row.key, back),
	});

	return ringPanel("remotes", table, () => ({}));
}

// ---- costs ----

const whoOf = (row) => [row.remote ?? row.server, row.domain].filter(Boolean).join("  ");

function costsPanel() {
	const part = (row, all, member) => all.total[member] > 0 ? row[member] / all.total[member] : 0;
	const member = { cpu: "cpu-usec", outqueries: "outqueries", wait: "wait-usec" };
	const table = liveTable(byId("costs"), {
		title: whoOf,
		key: whoOf,
		share: (row, all) => all.by ? part(row, all, member[all.by])
			: Math.max(...Object.values(member).map((m) => part(row, all, m))),
		columns: [
			{ class: "n", text: (row) => duration(row["cpu-usec"]) },
			{ class: "n", text: (row) => count(row.outqueries) },
			{ class: "n", text: (row) => duration(row["wait-usec"]) },
		],
		open: (row, back) => row.domain ? openDomain(row.domain, "A", back)
			: row.server ? openServer(row.server, back) : openRemote(row.remote, back),
	});

	return {
		id: "costs",
		async load() {
			const kind = chosen("costs"), by = byId("cost-by").value;
			const answer = await ask("/top-cost", { of: kind, by, window: byId("cost-window").value });
			const w = answer.windows[0];

			return () => {
				if (kind !== chosen("costs"))
					return;
				table.update(w.top.slice(0, ROWS), { total: w.total, by });
				table.caption(`In ${duration(w.seconds * 1e6)}: ${duration(w.total["cpu-usec"])} of CPU, ` +
					`${count(w.total.outqueries)} outqueries, ${duration(w.total["wait-usec"])} of waiting`);
			};
		},
		clear: () => table.clear("…"),
	};
}

// ---- each is asked for every second, or less often when it takes the server long ----

const panels = [];

async function refresh(panel) {
	const began = performance.now();

	panel.asking = true;
	panel.again = false;
	try {
		const show = await panel.load();

		show();
		showError(panel, "");
	} catch (e) {
		if (!(e instanceof Refused))
			throw e;
		showError(panel, e.message);
	} finally {
		panel.asking = false;
		panel.notBefore = began + 10 * (performance.now() - began);
	}
	if (panel.again)
		await refresh(panel);
}

function showError(panel, text) {
	panel.error = text;
	const wrong = filter.client === "" ? undefined : panels.find((p) => p.error && p.id !== "costs");
	const field = byId("client");

	field.setAttribute("aria-invalid", wrong ? "true" : "false");
	byId("client-error").textContent = wrong?.error ?? "";
}

function refreshNow(panel) {
	panel.again = panel.asking;
	if (!panel.asking)
		refresh(panel);
}

export function refreshTables() {
	for (const panel of panels)
		if (!panel.asking && performance.now() >= panel.notBefore)
			refresh(panel);
}

export function filterClient(client) {
	filter.client = client.trim();
	byId("client").value = filter.client;
	byId("client-clear").hidden = filter.client === "";
	say(filter.client === "" ? "All clients are shown." : `Only ${filter.client} is shown.`);
	panels.filter((p) => p.id !== "costs").forEach(refreshNow);
}

export function startTables() {
	for (const panel of [questionsPanel(), remotesPanel(), costsPanel()]) {
		panels.push(Object.assign(panel, { asking: false, again: false, notBefore: 0, error: "" }));
		byId(panel.id).addEventListener("change", () => {
			panel.clear();
			refreshNow(panel);
		});
	}
	byId("filters").addEventListener("submit", (event) => {
		event.preventDefault();
		filterClient(byId("client").value);
	});
	byId("client-clear").addEventListener("click", () => {
		filterClient("");
		byId("client").focus();
	});
	for (const choice of document.querySelectorAll("input[name=group]"))
		choice.addEventListener("change", () => refreshNow(panels[0]));
}
