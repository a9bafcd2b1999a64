{{- /* Every object is named for the release, within the 63 characters of a label less the longest ending. */ -}}
{{- define "archway.name" -}}
{{- $release := .Release.Name | replace "." "-" }}
{{- if contains "archway" $release }}{{ $release | trunc 44 | trimSuffix "-" }}
{{- else }}{{ printf "%s-archway" ($release | trunc 36) }}{{ end }}
{{- end }}

{{- define "archway.labels" -}}
{{ include "archway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "archway.selector" -}}
app.kubernetes.io/name: archway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "archway.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "archway.host" -}}
{{- $host := regexReplaceAll ":[0-9]+$" (urlParse .Values.publicUrl).host "" }}
{{- if regexMatch "^[0-9.]+$" $host }}
{{- fail "publicUrl: an Ingress or a route is for a name, and not for an address" }}
{{- end }}
{{- $host }}
{{- end }}
