#!/usr/bin/env bash
# try-browser.sh URL HEADER VALUE FILE: read FILE in a real browser from a page of another origin, as the example does.
# The service at URL must allow that origin: ALLOWED_ORIGINS=http://127.0.0.1:${ORIGIN_PORT:-5173}. Needs chromium, python3.
set -euo pipefail

url=$1 header=$2 value=$3 file=$4 port=${ORIGIN_PORT:-5173}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'kill "${server:-}" "${browser:-}" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

cp "$here/check/try-browser.html" "$here/build/lib/ocr-client.js" "$folder"
cp "$file" "$folder/page.png"
python3 "$here/check/serve-page.py" "$port" "$folder" &
server=$!
for _ in $(seq 50); do
  if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/page.png"; then break; fi
  sleep 0.1
done

query=$(python3 -c 'import sys, urllib.parse as u; print(u.urlencode(dict(zip(("url", "header", "key"), sys.argv[1:]))))' \
  "$url" "$header" "$value")
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --remote-debugging-port=0 \
  "http://127.0.0.1:$port/try-browser.html?$query" > "$folder/log" 2>&1 &
browser=$!
# The server ends as soon as the page has told it what it saw.
for _ in $(seq 1200); do
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.1
done
[ -f "$folder/told" ] || { tail -5 "$folder/log" >&2; exit 1; }
cat "$folder/told"
grep -q '^read ' "$folder/told"
grep -q '^refused true 401 unauthorized true' "$folder/told"
