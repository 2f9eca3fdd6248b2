{{- define "kvorum.name" -}}
{{- if contains "kvorum" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}-operator{{ else }}{{ printf "%s-kvorum" .Release.Name | trunc 40 | trimSuffix "-" }}-operator{{ end -}}
{{- end }}

{{- define "kvorum.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "kvorum.name" .) }}
{{- end }}

{{- define "kvorum.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "kvorum.selector" -}}
app.kubernetes.io/name: kvorum-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kvorum.labels" -}}
{{ include "kvorum.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "kvorum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "kvorum.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1001
runAsGroup: 1001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What the operator may do in the namespaces that it looks after. */}}
{{- define "kvorum.rules" -}}
- apiGroups: [kvorum.io]
  resources: [kvorumclusters]
  verbs: [get, list, watch, patch, update]
- apiGroups: [kvorum.io]
  resources: [kvorummembers]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [kvorum.io]
  resources: [kvorumoperations]
  verbs: [get, list, watch, delete]
- apiGroups: [kvorum.io]
  resources: [kvorumbackups]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [kvorum.io]
  resources: [kvorumbackupschedules]
  verbs: [get, list, watch]
- apiGroups: [kvorum.io]
  resources: [kvorumclusters/status, kvorummembers/status, kvorumoperations/status, kvorumbackups/status, kvorumbackupschedules/status]
  verbs: [get, patch, update]
- apiGroups: [kvorum.io]
  resources: [kvorumclusters/finalizers, kvorummembers/finalizers, kvorumbackups/finalizers, kvorumbackupschedules/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods/log, namespaces]
  verbs: [get]
- apiGroups: [""]
  resources: [services]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, replicasets, statefulsets, daemonsets]
  verbs: [get]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, prometheusrules]
  verbs: [get, create, patch]
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, create, patch]
{{- end }}
