#!/usr/bin/env bash
# try-browser.sh URL HEADER VALUE FILE: read FILE in a real browser from a page of another origin, as the example does.
# The service at URL must allow that origin: ALLOWED_ORIGINS=http://127.0.0.1:${ORIGIN_PORT:-5173}. Needs chromium, python3.
set -euo pipefail

url=$1 header=$2 value=$3 file=$4 port=${ORIGIN_PORT:-5173}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

cp "$here/check/try-browser.html" "$here/build/lib/ocr-client.js" "$folder"
cp "$file" "$folder/page.png"
python3 -m http.server "$port" --bind 127.0.0.1 --directory "$folder" >/dev/null 2>&1 &
server=$!
for _ in $(seq 50); do
  if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/page.png"; then break; fi
  sleep 0.1
done

query=$(python3 -c 'import sys, urllib.parse as u; print(u.urlencode(dict(zip(("url", "header", "key"), sys.argv[1:]))))' \
  "$url" "$header" "$value")
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
  --virtual-time-budget=120000 --dump-dom "http://127.0.0.1:$port/try-browser.html?$query" 2>"$folder/log" > "$folder/dom" \
  || { tail -5 "$folder/log" >&2; exit 1; }
awk '/<pre id="log">/ { on = 1 } on { print } on && /<\/pre>/ { exit }' "$folder/dom"
grep -q 'id="log">read ' "$folder/dom"
grep -q 'refused true 401 unauthorized true' "$folder/dom"
