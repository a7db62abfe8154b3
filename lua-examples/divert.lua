-- Attack:  one of a domain's servers is under attack, or answers nonsense; another one is well.
-- Does:    puts each question for that server to the other one.
-- Load:    fill in the two addresses, then
--              rec_control reload-lua-script /path/to/divert.lua
-- See:     rec_control explain www.example.org shows which server is asked; rec_control get-all
--          | grep diverted
-- Mind:    the other one must serve the same zone.

local FROM = newCA("192.0.2.53")
local TO = newCA("198.51.100.53:53")

local diverted = getMetric("diverted-questions", {description = "put to another server"})

function preoutquery(dq)
	if dq.remoteaddr:equal(FROM) then
		dq.remoteaddr = TO -- counts although we leave the rest to the resolver
		diverted:inc()
	end
	return false
end
