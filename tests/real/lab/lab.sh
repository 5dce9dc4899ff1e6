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
#   LOSS       percent of packets lost each way                                                    [0]
#   IPV6       1: hosts and scanners have link-local IPv6 addresses too, on-link only              [0]
#   OWNER      a process id: when that process is gone, the lab takes itself down
#
# profiles: bmc old-bmc tls13 vnc-auth novnc x11vnc snmp-v3 printer web mute trap-setup trap-away canary openssh dropbear telnet ftp web6
#           netbios wsd names (each in a namespace of its own behind the fleet's: routed, with MODE=drop)
#           snmp-v1 snmp-v2c snmp-users snmp-pdu
#           old-3des old-rc4 old-ssl3 (443 and 3211 in a TLS that the product's library does not speak; old-3des has a page at 80),
#           old-null old-anon (443), mutual-tls (443, wants a certificate of the client)
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
network=10.77.0.0/16

check() {
  local missing='' tool
  [ "$(id -u)" = 0 ] || { echo 'network namespaces need root' >&2; exit 1; }
  for tool in ip nft cc setpriv openssl nginx ipmi_sim ipmitool snmpd Xtigervnc vncpasswd x11vnc websockify nmap tcpdump \
    sshd dropbear telnetd vsftpd socat nmbd nmblookup wsdd2 dnsmasq snmpget gnutls-serv selfserv certutil pk12util; do
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
  local n=0 scanner address mac off=$((1 - ${IPV6:-0}))
  # An address is used at once, without waiting whether somebody else has it.
  local ipv6=("net.ipv6.conf.all.disable_ipv6=$off" "net.ipv6.conf.default.disable_ipv6=$off" net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0)
  ip netns add "$fleet"
  echo "$fleet" >"$state/namespaces"
  ip netns exec "$fleet" sysctl -qw "${ipv6[@]}" net.ipv4.ip_forward=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0
  # Older kernels have these for the whole machine only, where they stay as they are.
  ip netns exec "$fleet" sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=100000 2>/dev/null || true
  ip -n "$fleet" link set lo up
  [ "${DELAY:-0}" = 0 ] || cc -O2 -o "$state/delayline" "$here/delayline.c"
  for ((n = 1; n <= ${SCANNERS:-1}; n++)); do
    scanner=$name-scan$n
    ip netns add "$scanner"
    echo "$scanner" >>"$state/namespaces"
    ip netns exec "$scanner" sysctl -qw "${ipv6[@]}"
    ip -n "$scanner" link set lo up
    link_up "$n" "$scanner"
  done
  if [ "$link" = onlink ]; then
    # A MAC for each host: a macvlan device that answers ARP for its own address only. The answer leaves by fl1, which nobody minds.
    ip netns exec "$fleet" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.default.arp_ignore=1
    n=0
    while read -r address _ mac; do
      n=$((n + 1))
      ip -n "$fleet" link add link fl1 name "mv$n" address "${mac:-$(printf '02:77:00:00:%02x:%02x' $((n / 256)) $((n % 256)))}" type macvlan mode bridge
      ip -n "$fleet" addr add "$address/32" dev "mv$n"
      ip -n "$fleet" link set "mv$n" up
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
  if [ "$mode" = drop ]; then while read -r address _; do ip -n "$fleet" route add local "$address/32" dev lo; done <"$hosts"; fi
}

list() { paste -sd, -; }

# GnuTLS's and NSS's servers take the port of every address: each has one of its own, and the packets for 443 and 3211 are led there.
old_port() { case $1 in old-3des) echo 4431 ;; old-rc4) echo 4432 ;; old-ssl3) echo 4433 ;; esac; }

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
  local address profile www=$state/www seen6=
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
    while read -r address profile _; do
      case $profile in
        bmc)
          echo "server { listen $address:80; return 302 https://\$host/; }"
          echo "server { listen $address:443 ssl; $(secured bmc 'TLSv1.2 TLSv1.3') root $www/bmc; }" ;;
        old-bmc) echo "server { listen $address:443 ssl; $(secured old-bmc TLSv1 'ssl_ciphers AES128-SHA:AES256-SHA:@SECLEVEL=0;') root $www/old-bmc; }" ;;
        tls13) echo "server { listen $address:443 ssl; $(secured tls13 TLSv1.3) root $www/tls13; }" ;;
        printer) echo "server { listen $address:80; root $www/printer; }" ;;
        web | old-3des) echo "server { listen $address:80; root $www/web; }" ;;
        web6) echo "server { listen $address:80; $([ -n "$seen6" ] || echo 'listen [::]:80 ipv6only=on;') root $www/web; }"; seen6=1 ;;
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

