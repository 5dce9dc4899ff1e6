# shellcheck shell=bash
# Part of lab.sh: NetBIOS, WS-Discovery and a name server
discovery_up() {
  local address folder k
  for address in $(with netbios); do
    folder=$state/netbios/$address
    mkdir -p "$folder"
    {
      printf '[global]\nnetbios name = LAB%s\nworkgroup = LABGROUP\ninterfaces = eth0\nbind interfaces only = yes\n' "${address##*.}"
      for k in 'lock directory' 'state directory' 'cache directory' 'pid directory' 'private dir' 'ncalrpc dir'; do echo "$k = $folder"; done
    } >"$folder/smb.conf"
    start_at "$address" "netbios-$address" nmbd -F --no-process-group -s "$folder/smb.conf" -l "$folder"
  done
  for address in $(with wsd); do
    start_at "$address" "wsd-$address" wsdd2 -4 -u -w -i eth0 -H lab -N LAB -G LABGROUP
  done
  for address in $(with names); do
    start_at "$address" "names-$address" dnsmasq --no-daemon --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts --log-queries --log-facility=- \
      $(awk '{ split($1, n, "."); printf "--ptr-record=%s.%s.%s.%s.in-addr.arpa,%s-%s.lab.invalid ", n[4], n[3], n[2], n[1], $2, n[4] }' "$hosts")
  done
}


discovery_ready() {
  local address
  for address in $(with netbios); do wait_for listening_any "$(apart "$address")" u 137; done
  for address in $(with wsd); do wait_for listening_any "$(apart "$address")" u 3702; done
  for address in $(with names); do wait_for listening_any "$(apart "$address")" u 53; done
}
