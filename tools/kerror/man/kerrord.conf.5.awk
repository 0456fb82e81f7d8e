# SPDX-License-Identifier: GPL-2.0-only
#
# Makes kerrord.conf(5) of what "kerrord --print-config" prints, so that the page has
# each option, as the program knows it.

function escape(text) {
	gsub(/\\/, "\\e", text)
	return text ~ /^[.']/ ? "\\&" text : text
}

function end_list() {
	if (options)
		print ".El"
	options = 0
}

BEGIN {
	print ".\\\" Made by man/kerrord.conf.5.awk of the output of kerrord --print-config"
	print ".Dd November 28, 2026\n.Dt KERRORD.CONF 5\n.Os"
	print ".Sh NAME\n.Nm kerrord.conf\n.Nd configuration of kerrord"
	print ".Sh SYNOPSIS\n.Pa /etc/kerror/kerrord.conf"
	print ".Pp\n.Pa /etc/kerror/kerrord.conf.d/*.conf"
	print ".Sh DESCRIPTION\nSections of options, read by\n.Xr kerrord 8 ."
	print "The value of an option below is its default, or an example if its text tells\nwhat none means."
	print "Times have the units s, m, h and d, sizes K, M and G."
	print "The options"
	print ".Cm filter ,\n.Cm queue\nand\n.Cm stuck\nare those of each sink;"
	print "a rule has no\n.Cm stuck ."
}

NR <= 3 { next }
/^# / { text = substr($0, 3); next }
/^#?\[/ {
	end_list()
	sub(/^#/, "")
	print ".Ss " $0 "\n" escape(text) "."
	next
}
/^#[a-z_]+ = / {
	name = substr($1, 2)
	if ((name == "filter" || name == "queue" || name == "stuck") && seen[name]++)
		next
	value = substr($0, length($1) + 4)
	if (!options++)
		print ".Bl -tag -width Ds"
	print ".It Cm " name " = " (value == "-" ? "\\-" : value)
	print escape(text)
}
END {
	end_list()
	print ".Sh SEE ALSO\n.Xr kerror-filter 7 ,\n.Xr kerrord 8"
}
