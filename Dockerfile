# The container images, built from source. Needs a registry for the first stage; `make image` builds the
# same two images from dist/ without one (Dockerfile.prebuilt).
#
#     docker build --target secure-init  -t secure-init .
#     docker build --target secure-store -t secure-store .
#
# For several architectures, with emulation or builders of each kind (the executables are compiled by the
# architecture they are for, since Swift's static libraries come with its toolchain):
#
#     docker buildx build --platform linux/amd64,linux/arm64 --target secure-init -t NAME --push .

FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends \
        binutils busybox-static git libfuse3-dev libpq-dev libsodium-dev libsqlite3-dev libssl-dev
WORKDIR /source
COPY . .
RUN scripts/build && mkdir state

# One file, to be copied into any image:
#     COPY --from=secure-init /secure-init /secure-init
FROM scratch AS secure-init
COPY --from=build /source/dist/secure-init /secure-init
ENTRYPOINT ["/secure-init"]

# The operator's tool and the key server, with secure-init beside it for `-decrypt`.
FROM scratch AS secure-store
COPY --from=build /source/dist/secure-store /source/dist/secure-init /
# The server's state belongs to an unprivileged user: run it with `--user 65532:65532`. The image itself starts
# as root, because operators' commands write into folders of the host.
COPY --from=build --chown=65532:65532 /source/state /var/lib/secure-store
VOLUME /var/lib/secure-store
WORKDIR /app
EXPOSE 8443
ENTRYPOINT ["/secure-store"]

# What docker-compose.yml starts: both programs, the original's encrypted demo content, and busybox.
FROM scratch AS secure-store-demo
COPY --from=build /bin/busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY --from=build /source/dist/secure-init /source/dist/secure-store /
COPY examples/compose/ /demo/
COPY Tests/Fixtures/secure-store-demo/ /data/
COPY --from=build --chown=65532:65532 /source/state /var/lib/secure-store
CMD ["/bin/sh"]
