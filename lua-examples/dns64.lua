-- Purpose: DNS64 (RFC 6147): clients that have IPv6 alone reach what has IPv4 alone, by a
--          NAT64.
-- Does:    where a name has no AAAA record, makes one of each A record, with the NAT64's
--          prefix; and the other way round, answers PTR queries for addresses of that prefix.
-- Load:    put your prefix in place of the well-known one, then
--              rec_control reload-lua-script /path/to/dns64.lua
-- See:     kdig @resolver AAAA of a name that has IPv4 alone, as 64:ff9b::c000:221
-- Mind:    for who validates by himself (DO and CD) nothing is made (RFC 6147 5.5); what was
--          made has AD where denial and A records are both secure.

local PREFIX = "64:ff9b::"
local PREFIX_ARPA = newDN("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa.")

function nodata(dq)
	if dq.qtype ~= pdns.AAAA or isValidationStateBogus(dq.validationState) then
		return false -- what is forged is not to be made of use
	end
	dq.followupFunction = "getFakeAAAARecords"
	dq.followupName = dq.qname
	dq.followupPrefix = PREFIX
	return true
end

function preresolve(dq)
	if dq.qtype ~= pdns.PTR or not dq.qname:isPartOf(PREFIX_ARPA) then
		return false
	end
	dq.followupFunction = "getFakePTRRecords"
	dq.followupName = dq.qname
	return true
end
