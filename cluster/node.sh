# What the entry points of head and workers have in common; they source it.
# shellcheck shell=bash

# The process that the entry point started Ray with, and the one that measures the time between two health checks.
ray_pid=
timer_pid=

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Ports come from the environment (Terraform, a compose file), else from ports.env.
load_ports() {
  local name value
  while IFS='=' read -r name value; do
    if [[ $name == PORT_* && -z ${!name:-} ]]; then
      export "$name=$value"
    fi
  done <"$here/ports.env"
  export AUTOSCALER_METRIC_PORT=$PORT_AUTOSCALER_METRICS
  export DASHBOARD_METRIC_PORT=$PORT_DASHBOARD_METRICS
  export RAY_SERVE_FALLBACK_PROXY_HTTP_PORT=$PORT_SERVE_FALLBACK
  export RAY_SERVE_HAPROXY_STATS_PORT=$PORT_HAPROXY_STATS
  export RAY_SERVE_HAPROXY_METRICS_PORT=$PORT_HAPROXY_METRICS
  export RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT=$PORT_REPLICA_MIN
  export RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT=$PORT_REPLICA_MAX
  # A proxy that starts on a busy node may need longer than Ray's ten seconds, and would be killed and begin anew.
  export RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S=${RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S:-60}
}

# How old figures may be: Ray's defaults are ten seconds for all and a tenth of a second for Serve's own.
export RAY_metrics_report_interval_ms=${RAY_metrics_report_interval_ms:-2000}
export RAY_SERVE_METRICS_EXPORT_INTERVAL_MS=${RAY_SERVE_METRICS_EXPORT_INTERVAL_MS:-1000}

# A cluster without a token lets anybody who reaches a port run anything. Ray would find the file by itself; what else
# runs here looks into the environment.
require_token() {
  local file=${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}
  export RAY_AUTH_MODE=${RAY_AUTH_MODE:-token}
  if [[ -z ${RAY_AUTH_TOKEN:-} && -r $file ]]; then
    RAY_AUTH_TOKEN=$(<"$file")
    export RAY_AUTH_TOKEN
  fi
  if [[ $RAY_AUTH_MODE == token && -z ${RAY_AUTH_TOKEN:-} ]]; then
    echo "RAY_AUTH_TOKEN must be set: nodes show it to each other." >&2
    exit 64
  fi
}

# The address by which other nodes reach this one. A name that leads to the node itself only is no help.
find_own_address() {
  local found
  found=$(hostname -i 2>/dev/null | cut -d ' ' -f 1) || found=
  if [[ -z $found || $found == 127.* || $found == ::1 ]]; then
    found=$(hostname -I | cut -d ' ' -f 1)
  fi
  node_ip=${OCR_NODE_IP:-$found}
}

# Arguments of `ray start` on every node, in the array `node_arguments`: no port is left to chance.
collect_node_arguments() {
  local shared_bytes
  shared_bytes=$(df --output=size --block-size=1 /dev/shm | tail -n 1)
  node_arguments=(
    --block
    --disable-usage-stats
    --node-ip-address="$node_ip"
    --node-manager-port="$PORT_NODE_MANAGER"
    --object-manager-port="$PORT_OBJECT_MANAGER"
    --runtime-env-agent-port="$PORT_RUNTIME_ENV_AGENT"
    --dashboard-agent-grpc-port="$PORT_AGENT_GRPC"
    --dashboard-agent-listen-port="$PORT_AGENT_HTTP"
    --metrics-export-port="$PORT_METRICS"
    --min-worker-port="$PORT_WORKER_MIN"
    --max-worker-port="$PORT_WORKER_MAX"
    --object-store-memory="${OCR_OBJECT_STORE_BYTES:-$((shared_bytes * 9 / 10))}"
  )
  if [[ -n ${OCR_RAY_DIR:-} ]]; then
    node_arguments+=(--temp-dir="$OCR_RAY_DIR")
  fi
}

# Wait for Ray ($ray_pid) and look after it: a node whose health check (the rest of the arguments) fails six times in a
# row, a minute, is ended, so that whoever started the container starts another. The first two minutes are its start.
watch_ray() {
  local failures=0 start=$SECONDS
  while kill -0 "$ray_pid" 2>/dev/null; do
    # `wait` is what a signal interrupts; `sleep` alone would hold the trap back.
    sleep 10 &
    timer_pid=$!
    wait -n "$ray_pid" "$timer_pid" || true
    if ! kill -0 "$ray_pid" 2>/dev/null; then
      break
    elif "$@"; then
      failures=0
    elif ((SECONDS - start > 120)); then
      failures=$((failures + 1))
    fi
    if ((failures >= 6)); then
      echo "The node has not been healthy for a minute: ending it." >&2
      stop_ray
      exit 70
    fi
  done
  # Ray ended by itself: pass on how. A clean end without being asked is a failure, too.
  local status=0
  kill "$timer_pid" 2>/dev/null || true
  wait "$ray_pid" || status=$?
  exit $((status == 0 ? 70 : status))
}

# End Ray on this node and wait for it. Not `ray stop`, which would end every node on the machine.
stop_ray() {
  kill "$timer_pid" 2>/dev/null || true
  kill -TERM "$ray_pid" 2>/dev/null || true
  for _ in $(seq 1 100); do
    kill -0 "$ray_pid" 2>/dev/null || return 0
    sleep 0.2
  done
  kill -KILL "$ray_pid" 2>/dev/null || true
}
