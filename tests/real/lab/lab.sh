#!/usr/bin/env bash
# A laboratory for one test run: network namespaces and real servers, nothing of which can reach a real network.
#
#   lab.sh check              says on standard error what is missing for it, and ends with 1
#   lab.sh up FOLDER HOSTS    makes it; HOSTS is a file of lines `address profile`; FOLDER takes logs, certificates and process ids
#   lab.sh down FOLDER        ends what was started, by process id, and removes the namespaces
#
#   NAME       namespaces are NAME-fleet, NAME-scan1, NAME-scan2 …                                [kvml and the process id]
#   SCANNERS   how many scanners, each with one link to the fleet and no default route           [1]
#   MODE       an address without a host: drop (silence), refuse (RST), unreach (ICMP host unreachable)   [drop]
#   LINK       routed (one next hop), or onlink (the scanner asks ARP for each address; each host has a MAC of its own)  [routed]
#   ONLINK_BITS  the scanner's block where it is on-link: 10.77.0.0/22 to /24                       [24]
#   DELAY      milliseconds each way, routed only (two TUN devices and delayline.c: no kernel module is needed)  [0]
#   LOSS       percent of packets lost each way                                                    [0]
#   OWNER      a process id: when that process is gone, the lab takes itself down
#
# profiles: bmc old-bmc tls13 vnc-auth novnc x11vnc snmp-v3 printer web mute trap-setup trap-away canary
#           mdns-pikvm mdns-reflector ssdp-media ssdp-device ssdp-away, each in a namespace of its own, because what answers multicast looks at its interfaces
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
network=10.77.0.0/16

check() {
  local missing='' tool
  [ "$(id -u)" = 0 ] || { echo 'network namespaces need root' >&2; exit 1; }
  for tool in ip nft cc setpriv openssl nginx ipmi_sim ipmitool snmpd Xtigervnc vncpasswd x11vnc websockify nmap tcpdump \
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

# start NAME COMMAND…: in the fleet's namespace, with its process id written down
start() {
  local name=$1
  shift
  ip netns exec "$fleet" "$@" >"$state/log/$name" 2>&1 </dev/null &
  echo "$! $name" >>"$state/pids"
}

# start_at ADDRESS NAME COMMAND…: the same in the namespace that an address has for itself
start_at() {
  local address=$1 log=$2
  shift 2
  ip netns exec "$(apart "$address")" "$@" >"$state/log/$log" 2>&1 </dev/null &
  echo "$! $log" >>"$state/pids"
}

apart() { echo "$name-host-${1//./-}"; } # the namespace of an address that has one

with() { awk -v p=" $* " 'index(p, " " $2 " ") { print $1 }' "$hosts"; } # addresses of the profiles named

# ---- the network ----------------------------------------------------------------------------------------------------------
link_up() {
  local n=$1 scanner=$2 tun=${DELAY:-0}
  if [ "$tun" != 0 ]; then
    ip netns exec "$scanner" "$state/delayline" "$tun" "$scanner:sc0" "$fleet:fl$n" >"$state/log/delay$n" 2>&1 </dev/null &
    echo "$! delay$n" >>"$state/pids"
    for _ in $(seq 50); do ip -n "$fleet" link show "fl$n" >/dev/null 2>&1 && ip -n "$scanner" link show sc0 >/dev/null 2>&1 && break; sleep 0.1; done
  else
    ip -n "$scanner" link add sc0 type veth peer name "fl$n" netns "$fleet"
  fi
  if [ "$link" = onlink ]; then
    ip -n "$scanner" addr add "10.77.$onlink_third.254/$onlink_bits" dev sc0
  else
    ip -n "$scanner" addr add "10.76.$n.1/30" dev sc0
    ip -n "$fleet" addr add "10.76.$n.2/30" dev "fl$n"
  fi
  ip -n "$scanner" link set sc0 up txqueuelen 1000
  ip -n "$fleet" link set "fl$n" up
  if [ "$link" = routed ]; then
    if [ "$tun" != 0 ]; then ip -n "$scanner" route add $network dev sc0; else ip -n "$scanner" route add $network via "10.76.$n.2"; fi
  fi
}

network_up() {
  local n=0 scanner address profile
  ip netns add "$fleet"
  echo "$fleet" >"$state/namespaces"
  ip netns exec "$fleet" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0
  # Older kernels have these for the whole machine only, where they stay as they are.
  ip netns exec "$fleet" sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=100000 2>/dev/null || true
  ip -n "$fleet" link set lo up
  [ "${DELAY:-0}" = 0 ] || cc -O2 -o "$state/delayline" "$here/delayline.c"
  for ((n = 1; n <= ${SCANNERS:-1}; n++)); do
    scanner=$name-scan$n
    ip netns add "$scanner"
    echo "$scanner" >>"$state/namespaces"
    ip netns exec "$scanner" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$scanner" link set lo up
    link_up "$n" "$scanner"
  done
  if [ "$link" = onlink ]; then
    # A MAC for each host: a macvlan device that answers ARP for its own address only. The answer leaves by fl1, which nobody minds.
    ip netns exec "$fleet" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.default.arp_ignore=1
    n=0
    while read -r address profile; do
      n=$((n + 1))
      ip -n "$fleet" link add link fl1 name "mv$n" address "$(printf '02:77:00:00:%02x:%02x' $((n / 256)) $((n % 256)))" type macvlan mode bridge
      if is_apart "$profile"; then
        apart_up "$address"
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
  while read -r address profile; do
    if is_apart "$profile"; then
      n=$((n + 1))
      apart_up "$address"
      ip -n "$fleet" link add "hv$n" type veth peer name eth0 netns "$(apart "$address")"
      # The router stands at an address of its own, on each of these links.
      ip -n "$fleet" addr add 10.77.255.254/32 dev "hv$n"
      ip -n "$fleet" link set "hv$n" up
      ip -n "$fleet" route add "$address/32" dev "hv$n"
      ip -n "$(apart "$address")" addr add "$address/24" dev eth0
      ip -n "$(apart "$address")" link set eth0 up
      ip -n "$(apart "$address")" route add 10.77.255.254 dev eth0
      ip -n "$(apart "$address")" route add default via 10.77.255.254
    elif [ "$mode" = drop ]; then ip -n "$fleet" route add local "$address/32" dev lo; fi
  done <"$hosts"
}

is_apart() { case $1 in mdns-* | ssdp-*) true ;; *) false ;; esac; }

