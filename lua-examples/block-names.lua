-- Attack:  malware, phishing, command and control: half a million domains from a feed.
-- Does:    answers NXDOMAIN for each name of a file, and for all names below it.  The list is
--          native: it is read once for all workers, takes 12 bytes a name beside its letters,
--          and costs a query far less than a microsecond.
-- Load:    put a name on each line of the file (# begins a comment), then
--              rec_control try-lua-script block-names.lua
--              rec_control reload-lua-script /path/to/block-names.lua
--          and again whenever the file has changed.  A line that is no name fails the load, with
--          the line's number, and the old script with the old list stays.
-- See:     rec_control get-all | grep blocked-names
-- Mind:    who resolves one of the names by an alias elsewhere is not stopped: see postresolve.

local bad = newDSFromFile("/etc/recursor/bad-names")
local hits = getMetric("blocked-names", {description = "queries for names of the list"})

pdnslog("block-names: " .. bad:count() .. " names", pdns.loglevels.Notice)

function preresolve(dq)
	if bad:check(dq.qname) then
		hits:inc()
		dq.rcode = pdns.NXDOMAIN
		return true
	end
	return false
end
