-- What an operator under attack has loaded: each packet's sender is looked up among those that are
-- blocked; none of them asks here.
blocked = iputils.newipset{name = "blocked", ttl = 3600, max = 100000}
for i = 0, 9999 do
	blocked[iputils.newca(string.format("192.0.%d.%d", i // 256, i % 256))] = 1
end

function ipfilter(remoteip, localip, dh)
	if blocked[remoteip] then
		return 1
	end
	return -1
end
