-- SPDX-License-Identifier: GPL-2.0-only
--
-- Shows NETLINK_KERROR in Wireshark and tshark, as captures of netlink have it: the messages of
-- <linux/kerror.h>, and of events the header, format and arguments of <linux/evlog.h>. An event
-- that is not well-formed there is shown as bytes. Wireshark finds the file in its folder of Lua
-- plugins; tshark -X lua_script:kerror.lua takes it, too. All fields can be filtered for:
-- kerror.severity <= 3 && kerror.facility == "ata".

local kerror = Proto("kerror", "Linux error events")

local types = { [0x02] = "Error", [0x03] = "End of replay", [0x10] = "Event", [0x11] = "Loss",
		[0x12] = "Replay", [0x13] = "Statistics", [0x14] = "Boots", [0x15] = "Boot",
		[0x16] = "Name of the boot", [0x17] = "Drop of a boot" }
local groups = { [1] = "raw", [2] = "evlog", [16] = "printk" }
local causes = { [0] = "staging-full", "no-staging", "too-long", "nmi", "rate-limit", "abandoned",
		 "history" }
local severities = { [0] = "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" }
local kinds = { [0] = "nodata", "binary", "string", "printf" }
local arguments = { "width", "precision", "s32", "u32", "s64", "u64", "char", "string", "pointer",
		    "text" }
local MAGIC, HEADER_SIZE, PRINTF, TRUNCATED = 0x7af8, 144, 3, 0x20

local f = kerror.fields
local function field(name, kind, title, ...)
	f[name] = ProtoField[kind]("kerror." .. name:gsub("__", "."), title, ...)
end

field("type", "uint16", "Message", base.HEX, types)
field("sequence", "uint32", "Sequence number")
field("thread", "uint32", "Thread")
field("count", "uint64", "Count")
field("total", "uint64", "Total")
field("group", "uint32", "Group", base.DEC, groups)
field("cause", "uint32", "Cause", base.DEC, causes)
field("flags", "uint32", "Flags", base.HEX)
field("first", "uint32", "First sequence number")
field("numbered", "uint64", "Numbered")
field("time_realtime", "uint64", "Time, ns since 1970")
field("time_boot", "uint64", "Time, ns since boot")
field("event_id", "uint32", "Event id", base.HEX)
field("event_type", "uint32", "Event type")
field("cpu", "uint32", "CPU")
field("uid", "uint32", "User")
field("gid", "uint32", "Group of the user")
field("pid", "uint32", "Process")
field("tid", "uint32", "Task")
field("severity", "uint8", "Severity", base.DEC, severities)
field("kind", "uint8", "Kind", base.DEC, kinds)
field("comm", "string", "Name of the task")
field("facility", "string", "Facility")
field("device", "string", "Device")
field("format", "string", "Format")
field("text", "string", "Text")
field("data", "bytes", "Data")
field("arg", "none", "Argument")
field("arg__type", "uint8", "Type", base.DEC, arguments)
field("arg__signed", "int64", "Value")
field("arg__unsigned", "uint64", "Value")
field("arg__pointer", "uint64", "Value", base.HEX)
field("arg__string", "string", "Value")

-- A message is in the byte order of its kernel; its length tells which that is.
local function reader(tvb)
	local little = tvb(0, 4):le_uint() == tvb:len()

	return {
		add = function(tree, what, at, size)
			local range = tvb(at, size)

			if little then return tree:add_le(f[what], range) end
			return tree:add(f[what], range)
		end,
		number = function(at, size)
			local range = tvb(at, size)

			return little and range:le_uint() or range:uint()
		end,
	}
end

-- add_fields TREE: rows of name, offset and size
local function add_fields(get, tree, at, rows)
	for _, row in ipairs(rows) do get.add(tree, row[1], at + row[2], row[3]) end
end

-- Strings have only the one NUL that ends them.
local function is_string(tvb, at, size)
	return size > 0 and tvb(at + size - 1, 1):uint() == 0 and tvb(at, size):strsize() == size
end

