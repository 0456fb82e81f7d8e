#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests that mail by a rule arrives, with the shipped units under a systemd that
# is booted for it, with the script of kerrord(8), by Postfix, Exim and msmtp:
#
#   make test-mail		as root; needs systemd, overlayfs, cgroup2, and apt
#				with a network; changes nothing outside of its overlay
#
# kerrord is that with the played kernel. Prints TAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# ---- Inside of the machine: test_mail.sh inside MAILER ----

fail() {
	echo "not ok - $*"
	exit 1
}

# wait_for SECONDS COMMAND...
wait_for() {
	local tries=$(($1 * 5))

	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

packages() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/apt.log 2>&1 || fail "$(tail -3 /tmp/apt.log)"; }

setup_postfix() {
	echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections
	packages postfix
	systemctl restart postfix
}

setup_exim() {
	packages exim4-daemon-light
	sed -i "s/^dc_eximconfig_configtype=.*/dc_eximconfig_configtype='local'/" \
		/etc/exim4/update-exim4.conf.conf
	sed -i '/^root:/d' /etc/aliases
	useradd -m mailreader || true
	echo 'root: mailreader' >>/etc/aliases
	update-exim4.conf
	systemctl restart exim4
}

setup_msmtp() {
	packages msmtp-mta
	printf 'account default\nhost 127.0.0.1\nport 2525\nfrom kerror@localhost\n' >/etc/msmtprc
	chmod 644 /etc/msmtprc
	systemd-run -q --unit=smtp python3 -c '
import socketserver
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda text: self.wfile.write(text + b"\r\n")
        say(b"220 test")
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word == b"DATA":
                say(b"354 go on")
                with open("/var/mail/root", "ab") as mail:
                    while (line := self.rfile.readline()) != b".\r\n":
                        mail.write(line.replace(b"\r\n", b"\n"))
            say(b"221 end" if word == b"QUIT" else b"250 ok")
            if word == b"QUIT":
                return
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", 2525), Session).serve_forever()'
	wait_for 10 bash -c ': </dev/tcp/127.0.0.1/2525' || fail "the SMTP server of the test"
}

