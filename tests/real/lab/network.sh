# shellcheck shell=bash
# Part of lab.sh: namespaces, links, routes, packet filter.
network=10.77.0.0/16

# A router with a state table of TABLE entries between scanner and fleet, which drops what is new once they are taken. The kernel's own limit is one for the
# whole machine, and a rule that counts connections (ct count) forgets those that it dropped a few at a time; so the table is a set, whose size is exact. An
# entry lives for TABLE_SECONDS after the last packet from the scanner (UDP: TABLE_UDP_SECONDS), and ends with a reset.
table_up() { # table_up NUMBER SCANNER
  local n=$1 scanner=$2 router=$name-path$1
  namespace_up "$router"
  ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
  ip -n "$scanner" link add sc0 type veth peer name in0 netns "$router"
  ip -n "$router" link add out0 type veth peer name "fl$n" netns "$fleet"
  ip -n "$router" addr add "10.76.$n.2/30" dev in0
  ip -n "$router" addr add "10.75.$n.1/30" dev out0
  ip -n "$router" link set in0 up
  ip -n "$router" link set out0 up
  ip -n "$router" route add $network via "10.75.$n.2"
  local out='ip saddr . meta l4proto . th sport . ip daddr . th dport' back='ip daddr . meta l4proto . th dport . ip saddr . th sport'
  ip netns exec "$router" nft -f - <<END
table ip kvml {
 set states {
  type ipv4_addr . inet_proto . inet_service . ipv4_addr . inet_service
  size $TABLE; flags dynamic,timeout; timeout ${TABLE_SECONDS}s; gc-interval 1s
 }
 chain through { type filter hook forward priority filter; policy accept;
  iifname "in0" tcp flags rst delete @states { $out } accept
  iifname "out0" tcp flags rst delete @states { $back } accept
  iifname "in0" meta l4proto tcp update @states { $out timeout ${TABLE_SECONDS}s } accept
  iifname "in0" meta l4proto udp update @states { $out timeout ${TABLE_UDP_SECONDS}s } accept
  iifname "in0" counter drop
 }
}
END
}

link_up() {
  local n=$1 scanner=$2 tun=${DELAY:-0}
  if [ "$tun" != 0 ]; then
    start_in "$scanner" "delay$n" "$state/delayline" "$tun" "$scanner:sc0" "$fleet:fl$n"
    for _ in $(seq 50); do ip -n "$fleet" link show "fl$n" >/dev/null 2>&1 && ip -n "$scanner" link show sc0 >/dev/null 2>&1 && break; sleep 0.1; done
  elif [ "${TABLE:-0}" != 0 ]; then
    table_up "$n" "$scanner"
  else
    ip -n "$scanner" link add sc0 type veth peer name "fl$n" netns "$fleet"
  fi
  if [ "$link" = onlink ]; then
    ip -n "$scanner" addr add "10.77.$onlink_third.254/$onlink_bits" dev sc0
  else
    ip -n "$scanner" addr add "10.76.$n.1/30" dev sc0
    ip -n "$fleet" addr add "10.$([ "${TABLE:-0}" = 0 ] && echo 76 || echo 75).$n.2/30" dev "fl$n"
  fi
  ip -n "$scanner" link set sc0 up txqueuelen 1000
  ip -n "$fleet" link set "fl$n" up
  [ "${TABLE:-0}" = 0 ] || ip -n "$fleet" route add "10.76.$n.0/30" via "10.75.$n.1"
  if [ "$link" = routed ]; then
    if [ "$tun" != 0 ]; then ip -n "$scanner" route add $network dev sc0; else ip -n "$scanner" route add $network via "10.76.$n.2"; fi
  fi
}

