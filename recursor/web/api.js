// The server: one way to ask it, and the secret it may want.

import { byId } from "./dom.js";

const KEPT = "recursor-secret";
const PATIENCE_MS = 5000;
const HERE = "api/v1/servers/localhost";

// What went wrong, in words for the reader.  `status` 0: there was no reply at all.
export class Refused extends Error {
	constructor(text, status) {
		super(text);
		this.status = status;
	}
}

let secret = JSON.parse(sessionStorage.getItem(KEPT)); // { as, value }
let signedOut = false; // no dialog comes up until the reader wants to sign in

// A secret is the API's key, or the password of the web server with any user name.
function headersFor(s) {
	if (!s)
		return {};
	if (s.as === "key")
		return { "X-API-Key": s.value };
	const utf8 = String.fromCharCode(...new TextEncoder().encode(`:${s.value}`));

	return { Authorization: `Basic ${btoa(utf8)}` };
}

// Without the browser's own credentials: its box for a password would come up instead of ours.
async function send(path, s, patience_ms = PATIENCE_MS) {
	try {
		return await fetch(HERE + path, { headers: headersFor(s), credentials: "omit",
			cache: "no-store", signal: AbortSignal.timeout(patience_ms) });
	} catch (e) {
		throw new Refused(e.name === "TimeoutError" ? "It does not answer."
			: "It cannot be reached.", 0);
	}
}

// What a path below the server's own says; `query` is an object, of which empty members are left out.
export async function ask(path, query = {}, patience_ms = PATIENCE_MS) {
	const wanted = Object.entries(query).filter(([, value]) => value !== "");
	const used = secret;
	const reply = await send(path + (wanted.length ? `?${new URLSearchParams(wanted)}` : ""), used,
		patience_ms);

	if (reply.status === 401) {
		// Not when somebody has signed in while this was on its way.
		if (used === secret)
			askForSecret();
		throw new Refused("Sign in to see this.", 401);
	}
	const answer = await reply.json().catch(() => ({}));

	if (!reply.ok)
		throw new Refused(answer.error || `The server says ${reply.status}.`, reply.status);
	showSigned(true);
	return answer;
}

// ---- signing in ----

export const isSignedOut = () => signedOut;

function showSigned(is) {
	byId("sign-in").hidden = is;
	byId("sign-out").hidden = !is || !secret;
}

function keep(s) {
	secret = s;
	if (s)
		sessionStorage.setItem(KEPT, JSON.stringify(s));
	else
		sessionStorage.removeItem(KEPT);
}

function askForSecret() {
	const dialog = byId("login");

	showSigned(false);
	if (dialog.open || signedOut)
		return;
	keep(null);
	byId("secret").value = "";
	byId("secret-error").textContent = "";
	dialog.showModal();
}

// Tells whether it was one; else says why not.
async function signIn(value) {
	const ways = ["password", "key"].filter((as) => as === "password" || /^[!-~]+$/.test(value));

	for (const as of ways) {
		const reply = await send("", { as, value });

		if (reply.ok) {
			keep({ as, value });
			return true;
		}
		if (reply.status === 429)
			throw new Refused("Too many tries; wait a few seconds.", 429);
	}
	throw new Refused("That is neither the key nor the password.", 401);
}

function leave() {
	signedOut = true;
	showSigned(false);
}

export function startLogin(onSignedIn) {
	const dialog = byId("login"), error = byId("secret-error");

	dialog.addEventListener("submit", (event) => {
		event.preventDefault();
		signIn(byId("secret").value).then(() => {
			byId("secret").value = "";
			signedOut = false;
			dialog.close();
			onSignedIn();
		}, (e) => {
			error.textContent = e.message;
			byId("secret").select();
		});
	});
	dialog.addEventListener("cancel", leave);
	byId("login-cancel").addEventListener("click", () => {
		leave();
		dialog.close();
	});
	byId("sign-in").addEventListener("click", () => {
		signedOut = false;
		askForSecret();
	});
	byId("sign-out").addEventListener("click", () => {
		keep(null);
		leave();
		byId("sign-in").focus();
	});
}
