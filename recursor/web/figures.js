// From two readings of the statistics to what is drawn: rates, ratios, percentiles.  Nothing of the
// page is touched here.

// A reading: metrics by name, the maps among them, and when it was taken.
export function reading(list, at) {
	const metrics = new Map(), maps = new Map();

	for (const item of list)
		if (item.type === "MapStatisticItem")
			maps.set(item.name, new Map(item.value.map((v) => [v.name, Number(v.value)])));
		else
			metrics.set(item.name, Number(item.value));
	return { metrics, maps, at };
}

// What happened between two readings.  A counter that has gone back belongs to another process.
export function between(before, now) {
	const seconds = (now.at - before.at) / 1000;
	const value = (name) => now.metrics.get(name) ?? 0;
	const delta = (name) => Math.max(0, value(name) - (before.metrics.get(name) ?? 0));

	return {
		value,
		delta,
		rate: (name) => delta(name) / seconds,
		has: (name) => now.metrics.has(name),
		names: () => now.metrics.keys(),
		mapRate: (map, name) => Math.max(0, ((now.maps.get(map)?.get(name) ?? 0) -
			(before.maps.get(map)?.get(name) ?? 0)) / seconds),
		hasMap: (map) => now.maps.has(map),
		seconds,
		restarted: value("uptime") < (before.metrics.get("uptime") ?? 0),
	};
}

// The buckets of a cumulative histogram as [upper bound in µs, how many were at most that], in order.
export function buckets(delta, names, prefix) {
	const steps = [];

	for (const name of names)
		if (name.startsWith(`${prefix}-le-`))
			steps.push([name.endsWith("-max") ? Infinity : Number(name.slice(prefix.length + 4)),
				delta(name)]);
	return steps.sort((a, b) => a[0] - b[0]);
}

// The value that a part of all are at most, read off between the bounds of its bucket on the
// logarithmic scale that the bounds are on; in the first bucket, its bound.  NaN: there was nothing.
export function percentile(steps, part) {
	const total = steps.length ? steps.at(-1)[1] : 0;
	const wanted = total * part;
	let low = 0, below = 0;

	if (total === 0)
		return NaN;
	for (const [bound, n] of steps) {
		if (n >= wanted && n > below) {
			if (bound === Infinity)
				return low;
			return low === 0 ? bound
				: low * (bound / low) ** ((wanted - below) / (n - below));
		}
		low = bound;
		below = n;
	}
	return low;
}

const ratio = (part, whole) => whole > 0 ? part / whole : NaN;

// The part of the questions answered from the packet cache, of those left from the record cache, and
// of all from either.
export function hits(d) {
	const packet = d.delta("packetcache-hits"), packetMiss = d.delta("packetcache-misses");
	const record = d.delta("cache-hits"), miss = d.delta("cache-misses");

	return {
		packet: ratio(packet, packet + packetMiss),
		record: ratio(record, record + miss),
		all: ratio(packet + record, packet + record + miss),
	};
}

export function rcodes(d) {
	const noerror = d.rate("noerror-answers"), nxdomain = d.rate("nxdomain-answers");
	const servfail = d.rate("servfail-answers"), others = d.rate("other-rcode-answers");
	const refused = Math.min(others, d.mapRate("response-by-rcode", "Query Refused"));

	return { noerror, nxdomain, servfail, refused, other: others - refused };
}