local sizes = { { [4] = true }, { [4] = true }, { [4] = true }, { [4] = true }, { [8] = true },
		{ [8] = true }, { [1] = true }, nil, { [4] = true, [8] = true } }

-- Returns offset, type and size of each argument, or nil
local function find_arguments(tvb, get, at, size)
	local found, last = {}, at + size

	while at < last do
		if last - at < 4 then return nil end
		local kind, length = tvb(at, 1):uint(), get.number(at + 2, 2)
		local padding = -length % 4
		local space = 4 + length + padding

		if space > last - at or (sizes[kind] and not sizes[kind][length]) then return nil end
		for byte = 1, padding do
			if tvb(at + space - byte, 1):uint() ~= 0 then return nil end
		end
		found[#found + 1] = { at = at, kind = kind, size = length }
		at = at + space
	end
	return found
end

-- Types of a value for each letter, pX for each p with more behind it
local INTEGER = { [3] = true, [4] = true, [5] = true, [6] = true }
local takes = { d = INTEGER, i = INTEGER, u = INTEGER, o = INTEGER, x = INTEGER, X = INTEGER,
		c = { [7] = true }, s = { [8] = true }, p = { [9] = true, [10] = true },
		pX = { [10] = true } }

-- Whether the arguments are those of the format, by rules 7, 10 and 11
local function fits(form, arguments, truncated)
	local taken, short = 0, false

	-- Another argument, or that none is left, which later ones tell, too
	local function take(is_right)
		short = taken == #arguments
		taken = short and taken or taken + 1
		return short or is_right(arguments[taken].kind)
	end
	local function is_star(type)
		return function(kind) return kind == type end
	end
	-- Returns what is behind a width or precision that begins there, and whether it is '*'
	local function number(at)
		return form:match("^%*()", at) or form:match("^[0-9]*()", at), form:sub(at, at) == "*"
	end

	local at = form:find("%", 1, true)
	while at do
		local width, precision
		at, width = number(form:match("^[-+ #0]*()", at + 1))
		if form:sub(at, at) == "." then at, precision = number(at + 1) end
		at = form:match("^hh()", at) or form:match("^ll()", at) or form:match("^[hlLzt]?()", at)
		-- The format was cut within the conversion.
		if at > #form then return truncated and taken == #arguments end
		local letter = form:sub(at, at)
		local after = at + 1
		if letter == "p" then
			after = form:match("^[0-9A-Za-z\192-\214\216-\246\248-\255]*()", after)
			letter = after > at + 1 and "pX" or letter
		end
		if letter == "%" then
			if width or precision then return false end
		elseif not takes[letter] or (width and not take(is_star(1))) or
		   (precision and not take(is_star(2))) or
		   not take(function(kind)
				return takes[letter][kind] or kind == 0 or kind > 10
			end) then
			return false
		end
		at = form:find("%", after, true)
	end
	return taken == #arguments and (truncated or not short)
end

local function value_field(kind)
	return (kind == 8 or kind == 10) and "arg__string" or kind == 9 and "arg__pointer" or
		(kind == 4 or kind == 6 or kind == 7) and "arg__unsigned" or
		(kind == 3 or kind == 5 or kind == 1 or kind == 2) and "arg__signed"
end

local function add_argument(tvb, get, tree, argument)
	local branch = tree:add(f.arg, tvb(argument.at, 4 + argument.size))
	local name = value_field(argument.kind)

	get.add(branch, "arg__type", argument.at, 1)
	if name and argument.size > 0 then
		get.add(branch, name, argument.at + 4, argument.size)
	end
end

-- Where the parts of an event are, or nil
local function parts_of(tvb, get, at)
	local size = tvb:len() - at
	local part = {}

	if size < HEADER_SIZE or get.number(at + 56, 2) ~= MAGIC then return nil end
	part.device, part.device_size = at + get.number(at + 58, 2), get.number(at + 60, 2)
	part.variable, part.variable_size = part.device + part.device_size, get.number(at + 52, 4)
	part.kind, part.format_size = tvb(at + 66, 1):uint(), get.number(at + 62, 2)
	if part.device < at + HEADER_SIZE or part.variable + part.variable_size ~= tvb:len() or
	   tvb(at + 83, 1):uint() ~= 0 or tvb(at + 143, 1):uint() ~= 0 or
	   (part.device_size > 0 and not is_string(tvb, part.device, part.device_size)) or
	   (part.kind == 0 and part.variable_size > 0) then
		return nil
	end
	if part.kind ~= PRINTF then return part end
	if part.format_size > part.variable_size or
	   not is_string(tvb, part.variable, part.format_size) then
		return nil
	end
	part.arguments = find_arguments(tvb, get, part.variable + part.format_size,
					part.variable_size - part.format_size)
	local form = tvb(part.variable, part.format_size - 1)
	local truncated = math.floor(get.number(at + 28, 4) / TRUNCATED) % 2 == 1
	if not part.arguments or
	   not fits(part.format_size > 1 and form:raw() or "", part.arguments, truncated) then
		return nil
	end
	return part
end

local function add_event(tvb, get, tree, at)
	local part = parts_of(tvb, get, at)

	if not part then
		if tvb:len() > at then get.add(tree, "data", at, tvb:len() - at) end
		return "bytes"
	end
	add_fields(get, tree, at, {
		{ "time_realtime", 0, 8 }, { "time_boot", 8, 8 }, { "event_id", 16, 4 },
		{ "event_type", 20, 4 }, { "flags", 28, 4 }, { "cpu", 32, 4 }, { "uid", 36, 4 },
		{ "gid", 40, 4 }, { "pid", 44, 4 }, { "tid", 48, 4 }, { "severity", 65, 1 },
		{ "kind", 66, 1 } })
	tree:add(f.comm, tvb(at + 68, tvb(at + 68, 16):strsize()))
	tree:add(f.facility, tvb(at + 84, tvb(at + 84, 60):strsize()))
	if part.device_size > 1 then tree:add(f.device, tvb(part.device, part.device_size)) end
	if part.kind == PRINTF then
		tree:add(f.format, tvb(part.variable, part.format_size))
		for _, argument in ipairs(part.arguments) do add_argument(tvb, get, tree, argument) end
		return tvb(part.variable, part.format_size):stringz()
	end
	if part.variable_size > 0 then
		tree:add(f[part.kind == 2 and "text" or "data"],
			 tvb(part.variable, part.variable_size))
	end
	return kinds[part.kind] or "binary"
end

local function add_rest(tvb, get, tree, kind, at)
	local left = tvb:len() - at

	if kind == 0x11 and left >= 24 then
		add_fields(get, tree, at, { { "count", 0, 8 }, { "total", 8, 8 },
					    { "group", 16, 4 }, { "cause", 20, 4 } })
	elseif kind == 0x12 and left >= 16 then
		add_fields(get, tree, at, { { "group", 0, 4 }, { "flags", 4, 4 },
					    { "first", 8, 4 } })
	elseif kind == 0x13 and left >= 12 and left ~= 16 then
		add_fields(get, tree, at, { { "numbered", 0, 8 }, { "group", 8, 4 } })
	elseif kind == 0x13 and left >= 4 then
		get.add(tree, "group", at, 4)
	end
	return types[kind] or "unknown message"
end

function kerror.dissector(tvb, pinfo, root)
	if tvb:len() < 16 then return 0 end
	local get = reader(tvb)
	local tree = root:add(kerror, tvb())
	local kind = get.number(4, 2)

	pinfo.cols.protocol = "KERROR"
	add_fields(get, tree, 0, { { "type", 4, 2 }, { "sequence", 8, 4 }, { "thread", 12, 4 } })
	local about = kind == 0x10 and add_event(tvb, get, tree, 16) or
		      add_rest(tvb, get, tree, kind, 16)
	tree:append_text(", " .. about)
	pinfo.cols.info = about
	return tvb:len()
end

DissectorTable.get("netlink.protocol"):add(27, kerror)