apart_up() { namespace_up "$(apart "$1")"; } # for a host that looks at its interfaces

namespace_up() {
  ip netns add "$1"
  echo "$1" >>"$state/namespaces"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$1" link set lo up
}

list() { paste -sd, -; }

rules_up() {
  local per=$((${LOSS:-0} * 100)) walled
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
    if [ "$mode" = unreach ]; then
      echo ' chain into { type filter hook input priority filter; policy accept;'
      echo "  ip daddr $network ip daddr != { $(awk '{ print $1 }' "$hosts" | list) } reject with icmp type host-unreachable"
      echo ' }'
    fi
    echo '}'
  } >"$state/rules.nft"
  ip netns exec "$fleet" nft -f "$state/rules.nft"
}

# ---- web servers ----------------------------------------------------------------------------------------------------------
page() { # page FOLDER TITLE: about as much as an embedded login page holds
  mkdir -p "$1"
  {
    echo "<!doctype html><html><head><meta charset=utf-8><title>$2</title><link rel=icon href=/favicon.ico></head><body>"
    echo '<form action=/submit method=post><input name=user><input name=pass type=password><button>Go</button></form>'
    for ((k = 0; k < 120; k++)); do echo "<tr class=row-$k><td id=c$k data-i18n='label.$k'>Setting $k</td><td><input type=hidden name=f$k></td></tr>"; done
    echo '</body></html>'
  } >"$1/index.html"
  printf '\x00\x00\x01\x00%s' "$2 icon" >"$1/favicon.ico"
}

certificate() { # certificate NAME BITS
  openssl req -x509 -newkey "rsa:$2" -nodes -days 3650 -subj "/O=Test laboratory/CN=$1.lab.invalid" -keyout "$state/tls/$1.key" -out "$state/tls/$1.crt" 2>>"$state/log/openssl"
}

secured() { echo "ssl_certificate $state/tls/$1.crt; ssl_certificate_key $state/tls/$1.key; ssl_protocols $2; ${3:-}"; }

