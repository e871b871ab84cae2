# The command line without a window: napari-metasr upscale, cohort, detect, info on a CPU.
#   docker build -t napari-metasr .
#   docker run --rm -v /data/bids:/in:ro -v /data/out:/out napari-metasr cohort /in --output /out --scale 2
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /opt/napari-metasr
COPY pyproject.toml README.md LICENSE LICENSE-weights constraints.txt ./
COPY src src
COPY training training
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu \
    --constraint constraints.txt '.[cohort,dicom]'
RUN useradd --create-home metasr
USER metasr
WORKDIR /out
ENTRYPOINT ["napari-metasr"]
CMD ["--help"]
