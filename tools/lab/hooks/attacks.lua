-- Attacks on a resolver's budget, for `lab --lua tools/lab/hooks/attacks.lua`.
--
--   x.x.x.(many).endless.example   every label is a zone cut, each with a server of its own
--   www.n1-chain.example           to find a zone's servers takes finding two others', for ever
--   www.victim.example             a referral to sixty names without glue, none of which exists
--   www.victim6.example            the same, but their servers are silent
--   www.alias1.example             every name is an alias of one in another zone
--
-- The servers of example (127.20.1.x) make the referrals; 127.20.7.d serves the zone of d+1 labels.

local function within(name, zone)
	return name == zone or name:sub(-#zone - 1) == "." .. zone
end

local function labels(name)
	local list = {}
	for label in name:gmatch("[^.]+") do
		list[#list + 1] = label
	end
	return list
end

-- The last n labels.
local function suffix(name, n)
	local list = labels(name)
	return table.concat(list, ".", math.max(1, #list - n + 1)) .. "."
end

local function refer(zone, depth)
	return {
		authority = { zone .. " 60 IN NS ns." .. zone },
		additional = { "ns." .. zone .. " 60 IN A 127.20.7." .. depth },
	}
end

local function nothing(zone)
	return {
		rcode = "NXDOMAIN",
		flags = "AA",
		authority = { zone .. " 60 IN SOA ns.example. admin.example. 1 3600 600 86400 60" },
	}
end

local function sixty(zone, ends)
	local list = {}
	for i = 1, 60 do
		list[i] = ("%s 60 IN NS ns.d%d-%s.example."):format(zone, i, ends)
	end
	return { authority = list }
end

local function at_top(name)
	local zone = suffix(name, 2)
	local n = zone:match("^n(%d+)%-chain%.example%.$")
	if n then
		return { authority = {
			("%s 60 IN NS ns.n%d-chain.example."):format(zone, 2 * n + 1),
			("%s 60 IN NS ns.n%d-chain.example."):format(zone, 2 * n + 2),
		} }
	elseif zone == "victim.example." then
		return sixty(zone, "gone")
	elseif zone == "victim6.example." then
		return sixty(zone, "silent")
	elseif zone:find("%-gone%.example%.$") then
		return nothing("example.")
	elseif zone == "endless.example." or zone:find("^alias%d+%.example%.$") then
		return refer(zone, 1)
	elseif zone:find("%-silent%.example%.$") then
		return refer(zone, 60)
	end
end

local function below(name, depth)
	if depth == 60 then
		return { silent = true }
	end
	local n = name:match("alias(%d+)%.example%.$")
	if n then
		return {
			flags = "AA",
			answer = { ("%s 60 IN CNAME www.alias%d.example."):format(name, n + 1) },
		}
	elseif within(name, "endless.example.") and #labels(name) >= depth + 2 then
		return refer(suffix(name, depth + 2), depth + 1)
	end
	return nothing(suffix(name, depth + 1))
end

function answer(query)
	local name = query.name:lower()
	local depth = query.server:match("^127%.20%.7%.(%d+)$")
	if depth then
		return below(name, tonumber(depth))
	elseif query.server:find("^127%.20%.1%.") and within(name, "example.") then
		return at_top(name)
	end
end
