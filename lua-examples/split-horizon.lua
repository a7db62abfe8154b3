-- Purpose: split horizon: our own networks see other addresses for some names than the world.
-- Does:    answers clients in `inside` from the table, everybody else as the zone says.
-- Load:    fill in networks and names, then
--              rec_control reload-lua-script /path/to/split-horizon.lua
-- See:     kdig @resolver from inside and from outside.
-- Mind:    gettag gives the two kinds of client different tags, so that an answer for the one
--          is never served from the packet cache to the other.

local inside = newNMG({"10.0.0.0/8", "192.168.0.0/16", "fd00::/8"})

-- names in lower case, with the final dot
local names = {
	["intranet.example.org."] = {A = "10.1.2.3", AAAA = "fd00::1:2:3"},
	["www.example.org."] = {A = "10.1.2.4"},
}

local INSIDE = 1

function gettag(remote, ednssubnet, localip, qname, qtype, ednsoptions, tcp, proxyprotocolvalues)
	if inside:match(remote) then
		return INSIDE
	end
	return 0
end

function preresolve(dq)
	local entry = names[dq.qname:toString():lower()]
	if not entry or not inside:match(dq.remoteaddr) then
		return false
	end
	if dq.qtype == pdns.A and entry.A then
		dq:addAnswer(pdns.A, entry.A, 60)
	elseif dq.qtype == pdns.AAAA and entry.AAAA then
		dq:addAnswer(pdns.AAAA, entry.AAAA, 60)
	end
	dq.rcode = pdns.NOERROR -- of other types there is nothing
	return true
end
