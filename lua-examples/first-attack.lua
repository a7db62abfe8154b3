-- Attack:  random names below one domain (water torture), from clients of one's own: infected
--          routers and cameras, mostly.
-- Does:    blocks a client for a minute when more than 5 a second of its questions below the
--          domain end badly.  Who asks for what is there is never blocked for it.
-- Load:    take the domain from `rec_control top-pub-queries`, then
--              rec_control try-lua-script first-attack.lua
--              rec_control reload-lua-script /path/to/first-attack.lua
-- See:     rec_control dump-ipset bots -; rec_control get policy-drops
-- Mind:    first-attack.md walks through it.

local victim = newDN("city.example")
local bots = iputils.newipset{name = "bots", ttl = 60, max = 100000}
local patience = newRateLimiter{name = "patience", qps = 5, burst = 20, max = 100000}

function ipfilter(remote, _, _)
	return bots[remote] == true
end

function postresolve(dq)
	if dq.rcode ~= pdns.NOERROR and dq.qname:isPartOf(victim) and
	   not patience:allows(dq.remoteaddr) then
		bots[dq.remoteaddr] = 1
	end
	return false
end
