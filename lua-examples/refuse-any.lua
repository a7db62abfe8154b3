-- Attack:  queries of type ANY: with a forged source, so that their large answers hit a victim; or
--          over TCP, to make us collect and send as much as there is of a name (RFC 8482).
-- Does:    refuses them, and tells why with an Extended DNS Error.
-- Load:    set any-to-tcp=no, then
--              rec_control reload-lua-script /path/to/refuse-any.lua
-- See:     rec_control get-all | grep refused-any
-- Mind:    with any-to-tcp=yes, the default, who asks over UDP is sent to TCP before any script is
--          asked, and is refused there.

local refused = getMetric("refused-any", {description = "queries of type ANY refused"})

function preresolve(dq)
	if dq.qtype ~= pdns.ANY then
		return false
	end
	refused:inc()
	dq.rcode = pdns.REFUSED
	dq.extendedErrorCode = 21 -- not supported
	return true
end
