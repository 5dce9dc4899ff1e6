# shellcheck shell=bash
# Part of lab.sh: web servers
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

web_up() {
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


web_ready() {
  local address
  for address in $(with bmc old-bmc tls13); do wait_for listening t "$address" 443; done
  for address in $(with printer web web6 old-3des trap-setup trap-away canary); do wait_for listening t "$address" 80; done
}
