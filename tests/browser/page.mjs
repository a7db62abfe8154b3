// The live page against the daemon with real traffic; see run.

import fs from "node:fs";
import path from "node:path";

import {
	check, closePage, dir, finish, LAB_PORT, newPage, out, PORT, run, sleep, start, startLab,
	startRecursor, stop, test, traffic, until, WEB_PORT,
} from "./harness.mjs";
import { paintedPixels, poorContrast, unnamed } from "./looks.mjs";

const CLIENT = "127.66.0.1", BOT = "127.66.0.66", STRANGER = "127.77.0.1", HOSTILE = "127.66.0.9";
const SCRIPT = "<script>document.title=1</script>.city.example";
const HOSTILE_NAMES = [SCRIPT, "\"><img-src=x-onerror=document.title=2>.city.example",
	"'quoted'&lt;b&gt;.city.example"];
const CARDS = ["queries", "rcodes", "hits", "latency", "outqueries", "drops"];

// Names that are there, one that is not, servers that refuse, one that says nothing.
const ORDINARY = ["www.city.example A", "www.city.example A", "www.city.example AAAA",
	"mail.city.example A", "shop.city.example A", "cdn.city.example A", "nothing.city.example A",
	"many.big.example A", "www.old.example A", "www.glueless.example A", "refused.fault.example A",
	"silent.c.b.a.deep.example A"];
const RULES = `- type: prsd
  comment: random names
  window: 1
  minimum_number_of_qps: 20
  minimum_number_of_children: 20
  action: refused
  action_duration: 120
`;

const random = (zone, n) => Array.from({ length: n }, (_, i) =>
	`r${(i * 2654435761 % 2 ** 32).toString(16)}.${zone} A`);

const text = (page, selector) => page.locator(selector).first().innerText();
const number = async (page, card) =>
	Number((await text(page, `#card-${card} .number`)).replace(/[^0-9.]/g, ""));
const rows = (page, panel) => page.locator(`#${panel} tbody tr:not(.rest) .open`).allInnerTexts();
const figure = async (page, card, line) => {
	const all = await page.locator(`#card-${card} .legend div`).allInnerTexts();

	return Number(all.find((t) => t.startsWith(line))?.replace(line, "").replace(/[^0-9.]/g, ""));
};
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

const lab = await startLab();

lab.fault("127.20.6.1", "refused");
lab.fault("127.20.6.2", "refused");
lab.fault("127.20.5.4", "silent");
fs.writeFileSync(path.join(dir, "rules.yml"), RULES);
const recursor = await startRecursor("recursor", PORT, WEB_PORT, {
	"allow-from": "127.66.0.0/16", "max-cache-ttl": 3, "max-negative-ttl": 3, defender: "act",
	"defender-config-file": path.join(dir, "rules.yml"),
});

traffic(CLIENT, 120, ORDINARY);
traffic(STRANGER, 20, ["www.city.example A"]);
traffic(HOSTILE, 5, HOSTILE_NAMES.map((name) => `${name} A`));
// ---- other daemons, beside the tests of the first ----

const locked = { "webserver-password": "sesame", "api-key": "open" };

const login = test("login", "the page asks for the password or the key, and keeps it for the tab alone", async () => {
	const guarded = await startRecursor("guarded", PORT + 4, WEB_PORT + 1, locked);
	const p = await newPage(guarded.url);

	p.quiet.push("401");
	await p.locator("#login").waitFor();
	check(await p.evaluate(() => document.activeElement.id) === "secret", "the field has the focus");
	check((await p.evaluate(poorContrast, 4.5)).length === 0, "contrast of the dialog");
	await p.fill("#secret", "wrong");
	await p.keyboard.press("Enter");
	await until(async () => /neither/.test(await p.textContent("#secret-error")), "an error");
	for (const secret of ["sesame", "open"]) {
		await p.fill("#secret", secret);
		await p.keyboard.press("Enter");
		await until(() => p.isHidden("#login"), `${secret} opens it`);
		await until(async () => await text(p, "#version") !== "" && await p.isVisible("#sign-out"), "figures");
		const kept = await p.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage),
			document.cookie, location.href]);

		check(kept[0].includes(secret) && !kept.slice(1).some((k) => k.includes(secret)),
			"kept in the session alone", kept);
		if (secret === "open")
			break;
		await p.click("#sign-out");
		check(await p.evaluate(() => sessionStorage.length) === 0, "forgotten");
		await p.click("#sign-in");
		await p.locator("#login").waitFor();
	}
	await p.reload();
	await until(async () => await p.isVisible("#sign-out"), "a reload needs no second time");
	await closePage(p);
	await stop(guarded);
});

