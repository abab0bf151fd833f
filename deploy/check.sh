#!/usr/bin/env bash
# Does the container work? `make container-check`: builds it, starts the service as the Dockerfile says,
# without root and with nothing to write to, and has one photograph judged. Where no container engine
# answers, the same steps are done in a bare virtual environment in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
free='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
port=$("$python" -c "$free")
photograph=src/exiface/apps/checked.jpg
work=$(mktemp -d)
stop=true
trap 'eval "$stop"; rm -rf "$work"' EXIT

engine='' container='' service=''
for each in docker podman; do
    if "$each" info >/dev/null 2>&1; then engine=$each; break; fi
done

if [ -n "$engine" ]; then
    echo "by $engine"
    "$engine" build --quiet --file deploy/Dockerfile --tag exiface-check . >/dev/null
    container=$("$engine" run --detach --rm --read-only --tmpfs /tmp --cap-drop ALL \
        --security-opt no-new-privileges --publish "127.0.0.1:$port:8000" exiface-check)
    stop="$engine stop $container >/dev/null"
else
    echo "no container engine answers: in a bare virtual environment"
    # The steps of the Dockerfile, on a copy of what it copies.
    cp -r pyproject.toml README.md LICENSE src "$work"
    "$python" -m venv "$work/env"
    "$work/env/bin/pip" install --quiet --disable-pip-version-check "$work[serve,bulk]"
    cd "$work"
    env -i PATH="$work/env/bin:/usr/bin:/bin" PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR="$work" \
        EXIFACE_HOST=127.0.0.1 EXIFACE_PORT="$port" exiface serve >"$work/log" 2>&1 &
    service=$!
    stop="kill $service 2>/dev/null; wait $service || true"
    cd - >/dev/null
fi

ready=no
for _ in $(seq 120); do
    if curl --silent --fail "http://127.0.0.1:$port/readyz" >/dev/null; then ready=yes; break; fi
    [ -n "$engine" ] || kill -0 "$service" 2>/dev/null || break
    sleep 1
done
if [ $ready = no ]; then
    echo "the service did not get ready" >&2
    if [ -n "$engine" ]; then "$engine" logs "$container" >&2; else cat "$work/log" >&2; fi
    exit 1
fi
curl --silent --show-error --fail --form "files=@$photograph" "http://127.0.0.1:$port/v1/detect" \
    >"$work/answer.json"
"$python" - "$work/answer.json" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as stream:
    [result] = json.load(stream)["results"]
assert len(result["faces"]) == 1, result
print(f"it works: {result['verdict']}, p = {result['p_value']}, by {result['detector']}")
END
