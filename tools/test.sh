#!/bin/sh
# Runs the tests side by side. Up to three that fail are run once more, one after another and with nothing beside them:
# they start real servers, and a machine that is crowded for a moment may keep one from its deadline. Those that pass
# alone are named at the end; each is a fault of the test and to be mended. More failures are no accident.
set -u
most=3
python=${1:?usage: test.sh PYTHON [ARGUMENT OF PYTEST ...]}
shift

"$python" -m pytest -n auto "$@" && exit 0
code=$?
[ "$code" = 1 ] || exit "$code"

failed=$("$python" -m pytest -n 0 -q --collect-only --last-failed --last-failed-no-failures none | grep -c '::')
if [ "$failed" -lt 1 ] || [ "$failed" -gt "$most" ]; then
  exit "$code"
fi
echo "$failed of the tests failed; once more, alone:"
"$python" -m pytest -n 0 --last-failed --last-failed-no-failures none -v || exit $?
echo "they passed alone: each is a fault of the test, to be mended or reported."
