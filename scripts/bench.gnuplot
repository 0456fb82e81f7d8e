# SPDX-License-Identifier: GPL-2.0-only
#
# Plots of what scripts/bench.sh measured: gnuplot -e "data='FOLDER'" bench.gnuplot
# reads what bench-report.py wrote to FOLDER, and writes SVG files here.
set terminal svg size 800,420 font "sans,12" background "white"
set grid y
set style fill solid 0.6
set boxwidth 0.6

do for [place in "um qemu"] {
	title(what) = sprintf("%s (%s)", what, place eq "um" ? "User Mode Linux" : "QEMU, 2 CPUs")

	set xtics rotate by -25
	set ylabel "ns per call"
	set logscale y
	set output place."-cost.svg"
	set title title("Caller's cost in process context, one listener")
	plot data."/".place."-cost.dat" using 0:2:xtic(1) with boxes notitle, \
	     "" using 0:2:3:4 with yerrorbars lc black pt 0 notitle, \
	     "" using 0:2:(sprintf("%.0f", $2)) with labels offset 0,0.8 notitle

	set xtics norotate
	unset logscale
	set yrange [0:*]
	set key top left
	set output place."-listeners.svg"
	set title title("Caller's cost by number of listeners")
	set xlabel "listeners"
	plot data."/".place."-listeners.dat" index 0 with yerrorlines title "evl\\_printf, 3 arguments", \
	     "" index 1 with yerrorlines title "netlink\\_broadcast"

	set output place."-arguments.svg"
	set title title("Caller's cost by number of arguments")
	set xlabel "arguments"
	plot data."/".place."-arguments.dat" index 0 with yerrorlines title "evl\\_printf", \
	     "" index 1 with yerrorlines title "trace\\_printk", \
	     "" index 2 with yerrorlines title "printk"

	set output place."-size.svg"
	set title title("Caller's cost by size of the data")
	set xlabel "bytes"
	plot data."/".place."-size.dat" index 0 with yerrorlines title "evl\\_write", \
	     "" index 1 with yerrorlines title "clock and copy"
	unset xlabel
	set yrange [*:*]
}

set xtics rotate by -25
set yrange [0:*]
set ylabel "decoded events per second"
set output "qemu-rate.svg"
set title "Events into one reader (QEMU, 2 CPUs)"
plot data."/qemu-rate.dat" using 0:2:xtic(1) with boxes notitle, \
     "" using 0:2:3:4 with yerrorbars lc black pt 0 notitle

set yrange [*:*]
set logscale y
set ylabel "us from call to reader"
set output "qemu-latency.svg"
set title "Latency (QEMU, 2 CPUs)"
set key outside bottom center horizontal
set style data histogram
plot data."/qemu-latency.dat" using 2:xtic(1) title "idle, median", "" using 3 title "idle, 99 %", \
     "" using 4 title "load, median", "" using 5 title "load, 99 %"
