-- Attack:  reflection: queries of type ANY with a forged source, whose large answers hit a
--          victim.
-- Does:    refuses ANY over UDP, where the source can be forged; over TCP it is answered.
--          (any-to-tcp=yes makes such clients come back over TCP instead; RFC 8482.)
-- Load:    rec_control reload-lua-script /path/to/refuse-any.lua
-- See:     rec_control get-all | grep refused-any

local refused = getMetric("refused-any", {description = "queries of type ANY over UDP"})

function preresolve(dq)
	if dq.qtype == pdns.ANY and not dq.isTcp then
		refused:inc()
		dq.rcode = pdns.REFUSED
		return true
	end
	return false
end
