# SPDX-License-Identifier: GPL-2.0-only
# Sourced by faults.sh, which says how a fault is written: the network.

# needs: e1000
fault_link_e1000() {
	load e1000
	name=$(interface e1000) && [ "$name" ] || skip "no e1000"
	ip link set "$name" up
	sleep 3
	begin
	monitor set_link e1000-0 off
	raised link-down "$name"
	monitor set_link e1000-0 on
	cleared link-down "$name"
	ip link set "$name" down
}

# needs: virtio_net
# Nothing is printed.
fault_link_virtio() {
	load virtio_net
	name=$(interface virtio_net) && [ "$name" ] || skip "no virtio network"
	ip link set "$name" up
	sleep 2
	begin
	monitor set_link virtio off
	sleep 2
	monitor set_link virtio on
	sleep 2
}

# needs: bonding
fault_bond() {
	load bonding e1000
	ip link show bond0 > /dev/null 2>&1 || ip link add bond0 type bond
	ip link set bond0 down
	echo active-backup > /sys/class/net/bond0/bonding/mode
	echo 100 > /sys/class/net/bond0/bonding/miimon
	for which in 1 2; do
		ip link set "$(interface e1000 $which)" down
		ip link set "$(interface e1000 $which)" master bond0
	done
	ip link set bond0 up
	sleep 4
	begin
	monitor set_link e1000-0 off
	raised bond-port-down bond0
	monitor set_link e1000-0 on
	cleared bond-port-down bond0
	ip link del bond0
}

# needs: vmxnet3
# A card that may not reach the memory any more sends nothing.
fault_transmit_timeout() {
	load vmxnet3
	name=$(interface vmxnet3) && [ "$name" ] || skip "no vmxnet3"
	ip addr add 10.6.0.1/24 dev "$name"
	ip link set "$name" up
	sleep 2
	ip neigh replace 10.6.0.2 lladdr 52:55:0a:00:02:02 dev "$name"
	printf '\003\001' |
		dd of="/sys/class/net/$name/device/config" bs=1 seek=4 conv=notrunc 2> /dev/null
	begin
	for sender in 1 2 3 4 5 6; do
		timeout 30 fault syn-flood 10.6.0.2 80 400 &
	done
	raised transmit-timeout "$name" 60
	ip link set "$name" down
}

# needs: dummy
fault_reference_leaked() {
	load dummy
	ip link add leaked type dummy
	bug net-reference
	begin
	ip link del leaked &
	raised interface-not-released leaked 60
	bug net-reference
	wait
}

fault_neighbours() {
	load dummy
	ip link add many type dummy
	ip addr add 10.7.0.1/16 dev many
	ip link set many arp on up
	echo 1 > /proc/sys/net/ipv4/neigh/default/gc_thresh1
	echo 8 > /proc/sys/net/ipv4/neigh/default/gc_thresh2
	echo 16 > /proc/sys/net/ipv4/neigh/default/gc_thresh3
	begin
	for host in $(seq 40); do
		ping -c 1 -W 1 10.7.1.$host > /dev/null 2>&1 &
	done
	raised neighbour-table-full arp_cache
	ip link del many
}

# needs: nf_conntrack
fault_conntrack() {
	load dummy
	modprobe nf_conntrack enable_hooks=1 || skip "no module nf_conntrack"
	ip link add tracked type dummy
	ip addr add 10.9.0.1/16 dev tracked
	ip link set tracked up
	before=$(cat /proc/sys/net/netfilter/nf_conntrack_max)
	echo 8 > /proc/sys/net/netfilter/nf_conntrack_max
	begin
	for host in $(seq 30); do
		ping -c 1 -W 1 10.9.1.$host > /dev/null 2>&1 &
	done
	raised conntrack-full
	echo "$before" > /proc/sys/net/netfilter/nf_conntrack_max
	ip link del tracked
}

fault_syn_flood() {
	load dummy
	ip link add flooded type dummy
	ip addr add 10.10.0.1/16 dev flooded
	ip link set flooded up
	nc -l -p 8080 > /dev/null &
	sleep 1
	begin
	fault syn-flood 10.10.0.1 8080 2000
	raised syn-flood 8080
	kill $!
	ip link del flooded
}

# needs: veth
fault_martian() {
	load veth
	ip link add here type veth peer name there
	unshare -n sleep 60 &
	sleep 0.5
	ip link set there netns $!
	for address in 10.8.0.2/24 10.5.5.5/32; do
		nsenter -t $! -n /bin/ip addr add $address dev there
	done
	nsenter -t $! -n /bin/ip link set there up
	ip addr add 10.8.0.1/24 dev here
	ip link set here up
	for name in all here; do
		echo 1 > /proc/sys/net/ipv4/conf/$name/log_martians
		echo 1 > /proc/sys/net/ipv4/conf/$name/rp_filter
	done
	sleep 1
	begin
	nsenter -t $! -n ping -c 2 -W 1 -I 10.5.5.5 10.8.0.1 > /dev/null
	raised martian-source here
	kill $!
}

# needs: nfs nfsv4 nfsd
# A server that is this guest itself is no longer reached, then is.
fault_nfs_stalled() {
	load nfs nfsv4 nfsd
	forever=2147483647 channel=/proc/net/rpc
	mkdir -p /export /proc/fs/nfsd /var/lib/nfs/v4recovery
	mount -t nfsd none /proc/fs/nfsd && mount -t tmpfs none /export || skip "no NFS server"
	echo 1 > /export/one
	echo "nfsd 127.0.0.1 $forever all" > $channel/auth.unix.ip/channel
	printf 'all 1 \\x00000000 %s /export\n' $forever > $channel/nfsd.fh/channel
	printf 'all / %s 16391 65534 65534 0\n' $forever > $channel/nfsd.export/channel
	printf 'all /export %s 9223 65534 65534 0\n' $forever > $channel/nfsd.export/channel
	# The third version wants a program that knows its ports.
	echo "+4.1 -3" > /proc/fs/nfsd/versions
	echo "tcp 2049" > /proc/fs/nfsd/portlist 2> /dev/null
	echo 2 > /proc/fs/nfsd/threads
	options=vers=4.1,addr=127.0.0.1,clientaddr=127.0.0.1,timeo=10,retrans=2
	timeout 30 mount -t nfs4 -o $options \
		127.0.0.1:/ /mnt || skip "NFS is not mounted"
	begin
	ip link set lo down
	timeout 60 cat /mnt/one > /dev/null &
	raised nfs-not-responding 127.0.0.1 60
	ip link set lo up
	cleared nfs-not-responding 127.0.0.1 60
	wait
	umount /mnt
}
