#!/bin/sh
# The steps of the production image. The Dockerfile runs them one by one; .ci/run proves them on a bare copy.
# Usage: image.sh frontend | python VENV | static VENV
set -eu
cd "$(dirname "$0")/.."

case "$1" in
frontend) # Node's packages by their lock file, then the bundle
  npm ci --ignore-scripts --no-audit --no-fund
  node frontend/build.mjs
  ;;
python) # exactly the production set: neither embedded servers nor tools of developers
  uv venv --quiet --clear "$2"
  uv pip sync --quiet --python "$2/bin/python" --require-hashes requirements.lock
  "$2/bin/python" tools/texts.py compile
  "$2/bin/python" -m compileall -q accounts config content core crm delivery flows participants reporting trial
  ;;
static) # hashed and compressed files; needs settings, but no server
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
    MILLRACE_SECRET_KEY=only-for-collectstatic "$2/bin/python" manage.py collectstatic --noinput --verbosity 0
  ;;
*)
  echo "image.sh: unknown step $1" >&2
  exit 2
  ;;
esac
