-- Attack:  a flood of queries with forged sources for one domain, by UDP: each answer hits
--          whoever really has that address.
-- Does:    answers queries for the domain over UDP with TC and nothing else.  A real client
--          comes back over TCP and is served; one that does not exist cannot.
-- Load:    put the domains into `abused`, then
--              rec_control try-lua-script truncate-domain.lua
--              rec_control reload-lua-script /path/to/truncate-domain.lua
-- See:     rec_control get truncated-answers rises; udp answers are no larger than their
--          questions.

local abused = newDS()
abused:add({"example.org"})

function preresolve(dq)
	if not dq.isTcp and abused:check(dq.qname) then
		dq.appliedPolicy.policyKind = pdns.policykinds.Truncate
	end
	return false
end