# ---- TLS of before AES: what Debian's own libraries still speak where they are told to, with the factory certificate of an old controller ------------------
old_tls_up() {
  local address tls=$state/tls key=$state/tls/old.key crt=$state/tls/old.crt
  [ -n "$(with old-3des old-rc4 old-ssl3 old-null old-anon mutual-tls)" ] || return 0
  openssl req -x509 -sha1 -newkey rsa:1024 -nodes -days 3650 -subj '/C=US/ST=California/L=San Jose/O=Super Micro Computer/OU=Software/CN=IPMI' -keyout "$key" -out "$crt" 2>>"$state/log/openssl"
  [ -z "$(with old-3des)" ] || start old-3des gnutls-serv -q -p "$(old_port old-3des)" --x509keyfile "$key" --x509certfile "$crt" --priority 'NONE:+VERS-TLS1.0:+3DES-CBC:+RSA:+SHA1:+COMP-NULL:%COMPAT'
  [ -z "$(with old-rc4)" ] || start old-rc4 gnutls-serv -q -p "$(old_port old-rc4)" --x509keyfile "$key" --x509certfile "$crt" --priority 'NONE:+VERS-TLS1.0:+ARCFOUR-128:+RSA:+SHA1:+COMP-NULL:%COMPAT'
  if [ -n "$(with old-ssl3)" ]; then
    mkdir "$tls/nss"
    certutil -N -d "sql:$tls/nss" --empty-password
    openssl pkcs12 -export -legacy -inkey "$key" -in "$crt" -name old -passout pass: -out "$tls/old.p12"
    pk12util -i "$tls/old.p12" -W '' -d "sql:$tls/nss" >>"$state/log/openssl"
    # It takes its port in IPv6, of which it finds none otherwise. The links have none still.
    ip netns exec "$fleet" sysctl -qw net.ipv6.conf.lo.disable_ipv6=0
    start old-ssl3 selfserv -D -n old -p "$(old_port old-ssl3)" -d "sql:$tls/nss" -V ssl3:ssl3 -c :0005:000A
  fi
  for address in $(with old-null); do start "old-null-$address" openssl s_server -accept "$address:443" -key "$key" -cert "$crt" -tls1 -cipher NULL-SHA:@SECLEVEL=0 -quiet; done
  for address in $(with old-anon); do start "old-anon-$address" openssl s_server -accept "$address:443" -nocert -tls1 -cipher ADH-AES128-SHA:@SECLEVEL=0 -quiet; done
  for address in $(with mutual-tls); do start "mutual-tls-$address" openssl s_server -accept "$address:443" -key "$key" -cert "$crt" -tls1_2 -cipher ALL:@SECLEVEL=0 -Verify 1 -quiet; done
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

# Agents that are read with credentials. What they say is what snmpget reads: no other place has it written down.
snmp_read_up() {
  local profile folder addresses
  for profile in snmp-v1 snmp-v2c snmp-users snmp-pdu; do
    addresses=$(with $profile | sed 's/.*/udp:&:161/' | list)
    [ -n "$addresses" ] || continue
    folder=$state/snmp/$profile
    mkdir -p "$folder"
    {
      echo "agentAddress $addresses"
      echo "sysDescr Laboratory $profile"
      echo "sysName $profile.lab.invalid"
      echo "sysLocation Rack 7, unit $((${#profile} * 3))"
      case $profile in
        snmp-v1) printf 'rocommunity labcommunity\n[snmp] disableSNMPv2c yes\n[snmp] disableSNMPv3 yes\n' ;;
        snmp-v2c) printf 'rocommunity labcommunity\n[snmp] disableSNMPv1 yes\n[snmp] disableSNMPv3 yes\n' ;;
        snmp-users)
          echo 'createUser lab256 SHA-256 "labauthpass256" AES "labprivpass256"'
          echo 'createUser labdes MD5 "labauthpassdes" DES "labprivpassdes"'
          echo 'createUser lab512 SHA-512 "labauthpass512" AES-256 "labprivpass512"'
          echo 'createUser labcisco SHA "labauthpasscisco" AES-256-C "labprivpasscisco"'
          echo 'createUser labauth SHA-224 "labauthpass224"'
          echo 'createUser labname'
          printf 'rouser %s\n' 'lab256 authpriv' 'labdes authpriv' 'lab512 authpriv' 'labcisco authpriv' 'labauth auth' 'labname noauth'
          ;;
        snmp-pdu)
          echo 'rocommunity labcommunity'
          echo 'createUser lab SHA "labauthpass" AES "labprivpass"'
          echo 'rouser lab authpriv'
          echo 'sysObjectID 1.3.6.1.4.1.13742.6'
          # PDU2-MIB, and an entity that is a chassis.
          echo 'override 1.3.6.1.4.1.13742.6.3.2.1.1.3.1 octet_str "PX3-5260V"'
          echo 'override 1.3.6.1.4.1.13742.6.3.2.1.1.4.1 octet_str "QFG7100123"'
          echo 'override 1.3.6.1.4.1.13742.6.3.2.3.1.6.1.1.1 octet_str "030600"'
          echo 'override 1.3.6.1.2.1.47.1.1.1.1.5.1 integer 3'
          echo 'override 1.3.6.1.2.1.47.1.1.1.1.9.1 octet_str "3.6.0"'
          echo 'override 1.3.6.1.2.1.47.1.1.1.1.11.1 octet_str "QFG7100123"'
          echo 'override 1.3.6.1.2.1.47.1.1.1.1.13.1 octet_str "PX3-5260V"'
          echo 'override 1.3.6.1.2.1.2.2.1.6.1 octet_str 0x000d5d0c99b0'
          ;;
      esac
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