const lost = test("lost", "without a connection a bar says so, and goes by itself", async () => {
	let other = await startRecursor("other", PORT + 6, WEB_PORT + 2);
	const p = await newPage(other.url);

	p.quiet.push("Failed to load resource");
	await until(async () => await text(p, "#version") !== "", "figures");
	check(await p.isHidden("#lost"), "no bar");
	await stop(other, "SIGKILL");
	await p.locator("#lost").waitFor();
	check(/No connection/.test(await text(p, "#lost")), "what it says");
	check(await p.getAttribute("#lost", "role") === "alert", "and is heard");
	check((await p.evaluate(poorContrast, 4.5)).length === 0, "contrast of the bar",
		await p.evaluate(poorContrast, 4.5));
	await p.screenshot({ path: path.join(out, "lost.png") });
	other = await startRecursor("other", PORT + 6, WEB_PORT + 2);
	await until(() => p.isHidden("#lost"), "the bar goes");
	await until(async () => /back|anew/.test(await p.textContent("#said")), "and that is said");
	await closePage(p);
	await stop(other);
});

// ---- the page ----

const page = await newPage(recursor.url);

page.quiet.push("422"); // a filter that is none: the browser has a line for each such reply

await test("figures", "percentiles, rates and ratios of two readings", async () => {
	const wrong = await page.evaluate(async () => {
		const f = await import("./figures.js");
		const item = (name, value) => ({ type: "StatisticItem", name, value: String(value) });
		const before = f.reading([item("questions", 100), item("uptime", 50)], 1000);
		const now = f.reading([item("questions", 300), item("uptime", 52)], 3000);
		const d = f.between(before, now);
		const le = new Map([["x-le-10", 50], ["x-le-20", 50], ["x-le-100", 90], ["x-le-max", 100],
			["x-sum", 7], ["x-count", 100]]);
		const steps = f.buckets((name) => le.get(name), le.keys(), "x");
		const near = (a, b) => Math.abs(a - b) < 1e-6 * Math.abs(b);

		return Object.entries({
			rate: d.rate("questions") === 100,
			"no such metric": d.rate("nothing") === 0,
			"a counter that has gone back": f.between(now, before).rate("questions") === 0,
			restarted: f.between(now, before).restarted && !d.restarted,
			buckets: JSON.stringify(steps) === "[[10,50],[20,50],[100,90],[null,100]]",
			"in the first bucket": f.percentile(steps, 0.5) === 10,
			"between bounds": near(f.percentile(steps, 0.7), 20 * Math.sqrt(5)),
			"at a bound": near(f.percentile(steps, 0.9), 100),
			"above all bounds": f.percentile(steps, 0.99) === 100,
			"of nothing": Number.isNaN(f.percentile([], 0.5)),
		}).filter(([, is]) => !is).map(([what]) => what);
	});

	check(wrong.length === 0, "figures.js", wrong);
});

await test("numbers", "each card has a number that moves, and a graph that is drawn", async () => {
	for (const card of ["queries", "rcodes", "outqueries", "drops"])
		await until(async () => await number(page, card) > 0, `${card}: a number`);
	for (const line of ["NOERROR", "NXDOMAIN", "SERVFAIL"])
		await until(async () => await figure(page, "rcodes", line) > 0, `answers with ${line}`);
	for (const line of ["both", "packet cache", "record cache"])
		await until(async () => await figure(page, "hits", line) > 0, `hits: ${line}`);
	await until(async () => /[0-9] (µs|ms|s)$/.test(await text(page, "#card-latency .number")), "a latency");
	await until(async () => await figure(page, "drops", "not allowed") > 0, "the stranger");
	const before = await text(page, "#glance");

	await until(async () => await text(page, "#glance") !== before, "other figures");
	for (const card of CARDS)
		await until(async () => await page.evaluate(paintedPixels, card) > 50, `the graph of ${card}`);
	const total = await figure(page, "queries", "all");

	check(total > 20 && total < 1000, "questions a second are about those that are asked", total);
	check((await text(page, "#version")).includes("0."), "the version", await text(page, "#version"));
	check((await page.locator("#facts dd").allInnerTexts()).every((t) => t !== "–"), "facts");
});

