// Elements and texts.  What comes from clients gets into the page through text nodes only, so that
// a name is never anything but a name (CVE-2017-15092).

export const byId = (id) => document.getElementById(id);

// An element with attributes and children; a string becomes a text node, null is left out.
export function el(name, attributes = {}, ...children) {
	const e = document.createElement(name);

	for (const [key, value] of Object.entries(attributes))
		if (value !== null && value !== undefined && value !== false)
			e.setAttribute(key, value === true ? "" : value);
	e.append(...children.flat().filter((c) => c !== null && c !== undefined));
	return e;
}

// Only when it changes: what does not change is not laid out again.
export function setText(e, text) {
	if (e.textContent !== text)
		e.textContent = text;
}

// For those who listen instead of looking: what has happened, not what happens each second.
export function say(text) {
	byId("said").textContent = text;
}

const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (n) => whole.format(Math.round(n));
// A rate: whole, or with a tenth where that says something.
export const rate = (n) => n >= 100 || n === 0 ? whole.format(Math.round(n)) : tenths.format(n);
export const percent = (part) => Number.isFinite(part) ? `${tenths.format(part * 100)} %` : "–";

// Microseconds, in the unit that suits.
export function duration(us) {
	if (!Number.isFinite(us))
		return "–";
	if (us < 1000)
		return `${whole.format(Math.round(us))} µs`;
	if (us < 1e6)
		return `${us < 1e5 ? tenths.format(us / 1e3) : whole.format(Math.round(us / 1e3))} ms`;
	return us < 6e8 ? `${tenths.format(us / 1e6)} s` : `${whole.format(Math.round(us / 6e7))} min`;
}

export function bytes(n) {
	const units = ["B", "KB", "MB", "GB", "TB"];
	let i = 0;

	for (; n >= 1000 && i < units.length - 1; i++)
		n /= 1000;
	return `${n < 10 && i > 0 ? tenths.format(n) : whole.format(Math.round(n))} ${units[i]}`;
}

// Seconds in words of at most two units: "3 d 4 h".
export function age(s) {
	const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
	const first = units.findIndex(([, size]) => s >= size);

	if (first < 0)
		return "0 s";
	return units.slice(first, first + 2).map(([unit, size], i) => {
		const n = Math.floor(i === 0 ? s / size : s % units[first][1] / size);

		return i > 0 && n === 0 ? "" : `${n} ${unit}`;
	}).join(" ").trim();
}

const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const moment = (s) => clock.format(new Date(s * 1000));
