-- Attack:  clients (or bots behind them) ask for names of badly made zones, each of which costs
--          thousands of questions to servers: the "ezdns" attack of 2014.  All those servers
--          are in one network.
-- Does:    a query that would ask a server there is ended (the client gets SERVFAIL), and who
--          sent it is not heard again: until 10,000 packets have come, then everybody gets
--          another chance.  This is the script of the announcement of PowerDNS Recursor 3.7, in
--          the classic interface.
-- Load:    put the network into `attacked`, then
--              rec_control try-lua-script kill-and-block.lua
--              rec_control reload-lua-script /path/to/kill-and-block.lua
-- See:     `rec_control get policy-drops` rises with what blocked clients send, and the log
--          names each when it is blocked.
-- Mind:    each worker has a list of its own; block-expiring.lua has one for all.

local attacked = iputils.newnmgroup()
attacked:add("192.121.121.0/24")

local FORGET_AFTER = 10000 -- packets

local blocked = iputils.newipset()
local packets = 0

function preoutquery(remoteip, domain, qtype)
	if not attacked:match(remoteip) then
		return -1, {}
	end
	local client = getlocaladdress() -- here it is the client's
	pdnslog("blocking " .. client .. ": its query for " .. domain .. " led to " ..
		remoteip:tostring(), pdns.loglevels.Warning)
	blocked[iputils.newca(client)] = 1
	return -3, {}
end

function ipfilter(remoteip)
	packets = packets + 1
	if packets >= FORGET_AFTER then
		blocked = iputils.newipset()
		packets = 0
	end
	if blocked[remoteip] then
		return 1 -- drop it
	end
	return -1
end
