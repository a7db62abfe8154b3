-- A zone under a flood moves it elsewhere, for `lab --lua tools/lab/hooks/divert.lua`.
--
-- Once its servers (127.20.6.x) are asked for divert-on-SECONDS.fault.example, each of their answers
-- brings another NS set for fault.example, with a TTL of so many seconds, whose servers (127.20.7.x)
-- are there for the flood alone: they deny every name.  divert-off.fault.example ends it.

local zone = "fault.example."
local ttl

local function soa()
	return zone .. " 10 IN SOA ns1.fault.example. hostmaster.fault.example. 1 1800 900 604800 10"
end

local function switch(first)
	local seconds = first:match("^divert%-on%-(%d+)$")
	if seconds then
		ttl = seconds
	elseif first == "divert-off" then
		ttl = nil
	end
end

local function diverted(name)
	local reply = {
		flags = "AA",
		authority = {
			("%s %s IN NS off1.fault.example."):format(zone, ttl),
			("%s %s IN NS off2.fault.example."):format(zone, ttl),
		},
		additional = {
			("off1.fault.example. %s IN A 127.20.7.1"):format(ttl),
			("off2.fault.example. %s IN A 127.20.7.2"):format(ttl),
		},
	}
	-- Names that begin with a digit are there, the others are not.
	if name:find("^%d") then
		reply.answer = { name .. " 4 IN A 192.0.2.6" }
	else
		reply.rcode = "NXDOMAIN"
		table.insert(reply.authority, soa())
	end
	return reply
end

function answer(query)
	local name = query.name:lower()
	local first = name:match("^([%w-]+)%.fault%.example%.$")
	if not first then
		return
	elseif query.server:find("^127%.20%.7%.") then
		return { rcode = "NXDOMAIN", flags = "AA", authority = { soa() } }
	elseif query.server:find("^127%.20%.6%.") then
		switch(first)
		return ttl and diverted(name) or nil
	end
end
