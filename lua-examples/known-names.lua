-- Attack:  random names below one domain (water torture), to drown its servers through us.
-- Does:    while it lasts, lets through only the names of the domain that its users need, and
--          refuses the rest; what the packet cache has is answered as ever.
-- Load:    take the domain from rec_control top-pub-queries; ask its owner for the names, or
--          take those that were asked often before; then
--              rec_control try-lua-script known-names.lua
--              rec_control reload-lua-script /path/to/known-names.lua
-- See:     rec_control get-all | grep refused-random; all-outqueries falls.
-- Mind:    the defender (defender-config-file) does this by itself, without a list of names;
--          this is for who wants to have it in his own hands.

local VICTIM = newDN("example.org")

local known = newDS()
known:add({"www.example.org", "mail.example.org", "ns1.example.org", "ns2.example.org"})

local refused = getMetric("refused-random", {description = "unknown names below the victim"})

function preresolve(dq)
	if dq.qname:isPartOf(VICTIM) and not dq.qname:equal(VICTIM:toString()) and
	   not known:check(dq.qname) then
		refused:inc()
		dq.rcode = pdns.REFUSED
		return true
	end
	return false
end
