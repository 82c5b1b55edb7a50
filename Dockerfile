# The production image: what runs web, worker and set-up. Its steps are tools/image.sh, which .ci/run proves.
FROM node:24-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY frontend frontend
COPY tools/image.sh tools/image.sh
RUN sh tools/image.sh frontend

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements-uv.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-uv.lock
COPY requirements.lock ./
COPY . .
RUN sh tools/image.sh python /venv
COPY --from=frontend /app/build build
RUN sh tools/image.sh static /venv

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings MILLRACE_HOME=/var/lib/millrace MILLRACE_LOG_JSON=yes
RUN useradd --system --uid 10001 --home-dir /var/lib/millrace --create-home millrace
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER millrace
VOLUME /var/lib/millrace
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "16", "config.wsgi:application"]
