-- Zones whose servers never answer, for `lab --lua tools/lab/hooks/silent.lua`.
--
--   anything.z1.example   is delegated to four addresses of 127.21.0.1 to 127.21.1.250, chosen by
--                         the number; whoever wants them silent has something there that only listens
--
-- The servers of example (127.20.1.x) make the referrals.

local SERVERS, EACH = 500, 4

function answer(query)
	local number = query.name:lower():match("z(%d+)%.example%.$")
	if not number or not query.server:match("^127%.20%.1%.") then
		return nil
	end
	local zone = "z" .. number .. ".example."
	local authority, additional = {}, {}
	for i = 1, EACH do
		local n = (number * EACH + i) % SERVERS
		authority[i] = ("%s 3600 IN NS ns%d.%s"):format(zone, i, zone)
		additional[i] = ("ns%d.%s 3600 IN A 127.21.%d.%d"):format(i, zone, n // 250, n % 250 + 1)
	end
	return { authority = authority, additional = additional }
end