# ---- greetings: SSH, telnet, FTP -------------------------------------------------------------------------------------------
greetings_up() {
  local address folder
  [ -n "$(with openssh dropbear telnet ftp)" ] || return 0
  folder=$state/greetings
  mkdir -p "$folder/empty" /run/sshd
  [ -z "$(with openssh dropbear)" ] || ssh-keygen -q -t ed25519 -N '' -f "$folder/openssh"
  for address in $(with openssh); do
    printf 'HostKey %s\nListenAddress %s:22\nUsePAM no\nPidFile none\nPasswordAuthentication no\n' "$folder/openssh" "$address" >"$folder/$address.conf"
    start "openssh-$address" /usr/sbin/sshd -D -e -f "$folder/$address.conf"
  done
  for address in $(with dropbear); do
    [ -f "$folder/dropbear" ] || dropbearkey -t ed25519 -f "$folder/dropbear" >"$state/log/dropbearkey" 2>&1
    start "dropbear-$address" dropbear -F -E -s -p "$address:22" -r "$folder/dropbear" -P "$folder/dropbear.pid"
  done
  for address in $(with telnet); do start "telnet-$address" socat "TCP-LISTEN:23,bind=$address,reuseaddr,fork" EXEC:telnetd,nofork; done
  for address in $(with ftp); do
    printf '%s\n' listen=YES "listen_address=$address" background=NO "secure_chroot_dir=$folder/empty" 'ftpd_banner=Sentry Switched CDU v7.1d FTP server ready.' \
      seccomp_sandbox=NO >"$folder/$address.ftp"
    start "ftp-$address" vsftpd "$folder/$address.ftp"
  done
}