# Restarts kerrord with a kernel that boots now and has 500 events.
start_kerrord() {
	systemctl stop kerrord
	rm -rf /var/lib/kerror/* /var/mail/*
	mkdir -p /etc/systemd/system/kerrord.service.d /etc/systemd/system/kerror-rules.socket.d
	printf '[Unit]\nConditionPathExists=\n[Service]\nEnvironment=FAKE_START=%s FAKE_RATE=1000 FAKE_EVENTS=500\n' \
		"$(date +%s%N)" >/etc/systemd/system/kerrord.service.d/test.conf
	printf '[Unit]\nConditionPathExists=\n' >/etc/systemd/system/kerror-rules.socket.d/test.conf
	systemctl daemon-reload
	systemctl start kerrord
}

mails() { cat /var/mail/* 2>/dev/null | grep -c '^Subject: kernel: rule disk'; }
has_five_mails() { [ "$(mails)" = 5 ]; }

inside() {
	systemd-sysusers
	# The script of the manual, and the rule of its example
	mandoc -T utf8 /usr/local/share/man/man8/kerrord.8 2>/dev/null | col -bx |
		sed -n '/#!\/bin\/sh/,/^ *END$/s/^ *//p' >/usr/local/sbin/mail-operator
	grep -q '^exec /usr/sbin/sendmail' /usr/local/sbin/mail-operator || fail "no script in kerrord(8)"
	chmod 755 /usr/local/sbin/mail-operator
	printf '[store]\n[rule disk]\nfilter = severity<=err\nthreshold = 5 in 10m\nkey = device\ncooldown = 1h\ncommand = /usr/local/sbin/mail-operator\n' \
		>/etc/kerror/kerrord.conf
	apt-get update -qq >/dev/null 2>&1 || true
	number=0
	for mailer in postfix exim msmtp; do
		setup_$mailer
		start_kerrord
		wait_for 60 has_five_mails || {
			systemctl status kerrord 'kerror-rules*' --no-pager 2>&1 | sed 's/^/# /'
			cat /var/lib/kerror/*.state | sed 's/^/# /'
			fail "$mailer: $(mails) of 5 mails"
		}
		number=$((number + 1))
		echo "ok $number mail by $mailer"
	done
	# A configuration with errors is refused by reload, and changes nothing.
	echo 'path =' >>/etc/kerror/kerrord.conf
	! systemctl reload kerrord 2>/dev/null || fail "reload takes a wrong configuration"
	systemctl is-active -q kerrord || fail "reload of a wrong configuration ends kerrord"
	sed -i '$d' /etc/kerror/kerrord.conf
	printf '[text]\npath = /var/log/kerror/events.log\n' >/etc/kerror/kerrord.conf.d/text.conf
	systemctl reload kerrord || fail "reload refuses a right configuration"
	wait_for 20 grep -q 'event 499' /var/log/kerror/events.log || fail "reload does not add a sink"
	echo "ok $((number + 1)) systemctl reload"
	packages logrotate
	logrotate -f /etc/logrotate.d/kerror || fail "logrotate"
	wait_for 10 test -e /var/log/kerror/events.log || fail "logrotate: not opened anew"
	[ -s /var/log/kerror/events.log.1 ] || fail "logrotate: no old file"
	echo "ok $((number + 2)) logrotate"
	# Without the facility the units are skipped.
	systemctl stop kerrord kerror-rules.socket
	rm /etc/systemd/system/kerrord.service.d/test.conf /etc/systemd/system/kerror-rules.socket.d/test.conf
	systemctl daemon-reload
	systemctl start kerrord || fail "the unit fails without the facility"
	[ "$(systemctl show -P ConditionResult kerrord)" = no ] || [ -e /sys/module/kerror ] ||
		fail "the unit is not skipped"
	! systemctl is-failed -q kerrord || fail "the unit failed"
	echo "ok $((number + 3)) skipped without the facility"
	echo "1..$((number + 3))"
}

# ---- Outside: test_mail.sh OUTPUT ----

# The machine: this one's files with an overlay, and a systemd in namespaces
boot() {
	exec unshare --mount --propagation private --cgroup --pid --fork --kill-child --uts --ipc bash -c '
set -e
echo $$ >'"$group"'/kerror-test/cgroup.procs 2>/dev/null || true
mount -t tmpfs -o size=3g none '"$work"'
cd '"$work"'
mkdir upper lower root
mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=lower root
cd root
mount -t proc none proc
mount -t tmpfs none run; mkdir -p run/lock run/kerror-installed
mount -t tmpfs -o mode=1777 none tmp
mount --bind '"$installed"' run/kerror-installed
mount -t sysfs -o ro sysfs sys 2>/dev/null || mount --rbind /sys sys
mount -t tmpfs none sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
: >etc/fstab
echo uninitialized >etc/machine-id
for unit in systemd-udevd systemd-networkd systemd-resolved systemd-timesyncd systemd-logind console-getty; do
	ln -sf /dev/null etc/systemd/system/$unit.service
done
cp -r run/kerror-installed/. .
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --system --unit=multi-user.target --show-status=0'
}

if [ "$1" = inside ]; then
	inside
	exit
fi

[ "$(id -u)" = 0 ] || fail "only root can boot a machine for it"
out=$(cd "$1" && pwd)
work=$(mktemp -d) installed=$(mktemp -d)
make -s -C "$here/.." OUTPUT="$out" DESTDIR="$installed" install >/dev/null
install -m 755 "$out/obj/tests/kerrord" "$installed/usr/local/sbin/kerrord"
install -m 755 "$here/test_mail.sh" "$installed/test_mail.sh"
group=/sys/fs/cgroup
[ ! -d $group/unified ] || group=$group/unified
mkdir -p "$group/kerror-test"
boot >"$installed/boot.log" 2>&1 &
unshared=$!
end() {
	status=$?
	set +e
	kill -9 "$unshared"		# and with it the machine
	wait "$unshared"
	find "$group/kerror-test" -depth -type d -exec rmdir {} \;
	rm -rf "$work" "$installed"
	exit $status
}
trap 'end 2>/dev/null' EXIT
find_init() {
	init=$(tr -d " " <"/proc/$unshared/task/$unshared/children") &&
		[ "$(cat "/proc/$init/comm")" = systemd ]
}
wait_for 20 find_init || fail "no systemd: $(cat "$installed/boot.log")"
enter() { nsenter -t "$init" -m -p -C -u -i --root="/proc/$init/root" --wd="/proc/$init/root" "$@"; }
wait_for 60 enter systemctl is-active multi-user.target || fail "systemd does not boot: $(tail -3 "$installed/boot.log")"
enter bash /test_mail.sh inside
