#!/usr/bin/env bash
# The head of the Ray cluster: it schedules, keeps the cluster's book and reports figures. It runs no replicas.
#
#   RAY_AUTH_TOKEN       what nodes and the deployer must show (required); else the file RAY_AUTH_TOKEN_PATH or
#                        ~/.ray/auth_token
#   RAY_REDIS_ADDRESS    redis://HOST:PORT or rediss://HOST:PORT (TLS): where the book outlives this process
#   RAY_REDIS_PASSWORD   its password
#   RAY_external_storage_namespace   name of the cluster in that store
#   OCR_CLUSTER_NAME     under which name figures are printed; none are without it
#   OCR_DASHBOARD_HOST   where the dashboard listens (127.0.0.1: a tunnel leads there)
#   OCR_AUTOSCALING_CONFIG   file for Ray's own autoscaler, on a cluster that the launcher made; none without it
#   OCR_NODE_IP, OCR_RAY_DIR, OCR_OBJECT_STORE_BYTES, PORT_*   instead of what is found
set -euo pipefail
# shellcheck source=cluster/node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"

load_ports
require_token
find_own_address
collect_node_arguments

if [[ ${RAY_REDIS_ADDRESS:-} == rediss://* ]]; then
  # Ray checks the store's certificate only against authorities that it is given.
  RAY_REDIS_CA_CERT=${RAY_REDIS_CA_CERT:-$(python -m certifi)}
  export RAY_REDIS_CA_CERT
fi
head_arguments=(
  --head
  --port="$PORT_GCS"
  --num-cpus=0
  --num-gpus=0
  --include-dashboard=true
  --dashboard-host="${OCR_DASHBOARD_HOST:-127.0.0.1}"
  --dashboard-port="$PORT_DASHBOARD"
  --ray-client-server-port="$PORT_RAY_CLIENT"
)
if [[ -n ${RAY_REDIS_PASSWORD:-} ]]; then
  head_arguments+=(--redis-password="$RAY_REDIS_PASSWORD")
fi
if [[ -n ${OCR_AUTOSCALING_CONFIG:-} ]]; then
  head_arguments+=(--autoscaling-config="$OCR_AUTOSCALING_CONFIG")
fi

ray start "${head_arguments[@]}" "${node_arguments[@]}" &
ray_pid=$!
reporter_pid=

# shellcheck disable=SC2329 # called by the trap
stop() {
  trap '' TERM INT
  [[ -z $reporter_pid ]] || kill "$reporter_pid" 2>/dev/null || true
  stop_ray
  exit 0
}
trap stop TERM INT

if [[ -n ${OCR_CLUSTER_NAME:-} ]]; then
  python "$here/report_capacity.py" &
  reporter_pid=$!
fi
watch_ray "$here/check-health.sh" head
