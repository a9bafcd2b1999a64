{{- /* Settings of a plane: what the chart knows, over the plane's own values, over those of both. */ -}}
{{- define "archway.settings.both" -}}
ARCHWAY_PUBLIC_URL: {{ .Values.publicUrl | quote }}
{{- if .Values.caBundle.configMap }}
ARCHWAY_CA_BUNDLE: /etc/archway/ca/ca.crt
{{- end }}
{{- end }}

{{- define "archway.settings.control" -}}
{{- $servers := .Values.servers }}
{{- include "archway.settings.both" . }}
ARCHWAY_CONTROL_METRICS_LISTEN: 0.0.0.0:9401
ARCHWAY_PROXY_INTERNAL_URL: http://{{ include "archway.name" . }}-proxy-internal:8403
{{- if $servers.enabled }}
ARCHWAY_RUNTIME: cluster
ARCHWAY_RELEASE_NAMESPACE: {{ .Release.Namespace | quote }}
ARCHWAY_SERVERS_NAMESPACES: {{ join "," $servers.namespaces | quote }}
ARCHWAY_BASE_IMAGE: {{ $servers.baseImage | quote }}
{{- if ne $servers.egress.provider "auto" }}
ARCHWAY_EGRESS_PROVIDER: {{ $servers.egress.provider | quote }}
{{- end }}
{{- with $servers.egress.never }}
ARCHWAY_EGRESS_NEVER: {{ join "," . | quote }}
{{- end }}
{{- with $servers.egress.dns }}
ARCHWAY_CLUSTER_DNS: {{ join "," . | quote }}
{{- end }}
{{- with $servers.egress.probeTargets }}
ARCHWAY_PROBE_TARGETS: {{ join "," . | quote }}
{{- end }}
ARCHWAY_SERVERS_NODE_SELECTOR: {{ kindIs "invalid" $servers.nodeSelector | ternary .Values.nodeSelector $servers.nodeSelector | toJson | quote }}
ARCHWAY_SERVERS_TOLERATIONS: {{ kindIs "invalid" $servers.tolerations | ternary .Values.tolerations $servers.tolerations | toJson | quote }}
{{- end }}
{{- end }}

{{- define "archway.settings.proxy" -}}
{{- include "archway.settings.both" . }}
ARCHWAY_CONTROL_INTERNAL_URL: http://{{ include "archway.name" . }}-control:8402
ARCHWAY_CONTROL_PUBLIC_URL: http://{{ include "archway.name" . }}-control:8404
ARCHWAY_GRACE_SECONDS: {{ .Values.proxy.graceSeconds | quote }}
ARCHWAY_DISK_CACHE: /var/lib/archway/copies
{{- if .Values.proxy.tlsSecret }}
ARCHWAY_TLS_CERT: /etc/archway/tls/tls.crt
ARCHWAY_TLS_KEY: /etc/archway/tls/tls.key
{{- end }}
{{- end }}

{{- /* Not empty where people's pages have an address of their own, so that proxies pass nobody on to control. */ -}}
{{- define "archway.pagesElsewhere" -}}
{{- $url := dig "ARCHWAY_ISSUER_URL" "" (mergeOverwrite (dict) .Values.settings .Values.control.settings) }}
{{- if and $url (ne (trimSuffix "/" $url) (trimSuffix "/" .Values.publicUrl)) }}{{ $url }}{{ end }}
{{- end }}

{{- /* The data of a plane's ConfigMap: a list of the root and the plane's name. */ -}}
{{- define "archway.settings" -}}
{{- $root := index . 0 }}
{{- $plane := index . 1 }}
{{- $own := include (printf "archway.settings.%s" $plane) $root | fromYaml }}
{{- mergeOverwrite (dict) $root.Values.settings (index $root.Values $plane).settings $own | toYaml }}
{{- end }}