nginx_up() {
  local address profile www=$state/www
  page "$www/bmc" 'Board Management Console'
  page "$www/old-bmc" 'Remote Management Controller'
  page "$www/tls13" 'Console Login'
  page "$www/printer" 'Laser Printer 4000'
  page "$www/web" 'Welcome'
  certificate bmc 2048
  certificate old-bmc 1024
  certificate tls13 2048
  {
    echo "worker_processes 1; daemon off; pid $state/nginx.pid; error_log $state/log/nginx-error warn; events { worker_connections 4096; }"
    echo "http { default_type text/html; types { text/html html; image/x-icon ico; } ssl_session_cache off; ssl_session_tickets off;"
    for k in client_body proxy fastcgi uwsgi scgi; do echo "${k}_temp_path $state/temp/$k;"; done
    # What was asked, as the server read it: the other side of the audit record.
    echo "log_format asked '\$server_addr \$server_port \$request_length \$status \$request'; access_log $state/log/nginx-access asked;"
    while read -r address profile; do
      case $profile in
        bmc)
          echo "server { listen $address:80; return 302 https://\$host/; }"
          echo "server { listen $address:443 ssl; $(secured bmc 'TLSv1.2 TLSv1.3') root $www/bmc; }" ;;
        old-bmc) echo "server { listen $address:443 ssl; $(secured old-bmc TLSv1 'ssl_ciphers AES128-SHA:AES256-SHA:@SECLEVEL=0;') root $www/old-bmc; }" ;;
        tls13) echo "server { listen $address:443 ssl; $(secured tls13 TLSv1.3) root $www/tls13; }" ;;
        printer) echo "server { listen $address:80; root $www/printer; }" ;;
        web) echo "server { listen $address:80; root $www/web; }" ;;
        trap-setup) echo "server { listen $address:80; return 302 '/api/init/init?username=a&password=b'; }" ;;
        trap-away) echo "server { listen $address:80; location / { add_header LOCATION http://10.77.0.250:80/desc.xml always; add_header Refresh '0; url=http://10.77.0.250/refresh' always; return 302 http://10.77.0.250/next; } }" ;;
        canary) echo "server { listen $address:80; return 204; }" ;;
      esac
    done <"$hosts"
    echo '}'
  } >"$state/nginx.conf"
  mkdir -p "$state/temp"
  start nginx nginx -e "$state/log/nginx-error" -c "$state/nginx.conf"
}

# ---- IPMI: OpenIPMI's simulator, one process for each controller -----------------------------------------------------------
ipmi_up() {
  local address folder number=0
  for address in $(with bmc old-bmc); do
    folder=$state/ipmi/$address number=$((number + 1))
    mkdir -p "$folder"
    cat >"$folder/lan.conf" <<C
name "bmc$number"
set_working_mc 0x20
  startlan 1
    addr $address 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin $([ $number = 1 ] && echo 'none md2 md5 straight' || echo md5)
    guid a123456789abcdefa1234567890abcd$number
  endlan
  user 1 $([ $number = 1 ] && echo true || echo false) "" "test" user 10 none md2 md5 straight
  user 2 true "labuser" "labpass" admin 10 none md2 md5 straight
C
    printf 'mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n' >"$folder/commands"
    start "ipmi-$address" ipmi_sim -c "$folder/lan.conf" -f "$folder/commands" -s "$folder" -n
  done
}

# ---- SNMP ------------------------------------------------------------------------------------------------------------------
snmp_up() {
  local profile folder addresses
  for profile in snmp-v3 printer; do
    addresses=$(with $profile | sed 's/.*/udp:&:161/' | list)
    [ -n "$addresses" ] || continue
    folder=$state/snmp/$profile
    mkdir -p "$folder"
    {
      echo "agentAddress $addresses"
      if [ $profile = snmp-v3 ]; then
        echo 'createUser lab SHA "labauthpass" AES "labprivpass"'
        echo 'rouser lab authpriv'
      else
        echo 'rocommunity public'
        echo 'sysDescr Laser Printer 4000'
      fi
    } >"$folder/snmpd.conf"
    start "snmpd-$profile" env MIBS= SNMP_PERSISTENT_DIR="$folder" SNMPCONFPATH="$folder" snmpd -f -Lo -C -c "$folder/snmpd.conf" -p "$folder/pid" -I -smux,systemstats,diskio
  done
}

# ---- VNC -------------------------------------------------------------------------------------------------------------------
# The X servers choose a free display themselves and write it to a file.
vnc_up() {
  local address display=''
  printf labpass | vncpasswd -f >"$state/vncpasswd"
  for address in $(with vnc-auth); do
    start "vnc-$address" sh -c 'exec Xtigervnc -displayfd 3 "$@" 3>/dev/null' sh -rfbport 5900 -interface "$address" -SecurityTypes VncAuth -PasswordFile "$state/vncpasswd" -geometry 320x240 -depth 16
  done
  for address in $(with novnc); do
    start "vnc-$address" sh -c 'out=$1; shift; exec Xtigervnc -displayfd 3 "$@" 3>"$out"' sh "$state/display" -rfbport 5900 -interface "$address" -SecurityTypes None -geometry 320x240 -depth 16
    start "novnc-$address" websockify --web /usr/share/novnc "$address:8080" "$address:5900"
  done
  [ -n "$(with x11vnc old-bmc)" ] && [ -n "$(with novnc)" ] || return 0
  for _ in $(seq 100); do [ -s "$state/display" ] && break; sleep 0.1; done
  read -r display <"$state/display"
  for address in $(with x11vnc); do
    start "x11vnc-$address" x11vnc -display ":$display" -listen "$address" -rfbport 5900 -forever -shared -nopw -quiet -noipv6 -no6
  done
  for address in $(with old-bmc); do
    start "x11vnc-$address" x11vnc -display ":$display" -listen "$address" -rfbport 5901 -forever -shared -rfbauth "$state/vncpasswd" -quiet -noipv6 -no6
  done
}

