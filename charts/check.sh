#!/usr/bin/env bash
# check.sh [write]   lints the chart, compares what it renders with golden/, and the bundle for `kubectl apply` with what the chart and crds/ give now.
# With "write" it writes them anew, for the reviewer to read. Needs helm (HELM, else on PATH).
set -euo pipefail
cd "$(dirname "$0")"
helm=${HELM:-helm}
command -v "$helm" >/dev/null || { echo "check.sh: helm is missing (HELM=/path/of/helm; e2e/k8s/build.sh makes one)" >&2; exit 1; }
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
failed=0

compare() { # file, what it should be
	if [ "${mode:-}" = write ]; then
		mkdir -p "$(dirname "$1")"
		cp "$2" "$1"
	elif ! diff -u "$1" "$2"; then
		echo "check.sh: $1 is not what the chart renders; charts/check.sh write" >&2
		failed=1
	fi
}
render() { "$helm" template kvorum kvorum -n kvorum-system "$@" 2>"$t/err" || { cat "$t/err" >&2; exit 1; }; }
refused() { # settings that the schema must not let pass
	if "$helm" template kvorum kvorum "$@" >/dev/null 2>&1; then
		echo "check.sh: accepted: $*" >&2
		failed=1
	fi
}

mode=${1:-}
"$helm" lint --strict kvorum >"$t/lint" 2>&1 || { cat "$t/lint" >&2; exit 1; }
for values in golden/*.values.yaml; do
	name=${values##*/}
	render -f "$values" >"$t/out"
	compare "golden/${name%.values.yaml}.yaml" "$t/out"
done
refused --set replicas=0
refused --set replicas=many
refused --set image.pullPolicy=Sometimes
refused --set image.repository=
refused --set 'watchNamespaces={Not_A_Name}'
refused --set injection.enabled=perhaps
refused --set unknown=1

{
	echo "# The operator without Helm: kubectl apply --server-side -f bundle.yaml. Made by charts/check.sh write."
	cat ../crds/*.yaml
	echo "# End of the definitions."
	printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: kvorum-system\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n'
	render --no-hooks --skip-tests | sed '/helm.sh\/chart:/d; s/managed-by: Helm$/managed-by: kubectl/'
} >"$t/bundle"
compare bundle.yaml "$t/bundle"
exit $failed
