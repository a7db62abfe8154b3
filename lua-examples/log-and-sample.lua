-- Purpose: to see what an attack is made of, without logging every query.
-- Does:    logs one of 1000 queries that are resolved, and every NXDOMAIN below a domain under
--          suspicion, with its client; counts both.
-- Load:    put the domains into `suspects`, then
--              rec_control reload-lua-script /path/to/log-and-sample.lua
-- See:     the log: "sample: CLIENT NAME TYPE-NUMBER"; rec_control get-all | grep sampled
-- Mind:    what the packet cache answers does not come here.

local suspects = newDS()
suspects:add({"example.org"})

local ONE_OF = 1000

local sampled = getMetric("sampled-queries", {description = "queries seen by the sampler"})
local denied = getMetric("sampled-nxdomains", {description = "NXDOMAINs below a suspect"})
local n = 0

local function describe(dq)
	return dq.remoteaddr:toString() .. " " .. dq.qname:toString() .. " " .. dq.qtype
end

function preresolve(dq)
	sampled:inc()
	n = n + 1
	if n % ONE_OF == 0 then
		pdnslog("sample: " .. describe(dq), pdns.loglevels.Notice)
	end
	return false
end

function nxdomain(dq)
	if suspects:check(dq.qname) then
		denied:inc()
		pdnslog("nxdomain: " .. describe(dq), pdns.loglevels.Notice)
	end
	return false
end
