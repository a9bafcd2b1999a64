# One image for both planes: `archway proxy` (the default) and `archway control`.
# Fit for a read-only root file system: nothing is written outside /tmp, which may be a tmpfs.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/archway
COPY pyproject.toml constraints.txt README.md LICENSE ./
# Dependencies first: this layer stays while only our own code changes.
RUN python - <<'PY' > /tmp/requirements.txt
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
wanted = project["dependencies"] + extras["proxy"] + extras["control"]
print("\n".join(one for one in wanted if not one.startswith("archway[")))
PY
RUN /opt/archway/bin/pip install --no-cache-dir -c constraints.txt -r /tmp/requirements.txt
# A compiler, for this stage alone: the image holds what it made, and nothing to compile with.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY setup.py setup.py
COPY tools/compile.py tools/compile.py
COPY core core
COPY proxy proxy
COPY control control
COPY bridge bridge
COPY archway archway
RUN PIP_CONSTRAINT=/src/constraints.txt ARCHWAY_COMPILED_WHEEL=1 \
    /opt/archway/bin/pip install --no-cache-dir --no-deps . \
 && /opt/archway/bin/pip uninstall -y pip \
 && /opt/archway/bin/python -m compileall -q /opt/archway/lib

FROM python:3.13-slim
RUN groupadd --gid 10001 archway \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin archway
COPY --from=build /opt/archway /opt/archway
ENV PATH=/opt/archway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Inside a container every interface is the container's own; who may reach it is the cluster's to say.
ENV ARCHWAY_PROXY_LISTEN=0.0.0.0:8400 \
    ARCHWAY_PROXY_INTERNAL_LISTEN=0.0.0.0:8403 \
    ARCHWAY_METRICS_LISTEN=0.0.0.0:9400 \
    ARCHWAY_ADMIN_LISTEN=0.0.0.0:8401 \
    ARCHWAY_CONTROL_INTERNAL_LISTEN=0.0.0.0:8402 \
    ARCHWAY_CONTROL_PUBLIC_LISTEN=0.0.0.0:8404
WORKDIR /tmp
USER 10001:10001
EXPOSE 8400 8401 8402 8403 8404 9400
# The supervisor reaps what it adopts, so no init is needed above it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["archway"]
CMD ["proxy"]
