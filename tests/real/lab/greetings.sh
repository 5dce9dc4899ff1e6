# shellcheck shell=bash
# Part of lab.sh: SSH, telnet, FTP
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


greetings_ready() {
  local address
  for address in $(with openssh dropbear); do wait_for listening t "$address" 22; done
  for address in $(with telnet); do wait_for listening t "$address" 23; done
  for address in $(with ftp); do wait_for listening t "$address" 21; done
}
