// What a reader would see: run in the page, by page.evaluate().

// Texts with less than `least` contrast to what they stand on, as [text, ratio] (WCAG 2.1, 1.4.3).
export function poorContrast(least) {
	const parse = (text) => {
		const [r, g, b, a = 1] = text.match(/[0-9.]+/g).map(Number); // rgb() or rgba()

		return { r, g, b, a };
	};
	const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a),
		g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
	const luminance = ({ r, g, b }) => {
		const [R, G, B] = [r, g, b].map((v) => v / 255)
			.map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

		return 0.2126 * R + 0.7152 * G + 0.0722 * B;
	};
	const ratio = (a, b) => {
		const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);

		return (high + 0.05) / (low + 0.05);
	};
	const groundOf = (e) => {
		const layers = [];

		for (let at = e; at; at = at.parentElement) {
			const style = getComputedStyle(at);
			const colour = parse(style.backgroundColor);
			const bar = style.backgroundImage.match(/^linear-gradient\((rgba?\([^)]*\))/);

			if (bar)
				layers.push(parse(bar[1])); // the text may stand on the bar
			layers.push(colour);
			if (colour.a === 1)
				break;
		}
		return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
	};
	const poor = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);

	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const e = node.parentElement;

		if (!node.data.trim() || e.tagName === "NOSCRIPT" || e.tagName === "OPTION" ||
			!e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
			continue;
		const r = ratio(parse(getComputedStyle(e).color), groundOf(e));

		if (r < least)
			poor.push([node.data.trim().slice(0, 40), Number(r.toFixed(2))]);
	}
	return poor;
}

// Controls without a name, tables without a caption, headers without a scope, duplicated ids.
export function unnamed() {
	const wrong = [];
	const seen = new Set();

	for (const e of document.querySelectorAll("button, input, select, a, [role=img], dialog, section, article")) {
		const by = (e.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean)
			.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
		const own = /^(BUTTON|A)$/.test(e.tagName) ? e.textContent : "";
		const label = [...(e.labels ?? [])].map((l) => l.textContent).join(" ");

		if (!`${by}${own}${label}${e.getAttribute("aria-label") ?? ""}`.trim() && !e.hidden &&
			e.checkVisibility())
			wrong.push(`no name: ${e.outerHTML.slice(0, 80)}`);
	}
	for (const t of document.querySelectorAll("table"))
		if (!t.caption)
			wrong.push(`no caption: ${t.outerHTML.slice(0, 80)}`);
	for (const h of document.querySelectorAll("th:not([scope])"))
		wrong.push(`no scope: ${h.outerHTML}`);
	for (const e of document.querySelectorAll("[id]")) {
		if (seen.has(e.id))
			wrong.push(`twice: ${e.id}`);
		seen.add(e.id);
	}
	return wrong;
}

// How many pixels of a card's graph have another colour than what it is drawn on.
export function paintedPixels(id) {
	let n = 0;

	for (const canvas of document.querySelectorAll(`#card-${id} canvas`)) {
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);

		for (let i = 0; i < data.length; i += 4)
			if (data[i + 3] > 0 && Math.max(data[i], data[i + 1], data[i + 2]) -
				Math.min(data[i], data[i + 1], data[i + 2]) > 40)
				n++;
	}
	return n;
}
