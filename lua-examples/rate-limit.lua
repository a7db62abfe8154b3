-- Attack:  some clients ask far more than others: broken software, or a flood from within.
-- Does:    lets each client (an IPv4 address, an IPv6 /64) have 50 queries a second and 100 at
--          once.  Beyond that a query over UDP is answered with TC, so that a real client goes
--          on over TCP; who sends four times as much is not answered at all.
-- Load:    rec_control try-lua-script rate-limit.lua, look whom it would meet, then
--              rec_control reload-lua-script /path/to/rate-limit.lua
-- See:     rec_control get ratelimit-refusals; rec_control top-remotes
-- Mind:    a limit with a name is one for all workers; its memory is fixed: 16 bytes for each
--          of `max`.

local soft = newRateLimiter{name = "soft", qps = 50, burst = 100, max = 100000}
local hard = newRateLimiter{name = "hard", qps = 200, burst = 400, max = 100000}

function ipfilter(remote, _, _)
	return not hard:allows(remote)
end

-- Only what is not in the packet cache comes here: hits are cheap.
function preresolve(dq)
	if not dq.isTcp and not soft:allows(dq.remoteaddr) then
		dq.appliedPolicy.policyKind = pdns.policykinds.Truncate
	end
	return false
end
