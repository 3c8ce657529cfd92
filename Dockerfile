# One image for web, worker, beat and sandbox: the command makes the difference (see compose.yaml and docs/deploy.md).
FROM python:3.13-slim AS builder
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/heliograph
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.8
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-cache

FROM python:3.13-slim
ENV PATH=/opt/heliograph/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HELIOGRAPH_DATA=/data STATIC_ROOT=/app/static_collected PORT=8000
RUN groupadd --system --gid 10001 heliograph \
    && useradd --system --uid 10001 --gid heliograph --no-create-home --home-dir /data heliograph \
    && install --directory --owner heliograph --group heliograph --mode 0750 /data
WORKDIR /app
COPY --from=builder /opt/heliograph /opt/heliograph
COPY . .
# The settings ask for secrets and servers even here; these are thrown away with the layer's shell.
RUN SECRET_KEY=build CREDENTIAL_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= PUBLIC_BASE_URL=https://build.invalid \
    DATABASE_URL=postgresql://build.invalid/build REDIS_URL=redis://build.invalid \
    python manage.py collectstatic --no-input --verbosity 0
USER heliograph
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["python", "-m", "config.launcher.probe"]
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
     "--threads", "8", "--timeout", "60", "--graceful-timeout", "25", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
