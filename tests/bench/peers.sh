#!/bin/bash
# The same load on this broker and on Debian's RabbitMQ and ActiveMQ, one after the other, on this
# machine and in one run. Needs the packages rabbitmq-server, activemq and a JDK; everything is kept
# in a temporary folder, listens on loopback and is ended with the script. Takes some minutes.
#
#   tests/bench/peers.sh BUILD_FOLDER [PEER...]      peers: stompbox rabbitmq activemq (all)
set -euo pipefail

build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(stompbox rabbitmq activemq)
bench=$build/tests/bench/stomp_bench
folder=$(mktemp -d)
broker_pid=

stop_broker() {
  [ -z "$broker_pid" ] && return
  kill "$broker_pid" 2>/dev/null || true
  wait "$broker_pid" 2>/dev/null || true
  broker_pid=
}
finish() {
  stop_broker
  rm -rf "$folder"
}
trap finish EXIT
ulimit -n "$(ulimit -Hn)"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for_port() {
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "peers.sh: the broker on port $1 does not start; see the logs in $folder" >&2
  exit 1
}

start_stompbox() {
  "$build/stompbox" serve --data "$folder/stompbox" --listen "tcp://127.0.0.1:$port" \
    --catalog-store none >"$folder/stompbox.log" 2>&1 &
  broker_pid=$!
}

start_rabbitmq() {
  mkdir -p "$folder/rabbitmq"
  echo '[rabbitmq_stomp].' >"$folder/rabbitmq/plugins"
  cat >"$folder/rabbitmq/rabbitmq.conf" <<END
listeners.tcp = none
stomp.listeners.tcp.1 = 127.0.0.1:$port
END
  HOME=$folder/rabbitmq RABBITMQ_NODENAME=bench$$@localhost \
    RABBITMQ_MNESIA_BASE=$folder/rabbitmq/mnesia RABBITMQ_LOG_BASE=$folder/rabbitmq/log \
    RABBITMQ_ENABLED_PLUGINS_FILE=$folder/rabbitmq/plugins \
    RABBITMQ_CONFIG_FILE=$folder/rabbitmq/rabbitmq.conf RABBITMQ_DIST_PORT=$(free_port) \
    /usr/lib/rabbitmq/bin/rabbitmq-server >"$folder/rabbitmq.log" 2>&1 &
  broker_pid=$!
}

start_activemq() {
  java -Xmx2g -cp "/usr/share/activemq/lib/*:/usr/share/java/*" "$here/PeerActiveMq.java" \
    "$folder/activemq" "$port" >"$folder/activemq.log" 2>&1 &
  broker_pid=$!
}

memory_of_broker() {
  ps -o rss= --ppid "$broker_pid" -p "$broker_pid" | sort -n | tail -1 | tr -d ' '
}

run_load() {
  "$bench" "$port" queue 4 4 "$((20000 * scale))"
  "$bench" "$port" fanout 10 "$((5000 * scale))" 128
  "$bench" "$port" fanout 10 "$((5000 * scale))" 1024
  "$bench" "$port" paced 500 10
  "$bench" "$port" drain 200000 1024 auto
  "$bench" "$port" drain 200000 1024 client-individual
}

run_idle() {
  local before after
  before=$(memory_of_broker)
  "$bench" "$port" connect "$((1000 * scale))" "$broker_pid"
  after=$(memory_of_broker)
  echo "memory_before=$before KiB"
  echo "memory_after=$after KiB"
}

for peer in "${peers[@]}"; do
  echo "== $peer"
  scale=1
  [ "$peer" = stompbox ] && scale=10
  for load in run_load run_idle; do
    port=$(free_port)
    "start_$peer"
    wait_for_port "$port"
    "$load" || echo "$load: failed"
    if [ "$load$peer" = run_loadstompbox ]; then
      "$bench" "$port" reply 5000
      "$bench" "$port" selector 1
      "$bench" "$port" selector 10000
    fi
    stop_broker
    rm -rf "${folder:?}/$peer"
  done
done
