-- Attack:  a botnet looks for its masters under names that it makes up (a domain generation
--          algorithm), thousands an hour, straight below top-level domains:
--          qx7h2kd9zvw3.example.
-- Does:    answers NXDOMAIN for long names without sense: many different letters, few vowels.
-- Load:    rec_control try-lua-script entropy.lua, and look at the top domains that it would
--          answer; add what you do not want to lose to `known`; then
--              rec_control reload-lua-script /path/to/entropy.lua
-- See:     rec_control get-all | grep generated-names
-- Mind:    it is a guess: hashes in names of content networks look alike.  So only the label
--          below the public suffix is looked at, and what is in `known` is let through.

local known = newDS()
known:add({"akamaihd.net", "cloudfront.net"})

local LENGTH = 12   -- shorter names are let through
local BITS = 3.2    -- entropy of a letter
local VOWELS = 0.25 -- words have more

local answered = getMetric("generated-names", {description = "names that look made up"})

local function entropy(label)
	local count, bits = {}, 0
	for letter in label:gmatch(".") do
		count[letter] = (count[letter] or 0) + 1
	end
	for _, n in pairs(count) do
		local p = n / #label
		bits = bits - p * math.log(p, 2)
	end
	return bits
end

local function looks_made_up(label)
	local _, vowels = label:gsub("[aeiou]", "")
	return #label >= LENGTH and vowels / #label < VOWELS and entropy(label) >= BITS
end

function preresolve(dq)
	local label = getregisteredname(dq.qname):match("^([^.]+)%.[^.]")
	if label and looks_made_up(label:lower()) and not known:check(dq.qname) then
		answered:inc()
		dq.rcode = pdns.NXDOMAIN
		return true
	end
	return false
end
