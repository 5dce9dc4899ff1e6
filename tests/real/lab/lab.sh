#!/usr/bin/env bash
# A laboratory for one test run: network namespaces and real servers, nothing of which can reach a real network.
#
#   lab.sh check              says on standard error what is missing for it, and ends with 1
#   lab.sh up FOLDER HOSTS    makes it; HOSTS is a file of lines `address profile [MAC]`; FOLDER takes logs, certificates and process ids
#   lab.sh down FOLDER        ends what was started, by process id, and removes the namespaces
#
#   NAME       namespaces are NAME-fleet, NAME-scan1, NAME-scan2 …                                [kvml and the process id]
#   SCANNERS   how many scanners, each with one link to the fleet and no default route           [1]
#   MODE       an address without a host: drop (silence), refuse (RST), unreach (ICMP host unreachable)   [drop]
#   LINK       routed (one next hop), or onlink (the scanner asks ARP for each address; each host has a MAC of its own)  [routed]
#   ONLINK_BITS  the scanner's block where it is on-link: 10.77.0.0/20 to /24                       [24]
#   DELAY      milliseconds each way, routed only (two TUN devices and delayline.c: no kernel module is needed)  [0]
#   TABLE      entries of the state table of a router between scanner and fleet, routed only       [0: no router]
#   TABLE_SECONDS  it forgets a TCP connection after so many                                        [120, as Linux what is never answered]
#   TABLE_UDP_SECONDS  the same of UDP                                                              [TABLE_SECONDS, 30 where that is not given]
#   LOSS       percent of packets lost each way                                                    [0]
#   IPV6       1: hosts and scanners have link-local IPv6 addresses too, on-link only              [0]
#   VNC_LOCKOUT  connections without a password after which a VNC server locks an address out         [5]
#   OWNER      a process id: when that process is gone, the lab takes itself down
#
# profiles: bmc old-bmc tls13 vnc-auth novnc x11vnc snmp-v3 printer web mute trap-setup trap-away canary openssh dropbear telnet ftp web6
#           netbios wsd names mdns-pikvm mdns-reflector ssdp-media ssdp-device ssdp-away, each in a namespace of its own
#           snmp-v1 snmp-v2c snmp-users snmp-pdu
#           old-3des old-rc4 old-ssl3 (443 and 3211 in a TLS that the product's library does not speak; old-3des has a page at 80),
#           old-null old-anon (443), mutual-tls (443, wants a certificate of the client)
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

check() {
  local missing='' tool
  [ "$(id -u)" = 0 ] || { echo 'network namespaces need root' >&2; exit 1; }
  for tool in ip nft cc setpriv openssl nginx ipmi_sim ipmitool snmpd Xtigervnc vncpasswd x11vnc websockify nmap tcpdump \
    sshd dropbear telnetd vsftpd socat nmbd nmblookup wsdd2 dnsmasq snmpget gnutls-serv selfserv certutil pk12util \
    avahi-daemon minidlnad minissdpd python3 perl; do
    command -v $tool >/dev/null || missing="$missing $tool"
  done
  [ -f /usr/share/novnc/vnc.html ] || missing="$missing novnc"
  [ -c /dev/net/tun ] || missing="$missing /dev/net/tun"
  [ -z "$missing" ] || { echo "not on this machine:$missing" >&2; exit 1; }
  local try=kvmlcheck$$
  ip netns add $try 2>/dev/null || { echo 'this machine lets nobody make a network namespace' >&2; exit 1; }
  local why=''
  ip -n $try link add a0 type veth peer name a1 2>/dev/null || why='veth'
  ip -n $try link add link a1 name a2 type macvlan mode bridge 2>/dev/null || why="$why macvlan"
  ip netns exec $try nft add table ip kvml 2>/dev/null || why="$why nft"
  ip netns del $try
  [ -z "$why" ] || { echo "the kernel has no $why" >&2; exit 1; }
}