await test("reasons", "drops and errors by reason add up to the daemon's totals", async () => {
	const compare = () => page.evaluate(async () => {
		const { GROUPS, TOTALS, unnamed } = await import("./reasons.js");
		const reply = await fetch("api/v1/servers/localhost/statistics");
		const all = new Map((await reply.json()).map((item) => [item.name, Number(item.value)]));
		const names = [...GROUPS.flatMap((g) => Object.keys(g.reasons)), ...unnamed(all.keys())];
		const sum = (list) => list.reduce((total, name) => total + (all.get(name) ?? 0), 0);

		return [sum(names), sum(TOTALS)];
	});
	let [parts, totals] = await compare();

	// The workers go on counting while they are read.
	for (let i = 0; i < 20 && parts !== totals; i++)
		[parts, totals] = await compare();
	check(parts > 0 && parts === totals, "they are the same", parts, totals);
});

await test("hostile", "names with HTML in them are text", async () => {
	await page.fill("#client", HOSTILE);
	await page.press("#client", "Enter");
	const found = await until(async () => {
		const list = await rows(page, "questions");

		return list.length === HOSTILE_NAMES.length && list;
	}, "the three names");

	for (const part of ["<script>document.title=1</script>", "<img-src=x-onerror=document.title=2>", "&lt"])
		check(found.some((name) => name.includes(part)), `as it was asked: ${part}`, found);
	await page.locator("#questions tbody .open", { hasText: "<script>" }).click();
	await until(async () => (await text(page, "#sheet-title")).includes("<script>"), "its panel");
	await page.locator("#sheet pre").first().waitFor();
	check((await text(page, "#sheet pre")).includes("<script>"), "its story");
	check(await page.locator("body script, body img:not([alt='']), #sheet b").count() === 0,
		"no element came of it");
	check(await page.title() === "recursor", "no script ran", await page.title());
	await page.keyboard.press("Escape");
	await page.click("#client-clear");
});

await test("switch", "names, or their public suffixes", async () => {
	await until(async () => (await rows(page, "questions")).includes("www.city.example."), "names");
	await page.check("input[name=group][value=suffix]");
	await until(async () => {
		const list = await rows(page, "questions");

		return list.includes("city.example.") && !list.includes("www.city.example.");
	}, "suffixes");
	await page.check("input[name=group][value='']");
	await until(async () => (await rows(page, "questions")).includes("www.city.example."), "names again");
});

await test("rings", "each ring has its rows, counts in order, and a caption", async () => {
	const choose = (panel, value) => page.locator(`input[name=${panel}][value=${value}]`).check();
	const has = (panel, row) => until(async () => (await rows(page, panel)).includes(row), `${panel}: ${row}`);

	await has("remotes", CLIENT);
	await choose("questions", "servfail-queries");
	await has("questions", "refused.fault.example.");
	check(/answered SERVFAIL/.test(await text(page, "#questions caption")), "its caption");
	await choose("questions", "bogus-queries");
	await until(async () => /^No /.test(await text(page, "#questions caption")), "nothing is bogus");
	await choose("questions", "queries");
	await choose("remotes", "timeouts");
	await has("remotes", "127.20.5.4");
	await choose("remotes", "servfail-remotes");
	await has("remotes", CLIENT);
	await choose("remotes", "remotes");
	for (const [kind, row] of [["remotes", CLIENT], ["servers", "127.20.5.4"], ["domains", "city.example."]]) {
		await choose("costs", kind);
		await until(async () => (await rows(page, "costs")).some((r) => r.startsWith(row.slice(0, 7))),
			`costs of ${kind}`);
	}
	await page.selectOption("#cost-by", "outqueries");
	await page.selectOption("#cost-window", "10m");
	await has("questions", "www.city.example.");
	const counts = (await page.locator("#questions tbody tr:not(.rest) td:last-child").allInnerTexts())
		.map((t) => Number(t.replace(/\D/g, "")));

	check(counts.length > 5 && counts.every((n, i) => i === 0 || n <= counts[i - 1]), "the largest first",
		counts);
});

await test("filter", "only one client's, an error where it is none, and all again", async () => {
	await page.fill("#client", `${STRANGER}/32`);
	await page.click("#filters button[type=submit]");
	await until(async () => (await rows(page, "remotes")).join() === STRANGER, "its row alone");
	await until(async () => (await rows(page, "questions")).length === 0, "it may not ask");
	await page.fill("#client", "not-an-address");
	await page.press("#client", "Enter");
	await until(async () => (await text(page, "#client-error")).includes("not-an-address"), "an error");
	check(await page.getAttribute("#client", "aria-invalid") === "true", "the field says so");
	await page.click("#client-clear");
	await until(async () => (await rows(page, "remotes")).includes(CLIENT), "all clients");
	check(await text(page, "#client-error") === "", "no error any more");
});