# ---- discovery: servers that listen on all addresses of where they run, and answer from the one that the route home gives them ----------
apart() { # apart ADDRESS: a namespace for one host; its name is left in $own
  local at=${1##*.}
  own=$name-own$at
  ip netns add "$own"
  echo "$own" >>"$state/namespaces"
  ip netns exec "$own" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$own" link set lo up
  ip -n "$own" link add eth0 type veth peer name "ow$at" netns "$fleet"
  # A mask that holds the scanners too: wsdd2 answers nobody from another network.
  ip -n "$own" addr add "$1/15" broadcast + dev eth0 noprefixroute
  ip -n "$own" link set eth0 up
  ip -n "$fleet" link set "ow$at" up
  ip netns exec "$fleet" sysctl -qw "net.ipv4.conf.ow$at.proxy_arp=1"
  # The answers go through the fleet, which speaks for the scanners.
  ip -n "$own" route add 10.76.0.0/16 dev eth0
  ip -n "$fleet" route del local "$1/32" dev lo
  ip -n "$fleet" route add "$1/32" dev "ow$at"
}

start_own() { # start_own NAME COMMAND…: the same as start, in the namespace made last
  local label=$1
  shift
  ip netns exec "$own" "$@" >"$state/log/$label" 2>&1 </dev/null &
  echo "$! $label" >>"$state/pids"
}

discovery_up() {
  local address folder own k
  for address in $(with netbios); do
    apart "$address"
    folder=$state/netbios/$address
    mkdir -p "$folder"
    {
      printf '[global]\nnetbios name = LAB%s\nworkgroup = LABGROUP\ninterfaces = eth0\nbind interfaces only = yes\n' "${address##*.}"
      for k in 'lock directory' 'state directory' 'cache directory' 'pid directory' 'private dir' 'ncalrpc dir'; do echo "$k = $folder"; done
    } >"$folder/smb.conf"
    start_own "netbios-$address" nmbd -F --no-process-group -s "$folder/smb.conf" -l "$folder"
    wait_for listening_own u 137
  done
  for address in $(with wsd); do
    apart "$address"
    start_own "wsd-$address" wsdd2 -4 -u -w -i eth0 -H lab -N LAB -G LABGROUP
    wait_for listening_own u 3702
  done
  for address in $(with names); do
    apart "$address"
    start_own "names-$address" dnsmasq --no-daemon --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts --log-queries --log-facility=- \
      $(awk '{ split($1, n, "."); printf "--ptr-record=%s.%s.%s.%s.in-addr.arpa,%s-%s.lab.invalid ", n[4], n[3], n[2], n[1], $2, n[4] }' "$hosts")
    wait_for listening_own u 53
  done
}

listening_own() { # listening_own PROTOCOL PORT
  ip netns exec "$own" ss -Hln"$1" "src :$2" | grep -q .
}

# wait_for COMMAND…: until it succeeds, ten seconds at most
wait_for() { for _ in $(seq 100); do "$@" 2>/dev/null && return; sleep 0.1; done; echo "not up: $*" >&2; return 1; }

listening() { # listening PROTOCOL ADDRESS PORT
  ip netns exec "$fleet" ss -Hln"$1" "src $2:$3" | grep -q .
}

listening_at() { # listening_at PORT: TCP, at every address
  ip netns exec "$fleet" ss -Hlnt "sport = :$1" | grep -q .
}

servers_up() {
  local address profile
  nginx_up
  old_tls_up
  ipmi_up
  snmp_up
  snmp_read_up
  vnc_up
  greetings_up
  for address in $(with openssh dropbear); do wait_for listening t "$address" 22; done
  for address in $(with telnet); do wait_for listening t "$address" 23; done
  for address in $(with ftp); do wait_for listening t "$address" 21; done
  discovery_up
  for address in $(with bmc old-bmc tls13); do wait_for listening t "$address" 443; done
  for address in $(with old-null old-anon mutual-tls); do wait_for listening t "$address" 443; done
  for profile in old-3des old-rc4 old-ssl3; do [ -z "$(with $profile)" ] || wait_for listening_at "$(old_port $profile)"; done
  for address in $(with printer web web6 old-3des trap-setup trap-away canary); do wait_for listening t "$address" 80; done
  for address in $(with bmc old-bmc); do wait_for listening u "$address" 623; done
  for address in $(with snmp-v3 printer snmp-v1 snmp-v2c snmp-users snmp-pdu); do wait_for listening u "$address" 161; done
  for address in $(with vnc-auth novnc x11vnc); do wait_for listening t "$address" 5900; done
  for address in $(with novnc); do wait_for listening t "$address" 8080; done
  [ -z "$(with novnc)" ] || for address in $(with old-bmc); do wait_for listening t "$address" 5901; done
}

up() {
  state=$1 hosts=$2 name=${NAME:-kvml$$} mode=${MODE:-drop} link=${LINK:-routed}
  fleet=$name-fleet onlink_bits=${ONLINK_BITS:-24}
  # The scanner's own address is the last but one of its block, which begins with 10.77.0.0.
  local onlink_third=$(((1 << (24 - onlink_bits)) - 1))
  mkdir -p "$state"/{log,tls,www,ipmi,snmp,out}
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
