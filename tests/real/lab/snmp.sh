# shellcheck shell=bash
# Part of lab.sh: SNMP, one agent for each profile. What those say that are read with credentials is what snmpget reads: no other place has it written down.
snmp_up() {
  local profile folder addresses
  for profile in snmp-v3 printer snmp-v1 snmp-v2c snmp-users snmp-pdu; do
    addresses=$(with $profile | sed 's/.*/udp:&:161/' | list)
    [ -n "$addresses" ] || continue
    folder=$state/snmp/$profile
    mkdir -p "$folder"
    {
      echo "agentAddress $addresses"
      case $profile in
        snmp-v3) printf '%s\n' 'createUser lab SHA "labauthpass" AES "labprivpass"' 'rouser lab authpriv' ;;
        printer) printf '%s\n' 'rocommunity public' 'sysDescr Laser Printer 4000' ;;
        *)
          echo "sysDescr Laboratory $profile"
          echo "sysName $profile.lab.invalid"
          echo "sysLocation Rack 7, unit $((${#profile} * 3))"
          ;;
      esac
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

snmp_ready() {
  local address
  for address in $(with snmp-v3 printer snmp-v1 snmp-v2c snmp-users snmp-pdu); do wait_for listening u "$address" 161; done
}
