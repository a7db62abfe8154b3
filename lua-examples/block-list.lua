-- Attack:  a list of addresses that are to be refused: infected customers, a feed of bots.
-- Does:    drops what they send, before anything of it is parsed.  The list is a set for all
--          workers that rec_control fills, empties and reads; up to ten million IPv4 addresses
--          in 160 MB.
-- Load:    rec_control reload-lua-script /path/to/block-list.lua
--          rec_control load-ipset infected /path/to/addresses     one a line
--          rec_control add-to-ipset infected ttl=3600 192.0.2.1   for an hour
-- See:     rec_control list-ipsets; rec_control get policy-drops

local infected = iputils.newipset{name = "infected"} -- without ttl: until it is removed

function ipfilter(remote, _, _)
	return infected[remote] == true
end
