-- Attack:  as in kill-and-block.lua.
-- Does:    what block-expiring.lua does, for who has scripts of the classic interface (3.x):
--          the list of the blocked is one for all workers, and forgets by itself.
-- Load:    put the networks into `attacked`, then
--              rec_control try-lua-script block-expiring-classic.lua
--              rec_control reload-lua-script /path/to/block-expiring-classic.lua
-- See:     rec_control list-ipsets; rec_control dump-ipset blocked -

local attacked = iputils.newnmgroup()
attacked:add("192.121.121.0/24")

local blocked = iputils.newipset{name = "blocked", ttl = 60, max = 1000000}

function preoutquery(remoteip, domain, qtype)
	if attacked:match(remoteip) then
		blocked[iputils.newca(getlocaladdress())] = 1
		return -3, {}
	end
	return -1, {}
end

function ipfilter(remoteip)
	if blocked[remoteip] then
		return 1
	end
	return -1
end
