# shellcheck shell=bash
# Part of lab.sh: VNC
# The X servers choose a free display themselves and write it to a file.
vnc_up() {
  local address display=''
  printf labpass | vncpasswd -f >"$state/vncpasswd"
  for address in $(with vnc-auth); do
    start "vnc-$address" sh -c 'exec Xtigervnc -displayfd 3 "$@" 3>/dev/null' sh -rfbport 5900 -interface "$address" -SecurityTypes VncAuth -PasswordFile "$state/vncpasswd" -BlacklistThreshold "${VNC_LOCKOUT:-5}" -geometry 320x240 -depth 16
  done
  for address in $(with novnc); do
    start "vnc-$address" sh -c 'out=$1; shift; exec Xtigervnc -displayfd 3 "$@" 3>"$out"' sh "$state/display" -rfbport 5900 -interface "$address" -SecurityTypes None -BlacklistThreshold "${VNC_LOCKOUT:-5}" -geometry 320x240 -depth 16
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


vnc_ready() {
  local address
  for address in $(with vnc-auth novnc x11vnc); do wait_for listening t "$address" 5900; done
  for address in $(with novnc); do wait_for listening t "$address" 8080; done
  [ -z "$(with novnc)" ] || for address in $(with old-bmc); do wait_for listening t "$address" 5901; done
}