# ---- mDNS and SSDP ---------------------------------------------------------------------------------------------------------
# avahi_in NAMESPACE NAME HOST INTERFACES [LINE…]: announces the services in mdns/NAME/services; lines go to the end of its configuration
avahi_in() {
  local namespace=$1 label=$2 host=$3 interfaces=$4 folder=$state/mdns/$2
  shift 4
  mkdir -p "$folder/services" "$folder/run"
  printf '%s\n' '[server]' "host-name=$host" use-ipv6=no "allow-interfaces=$interfaces" enable-dbus=no '[wide-area]' enable-wide-area=no \
    '[publish]' publish-hinfo=no publish-workstation=no "$@" >"$folder/avahi.conf"
  # In the mount namespace that `ip netns exec` makes, the folders of the system are ours.
  ip netns exec "$namespace" sh -c 'mount --bind "$1/services" /etc/avahi/services; mount --bind "$1/run" /run; exec avahi-daemon -f "$1/avahi.conf" --no-drop-root --no-chroot --no-rlimits --debug' \
    sh "$folder" >"$state/log/avahi-$label" 2>&1 </dev/null &
  echo "$! avahi-$label" >>"$state/pids"
}

services() { # services NAME INSTANCE PORT TXT,TXT… TYPE…: a file of services for avahi
  local folder=$state/mdns/$1/services instance=$2 port=$3 texts=$4 type
  shift 4
  mkdir -p "$folder"
  {
    echo "<?xml version=\"1.0\" standalone=\"no\"?><!DOCTYPE service-group SYSTEM \"avahi-service.dtd\"><service-group><name>$instance</name>"
    for type in "$@"; do
      echo "<service><type>$type</type><port>$port</port>"
      echo "$texts" | tr , '\n' | sed '/./!d; s|.*|<txt-record>&</txt-record>|'
      echo '</service>'
    done
    echo '</service-group>'
  } >"$folder/test.service"
}

# What kvmd-bootconfig of a PiKVM has avahi announce where it is switched on (pikvm/kvmd scripts/kvmd-bootconfig).
pikvm_services() {
  services "$1" "pikvm-$2" 443 "path=/,protocol=https,description=PiKVM Web Server,model=v4plus,video=hdmi,board=rpi4,base=v4plus,serial=$2,platform=v4plus-hdmi-rpi4" _pikvm._tcp _https._tcp
}

mdns_up() {
  local address number=0 behind
  for address in $(with mdns-pikvm); do
    pikvm_services "$address" 10000000c3d2e1f0
    avahi_in "$(apart "$address")" "$address" pikvm eth0
  done
  for address in $(with mdns-reflector); do
    # It repeats to us what a PiKVM on its other side says.
    number=$((number + 1)) behind=$name-behind$number
    namespace_up "$behind"
    ip -n "$(apart "$address")" link add eth1 type veth peer name eth0 netns "$behind"
    ip -n "$(apart "$address")" addr add 10.88.0.1/24 dev eth1
    ip -n "$behind" addr add 10.88.0.2/24 dev eth0
    ip -n "$(apart "$address")" link set eth1 up
    ip -n "$behind" link set eth0 up
    pikvm_services "behind-$address" 10000000feedbeef
    avahi_in "$behind" "behind-$address" hidden eth0
    services "$address" gate 22 '' _ssh._tcp
    avahi_in "$(apart "$address")" "$address" gate eth0,eth1 '[reflector]' enable-reflector=yes
  done
}

