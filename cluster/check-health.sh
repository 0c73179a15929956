#!/usr/bin/env bash
# Whether this container is healthy: `check-health.sh head` asks the head's GCS, `check-health.sh worker` the raylet, and
# `check-health.sh service` what `ocr-serve run` started.
set -euo pipefail
# shellcheck source=cluster/node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"

load_ports
case ${1:-} in
  head) port=$PORT_DASHBOARD path=/api/gcs_healthz ;;
  worker) port=$PORT_AGENT_HTTP path=/api/local_raylet_healthz ;;
  service) port=${PORT:-$PORT_SERVE_HTTP} path=/health ;;
  *)
    echo "usage: check-health.sh head|worker|service" >&2
    exit 64
    ;;
esac

# Images have no curl, and starting Python takes longer than asking.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  local status
  read -r _ status _ <&3
  [[ $status == 200 ]]
}
export -f ask
timeout 5 bash -c 'ask "$@"' ask "$port" "$path" 2>/dev/null
