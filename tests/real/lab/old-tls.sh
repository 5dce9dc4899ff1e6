# shellcheck shell=bash
# Part of lab.sh: TLS of before AES: what Debian's own libraries still speak where they are told to, with the factory certificate of an old controller
# GnuTLS's and NSS's servers take the port of every address: each has one of its own, and the packets for 443 and 3211 are led there.
old_port() { case $1 in old-3des) echo 4431 ;; old-rc4) echo 4432 ;; old-ssl3) echo 4433 ;; esac; }

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


old_tls_ready() {
  local address profile
  for address in $(with old-null old-anon mutual-tls); do wait_for listening t "$address" 443; done
  for profile in old-3des old-rc4 old-ssl3; do [ -z "$(with $profile)" ] || wait_for listening_any "$fleet" t "$(old_port $profile)"; done
}
