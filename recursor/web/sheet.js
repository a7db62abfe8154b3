// What is known of a row that was opened, in a panel beside the page: a question's steps, now and in
// the past, a client's or a server's rows of the other tables.

import { ask, Refused } from "./api.js";
import { byId, count, duration, el, moment, say } from "./dom.js";

const EXPLAIN_MS = 20000; // resolving takes as long as it may

let opened = null; // what the panel is about: what comes later for another one is not shown
let filterBy = () => {};

export function startSheet(filterClient) {
	const sheet = byId("sheet");

	filterBy = filterClient;
	byId("sheet-close").addEventListener("click", () => sheet.close());
	// A click beside it closes it, as Escape does.
	sheet.addEventListener("click", (event) => {
		if (event.target === sheet)
			sheet.close();
	});
	sheet.addEventListener("close", () => {
		const { back } = opened;

		opened = null;
		byId("sheet-body").replaceChildren();
		back();
	});
}

// `back` gives the focus to where it came from.
function open(title, back) {
	opened = { back };
	byId("sheet-title").textContent = title;
	byId("sheet-body").replaceChildren();
	if (!byId("sheet").open)
		byId("sheet").showModal();
	byId("sheet").scrollTop = 0;
}

// A part of the panel, filled when its answer is there.
function part(heading, asking, show) {
	const about = opened;
	const body = el("div", {}, el("p", { class: "quiet" }, "…"));
	const section = el("section", { "aria-busy": true }, el("h3", {}, heading), body);

	byId("sheet-body").append(section);
	asking.then(show, (e) => {
		if (!(e instanceof Refused))
			throw e;
		return el("p", { class: "error" }, e.message);
	}).then((content) => {
		if (about !== opened)
			return;
		section.removeAttribute("aria-busy");
		body.replaceChildren(...[content].flat());
	});
}

const nothing = (text) => el("p", { class: "quiet" }, text);

function pairs(list) {
	return el("dl", { class: "pairs" }, list.map(([term, value]) =>
		el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

function table(caption, heads, rows) {
	return el("table", {}, el("caption", { class: "aside" }, caption),
		el("thead", {}, el("tr", {}, heads.map(([text, c]) =>
			el("th", { scope: "col", class: c ?? null }, text)))),
		el("tbody", {}, rows));
}

// ---- a question ----

// Of whom there is a list, each to be opened.
function list(heading, answer, openRow) {
	if (answer.rows.length === 0)
		return nothing("None in the ring.");
	const typed = answer.rows[0].type !== undefined;
	const heads = [[heading], ...(typed ? [["Type"]] : []), ["Count", "n"]];

	return table(heading, heads, answer.rows.map((row) => {
		const button = el("button", { type: "button", class: "open" }, row.key);

		button.addEventListener("click", () => openRow(row));
		return el("tr", {}, el("th", { scope: "row" }, button), typed ? el("td", {}, row.type) : null,
			el("td", { class: "n" }, count(row.count)));
	}));
}

const steps = (text, label) =>
	el("pre", { tabindex: "0", role: "region", "aria-label": label }, text.trimEnd());

function story(answer) {
	say(`${answer.name} ${answer.type}: ${answer.rcode}`);
	return [
		el("p", {}, el("span", { class: `rcode ${answer.rcode}` }, answer.rcode),
			answer.ede ? ` ${answer.ede}${answer["ede-text"] ? `: ${answer["ede-text"]}` : ""}` : ""),
		steps(answer.text, "The steps"),
	];
}

// ---- the flight recorder ----

// A step as the API has it, in words that rec_control explain would use at more length.
function stepText(e) {
	const what = ["name", "type", "other", "server", "transport", "rcode", "ede", "text"]
		.map((member) => e[member]).filter((v) => v !== undefined && v !== null);

	return `${String(e["at-ms"]).padStart(6)} ms  ${e.event.replaceAll("-", " ")}: ${what.join(" ")}`;
}

function pastStory(s) {
	const question = s.name === null ? "" : `${s.name} ${s.type}, `;
	const end = [s.rcode ?? "no answer", s.reason, s.figures, s.ede, s["ede-text"]]
		.filter((v) => v !== null && v !== undefined).join(", ");

	return el("details", {},
		el("summary", {}, `${moment(s.time)}, ${s.kind}: ${question}${end}, after ${duration(s.usec)}`),
		el("p", { class: "quiet" }, `asked by ${s.client} over ${s.transport}; ` +
			`${count(s["out-queries"])} outqueries, ${count(s.timeouts)} timed out, ` +
			`${count(s.throttled)} throttled`),
		s.events ? steps(s.events.map(stepText).join("\n"), "The steps") : null);
}

function past(answer) {
	if (!answer["is-on"])
		return nothing("It is off.");
	if (answer.stories.length === 0)
		return nothing("No failure, slow answer or refusal.");
	return answer.stories.map(pastStory);
}

export function openDomain(name, type, back) {
	open(`${name} ${type}`, back);
	part("Asked now", ask("/explain", { name, type }, EXPLAIN_MS), story);
	part("Kept by the flight recorder", ask("/past", { name, type, limit: 10 }), past);
	part("Who asks for it, or below it", ask("/rings/queries", { group: "client", within: name, limit: 10 }),
		(answer) => list("Client", answer, (row) => openRemote(row.key, opened.back)));
}

// ---- an address ----

function costOf(member, address) {
	return (answer) => {
		const rows = answer.windows.flatMap((w) => w.top.filter((r) => r[member] === address));

		if (rows.length === 0)
			return nothing("Not among those who cost most.");
		return pairs([["CPU", duration(rows[0]["cpu-usec"])],
			["outqueries", count(rows[0].outqueries)],
			["waiting", duration(rows[0]["wait-usec"])]]);
	};
}

export function openRemote(client, back) {
	const only = el("button", { type: "button" }, `Show only ${client} in the tables`);
	const questions = (answer) => list("Name", answer, (row) => openDomain(row.key, row.type, opened.back));

	open(client, back);
	only.addEventListener("click", () => {
		byId("sheet").close();
		filterBy(client);
	});
	byId("sheet-body").append(el("p", {}, only));
	part("Cost in the last ten minutes", ask("/top-cost", { of: "remotes", window: "10m" }),
		costOf("remote", client));
	part("Its questions", ask("/rings/queries", { client, limit: 20 }), questions);
	part("Answered SERVFAIL", ask("/rings/servfail-queries", { client, limit: 20 }), questions);
	part("Kept by the flight recorder", ask("/past", { client, steps: "yes", limit: 10 }), past);
}

export function openServer(server, back) {
	open(server, back);
	part("Cost in the last ten minutes", ask("/top-cost", { of: "servers", window: "10m" }),
		costOf("server", server));
	part("Timeouts", ask("/rings/timeouts", { client: server }), (answer) =>
		nothing(`${count(answer.entries)} in the ring.`));
}