await test("keyboard", "all by keys: choices, rows, their panel, and the way back", async () => {
	await page.reload(); // Tab begins at the top
	await until(async () => (await rows(page, "questions")).length > 3, "rows");
	await page.keyboard.press("Tab");
	check(await focused(page) === "Skip to the tables", "the first stop", await focused(page));
	const stops = new Set();
	const bad = [];

	for (let i = 0; i < 40; i++) {
		await page.keyboard.press("Tab");
		const at = await page.evaluate(() => {
			const e = document.activeElement;
			const seen = e.matches(".segments input") ? e.nextElementSibling : e;
			const style = getComputedStyle(seen);

			return { id: e.id || e.name || e.textContent.trim().slice(0, 20),
				outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
		});

		stops.add(at.id);
		if (!at.outline)
			bad.push(at.id);
		if (at.id === "costs")
			break;
	}
	for (const id of ["span", "theme", "pause", "group", "client", "questions", "remotes", "costs"])
		check(stops.has(id), `Tab comes to ${id}`, [...stops]);
	check(bad.length === 0, "the focus is seen", bad);

	await page.focus("input[name=questions][value=queries]");
	await page.keyboard.press("ArrowRight");
	check(await page.isChecked("input[name=questions][value=servfail-queries]"), "arrows choose");
	await page.keyboard.press("ArrowLeft");
	await until(async () => (await rows(page, "questions")).length > 3, "rows");
	await page.locator("#questions tbody .open").first().focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("ArrowDown");
	const name = await focused(page);

	await sleep(2200); // rows are written anew below it
	check(await focused(page) === name, "the focus stays with its row", name, await focused(page));
	await page.keyboard.press("Enter");
	await until(() => page.isVisible("#sheet"), "the panel");
	check((await text(page, "#sheet-title")).startsWith(name), "of that row", await text(page, "#sheet-title"));
	await page.locator("#sheet pre").first().waitFor();
	for (let i = 0; i < 12; i++) {
		await page.keyboard.press("Tab");
		check(await page.evaluate(() => document.activeElement === document.body ||
			document.activeElement.closest("#sheet") !== null), "the focus stays in the panel");
	}
	await page.keyboard.press("Escape");
	await until(() => page.isHidden("#sheet"), "Escape closes it");
	check(await focused(page) === name, "the focus is where it was", await focused(page));
});

const flood = traffic(BOT, 150, random("big.example", 20000));

await page.evaluate(() => {
	window.heard = [];
	new MutationObserver(() => window.heard.push(document.getElementById("said").textContent))
		.observe(document.getElementById("said"), { childList: true, subtree: true, characterData: true });
});

await test("explain", "a row opens what is known of it", async () => {
	await page.locator("#questions tbody .open", { hasText: /^www\.city\.example\.$/ }).first().click();
	await page.locator("#sheet pre").first().waitFor();
	check(/looks for www\.city\.example\./.test(await text(page, "#sheet pre")), "the steps",
		await text(page, "#sheet pre"));
	check(await text(page, "#sheet .rcode") === "NOERROR", "the verdict");
	await until(async () => (await page.locator("#sheet .open").allInnerTexts()).includes(CLIENT), "who asks");
	await page.locator("#sheet .open", { hasText: CLIENT }).first().click();
	await until(async () => await text(page, "#sheet-title") === CLIENT, "the client's panel");
	await until(async () => /outqueries/.test(await text(page, "#sheet-body")), "its cost");
	await until(async () => (await page.locator("#sheet .open").allInnerTexts())
		.includes("www.city.example."), "its questions");
	await page.getByText(`Show only ${CLIENT}`).click();
	await until(async () => (await rows(page, "remotes")).join() === CLIENT, "it alone");
	await page.click("#client-clear");
});

await test("past", "a failure of a moment ago, with its steps, from the flight recorder", async () => {
	await page.check("input[name=questions][value=servfail-queries]");
	await page.locator("#questions tbody .open", { hasText: "refused.fault.example." }).first().click();
	const story = page.locator("#sheet details").first();

	await story.waitFor();
	await story.locator("summary").click();
	const shown = await story.innerText();

	for (const part of ["SERVFAIL", `asked by ${CLIENT}`, "refused.fault.example.", " ms  "])
		check(shown.includes(part), `the story has ${part}`, shown);
	await page.keyboard.press("Escape");
	await page.check("input[name=questions][value=queries]");
});

await test("defender", "an accusation comes with its evidence, and is said", async () => {
	const card = page.locator(".accusation", { hasText: "big.example." });

	await card.waitFor({ timeout: 30000 });
	await until(() => page.evaluate(() => window.heard.some((t) => t.includes("big.example. is accused"))),
		"aria-live says it");
	await page.mouse.move(0, 0); // what is pointed at is not written anew
	for (const part of ["refused", "random names", "different names", "when accused", BOT, "since"])
		await until(async () => (await card.innerText()).includes(part), `the evidence has ${part}`);
	check(await card.locator("li .open").count() > 3, "names and clients");
	await until(async () => await figure(page, "drops", "defender") > 0, "what it refused");
	await until(async () => await figure(page, "rcodes", "REFUSED") > 0, "among the answers");
});

await test("quiet", "what changes each second is not read aloud", async () => {
	await sleep(300);
	const said = await page.textContent("#said");

	await sleep(2500);
	check(await page.textContent("#said") === said, "the live region is still", said);
	const live = await page.locator("main [aria-live], main [role=status]").count();

	check(live === 0, "no live region around what moves");
});

await test("looks", "375 and 1920 pixels, light and dark: all is in its place, contrast 4.5 to 1", async () => {
	await page.click("#card-drops summary");
	for (const [width, height] of [[1920, 1080], [375, 812]])
		for (const colorScheme of ["light", "dark"]) {
			await page.setViewportSize({ width, height });
			await page.emulateMedia({ colorScheme });
			await sleep(700); // graphs are drawn anew
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			const poor = await page.evaluate(poorContrast, 4.5);

			await page.screenshot({ path: path.join(out, `page-${width}-${colorScheme}.png`), fullPage: true });
			check(wide <= 0, `${width} ${colorScheme}: nothing sticks out`, wide);
			check(poor.length === 0, `${width} ${colorScheme}: contrast`, poor);
		}
	await page.click("#card-drops summary");
	const wrong = await page.evaluate(unnamed);

	check(wrong.length === 0, "names of controls, captions of tables", wrong);
	await page.locator("#questions tbody .open").first().click();
	await page.locator("#sheet pre").first().waitFor();
	check((await page.evaluate(poorContrast, 4.5)).length === 0, "contrast of the panel",
		await page.evaluate(poorContrast, 4.5));
	await page.screenshot({ path: path.join(out, "sheet-375-dark.png") });
	await page.setViewportSize({ width: 1920, height: 1080 });
	await page.screenshot({ path: path.join(out, "sheet-1920-dark.png") });
	await page.keyboard.press("Escape");
});

await test("theme", "the switch of colours holds over a reload, and against the system's", async () => {
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const dark = await ground();

	await page.selectOption("#theme", "light");
	const light = await ground();

	check(light !== dark, "light is another");
	await page.reload();
	check(await ground() === light, "after a reload");
	await page.selectOption("#theme", "");
	check(await ground() === dark, "as the system again");
	await page.emulateMedia({ colorScheme: "light" });
});

await test("motion", "who wants less of it gets no animation, and graphs that move every five seconds", async () => {
	await page.emulateMedia({ reducedMotion: "reduce" });
	await page.locator("#questions tbody .open").first().click();
	const animation = await page.evaluate(() => getComputedStyle(document.getElementById("sheet")).animationName);

	check(animation === "none", "no animation", animation);
	await page.keyboard.press("Escape");
	const drawn = () => page.evaluate(() => [...document.querySelectorAll("#card-queries canvas")]
		.map((c) => c.toDataURL()).join());
	const seen = new Set();

	for (let i = 0; i < 7; i++) {
		seen.add(await drawn());
		await sleep(500);
	}
	check(seen.size <= 2, "the graph was drawn once at most in three seconds", seen.size);
	await page.emulateMedia({ reducedMotion: "no-preference" });
});

await test("pause", "all stands still until it goes on", async () => {
	await until(async () => await number(page, "queries") > 0, "figures");
	await page.click("#pause");
	check(await page.getAttribute("#pause", "aria-pressed") === "true", "the button says so");
	await sleep(1200);
	const before = await text(page, "main");

	await sleep(2200);
	check(await text(page, "main") === before, "nothing has moved");
	await page.click("#pause");
	await until(async () => await text(page, "main") !== before, "it goes on");
});

// The picture of the README: a minute of it; make screenshot.
if (process.env.SCREENSHOT) {
	await page.emulateMedia({ colorScheme: "light" });
	await page.setViewportSize({ width: 1240, height: 740 });
	await page.reload();
	await page.selectOption("#span", "60");
	await sleep(62000);
	await page.screenshot({ path: process.env.SCREENSHOT });
}

await closePage(page).then(() => test("clean", "no error, no request to another host", async () => {}),
	(e) => test("clean", "no error, no request to another host", async () => { throw e; }));
await stop(flood);

await Promise.all([login, lost]);
await stop(recursor);
await stop(lab);
await finish();
