{{- /* What the pods of both planes have in common. */ -}}
{{- define "archway.pod" -}}
# Kubernetes would put variables such as ARCHWAY_PROXY_PORT beside our settings.
enableServiceLinks: false
securityContext: {{ toJson .Values.podSecurityContext }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "archway.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* One variable from a Secret: a list of the Secret's name and the variable's. */ -}}
{{- define "archway.secret" -}}
- name: {{ index . 1 }}
  valueFrom: {secretKeyRef: {name: {{ index . 0 }}, key: {{ index . 1 }}}}
{{- end }}

{{- /* What a proxy is told by a Secret where it may hold a password; else what the ConfigMap says of it stands. */ -}}
{{- define "archway.optional-secrets" -}}
{{- range list "HTTPS_PROXY" "ARCHWAY_OTLP_HEADERS" }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.secrets.connections }}, key: {{ . }}, optional: true}}
{{- end }}
{{- end }}

{{- define "archway.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.caBundle.configMap }}
- {name: ca, mountPath: /etc/archway/ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "archway.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- with .Values.caBundle }}
{{- if .configMap }}
- name: ca
  configMap: {name: {{ .configMap }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- end }}

{{- /* Replicas in different zones and on different nodes where there are some: a list of the root and the component. */ -}}
{{- define "archway.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    # Of one version at a time: those that an upgrade is about to end do not count.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "archway.selector" (index $ 0) | nindent 8 }}
        app.kubernetes.io/component: {{ index $ 1 }}
  {{- end }}
{{- end }}
