#!/usr/bin/env bash
# A worker of the Ray cluster. On TERM it drains: its replicas move, requests on them are finished, then it ends.
#
#   RAY_AUTH_TOKEN   what the head wants to see (required); else the file RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token
#   RAY_HEAD_HOST    name or address of the head (required)
#   OCR_DRAIN_S      how long draining may take (90)
#   OCR_NODE_CPUS, OCR_NODE_GPUS   what Ray may use; all of the machine without them
#   OCR_NODE_IP, OCR_RAY_DIR, OCR_OBJECT_STORE_BYTES, PORT_*   instead of what is found
set -euo pipefail
# shellcheck source=cluster/node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"

load_ports
require_token
find_own_address
collect_node_arguments

head_address=${RAY_HEAD_HOST:?RAY_HEAD_HOST must be set: the name or address of the head}:$PORT_GCS
worker_arguments=(--address="$head_address")
if [[ -n ${OCR_NODE_CPUS:-} ]]; then
  worker_arguments+=(--num-cpus="$OCR_NODE_CPUS")
fi
if [[ -n ${OCR_NODE_GPUS:-} ]]; then
  worker_arguments+=(--num-gpus="$OCR_NODE_GPUS")
fi

ray start "${worker_arguments[@]}" "${node_arguments[@]}" &
ray_pid=$!

# shellcheck disable=SC2329 # called by the trap
stop() {
  trap '' TERM INT
  # When the head cannot be asked there is nothing to wait for: Serve finds the loss by itself.
  python "$here/drain_node.py" "$head_address" "$node_ip" "${OCR_DRAIN_S:-90}" || true
  stop_ray
  exit 0
}
trap stop TERM INT

watch_ray "$here/check-health.sh" worker
