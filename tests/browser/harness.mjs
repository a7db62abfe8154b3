// What the browser tests stand on: the lab, the recursor and dnsperf as children, one browser, and
// results in the form of the other runners.

import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

export const build = path.resolve(process.env.BUILD ?? "build");
export const out = path.join(build, "browser");
const { chromium } = createRequire(path.join(out, "package.json"))("playwright-core");

export const PORT = 5391, LAB_PORT = 5392, WEB_PORT = 8182;
export const dir = fs.mkdtempSync(path.join(os.tmpdir(), "recursor-browser-"));

const children = new Set();

export function start(command, args, log) {
	const to = log ? fs.openSync(path.join(dir, log), "a") : "ignore";
	const child = spawn(command, args, { stdio: ["ignore", to, to] });

	children.add(child);
	child.ended = new Promise((done) => child.on("exit", (code, signal) => {
		children.delete(child);
		done(code ?? signal);
	}));
	return child;
}

export async function stop(child, signal = "SIGTERM") {
	child.kill(signal);
	return child.ended;
}

export function run(command, ...args) {
	const done = spawnSync(command, args, { encoding: "utf8", timeout: 20000 });

	return { status: done.status, text: `${done.stdout}${done.stderr}` };
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(condition, what, seconds = 20) {
	const end = Date.now() + seconds * 1000;

	for (;;) {
		const value = await condition();

		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`within ${seconds} s it did not happen: ${what}`);
		await sleep(50);
	}
}

export function check(is, what, ...about) {
	if (!is)
		throw new Error([what, ...about.map((a) => typeof a === "string" ? a : JSON.stringify(a))]
			.join("\n    "));
}

// ---- daemons ----

export const program = (name) => path.join(build, name);

export async function startLab() {
	const control = path.join(dir, "lab.sock");
	const config = ["--config", "tools/lab/world"];
	const lab = start(program("lab"), [...config, "--port", String(LAB_PORT), "--control", control],
		"lab.log");

	fs.writeFileSync(path.join(dir, "root.hints"), run(program("lab"), ...config, "--hints").text);
	await until(() => fs.existsSync(control), "the lab's socket");
	lab.fault = (...words) => run(program("lab"), "ctl", control, "fault", ...words);
	return lab;
}

export async function startRecursor(name, port, webPort, settings = {}) {
	const home = path.join(dir, name);
	const all = {
		"hint-file": path.join(dir, "root.hints"), "outgoing-port": LAB_PORT, "dont-query": "",
		"negative-trustanchors": ".", // nobody has signed the lab
		"local-address": "127.0.0.1", "local-port": port, "socket-dir": home, threads: 2,
		"disable-syslog": "yes", webserver: "yes", "webserver-port": webPort, ...settings,
	};

	fs.mkdirSync(home, { recursive: true });
	fs.writeFileSync(path.join(home, "recursor.conf"),
		Object.entries(all).map(([key, value]) => `${key}=${value}\n`).join(""));
	const recursor = start(program("recursor"), [`--config-dir=${home}`], `${name}.log`);

	recursor.rec = (...words) => run(program("rec_control"), `--socket-dir=${home}`, ...words);
	await until(() => recursor.exitCode !== null || recursor.rec("ping").status === 0, "rec_control ping");
	check(recursor.exitCode === null, `${name} does not start`,
		fs.readFileSync(path.join(dir, `${name}.log`), "utf8").slice(-2000));
	recursor.url = `http://127.0.0.1:${webPort}/`;
	return recursor;
}

// Questions again and again until it is stopped; `client` is a loopback address.
export function traffic(client, qps, lines, port = PORT) {
	const file = path.join(dir, `names-${client}`);

	fs.writeFileSync(file, lines.join("\n"));
	return start("dnsperf", ["-s", "127.0.0.1", "-p", String(port), "-a", client, "-d", file,
		"-Q", String(qps), "-l", "600", "-t", "1", "-q", "5000"]);
}

// ---- the browser ----

let browser;

export async function newPage(url, options = {}) {
	browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();

	// What no page of ours may do, in any test.
	page.wrong = [];
	page.quiet = []; // what a test expects the browser to complain of
	page.on("pageerror", (e) => page.wrong.push(`error: ${e.stack}`));
	page.on("console", (m) => {
		if (m.type() === "error" && !page.quiet.some((q) => m.text().includes(q)))
			page.wrong.push(`console: ${m.text()}`);
	});
	page.on("dialog", (d) => {
		page.wrong.push(`dialog: ${d.message()}`);
		d.dismiss();
	});
	page.on("request", (r) => {
		if (!r.url().startsWith(url))
			page.wrong.push(`request: ${r.url()}`);
	});
	page.setDefaultTimeout(20000);
	await page.goto(url);
	return page;
}

export async function closePage(page) {
	await page.context().close();
	check(page.wrong.length === 0, "what may not happen", ...page.wrong);
}

// ---- results ----

const counts = { passed: 0, failed: 0, skipped: 0 };

export async function test(name, what, body) {
	const began = Date.now();
	let why = "";

	if (process.env.ONLY && !process.env.ONLY.split(" ").some((t) => name.includes(t)))
		return;
	try {
		await body();
		counts.passed++;
	} catch (e) {
		why = `\n    ${e.stack ?? e}`;
		counts.failed++;
	}
	console.log(`${why ? "not ok" : "ok"} ${name}: ${what} (${((Date.now() - began) / 1000).toFixed(1)} s)${why}`);
}

export async function finish() {
	await browser?.close();
	for (const child of children)
		child.kill("SIGKILL");
	if (counts.failed > 0)
		console.log(`configurations and logs: ${dir}`);
	else
		fs.rmSync(dir, { recursive: true, force: true });
	console.log(`TOTAL passed=${counts.passed} failed=${counts.failed} skipped=${counts.skipped}`);
	process.exit(counts.failed > 0 ? 1 : 0);
}
