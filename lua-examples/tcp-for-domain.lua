-- Attack:  somebody floods us with forged answers for a domain, to have one of them believed.
-- Does:    asks the servers of that domain over TCP only: nobody can forge that from elsewhere.
-- Load:    put the domains into `spoofed`, then
--              rec_control try-lua-script tcp-for-domain.lua
--              rec_control reload-lua-script /path/to/tcp-for-domain.lua
-- See:     rec_control get tcp-outqueries rises; rec_control explain www.example.org shows TCP;
--          spoof-nearmisses stands still.
-- Mind:    a server that does not speak TCP does not answer any more.

local spoofed = newDS()
spoofed:add({"example.org"})

function preoutquery(dq)
	if spoofed:check(dq.qname) then
		dq.isTcp = true -- counts although we leave the rest to the resolver
	end
	return false
end
