-- Attack:  as in kill-and-block.lua: queries that lead to servers in one network cost us
--          dearly.
-- Does:    ends a query that would ask a server there and blocks its client for a minute.  The
--          set "blocked" is one for all workers, forgets by itself, and outlives a reload of
--          the script.
-- Load:    put the networks into `attacked`, then
--              rec_control try-lua-script block-expiring.lua
--              rec_control reload-lua-script /path/to/block-expiring.lua
-- See:     rec_control list-ipsets                       how many are blocked
--          rec_control dump-ipset blocked -              who, and for how long yet
--          rec_control remove-from-ipset blocked ADDR    let one in again
--          rec_control get policy-drops                  what was dropped

local attacked = newNMG({"192.121.121.0/24"})
local blocked = iputils.newipset{name = "blocked", ttl = 60, max = 1000000}

function preoutquery(dq)
	if attacked:match(dq.remoteaddr) then
		blocked[dq.localaddr] = 1 -- in preoutquery remoteaddr is the server, localaddr the client
		dq.rcode = -3
		return true
	end
	return false
end

function ipfilter(remote, _, _)
	return blocked[remote] == true
end
