# shellcheck shell=bash
# Part of lab.sh: OpenIPMI's simulator, one process for each controller
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


ipmi_ready() {
  local address
  for address in $(with bmc old-bmc); do wait_for listening u "$address" 623; done
}