network_up() {
  local n=0 scanner address profile mac off=$((1 - ${IPV6:-0}))
  # An address is used at once, without waiting whether somebody else has it.
  local ipv6=("net.ipv6.conf.all.disable_ipv6=$off" "net.ipv6.conf.default.disable_ipv6=$off" net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0)
  namespace_up "$fleet"
  ip netns exec "$fleet" sysctl -qw "${ipv6[@]}" net.ipv4.ip_forward=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0
  # Older kernels have these for the whole machine only, where they stay as they are.
  ip netns exec "$fleet" sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=100000 2>/dev/null || true
  [ "${DELAY:-0}" = 0 ] || cc -O2 -o "$state/delayline" "$here/delayline.c"
  for ((n = 1; n <= ${SCANNERS:-1}; n++)); do
    scanner=$name-scan$n
    namespace_up "$scanner"
    ip netns exec "$scanner" sysctl -qw "${ipv6[@]}"
    link_up "$n" "$scanner"
  done
  if [ "$link" = onlink ]; then
    # A MAC for each host: a macvlan device that answers ARP for its own address only. The answer leaves by fl1, which nobody minds.
    ip netns exec "$fleet" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.default.arp_ignore=1
    n=0
    while read -r address profile mac; do
      n=$((n + 1))
      ip -n "$fleet" link add link fl1 name "mv$n" address "${mac:-$(printf '02:77:00:00:%02x:%02x' $((n / 256)) $((n % 256)))}" type macvlan mode bridge
      if is_apart "$profile"; then
        namespace_up "$(apart "$address")"
        ip -n "$fleet" link set "mv$n" netns "$(apart "$address")" name eth0
        ip -n "$(apart "$address")" addr add "$address/$onlink_bits" dev eth0
        ip -n "$(apart "$address")" link set eth0 up
      else
        ip -n "$fleet" addr add "$address/32" dev "mv$n"
        ip -n "$fleet" link set "mv$n" up
      fi
    done <"$hosts"
    # Told once, because a host that asked for the scanner's MAC from fl1 would make fl1's MAC known as its own.
    ip -n "$fleet" route add "10.77.$onlink_third.254/32" dev fl1
    ip -n "$fleet" neigh add "10.77.$onlink_third.254" dev fl1 nud permanent lladdr "$(ip netns exec "$name-scan1" cat /sys/class/net/sc0/address)"
    return
  fi
  case $mode in
    drop) ip -n "$fleet" route add blackhole $network ;;
    refuse | unreach) ip -n "$fleet" route add local $network dev lo ;;
    *) echo "MODE=$mode?" >&2; exit 2 ;;
  esac
  n=0
  while read -r address profile _; do
    if is_apart "$profile"; then
      n=$((n + 1))
      apart_up "$n" "$address" "$profile"
    elif [ "$mode" = drop ]; then ip -n "$fleet" route add local "$address/32" dev lo; fi
  done <"$hosts"
}

# Servers that look at their interfaces, or listen on all addresses of where they run, have a namespace for themselves. Where the link is routed: MODE=drop only.
is_apart() { case $1 in mdns-* | ssdp-* | netbios | wsd | names) true ;; *) false ;; esac; }

apart() { echo "$name-host-${1//./-}"; } # the namespace of such an address

apart_up() { # apart_up NUMBER ADDRESS PROFILE
  local own mask='24'
  own=$(apart "$2")
  namespace_up "$own"
  ip -n "$fleet" link add "hv$1" type veth peer name eth0 netns "$own"
  # The router stands at an address of its own, on each of these links.
  ip -n "$fleet" addr add 10.77.255.254/32 dev "hv$1"
  ip -n "$fleet" link set "hv$1" up
  ip -n "$fleet" route add "$2/32" dev "hv$1"
  # A mask that holds the scanners too: wsdd2 answers nobody from another network.
  case $3 in wsd) mask='15' ;; esac
  ip -n "$own" addr add "$2/$mask" broadcast + dev eth0 noprefixroute
  ip -n "$own" link set eth0 up
  ip -n "$own" route add 10.77.255.254 dev eth0
  ip -n "$own" route add default via 10.77.255.254
}

namespace_up() {
  ip netns add "$1"
  echo "$1" >>"$state/namespaces"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$1" link set lo up
}

rules_up() {
  local per=$((${LOSS:-0} * 100)) walled profile address
  walled=$(with snmp-v3 | list)
  {
    echo 'table ip kvml {'
    echo ' chain before { type filter hook prerouting priority raw; policy accept;'
    [ $per = 0 ] || echo "  iifname \"fl*\" numgen random mod 10000 < $per counter drop"
    [ -z "$walled" ] || printf '  ip daddr { %s } %s drop\n' "$walled" 'udp dport != 161' "$walled" 'ip protocol { tcp, icmp }'
    echo ' }'
    echo ' chain after { type filter hook output priority raw; policy accept;'
    [ $per = 0 ] || echo "  oifname \"fl*\" numgen random mod 10000 < $per counter drop"
    echo ' }'
    if [ -n "$(with old-3des old-rc4 old-ssl3)" ]; then
      echo ' chain old { type nat hook prerouting priority dstnat; policy accept;'
      for profile in old-3des old-rc4 old-ssl3; do
        for address in $(with $profile); do echo "  ip daddr $address tcp dport { 443, 3211 } dnat to $address:$(old_port $profile)"; done
      done
      echo ' }'
    fi
    if [ "$mode" = unreach ]; then
      echo ' chain into { type filter hook input priority filter; policy accept;'
      echo "  ip daddr $network ip daddr != { $(awk '{ print $1 }' "$hosts" | list) } reject with icmp type host-unreachable"
      echo ' }'
    fi
    echo '}'
  } >"$state/rules.nft"
  ip netns exec "$fleet" nft -f "$state/rules.nft"
}
