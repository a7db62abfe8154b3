-- What an operator under attack has loaded: each packet's sender is looked up among those that are
-- blocked; none of them asks here.
local blocked = iputils.newipset{name = "blocked", ttl = 3600, max = 100000}

for i = 0, 9999 do
	blocked:add(string.format("192.0.%d.%d", i // 256, i % 256))
end

function ipfilter(remoteip, localip, dh)
	return blocked:check(remoteip)
end
