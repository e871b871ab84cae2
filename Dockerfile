# Upscaling, detection and reports without a window, on a CPU.
#   docker build -t napari-metasr .
#   docker run --rm -v /data/bids:/in:ro -v /data/out:/out napari-metasr cohort /in --output /out --scale 2
# The same as a BIDS App:
#   docker build --target bids-app -t metasr-app .
#   docker run --rm -v /data/bids:/in:ro -v /data/out:/out metasr-app /in /out participant --scale 2
FROM python:3.11-slim AS installed
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /opt/napari-metasr
COPY pyproject.toml README.md LICENSE LICENSE-weights constraints.txt ./
COPY src src
COPY training training
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu \
    --constraint constraints.txt '.[cohort,dicom]' \
    && useradd --create-home --uid 1000 metasr
USER 1000
WORKDIR /out

FROM installed AS bids-app
ENTRYPOINT ["napari-metasr", "cohort"]
CMD ["--help"]

FROM installed AS command-line
ENTRYPOINT ["napari-metasr"]
CMD ["--help"]