start_in() { # start_in NAMESPACE NAME COMMAND…: with its process id written down, and its output in log/NAME
  local namespace=$1 label=$2
  shift 2
  ip netns exec "$namespace" "$@" >"$state/log/$label" 2>&1 </dev/null &
  echo "$! $label" >>"$state/pids"
}

start() { start_in "$fleet" "$@"; }

start_at() { # start_at ADDRESS NAME COMMAND…: in the namespace that an address has for itself
  local address=$1
  shift
  start_in "$(apart "$address")" "$@"
}

with() { awk -v p=" $* " 'index(p, " " $2 " ") { print $1 }' "$hosts"; } # addresses of the profiles named

# wait_for COMMAND…: until it succeeds, ten seconds at most
wait_for() { for _ in $(seq 100); do "$@" 2>/dev/null && return; sleep 0.1; done; echo "not up: $*" >&2; return 1; }

listening() { # listening PROTOCOL ADDRESS PORT, in the fleet's namespace
  ip netns exec "$fleet" ss -Hln"$1" "src $2:$3" | grep -q .
}

listening_any() { # listening_any NAMESPACE PROTOCOL PORT, at whatever address
  ip netns exec "$1" ss -Hln"$2" "sport = :$3" | grep -q .
}

list() { paste -sd, -; }

# A file a topic: TOPIC_up starts the servers of the profiles that HOSTS names, TOPIC_ready waits for them.
topics='web old-tls ipmi snmp vnc greetings discovery announce'
for topic in network $topics; do . "$here/$topic.sh"; done

servers_up() {
  local topic
  for topic in $topics; do "${topic//-/_}_up"; done
  for topic in $topics; do "${topic//-/_}_ready"; done
}

up() {
  state=$1 hosts=$2 name=${NAME:-kvml$$} mode=${MODE:-drop} link=${LINK:-routed}
  fleet=$name-fleet onlink_bits=${ONLINK_BITS:-24}
  TABLE_UDP_SECONDS=${TABLE_UDP_SECONDS:-${TABLE_SECONDS:-30}} TABLE_SECONDS=${TABLE_SECONDS:-120}
  # The scanner's own address is the last but one of its block, which begins with 10.77.0.0.
  local onlink_third=$(((1 << (24 - onlink_bits)) - 1))
  mkdir -p "$state"/{log,tls,www,ipmi,snmp,mdns,ssdp,out}
  chmod 755 "$state"
  chown 65534:65534 "$state/out"
  : >"$state/pids"
  : >"$state/namespaces"
  network_up
  rules_up
  servers_up
  if [ -n "${OWNER:-}" ]; then
    # The process that asked for the lab may be killed: then nobody else takes it down.
    (exec >/dev/null 2>&1 </dev/null; while kill -0 "$OWNER"; do sleep 1; done; exec "${BASH_SOURCE[0]}" down "$state") &
    echo "$! owner-watch" >>"$state/pids"
  fi
  echo "up: $(cat "$state/namespaces" | paste -sd' ' -)"
}

down() {
  state=$1
  local pid label namespace
  [ -f "$state/namespaces" ] || return 0
  while read -r pid label; do [ "$pid" = $$ ] || kill "$pid" 2>/dev/null || true; done <"$state/pids"
  # What these have started themselves (workers of a web server) lives in our namespaces, where nobody else's process is.
  for _ in $(seq 30); do
    [ -n "$(while read -r namespace; do ip netns pids "$namespace" 2>/dev/null; done <"$state/namespaces")" ] || break
    sleep 0.1
  done
  while read -r namespace; do
    for pid in $(ip netns pids "$namespace" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$namespace" 2>/dev/null || true
  done <"$state/namespaces"
  rm -f "$state/namespaces" "$state/pids"
}

case ${1:-} in
  check) check ;;
  up) up "$2" "$3" ;;
  down) down "$2" ;;
  *) sed -n '2,/^set /p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
esac
