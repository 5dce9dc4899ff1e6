# shellcheck shell=bash
# Part of lab.sh: mDNS and SSDP
# avahi_in NAMESPACE NAME HOST INTERFACES [LINE…]: announces the services in mdns/NAME/services; lines go to the end of its configuration
avahi_in() {
  local namespace=$1 label=$2 host=$3 interfaces=$4 folder=$state/mdns/$2
  shift 4
  mkdir -p "$folder/services" "$folder/run"
  printf '%s\n' '[server]' "host-name=$host" use-ipv6=no "allow-interfaces=$interfaces" enable-dbus=no '[wide-area]' enable-wide-area=no \
    '[publish]' publish-hinfo=no publish-workstation=no "$@" >"$folder/avahi.conf"
  # In the mount namespace that `ip netns exec` makes, the folders of the system are ours.
  start_in "$namespace" "avahi-$label" sh -c 'mount --bind "$1/services" /etc/avahi/services; mount --bind "$1/run" /run; exec avahi-daemon -f "$1/avahi.conf" --no-drop-root --no-chroot --no-rlimits --debug' \
    sh "$folder"
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

announce_up() {
  mdns_up
  ssdp_up
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


announce_ready() {
  local address
  for address in $(with mdns-pikvm mdns-reflector) $(with mdns-reflector | sed 's/^/behind-/'); do
    wait_for grep -q 'successfully established' "$state/log/avahi-$address"
  done
  for address in $(with ssdp-media); do wait_for listening_any "$(apart "$address")" t 8200; done
  for address in $(with ssdp-device); do wait_for listening_any "$(apart "$address")" t 49152; done
  for address in $(with ssdp-device ssdp-away); do wait_for grep -q 'request type=4.*redfish' "$state/log/minissdpd-$address"; done
}
