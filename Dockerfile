# The hub's image: one for web, workers, beat and manage.py.
# `make images` renews the digests behind the tags.

FROM python:3.11.15-slim-bookworm@sha256:b18992999dbe963a45a8a4da40ac2b1975be1a776d939d098c647482bcad5cba AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.txt
WORKDIR /hub
COPY manage.py pyproject.toml LICENSE NOTICE ./
COPY settings settings
COPY console console
COPY hub hub
COPY parties parties
COPY operators operators
COPY database database
COPY ocpi ocpi
COPY rating rating
# Settings are strict also here. What they ask for is of no use to anybody, and ends with this step.
RUN HUB_PUBLIC_URL=https://hub.invalid HUB_COUNTRY_CODE=NL HUB_PARTY_ID=HUB \
    DATABASE_URL=postgresql://database.invalid/hub REDIS_URL=redis://broker.invalid/0 \
    SECRET_KEY="$(/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    CREDENTIALS_KEYS="$(/venv/bin/python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())')" \
    DJANGO_SETTINGS_MODULE=settings.base /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q /hub

FROM python:3.11.15-slim-bookworm@sha256:b18992999dbe963a45a8a4da40ac2b1975be1a776d939d098c647482bcad5cba
RUN useradd --system --uid 10001 --home-dir /hub --shell /usr/sbin/nologin hub
COPY --from=build /venv /venv
COPY --from=build /hub /hub
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=settings.base \
    HUB_BIND_HOST=0.0.0.0 \
    HUB_BIND_PORT=8000
WORKDIR /hub
USER hub
EXPOSE 8000
# Whether it can do its work is /readyz, for who sends it traffic: a database that is away is no reason
# to start this process anew.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", "\
import http.client, os; \
hub = http.client.HTTPConnection('127.0.0.1', int(os.environ['HUB_BIND_PORT']), timeout=4); \
hub.request('GET', '/healthz'); \
raise SystemExit(hub.getresponse().status != 200)"]
CMD ["python", "-m", "settings.serve"]
