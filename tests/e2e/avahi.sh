# Other judges of a printer's names: avahi-browse and ippfind, with a bus and a daemon of their own.  In a mount namespace (unshare -m).
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
cat >/run/dbus.conf <<'CONF'
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
CONF
bus=$(dbus-daemon --config-file=/run/dbus.conf --fork --print-pid)
printf '[server]\nuse-ipv4=yes\nuse-ipv6=yes\n[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\n' >/run/avahi.conf
avahi-daemon -f /run/avahi.conf --no-drop-root --no-chroot --no-rlimits --no-proc-title >/run/avahi.log 2>&1 &
daemon=$!
trap 'kill $daemon $bus' EXIT
for _ in $(seq 50); do
    if [ -e /run/avahi-daemon/socket ]; then break; fi
    sleep 0.1
done
avahi-browse -r -t -p _ipps-3d._tcp | sed 's/^/browse /'
# no URIs of the type: ippfind knows no scheme of it, and stumbles (a null pointer)
ippfind -T 3 _ipps-3d._tcp --txt-rp ipp/print3d --print-name | sed 's/^/ippfind /'
ippfind -T 3 _https._tcp --print | sed 's/^/https /'
if ippfind -T 2 _ipps-3d._tcp --txt-rp other --quiet; then echo "wrong found"; fi
