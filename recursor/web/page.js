const out = document.getElementById("statistics");

async function show() {
	const reply = await fetch("api/v1/servers/localhost/statistics");
	const lines = (await reply.json()).map((item) => `${item.name}\t${item.value}`);

	out.textContent = lines.join("\n");
}

setInterval(() => show().catch((e) => { out.textContent = e.message; }), 1000);
