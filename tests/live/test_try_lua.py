"""rec_control try-lua-script: a script tried on what the rings hold, by the real daemon."""

import json
import os

from live import check, check_reply, env, lab_and_recursor, test, write

BLOCK = """
local victim = newDN("city.example")
function preresolve(dq)
	if dq.qname:isPartOf(victim) then
		dq.appliedPolicy.policyKind = pdns.policykinds.Drop
	end
	return false
end
function postresolve(dq)
	pdnslog("saw " .. dq.qname:toString())
	getMetric("trial-saw"):inc()
	dq:addAnswer(pdns.TXT, '"more"')
	return true
end
"""


def write_script(text, name="try.lua"):
    return write(os.path.join(env.new_dir("scripts"), name), text)


@test
def try_lua_shows_what_would_be():
    """Drops, changes, names and clients are counted; answers stay as they are."""
    with lab_and_recursor(stats_ringbuffer_entries=1000) as (_, r):
        for name in ["www.city.example", "www.example", "no-such-name.city.example"]:
            r.ask(name)
        path = write_script(BLOCK)
        said = json.loads(r.rec("--json", "try-lua-script", path).stdout)
        check(said["entries"] == 3 and said["tried"] == 3, "three questions", said)
        check(said["dropped"] == 2 and said["changed"] == 1, "two dropped, one changed", said)
        check(said["hooks"]["preresolve"]["calls"] == 3, "preresolve", said)
        check(said["hooks"]["postresolve"]["changed"] == 1, "postresolve", said)
        check(said["domains"][0] == {"text": "city.example.", "count": 2}, "domains", said)
        check(said["clients"][0]["count"] == 3, "clients", said)
        check(said["lines"] == ["saw www.example."], "what it said", said)
        text = r.rec("try-lua-script", path, "queries").stdout
        check("tried on 3 of 3 entries of the ring queries" in text, "as text", text)
        # Nothing of it came to be.
        check("UNKNOWN" in r.rec("get", "trial-saw", expect=None).stdout, "no metric")
        check_reply(r.ask("www.city.example"))


@test
def try_lua_refuses():
    """A script with an error: its file and line, and status 1; likewise an unknown ring."""
    with lab_and_recursor() as (_, r):
        path = write_script("function preresolve(dq)\n\treturn (\nend\n")
        done = r.rec("try-lua-script", path, expect=None)
        check(done.returncode == 1 and "try.lua:3:" in done.stdout + done.stderr, "the line", done)
        done = r.rec("try-lua-script", write_script(""), "no-ring", expect=None)
        check(done.returncode == 1 and "no-ring" in done.stdout + done.stderr, "the ring", done)
        # Without end, or an error in each call: told, and the daemon lives.
        r.ask("www.city.example")
        done = r.rec("try-lua-script", write_script("function preresolve(dq) while true do end end"))
        check("instructions" in done.stdout, "ended", done)
        check_reply(r.ask("www.city.example"))


@test
def try_lua_finds_what_is_known():
    """The hooks after the resolver see the cache's records, whatever one before has looked at."""
    script = """
function preresolve(dq) before = #dq:getRecords() return false end
function nodata(dq) pdnslog("nodata") return true end
function postresolve(dq) pdnslog(before .. " then " .. #dq:getRecords()) return false end
"""
    with lab_and_recursor(stats_ringbuffer_entries=1000) as (_, r):
        check_reply(r.ask("www.city.example"))
        said = json.loads(r.rec("--json", "try-lua-script", write_script(script)).stdout)
        check(said["lines"] == ["0 then 1"] and said["changed"] == 0, "what it said", said)