ssdp_up() {
  local address folder location
  for address in $(with ssdp-media); do
    folder=$state/ssdp/$address
    mkdir -p "$folder/media" "$folder/db"
    printf '%s\n' port=8200 network_interface=eth0 "media_dir=$folder/media" "db_dir=$folder/db" "log_dir=$folder/db" 'friendly_name=Test media' \
      serial=SN-0042 'model_name=Test model' model_number=7 inotify=no >"$folder/minidlna.conf"
    start_at "$address" "minidlna-$address" minidlnad -d -f "$folder/minidlna.conf" -P "$folder/pid"
  done
  for address in $(with ssdp-device ssdp-away); do
    folder=$state/ssdp/$address
    mkdir -p "$folder/www"
    # It answers within its network only; this one is all that there is.
    start_at "$address" "minissdpd-$address" minissdpd -d -s "$folder/socket" -p "$folder/pid" -i "$address/8"
    location=http://10.77.0.250:80/desc.xml
    if [ -n "$(with ssdp-device | grep -Fx "$address")" ]; then
      location=http://$address:49152/upnp/device.xml
      mkdir -p "$folder/www/upnp"
      echo '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><friendlyName>Rack 7</friendlyName><manufacturer>Test laboratory</manufacturer><modelName>Controller</modelName><serialNumber>LAB-7</serialNumber><UDN>uuid:4d696e69-444c-164e-9d41-0242ac110002</UDN></device></root>' >"$folder/www/upnp/device.xml"
      start_at "$address" "description-$address" python3 -m http.server -d "$folder/www" 49152
    fi
    wait_for [ -S "$folder/socket" ]
    announce "$folder/socket" upnp:rootdevice uuid:4d696e69-444c-164e-9d41-0242ac110002::upnp:rootdevice 'Test/1.0 UPnP/1.1 lab/1.0' "$location"
    announce "$folder/socket" urn:dmtf-org:service:redfish-rest:1 uuid:3f1c8a52-0e64-4b7d-9a21-6d5be7f0c913::urn:dmtf-org:service:redfish-rest:1 'Test/1.0 UPnP/1.1 lab/1.0' "https://$address/redfish/v1/"
  done
}

# announce SOCKET TYPE USN SERVER LOCATION: what a UPnP program tells minissdpd to answer with (request 4; lengths in seven bits at a time)
announce() {
  perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new(Peer => shift) or die $!;
    print $socket chr(4), map { my $n = length; ($n < 128 ? chr $n : chr(128 | $n >> 7) . chr($n & 127)) . $_ } @ARGV;
    close $socket or die $!' "$@"
}

# wait_for COMMAND…: until it succeeds, ten seconds at most
wait_for() { for _ in $(seq 100); do "$@" 2>/dev/null && return; sleep 0.1; done; echo "not up: $*" >&2; return 1; }

listening() { # listening PROTOCOL ADDRESS PORT
  ip netns exec "$fleet" ss -Hln"$1" "src $2:$3" | grep -q .
}

listening_at() { # listening_at ADDRESS PROTOCOL PORT, in the namespace of the address
  ip netns exec "$(apart "$1")" ss -Hln"$2" "src *:$3" | grep -q .
}

servers_up() {
  local address
  nginx_up
  ipmi_up
  snmp_up
  vnc_up
  mdns_up
  ssdp_up
  for address in $(with mdns-pikvm mdns-reflector) $(with mdns-reflector | sed 's/^/behind-/'); do
    wait_for grep -q 'successfully established' "$state/log/avahi-$address"
  done
  for address in $(with ssdp-media); do wait_for listening_at "$address" t 8200; done
  for address in $(with ssdp-device); do wait_for listening_at "$address" t 49152; done
  for address in $(with ssdp-device ssdp-away); do wait_for grep -q 'request type=4.*redfish' "$state/log/minissdpd-$address"; done
  for address in $(with bmc old-bmc tls13); do wait_for listening t "$address" 443; done
  for address in $(with printer web trap-setup trap-away canary); do wait_for listening t "$address" 80; done
  for address in $(with bmc old-bmc); do wait_for listening u "$address" 623; done
  for address in $(with snmp-v3 printer); do wait_for listening u "$address" 161; done
  for address in $(with vnc-auth novnc x11vnc); do wait_for listening t "$address" 5900; done
  for address in $(with novnc); do wait_for listening t "$address" 8080; done
  [ -z "$(with novnc)" ] || for address in $(with old-bmc); do wait_for listening t "$address" 5901; done
}

up() {
  state=$1 hosts=$2 name=${NAME:-kvml$$} mode=${MODE:-drop} link=${LINK:-routed}
  fleet=$name-fleet onlink_bits=${ONLINK_BITS:-24}
  # The scanner's own address is the last but one of its block, which begins with 10.77.0.0.
  local onlink_third=$(((1 << (24 - onlink_bits)) - 1))
  mkdir -p "$state"/{log,tls,www,ipmi,snmp,mdns,ssdp,out}
  chmod 755 "$state"
  chown 65534:65534 "$state/out"
  : >"$state/pids"
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
